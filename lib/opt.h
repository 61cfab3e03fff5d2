/* SPDX-License-Identifier: GPL-2.0-only */
/* Command-line options as constant tables: parsing into the caller's struct, and --help from the
 * same table. */
#ifndef XF_OPT_H
#define XF_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Only options of the types FLAG, COUNT, LIST and IGNORED may be given more than once. */
enum xf_opt_type {
	XF_OPT_END = 0,
	XF_OPT_FLAG,	/* bool: set to true */
	XF_OPT_COUNT,	/* int: one more each time */
	XF_OPT_U32,	/* uint32_t in [min, max] */
	XF_OPT_U64,	/* uint64_t in [min, max] */
	XF_OPT_SIZE,	/* uint64_t bytes in [min, max], K/M/G accepted */
	XF_OPT_SECONDS, /* uint64_t nanoseconds in [min, max], decimals accepted */
	XF_OPT_STR,	/* const char *, points into argv; empty is refused */
	XF_OPT_ENUM,	/* int: index into values, a NULL-terminated list of names */
	XF_OPT_LIST,	/* struct xf_strs: each use adds one; empty is refused */
	XF_OPT_IGNORED, /* accepted, does nothing */
	XF_OPT_TABLE,	/* not an option: all those of another table, over what is at offset */
};

#define XF_STRS_MAX 64

struct xf_strs {
	const char *at[XF_STRS_MAX];
	unsigned int n;
};

struct xf_opt {
	const char *name;  /* long name, without dashes; NULL: short only */
	const char *alias; /* another long name, or NULL */
	char short_name;   /* 0: long only */
	enum xf_opt_type type;
	bool value_optional; /* --name or --name=VALUE; without VALUE def is stored (strings:
				nothing) */
	uint64_t def;
	const char *arg;    /* placeholder of the value in --help */
	size_t offset;	    /* of the value in the caller's struct */
	size_t seen_offset; /* of a bool that is set when the option is given; 0: none */
	uint64_t min, max;  /* max 0: the type's largest */
	const char *const *values;
	const struct xf_opt *table;
	const char *help; /* one or more lines, without indentation; NULL: not in --help */
};

/* The words that are no options, in order; points into argv. "--" ends the options. */
struct xf_rest {
	char **at;
	int n;
};

/* Parse @argv[1 .. argc) by @opts (ended by XF_OPT_END) into @args; options and other words may be
 * mixed. Short options may be joined (-qv) and carry their value (-c5); long ones take "--name
 * VALUE" and "--name=VALUE", exact names only, no abbreviations. Returns 0, or -EINVAL after an
 * error message that names the option, the value and what was expected (and, for an unknown long
 * option, the nearest known one). argv is reordered so that @rest can point into it. */
int xf_opts_parse(const struct xf_opt *opts, int argc, char **argv, void *args,
		  struct xf_rest *rest);

/* Print the options, two columns, wrapped at 100. */
void xf_opts_help(FILE *out, const struct xf_opt *opts);

/* Returns the string in @names (NULL-terminated) that is nearest to @word by edit distance, if that
 * is at most a third of its length, or 1; else NULL. */
const char *xf_nearest(const char *word, const char *const *names);

#endif
