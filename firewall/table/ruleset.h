/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule set in the maps that the program at the hook reads. It lives in arrays that are mapped
 * into memory, so that a change is a few stores and needs no copy of the rest. One writer at a
 * time: the caller holds a lock. Every change holds at once for the next packet, and in between
 * each packet meets either the old or the new verdict. */
#ifndef XF_RULESET_H
#define XF_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firewall/rule/rule.h"

struct xf_fw_root;
struct xf_ruleset;

/* The maps that the program and this share, by the names that they have in the object. */
struct xf_ruleset_map {
	const char *name;
	int fd;
};

/* Make an empty rule set. Returns 0 or -errno. */
int xf_ruleset__create(struct xf_ruleset **ruleset, bool deny_policy);
/* Open one again by the maps that xf_ruleset__maps() listed, in any order (the descriptors are
 * duplicated). -EPROTO: maps of another version or other maps. */
int xf_ruleset__open(struct xf_ruleset **ruleset, const struct xf_ruleset_map *maps, size_t count);
void xf_ruleset__close(struct xf_ruleset *ruleset);
/* To be pinned, and to be given to the object before it is loaded (bpf_map__reuse_fd). */
size_t xf_ruleset__maps(const struct xf_ruleset *ruleset, const struct xf_ruleset_map **maps);

/* After -ENOSPC, -E2BIG or the like: the limit that was met, one line of text. */
const char *xf_ruleset__why(const struct xf_ruleset *ruleset);

/* now is CLOCK_BOOTTIME in ns everywhere.
 * Add: 0; -EEXIST (the rule is there, and now has the longer one of both times); -E2BIG (too many
 * tuple spaces, tuples or rules; nothing changed); -ENOMEM. */
int xf_ruleset__add(struct xf_ruleset *ruleset, const struct xf_rule *rule, uint64_t now);
/* 0 or -ENOENT. */
int xf_ruleset__del(struct xf_ruleset *ruleset, const struct xf_rule *rule, uint64_t now);
/* All rules go but those that protect, and the policy stays. */
int xf_ruleset__flush(struct xf_ruleset *ruleset);
/* Takes out rules that have expired, which packets do not meet any more, and returns how many. Add
 * and del do some of it along the way; a long-lived writer calls it now and then. */
size_t xf_ruleset__expire(struct xf_ruleset *ruleset, uint64_t now);

/* Replace all rules at once, but those that protect. The new generation is built beside the old
 * one, which holds until commit. */
struct xf_build;
int xf_build__begin(struct xf_build **build, struct xf_ruleset *ruleset, size_t expected_rules);
int xf_build__add(struct xf_build *build, const struct xf_rule *rule, uint64_t now);
int xf_build__commit(struct xf_build *build); /* also frees it */
/* The same on trial: until the deadline only. -EBUSY: a trial is running. */
int xf_build__try(struct xf_build *build, uint64_t deadline);
void xf_build__abort(struct xf_build *build);

bool xf_ruleset__denies(const struct xf_ruleset *ruleset);
int xf_ruleset__set_policy(struct xf_ruleset *ruleset, bool deny);

/* A trial: the policy @deny and later changes hold until the deadline only; then the program itself
 * goes back to the state before, without a process. -EBUSY: one is running. */
int xf_ruleset__try(struct xf_ruleset *ruleset, bool deny, uint64_t deadline);
/* The same for a rule set that no program obeys yet, or that is on hold: before it there was no
 * firewall, so after the deadline every packet passes, while rules and policy stay, on hold. */
int xf_ruleset__try_first(struct xf_ruleset *ruleset, uint64_t deadline);
/* Whether the rule set is on hold: a first trial ended without being confirmed. */
bool xf_ruleset__held(const struct xf_ruleset *ruleset, uint64_t now);
/* The same for a root that was read without its tables. */
bool xf_ruleset_root_held(const struct xf_fw_root *root, uint64_t now);
/* Put the rule set on hold. Returns as xf_ruleset__try_first() does. */
int xf_ruleset__hold(struct xf_ruleset *ruleset);
/* Release a rule set that is on hold: its rules apply, for good. */
void xf_ruleset__resume(struct xf_ruleset *ruleset);
/* Put off the deadline of the trial that was begun, also when it has just passed: attaching may
 * take longer than the trial. */
void xf_ruleset__put_off(struct xf_ruleset *ruleset, uint64_t deadline);
/* End it now, as its deadline would. */
void xf_ruleset__end_trial(struct xf_ruleset *ruleset);
/* Make it permanent. -ENOENT: none is running; -ETIME: it is over, the old rules hold. */
int xf_ruleset__confirm(struct xf_ruleset *ruleset, uint64_t now);
/* When the deadline of a running trial is, or 0. */
uint64_t xf_ruleset__trial(const struct xf_ruleset *ruleset, uint64_t now);

/* Rules that have not expired. */
struct xf_ruleset_rule {
	struct xf_rule rule; /* ttl: the rest of it, seconds, at least 1 */
	uint32_t gen, id;    /* name it in drop records, while it exists */
	uint64_t packets, bytes;
};
/* In no order. The callback's non-zero ends it and is returned. */
int xf_ruleset__each(struct xf_ruleset *ruleset, uint64_t now,
		     int (*fn)(void *arg, const struct xf_ruleset_rule *rule), void *arg);
/* Only rules that may match packets with these addresses (IPv4 in the first four bytes): of the
 * rules that name a single prefix and nothing else the ones that cover an address. */
int xf_ruleset__each_about(struct xf_ruleset *ruleset, uint64_t now, uint8_t family,
			   const uint8_t src[16], const uint8_t dst[16],
			   int (*fn)(void *arg, const struct xf_ruleset_rule *rule), void *arg);
/* The rest of a rule's ttl, in seconds, or 0: it holds for ever. Returns 0, -ENOENT or another
 * -errno. */
int xf_ruleset__ttl(struct xf_ruleset *ruleset, const struct xf_rule *rule, uint64_t now,
		    uint32_t *ttl);
/* The rule that a drop record's generation and id named at that time, without a ttl, or -ENOENT
 * when it is gone, or all rules were replaced since. No lock is needed, and it is cheap. A rule
 * that was added later may have the id of one that was taken out. */
int xf_ruleset__by_id(struct xf_ruleset *ruleset, uint32_t gen, uint32_t id, uint64_t now,
		      struct xf_rule *rule);

struct xf_ruleset_stats {
	uint64_t rules,
	    prefixes; /* all, and of them those that name a single prefix and nothing else */
	uint64_t spaces, spaces_max;
	uint64_t rules_max;
	uint64_t memory; /* bytes of kernel memory of all maps */
	/* packets and bytes since the rule set was made, over all its interfaces, each counted in
	 * one */
	struct {
		uint64_t packets, bytes;
	} allowed, denied,		   /* by a rule */
	    policy_allowed, policy_denied, /* by the policy */
	    exempt; /* passed under deny: ARP, neighbour discovery, own connections ... */
};
int xf_ruleset__stats(struct xf_ruleset *ruleset, uint64_t now, struct xf_ruleset_stats *stats);

#endif
