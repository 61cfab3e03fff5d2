/* SPDX-License-Identifier: GPL-2.0-only */
/* Parsers of the first bytes of a connection: pure functions over a prefix of the stream, which may
 * end anywhere and be hostile. None of them allocates or reads beyond @len. */
#ifndef XF_FIRST_PACKET_H
#define XF_FIRST_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sockaddr.h"

#define XF_FIRST_MAX (16 * 1024) /* limit of the first packet, bytes */
#define XF_NAME_MAX 255		 /* of a host name, without NUL */

enum xf_first {
	XF_FIRST_NO, /* the bytes are something else, whatever follows */
	XF_FIRST_YES,
	XF_FIRST_MORE, /* a longer prefix is needed to tell */
	XF_FIRST_BAD,  /* a broken PROXY header; what two servers could read in two ways */
};

/* Find the server name in a TLS ClientHello (RFC 8446, RFC 6066), which may be spread over several
 * records. YES: @name is the host_name in lower case, without a final dot, NUL-terminated. NO also
 * for a ClientHello without a server name, or with an IPv6 address as that. BAD: TLS, but lengths,
 * records or the extension are wrong, or the name has other characters than names have. */
enum xf_first xf_first_sni(const uint8_t *data, size_t len, char name[XF_NAME_MAX + 1]);

/* Find the protocols that a TLS ClientHello offers (ALPN, RFC 7301). YES: @names has them with
 * commas between them, in the client's order; a byte that xf_first_alpn_char() refuses is a
 * question mark there. NO also for a ClientHello without the extension. BAD: as for the server
 * name, or the list is longer than XF_NAME_MAX. */
enum xf_first xf_first_alpn(const uint8_t *data, size_t len, char names[XF_NAME_MAX + 1]);

/* Find the host that an HTTP/1 request is for: from the request target in absolute form (with
 * CONNECT: from the target), and from its one Host header (RFC 9112). YES: @name is in lower case,
 * without port and final dot, an IPv6 literal without brackets as inet_ntop() writes it. NO also
 * for a request with no host. BAD: what a lenient server may take for a request although RFC 9112
 * does not, several Host headers, a broken one, or another one than the target. @ended: no byte
 * follows, and the answer is never MORE. */
enum xf_first xf_first_host(const uint8_t *data, size_t len, bool ended,
			    char name[XF_NAME_MAX + 1]);

/* Compare the first line with @secret; it ends in LF or CR LF. The time does not depend on how much
 * of the secret is right. YES: @skip is the length of the line with its end. MORE: the line has not
 * ended and is not longer than the secret. */
enum xf_first xf_first_token(const uint8_t *data, size_t len, const uint8_t *secret,
			     size_t secret_len, size_t *skip);

/* The contents of a PROXY protocol header (proxy-protocol.txt, versions 1 and 2). */
struct xf_proxy {
	bool local;	    /* LOCAL command or UNKNOWN: the connection's own addresses count */
	struct xf_addr src; /* len 0 for local, and for families other than TCP over IP */
	struct xf_addr dst;
	size_t len; /* of the header, bytes */
};

/* Parse a PROXY header. NO: no header of either version begins like this. A version 2 header longer
 * than XF_FIRST_MAX is BAD. */
enum xf_first xf_first_proxy(const uint8_t *data, size_t len, struct xf_proxy *proxy);

#define XF_PROXY_V2_MAX 52 /* IPv6, no TLVs */

/* Write a version 2 header for a connection from @src to @dst; LOCAL when the families differ or
 * one has none. IPv4-mapped addresses are written as IPv4. Returns its length. */
size_t xf_proxy_v2_write(uint8_t out[XF_PROXY_V2_MAX], const struct xf_addr *src,
			 const struct xf_addr *dst);

#endif
