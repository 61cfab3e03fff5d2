// SPDX-License-Identifier: GPL-2.0-only
/* Rules of a single prefix: entries of the index, the lengths that exist, and for IPv6 which
 * lengths exist where. */
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
	return rule->has == XF_RULE_SRC || rule->has == XF_RULE_DST;
}

void xf_rule_to_prefix_line(const struct xf_rule *rule, struct xf_fw_rule *line)
{
	const struct xf_prefix *prefix = rule->has == XF_RULE_SRC ? &rule->src : &rule->dst;
	bool ip6 = rule->family == 6;

	memset(line, 0, sizeof(*line));
	line->rank = xf_rule_rank(rule);
	line->addr[0] = xf_from_bytes(prefix->addr, ip6 ? 8 : 4);
	line->addr[1] = ip6 ? xf_from_bytes(prefix->addr + 8, 8) : 0;
	line->tail.kind = ip6 ? XF_FW_PREFIX6 : XF_FW_PREFIX4;
	line->tail.detail[0] = rule->has;
	line->tail.detail[1] = rule->family;
	if (ip6)
		line->tail.detail[2] = (rule->has == XF_RULE_DST) << 1 | (prefix->len > 64);
}

static unsigned int length_of(const struct xf_fw_rule *line)
{
	return line->rank >>
		   (line->tail.detail[0] == XF_RULE_DST ? XF_FW_RANK_DST : XF_FW_RANK_SRC) &
	       0xff;
}

void xf_rule_from_prefix_line(const struct xf_fw_rule *line, struct xf_rule *rule)
{
	struct xf_prefix *prefix;

	memset(rule, 0, sizeof(*rule));
	rule->deny = line->rank & XF_FW_RANK_DENY;
	rule->has = line->tail.detail[0];
	rule->family = line->tail.detail[1];
	prefix = rule->has == XF_RULE_SRC ? &rule->src : &rule->dst;
	prefix->len = length_of(line);
	xf_to_bytes(line->addr[0], prefix->addr, rule->family == 6 ? 8 : 4);
	if (rule->family == 6)
		xf_to_bytes(line->addr[1], prefix->addr + 8, 8);
}

bool xf_prefix_line_covers(const struct xf_fw_rule *line, const struct xf_addr_words *words)
{
	const uint64_t *addr =
	    words->addr[line->tail.detail[0] == XF_RULE_DST ? XF_FW_DST : XF_FW_SRC];
	unsigned int length = length_of(line);

	if (line->tail.detail[1] != words->family)
		return false;
	if (words->family == 4)
		return !((addr[0] ^ line->addr[0]) >> (32 - length));
	if (length <= 64)
		return !length || !((addr[0] ^ line->addr[0]) >> (64 - length));
	return addr[0] == line->addr[0] && !((addr[1] ^ line->addr[1]) >> (128 - length));
}

static struct place place_of(const struct xf_fw_rule *line)
{
	struct place place = {
		.dir = line->tail.detail[0] == XF_RULE_DST ? XF_FW_DST : XF_FW_SRC,
		.length = length_of(line),
		.hi = line->addr[0],
		.lo = line->addr[1],
		.level = line->tail.detail[2],
		.ip6 = line->tail.kind == XF_FW_PREFIX6,
	};

	place.b = 1ull << (place.ip6 ? -place.length & 63 : 32 - place.length);
	return place;
}

static struct xf_index_key key_of(const struct xf_region *region, const struct place *place)
{
	if (!place->ip6)
		return xf_index_key4(region->set, place->dir, place->hi, place->b);
	return xf_index_key6(region->set, place->hi, place->lo, place->b, place->level);
}

static bool everything6(const struct place *place)
{
	return place->ip6 && !place->length;
}

/* The id of the first rule of a prefix, or 0. */
static uint32_t head_of(struct xf_region *region, const struct place *place)
{
	if (everything6(place))
		return region->set->zero6[place->dir];
	return xf_index__find(region, key_of(region, place));
}

static bool same_place(const struct xf_fw_rule *a, const struct xf_fw_rule *b)
{
	return a->tail.kind == b->tail.kind && a->tail.detail[0] == b->tail.detail[0] &&
	       a->addr[0] == b->addr[0] && a->addr[1] == b->addr[1] && length_of(a) == length_of(b);
}

int xf_prefix__find(struct xf_region *region, const struct xf_rule *rule, uint32_t *id)
{
	struct xf_fw_rule want, *line;
	struct place place;

	xf_rule_to_prefix_line(rule, &want);
	place = place_of(&want);
	for (*id = head_of(region, &place); *id; *id = line->next) {
		line = xf_region__line(region, *id);
		if (!line || !same_place(line, &want))
			return -EAGAIN;
		if (line->rank == want.rank)
			return 0;
	}
	return -ENOENT;
}

static __u64 *lengths(struct xf_region *region, const struct place *place)
{
	if (!place->ip6)
		return &region->set->lengths4[place->dir];
	return &region->set->lengths6[place->dir][place->level & 1];
}

static uint32_t *length_count(struct xf_region *region, const struct place *place)
{
	struct xf_fw_keep *keep = &region->set->keep;

	return place->ip6 ? &keep->lengths6_n[place->dir][place->length]
			  : &keep->lengths4_n[place->dir][place->length];
}

/* Say of all addresses in the prefix that it may cover them. */
static void set_near(struct xf_region *region, const struct place *place)
{
	struct xf_fw_set *set = region->set;
	uint32_t first = place->hi >> 24, n = place->length < 8 ? 256 >> place->length : 1;
	__u64 *near = set->near4[place->dir];

	if (place->ip6) {
		near = set->near6[place->dir][place->level & 1];
		first = place->length < 32 ? 0 : xf_fw_near6(place->hi);
		n = place->length < 32 ? 256 : 1;
	}
	for (; n--; first++)
		xf_publish(&near[first], near[first] | place->b);
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
		set_near(region, place);
	if (!place->ip6)
		region->set->keep.count4[place->dir] += change;
}

static bool has_bucket(const struct place *place)
{
	return place->ip6 && place->length > 32;
}

/* A prefix is in the bucket of its /32, and a long one in that of its /64 too; level says which. */
static uint32_t level_of_32(const struct place *place)
{
	return place->level & 2;
}

static uint64_t around(const struct place *place, uint32_t level)
{
	return level & 1 ? place->hi : place->hi & ~0xffffffffull;
}

static struct xf_index_key bucket_key(const struct xf_region *region, const struct place *place,
				      uint32_t level)
{
	return xf_index_key6(region->set, around(place, level), 0, 0, level);
}

/* Longer than what the bucket has the lengths of. */
static bool is_longer(const struct place *place, uint32_t level)
{
	return (place->level ^ level) & 1;
}

static void count_in(struct xf_fw_bucket *bucket, const struct place *place)
{
	bucket->rules++;
	if (is_longer(place, bucket->level))
		xf_publish(&bucket->longer, bucket->longer + 1);
	else
		xf_publish(&bucket->lengths, bucket->lengths | place->b);
}

/* Beside the only prefix that was there. */
static int join(struct xf_region *region, const struct place *place, uint32_t level,
		const struct xf_fw_rule *only)
{
	struct place other = place_of(only);
	struct xf_fw_bucket *bucket;
	uint32_t id;
	int err;

	if (other.dir != place->dir || around(&other, level) != around(place, level))
		return -EAGAIN;
	err = xf_region__alloc(region, &id);
	if (err)
		return err;
	bucket = xf_region__line(region, id);
	*bucket = (struct xf_fw_bucket) { .addr = around(place, level),
					  .level = level,
					  .tail.kind = XF_FW_BUCKET };
	count_in(bucket, &other);
	count_in(bucket, place);
	xf_index__set(region, bucket_key(region, place, level), id);
	return 0;
}

static int enter_bucket(struct xf_region *region, const struct place *place, uint32_t level,
			uint32_t id)
{
	struct xf_index_key key = bucket_key(region, place, level);
	struct xf_fw_bucket *bucket;
	uint32_t found;

	/* One entry could be taken for the other. */
	if (key.tag == key_of(region, place).tag)
		return -EAGAIN;
	found = xf_index__find(region, key);
	if (!found)
		return xf_index__insert(region, key, id);
	bucket = xf_region__line(region, found);
	if (!bucket)
		return -EAGAIN;
	if (bucket->tail.kind == XF_FW_PREFIX6)
		return join(region, place, level, (struct xf_fw_rule *)bucket);
	if (bucket->tail.kind != XF_FW_BUCKET || bucket->addr != around(place, level) ||
	    bucket->level != level)
		return -EAGAIN;
	count_in(bucket, place);
	return 0;
}

/* Lengths stay in a bucket until it is empty: whether one is still needed nobody counts. */
static void leave_bucket(struct xf_region *region, const struct place *place, uint32_t level,
			 uint32_t id)
{
	struct xf_index_key key = bucket_key(region, place, level);
	uint32_t found = xf_index__find(region, key);
	struct xf_fw_bucket *bucket = xf_region__line(region, found);

	if (found == id) {
		xf_index__remove(region, key);
		return;
	}
	if (!bucket || bucket->tail.kind != XF_FW_BUCKET)
		return;
	if (is_longer(place, level))
		xf_publish(&bucket->longer, bucket->longer - 1);
	if (--bucket->rules)
		return;
	xf_index__remove(region, key);
	xf_region__free(region, found);
}

static void leave_buckets(struct xf_region *region, const struct place *place, uint32_t id)
{
	if (!has_bucket(place))
		return;
	leave_bucket(region, place, level_of_32(place), id);
	if (place->level & 1)
		leave_bucket(region, place, place->level, id);
}

static int enter_buckets(struct xf_region *region, const struct place *place, uint32_t id)
{
	int err = 0;

	if (!has_bucket(place))
		return 0;
	/* The index tells by the tag which of a rule's entries one is. */
	if ((place->level & 1) && bucket_key(region, place, place->level).tag ==
				      bucket_key(region, place, level_of_32(place)).tag)
		return -EAGAIN;
	if (place->level & 1)
		err = enter_bucket(region, place, place->level, id);
	if (err)
		return err;
	err = enter_bucket(region, place, level_of_32(place), id);
	if (err && (place->level & 1))
		leave_bucket(region, place, place->level, id);
	return err;
}

/* Where a bucket would be. */
static void replace_in_bucket(struct xf_region *region, const struct place *place, uint32_t level,
			      uint32_t old, uint32_t id)
{
	struct xf_index_key key = bucket_key(region, place, level);

	if (xf_index__find(region, key) == old)
		xf_index__set(region, key, id);
}

/* Make id the first rule of a prefix that has one already. */
static void set_head(struct xf_region *region, const struct place *place, uint32_t old, uint32_t id)
{
	if (everything6(place))
		xf_publish(&region->set->zero6[place->dir], id);
	else
		xf_index__set(region, key_of(region, place), id);
	if (has_bucket(place)) {
		replace_in_bucket(region, place, place->level, old, id);
		replace_in_bucket(region, place, level_of_32(place), old, id);
	}
	if (!place->ip6)
		xf_directory__replace(region, place->dir, place->hi, place->length, old, id);
}

/* The first rule of a prefix. */
static int insert_head(struct xf_region *region, const struct place *place, uint32_t id)
{
	int err;

	if (everything6(place)) {
		xf_publish(&region->set->zero6[place->dir], id);
		count_length(region, place, 1);
		return 0;
	}
	err = enter_buckets(region, place, id);
	if (err)
		return err;
	err = xf_index__insert(region, key_of(region, place), id);
	if (err) {
		leave_buckets(region, place, id);
		return err;
	}
	count_length(region, place, 1);
	if (!place->ip6)
		xf_directory__insert(region, place->dir, place->hi, place->length, id);
	return 0;
}

/* Beside another rule of the same prefix: deny comes first. */
static void insert_beside(struct xf_region *region, const struct place *place, uint32_t head,
			  struct xf_fw_rule *line, uint32_t id)
{
	struct xf_fw_rule *first = xf_region__line(region, head);

	if (line->rank < first->rank) {
		xf_publish(&first->next, id);
		return;
	}
	line->next = head;
	set_head(region, place, head, id);
}

int xf_prefix__insert(struct xf_region *region, const struct xf_rule *rule, uint32_t *id)
{
	struct xf_fw_rule *line;
	struct place place;
	uint32_t head;
	int err = xf_region__alloc(region, id);

	if (err)
		return err;
	line = xf_region__line(region, *id);
	xf_rule_to_prefix_line(rule, line);
	place = place_of(line);
	head = head_of(region, &place);
	if (head)
		insert_beside(region, &place, head, line, *id);
	else
		err = insert_head(region, &place, *id);
	if (err)
		xf_region__free(region, *id);
	return err;
}

static void remove_head(struct xf_region *region, const struct place *place, uint32_t id)
{
	if (everything6(place)) {
		xf_publish(&region->set->zero6[place->dir], 0);
		count_length(region, place, -1);
		return;
	}
	xf_index__remove(region, key_of(region, place));
	count_length(region, place, -1);
	leave_buckets(region, place, id);
	if (!place->ip6)
		xf_directory__remove(region, place->dir, place->hi, place->length, id);
}

void xf_prefix__remove(struct xf_region *region, uint32_t id)
{
	struct xf_fw_rule *line = xf_region__line(region, id), *first;
	struct place place = place_of(line);
	uint32_t head = head_of(region, &place);

	first = xf_region__line(region, head);
	if (head != id) {
		if (first)
			xf_publish(&first->next, line->next);
	} else if (line->next) {
		set_head(region, &place, id, line->next);
	} else {
		remove_head(region, &place, id);
	}
	xf_region__free(region, id);
}
