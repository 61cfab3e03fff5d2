// SPDX-License-Identifier: GPL-2.0-only
/* Addresses and numbers to text by table: no division where a look-up does. */
#include "lib/addr.h"

#include <string.h>

/* "0" to "255"; the last byte is the length. */
/* clang-format off */
#define OCT1(o) { o, 0, 0, 1 }
#define OCT2(t, o) { t, o, 0, 2 }
#define OCT3(h, t, o) { h, t, o, 3 }
/* clang-format on */
#define TEN1                                                                                       \
	OCT1('0'), OCT1('1'), OCT1('2'), OCT1('3'), OCT1('4'), OCT1('5'), OCT1('6'), OCT1('7'),    \
	    OCT1('8'), OCT1('9')
#define TEN2(t)                                                                                    \
	OCT2(t, '0'), OCT2(t, '1'), OCT2(t, '2'), OCT2(t, '3'), OCT2(t, '4'), OCT2(t, '5'),        \
	    OCT2(t, '6'), OCT2(t, '7'), OCT2(t, '8'), OCT2(t, '9')
#define SIX3(h, t)                                                                                 \
	OCT3(h, t, '0'), OCT3(h, t, '1'), OCT3(h, t, '2'), OCT3(h, t, '3'), OCT3(h, t, '4'),       \
	    OCT3(h, t, '5')
#define TEN3(h, t) SIX3(h, t), OCT3(h, t, '6'), OCT3(h, t, '7'), OCT3(h, t, '8'), OCT3(h, t, '9')

static const char octet[256][4] = {
	TEN1,		TEN2('1'),	TEN2('2'),	TEN2('3'),	TEN2('4'),
	TEN2('5'),	TEN2('6'),	TEN2('7'),	TEN2('8'),	TEN2('9'),
	TEN3('1', '0'), TEN3('1', '1'), TEN3('1', '2'), TEN3('1', '3'), TEN3('1', '4'),
	TEN3('1', '5'), TEN3('1', '6'), TEN3('1', '7'), TEN3('1', '8'), TEN3('1', '9'),
	TEN3('2', '0'), TEN3('2', '1'), TEN3('2', '2'), TEN3('2', '3'), TEN3('2', '4'),
	SIX3('2', '5'),
};

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

static const char hex[] = "0123456789abcdef";

char *xf_ip4_text(char *out, const uint8_t addr[4])
{
	for (int i = 0; i < 4; i++) {
		const char *text = octet[addr[i]];

		/* Always three: a constant size is one or two stores, and even the last stays
		 * within XF_IP4_TEXT. */
		memcpy(out, text, 3);
		out += text[3];
		if (i < 3)
			*out++ = '.';
	}
	return out;
}

static char *group_text(char *out, const uint8_t word[2])
{
	if (word[0] >> 4)
		*out++ = hex[word[0] >> 4];
	if (word[0])
		*out++ = hex[word[0] & 15];
	if (word[0] || word[1] >> 4)
		*out++ = hex[word[1] >> 4];
	*out++ = hex[word[1] & 15];
	return out;
}

/* The first of the longest runs of two or more zero groups: its length is returned, 0 when there is
 * none. */
static int zero_run(const uint8_t addr[16], int *start)
{
	int best = 1, run = 0;

	for (int i = 0; i < 8; i++) {
		run = addr[2 * i] | addr[2 * i + 1] ? 0 : run + 1;
		if (run > best) {
			best = run;
			*start = i - run + 1;
		}
	}
	return best > 1 ? best : 0;
}

char *xf_ip6_text(char *out, const uint8_t addr[16])
{
	int start = -1, len = zero_run(addr, &start), groups = 8;

	/* ::192.0.2.1 and ::ffff:192.0.2.1 */
	if (start == 0 && (len == 6 || (len == 5 && addr[10] == 0xff && addr[11] == 0xff)))
		groups = 6;
	for (int i = 0; i < groups; i++) {
		if (i == start) {
			*out++ = ':';
			*out++ = ':';
			i += len - 1;
			continue;
		}
		if (i && i != start + len)
			*out++ = ':';
		out = group_text(out, addr + 2 * i);
	}
	if (groups == 8)
		return out;
	if (len == 5)
		*out++ = ':';
	return xf_ip4_text(out, addr + 12);
}

char *xf_mac_text(char *out, const uint8_t addr[6])
{
	for (int i = 0; i < 6; i++) {
		if (i)
			*out++ = ':';
		*out++ = hex[addr[i] >> 4];
		*out++ = hex[addr[i] & 15];
	}
	return out;
}

char *xf_u64_text(char *out, uint64_t n)
{
	char text[20], *at = text + sizeof(text);
	size_t len;

	while (n >= 100) {
		at -= 2;
		memcpy(at, pairs + 2 * (n % 100), 2);
		n /= 100;
	}
	if (n >= 10) {
		at -= 2;
		memcpy(at, pairs + 2 * n, 2);
	} else {
		*--at = '0' + n;
	}
	len = text + sizeof(text) - at;
	memcpy(out, at, len);
	return out + len;
}

char *xf_padded_text(char *out, uint32_t n, unsigned int digits)
{
	char *end = out + digits;

	for (out = end; digits >= 2; digits -= 2) {
		out -= 2;
		memcpy(out, pairs + 2 * (n % 100), 2);
		n /= 100;
	}
	if (digits)
		out[-1] = '0' + n % 10;
	return end;
}
