/* SPDX-License-Identifier: GPL-2.0-only */
/* The firewall's object with a rule set behind it. */
#ifndef XF_TEST_FW_H
#define XF_TEST_FW_H

#include "firewall/table/ruleset.h"
#include "tests/prog/firewall/ref_fw.h"

struct bpf_object;

struct xf_fw {
	struct bpf_object *object;
	struct xf_ruleset *ruleset;
	int prog;
	int totals;
	int cpus;
};

/* Load the firewall's object on an empty set. Returns 0 or -errno. */
int xf_fw__open(struct xf_fw *fw, bool deny_policy);
/* The same with BPF_F_XDP_HAS_FRAGS. */
int xf_fw__open_flags(struct xf_fw *fw, bool deny_policy, uint32_t flags);
void xf_fw__close(struct xf_fw *fw);
/* For cmocka: *state becomes a struct xf_fw with a policy of allow, or of deny. */
int xf_fw_set_up(void **state);
int xf_fw_set_up_deny(void **state);
int xf_fw_tear_down(void **state);

/* The rule set as another process has it. Fails the test when it cannot be opened. */
struct xf_ruleset *xf_fw_open_again(const struct xf_fw *fw);

/* Add rules, texts up to NULL. */
void xf_fw_add_rules(struct xf_ruleset *ruleset, const char *const *rules);
/* Add a rule that has expired, on a machine of any uptime: as if it had been added right after the
 * boot, with a ttl of a second. A time counted back from now could lie before the boot and wrap
 * round. Returns what xf_ruleset__add() does. */
#define XF_FW_LONG_AGO 1
int xf_fw_add_expired(struct xf_ruleset *ruleset, const struct xf_rule *rule);

/* The verdict on a packet, or -errno. */
int xf_fw_verdict(const struct xf_fw *fw, const void *bytes, size_t len);
/* The fate of a packet: the one of the totals that went up by a packet of this length, if the
 * verdict fits. A negative number when there is no such total. */
int xf_fw_fate(const struct xf_fw *fw, const void *bytes, size_t len);

/* Run a packet so many times. Returns how often it was dropped; those that met no set count as
 * passed. No other process may run packets meanwhile. */
uint64_t xf_fw_drops(const struct xf_fw *fw, const void *bytes, size_t len, uint32_t times);

/* A rule for an IPv4 source, a UDP packet of XF_FW_PLAIN_LEN bytes from 10.1.2.@d, and its verdict.
 */
#define XF_FW_PLAIN_LEN 60
struct xf_rule xf_fw_from4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t len, bool deny);
const uint8_t *xf_fw_packet_from(uint8_t d);
int xf_fw_verdict_on(const struct xf_fw *fw, uint8_t d);
/* The only entry of the generation with this rule. */
struct xf_ruleset_rule xf_fw_entry(const struct xf_fw *fw, struct xf_rule rule);
/* How many rules the generation has, and its bytes of kernel memory. */
size_t xf_fw_rules(const struct xf_fw *fw);
uint64_t xf_fw_memory(const struct xf_fw *fw);

/* Random rules and packets that meet each other often. */
void xf_fw_random_seed(uint64_t seed);
uint32_t xf_fw_random(uint32_t below);
void xf_fw_random_rule(struct xf_rule *rule);
/* A rule that names a single prefix. */
void xf_fw_random_prefix(struct xf_rule *rule, int family);
#define XF_FW_PACKET_MAX 512
size_t xf_fw_random_packet(uint8_t bytes[XF_FW_PACKET_MAX]);

#endif
