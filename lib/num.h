/* SPDX-License-Identifier: GPL-2.0-only */
/* Strict numbers: the whole string, decimal digits only, no sign, no space, in range. */
#ifndef XF_NUM_H
#define XF_NUM_H

#include <stdint.h>

/* Parse @s as a number in [@min, @max] into *@val.
 * Returns 0, -EINVAL when it is not a number, -ERANGE when it is one outside the range; *@val is
 * then untouched. */
int xf_num_parse(const char *s, uint64_t min, uint64_t max, uint64_t *val);

/* The same for a size in bytes: a number with an optional suffix K, M or G (lower case too), powers
 * of 1024. */
int xf_size_parse(const char *s, uint64_t min, uint64_t max, uint64_t *val);

/* The same for a time in seconds with up to nine decimals ("2", "0.5"), as nanoseconds; the range
 * is in nanoseconds. */
int xf_seconds_parse(const char *s, uint64_t min, uint64_t max, uint64_t *val);

#endif
