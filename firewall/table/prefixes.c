// SPDX-License-Identifier: GPL-2.0-only
/* Rules of a single prefix: their references in the index, the lengths that exist, and for IPv6 the
 * lengths that exist in each /32 and /64. */
#include <errno.h>
#include <string.h>

#include "firewall/table/directory.h"
#include "firewall/table/prefixes.h"
#include "firewall/table/words.h"
#include "xdp-prog/fw_hash.h"

/* A prefix as the index knows it. */
struct place {
	enum xf_fw_dir dir;
	unsigned int length;
	uint64_t hi, lo; /* IPv4 in hi */
	uint64_t b;
	uint32_t level; /* IPv6 */
	bool ip6;
};

bool xf_is_single_prefix(const struct xf_rule *rule)
{
	return !rule->protect && (rule->has == XF_RULE_SRC || rule->has == XF_RULE_DST);
}

void xf_rule_to_prefix_entry(const struct xf_rule *rule, struct xf_fw_rule *entry)
{
	const struct xf_prefix *prefix = rule->has == XF_RULE_SRC ? &rule->src : &rule->dst;
	bool ip6 = rule->family == 6;

	memset(entry, 0, sizeof(*entry));
	entry->rank = xf_rule_rank(rule);
	entry->addr[0] = xf_from_bytes(prefix->addr, ip6 ? 8 : 4);
	entry->addr[1] = ip6 ? xf_from_bytes(prefix->addr + 8, 8) : 0;
	entry->tail.kind = ip6 ? XF_FW_PREFIX6 : XF_FW_PREFIX4;
	entry->tail.detail[0] = rule->has;
	entry->tail.detail[1] = rule->family;
	if (ip6)
		entry->tail.detail[2] = (rule->has == XF_RULE_DST) << 1 | (prefix->len > 64);
}

static unsigned int length_of(const struct xf_fw_rule *entry)
{
	return entry->rank >>
		   (entry->tail.detail[0] == XF_RULE_DST ? XF_FW_RANK_DST : XF_FW_RANK_SRC) &
	       0xff;
}

void xf_rule_from_prefix_entry(const struct xf_fw_rule *entry, struct xf_rule *rule)
{
	struct xf_prefix *prefix;

	memset(rule, 0, sizeof(*rule));
	rule->deny = entry->rank & XF_FW_RANK_DENY;
	rule->has = entry->tail.detail[0];
	rule->family = entry->tail.detail[1];
	prefix = rule->has == XF_RULE_SRC ? &rule->src : &rule->dst;
	prefix->len = length_of(entry);
	xf_to_bytes(entry->addr[0], prefix->addr, rule->family == 6 ? 8 : 4);
	if (rule->family == 6)
		xf_to_bytes(entry->addr[1], prefix->addr + 8, 8);
}

bool xf_prefix_entry_covers(const struct xf_fw_rule *entry, const struct xf_addr_words *words)
{
	const uint64_t *addr =
	    words->addr[entry->tail.detail[0] == XF_RULE_DST ? XF_FW_DST : XF_FW_SRC];
	unsigned int length = length_of(entry);

	if (entry->tail.detail[1] != words->family)
		return false;
	if (words->family == 4)
		return !((addr[0] ^ entry->addr[0]) >> (32 - length));
	if (length <= 64)
		return !length || !((addr[0] ^ entry->addr[0]) >> (64 - length));
	return addr[0] == entry->addr[0] && !((addr[1] ^ entry->addr[1]) >> (128 - length));
}

static struct place place_of(const struct xf_fw_rule *entry)
{
	struct place place = {
		.dir = entry->tail.detail[0] == XF_RULE_DST ? XF_FW_DST : XF_FW_SRC,
		.length = length_of(entry),
		.hi = entry->addr[0],
		.lo = entry->addr[1],
		.level = entry->tail.detail[2],
		.ip6 = entry->tail.kind == XF_FW_PREFIX6,
	};

	place.b = 1ull << (place.ip6 ? -place.length & 63 : 32 - place.length);
	return place;
}

static struct xf_index_key key_of(const struct xf_region *region, const struct place *place)
{
	if (!place->ip6)
		return xf_index_key4(region->gen, place->dir, place->hi, place->b);
	return xf_index_key6(region->gen, place->hi, place->lo, place->b, place->level);
}

static bool everything6(const struct place *place)
{
	return place->ip6 && !place->length;
}

/* The id of the first rule of a prefix, or 0. */
static uint32_t head_of(struct xf_region *region, const struct place *place)
{
	if (everything6(place))
		return region->gen->zero6[place->dir];
	return xf_index__find(region, key_of(region, place));
}

static bool same_place(const struct xf_fw_rule *a, const struct xf_fw_rule *b)
{
	return a->tail.kind == b->tail.kind && a->tail.detail[0] == b->tail.detail[0] &&
	       a->addr[0] == b->addr[0] && a->addr[1] == b->addr[1] && length_of(a) == length_of(b);
}

int xf_prefix__find(struct xf_region *region, const struct xf_rule *rule, uint32_t *id)
{
	struct xf_fw_rule want, *entry;
	struct place place;

	xf_rule_to_prefix_entry(rule, &want);
	place = place_of(&want);
	for (*id = head_of(region, &place); *id; *id = entry->next) {
		entry = xf_region__entry(region, *id);
		if (!entry || !same_place(entry, &want))
			return -EAGAIN;
		if (entry->rank == want.rank)
			return 0;
	}
	return -ENOENT;
}

static __u64 *lengths(struct xf_region *region, const struct place *place)
{
	if (!place->ip6)
		return &region->gen->lengths4[place->dir];
	return &region->gen->lengths6[place->dir][place->level & 1];
}

static uint32_t *length_count(struct xf_region *region, const struct place *place)
{
	struct xf_fw_writer *writer = &region->gen->writer;

	return place->ip6 ? &writer->lengths6_n[place->dir][place->length]
			  : &writer->lengths4_n[place->dir][place->length];
}

/* Note in lengths4_at or lengths6_at that the prefix may cover the addresses in it. */
static void set_lengths_at(struct xf_region *region, const struct place *place)
{
	struct xf_fw_generation *gen = region->gen;
	uint32_t first = place->hi >> 24, n = place->length < 8 ? 256 >> place->length : 1;
	__u64 *lengths_at = gen->lengths4_at[place->dir];

	if (place->ip6) {
		lengths_at = gen->lengths6_at[place->dir][place->level & 1];
		first = place->length < 32 ? 0 : xf_fw_hash_first32(place->hi);
		n = place->length < 32 ? 256 : 1;
	}
	for (; n--; first++)
		xf_publish(&lengths_at[first], lengths_at[first] | place->b);
}

static void count_length(struct xf_region *region, const struct place *place, int change)
{
	uint32_t *count = length_count(region, place);

	*count += change;
	if (everything6(place))
		return;
	if (*count)
		xf_publish(lengths(region, place), *lengths(region, place) | place->b);
	else
		xf_publish(lengths(region, place), *lengths(region, place) & ~place->b);
	if (change > 0)
		set_lengths_at(region, place);
	if (!place->ip6)
		region->gen->writer.count4[place->dir] += change;
}

static bool has_lengths6(const struct place *place)
{
	return place->ip6 && place->length > 32;
}

/* The xf_fw_lengths6 of its /32 knows of a prefix, and for a long one that of its /64 too; level
 * tells them apart. */
static uint32_t level_of_32(const struct place *place)
{
	return place->level & 2;
}

static uint64_t around(const struct place *place, uint32_t level)
{
	return level & 1 ? place->hi : place->hi & ~0xffffffffull;
}

static struct xf_index_key lengths6_key(const struct xf_region *region, const struct place *place,
					uint32_t level)
{
	return xf_index_key6(region->gen, around(place, level), 0, 0, level);
}

/* Whether the prefix is too long for the lengths of this level. */
static bool is_longer(const struct place *place, uint32_t level)
{
	return (place->level ^ level) & 1;
}

static void count_in(struct xf_fw_lengths6 *inner, const struct place *place)
{
	inner->rules++;
	if (is_longer(place, inner->level))
		xf_publish(&inner->longer, inner->longer + 1);
	else
		xf_publish(&inner->lengths, inner->lengths | place->b);
}

/* Make an xf_fw_lengths6 for this prefix and the only one that was there. */
static int join(struct xf_region *region, const struct place *place, uint32_t level,
		const struct xf_fw_rule *only)
{
	struct place other = place_of(only);
	struct xf_fw_lengths6 *inner;
	uint32_t id;
	int err;

	if (other.dir != place->dir || around(&other, level) != around(place, level))
		return -EAGAIN;
	err = xf_region__alloc(region, &id);
	if (err)
		return err;
	inner = xf_region__entry(region, id);
	*inner = (struct xf_fw_lengths6) { .addr = around(place, level),
					   .level = level,
					   .tail.kind = XF_FW_LENGTHS6 };
	count_in(inner, &other);
	count_in(inner, place);
	xf_index__set(region, lengths6_key(region, place, level), id);
	return 0;
}

static int enter_lengths6(struct xf_region *region, const struct place *place, uint32_t level,
			  uint32_t id)
{
	struct xf_index_key key = lengths6_key(region, place, level);
	struct xf_fw_lengths6 *inner;
	uint32_t found;

	/* One reference could be taken for the other. */
	if (key.tag == key_of(region, place).tag)
		return -EAGAIN;
	found = xf_index__find(region, key);
	if (!found)
		return xf_index__insert(region, key, id);
	inner = xf_region__entry(region, found);
	if (!inner)
		return -EAGAIN;
	if (inner->tail.kind == XF_FW_PREFIX6)
		return join(region, place, level, (struct xf_fw_rule *)inner);
	if (inner->tail.kind != XF_FW_LENGTHS6 || inner->addr != around(place, level) ||
	    inner->level != level)
		return -EAGAIN;
	count_in(inner, place);
	return 0;
}

/* Lengths stay until the last rule inside goes: they are not counted one by one. */
static void leave_lengths6(struct xf_region *region, const struct place *place, uint32_t level,
			   uint32_t id)
{
	struct xf_index_key key = lengths6_key(region, place, level);
	uint32_t found = xf_index__find(region, key);
	struct xf_fw_lengths6 *inner = xf_region__entry(region, found);

	if (found == id) {
		xf_index__remove(region, key);
		return;
	}
	if (!inner || inner->tail.kind != XF_FW_LENGTHS6)
		return;
	if (is_longer(place, level))
		xf_publish(&inner->longer, inner->longer - 1);
	if (--inner->rules)
		return;
	xf_index__remove(region, key);
	xf_region__free(region, found);
}

static void leave_lengths6s(struct xf_region *region, const struct place *place, uint32_t id)
{
	if (!has_lengths6(place))
		return;
	leave_lengths6(region, place, level_of_32(place), id);
	if (place->level & 1)
		leave_lengths6(region, place, place->level, id);
}

static int enter_lengths6s(struct xf_region *region, const struct place *place, uint32_t id)
{
	int err = 0;

	if (!has_lengths6(place))
		return 0;
	/* The index tells a rule's references apart by their tags. */
	if ((place->level & 1) && lengths6_key(region, place, place->level).tag ==
				      lengths6_key(region, place, level_of_32(place)).tag)
		return -EAGAIN;
	if (place->level & 1)
		err = enter_lengths6(region, place, place->level, id);
	if (err)
		return err;
	err = enter_lengths6(region, place, level_of_32(place), id);
	if (err && (place->level & 1))
		leave_lengths6(region, place, place->level, id);
	return err;
}

/* Where the only prefix of a /32 or /64 stands in the place of an xf_fw_lengths6. */
static void replace_in_lengths6(struct xf_region *region, const struct place *place, uint32_t level,
				uint32_t old, uint32_t id)
{
	struct xf_index_key key = lengths6_key(region, place, level);

	if (xf_index__find(region, key) == old)
		xf_index__set(region, key, id);
}

/* Make id the first rule of a prefix that has one already. */
static void set_head(struct xf_region *region, const struct place *place, uint32_t old, uint32_t id)
{
	if (everything6(place))
		xf_publish(&region->gen->zero6[place->dir], id);
	else
		xf_index__set(region, key_of(region, place), id);
	if (has_lengths6(place)) {
		replace_in_lengths6(region, place, place->level, old, id);
		replace_in_lengths6(region, place, level_of_32(place), old, id);
	}
	if (!place->ip6)
		xf_directory__replace(region, place->dir, place->hi, place->length, old, id);
}

/* The first rule of a prefix. */
static int insert_head(struct xf_region *region, const struct place *place, uint32_t id)
{
	int err;

	if (everything6(place)) {
		xf_publish(&region->gen->zero6[place->dir], id);
		count_length(region, place, 1);
		return 0;
	}
	err = enter_lengths6s(region, place, id);
	if (err)
		return err;
	err = xf_index__insert(region, key_of(region, place), id);
	if (err) {
		leave_lengths6s(region, place, id);
		return err;
	}
	count_length(region, place, 1);
	if (!place->ip6)
		xf_directory__insert(region, place->dir, place->hi, place->length, id);
	return 0;
}

/* Beside another rule of the same prefix: deny comes first. */
static void insert_beside(struct xf_region *region, const struct place *place, uint32_t head,
			  struct xf_fw_rule *entry, uint32_t id)
{
	struct xf_fw_rule *first = xf_region__entry(region, head);

	if (entry->rank < first->rank) {
		xf_publish(&first->next, id);
		return;
	}
	entry->next = head;
	set_head(region, place, head, id);
}

int xf_prefix__insert(struct xf_region *region, const struct xf_rule *rule, uint32_t *id)
{
	struct xf_fw_rule *entry;
	struct place place;
	uint32_t head;
	int err = xf_region__alloc(region, id);

	if (err)
		return err;
	entry = xf_region__entry(region, *id);
	xf_rule_to_prefix_entry(rule, entry);
	place = place_of(entry);
	head = head_of(region, &place);
	if (head)
		insert_beside(region, &place, head, entry, *id);
	else
		err = insert_head(region, &place, *id);
	if (err)
		xf_region__free(region, *id);
	return err;
}

static void remove_head(struct xf_region *region, const struct place *place, uint32_t id)
{
	if (everything6(place)) {
		xf_publish(&region->gen->zero6[place->dir], 0);
		count_length(region, place, -1);
		return;
	}
	xf_index__remove(region, key_of(region, place));
	count_length(region, place, -1);
	leave_lengths6s(region, place, id);
	if (!place->ip6)
		xf_directory__remove(region, place->dir, place->hi, place->length, id);
}

void xf_prefix__remove(struct xf_region *region, uint32_t id)
{
	struct xf_fw_rule *entry = xf_region__entry(region, id), *first;
	struct place place = place_of(entry);
	uint32_t head = head_of(region, &place);

	first = xf_region__entry(region, head);
	if (head != id) {
		if (first)
			xf_publish(&first->next, entry->next);
	} else if (entry->next) {
		set_head(region, &place, id, entry->next);
	} else {
		remove_head(region, &place, id);
	}
	xf_region__free(region, id);
}
