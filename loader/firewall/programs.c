// SPDX-License-Identifier: GPL-2.0-only
/* The firewall's programs, and which rule set each of them obeys. */
#include "loader/firewall/programs.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firewall/table/ruleset.h"
#include "lib/time.h"
#include "xdp-prog/fw_abi.h"
#include "lib/msg.h"
#include "loader/hook/netdev.h"
#include "loader/hook/maps.h"

struct look {
	struct xf_fw_prog *prog;
	bool firewall;
};

static void look_at_root(struct xf_fw_prog *prog, int fd, const struct bpf_map_info *info)
{
	static const __u32 zero;
	struct xf_fw_root root;

	prog->root_id = info->id;
	prog->held = info->value_size == sizeof(root) && !bpf_map_lookup_elem(fd, &zero, &root) &&
		     xf_ruleset_root_held(&root, xf_now_ns(CLOCK_BOOTTIME));
}

static bool look_at_map(void *arg, int fd, const struct bpf_map_info *info)
{
	struct look *look = arg;

	if (!strcmp(info->name, XF_FW_ROOT_MAP))
		look_at_root(look->prog, fd, info);
	else if (xf_maps__is_abi(fd, info, &xf_abi_firewall, &look->prog->abi_version))
		look->firewall = true;
	return false;
}

int xf_fw_prog__read(struct xf_fw_prog *prog, __u32 prog_id)
{
	struct look look = { .prog = prog };
	int err, fd = bpf_prog_get_fd_by_id(prog_id);

	memset(prog, 0, sizeof(*prog));
	if (fd < 0)
		return -errno;
	err = xf_maps__each(fd, look_at_map, &look);
	close(fd);
	return err ?: look.firewall ? 0 : -ENOENT;
}

/* The list of places under construction. */
struct places {
	struct xf_fw_place *at;
	int n;
	__u32 root_id;
};

static int add_hook(struct places *places, const char *ifname, unsigned int ifindex)
{
	struct xf_fw_place *more;
	struct xf_fw_prog prog;
	struct xf_chain chain;
	int err = xf_chain__read(ifindex, &chain);

	if (err == -ENODEV)
		return 0; /* it has just gone */
	for (unsigned int i = 0; !err && i < chain.n; i++) {
		err = xf_fw_prog__read(&prog, chain.prog[i].id);
		if (err == -ENOENT || (!err && prog.root_id != places->root_id)) {
			err = 0;
			continue;
		}
		more = reallocarray(places->at, places->n + 1, sizeof(*more));
		if (!err && !more)
			err = -ENOMEM;
		if (err)
			break;
		places->at = more;
		more += places->n++;
		*more = (struct xf_fw_place) { .ifindex = ifindex,
					       .prog_id = chain.prog[i].id,
					       .mode = chain.mode };
		strncpy(more->ifname, ifname, IF_NAMESIZE - 1);
	}
	if (err)
		xf_err("cannot read what is attached to %s: %s", ifname, strerror(-err));
	return err;
}

static int add_named(struct places *places, const struct xf_strs *names)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < names->n; i++) {
		struct xf_netdev netdev;

		err = xf_netdev_find(names->at[i], &netdev);
		if (!err)
			err = add_hook(places, netdev.name, netdev.ifindex);
	}
	return err;
}

static int add_all(struct places *places)
{
	struct if_nameindex *all = if_nameindex();
	int err = 0;

	if (!all) {
		err = -errno;
		xf_err("cannot list the interfaces: %s", strerror(-err));
		return err;
	}
	for (struct if_nameindex *i = all; !err && i->if_index; i++)
		err = add_hook(places, i->if_name, i->if_index);
	if_freenameindex(all);
	return err;
}

int xf_fw_places(struct xf_fw_place **places, const struct xf_strs *names, __u32 root_id)
{
	struct places list = { .root_id = root_id };
	int err = names->n ? add_named(&list, names) : add_all(&list);

	*places = list.at;
	if (!err)
		return list.n;
	free(list.at);
	*places = NULL;
	return err;
}

const struct xf_fw_place *xf_fw_place_on(const char *ifname, const struct xf_fw_place *places,
					 int n)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(places[i].ifname, ifname))
			return &places[i];
	return NULL;
}

int xf_fw_count_absent(const struct xf_strs *names, const char *set,
		       const struct xf_fw_place *places, int n)
{
	int absent = 0;

	for (unsigned int i = 0; i < names->n; i++) {
		if (xf_fw_place_on(names->at[i], places, n))
			continue;
		xf_err("%s: no program of the set '%s' is attached", names->at[i], set);
		absent++;
	}
	return absent;
}

static bool is_among(__u32 id, const struct xf_fw_place *places, int n)
{
	while (n > 0)
		if (places[--n].prog_id == id)
			return true;
	return false;
}

static int count_users(__u32 root_id, const struct xf_fw_place *except, int except_n)
{
	struct xf_fw_prog prog;
	__u32 id = 0;
	int n = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		int err = xf_fw_prog__read(&prog, id);

		if (!err && prog.root_id == root_id)
			n += !is_among(id, except, except_n);
		else if (err && err != -ENOENT)
			return err;
	}
	return errno == ENOENT ? n : -errno;
}

int xf_fw_users(const char *set, __u32 root_id, const struct xf_fw_place *except, int except_n)
{
	int n = count_users(root_id, except, except_n);

	if (n < 0)
		xf_err("cannot look for programs of the set '%s': %s", set, strerror(-n));
	return n;
}

struct search {
	__u32 root_id;
	char *name;
};

static int is_set(void *arg, const char *name)
{
	struct search *search = arg;
	struct xf_fw_pins pins;
	bool same;

	/* No lock is needed: only the pin is read, which is there or not. */
	if (xf_fw_pins__path(&pins, name))
		return 0;
	same = xf_fw_pins__root_id(&pins) == search->root_id;
	if (same)
		strcpy(search->name, pins.name);
	return same;
}

bool xf_fw_named_set_of(__u32 root_id, char name[XF_FW_NAME_MAX + 1])
{
	struct search search = { .root_id = root_id, .name = name };

	return root_id && xf_fw_pins__each(is_set, &search) == 1;
}
