// SPDX-License-Identifier: GPL-2.0-only
/* Command lines: the stored values, the remaining words, and the error messages. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/opt.h"
#include "tests/unit/capture.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS_MAX 140

struct args {
	int first; /* lets no offset be 0 */
	bool force;
	int verbose;
	uint32_t prio;
	uint64_t count, buffer, duration;
	const char *write;
	int format;
	struct xf_strs ifaces;
	bool stats_seen;
	uint64_t stats;
	bool echo_seen;
	const char *echo;
	uint32_t level;
};

#define AT(field) .offset = offsetof(struct args, field)

static const char *const formats[] = { "text", "json", "pcapng", NULL };

static const struct xf_opt opts[] = {
	{ .name = "force", .type = XF_OPT_FLAG, AT(force), .help = "overwrite" },
	{ .short_name = 'v', .type = XF_OPT_COUNT, AT(verbose), .help = "say more" },
	{ .name = "prio",
	  .short_name = 'P',
	  .type = XF_OPT_U32,
	  AT(prio),
	  .arg = "N",
	  .help = "position in the chain, lower runs first, and this text is so long that it must "
		  "be wrapped somewhere "
		  "near its end (default: 100)" },
	{ .name = "count",
	  .short_name = 'c',
	  .type = XF_OPT_U64,
	  AT(count),
	  .min = 1,
	  .arg = "N",
	  .help = "end then" },
	{ .name = "buffer",
	  .type = XF_OPT_SIZE,
	  AT(buffer),
	  .min = 4096,
	  .max = 1 << 30,
	  .help = "size" },
	{ .name = "duration",
	  .short_name = 'd',
	  .type = XF_OPT_SECONDS,
	  AT(duration),
	  .min = 1000000,
	  .max = 3600000000000,
	  .help = "first line\nsecond line" },
	{ .name = "write",
	  .alias = "output",
	  .short_name = 'w',
	  .type = XF_OPT_STR,
	  AT(write),
	  .arg = "FILE",
	  .help = "write there" },
	{ .name = "format",
	  .short_name = 'f',
	  .type = XF_OPT_ENUM,
	  AT(format),
	  .values = formats,
	  .help = "of the lines" },
	{ .name = "interface",
	  .short_name = 'i',
	  .type = XF_OPT_LIST,
	  AT(ifaces),
	  .help = "where" },
	{ .name = "stats",
	  .short_name = 'S',
	  .type = XF_OPT_SECONDS,
	  .value_optional = true,
	  .def = 1000000000,
	  AT(stats),
	  .seen_offset = offsetof(struct args, stats_seen),
	  .arg = "SECONDS",
	  .help = "now and then" },
	{ .name = "echo",
	  .type = XF_OPT_STR,
	  .value_optional = true,
	  AT(echo),
	  .seen_offset = offsetof(struct args, echo_seen),
	  .arg = "ADDR:PORT",
	  .help = "serve" },
	{ .short_name = 'L',
	  .type = XF_OPT_U32,
	  .value_optional = true,
	  .def = 3,
	  AT(level),
	  .max = 9,
	  .arg = "N",
	  .help = "level" },
	{ .short_name = 'n', .type = XF_OPT_IGNORED },
	{ .name = "an-option-with-quite-a-long-name",
	  .type = XF_OPT_STR,
	  AT(write),
	  .help = "own line" },
	{ .type = XF_OPT_END },
};

struct parsed {
	struct args args;
	struct xf_rest rest;
	char *argv[WORDS_MAX];
	char line[1024];
	struct capture cap;
	const char *said;
	int err;
};

/* Parse a command line in which single spaces separate words; two spaces make an empty word. */
static void parse(struct parsed *p, const char *line)
{
	int argc = 0;
	char *at;

	memset(p, 0, sizeof(*p));
	snprintf(p->line, sizeof(p->line), "%s", line);
	p->argv[argc++] = "xdpfun-load";
	for (at = p->line; *line && at; argc++)
		p->argv[argc] = strsep(&at, " ");
	assert_true(argc < WORDS_MAX);
	capture_begin(&p->cap);
	p->err = xf_opts_parse(opts, argc, p->argv, &p->args, &p->rest);
	p->said = capture_end(&p->cap);
}

static const struct {
	const char *name, *line;
	struct args want;
	const char *rest;
} good[] = {
	{ "nothing", "", {}, "" },
	{ "flag", "--force", { .force = true }, "" },
	{ "flag twice", "--force --force", { .force = true }, "" },
	{ "counted", "-v -v -v", { .verbose = 3 }, "" },
	{ "counted, joined", "-vvv", { .verbose = 3 }, "" },
	{ "value in the next word", "--prio 7", { .prio = 7 }, "" },
	{ "value behind the sign", "--prio=7", { .prio = 7 }, "" },
	{ "short with a word", "-P 7", { .prio = 7 }, "" },
	{ "short with the value joined", "-P7", { .prio = 7 }, "" },
	{ "joined, the last with a value", "-vvP7", { .verbose = 2, .prio = 7 }, "" },
	{ "joined, the last with a word", "-vnP 7", { .verbose = 1, .prio = 7 }, "" },
	{ "largest u32", "--prio 4294967295", { .prio = UINT32_MAX }, "" },
	{ "largest u64", "-c 18446744073709551615", { .count = UINT64_MAX }, "" },
	{ "size", "--buffer 64M", { .buffer = 64 << 20 }, "" },
	{ "seconds", "-d 0.25", { .duration = 250000000 }, "" },
	{ "string", "--write a=b", { .write = "a=b" }, "" },
	{ "string with a sign in it", "--write=a=b", { .write = "a=b" }, "" },
	{ "alias", "--output x", { .write = "x" }, "" },
	{ "string that looks like an option", "-w -v", { .write = "-v" }, "" },
	{ "enum, first", "-f text", { .format = 0 }, "" },
	{ "enum, last", "--format=pcapng", { .format = 2 }, "" },
	{ "list",
	  "-i a --interface b -ic --interface=d",
	  { .ifaces = { { "a", "b", "c", "d" }, 4 } },
	  "" },
	{ "optional value left out", "--stats", { .stats_seen = true, .stats = 1000000000 }, "" },
	{ "optional value given", "--stats=2.5", { .stats_seen = true, .stats = 2500000000 }, "" },
	{ "optional value is no next word",
	  "--stats 2",
	  { .stats_seen = true, .stats = 1000000000 },
	  "2" },
	{ "optional value, short", "-S", { .stats_seen = true, .stats = 1000000000 }, "" },
	{ "optional value, short and joined",
	  "-S3",
	  { .stats_seen = true, .stats = 3000000000 },
	  "" },
	{ "optional u32 left out", "-L", { .level = 3 }, "" },
	{ "optional u32 given", "-L9", { .level = 9 }, "" },
	{ "optional string left out", "--echo", { .echo_seen = true }, "" },
	{ "optional string given", "--echo=[::]:7", { .echo_seen = true, .echo = "[::]:7" }, "" },
	{ "ignored", "-n -nn", {}, "" },
	{ "other words", "log -v host 10.9.0.1", { .verbose = 1 }, "log host 10.9.0.1" },
	{ "other words behind many options",
	  "-v -P 1 -c 2 x -v y",
	  { .verbose = 2, .prio = 1, .count = 2 },
	  "x y" },
	{ "a single dash is a word", "- -v", { .verbose = 1 }, "-" },
	{ "two dashes end the options", "-v -- -v --prio x", { .verbose = 1 }, "-v --prio x" },
	{ "only the first two dashes do", "-- --", {}, "--" },
	{ "words before and behind two dashes", "a -v -- b -c", { .verbose = 1 }, "a b -c" },
};

static bool same_str(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_args(const struct args *a, const struct args *b)
{
	if (a->ifaces.n != b->ifaces.n)
		return false;
	for (unsigned int i = 0; i < a->ifaces.n; i++)
		if (!same_str(a->ifaces.at[i], b->ifaces.at[i]))
			return false;
	return a->first == b->first && a->force == b->force && a->verbose == b->verbose &&
	       a->prio == b->prio && a->count == b->count && a->buffer == b->buffer &&
	       a->duration == b->duration && same_str(a->write, b->write) &&
	       a->format == b->format && a->stats_seen == b->stats_seen && a->stats == b->stats &&
	       a->echo_seen == b->echo_seen && same_str(a->echo, b->echo) && a->level == b->level;
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct parsed p;
		char rest[256] = "";

		parse(&p, good[i].line);
		for (int n = 0; n < p.rest.n; n++)
			snprintf(rest + strlen(rest), sizeof(rest) - strlen(rest), "%s%s",
				 n ? " " : "", p.rest.at[n]);
		if (p.err || *p.said || strcmp(rest, good[i].rest) ||
		    !same_args(&p.args, &good[i].want))
			fail_msg("%s: err %d, said \"%s\", rest \"%s\"", good[i].name, p.err,
				 p.said, rest);
	}
}

/* The message has each of these texts. */
static const struct {
	const char *name, *line, *says[4];
} bad[] = {
	{ "letters behind a number",
	  "--prio 80abc",
	  { "--prio", "\"80abc\"", "whole number from 0 to 4294967295" } },
	{ "letters behind, joined", "-P80abc", { "-P:", "\"80abc\"" } },
	{ "empty number", "--prio=", { "--prio", "\"\"" } },
	{ "empty word for a number", "--prio ", { "--prio", "\"\"" } },
	{ "negative", "--prio -1", { "--prio", "\"-1\"", "not valid" } },
	{ "negative, short", "-P-1", { "-P", "\"-1\"" } },
	{ "too large for u32", "-P 4294967296", { "-P", "\"4294967296\" is out of range" } },
	{ "too large for u64", "-c 18446744073709551616", { "-c", "out of range", "at least 1" } },
	{ "too small", "-c 0", { "-c", "\"0\" is out of range", "at least 1" } },
	{ "sign between short and value", "-P=7", { "-P", "\"=7\"" } },
	{ "size too small",
	  "--buffer 1K",
	  { "--buffer", "\"1K\"", "from 4K to 1G", "K, M and G" } },
	{ "size too large", "--buffer 2G", { "--buffer", "\"2G\" is out of range" } },
	{ "no size", "--buffer 1X", { "--buffer", "\"1X\" is not valid" } },
	{ "seconds too small", "-d 0", { "-d", "seconds from 0.001 to 3600" } },
	{ "no seconds", "-d 1s", { "-d", "\"1s\"" } },
	{ "empty string", "--write=", { "--write", "not empty" } },
	{ "empty word for a string", "-w ", { "-w", "not empty" } },
	{ "empty list item", "--interface=", { "--interface", "not empty" } },
	{ "unknown enum", "-f xml", { "-f", "\"xml\"", "text, json or pcapng" } },
	{ "enum abbreviated", "-f js", { "-f", "\"js\"" } },
	{ "empty enum", "--format=", { "--format", "\"\"" } },
	{ "optional value empty", "--stats=", { "--stats", "\"\"" } },
	{ "optional value bad", "--stats=x", { "--stats", "\"x\"" } },
	{ "optional u32 too large", "-L10", { "-L", "from 0 to 9" } },
	{ "value missing, long", "--prio", { "--prio", "missing", "whole number" } },
	{ "value missing, short", "-vP", { "-P", "missing" } },
	{ "value missing, enum", "-f", { "-f", "missing", "text, json or pcapng" } },
	{ "flag with a value", "--force=yes", { "--force", "no value", "\"yes\"" } },
	{ "flag with an empty value", "--force=", { "--force", "no value" } },
	{ "unknown long", "--nothing-like-it", { "unknown option --nothing-like-it" } },
	{ "unknown long with a value", "--nothing=1", { "unknown option --nothing\n" } },
	{ "typo", "--proi 5", { "unknown option --proi", "did you mean --prio?" } },
	{ "typo with a value",
	  "--fromat=json",
	  { "unknown option --fromat\n", "did you mean --format?" } },
	{ "typo of an alias", "--outptu x", { "did you mean --output?" } },
	{ "abbreviation", "--inter eth0", { "unknown option --inter" } },
	{ "unknown short", "-z", { "unknown option -z" } },
	{ "unknown short among known ones", "-vzn", { "unknown option -z" } },
	{ "number twice", "--prio 7 -P 8", { "-P is given twice" } },
	{ "the same number twice", "-P7 --prio=7", { "--prio is given twice" } },
	{ "string twice", "-w a --output b", { "--output is given twice" } },
	{ "enum twice", "-f text -f json", { "-f is given twice" } },
	{ "optional value twice", "--stats --stats=2", { "--stats is given twice" } },
	{ "size twice", "--buffer 1M --buffer 1M", { "--buffer is given twice" } },
	{ "empty long name", "--=x", { "unknown option --\n" } },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct parsed p;

		parse(&p, bad[i].line);
		if (p.err != -EINVAL)
			fail_msg("%s: err %d", bad[i].name, p.err);
		for (int n = 0; n < 4 && bad[i].says[n]; n++)
			if (!strstr(p.said, bad[i].says[n]))
				fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].name, p.said,
					 bad[i].says[n]);
	}
}

static void test_no_suggestion_for_strangers(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "--nothing-like-it");
	assert_null(strstr(p.said, "hint"));
	parse(&p, "--pr");
	assert_null(strstr(p.said, "hint"));
}

static void test_list_full(void **state)
{
	struct parsed p;
	char line[1024] = "-i0";

	(void)state;
	for (int i = 1; i < XF_STRS_MAX; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " -i%d", i);
	parse(&p, line);
	assert_int_equal(p.err, 0);
	assert_int_equal(p.args.ifaces.n, XF_STRS_MAX);
	assert_string_equal(p.args.ifaces.at[XF_STRS_MAX - 1], "63");
	strcat(line, " -ix");
	parse(&p, line);
	assert_int_equal(p.err, -EINVAL);
	assert_non_null(strstr(p.said, "\"x\" is one too many"));
	assert_non_null(strstr(p.said, "64"));
}

/* argv keeps all its words: first those that are no options, in order, then the options. */
static void test_argv_is_kept(void **state)
{
	static const char *const words[] = { "-v", "a", "-P", "7", "b", "--force", "c" };
	struct parsed p;

	(void)state;
	parse(&p, "-v a -P 7 b --force c");
	assert_string_equal(p.argv[0], "xdpfun-load");
	assert_ptr_equal(p.rest.at, p.argv + 1);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		int found = 0;

		for (size_t n = 1; n <= ARRAY_SIZE(words); n++)
			found += strcmp(p.argv[n], words[i]) == 0;
		assert_int_equal(found, 1);
	}
}

static void test_empty_argv(void **state)
{
	char *argv[] = { NULL };
	struct args args = { 0 };
	struct xf_rest rest;

	(void)state;
	assert_int_equal(xf_opts_parse(opts, 0, argv, &args, &rest), 0);
	assert_int_equal(rest.n, 0);
}

static const char help[] = "      --force                    overwrite\n"
			   "  -v                             say more\n"
			   "  -P, --prio N                   position in the chain, lower runs "
			   "first, and this text is so long\n"
			   "                                 that it must be wrapped somewhere "
			   "near its end (default: 100)\n"
			   "  -c, --count N                  end then\n"
			   "      --buffer VALUE             size\n"
			   "  -d, --duration VALUE           first line\n"
			   "                                 second line\n"
			   "  -w, --write FILE               write there (also --output)\n"
			   "  -f, --format text|json|pcapng  of the lines\n"
			   "  -i, --interface VALUE          where\n"
			   "  -S, --stats[=SECONDS]          now and then\n"
			   "      --echo[=ADDR:PORT]         serve\n"
			   "  -L[N]                          level\n"
			   "      --an-option-with-quite-a-long-name VALUE\n"
			   "                                 own line\n";

static void test_help(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	xf_opts_help(out, opts);
	fclose(out);
	assert_string_equal(text, help);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_no_suggestion_for_strangers),
		cmocka_unit_test(test_list_full),
		cmocka_unit_test(test_argv_is_kept),
		cmocka_unit_test(test_empty_argv),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests_name("opt", tests, NULL, NULL);
}
