// SPDX-License-Identifier: GPL-2.0-only
/* Addresses of sockets and prefixes: text to numbers and back. */
#include "lib/sockaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/num.h"

#define HOST_TEXT (INET6_ADDRSTRLEN + IF_NAMESIZE) /* an address with scope, and NUL */
#define PORT_TEXT 6

#define EXPECT_ADDR "ADDR:PORT, as in 192.0.2.1:80 or [2001:db8::1]:80"
#define EXPECT_BRACKETS "an IPv6 address in brackets, as in [2001:db8::1]:80"
#define EXPECT_PREFIX "an address or a prefix, as in 192.0.2.0/24 or 2001:db8::/32"
#define EXPECT_PREFIX_PORT "PREFIX or PREFIX:PORT, as in 192.0.2.0/24:443 or [2001:db8::/32]:443"

static int expected(const char **why, const char *what)
{
	if (why)
		*why = what;
	return -EINVAL;
}

/* Copy the @len bytes at @s as a string. Returns false when they do not fit. */
static bool copy(char *out, size_t size, const char *s, size_t len)
{
	if (len >= size)
		return false;
	memcpy(out, s, len);
	out[len] = '\0';
	return true;
}

static int port_parse(const char *s, uint16_t min, uint16_t *port, const char **why)
{
	uint64_t n;

	if (xf_num_parse(s, min, UINT16_MAX, &n))
		return expected(why, min > 1 ? "a port in the range that is allowed here"
				     : min   ? "a port from 1 to 65535"
					     : "a port from 0 to 65535");
	*port = n;
	return 0;
}

/* A scope is the number or the name of an interface. */
static int scope_parse(const char *s, const struct in6_addr *addr, uint32_t *scope,
		       const char **why)
{
	uint64_t n;

	if (!IN6_IS_ADDR_LINKLOCAL(addr) && !IN6_IS_ADDR_MC_LINKLOCAL(addr))
		return expected(why, "no scope: only link-local addresses (fe80::/10) have one");
	if (xf_num_parse(s, 1, UINT32_MAX, &n))
		n = if_nametoindex(s);
	if (!n)
		return expected(why, "the name of an interface of this machine behind %");
	*scope = n;
	return 0;
}

static int in6_parse(char *host, struct sockaddr_in6 *in6, const char **why)
{
	char *scope = strchr(host, '%');

	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		return expected(why, EXPECT_BRACKETS);
	return scope ? scope_parse(scope, &in6->sin6_addr, &in6->sin6_scope_id, why) : 0;
}

int xf_sockaddr_parse(const char *s, uint16_t min_port, struct xf_addr *addr, const char **why)
{
	bool v6 = *s == '[';
	/* The name of an interface may contain ']', but no ':'. */
	const char *colon = v6 ? strrchr(s, ':') : strchr(s, ':');
	struct xf_addr made = { .len = 0 };
	char host[HOST_TEXT];
	uint16_t port;
	int err;

	if (!v6 && colon && strchr(colon + 1, ':'))
		return expected(why, EXPECT_BRACKETS);
	if (!colon || (v6 && colon[-1] != ']') ||
	    !copy(host, sizeof(host), s + v6, colon - s - 2 * v6))
		return expected(why, EXPECT_ADDR);
	if (v6) {
		made.in6.sin6_family = AF_INET6;
		made.len = sizeof(made.in6);
		err = in6_parse(host, &made.in6, why);
		if (err)
			return err;
	} else {
		made.in.sin_family = AF_INET;
		made.len = sizeof(made.in);
		if (inet_pton(AF_INET, host, &made.in.sin_addr) != 1)
			return expected(why, EXPECT_ADDR);
	}
	err = port_parse(colon + 1, min_port, &port, why);
	if (err)
		return err;
	if (v6)
		made.in6.sin6_port = htons(port);
	else
		made.in.sin_port = htons(port);
	*addr = made;
	return 0;
}

/* "%eth0", or the number when there is no such interface or its name has other characters than
 * these, since the text goes to logs and may come back through the parser. */
static void scope_text(uint32_t scope, char out[IF_NAMESIZE + 1])
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";
	char name[IF_NAMESIZE];

	out[0] = '\0';
	if (scope && if_indextoname(scope, name) && !name[strspn(name, plain)])
		snprintf(out, IF_NAMESIZE + 1, "%%%s", name);
	else if (scope)
		snprintf(out, IF_NAMESIZE + 1, "%%%u", scope);
}

char *xf_sockaddr_text(const struct xf_addr *addr, char out[XF_SOCKADDR_TEXT])
{
	char host[INET6_ADDRSTRLEN], scope[IF_NAMESIZE + 1];

	if (!addr->len) {
		strcpy(out, "-");
	} else if (addr->sa.sa_family == AF_UNIX) {
		snprintf(out, XF_SOCKADDR_TEXT, "unix:%s", addr->un.path);
	} else if (addr->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &addr->in.sin_addr, host, sizeof(host));
		snprintf(out, XF_SOCKADDR_TEXT, "%s:%u", host, xf_sockaddr_port(addr));
	} else {
		inet_ntop(AF_INET6, &addr->in6.sin6_addr, host, sizeof(host));
		scope_text(addr->in6.sin6_scope_id, scope);
		snprintf(out, XF_SOCKADDR_TEXT, "[%s%s]:%u", host, scope, xf_sockaddr_port(addr));
	}
	return out;
}

uint16_t xf_sockaddr_port(const struct xf_addr *addr)
{
	if (!addr->len || addr->sa.sa_family == AF_UNIX)
		return 0;
	return ntohs(addr->sa.sa_family == AF_INET ? addr->in.sin_port : addr->in6.sin6_port);
}

void xf_sockaddr_unmap(struct xf_addr *addr)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (!addr->len || addr->sa.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr))
		return;
	memcpy(&in.sin_addr, &addr->in6.sin6_addr.s6_addr[12], sizeof(in.sin_addr));
	in.sin_port = addr->in6.sin6_port;
	*addr = (struct xf_addr) { .in = in, .len = sizeof(in) };
}

bool xf_sockaddr_is_any(const struct xf_addr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return addr->in.sin_addr.s_addr == htonl(INADDR_ANY);
	return addr->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
}

bool xf_sockaddr_equal(const struct xf_addr *a, const struct xf_addr *b)
{
	if (!a->len || !b->len)
		return a->len == b->len;
	if (a->sa.sa_family != b->sa.sa_family || xf_sockaddr_port(a) != xf_sockaddr_port(b))
		return false;
	if (a->sa.sa_family == AF_UNIX)
		return a->un.path == b->un.path;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

/* Whether the first @len bits of both are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int len)
{
	unsigned int bytes = len / 8, bits = len % 8;

	return !memcmp(a, b, bytes) && (!bits || !((a[bytes] ^ b[bytes]) >> (8 - bits)));
}

/* An IPv4-mapped prefix is the IPv4 one: such addresses count as IPv4. */
static void unmap(struct xf_addr_prefix *prefix)
{
	if (!prefix->v6 || prefix->len < 96 ||
	    !IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)prefix->addr))
		return;
	memmove(prefix->addr, prefix->addr + 12, 4);
	memset(prefix->addr + 4, 0, 12);
	prefix->len -= 96;
	prefix->v6 = false;
}

/* "ADDR" or "ADDR/LEN". */
static int bits_parse(char *text, struct xf_addr_prefix *prefix, const char *form, const char **why)
{
	static const uint8_t zeros[16];
	uint8_t rest[16];
	char *slash = strchr(text, '/');
	uint64_t len;

	if (slash)
		*slash++ = '\0';
	prefix->v6 = strchr(text, ':');
	if (inet_pton(prefix->v6 ? AF_INET6 : AF_INET, text, prefix->addr) != 1)
		return expected(why, form);
	len = prefix->v6 ? 128 : 32;
	if (slash && xf_num_parse(slash, 0, len, &len))
		return expected(why, prefix->v6 ? "a prefix length from 0 to 128"
						: "a prefix length from 0 to 32");
	prefix->len = len;
	memcpy(rest, prefix->addr, sizeof(rest));
	memset(rest, 0, len / 8);
	if (len % 8)
		rest[len / 8] &= 0xff >> len % 8;
	if (memcmp(rest, zeros, sizeof(rest)))
		return expected(why, "zeros behind the prefix, as in 192.0.2.0/24");
	unmap(prefix);
	return 0;
}

/* Returns the colon before the port, or NULL when there is no port. IPv6 with a port has brackets.
 */
static const char *port_colon(const char *s)
{
	const char *colon = strrchr(s, ':');

	if (!colon || *s == '[')
		return colon;
	return strchr(s, ':') == colon ? colon : NULL;
}

int xf_prefix_parse(const char *s, bool with_port, struct xf_addr_prefix *prefix, const char **why)
{
	const char *form = with_port ? EXPECT_PREFIX_PORT : EXPECT_PREFIX;
	const char *colon = with_port ? port_colon(s) : NULL;
	size_t len = colon ? (size_t)(colon - s) : strlen(s);
	struct xf_addr_prefix made = { .len = 0 };
	bool brackets = colon && *s == '[';
	char text[INET6_ADDRSTRLEN + 4];
	int err;

	if (brackets && (len < 2 || s[len - 1] != ']'))
		return expected(why, form);
	if (!copy(text, sizeof(text), s + brackets, len - 2 * brackets))
		return expected(why, form);
	if (brackets && !strchr(text, ':'))
		return expected(why, form);
	err = bits_parse(text, &made, form, why);
	if (!err && colon)
		err = port_parse(colon + 1, 1, &made.port, why);
	if (!err)
		*prefix = made;
	return err;
}

bool xf_prefix_has(const struct xf_addr_prefix *prefix, const struct xf_addr *addr)
{
	const uint8_t *bytes;
	bool v6;

	if (!addr->len || addr->sa.sa_family == AF_UNIX ||
	    (prefix->port && prefix->port != xf_sockaddr_port(addr)))
		return false;
	v6 = addr->sa.sa_family == AF_INET6;
	bytes = v6 ? addr->in6.sin6_addr.s6_addr : (const uint8_t *)&addr->in.sin_addr;
	if (v6 && IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr)) {
		bytes += 12;
		v6 = false;
	}
	return v6 == prefix->v6 && same_bits(prefix->addr, bytes, prefix->len);
}
