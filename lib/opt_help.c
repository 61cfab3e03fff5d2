// SPDX-License-Identifier: GPL-2.0-only
/* --help from the table of options. */
#include "lib/opt_impl.h"

#include <string.h>

#include "lib/strbuf.h"

#define WIDTH 100
#define LEFT_MAX 34 /* a longer left column gets a line of its own */

static void add_arg(struct xf_strbuf *left, const struct xf_opt *opt)
{
	if (!xf_opt_takes_value(opt))
		return;
	xf_strbuf__add(left, "%s", !opt->value_optional ? " " : opt->name ? "[=" : "[");
	if (opt->arg)
		xf_strbuf__add(left, "%s", opt->arg);
	else if (opt->type == XF_OPT_ENUM)
		xf_strbuf__add_list(left, opt->values, "|", "|");
	else
		xf_strbuf__add(left, "VALUE");
	if (opt->value_optional)
		xf_strbuf__add(left, "]");
}

static void left_column(struct xf_strbuf *left, const struct xf_opt *opt)
{
	left->len = 0;
	if (opt->short_name)
		xf_strbuf__add(left, "  -%c", opt->short_name);
	else
		xf_strbuf__add(left, "    ");
	if (opt->name)
		xf_strbuf__add(left, "%s--%s", opt->short_name ? ", " : "  ", opt->name);
	add_arg(left, opt);
}

/* Print @help from @column on; the cursor is at @at. A newline in the text is one in the output. */
static void print_wrapped(FILE *out, const char *help, size_t at, size_t column)
{
	bool first = true; /* the next word is the first of its line */

	fprintf(out, "%*s", (int)(column - at), "");
	at = column;
	while (*help) {
		size_t len = strcspn(help, " \n");

		if (!first && at + 1 + len > WIDTH) {
			fprintf(out, "\n%*s", (int)column, "");
			at = column;
			first = true;
		}
		fprintf(out, "%s%.*s", first ? "" : " ", (int)len, help);
		at += len + !first;
		first = false;
		help += len;
		if (*help == '\n') {
			fprintf(out, "\n%*s", help[1] ? (int)column : 0, "");
			at = column;
			first = true;
		}
		help += *help != '\0';
	}
	if (!first)
		fputc('\n', out);
}

static void print_help(FILE *out, const struct xf_opt *opt, size_t at, size_t column)
{
	char help[2048];

	snprintf(help, sizeof(help), "%s%s%s%s", opt->help, opt->alias ? " (also --" : "",
		 opt->alias ? opt->alias : "", opt->alias ? ")" : "");
	if (at + 2 > column) {
		fputc('\n', out);
		at = 0;
	}
	print_wrapped(out, help, at, column);
}

/* Returns the width of the widest left column up to LEFT_MAX, at least @column. */
static size_t widest(const struct xf_opt *opts, size_t column)
{
	struct xf_strbuf left = XF_STRBUF(XF_OPT_TEXT);

	for (; opts->type != XF_OPT_END; opts++) {
		if (opts->type == XF_OPT_TABLE)
			column = widest(opts->table, column);
		if (!opts->help)
			continue;
		left_column(&left, opts);
		if (left.len <= LEFT_MAX && left.len > column)
			column = left.len;
	}
	return column;
}

static void print_options(FILE *out, const struct xf_opt *opts, size_t column)
{
	struct xf_strbuf left = XF_STRBUF(XF_OPT_TEXT);

	for (; opts->type != XF_OPT_END; opts++) {
		if (opts->type == XF_OPT_TABLE)
			print_options(out, opts->table, column);
		if (!opts->help)
			continue;
		left_column(&left, opts);
		fprintf(out, "%s", left.at);
		print_help(out, opts, left.len, column);
	}
}

void xf_opts_help(FILE *out, const struct xf_opt *opts)
{
	print_options(out, opts, widest(opts, 0) + 2);
}
