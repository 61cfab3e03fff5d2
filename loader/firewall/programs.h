/* SPDX-License-Identifier: GPL-2.0-only */
/* The firewall's programs, and which rule set each of them obeys. */
#ifndef XF_FW_PROGRAMS_H
#define XF_FW_PROGRAMS_H

#include <linux/types.h>
#include <net/if.h>
#include <stdbool.h>

#include "loader/hook/chain.h"
#include "loader/firewall/pins.h"
#include "lib/opt.h"

struct xf_fw_prog {
	__u32 abi_version;
	__u32 root_id; /* of the map that all programs of its set have in common */
	bool held;     /* the set is on hold: a first trial was not confirmed */
};

/* Returns 0, -ENOENT when there is no program of this id or it is not the firewall's, or another
 * -errno. */
int xf_fw_prog__read(struct xf_fw_prog *prog, __u32 prog_id);

/* Where a program of a set is attached. */
struct xf_fw_place {
	char ifname[IF_NAMESIZE];
	unsigned int ifindex;
	__u32 prog_id;
	enum xf_mode mode;
};

/* Find the places on the named interfaces, or with no names on all of this network namespace.
 * Returns their number, with *@places to be freed by the caller, or -errno after a message. */
int xf_fw_places(struct xf_fw_place **places, const struct xf_strs *names, __u32 root_id);

/* Say which of the named interfaces are not among the places of the set. Returns how many. */
int xf_fw_count_absent(const struct xf_strs *names, const char *set,
		       const struct xf_fw_place *places, int n);
/* The place on this interface, or NULL. */
const struct xf_fw_place *xf_fw_place_on(const char *ifname, const struct xf_fw_place *places,
					 int n);

/* How many loaded programs obey the set, in all network namespaces, or -errno after a message. The
 * ones at @except do not count: libxdp may hold on to a program in this process that it has
 * detached. */
int xf_fw_users(const char *set, __u32 root_id, const struct xf_fw_place *except, int except_n);

/* The set to which this map belongs. Returns false when it is none that is pinned. */
bool xf_fw_named_set_of(__u32 root_id, char name[XF_FW_NAME_MAX + 1]);

#endif
