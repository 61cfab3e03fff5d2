// SPDX-License-Identifier: GPL-2.0-only
/* The rules in a file or on standard input. A download that fails leaves a pipe empty, or ends it
 * within a line: neither is taken for a list. */
#include "loader/cmd/firewall/input.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/msg.h"

enum format {
	RULES,
	PLAIN,
};

static const char *const formats[] = { "rules", "plain", NULL };

const struct xf_opt xf_fw_input_options[] = {
	{ .name = "format",
	  .type = XF_OPT_ENUM,
	  .arg = "rules|plain",
	  .values = formats,
	  .offset = offsetof(struct xf_fw_args, format),
	  .help =
	      "plain: a list of addresses, prefixes and ranges, also as ipset or nft has it, each of which"
	      " becomes a rule (default: plain with allow or deny before the name, else rules)" },
	{ .name = "mask",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_fw_args, mask),
	  .help = "clear the bits behind the prefixes in a plain list, in place of refusing them" },
	{ .name = "allow-empty",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_fw_args, allow_empty),
	  .help = "standard input may have no rule, or a last line without its end" },
	{ .type = XF_OPT_END },
};

static bool is_pipe(int fd)
{
	struct stat info;

	return !fstat(fd, &info) && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode));
}

bool xf_fw_source_of(const struct xf_rest *words, struct xf_fw_source *source)
{
	*source = (struct xf_fw_source) { .action = -1 };
	if (words->n < 1 || words->n > 2)
		return false;
	source->path = words->at[words->n - 1];
	for (int i = 0; words->n == 2 && xf_fw_policies[i]; i++)
		if (!strcmp(words->at[0], xf_fw_policies[i]))
			source->action = i;
	return words->n == 1 || source->action >= 0;
}

int xf_fw_source_check(const struct xf_fw_args *args, const struct xf_fw_source *source,
		       const char *command)
{
	bool is_plain = source && source->action >= 0;

	if (!source && (args->format >= 0 || args->mask || args->allow_empty)) {
		xf_err("--format, --mask and --allow-empty are for lists, not for a rule");
		xf_hint("'xdpfun-load firewall %s RULE', or '-' for standard input", command);
	} else if (args->format == PLAIN && !is_plain) {
		xf_err("a plain list has addresses only: expected allow or deny before its name");
		xf_hint("'xdpfun-load firewall %s --format plain deny %s'", command, source->path);
	} else if (args->format == RULES && is_plain) {
		xf_err("rules say themselves what they allow or deny: expected no '%s' before the "
		       "name of their file",
		       xf_fw_policies[source->action]);
		xf_hint("'xdpfun-load firewall %s %s'", command, source->path);
	} else if (args->mask && !is_plain) {
		xf_err("--mask is for plain lists");
		xf_hint("'xdpfun-load firewall %s --mask deny %s'", command, source->path);
	} else {
		return 0;
	}
	return -EINVAL;
}

int xf_fw_input__open(struct xf_fw_input *input, const struct xf_fw_args *args,
		      const struct xf_fw_source *source)
{
	int err;

	*input = (struct xf_fw_input) {
		.is_plain = source->action >= 0,
		.plain = { .deny = source->action > 0, .mask = args->mask },
	};
	err = xf_lines__open(&input->lines, source->path);
	if (!err)
		input->from_pipe =
		    !args->allow_empty && (!strcmp(source->path, "-") || is_pipe(input->lines.fd));
	return err;
}

void xf_fw_input__close(struct xf_fw_input *input)
{
	xf_lines__close(&input->lines);
}

static int refuse_empty(const struct xf_fw_input *input)
{
	xf_err("%s has no rule", input->lines.name);
	xf_hint("what fed it may have failed; with --allow-empty it may have none");
	return -ENODATA;
}

static int refuse_unterminated(const struct xf_lines *lines, size_t len)
{
	xf_err("%s:%" PRIu64 ":%zu: the last line has no end", lines->name, lines->number, len + 1);
	xf_hint("what fed it may have failed; with --allow-empty the line counts as it is");
	return -EINVAL;
}

/* Whether the line alone is sound as one of a plain list. */
static bool is_plain_line(const char *line, size_t len)
{
	struct xf_plain plain = { .mask = true };
	struct xf_rule_error error;
	struct xf_rule rule;

	xf_plain__line(&plain, line, len);
	return xf_plain__next(&plain, &rule, &error) == 1;
}

/* A mistake that all lines of a file may have, and the way out. */
static void hint_once(struct xf_fw_input *input, const char *line, size_t len)
{
	if (input->hinted || (input->is_plain && input->plain.mask) || !is_plain_line(line, len))
		return;
	input->hinted = true;
	if (input->is_plain)
		xf_hint("--mask clears the bits behind prefixes");
	else
		xf_hint("a list of addresses is read with 'deny' or 'allow' before its name, as in "
			"'deny %s'",
			!strcmp(input->lines.name, "stdin") ? "-" : input->lines.name);
}

static int refuse_part(struct xf_fw_input *input, const struct xf_rule_error *error)
{
	const struct xf_lines *lines = &input->lines;

	xf_err("%s:%" PRIu64 ":%u: %s", lines->name, lines->number, error->column, error->text);
	return -EINVAL;
}

/* xf_lines__next() failed. */
static int explain(const struct xf_lines *lines, int err)
{
	if (err == -EMSGSIZE)
		xf_err("%s:%" PRIu64 ":1: the line is longer than %d bytes", lines->name,
		       lines->number, XF_LINE_MAX);
	else if (!lines->number)
		xf_err("cannot read %s: %s", lines->name, strerror(-err));
	else
		xf_err("cannot read %s behind line %" PRIu64 ": %s", lines->name, lines->number,
		       strerror(-err));
	return err == -EMSGSIZE ? -EINVAL : err;
}

/* The next rule in a line of a plain list. Returns as xf_fw_input__next(). */
static int take_plain(struct xf_fw_input *input, struct xf_rule *rule)
{
	struct xf_plain *plain = &input->plain;
	struct xf_rule_error error;
	int ret = xf_plain__next(plain, rule, &error);

	input->in_line = ret == 1 || ret == -EINVAL;
	if (ret >= 0)
		return ret;
	refuse_part(input, &error);
	hint_once(input, plain->start, plain->end - plain->start);
	if (ret == -EPROTO)
		xf_hint("what comes behind this line is not looked at");
	return ret;
}

/* A line's first rule. */
static int take_line(struct xf_fw_input *input, const char *line, size_t len, struct xf_rule *rule)
{
	struct xf_rule_error error;
	int ret;

	if (input->from_pipe && input->lines.unterminated)
		return refuse_unterminated(&input->lines, len);
	if (input->is_plain) {
		xf_plain__line(&input->plain, line, len);
		return take_plain(input, rule);
	}
	ret = xf_rule_parse(line, len, rule, &error);
	if (ret >= 0)
		return ret;
	refuse_part(input, &error);
	hint_once(input, line, len);
	return ret;
}

/* Whether it may end here. Returns 0, or -errno after a message. */
static int check_end(const struct xf_fw_input *input)
{
	uint64_t begin = input->is_plain ? xf_plain__unended(&input->plain) : 0;

	if (begin) {
		xf_err("%s:%" PRIu64 ":1: the '}' is missing to what begins here",
		       input->lines.name, begin);
		return -EPROTO;
	}
	return input->from_pipe && !input->any ? refuse_empty(input) : 0;
}

int xf_fw_input__next(struct xf_fw_input *input, int wait_ms, struct xf_rule *rule)
{
	const char *line;
	size_t len;
	int ret = input->in_line ? take_plain(input, rule) : 0;

	while (!ret) {
		ret = xf_lines__next(&input->lines, wait_ms, &line, &len);
		if (ret == -EAGAIN)
			return ret;
		if (!ret)
			return check_end(input);
		ret = ret < 0 ? explain(&input->lines, ret) : take_line(input, line, len, rule);
	}
	input->any = true;
	return ret;
}
