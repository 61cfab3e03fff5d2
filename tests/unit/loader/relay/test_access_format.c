// SPDX-License-Identifier: GPL-2.0-only
/* Lines of the access log, as text and as JSON read back with json-c, and the line of totals. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loader/relay/access_format.h"
#include "sockmap/route/endpoint.h"
#include "tests/unit/loader/json_object.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define STARTED                                                                                    \
	{                                                                                          \
		.tv_sec = 1709296496, .tv_nsec = 789012345                                         \
	} /* 2024-03-01T12:34:56.789012345Z */

static struct xf_addr addr(const char *text)
{
	struct xf_addr parsed = { .len = 0 };

	if (text && xf_endpoint_parse_listen(text, &parsed, NULL))
		fail_msg("%s is no address", text);
	return parsed;
}

/* A connection, and its line in both formats. */
struct row {
	const char *name;
	const char *client, *peer, *local, *upstream;
	unsigned int route_line;
	const char *route;
	const char *engine;
	unsigned int moves;
	uint64_t out, in, duration;
	const char *end;
	int error;
	bool echo;
	const char *text, *json;
	const char *sni, *host; /* NULL: none */
	const char *alpn;
};

static const struct row rows[] = {
	{ "with everything",
	  "203.0.113.7:40000",
	  "198.51.100.9:1234",
	  "192.0.2.1:443",
	  "10.0.0.2:8443",
	  3,
	  "sni example.org",
	  "sockmap",
	  2,
	  1234,
	  567890,
	  123456789,
	  "closed",
	  0,
	  false,
	  "2024-03-01 12:34:56.789012 203.0.113.7:40000 via 198.51.100.9:1234 > 192.0.2.1:443 upstream "
	  "10.0.0.2:8443 sni example.org alpn h2,http/1.1 route \"sni example.org\" engine sockmap moves 2 out 1234 in 567890 "
	  "0.123s closed\n",
	  "{'time':'2024-03-01T12:34:56.789012345Z','client':'203.0.113.7:40000',"
	  "'peer':'198.51.100.9:1234','listen':'192.0.2.1:443','upstream':'10.0.0.2:8443',"
	  "'sni':'example.org','alpn':'h2,http/1.1','route':'sni example.org','route_line':3,'engine':'sockmap','moves':2,"
	  "'bytes_to_upstream':1234,'bytes_to_client':567890,'duration':0.123456789,"
	  "'end':'closed'}\n",
	  "example.org",
	  NULL,
	  "h2,http/1.1" },
	{ "to a fixed upstream: no route",
	  "[2001:db8::7]:40000",
	  "[2001:db8::7]:40000",
	  "[2001:db8::1]:443",
	  "[fd00::2]:443",
	  0,
	  "any",
	  "splice",
	  0,
	  0,
	  0,
	  60 * 1000000000ull,
	  "reset by client",
	  ECONNRESET,
	  false,
	  "2024-03-01 12:34:56.789012 [2001:db8::7]:40000 > [2001:db8::1]:443 upstream [fd00::2]:443 engine "
	  "splice out 0 in 0 60.000s reset by client: Connection reset by peer\n",
	  "{'time':'2024-03-01T12:34:56.789012345Z','client':'[2001:db8::7]:40000',"
	  "'listen':'[2001:db8::1]:443','upstream':'[fd00::2]:443','engine':'splice','moves':0,"
	  "'bytes_to_upstream':0,'bytes_to_client':0,'duration':60.000000000,"
	  "'end':'reset by client','error':'Connection reset by peer'}\n",
	  NULL,
	  NULL,
	  NULL },
	{ "rejected before anything moved",
	  "203.0.113.7:1",
	  "203.0.113.7:1",
	  "192.0.2.1:443",
	  NULL,
	  17,
	  "host *.example.org",
	  NULL,
	  0,
	  0,
	  0,
	  999999,
	  "rejected",
	  0,
	  false,
	  "2024-03-01 12:34:56.789012 203.0.113.7:1 > 192.0.2.1:443 host a.example.org route \"host *.example.org\" out 0 in 0 "
	  "0.000s rejected\n",
	  "{'time':'2024-03-01T12:34:56.789012345Z','client':'203.0.113.7:1',"
	  "'listen':'192.0.2.1:443','host':'a.example.org','route':'host *.example.org','route_line':17,"
	  "'bytes_to_upstream':0,'bytes_to_client':0,'duration':0.000999999,'end':'rejected'}\n",
	  NULL,
	  "a.example.org",
	  NULL },
	{ "an echo",
	  "127.0.0.1:1",
	  "127.0.0.1:1",
	  "127.0.0.1:10000",
	  NULL,
	  0,
	  "",
	  "copy",
	  0,
	  18446744073709551615ull,
	  0,
	  1,
	  "closed",
	  0,
	  true,
	  "2024-03-01 12:34:56.789012 127.0.0.1:1 > 127.0.0.1:10000 engine copy echoed 18446744073709551615 "
	  "0.000s closed\n",
	  "{'time':'2024-03-01T12:34:56.789012345Z','client':'127.0.0.1:1',"
	  "'listen':'127.0.0.1:10000','engine':'copy','moves':0,"
	  "'bytes_to_client':18446744073709551615,'duration':0.000000001,'end':'closed'}\n",
	  NULL,
	  NULL,
	  NULL },
	{ "a token's file with odd bytes in its name",
	  "127.0.0.1:1",
	  "127.0.0.1:1",
	  "127.0.0.1:2",
	  NULL,
	  1,
	  "token @a\"b\\c\xff\xc2\x9b\xc3\xa4",
	  NULL,
	  0,
	  0,
	  0,
	  0,
	  "bad token",
	  0,
	  false,
	  "2024-03-01 12:34:56.789012 127.0.0.1:1 > 127.0.0.1:2 route \"token @a\\\"b\\\\c\\u00ff\\u009b\xc3\xa4"
	  "\" out 0 in 0 0.000s bad token\n",
	  "{'time':'2024-03-01T12:34:56.789012345Z','client':'127.0.0.1:1','listen':'127.0.0.1:2',"
	  "'route':'token @a\\\"b\\\\c\\u00ff\\u009b\xc3\xa4','route_line':1,'bytes_to_upstream':0,"
	  "'bytes_to_client':0,'duration':0.000000000,'end':'bad token'}\n",
	  NULL,
	  NULL,
	  NULL },
};

static struct xf_report report_of(const struct row *row)
{
	return (struct xf_report) {
		.started = STARTED,
		.duration = row->duration,
		.client = addr(row->client),
		.peer = addr(row->peer),
		.local = addr(row->local),
		.upstream = addr(row->upstream),
		.route_line = row->route_line,
		.route = row->route,
		.sni = row->sni ?: "",
		.host = row->host ?: "",
		.alpn = row->alpn ?: "",
		.moves = row->moves,
		.to_upstream = row->out,
		.to_client = row->in,
		.error = row->error,
	};
}

/* Format into memory that is exactly as large as promised. */
static char *format(xf_access_fn fn, const struct xf_access_line *line)
{
	char *room = malloc(XF_OUT_MAX), *text;
	size_t len = fn(line, room) - room;

	assert_in_range(len, 1, XF_OUT_MAX);
	text = strndup(room, len);
	assert_int_equal(strlen(text), len);
	free(room);
	return text;
}

static char *with_double_quotes(const char *text)
{
	char *copy = strdup(text);

	for (char *at = copy; *at; at++)
		if (*at == '\'')
			*at = '"';
	return copy;
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xf_report report = report_of(&rows[i]);
		struct xf_access_line line = { &report, rows[i].engine, rows[i].end, rows[i].echo };
		char *json = with_double_quotes(rows[i].json), *got;

		print_message("%s\n", rows[i].name);
		got = format(xf_access_text, &line);
		assert_string_equal(got, rows[i].text);
		free(got);
		got = format(xf_access_json, &line);
		assert_string_equal(got, json);
		free(got);
		free(json);
	}
}

/* Each field is as long as it can be, and the text of the rule longer still. */
static void test_longest(void **state)
{
	static char longest[] = "unix:/"
				"pppppppppppppppppppppppppppppppppppppppppppppppppppp"
				"pppppppppppppppppppppppppppppppppppppppppppppppppppppp";
	static const char *const fill[] = { "x", "\"", "\x01", "\xff", "\xf0\x9f\x98\x80" };
	struct row row = { .client = longest,
			   .peer = "[2001:db80::1]:1",
			   .local = longest,
			   .upstream = longest,
			   .route_line = UINT32_MAX,
			   .moves = UINT32_MAX,
			   .out = UINT64_MAX,
			   .in = UINT64_MAX,
			   .duration = UINT64_MAX,
			   .error = EILSEQ };
	char route[2000], end[100], name[256];

	(void)state;
	memset(end, 'e', sizeof(end) - 1);
	end[sizeof(end) - 1] = '\0';
	row.route = route;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	row.sni = row.alpn = name; /* of a first packet: both, or a host */
	for (size_t i = 0; i < ARRAY_SIZE(fill); i++) {
		struct xf_report report;
		struct xf_access_line line = { &report, "sockmap", end, false };
		struct json_object *obj, *value;
		char *text;

		route[0] = '\0';
		while (strlen(route) + strlen(fill[i]) < sizeof(route))
			strcat(route, fill[i]);
		report = report_of(&row);
		text = format(xf_access_text, &line);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		free(text);
		text = format(xf_access_json, &line);
		obj = read_back(text, strlen(text));
		assert_true(json_object_object_get_ex(obj, "route", &value));
		assert_in_range(json_object_get_string_len(value), 40, 300);
		assert_true(json_object_object_get_ex(obj, "upstream", &value));
		assert_string_equal(json_object_get_string(value), longest);
		json_object_put(obj);
		free(text);
	}
}

static const char *const outcomes[XF_OUTCOMES] = {
	[XF_OUTCOME_CLOSED] = "closed",	    [XF_OUTCOME_CLIENT_RESET] = "reset by client",
	[XF_OUTCOME_UPSTREAM_RESET] = "o2", [XF_OUTCOME_IDLE] = "idle",
	[XF_OUTCOME_DRAIN] = "o4",	    [XF_OUTCOME_MEMORY] = "o5",
	[XF_OUTCOME_ERROR] = "o6",	    [XF_OUTCOME_CLIENT_LOST] = "o7",
	[XF_OUTCOME_UPSTREAM_LOST] = "o8",  [XF_OUTCOME_REJECTED] = "o9",
	[XF_OUTCOME_NO_ROUTE] = "o10",	    [XF_OUTCOME_AMBIGUOUS] = "o11",
	[XF_OUTCOME_BAD_TOKEN] = "o12",	    [XF_OUTCOME_BAD_PROXY] = "o13",
	[XF_OUTCOME_FIRST_TIMEOUT] = "o14", [XF_OUTCOME_FIRST_SIZE] = "o15",
	[XF_OUTCOME_FIRST_CROWD] = "o16",   [XF_OUTCOME_CLIENT_GONE] = "o17",
	[XF_OUTCOME_REFUSED] = "o18",	    [XF_OUTCOME_DIAL_TIMEOUT] = "o19",
};

static void test_totals(void **state)
{
	struct xf_access_totals totals = { .log = true, .lost_lines = 4 };
	struct xf_server_counters one = {
		.active = 1,
		.waiting = 2,
		.accepted = 10,
		.refused_max = 3,
		.refused_fds = 4,
		.refused_memory = 5,
		.to_upstream = 100,
		.to_client = 200,
		.moves = 6,
		.outcomes = { [XF_OUTCOME_CLOSED] = 8, [XF_OUTCOME_DIAL_TIMEOUT] = 1 },
	};
	char text[1024], cut[20];

	(void)state;
	xf_access_totals_add(&totals, &one);
	xf_access_totals_add(&totals, &one);
	assert_string_equal(
	    xf_access_totals_text(&totals, outcomes, text, sizeof(text)),
	    "accepted 20, closed 16, o19 2, refused by --max-connections 6, refused without "
	    "descriptors 8, refused without memory 10, bytes to upstreams 200, to clients 400, "
	    "engine moves 12, lost log lines 4");
	totals = (struct xf_access_totals) { .echo = true, .now = true };
	one = (struct xf_server_counters) { .active = 7, .accepted = 9, .to_upstream = 100 };
	xf_access_totals_add(&totals, &one);
	assert_string_equal(xf_access_totals_text(&totals, outcomes, text, sizeof(text)),
			    "active 7, waiting for a first packet 0, accepted 9, bytes echoed 100, "
			    "engine moves 0");
	assert_string_equal(xf_access_totals_text(&totals, outcomes, cut, sizeof(cut)),
			    "active 7, waiting f");
}

/* Every counter is in the sum. */
static void test_totals_miss_nothing(void **state)
{
	struct xf_access_totals totals = { .echo = false };
	struct xf_server_counters one;
	uint64_t *counter = (uint64_t *)&one, *sum = (uint64_t *)&totals.counters;

	(void)state;
	for (size_t i = 0; i < sizeof(one) / sizeof(*counter); i++)
		counter[i] = i + 1;
	xf_access_totals_add(&totals, &one);
	xf_access_totals_add(&totals, &one);
	for (size_t i = 0; i < sizeof(one) / sizeof(*counter); i++)
		assert_int_equal(sum[i], 2 * (i + 1));
}

/* The longest line of totals fits into its buffer. */
static void test_totals_longest(void **state)
{
	struct xf_access_totals totals = { .log = true, .now = true, .lost_lines = UINT64_MAX };
	char text[1024];

	(void)state;
	memset(&totals.counters, 0xff, sizeof(totals.counters));
	xf_access_totals_text(&totals, outcomes, text, sizeof(text));
	assert_non_null(strstr(text, "lost log lines 18446744073709551615"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),	       cmocka_unit_test(test_longest),
		cmocka_unit_test(test_totals),	       cmocka_unit_test(test_totals_miss_nothing),
		cmocka_unit_test(test_totals_longest),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests_name("out_access", tests, NULL, NULL);
}
