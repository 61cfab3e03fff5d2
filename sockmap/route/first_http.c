// SPDX-License-Identifier: GPL-2.0-only
/* The host that an HTTP/1 request is for.
 *
 * The parser reads the whole header before it answers YES: a second Host, or a line that another
 * parser may read in another way, would let the upstream see another host than the routes did. */
#include "sockmap/route/first_packet.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "sockmap/route/first_impl.h"

#define METHOD_MAX 32 /* no method is longer */

struct text {
	const uint8_t *at;
	size_t len;
};

struct request {
	struct text rest; /* not read yet */
	enum xf_first answer;
};

static bool give_up(struct request *req, enum xf_first answer)
{
	req->answer = answer;
	return false;
}

static void advance(struct text *text, size_t n)
{
	text->at += n;
	text->len -= n;
}

/* The characters of methods and field names (RFC 9110, "token"). */
static bool is_token(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_visible(uint8_t c)
{
	return c > ' ' && c != 0x7f;
}

static bool is_value(uint8_t c)
{
	return is_visible(c) || c == ' ' || c == '\t';
}

/* Take a run of at most @max bytes that @is accepts, up to a byte that it does not. */
static bool take_run(struct request *req, bool (*is)(uint8_t c), size_t max, struct text *run)
{
	size_t n = 0;

	while (n < req->rest.len && is(req->rest.at[n])) {
		if (++n > max)
			return give_up(req, XF_FIRST_NO);
	}
	if (n == req->rest.len)
		return give_up(req, XF_FIRST_MORE);
	*run = (struct text) { req->rest.at, n };
	advance(&req->rest, n);
	return true;
}

/* Take exactly the characters of @text. */
static bool take_text(struct request *req, const char *text)
{
	for (; *text; text++) {
		if (!req->rest.len)
			return give_up(req, XF_FIRST_MORE);
		if (*req->rest.at != (uint8_t)*text)
			return give_up(req, XF_FIRST_NO);
		advance(&req->rest, 1);
	}
	return true;
}

/* Take an end of line: CR LF, or LF alone as many servers allow. */
static bool take_end(struct request *req)
{
	if (req->rest.len && *req->rest.at == '\r')
		advance(&req->rest, 1);
	return take_text(req, "\n");
}

static bool is_port(struct text text)
{
	if (text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	}
	return true;
}

/* Take an IPv6 literal such as "[2001:db8::1]" from the start of @text. */
static bool take_literal(struct text *text, char *name)
{
	const uint8_t *end = memchr(text->at, ']', text->len);
	char literal[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	size_t len;

	if (!end)
		return false;
	len = end - text->at - 1;
	if (len >= sizeof(literal))
		return false;
	memcpy(literal, text->at + 1, len);
	literal[len] = '\0';
	advance(text, len + 2);
	return inet_pton(AF_INET6, literal, &addr) == 1 &&
	       inet_ntop(AF_INET6, &addr, name, XF_NAME_MAX + 1);
}

/* Parse "host" or "host:port", or the same with an IPv6 literal, and write the host to @name. */
static bool authority(struct text text, char *name)
{
	const uint8_t *colon;
	size_t len;

	if (!text.len)
		return false;
	if (text.at[0] == '[') {
		if (!take_literal(&text, name))
			return false;
	} else {
		colon = memchr(text.at, ':', text.len);
		len = colon ? (size_t)(colon - text.at) : text.len;
		if (!xf_first_name(text.at, len, name))
			return false;
		advance(&text, len);
	}
	if (!text.len)
		return true;
	if (text.at[0] != ':')
		return false;
	advance(&text, 1);
	return is_port(text);
}

/* Find the authority in "scheme://authority/path". False: the target is not of that form. */
static bool absolute(struct text target, struct text *part)
{
	const uint8_t *colon = memchr(target.at, ':', target.len);
	size_t n = 0;

	if (!colon)
		return false;
	advance(&target, colon - target.at);
	if (target.len < 3 || memcmp(target.at, "://", 3))
		return false;
	advance(&target, 3);
	while (n < target.len && !strchr("/?#", target.at[n]))
		n++;
	*part = (struct text) { target.at, n };
	return true;
}

/* Write the host of the request target to @name. "/path" and "*" have none. */
static bool target_host(struct request *req, struct text method, struct text target, char *name)
{
	struct text part = target;

	if (target.at[0] == '/' || (target.len == 1 && target.at[0] == '*'))
		return true;
	if ((method.len == 7 && !memcmp(method.at, "CONNECT", 7)) || absolute(target, &part))
		return authority(part, name) || give_up(req, XF_FIRST_NO);
	return give_up(req, XF_FIRST_NO);
}

static bool take_request_line(struct request *req, char *name)
{
	struct text method, target, minor;

	/* A server ignores empty lines before the request line (RFC 9112, 2.2). */
	while (req->rest.len && (*req->rest.at == '\r' || *req->rest.at == '\n')) {
		if (!take_end(req))
			return false;
	}
	if (!take_run(req, is_token, METHOD_MAX, &method))
		return false;
	if (!method.len)
		return give_up(req, XF_FIRST_NO);
	if (!take_text(req, " ") || !take_run(req, is_visible, SIZE_MAX, &target))
		return false;
	if (!target.len)
		return give_up(req, XF_FIRST_NO);
	if (!target_host(req, method, target, name) || !take_text(req, " HTTP/1.") ||
	    !take_run(req, is_token, 1, &minor))
		return false;
	if (!minor.len || !is_port(minor))
		return give_up(req, XF_FIRST_NO);
	return take_end(req);
}

static void trim(struct text *text)
{
	while (text->len && (text->at[0] == ' ' || text->at[0] == '\t'))
		advance(text, 1);
	while (text->len && (text->at[text->len - 1] == ' ' || text->at[text->len - 1] == '\t'))
		text->len--;
}

/* Take one header line. The value of Host goes to @host; a second Host is refused. */
static bool take_field(struct request *req, char *host)
{
	struct text field, value;

	/* A line that begins with a space would continue the one before, which RFC 9112 forbids. */
	if (!take_run(req, is_token, SIZE_MAX, &field))
		return false;
	if (!field.len)
		return give_up(req, XF_FIRST_NO);
	if (!take_text(req, ":") || !take_run(req, is_value, SIZE_MAX, &value) || !take_end(req))
		return false;
	if (field.len != 4 || strncasecmp((const char *)field.at, "host", 4))
		return true;
	trim(&value);
	if (host[0] || !authority(value, host))
		return give_up(req, XF_FIRST_NO);
	return true;
}

static bool take_request(struct request *req, char *name)
{
	char host[XF_NAME_MAX + 1] = "";

	if (!take_request_line(req, name))
		return false;
	for (;;) {
		if (!req->rest.len)
			return give_up(req, XF_FIRST_MORE);
		if (*req->rest.at == '\r' || *req->rest.at == '\n')
			break;
		if (!take_field(req, host))
			return false;
	}
	if (!take_end(req))
		return false;
	if (!name[0])
		strcpy(name, host);
	return true;
}

enum xf_first xf_first_host(const uint8_t *data, size_t len, char name[XF_NAME_MAX + 1])
{
	struct request req = { .rest = { data, len } };
	char found[XF_NAME_MAX + 1] = "";

	name[0] = '\0';
	if (!take_request(&req, found))
		return req.answer;
	if (!found[0])
		return XF_FIRST_NO;
	strcpy(name, found);
	return XF_FIRST_YES;
}
