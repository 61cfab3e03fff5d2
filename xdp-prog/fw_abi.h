/* SPDX-License-Identifier: GPL-2.0-only */
/* The contract between the firewall at the XDP hook and user space: the maps of a rule set and
 * their contents. A change of a layout or a meaning here must raise XF_FW_ABI_VERSION.
 *
 * User space maps the maps into its memory and changes them while packets read them. So each change
 * takes effect by one aligned store, and the program trusts no number that it finds: a wrong one
 * costs a wrong verdict, never a fault. */
#ifndef XF_FW_ABI_H
#define XF_FW_ABI_H

#include <linux/types.h>

#include "abi.h"

#define XF_FW_PROG_NAME "xdpfun_fw"

/* As XF_ABI_MAP is for the logger. */
#define XF_FW_ABI_MAP ".rodata.xf_fw"
#define XF_FW_ABI_MAGIC 0x77667866u /* "fxfw" in little-endian memory */
#define XF_FW_ABI_VERSION 9u

/* The maps of a rule set. Programs that share them obey the same rules. */
#define XF_FW_ROOT_MAP "xf_fw_root" /* ARRAY of one xf_fw_root, mappable */
#define XF_FW_GENERATIONS_MAP                                                                      \
	"xf_fw_sets"			/* ARRAY of XF_FW_GENERATIONS xf_fw_generation, mappable */
#define XF_FW_TABLES_MAP "xf_fw_tables" /* ARRAY_OF_MAPS: arrays of xf_fw_entry, mappable */
#define XF_FW_COUNTS_MAP "xf_fw_counts" /* PERCPU_ARRAY of one xf_fw_counts */

#define XF_FW_GENERATIONS 8
#define XF_FW_REGIONS                                                                              \
	4 /* generations with tables of their own; a trial of a policy shares the tables */

/* Slots of XF_FW_TABLES_MAP: those of a region follow each other. */
#define XF_FW_CHUNKS 256     /* of entries that ids name */
#define XF_FW_SLOT_INDEX 256 /* two: the next larger one is built beside the other */
#define XF_FW_SLOT_DIR 258   /* two as well, for each enum xf_fw_dir */
#define XF_FW_REGION_SLOTS 512
#define XF_FW_SLOTS (XF_FW_REGIONS * XF_FW_REGION_SLOTS)
/* No region has a table in its last slot. That of the last region has the map whose change waits
 * for a grace period. */
#define XF_FW_REGION_TABLES (XF_FW_REGION_SLOTS - 1)
#define XF_FW_SLOT_GRACE (XF_FW_SLOTS - 1)

/* The generation that holds. All zero (something else than xdpfun-load loaded the program): none,
 * every packet passes. */
struct xf_fw_root {
	__u32 magic;
	__u32 version;
	__u64 state; /* XF_FW_STATE() */
	__u64 reserved;
	/* User space only: the change under way, which also stands here after its writer died; and
	 * how many tables were ever made or dropped, by which other processes see that the tables
	 * that they mapped may be out of date. */
	__u32 writing;
	__u32 tables;
	/* User space only: id of the table in each slot, or 0. Where a writer died the slot may not
	 * have the table whose id is here. */
	__u32 table[XF_FW_SLOTS];
};

/* The generation that holds, and the one that holds once the deadline of a trial is over;
 * XF_FW_NO_GENERATION is that no packet meets a generation. One word, so that no packet takes a
 * generation from one state and a deadline from another. The deadline is CLOCK_BOOTTIME in ns,
 * without its lowest byte; 0: no trial runs. */
#define XF_FW_NO_GENERATION 15
#define XF_FW_STATE(deadline, fallback, gen) ((__u64)(deadline) | (fallback) << 4 | (gen))
#define XF_FW_STATE_GENERATION(state) ((__u32)(state)&15)
#define XF_FW_STATE_FALLBACK(state) ((__u32)(state) >> 4 & 15)
#define XF_FW_STATE_DEADLINE(state) ((__u64)(state) & ~0xffull)

#define XF_FW_WRITING_RULES 1u	/* the generation that holds */
#define XF_FW_WRITING_TABLES 2u /* another one is built beside it, or taken down */

_Static_assert(sizeof(struct xf_fw_root) == 32 + 4 * XF_FW_SLOTS, "xf_fw_root is ABI");

/* An entry of a table has the size of a cache line. A table is
 * - a chunk: xf_fw_rule, xf_fw_tuple and xf_fw_lengths6. The id of such an entry is the chunk's
 *   number << 16 | its place in the chunk; 0 is no entry. Behind them are their counters, see
 *   xf_fw_counts.
 * - an index: 2^n times xf_fw_bucket
 * - a directory of IPv4 prefixes, see xf_fw_ranges */
#define XF_FW_ENTRY_SIZE 64
struct xf_fw_entry {
	__u64 word[8];
};
_Static_assert(sizeof(struct xf_fw_entry) == XF_FW_ENTRY_SIZE, "xf_fw_entry is ABI");

#define XF_FW_CHUNK_ENTRIES 65536
/* Small generations get by with small chunks: this is log2 of a chunk's entries. */
#define XF_FW_CHUNK_SHIFT(chunk) ((chunk) < 3 ? 10 + 2 * (chunk) : 16)
#define XF_FW_ID_MASK 0xffffffu

/* A directory has a leaf for each /24. The lower 24 bits of a leaf are the id of the longest prefix
 * of /8 to /24 that covers it; bit 24 + n says that the /24 contains a /(32 - n). The leaves of a
 * /17 are a block. A directory begins with its root, a __u32 for each block: an enum xf_fw_dir_kind
 * << 24, and below it the number that the kind explains. */
#define XF_FW_DIR_LEAVES (1u << 24)
#define XF_FW_DIR_BLOCK_LEAVES 128
#define XF_FW_DIR_SHORTEST 8 /* prefix length; shorter ones are in no directory */
enum xf_fw_dir_kind {
	XF_FW_DIR_WHOLE = 0,  /* all leaves of the block are equal to this one */
	XF_FW_DIR_RANGES = 1, /* number of an entry, which is an xf_fw_ranges */
	XF_FW_DIR_PAGE = 2, /* number of the first of the entries that are the leaves one by one */
};

/* Runs of equal leaves: leaf[0] holds up to start[0], from there on leaf[1], and so on. */
#define XF_FW_DIR_STARTS 12
#define XF_FW_DIR_NO_START 0x80 /* no more of them */
struct xf_fw_ranges {
	__u8 start[XF_FW_DIR_STARTS];
	__u32 leaf[XF_FW_DIR_STARTS + 1];
};
_Static_assert(sizeof(struct xf_fw_ranges) == XF_FW_ENTRY_SIZE, "xf_fw_ranges is ABI");

/* An index is a hash table. A bucket has references to entries of chunks: a tag of 40 bits and an
 * id of 24. For IPv4 the tag is the prefix itself, else a hash. Bytes 0 to 6 of a bucket's summary
 * are fingerprints of the references behind it, 0 where there is none; byte 7 is not 0 when
 * references of this bucket are in the next one. A reference appears and disappears with its
 * fingerprint. No two references of an index have the same hash. */
#define XF_FW_BUCKET_REFS 7
#define XF_FW_BUCKET_STEPS                                                                         \
	8 /* a reference is at most so many buckets, less one, behind its own                      \
	   */
struct xf_fw_bucket {
	__u64 summary;
	__u64 ref[XF_FW_BUCKET_REFS];
};
_Static_assert(sizeof(struct xf_fw_bucket) == XF_FW_ENTRY_SIZE, "xf_fw_bucket is ABI");

/* The place of a generation's index: its slot in the lower half, the hash's shift in the upper. */
#define XF_FW_INDEX(slot, shift) ((__u64)(shift) << 32 | (slot))

enum xf_fw_dir {
	XF_FW_SRC = 0,
	XF_FW_DST = 1,
};

enum xf_fw_kind {
	XF_FW_FREE = 0,
	XF_FW_PREFIX4 = 1, /* a rule that names one prefix and nothing else */
	XF_FW_PREFIX6 = 2,
	XF_FW_COMPOSITE = 3, /* any other rule */
	XF_FW_TUPLE = 4,
	XF_FW_LENGTHS6 = 5,
};
/* With a kind: the entry is free, but packets may still read it. */
#define XF_FW_FREED 0x80

/* The common end of all entries of a chunk. */
struct xf_fw_tail {
	__u8 kind; /* enum xf_fw_kind, XF_FW_FREED */
	__u8 detail[3];
	union {
		__u32 link;    /* user space: list of free entries, or of a rule's tuples */
		__u32 counter; /* of a rule: its number in xf_fw_counts, or 0 */
	};
};
_Static_assert(sizeof(struct xf_fw_tail) == 8, "xf_fw_tail is read as one word");

/* The rank of a rule, from bit 0: deny, established, protocol and MAC named, 17 bits each of how
 * narrow source and destination port are, 8 bits each of destination and source prefix length,
 * protects. */
#define XF_FW_RANK_DENY 1ull
#define XF_FW_RANK_ESTABLISHED 2ull
#define XF_FW_RANK_PROTO 4ull
#define XF_FW_RANK_MAC 8ull
#define XF_FW_RANK_SPORT 4 /* shifts */
#define XF_FW_RANK_DPORT 21
#define XF_FW_RANK_DST 38
#define XF_FW_RANK_SRC 46
#define XF_FW_RANK_PROTECT (1ull << 54)

#define XF_FW_FOREVER (~0ull)

struct xf_fw_total {
	__u64 packets, bytes;
};

struct xf_fw_rule {
	/* The first group of CPUs' part, see xf_fw_counts, or only a number to add. */
	struct xf_fw_total hits;
	__u64 expires; /* CLOCK_BOOTTIME, ns; 0: the rule does not hold, XF_FW_FOREVER */
	__u64 rank;
	union {
		__u64 addr[2]; /* of a single prefix, host byte order; IPv4 in the first */
		struct {
			__u16 sport_min, sport_max, dport_min, dport_max;
			__u8 mac[6];
			__u8 reserved[2];
		} composite;
	};
	__u32 next;   /* id: prefix, same one, lower rank */
	__u32 tuples; /* id: the first one of a composite rule */
	/* detail: has and family as in struct xf_rule; proto, or for PREFIX6 the level of its
	 * hash */
	struct xf_fw_tail tail;
};
_Static_assert(sizeof(struct xf_fw_rule) == XF_FW_ENTRY_SIZE, "xf_fw_rule is ABI");

/* A tuple is the values that a composite rule wants of a packet's fields, each masked as its tuple
 * space says. A range of ports is several tuples. IPv4: addr[0] is source << 32 | destination.
 * IPv6: two words of source, two of destination. */
struct xf_fw_tuple {
	__u64 addr[4];
	__u64 l4;		/* XF_FW_L4_* and the tuple space's number << 48 */
	__u64 mac;		/* 48 bits, the first byte is the highest */
	__u32 next;		/* id: same fields, lower or equal rank */
	__u32 rule;		/* id */
	struct xf_fw_tail tail; /* detail: family, 0 for both */
};
_Static_assert(sizeof(struct xf_fw_tuple) == XF_FW_ENTRY_SIZE, "xf_fw_tuple is ABI");

/* Tuples of the same fields: at most so many, one behind the other. */
#define XF_FW_TUPLES_MAX 16

/* Where the fields of layer 4 are in a word. */
#define XF_FW_L4_SPORT 0
#define XF_FW_L4_DPORT 16
#define XF_FW_L4_PROTO 32
#define XF_FW_L4_ESTABLISHED (1ull << 40)
#define XF_FW_L4_SPACE 48

/* The lengths of the IPv6 prefixes inside a /32 or a /64, so that a packet is looked up for these
 * alone. The entry of a /32 has the lengths up to 64, and says whether there are longer ones, which
 * the entry of their /64 has. Where there is one prefix, the index has in place of this entry the
 * id of the prefix's first rule. */
struct xf_fw_lengths6 {
	__u64 addr;    /* upper half of the /32 or /64 */
	__u64 lengths; /* as xf_fw_generation.lengths6 */
	__u64 level;   /* bit 0: a /64, else a /32; bit 1: enum xf_fw_dir */
	__u64 reserved[3];
	__u32 rules;  /* user space: rules inside */
	__u32 longer; /* a /32: rules inside that are longer than 64 */
	struct xf_fw_tail tail;
};
_Static_assert(sizeof(struct xf_fw_lengths6) == XF_FW_ENTRY_SIZE, "xf_fw_lengths6 is ABI");

/* Which fields tuples of a tuple space have, and how many bits of them. */
#define XF_FW_SPACES 128
enum xf_fw_lacks {
	XF_FW_LACKS_PORTS = 1 << 0,
	XF_FW_LACKS_FLAGS = 1 << 1, /* TCP flags */
	/* All of layer 4: there are more or longer IPv6 extension headers than are looked through,
	 * or it is in a later fragment. */
	XF_FW_LACKS_PROTO = 1 << 2,
};
struct xf_fw_space {
	__u64 best;    /* no rule of this tuple space has a larger rank */
	__u64 addr[4]; /* masks, as in xf_fw_tuple */
	__u64 l4;      /* mask */
	__u64 mac;     /* mask */
	__u16 number;  /* from 1 */
	__u16 needs;   /* enum xf_fw_lacks: packets that lack it are no match */
	__u32 reserved;
};
_Static_assert(sizeof(struct xf_fw_space) == XF_FW_ENTRY_SIZE, "xf_fw_space is ABI");

/* Sorted by best, the largest first. Tuple spaces without a prefix are in both lists. */
struct xf_fw_spaces {
	__u32 n4, n6;
	__u32 frame; /* number of the tuple space that names a MAC only, or 0 */
	__u32 reserved[13];
	struct xf_fw_space space4[XF_FW_SPACES];
	struct xf_fw_space space6[XF_FW_SPACES];
};

#define XF_FW_LISTS 4 /* of tuple spaces: some may still be read while the next one is written */
#define XF_FW_SEEDS 7
#define XF_FW_COUNTERS 256 /* of rules in xf_fw_counts; the first one is of none */
#define XF_FW_COUNTER_LEFT (~0u)

/* Tells generations apart whose ids name different rules: a generation that is a copy for a trial
 * has its seeds and its ids. */
#define XF_FW_MARK(gen) ((__u32)(gen)->seed[0])

/* One rule set. The second half is for user space alone. */
struct xf_fw_generation {
	__u32 deny;		 /* the policy */
	__u32 slot;		 /* first one of its region */
	__u64 index;		 /* XF_FW_INDEX() */
	__u64 seed[XF_FW_SEEDS]; /* of the hash, odd */
	/* Lengths of single prefixes by enum xf_fw_dir. IPv4: bit 32 - length. IPv6: bit
	 * 64 - length for up to 64 (not 0), bit 128 - length for longer ones, in two words. */
	__u64 lengths4[2];
	__u64 lengths6[2][2];
	__u32 zero6[2]; /* id of ::/0 */
	__u32 dir[2];	/* slot of the directory, or 0: there is none, look for each length */
	__u32 current;	/* which of the lists of tuple spaces */
	__u32 sharing;	/* log2 of the CPUs that share a counter, see xf_fw_counts */
	/* The same lengths, of those prefixes only that share an address's first byte (IPv4), or a
	 * hash of its first four (IPv6). A bit may outlive the prefixes of its length. */
	__u64 lengths4_at[2][256];
	__u64 lengths6_at[2][2][256];
	struct xf_fw_spaces spaces[XF_FW_LISTS];

	struct xf_fw_writer {
		__u64 rules, prefixes;
		__u64 refs, spilled; /* of the index: all, and those not in their own bucket */
		__u32 free,
		    deferred; /* lists of entries; packets may still read the deferred ones */
		__u64 deferred_n;
		__u32 fresh; /* id of the first entry that was never used */
		__u32 swept; /* id: how far the search for expired rules came */
		__u64 timed; /* rules that expire */
		/* The id of the rule that has this counter, 0, or XF_FW_COUNTER_LEFT: of none, but
		 * packets may still count there. */
		__u32 counter[XF_FW_COUNTERS];
		__u32 counters_n; /* that are not 0 */
		__u32 reserved;
		__u64 count4[2];
		__u32 lengths4_n[2][33];
		__u32 lengths6_n[2][129];
		__u32 dir_fresh[2]; /* of the directories: the first entry that was never used */
		__u32 spaces_n;
		__u32 space_last; /* number that was given last */
		__u32 lists_left; /* lists that no packet reads, without the current one */
		__u8 space_left[XF_FW_SPACES]; /* by number - 1: no packet uses it any more */
		struct xf_fw_known_space {
			struct xf_fw_space space;
			__u32 tuples;
			__u8 family, used;
			__u8 reserved[2];
		} space[XF_FW_SPACES];
	} writer;
};

/* By verdict; each packet is in one. */
struct xf_fw_totals {
	struct xf_fw_total allowed, denied;		  /* by a rule */
	struct xf_fw_total policy_allowed, policy_denied; /* unread ones are with the denied */
	struct xf_fw_total exempt;
};
_Static_assert(sizeof(struct xf_fw_totals) == 80, "xf_fw_totals is ABI");

/* Hits are counted where no more than eight CPUs write one cache line. Rules with a counter in here
 * are counted by CPU, without atomic additions: those that many flows meet, and the first ones of
 * the others. Rules without one are counted by groups of 2^sharing CPUs: for the first group in the
 * entry itself, for the others behind the entries of its chunk, where each has an xf_fw_total for
 * each entry, four to a line: those of the second group, those of the third, and so on. None of
 * these is ever reset but the first: a new rule begins with the present values. */
#define XF_FW_LINE_TOTALS 4
#define XF_FW_SHARING 3
struct xf_fw_counts {
	struct xf_fw_totals totals;
	struct xf_fw_total rule[XF_FW_REGIONS][XF_FW_COUNTERS];
	__u64 scratch[5]; /* the program's own: its stack is full, and this is at hand */
};
_Static_assert(sizeof(struct xf_fw_counts) == 16504, "xf_fw_counts is ABI");

/* A dropped packet, in rings as the logger has them. */
#define XF_FW_POLICY 0xffffffffu
#define XF_FW_UNREAD 0xfffffffeu /* a rule could be about headers behind those that were read */
struct xf_fw_record {
	struct xf_record packet;
	__u32 rule; /* id, XF_FW_POLICY or XF_FW_UNREAD */
	__u32 gen;  /* XF_FW_MARK() of the generation that the id is of */
};
_Static_assert(sizeof(struct xf_fw_record) == 96, "xf_fw_record is ABI");

#endif
