// SPDX-License-Identifier: GPL-2.0-only
/* The BPF objects that the loader carries inside itself. */
#include "loader/hook/embedded.h"

#include <bpf/libbpf.h>
#include <errno.h>

#include "xdp-prog/fw_abi.h"
#include "lib/msg.h"
#include "loader/hook/maps.h"

extern const char xf_object_start[], xf_object_end[], xf_fw_object_start[], xf_fw_object_end[];

const struct xf_cargo xf_cargo_logger = {
	.file = "xdpfun.o",
	.prog_name = XF_PROG_NAME,
	.abi = &xf_abi_logger,
	.start = xf_object_start,
	.end = xf_object_end,
};

const struct xf_cargo xf_cargo_firewall = {
	.file = "xdpfun-fw.o",
	.prog_name = XF_FW_PROG_NAME,
	.abi = &xf_abi_firewall,
	.start = xf_fw_object_start,
	.end = xf_fw_object_end,
};

const char *xf_cargo_name(const struct xf_cargo *cargo, const char *path)
{
	if (path)
		return path;
	return cargo == &xf_cargo_logger ? "the built-in xdpfun.o" : "the built-in xdpfun-fw.o";
}

struct bpf_object *xf_cargo_open(const struct xf_cargo *cargo, const char *path)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = cargo->prog_name);

	if (path)
		return bpf_object__open_file(path, &opts);
	return bpf_object__open_mem(cargo->start, cargo->end - cargo->start, &opts);
}

/* The ABI version of an opened object, or -ENOENT when it is another kind of object. */
static int abi_of(const struct xf_cargo *cargo, struct bpf_object *obj)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, cargo->abi->map);
	const struct xf_abi *abi;
	size_t size = 0;

	abi = map ? bpf_map__initial_value(map, &size) : NULL;
	if (!abi || size < sizeof(*abi) || abi->magic != cargo->abi->magic)
		return -ENOENT;
	return abi->version;
}

int xf_cargo_check(const struct xf_cargo *cargo, const char *path, struct bpf_object *obj)
{
	const char *name = xf_cargo_name(cargo, path);
	int abi = abi_of(cargo, obj);

	if (abi == (int)cargo->abi->version)
		return 0;
	if (abi < 0)
		xf_err("%s is not an xdpfun object", name);
	else
		xf_err("%s has ABI version %d, and this xdpfun-load reads version %u", name, abi,
		       cargo->abi->version);
	xf_hint("use an %s that was built together with this loader", cargo->file);
	return abi < 0 ? abi : -EPROTO;
}
