// SPDX-License-Identifier: GPL-2.0-only
/* An element of a list: addresses, and what ipset and nft say of them. */
#include "firewall/rule/plain_impl.h"

#include <string.h>

#include "firewall/rule/prefix.h"
#include "firewall/rule/words.h"

static bool read_digits(struct xf_token *rest, uint64_t *n)
{
	const char *digits = rest->at;

	for (*n = 0; rest->len && *rest->at >= '0' && *rest->at <= '9'; rest->at++, rest->len--) {
		if (*n > UINT32_MAX)
			return false;
		*n = *n * 10 + (*rest->at - '0');
	}
	return rest->at > digits;
}

/* Milliseconds, or 0: there is no such unit. */
static uint32_t read_unit(struct xf_token *rest)
{
	static const struct {
		const char *name;
		uint32_t ms;
	} units[] = { { "ms", 1 },	{ "s", 1000 },	   { "m", 60000 },
		      { "h", 3600000 }, { "d", 86400000 }, {} };

	for (size_t i = 0; units[i].name; i++) {
		size_t len = strlen(units[i].name);

		if (rest->len < len || memcmp(rest->at, units[i].name, len))
			continue;
		rest->at += len;
		rest->len -= len;
		return units[i].ms;
	}
	return 0;
}

/* "3600", or "1d2h3m4s500ms" as nft has it, rounded up. */
static bool parse_seconds(struct xf_token rest, uint32_t *seconds)
{
	uint64_t n, ms = 0;
	uint32_t unit;

	do {
		if (!read_digits(&rest, &n))
			return false;
		unit = rest.len ? read_unit(&rest) : 1000;
		ms += n * unit;
		if (!unit || ms / 1000 >= UINT32_MAX)
			return false;
	} while (rest.len);
	*seconds = (ms + 999) / 1000;
	return true;
}

/* An address, or a prefix. Returns the family or -EINVAL. */
static int read_prefix(const struct xf_plain *plain, struct xf_token token,
		       struct xf_prefix *prefix, struct xf_rule_error *error)
{
	char why[128], quoted[XF_QUOTED];
	size_t offset = 0;
	int family = xf_rule_prefix_parse(token.at, token.len, plain->mask, prefix, why, &offset);

	if (family > 0)
		return family;
	return xf_plain__fail(plain, error, token.at + offset, "%s, not %s", why,
			      xf_rule_quote(token.at, token.len, "the end of the line", quoted));
}

/* One end of a range. */
static int read_end(const struct xf_plain *plain, struct xf_token token, uint8_t addr[16],
		    struct xf_rule_error *error)
{
	struct xf_prefix prefix;
	int family;

	if (memchr(token.at, '/', token.len))
		return xf_plain__unexpected(plain, token, "an address at the end of a range",
					    error);
	family = read_prefix(plain, token, &prefix, error);
	memcpy(addr, prefix.addr, sizeof(prefix.addr));
	return family;
}

static int read_range(struct xf_plain *plain, struct xf_token first, struct xf_token last,
		      struct xf_rule_error *error)
{
	struct xf_range range;
	int family = read_end(plain, first, range.first, error), other;

	if (family < 0)
		return family;
	other = read_end(plain, last, range.last, error);
	if (other < 0)
		return other;
	if (family != other || memcmp(range.first, range.last, sizeof(range.first)) > 0)
		return xf_plain__unexpected(
		    plain, last, "an address that is not below the other one, and of its family",
		    error);
	range.family = family;
	plain->range = range;
	return 0;
}

int xf_plain__address(struct xf_plain *plain, struct xf_token token, struct xf_rule_error *error)
{
	const char *dash = memchr(token.at, '-', token.len);
	struct xf_token last = token;
	struct xf_prefix prefix;
	int family;

	plain->ttl = plain->set_ttl;
	if (dash) {
		token.len = dash - token.at;
		last.at = dash + 1;
		last.len -= token.len + 1;
		return read_range(plain, token, last, error);
	}
	if (xf_token_is(xf_token_peek(plain), "-")) {
		xf_token_next(plain);
		return read_range(plain, token, xf_token_next(plain), error);
	}
	family = read_prefix(plain, token, &prefix, error);
	if (family < 0)
		return family;
	plain->range = xf_range_of(&prefix, family);
	return 0;
}

int xf_plain__time(struct xf_plain *plain, uint32_t *seconds, struct xf_rule_error *error)
{
	struct xf_token value = xf_token_next(plain);

	*seconds = 0;
	if (xf_token_is(value, "never") || parse_seconds(value, seconds))
		return 0;
	return xf_plain__unexpected(plain, value, "a time of at most 4294967294 seconds", error);
}

/* Of the two times that nft has the one that is left comes last. */
static int read_attribute(struct xf_plain *plain, struct xf_token name, struct xf_rule_error *error)
{
	bool expires = xf_token_is(name, "expires");
	struct xf_token value;
	int err;

	if (expires || xf_token_is(name, "timeout")) {
		value = xf_token_peek(plain);
		err = xf_plain__time(plain, &plain->ttl, error);
		/* It expires now; with 0 the rule would stay for ever. */
		if (!err && expires && !plain->ttl && !xf_token_is(value, "never"))
			plain->ttl = 1;
		return err;
	}
	if (xf_token_is(name, "counter") || xf_token_is(name, "-exist"))
		return 0;
	if (!xf_token_is(name, "comment") && !xf_token_is(name, "packets") &&
	    !xf_token_is(name, "bytes"))
		return xf_plain__unexpected(plain, name, "the end of the element", error);
	value = xf_token_next(plain);
	if (!value.len || xf_token_is_mark(value))
		return xf_plain__unexpected(plain, value, "a value", error);
	return 0;
}

int xf_plain__element(struct xf_plain *plain, struct xf_token token, struct xf_rule_error *error)
{
	int err = xf_plain__address(plain, token, error);

	for (;;) {
		struct xf_token name = xf_token_peek(plain);

		if (err || !name.len || xf_token_is_mark(name))
			return err;
		err = read_attribute(plain, xf_token_next(plain), error);
	}
}
