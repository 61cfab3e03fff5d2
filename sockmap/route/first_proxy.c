// SPDX-License-Identifier: GPL-2.0-only
/* PROXY protocol headers: read both versions, write version 2. */
#include "sockmap/route/first_packet.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/num.h"

#define V1_MAX 107 /* with CR LF */
#define V2_FIXED 16

static const uint8_t v1_start[] = { 'P', 'R', 'O', 'X', 'Y', ' ' };
static const uint8_t v2_start[] = {
	'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'
};

enum { V2_LOCAL = 0x20, V2_PROXY = 0x21 };
enum { V2_UNSPEC, V2_INET, V2_INET6, V2_UNIX, V2_FAMILIES };
enum { V2_STREAM = 1, V2_PROTOCOLS = 3 };

static const size_t v2_block[V2_FAMILIES] = { [V2_INET] = 12, [V2_INET6] = 36, [V2_UNIX] = 216 };

static void set_in(struct xf_addr *addr, const void *host, uint16_t port)
{
	addr->len = sizeof(addr->in);
	addr->in = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = port };
	memcpy(&addr->in.sin_addr, host, sizeof(addr->in.sin_addr));
}

static void set_in6(struct xf_addr *addr, const void *host, uint16_t port)
{
	addr->len = sizeof(addr->in6);
	addr->in6 = (struct sockaddr_in6) { .sin6_family = AF_INET6, .sin6_port = port };
	memcpy(&addr->in6.sin6_addr, host, sizeof(addr->in6.sin6_addr));
}

/* Take the next word of a line with exactly one space between words. Returns it, or NULL. */
static char *next_word(char **rest)
{
	char *word = *rest;

	if (!word)
		return NULL;
	*rest = strchr(word, ' ');
	if (*rest)
		*(*rest)++ = '\0';
	return word;
}

static bool v1_port(const char *word, uint16_t *port)
{
	uint64_t n;

	if (!word || (word[0] == '0' && word[1]) || xf_num_parse(word, 0, UINT16_MAX, &n))
		return false;
	*port = htons(n);
	return true;
}

/* Parse the part between "PROXY " and CR LF, such as "TCP4 192.0.2.1 192.0.2.2 40000 443". */
static bool v1_parse(char *line, struct xf_proxy *proxy)
{
	char *family = next_word(&line), *src = next_word(&line), *dst = next_word(&line);
	bool v6 = family && !strcmp(family, "TCP6");
	struct in6_addr hosts[2];
	uint16_t ports[2];

	if (!family || (!v6 && strcmp(family, "TCP4")) || !src || !dst)
		return false;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, src, &hosts[0]) != 1 ||
	    inet_pton(v6 ? AF_INET6 : AF_INET, dst, &hosts[1]) != 1)
		return false;
	if (!v1_port(next_word(&line), &ports[0]) || !v1_port(next_word(&line), &ports[1]) || line)
		return false;
	(v6 ? set_in6 : set_in)(&proxy->src, &hosts[0], ports[0]);
	(v6 ? set_in6 : set_in)(&proxy->dst, &hosts[1], ports[1]);
	return true;
}

static enum xf_first v1(const uint8_t *data, size_t len, struct xf_proxy *proxy)
{
	const uint8_t *end = memchr(data, '\n', len < V1_MAX ? len : V1_MAX);
	char line[V1_MAX];
	size_t n;

	if (!end)
		return len < V1_MAX ? XF_FIRST_MORE : XF_FIRST_BAD;
	proxy->len = end - data + 1;
	if (end[-1] != '\r')
		return XF_FIRST_BAD;
	n = proxy->len - 2 - sizeof(v1_start);
	memcpy(line, data + sizeof(v1_start), n);
	line[n] = '\0';
	if (!strncmp(line, "UNKNOWN", 7) && (line[7] == '\0' || line[7] == ' ')) {
		proxy->local = true; /* a receiver ignores the rest of the line */
		return XF_FIRST_YES;
	}
	if (strlen(line) != n || !v1_parse(line, proxy))
		return XF_FIRST_BAD;
	return XF_FIRST_YES;
}

static uint16_t port_at(const uint8_t *bytes)
{
	uint16_t port;

	memcpy(&port, bytes, sizeof(port));
	return port;
}

static void v2_addresses(const uint8_t *block, unsigned int family, struct xf_proxy *proxy)
{
	if (family == V2_INET) {
		set_in(&proxy->src, block, port_at(block + 8));
		set_in(&proxy->dst, block + 4, port_at(block + 10));
	} else if (family == V2_INET6) {
		set_in6(&proxy->src, block, port_at(block + 32));
		set_in6(&proxy->dst, block + 16, port_at(block + 34));
	}
}

static enum xf_first v2(const uint8_t *data, size_t len, struct xf_proxy *proxy)
{
	unsigned int command, family = V2_UNSPEC, protocol = 0;
	size_t block;

	if (len < 13)
		return XF_FIRST_MORE;
	command = data[12];
	if (command != V2_LOCAL && command != V2_PROXY)
		return XF_FIRST_BAD;
	if (len < 14)
		return XF_FIRST_MORE;
	if (command == V2_PROXY) { /* a receiver ignores both with LOCAL */
		family = data[13] >> 4;
		protocol = data[13] & 15;
	}
	if (family >= V2_FAMILIES || protocol >= V2_PROTOCOLS)
		return XF_FIRST_BAD;
	if (len < V2_FIXED)
		return XF_FIRST_MORE;
	block = data[14] << 8 | data[15];
	if (block < v2_block[family] || V2_FIXED + block > XF_FIRST_MAX)
		return XF_FIRST_BAD;
	if (len < V2_FIXED + block)
		return XF_FIRST_MORE;
	proxy->len = V2_FIXED + block;
	proxy->local = family == V2_UNSPEC;
	if (protocol == V2_STREAM)
		v2_addresses(data + V2_FIXED, family, proxy);
	return XF_FIRST_YES;
}

/* Compare @data with the start of a header. */
static enum xf_first starts(const uint8_t *data, size_t len, const uint8_t *start, size_t start_len)
{
	size_t n = len < start_len ? len : start_len;

	if (n && memcmp(data, start, n))
		return XF_FIRST_NO;
	return n < start_len ? XF_FIRST_MORE : XF_FIRST_YES;
}

enum xf_first xf_first_proxy(const uint8_t *data, size_t len, struct xf_proxy *proxy)
{
	enum xf_first is_v1 = starts(data, len, v1_start, sizeof(v1_start));
	enum xf_first is_v2 = starts(data, len, v2_start, sizeof(v2_start));

	*proxy = (struct xf_proxy) { .len = 0 };
	if (is_v1 == XF_FIRST_YES)
		return v1(data, len, proxy);
	if (is_v2 == XF_FIRST_YES)
		return v2(data, len, proxy);
	return is_v1 == XF_FIRST_MORE || is_v2 == XF_FIRST_MORE ? XF_FIRST_MORE : XF_FIRST_NO;
}

/* The four bytes of an IPv4 address, also of a mapped one. NULL: @addr is another IPv6 address. */
static const uint8_t *in_bytes(const struct xf_addr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return (const uint8_t *)&addr->in.sin_addr;
	return IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr) ? addr->in6.sin6_addr.s6_addr + 12 : NULL;
}

/* The sixteen bytes of an address; an IPv4 one is mapped. */
static void to_in6(const struct xf_addr *addr, uint8_t out[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (addr->sa.sa_family == AF_INET6) {
		memcpy(out, &addr->in6.sin6_addr, 16);
		return;
	}
	memcpy(out, mapped, sizeof(mapped));
	memcpy(out + sizeof(mapped), &addr->in.sin_addr, 4);
}

size_t xf_proxy_v2_write(uint8_t out[XF_PROXY_V2_MAX], const struct xf_addr *src,
			 const struct xf_addr *dst)
{
	bool known =
	    src->len && dst->len && src->sa.sa_family != AF_UNIX && dst->sa.sa_family != AF_UNIX;
	const uint8_t *from = known ? in_bytes(src) : NULL;
	const uint8_t *to = known ? in_bytes(dst) : NULL;
	uint16_t ports[2] = { htons(xf_sockaddr_port(src)), htons(xf_sockaddr_port(dst)) };
	unsigned int family = !known ? V2_UNSPEC : from && to ? V2_INET : V2_INET6;
	size_t host = family == V2_INET ? 4 : 16, block = v2_block[family];

	memcpy(out, v2_start, sizeof(v2_start));
	out[12] = block ? V2_PROXY : V2_LOCAL;
	out[13] = block ? family << 4 | V2_STREAM : 0;
	out[14] = 0;
	out[15] = block;
	if (!block)
		return V2_FIXED;
	if (family == V2_INET) {
		memcpy(out + V2_FIXED, from, host);
		memcpy(out + V2_FIXED + host, to, host);
	} else {
		to_in6(src, out + V2_FIXED);
		to_in6(dst, out + V2_FIXED + host);
	}
	memcpy(out + V2_FIXED + 2 * host, ports, sizeof(ports));
	return V2_FIXED + block;
}
