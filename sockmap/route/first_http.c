// SPDX-License-Identifier: GPL-2.0-only
/* The host that an HTTP/1 request is for.
 *
 * The parser reads the whole header before it answers YES: a second Host, or a line that another
 * parser may read in another way, would let the upstream see another host than the routes did. Such
 * a request is BAD. So is one whose first line is wrong, if a lenient server could take it for a
 * request all the same. */
#include "sockmap/route/first_packet.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "sockmap/route/first_impl.h"

struct text {
	const uint8_t *at;
	size_t len;
};

struct request {
	struct text rest; /* not read yet */
	bool ended;	  /* no byte follows */
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

/* Other control bytes in a value end no line for any server. */
static bool is_value(uint8_t c)
{
	return c && c != '\r' && c != '\n';
}

/* The bytes that some server takes for a space in a request line. */
static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

/* Take the bytes that @is accepts, up to one that it does not. */
static bool take_run(struct request *req, bool (*is)(uint8_t c), struct text *run)
{
	size_t n = 0;

	while (n < req->rest.len && is(req->rest.at[n]))
		n++;
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

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_port(struct text text)
{
	if (text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.at[i]))
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
	if (!take_run(req, is_token, &method))
		return false;
	if (!method.len)
		return give_up(req, XF_FIRST_NO);
	if (!take_text(req, " ") || !take_run(req, is_visible, &target))
		return false;
	if (!target.len)
		return give_up(req, XF_FIRST_NO);
	if (!target_host(req, method, target, name) || !take_text(req, " HTTP/1.") ||
	    !take_run(req, is_token, &minor))
		return false;
	if (minor.len != 1 || !is_digit(minor.at[0]))
		return give_up(req, XF_FIRST_NO);
	return take_end(req);
}

static bool starts_with(struct text text, const char *start)
{
	size_t len = strlen(start);

	return text.len >= len && !strncasecmp((const char *)text.at, start, len);
}

/* Take the bytes before the next blank or end of line, and the blanks behind them. */
static struct text take_word(struct text *rest)
{
	struct text word = { rest->at, 0 };

	while (rest->len && !is_blank(*rest->at) && *rest->at != '\n')
		advance(rest, 1);
	word.len = rest->at - word.at;
	while (rest->len && is_blank(*rest->at))
		advance(rest, 1);
	return word;
}

/* Tell whether a lenient server could take this line for the first of a request: it begins with a
 * method, and the third word or the last is a version in upper or lower case; or it is a method and
 * a URL, as before HTTP/1.0. */
static enum xf_first loose_line(struct text rest, bool ended)
{
	bool version = false, url = false;
	struct text word;

	while (rest.len && (is_blank(*rest.at) || *rest.at == '\n'))
		advance(&rest, 1);
	for (unsigned int n = 0; rest.len && *rest.at != '\n'; n++) {
		word = take_word(&rest);
		for (size_t i = 0; !n && i < word.len; i++) {
			if (!is_token(word.at[i]))
				return XF_FIRST_NO;
		}
		version = starts_with(word, "http/");
		if (n == 2 && version)
			return XF_FIRST_BAD;
		url = n == 1 && (starts_with(word, "http://") || starts_with(word, "https://"));
	}
	if (!rest.len && !ended)
		return XF_FIRST_MORE;
	return version || url ? XF_FIRST_BAD : XF_FIRST_NO;
}

/* The first bytes of HTTP/2 without TLS. No HTTP/1 server reads a request in them. */
#define PREFACE "PRI * HTTP/2.0\r\n\r\n"

/* Take the request line; the answer is BAD when only a lenient server could. */
static bool take_first_line(struct request *req, char *name)
{
	struct text start = req->rest;
	size_t len = start.len < strlen(PREFACE) ? start.len : strlen(PREFACE);

	if (len && !memcmp(start.at, PREFACE, len)) {
		if (len == strlen(PREFACE))
			return give_up(req, XF_FIRST_NO);
		if (!req->ended)
			return give_up(req, XF_FIRST_MORE);
	}
	if (take_request_line(req, name))
		return true;
	if (req->answer == XF_FIRST_NO || req->ended)
		req->answer = loose_line(start, req->ended);
	return false;
}

static void trim(struct text *text)
{
	while (text->len && (text->at[0] == ' ' || text->at[0] == '\t'))
		advance(text, 1);
	while (text->len && (text->at[text->len - 1] == ' ' || text->at[text->len - 1] == '\t'))
		text->len--;
}

/* The Host header. */
struct host {
	bool seen;
	char name[XF_NAME_MAX + 1]; /* "": it is empty */
};

/* Take one header line. A second Host is refused. */
static bool take_field(struct request *req, struct host *host)
{
	struct text field, value;

	/* A line that begins with a space would continue the one before, which RFC 9112 forbids. */
	if (!take_run(req, is_token, &field))
		return false;
	if (!field.len)
		return give_up(req, XF_FIRST_BAD);
	if (!take_text(req, ":") || !take_run(req, is_value, &value) || !take_end(req))
		return false;
	if (field.len != 4 || strncasecmp((const char *)field.at, "host", 4))
		return true;
	trim(&value);
	if (host->seen || (value.len && !authority(value, host->name)))
		return give_up(req, XF_FIRST_BAD);
	host->seen = true;
	return true;
}

/* Take the header behind the request line, which has set @name if its target has a host. Servers
 * differ in which of two different hosts they use. */
static bool take_header(struct request *req, char *name)
{
	struct host host = { .seen = false };

	for (;;) {
		if (!req->rest.len)
			return give_up(req, XF_FIRST_MORE);
		if (*req->rest.at == '\r' || *req->rest.at == '\n')
			break;
		if (!take_field(req, &host))
			return false;
	}
	if (!take_end(req))
		return false;
	if (!name[0])
		strcpy(name, host.name);
	return !host.seen || !strcmp(name, host.name) || give_up(req, XF_FIRST_BAD);
}

enum xf_first xf_first_host(const uint8_t *data, size_t len, bool ended, char name[XF_NAME_MAX + 1])
{
	struct request req = { .rest = { data, len }, .ended = ended };
	char found[XF_NAME_MAX + 1] = "";

	name[0] = '\0';
	if (!take_first_line(&req, found))
		return req.answer;
	/* There is a request. A server may serve one whose header the end of the stream cuts off.
	 */
	if (!take_header(&req, found))
		return req.answer == XF_FIRST_MORE && !ended ? XF_FIRST_MORE : XF_FIRST_BAD;
	if (!found[0])
		return XF_FIRST_NO;
	strcpy(name, found);
	return XF_FIRST_YES;
}
