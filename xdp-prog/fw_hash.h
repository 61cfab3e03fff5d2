/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys of an index and their hashes, which the program and user space must work out alike. A prefix
 * is written as its address and the lowest bit of its mask, b: the mask is -b, and nothing needs to
 * know the length. */
#ifndef XF_FW_HASH_H
#define XF_FW_HASH_H

#include "fw_abi.h"

#define xf_fw_inline static inline __attribute__((always_inline))

#define XF_FW_TAG_HASHED (1ull << 39)

/* A product's upper bits depend on all of the number, its lower ones do not. */
xf_fw_inline __u64 xf_fw_fold(__u64 product)
{
	return product ^ product >> 32;
}

/* One word of several. In a prefix only upper bits are set, of which a product would be as poor: of
 * a /8 it has eight bits that depend on the seed, and the sum of several such words no more. So the
 * upper bits are brought down first. By 31, since two equal halves are more likely than others that
 * would leave nothing there. */
xf_fw_inline __u64 xf_fw_mix(__u64 word, __u64 seed)
{
	return xf_fw_fold((word ^ word >> 31) * seed);
}

/* The tag of an IPv4 prefix with the lowest bit b (1 for /32, 1 << 32 for /0): it tells all
 * prefixes apart, because b ends the address. */
xf_fw_inline __u64 xf_fw_tag4(__u32 dir, __u32 addr, __u64 b)
{
	return (__u64)dir << 33 | (__u64)(addr & -(__u32)b) << 1 | b;
}

/* Twice, since with one seed in some hundred a single product leaves prefixes that follow each
 * other crowded. No two tags have the same hash: each step can be undone. */
xf_fw_inline __u64 xf_fw_hash4(const __u64 *seed, __u64 tag)
{
	return xf_fw_fold(tag * seed[0]) * seed[0];
}

/* An IPv6 prefix whose lowest bit is b in the upper word, or, with bit 0 of level set, in the
 * lower. Bit 1 of level is enum xf_fw_dir. For an xf_fw_lengths6 b is 0. */
xf_fw_inline __u64 xf_fw_hash6(const __u64 *seed, __u64 hi, __u64 lo, __u64 b, __u32 level)
{
	__u64 sum = xf_fw_mix(hi, seed[1]) + xf_fw_mix(lo, seed[2]) + xf_fw_mix(b, seed[3]) +
		    level * seed[4];

	return xf_fw_fold(sum * seed[0]);
}

/* The place in lengths6_at of the prefixes that could cover an address. */
xf_fw_inline __u32 xf_fw_hash_first32(__u64 hi)
{
	return (__u32)(hi >> 32) * 0x9e3779b1u >> 24;
}

xf_fw_inline __u64 xf_fw_hash_tuple4(const __u64 *seed, __u64 addr, __u64 l4, __u64 mac)
{
	__u64 sum = xf_fw_mix(addr, seed[1]) + xf_fw_mix(l4, seed[5]) + xf_fw_mix(mac, seed[6]);

	return xf_fw_fold(sum * seed[0]);
}

/* Without addresses the same. */
xf_fw_inline __u64 xf_fw_hash_tuple6(const __u64 *seed, const __u64 *addr, __u64 l4, __u64 mac)
{
	__u64 sum = xf_fw_mix(addr[0], seed[1]) + xf_fw_mix(addr[1], seed[2]) +
		    xf_fw_mix(addr[2], seed[3]) + xf_fw_mix(addr[3], seed[4]) +
		    xf_fw_mix(l4, seed[5]) + xf_fw_mix(mac, seed[6]);

	return xf_fw_fold(sum * seed[0]);
}

xf_fw_inline __u64 xf_fw_tag_hashed(__u64 hash)
{
	return XF_FW_TAG_HASHED | (hash & (XF_FW_TAG_HASHED - 1));
}

/* The bucket of a hash is hash >> shift, shift being 64 - log2(buckets); its fingerprint the bits
 * below. */
xf_fw_inline __u64 xf_fw_fingerprint(__u64 hash, __u32 shift)
{
	return (hash >> (shift - 7) & 0x7f) | 0x80;
}

/* The references of a bucket with this fingerprint: bit 7 of each such byte. Exact, since bytes in
 * use have their bit 7 set and no subtraction borrows. */
xf_fw_inline __u64 xf_fw_candidates(__u64 summary, __u64 fingerprint)
{
	__u64 other = summary ^ fingerprint * 0x0001010101010101ull;

	return (0x0080808080808080ull - (other & 0x007f7f7f7f7f7f7full)) & ~other &
	       0x0080808080808080ull;
}

/* The number of the lowest candidate: the product's upper byte is the one of the constant that the
 * single bit brings there. */
xf_fw_inline __u64 xf_fw_first_candidate(__u64 candidates)
{
	return ((candidates & -candidates) >> 7) * 0x0001020304050607ull >> 56;
}

#endif
