// SPDX-License-Identifier: GPL-2.0-only
/* Strict numbers from text. strtoul() is not used: it takes spaces, signs and other bases. */
#include "lib/num.h"

#include <errno.h>
#include <stdbool.h>

#include "lib/time.h"

/* Read the digits at *@s and move it behind them, also when the value is too large, so that
 * "99999999999999999999x" is no number rather than a large one. Returns 0, -EINVAL or -ERANGE. */
static int digits(const char **s, uint64_t *val)
{
	bool overflow = false;
	const char *at = *s;
	uint64_t n = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *at - '0', &n))
			overflow = true;
	}
	if (at == *s)
		return -EINVAL;
	*s = at;
	*val = overflow ? UINT64_MAX : n;
	return overflow ? -ERANGE : 0;
}

/* The last step of each parser: @err is from digits(), @rest is the text behind the number. */
static int finish(int err, const char *rest, uint64_t n, uint64_t min, uint64_t max, uint64_t *val)
{
	if (err == -EINVAL || *rest)
		return -EINVAL;
	if (err || n < min || n > max)
		return -ERANGE;
	*val = n;
	return 0;
}

int xf_num_parse(const char *s, uint64_t min, uint64_t max, uint64_t *val)
{
	uint64_t n = 0;
	int err = digits(&s, &n);

	return finish(err, s, n, min, max, val);
}

static unsigned int size_shift(char suffix)
{
	switch (suffix) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return 0;
	}
}

int xf_size_parse(const char *s, uint64_t min, uint64_t max, uint64_t *val)
{
	unsigned int shift;
	uint64_t n = 0;
	int err = digits(&s, &n);

	shift = size_shift(*s);
	if (shift)
		s++;
	if (!err && __builtin_mul_overflow(n, 1ull << shift, &n))
		err = -ERANGE;
	return finish(err, s, n, min, max, val);
}

/* Read one to nine digits behind the decimal point as nanoseconds. Returns 0 or -EINVAL. */
static int decimals(const char **s, uint64_t *ns)
{
	const char *from = *s;
	int err = digits(s, ns);
	long n = *s - from;

	if (err || n > 9)
		return -EINVAL;
	for (; n < 9; n++)
		*ns *= 10;
	return 0;
}

int xf_seconds_parse(const char *s, uint64_t min, uint64_t max, uint64_t *val)
{
	uint64_t n = 0, ns = 0;
	int err = digits(&s, &n);

	if (err == -EINVAL)
		return err;
	if (*s == '.') {
		s++;
		if (decimals(&s, &ns))
			return -EINVAL;
	}
	if (!err && (__builtin_mul_overflow(n, XF_NSEC, &n) || __builtin_add_overflow(n, ns, &n)))
		err = -ERANGE;
	return finish(err, s, n, min, max, val);
}
