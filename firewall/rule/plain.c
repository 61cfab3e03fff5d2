// SPDX-License-Identifier: GPL-2.0-only
/* Lists of addresses as others publish and keep them. An unknown word is refused, since it could
 * make the address an exception. */
#include "firewall/rule/plain_impl.h"

#include <errno.h>
#include <string.h>

#include "firewall/rule/prefix.h"
#include "firewall/rule/words.h"

static bool is(struct xf_token token, const char *word)
{
	return xf_token_is(token, word);
}

/* Check that the element ends here: the line does, or in braces a comma or a brace follows. */
static int check_end(struct xf_plain *plain, struct xf_rule_error *error)
{
	struct xf_token end = xf_token_peek(plain);

	if (!end.len || (plain->elements && (is(end, ",") || is(end, "}"))))
		return 0;
	return xf_plain__unexpected(plain, end, "the end of the element", error);
}

static int read_element(struct xf_plain *plain, struct xf_token token, struct xf_rule_error *error)
{
	int err = xf_plain__element(plain, token, error);

	return err ? err : check_end(plain, error);
}

/* Several sets in one file are hardly all of one kind. */
static int check_set(struct xf_plain *plain, struct xf_token name, struct xf_rule_error *error)
{
	size_t len = name.len < XF_PLAIN_NAME ? name.len : XF_PLAIN_NAME - 1;
	char quoted[XF_QUOTED], first[XF_QUOTED];

	if (!name.len || xf_token_is_mark(name))
		return xf_plain__unexpected(plain, name, "the name of a set", error);
	if (!plain->set[0])
		memcpy(plain->set, name.at, len);
	if (!strncmp(plain->set, name.at, len) && !plain->set[len])
		return 0;
	return xf_plain__fail(plain, error, name.at, "expected one set, %s, and not also %s",
			      xf_rule_quote(plain->set, strlen(plain->set), "", first),
			      xf_rule_quote(name.at, name.len, "", quoted));
}

/* Move behind the '{' that begins a block or elements. *@name is the last word before it. */
static int read_open(struct xf_plain *plain, struct xf_token *name, struct xf_rule_error *error)
{
	struct xf_token token;

	*name = (struct xf_token) { .at = plain->at };
	for (;;) {
		token = xf_token_next(plain);
		if (is(token, "{"))
			return 0;
		if (!token.len || (xf_token_is_mark(token) && !is(token, "=")))
			return xf_plain__unexpected(plain, token, "'{'", error);
		if (!xf_token_is_mark(token))
			*name = token;
	}
}

static int read_elements(struct xf_plain *plain, struct xf_rule_error *error)
{
	struct xf_token name;
	int err = read_open(plain, &name, error);

	if (!err)
		plain->elements = plain->line;
	return err;
}

/* 'define NAME = {', and the rest of 'add element inet TABLE NAME {'. */
static int read_named_elements(struct xf_plain *plain, struct xf_rule_error *error)
{
	struct xf_token name;
	int err = read_open(plain, &name, error);

	if (!err)
		err = check_set(plain, name, error);
	if (!err)
		plain->elements = plain->line;
	return err;
}

static void begin_block(struct xf_plain *plain)
{
	if (!plain->depth++)
		plain->block = plain->line;
}

static int read_table(struct xf_plain *plain, struct xf_rule_error *error)
{
	struct xf_token name;
	int err = read_open(plain, &name, error);

	if (!err)
		begin_block(plain);
	return err;
}

static int read_set(struct xf_plain *plain, struct xf_rule_error *error)
{
	struct xf_token name;
	int err = read_open(plain, &name, error);

	if (!err)
		err = check_set(plain, name, error);
	if (!err)
		begin_block(plain);
	return err;
}

/* Pass over a statement that has no address. */
static int skip(struct xf_plain *plain, struct xf_rule_error *error)
{
	struct xf_token at = xf_token_peek(plain);

	(void)error;
	for (; at.len && !is(at, ";") && !is(at, "}"); at = xf_token_peek(plain))
		xf_token_next(plain);
	return 0;
}

static int read_set_timeout(struct xf_plain *plain, struct xf_rule_error *error)
{
	int err = xf_plain__time(plain, &plain->set_ttl, error);

	return err ? err : skip(plain, error);
}

/* With a mask ipset means more addresses than it writes. */
static int read_create(struct xf_plain *plain, struct xf_rule_error *error)
{
	int err = check_set(plain, xf_token_next(plain), error);
	struct xf_token word;

	for (word = xf_token_peek(plain); !err && word.len; word = xf_token_peek(plain)) {
		xf_token_next(plain);
		if (is(word, "netmask") || is(word, "bitmask"))
			return xf_plain__unexpected(plain, word, "a set without a mask", error);
		if (is(word, "timeout"))
			err = xf_plain__time(plain, &plain->set_ttl, error);
	}
	return err;
}

static int read_add(struct xf_plain *plain, struct xf_rule_error *error)
{
	struct xf_token token = xf_token_next(plain);
	int err;

	if (is(token, "element"))
		return read_named_elements(plain, error);
	while (is(token, "-exist"))
		token = xf_token_next(plain);
	err = check_set(plain, token, error);
	return err ? err : read_element(plain, xf_token_next(plain), error);
}

enum place {
	OUTSIDE = 1, /* of all blocks */
	INSIDE = 2,
};

static const struct statement {
	const char *word;
	unsigned int places; /* enum place */
	int (*read)(struct xf_plain *plain, struct xf_rule_error *error);
} statements[] = {
	/* ipset save */
	{ "add", OUTSIDE, read_add }, /* also nft's */
	{ "create", OUTSIDE, read_create },
	{ "flush", OUTSIDE, skip },
	{ "COMMIT", OUTSIDE, skip },
	/* nft */
	{ "define", OUTSIDE, read_named_elements },
	{ "table", OUTSIDE, read_table },
	{ "set", OUTSIDE | INSIDE, read_set },
	{ "elements", OUTSIDE | INSIDE, read_elements },
	{ "type", INSIDE, skip },
	{ "typeof", INSIDE, skip },
	{ "flags", INSIDE, skip },
	{ "size", INSIDE, skip },
	{ "timeout", INSIDE, read_set_timeout },
	{ "gc-interval", INSIDE, skip },
	{ "policy", INSIDE, skip },
	{ "auto-merge", INSIDE, skip },
	{ "comment", INSIDE, skip },
	{ "counter", INSIDE, skip },
	{},
};

/* An address that has the line for itself. */
static int read_bare(struct xf_plain *plain, struct xf_token token, struct xf_rule_error *error)
{
	int err = xf_plain__address(plain, token, error);

	if (err)
		return err;
	if (is(xf_token_peek(plain), ";"))
		plain->at = plain->end;
	return check_end(plain, error);
}

static int read_statement(struct xf_plain *plain, struct xf_token token,
			  struct xf_rule_error *error)
{
	unsigned int place = plain->depth ? INSIDE : OUTSIDE;

	if (is(token, ";")) {
		if (!plain->statement && !plain->depth)
			plain->at = plain->end;
		return 0;
	}
	for (const struct statement *known = statements; known->word; known++)
		if (known->places & place && is(token, known->word)) {
			plain->statement = true;
			return known->read(plain, error);
		}
	if (!plain->depth)
		return read_bare(plain, token, error);
	if (!is(token, "}"))
		return xf_plain__unexpected(plain, token, "what nft says of a set", error);
	plain->depth--;
	plain->statement = true;
	return 0;
}

static int read_in_elements(struct xf_plain *plain, struct xf_token token,
			    struct xf_rule_error *error)
{
	if (is(token, ","))
		return 0;
	if (!is(token, "}"))
		return read_element(plain, token, error);
	plain->elements = 0;
	plain->statement = true;
	return 0;
}

/* Go on behind the mistake, where its end is clear. */
static int recover(struct xf_plain *plain, struct xf_token wrong)
{
	struct xf_token at;

	plain->range.family = 0;
	if (!plain->elements) {
		plain->at = plain->end;
		return plain->depth || memchr(wrong.at, '{', plain->end - wrong.at) ? -EPROTO
										    : -EINVAL;
	}
	plain->at = wrong.at;
	for (at = wrong; at.len && !is(at, ",") && !is(at, "}"); at = xf_token_peek(plain)) {
		if (xf_token_is_mark(at))
			return -EPROTO;
		xf_token_next(plain);
	}
	return -EINVAL;
}

void xf_plain__line(struct xf_plain *plain, const char *text, size_t len)
{
	plain->start = plain->at = text;
	plain->end = text + len;
	plain->statement = false;
	plain->line++;
}

int xf_plain__next(struct xf_plain *plain, struct xf_rule *rule, struct xf_rule_error *error)
{
	struct xf_rule found = { .deny = plain->deny, .has = XF_RULE_SRC };

	for (;;) {
		struct xf_token token;
		int err;

		if (plain->range.family) {
			found.family = plain->range.family;
			found.src = xf_range__cut(&plain->range);
			/* No packet has such an address, and no rule can name it. */
			if (found.family == 6 && xf_rule_prefix_is_mapped(&found.src))
				continue;
			found.ttl = plain->ttl;
			*rule = found;
			return 1;
		}
		token = xf_token_next(plain);
		if (!token.len)
			return 0;
		err = plain->elements ? read_in_elements(plain, token, error)
				      : read_statement(plain, token, error);
		if (err)
			return recover(plain, token);
	}
}

uint64_t xf_plain__unended(const struct xf_plain *plain)
{
	return plain->elements ? plain->elements : plain->depth ? plain->block : 0;
}
