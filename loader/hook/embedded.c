// SPDX-License-Identifier: GPL-2.0-only
/* The BPF objects that are linked into the loader. */
#include "loader/hook/embedded.h"

#include <bpf/libbpf.h>
#include <errno.h>

#include "xdp-prog/fw_abi.h"
#include "lib/msg.h"
#include "loader/hook/maps.h"

extern const char xf_object_start[], xf_object_end[], xf_fw_object_start[], xf_fw_object_end[];

const struct xf_embedded xf_embedded_logger = {
	.file = "xdpfun.o",
	.prog_name = XF_PROG_NAME,
	.abi = &xf_abi_logger,
	.start = xf_object_start,
	.end = xf_object_end,
};

const struct xf_embedded xf_embedded_firewall = {
	.file = "xdpfun-fw.o",
	.prog_name = XF_FW_PROG_NAME,
	.abi = &xf_abi_firewall,
	.start = xf_fw_object_start,
	.end = xf_fw_object_end,
};

const char *xf_embedded_name(const struct xf_embedded *embedded, const char *path)
{
	if (path)
		return path;
	return embedded == &xf_embedded_logger ? "the built-in xdpfun.o"
					       : "the built-in xdpfun-fw.o";
}

struct bpf_object *xf_embedded_open(const struct xf_embedded *embedded, const char *path)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = embedded->prog_name);

	if (path)
		return bpf_object__open_file(path, &opts);
	return bpf_object__open_mem(embedded->start, embedded->end - embedded->start, &opts);
}

/* Returns the ABI version of an opened object, or -ENOENT when it is another kind of object. */
static int abi_of(const struct xf_embedded *embedded, struct bpf_object *obj)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, embedded->abi->map);
	const struct xf_abi *abi;
	size_t size = 0;

	abi = map ? bpf_map__initial_value(map, &size) : NULL;
	if (!abi || size < sizeof(*abi) || abi->magic != embedded->abi->magic)
		return -ENOENT;
	return abi->version;
}

int xf_embedded_check(const struct xf_embedded *embedded, const char *path, struct bpf_object *obj)
{
	const char *name = xf_embedded_name(embedded, path);
	int abi = abi_of(embedded, obj);

	if (abi == (int)embedded->abi->version)
		return 0;
	if (abi < 0)
		xf_err("%s is not an xdpfun object", name);
	else
		xf_err("%s has ABI version %d, and this xdpfun-load reads version %u", name, abi,
		       embedded->abi->version);
	xf_hint("use an %s that was built together with this loader", embedded->file);
	return abi < 0 ? abi : -EPROTO;
}
