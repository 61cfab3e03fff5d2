/* SPDX-License-Identifier: GPL-2.0-only */
/* The ends of a relay as the command line and the routes file have them: addresses of TCP and of
 * UNIX sockets, and names. */
#ifndef XF_ENDPOINT_H
#define XF_ENDPOINT_H

#include <sys/un.h>

#include "lib/sockaddr.h"

/* An address as of xf_sockaddr_parse(), or ":80" for all addresses of both families (0.0.0.0 on a
 * machine without IPv6), or "unix:PATH". */
int xf_endpoint_parse_listen(const char *s, struct xf_addr *addr, const char **why);
/* An upstream: an address, or a name that stands for any number of them. */
struct xf_endpoint {
	struct xf_addr addr; /* len 0: a name */
	const char *host;    /* in lower case, never freed; NULL: an address */
	uint16_t port;	     /* of the name */
};

/* An address with a port, "unix:PATH", or "NAME:PORT". */
int xf_endpoint_parse_upstream(const char *s, struct xf_endpoint *upstream, const char **why);

/* Make the address of a socket at @path, a string that is never freed ("": unnamed). */
int xf_unix_named(const char *path, struct xf_addr *addr);
/* The address as bind() and connect() want it, in @un if it is that of a UNIX socket. */
const struct sockaddr *xf_endpoint_for_kernel(const struct xf_addr *addr, struct sockaddr_un *un,
					      socklen_t *len);

#endif
