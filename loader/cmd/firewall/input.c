// SPDX-License-Identifier: GPL-2.0-only
/* The rules in a file or on standard input. A download that fails leaves a pipe empty, or ends it
 * within a line: neither is taken for a list. */
#include "loader/cmd/firewall/input.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/msg.h"

const struct xf_opt xf_fw_input_options[] = {
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

int xf_fw_input__open(struct xf_fw_input *input, const struct xf_fw_args *args, const char *path)
{
	int err;

	*input = (struct xf_fw_input) {};
	err = xf_lines__open(&input->lines, path);
	if (!err)
		input->from_pipe =
		    !args->allow_empty && (!strcmp(path, "-") || is_pipe(input->lines.fd));
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

static int refuse_line(const struct xf_lines *lines, const struct xf_rule_error *error)
{
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

/* A line's rule. Returns 1; 0: it has none; or -EINVAL after a message. */
static int take(const struct xf_fw_input *input, const char *line, size_t len, struct xf_rule *rule)
{
	struct xf_rule_error error;
	int ret;

	if (input->from_pipe && input->lines.unterminated)
		return refuse_unterminated(&input->lines, len);
	ret = xf_rule_parse(line, len, rule, &error);
	return ret < 0 ? refuse_line(&input->lines, &error) : ret;
}

int xf_fw_input__next(struct xf_fw_input *input, int wait_ms, struct xf_rule *rule)
{
	const char *line;
	size_t len;
	int ret;

	do {
		ret = xf_lines__next(&input->lines, wait_ms, &line, &len);
		if (ret == -EAGAIN)
			return ret;
		if (!ret)
			return input->from_pipe && !input->any ? refuse_empty(input) : 0;
		ret = ret < 0 ? explain(&input->lines, ret) : take(input, line, len, rule);
	} while (!ret);
	input->any = true;
	return ret;
}
