/* SPDX-License-Identifier: GPL-2.0-only */
/* Routes from texts, and decisions about every prefix of a client's bytes. */
#ifndef XF_TEST_ROUTES_FIXTURE_H
#define XF_TEST_ROUTES_FIXTURE_H

#include <stddef.h>

#include "sockmap/route/routes.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT(s) s, sizeof(s) - 1

/* Parse a text in a heap block of exactly its size, so that the sanitizer sees a read behind it. */
int parse(const char *text, size_t len, struct xf_routes **routes, struct xf_routes_error *error);

/* Parse routes without an error. */
struct xf_routes *routes_of(const char *text);

#define CLIENT "198.51.100.7:40000"
#define GET(host) "GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"

/* A ClientHello for a name of 13 bytes and of a type, made by hand. */
#define HELLO(type, name)                                                                          \
	"\x16\3\1\0\x45"                                                                           \
	"\1\0\0\x41"                                                                               \
	"\3\3"                                                                                     \
	"0123456789abcdef0123456789abcdef"                                                         \
	"\0\0\2\x13\1\1\0\0\x16\0\0\0\x12\0\x10" type "\0\x0d" name
#define HELLO_A HELLO("\0", "a.example.org")
#define HELLO_B HELLO("\0", "b.example.org")
#define HELLO_OTHER HELLO("\1", "b.example.org")

/* The same with a list of protocols of 12 bytes instead. */
#define HELLO_ALPN(list)                                                                           \
	"\x16\3\1\0\x41"                                                                           \
	"\1\0\0\x3d"                                                                               \
	"\3\3"                                                                                     \
	"0123456789abcdef0123456789abcdef"                                                         \
	"\0\0\2\x13\1\1\0\0\x12\0\x10\0\x0e\0\x0c" list

/* Returns the decision about the bytes of a client at @peer. Fails when the decision about a prefix
 * is another one than this and MORE, or MORE at the end of the client's stream. */
struct xf_decision decide_from(const struct xf_routes *routes, const char *peer, const char *data,
			       size_t len);

/* Returns the decision when the client has ended its stream behind these bytes. */
struct xf_decision decide_ended(const struct xf_routes *routes, const char *peer, const char *data,
				size_t len);

struct choice {
	const char *what, *data;
	size_t len;
	enum xf_decision_kind kind;
	unsigned int line;
	size_t skip;
};

/* Fails when a decision is another one, about the whole, a prefix, or an ended stream. */
void check_choices(const struct xf_routes *routes, const char *peer, const struct choice *choices,
		   size_t n);

#define CHECK(routes, peer, choices) check_choices(routes, peer, choices, ARRAY_SIZE(choices))

#endif
