/* SPDX-License-Identifier: GPL-2.0-only */
/* The inventory of XDP programs on interfaces, with details of our own. Used by status and unload.
 */
#ifndef XF_INVENTORY_H
#define XF_INVENTORY_H

#include <net/if.h>
#include <stdbool.h>
#include <sys/types.h>

#include "loader/hook/chain.h"
#include "loader/firewall/pins.h"
#include "lib/opt.h"
#include "loader/hook/lock.h"
#include "loader/hook/owner.h"
#include "loader/log/leftover.h"

enum xf_inventory_kind {
	XF_INVENTORY_FOREIGN,
	XF_INVENTORY_LOGGER,
	XF_INVENTORY_FIREWALL,
};

struct xf_inventory_prog {
	enum xf_inventory_kind kind;
	__u32 abi_version;
	/* Of a firewall: the set that it obeys. Empty when that is not pinned, as after a load by
	 * another program. */
	char set[XF_FW_NAME_MAX + 1];
	bool held;		 /* the set is on hold */
	bool blind;		 /* of another kind than the interface: reads nothing */
	struct xf_leftover left; /* by a reader that died */
	/* Of a logger. */
	bool readable; /* of our ABI, so that counters is set */
	struct xf_owner owner;
	enum xf_owner_state owner_state;
	pid_t reader; /* 0: none; -1: one whose pid cannot be known */
	struct xf_counters counters;
};

/* One interface. */
struct xf_inventory {
	char ifname[IF_NAMESIZE];
	unsigned int ifindex;
	struct xf_chain chain;
	struct xf_inventory_prog prog[XF_CHAIN_MAX]; /* as chain.prog */
};

/* Read the inventories of the named interfaces, or of all without names. Returns their number, or
 * -errno after a message; the caller frees *@invs in both cases. */
int xf_inventory_read(struct xf_inventory **invs, const struct xf_strs *names,
		      struct xf_locks *locks);

#endif
