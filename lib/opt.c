// SPDX-License-Identifier: GPL-2.0-only
/* Command-line options from constant tables. getopt_long() is not used: it abbreviates names and
 * prints messages that neither name what was expected nor suggest what was meant. */
#include "lib/opt.h"

#include <errno.h>
#include <string.h>

#include "lib/time.h"
#include "lib/msg.h"
#include "lib/num.h"
#include "lib/opt_impl.h"
#include "lib/strbuf.h"

#define NAMES_MAX 128

/* argv, and the index of the next word to be read. */
struct words {
	char **at;
	int n;
	int next;
	/* Places of the values that were given and may be given once. */
	const void *given[NAMES_MAX];
	size_t n_given;
};

static int bad_value(const struct xf_opt *opt, const char *given, const char *value, int err)
{
	const char *why = err == -ERANGE ? "is out of range" : "is not valid";
	struct xf_strbuf expected = XF_STRBUF(XF_OPT_TEXT);

	xf_opt_add_expected(&expected, opt);
	xf_err("%s: \"%s\" %s, expected %s", given, value, why, expected.at);
	return -EINVAL;
}

static int enum_index(const char *const *values, const char *value)
{
	for (int i = 0; values[i]; i++)
		if (strcmp(values[i], value) == 0)
			return i;
	return -EINVAL;
}

static int list_add(struct xf_strs *list, const char *given, const char *value)
{
	if (list->n == XF_STRS_MAX) {
		xf_err("%s: \"%s\" is one too many, at most %d can be given", given, value,
		       XF_STRS_MAX);
		return -EINVAL;
	}
	list->at[list->n++] = value;
	return 0;
}

static void store_number(const struct xf_opt *opt, void *to, uint64_t n)
{
	if (opt->type == XF_OPT_U32)
		*(uint32_t *)to = n;
	else if (opt->type == XF_OPT_ENUM)
		*(int *)to = n;
	else if (opt->type != XF_OPT_STR && opt->type != XF_OPT_LIST)
		*(uint64_t *)to = n;
}

static int number_parse(const struct xf_opt *opt, const char *value, uint64_t *n)
{
	if (opt->type == XF_OPT_SIZE)
		return xf_size_parse(value, opt->min, xf_opt_max(opt), n);
	if (opt->type == XF_OPT_SECONDS)
		return xf_seconds_parse(value, opt->min, xf_opt_max(opt), n);
	return xf_num_parse(value, opt->min, xf_opt_max(opt), n);
}

/* Store @value, or the option's default when it is NULL. @given is the option as the user wrote it.
 */
static int store(const struct xf_opt *opt, const char *given, const char *value, void *to)
{
	uint64_t n = opt->def;
	int index, err;

	switch (opt->type) {
	case XF_OPT_FLAG:
		*(bool *)to = true;
		return 0;
	case XF_OPT_COUNT:
		++*(int *)to;
		return 0;
	case XF_OPT_END:
	case XF_OPT_IGNORED:
	case XF_OPT_TABLE:
		return 0;
	case XF_OPT_STR:
	case XF_OPT_LIST:
		if (!value)
			return 0;
		if (!*value)
			return bad_value(opt, given, value, -EINVAL);
		if (opt->type == XF_OPT_LIST)
			return list_add(to, given, value);
		*(const char **)to = value;
		return 0;
	case XF_OPT_ENUM:
		index = value ? enum_index(opt->values, value) : (int)n;
		if (index < 0)
			return bad_value(opt, given, value, index);
		n = index;
		break;
	default:
		err = value ? number_parse(opt, value, &n) : 0;
		if (err)
			return bad_value(opt, given, value, err);
	}
	store_number(opt, to, n);
	return 0;
}

static bool may_repeat(const struct xf_opt *opt)
{
	return opt->type == XF_OPT_FLAG || opt->type == XF_OPT_COUNT || opt->type == XF_OPT_LIST ||
	       opt->type == XF_OPT_IGNORED;
}

/* Note that the value at @to was given. */
static int note_given(const struct xf_opt *opt, const char *given, const void *to,
		      struct words *words)
{
	if (may_repeat(opt))
		return 0;
	for (size_t i = 0; i < words->n_given; i++) {
		if (words->given[i] == to) {
			xf_err("%s is given twice, and can be given once", given);
			return -EINVAL;
		}
	}
	if (words->n_given < NAMES_MAX) /* as many options as a command has at most */
		words->given[words->n_given++] = to;
	return 0;
}

/* @value is the text attached to the option (--name=VALUE, -nVALUE), or NULL. */
static int apply(const struct xf_opt *opt, const char *given, const char *value,
		 struct words *words, void *args)
{
	int err;

	if (!value && xf_opt_takes_value(opt) && !opt->value_optional) {
		if (words->next == words->n) {
			struct xf_strbuf expected = XF_STRBUF(XF_OPT_TEXT);

			xf_opt_add_expected(&expected, opt);
			xf_err("%s: the value is missing, expected %s", given, expected.at);
			return -EINVAL;
		}
		value = words->at[words->next++];
	}
	err = note_given(opt, given, (char *)args + opt->offset, words);
	if (!err)
		err = store(opt, given, value, (char *)args + opt->offset);
	if (!err && opt->seen_offset)
		*(bool *)((char *)args + opt->seen_offset) = true;
	return err;
}

static bool same_name(const char *name, const char *word, size_t len)
{
	return name && strlen(name) == len && memcmp(name, word, len) == 0;
}

static bool is_long(const struct xf_opt *opt, const char *word, size_t len)
{
	return same_name(opt->name, word, len) || same_name(opt->alias, word, len);
}

/* A long name, or with @len 0 the short one *word. */
static const struct xf_opt *find(const struct xf_opt *opts, const char *word, size_t len,
				 void **args)
{
	const struct xf_opt *found;

	for (; opts->type != XF_OPT_END; opts++) {
		void *inner = (char *)*args + opts->offset;

		if (opts->type != XF_OPT_TABLE) {
			if (len ? is_long(opts, word, len) : opts->short_name == *word)
				return opts;
			continue;
		}
		found = find(opts->table, word, len, &inner);
		if (found) {
			*args = inner;
			return found;
		}
	}
	return NULL;
}

/* Append the long names to the @n in @names. Returns the new number. */
static size_t add_names(const struct xf_opt *opts, const char *names[NAMES_MAX], size_t n)
{
	for (; opts->type != XF_OPT_END && n + 3 < NAMES_MAX; opts++) {
		if (opts->type == XF_OPT_TABLE)
			n = add_names(opts->table, names, n);
		if (opts->name)
			names[n++] = opts->name;
		if (opts->alias)
			names[n++] = opts->alias;
	}
	return n;
}

static const char *nearest_long(const struct xf_opt *opts, const char *word)
{
	const char *names[NAMES_MAX];

	names[add_names(opts, names, 0)] = NULL;
	return xf_nearest(word, names);
}

static int unknown_long(const struct xf_opt *opts, const char *word, size_t len)
{
	struct xf_strbuf name = XF_STRBUF(XF_OPT_TEXT);
	const char *nearest;

	xf_strbuf__add(&name, "%.*s", (int)len, word);
	nearest = nearest_long(opts, name.at);
	xf_err("unknown option --%s", name.at);
	if (nearest)
		xf_hint("did you mean --%s?", nearest);
	return -EINVAL;
}

static int parse_long(const struct xf_opt *opts, const char *word, struct words *words, void *args)
{
	const char *value = strchr(word, '=');
	size_t len = value ? (size_t)(value - word) : strlen(word);
	const struct xf_opt *opt = find(opts, word, len, &args);
	struct xf_strbuf given = XF_STRBUF(XF_OPT_TEXT);

	if (!opt)
		return unknown_long(opts, word, len);
	xf_strbuf__add(&given, "--%.*s", (int)len, word);
	if (value && !xf_opt_takes_value(opt)) {
		xf_err("%s takes no value, \"%s\" was given", given.at, value + 1);
		return -EINVAL;
	}
	return apply(opt, given.at, value ? value + 1 : NULL, words, args);
}

/* @word: one or more joined short options, without the dash. */
static int parse_short(const struct xf_opt *opts, const char *word, struct words *words, void *args)
{
	int err = 0;

	while (*word && !err) {
		char given[3] = { '-', *word, '\0' };
		void *to = args;
		const struct xf_opt *opt = find(opts, word++, 0, &to);

		if (!opt) {
			xf_err("unknown option %s", given);
			return -EINVAL;
		}
		if (!xf_opt_takes_value(opt)) {
			err = apply(opt, given, NULL, words, to);
			continue;
		}
		return apply(opt, given, *word ? word : NULL, words, to);
	}
	return err;
}

/* Append a word to @rest. Swapping keeps their order, and every pointer in argv. */
static void keep(struct words *words, int from, struct xf_rest *rest)
{
	char *word = words->at[from];

	words->at[from] = rest->at[rest->n];
	rest->at[rest->n++] = word;
}

int xf_opts_parse(const struct xf_opt *opts, int argc, char **argv, void *args,
		  struct xf_rest *rest)
{
	struct words words = { .at = argv, .n = argc, .next = 1 };
	bool options = true;
	int err = 0;

	rest->at = argv + (argc > 0);
	rest->n = 0;
	while (words.next < argc && !err) {
		const char *word = argv[words.next++];

		if (!options || word[0] != '-' || !word[1])
			keep(&words, words.next - 1, rest);
		else if (strcmp(word, "--") == 0)
			options = false;
		else if (word[1] == '-')
			err = parse_long(opts, word + 2, &words, args);
		else
			err = parse_short(opts, word + 1, &words, args);
	}
	return err;
}
