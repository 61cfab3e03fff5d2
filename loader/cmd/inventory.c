// SPDX-License-Identifier: GPL-2.0-only
/* The inventory of XDP programs on interfaces. */
#include "loader/cmd/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/cmd/cmd.h"
#include "loader/firewall/programs.h"
#include "loader/hook/program.h"
#include "lib/msg.h"
#include "loader/hook/netdev.h"

static int read_firewall(struct xf_inventory_prog *prog, __u32 id, const char *ifname,
			 struct xf_locks *locks)
{
	struct xf_program program;
	struct xf_fw_prog firewall;
	int err = xf_fw_prog__read(&firewall, id);

	if (err)
		return err == -ENOENT ? 0 : err;
	prog->kind = XF_INVENTORY_FIREWALL;
	prog->abi_version = firewall.abi_version;
	prog->held = firewall.held;
	xf_fw_named_set_of(firewall.root_id, prog->set);
	err = xf_program__open(&program, &xf_abi_firewall, id);
	if (err == -ENOENT)
		return 0;
	prog->blind = xf_program__is_blind(&program, ifname);
	if (!err)
		err = xf_leftover_look(locks, &program, true, &prog->left);
	xf_program__close(&program);
	return err == -EPROTO ? 0 : err;
}

/* Returns 0, also for a program that is not ours or has gone, or -errno when it could not be read.
 */
static int read_prog(struct xf_inventory_prog *prog, __u32 id, const char *ifname,
		     struct xf_locks *locks)
{
	struct xf_program program;
	int err = xf_program__open(&program, &xf_abi_logger, id);

	if (err && err != -EPROTO)
		return err == -ENOENT ? read_firewall(prog, id, ifname, locks) : err;
	prog->kind = XF_INVENTORY_LOGGER;
	prog->abi_version = program.abi_version;
	prog->blind = xf_program__is_blind(&program, ifname);
	prog->readable = !err && !xf_program__counters(&program, &prog->counters);
	if (!xf_program__owner(&program, &prog->owner))
		prog->owner_state = xf_owner_state(&prog->owner);
	prog->reader = xf_locks__reader(locks, id);
	/* Records in an orphan's rings are for the process that adopts it. */
	if (!err)
		err = xf_leftover_look(locks, &program, prog->owner_state == XF_OWNER_NONE,
				       &prog->left);
	xf_program__close(&program);
	return err == -EPROTO ? 0 : err;
}

static int read_iface(struct xf_inventory *inv, struct xf_locks *locks)
{
	int err = xf_chain__read(inv->ifindex, &inv->chain);

	for (unsigned int i = 0; !err && i < inv->chain.n; i++)
		err = read_prog(&inv->prog[i], inv->chain.prog[i].id, inv->ifname, locks);
	return err;
}

static int cannot_read(const struct xf_inventory *inv, int err)
{
	xf_err("cannot read what is attached to %s: %s", inv->ifname, strerror(-err));
	return err;
}

static int read_named(struct xf_inventory *invs, const struct xf_strs *names,
		      struct xf_locks *locks)
{
	struct xf_netdev netdevs[XF_STRS_MAX];
	int n = xf_cmd_find(names, netdevs);

	for (int i = 0; i < n; i++) {
		struct xf_inventory *inv = &invs[i];
		int err;

		inv->ifindex = netdevs[i].ifindex;
		memcpy(inv->ifname, netdevs[i].name, sizeof(inv->ifname));
		err = read_iface(inv, locks);
		if (err)
			return cannot_read(inv, err);
	}
	return n;
}

static int read_all(struct xf_inventory *invs, const struct if_nameindex *all,
		    struct xf_locks *locks)
{
	int n = 0, err;

	for (const struct if_nameindex *i = all; i->if_index; i++) {
		struct xf_inventory *inv = &invs[n];

		inv->ifindex = i->if_index;
		strncpy(inv->ifname, i->if_name, IF_NAMESIZE - 1);
		err = read_iface(inv, locks);
		if (!err)
			n++;
		else if (err == -ENODEV) /* it has just gone */
			memset(inv, 0, sizeof(*inv));
		else
			return cannot_read(inv, err);
	}
	return n;
}

int xf_inventory_read(struct xf_inventory **invs, const struct xf_strs *names,
		      struct xf_locks *locks)
{
	struct if_nameindex *all = names->n ? NULL : if_nameindex();
	size_t n = names->n;
	int ret;

	if (!n && !all) {
		xf_err("cannot list the interfaces: %s", strerror(errno));
		return -errno;
	}
	for (const struct if_nameindex *i = all; i && i->if_index; i++)
		n++;
	*invs = calloc(n ? n : 1, sizeof(**invs));
	if (!*invs)
		ret = -ENOMEM;
	else
		ret = all ? read_all(*invs, all, locks) : read_named(*invs, names, locks);
	if (all)
		if_freenameindex(all);
	return ret;
}
