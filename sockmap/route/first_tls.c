// SPDX-License-Identifier: GPL-2.0-only
/* The server name and the protocols (ALPN) of a TLS ClientHello.
 *
 * The parser reads the whole message before it answers YES: a second extension of that type, or
 * lengths that do not fit, would let the upstream read another name than the routes did. Such a
 * message is BAD. */
#include "sockmap/route/first_packet.h"

#include <arpa/inet.h>
#include <string.h>

#include "sockmap/route/first_impl.h"

#define CHANGE_CIPHER_SPEC 20
#define HANDSHAKE 22
#define RECORD_MAX (1 << 14)
#define CLIENT_HELLO 1
#define EXT_SERVER_NAME 0
#define EXT_ALPN 16
#define NAME_HOST 0

/* The handshake bytes in the records. */
struct stream {
	const uint8_t *data;
	size_t len;
	size_t record;	      /* bytes left of the record */
	enum xf_first answer; /* why the last read failed */
};

static bool give_up(struct stream *s, enum xf_first answer)
{
	s->answer = answer;
	return false;
}

/* Some servers skip an alert or an empty record, and others do not. */
static bool next_record(struct stream *s)
{
	if (s->len < 5)
		return give_up(s, XF_FIRST_MORE);
	s->record = s->data[3] << 8 | s->data[4];
	if (s->data[0] != HANDSHAKE || s->data[1] != 3 || !s->record || s->record > RECORD_MAX)
		return give_up(s, XF_FIRST_BAD);
	s->data += 5;
	s->len -= 5;
	return true;
}

/* Read @n bytes to @out (NULL: skip them). They are part of a structure of which @left bytes are
 * left. */
static bool take(struct stream *s, size_t *left, size_t n, uint8_t *out)
{
	size_t part;

	if (n > *left)
		return give_up(s, XF_FIRST_BAD);
	*left -= n;
	while (n) {
		if (!s->record && !next_record(s))
			return false;
		part = n < s->record ? n : s->record;
		if (part > s->len)
			return give_up(s, XF_FIRST_MORE);
		if (out) {
			memcpy(out, s->data, part);
			out += part;
		}
		s->data += part;
		s->len -= part;
		s->record -= part;
		n -= part;
	}
	return true;
}

/* Read a number of @width bytes. */
static bool take_number(struct stream *s, size_t *left, size_t width, size_t *n)
{
	uint8_t bytes[3];

	if (!take(s, left, width, bytes))
		return false;
	*n = 0;
	for (size_t i = 0; i < width; i++)
		*n = *n << 8 | bytes[i];
	return true;
}

/* Skip a vector: its length in @width bytes, then entries of @size bytes. */
static bool skip_vector(struct stream *s, size_t *left, size_t width, size_t size, size_t max)
{
	size_t n;

	if (!take_number(s, left, width, &n))
		return false;
	if (n % size || n > max)
		return give_up(s, XF_FIRST_BAD);
	return take(s, left, n, NULL);
}

static bool is_ip6(const uint8_t *name, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (len >= sizeof(text) || memchr(name, '\0', len))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	return inet_pton(AF_INET6, text, &addr) == 1;
}

/* Parse the contents of a server_name extension, @left bytes: a list of one name. RFC 6066 does not
 * say where a name of another type ends. An IPv6 address, which some clients send, is no name. */
static bool take_server_name(struct stream *s, size_t left, char *name)
{
	uint8_t bytes[XF_NAME_MAX + 1]; /* with a final dot */
	size_t list, type, n;

	if (!take_number(s, &left, 2, &list))
		return false;
	if (list != left)
		return give_up(s, XF_FIRST_BAD);
	if (!take_number(s, &left, 1, &type) || !take_number(s, &left, 2, &n))
		return false;
	if (type != NAME_HOST || n != left || n > sizeof(bytes))
		return give_up(s, XF_FIRST_BAD);
	if (!take(s, &left, n, bytes))
		return false;
	return xf_first_name(bytes, n, name) || is_ip6(bytes, n) || give_up(s, XF_FIRST_BAD);
}

/* Parse the contents of an ALPN extension, @left bytes: a list of names, to @names with commas
 * between them. Bytes that no name in a rule has become question marks. */
static bool take_alpn(struct stream *s, size_t left, char *names)
{
	size_t list, n, at = 0;

	if (!take_number(s, &left, 2, &list))
		return false;
	if (list != left || !list || list > XF_NAME_MAX)
		return give_up(s, XF_FIRST_BAD);
	while (left) {
		if (!take_number(s, &left, 1, &n))
			return false;
		if (!n || n > left)
			return give_up(s, XF_FIRST_BAD);
		if (at)
			names[at++] = ',';
		if (!take(s, &left, n, (uint8_t *)names + at))
			return false;
		for (; n; n--, at++) {
			if (!xf_first_alpn_char(names[at]))
				names[at] = '?';
		}
	}
	names[at] = '\0';
	return true;
}

/* An extension that is read to a name, the others are skipped. */
struct extension {
	size_t type;
	bool (*take)(struct stream *s, size_t left, char *name);
};

static bool take_extensions(struct stream *s, size_t left, const struct extension *wanted,
			    char *name)
{
	bool seen = false;
	size_t type, n;

	while (left) {
		if (!take_number(s, &left, 2, &type) || !take_number(s, &left, 2, &n))
			return false;
		if (type != wanted->type) {
			if (!take(s, &left, n, NULL))
				return false;
			continue;
		}
		if (seen || n > left)
			return give_up(s, XF_FIRST_BAD);
		seen = true;
		left -= n;
		if (!wanted->take(s, n, name))
			return false;
	}
	return true;
}

static bool take_hello(struct stream *s, const struct extension *wanted, char *name)
{
	size_t header = 4, left, type, extensions;

	if (!take_number(s, &header, 1, &type))
		return false;
	if (type != CLIENT_HELLO)
		return give_up(s, XF_FIRST_BAD);
	if (!take_number(s, &header, 3, &left))
		return false;
	/* version and random, session id, cipher suites, compression methods */
	if (!take(s, &left, 34, NULL) || !skip_vector(s, &left, 1, 1, 32) ||
	    !skip_vector(s, &left, 2, 2, 0xfffe) || !skip_vector(s, &left, 1, 1, 255))
		return false;
	if (!left)
		return true;
	if (!take_number(s, &left, 2, &extensions))
		return false;
	if (extensions != left)
		return give_up(s, XF_FIRST_BAD);
	return take_extensions(s, left, wanted, name);
}

static enum xf_first read_hello(const uint8_t *data, size_t len, const struct extension *wanted,
				char name[XF_NAME_MAX + 1])
{
	struct stream s = { .data = data, .len = len };
	char found[XF_NAME_MAX + 1] = "";

	name[0] = '\0';
	/* No server begins with another record than these. */
	if ((len >= 1 && (data[0] < CHANGE_CIPHER_SPEC || data[0] > HANDSHAKE)) ||
	    (len >= 2 && data[1] != 3)) /* SSL 3 and every TLS */
		return XF_FIRST_NO;
	if (!take_hello(&s, wanted, found))
		return s.answer;
	if (!found[0])
		return XF_FIRST_NO;
	strcpy(name, found);
	return XF_FIRST_YES;
}

enum xf_first xf_first_sni(const uint8_t *data, size_t len, char name[XF_NAME_MAX + 1])
{
	static const struct extension wanted = { EXT_SERVER_NAME, take_server_name };

	return read_hello(data, len, &wanted, name);
}

enum xf_first xf_first_alpn(const uint8_t *data, size_t len, char names[XF_NAME_MAX + 1])
{
	static const struct extension wanted = { EXT_ALPN, take_alpn };

	return read_hello(data, len, &wanted, names);
}
