// SPDX-License-Identifier: GPL-2.0-only
/* Parse routes from texts, with token files from a table, and decide about every prefix of a
 * client's bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sockmap/route/routes_fixture.h"

/* The token files. A size of 0 stands for the length of the string. */
static const struct {
	const char *path, *content;
	size_t len;
} files[] = {
	{ "a", "alpha\n", 0 },
	{ "bb", "beta-longer\r\n", 0 },
	{ "plain", "alpha", 0 },
	{ "empty", "", 0 },
	{ "lf", "\n", 0 },
	{ "crlf", "\r\n", 0 },
	{ "two", "one\ntwo\n", 0 },
	{ "twice", "one\n\n", 0 },
	{ "cr", "one\r", 0 },
	{ "nul", "o\0ne", 4 },
	{ "../dir/t o", "never asked for", 0 },
};

static uint8_t *read_file(const char *path, size_t *len, char *why, size_t why_len, void *arg)
{
	uint8_t *content;

	assert_ptr_equal(arg, files);
	if (!strncmp(path, "long", 4)) {
		*len = atoi(path + 4);
		content = malloc(*len);
		memset(content, 'x', *len);
		return content;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(path, files[i].path))
			continue;
		*len = files[i].len ? files[i].len : strlen(files[i].content);
		content = malloc(*len);
		memcpy(content, files[i].content, *len);
		return content;
	}
	snprintf(why, why_len, "No such file or directory");
	return NULL;
}

int parse(const char *text, size_t len, struct xf_routes **routes, struct xf_routes_error *error)
{
	char *copy = malloc(len);
	int err;

	memcpy(copy, text, len);
	err = xf_routes__parse(routes, copy, len, read_file, (void *)files, error);
	free(copy);
	return err;
}

struct xf_routes *routes_of(const char *text)
{
	struct xf_routes_error error;
	struct xf_routes *routes;

	if (parse(text, strlen(text), &routes, &error))
		fail_msg("%u:%u: %s", error.line, error.column, error.text);
	return routes;
}

struct xf_decision decide_from(const struct xf_routes *routes, const char *peer, const char *data,
			       size_t len)
{
	struct xf_decision all = { .kind = XF_DECIDE_MORE }, some;
	bool decided = false;
	struct xf_addr addr;

	assert_int_equal(xf_sockaddr_parse(peer, 0, &addr, NULL), 0);
	for (size_t n = 0; n <= len; n++) {
		uint8_t *copy = n ? malloc(n) : NULL; /* without bytes there is no buffer yet */

		if (n)
			memcpy(copy, data, n);
		xf_routes__decide(routes, &addr, copy, n, true, &some);
		assert_int_not_equal(some.kind, XF_DECIDE_MORE);
		xf_routes__decide(routes, &addr, copy, n, false, &some);
		free(copy);
		assert_in_range(some.skip, 0, n);
		if (decided && (some.kind != all.kind || some.route != all.route ||
				some.skip != all.skip || some.has_proxy != all.has_proxy))
			fail_msg("%.*s: %d at %zu bytes, %d before", (int)len, data, some.kind, n,
				 all.kind);
		all = some;
		decided = some.kind != XF_DECIDE_MORE;
	}
	return all;
}

struct xf_decision decide_ended(const struct xf_routes *routes, const char *peer, const char *data,
				size_t len)
{
	struct xf_decision decision;
	struct xf_addr addr;

	assert_int_equal(xf_sockaddr_parse(peer, 0, &addr, NULL), 0);
	xf_routes__decide(routes, &addr, (const uint8_t *)data, len, true, &decision);
	return decision;
}

void check_choices(const struct xf_routes *routes, const char *peer, const struct choice *choices,
		   size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct xf_decision d = decide_from(routes, peer, choices[i].data, choices[i].len);
		unsigned int line = d.route ? d.route->line : 0;

		if (d.kind != choices[i].kind || line != choices[i].line ||
		    d.skip != choices[i].skip)
			fail_msg("%s: %d, line %u, %zu to skip", choices[i].what, d.kind, line,
				 d.skip);
	}
}
