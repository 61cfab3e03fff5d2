// SPDX-License-Identifier: GPL-2.0-only
/* Addresses at which a server itself listens. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockmap/server/server_impl.h"

/* The source address of a connection to an address of this machine is that address, or one of the
 * loopback interface. connect() of a datagram socket chooses it and sends nothing. */
static bool is_here(const struct xf_addr *addr)
{
	struct xf_addr to = *addr, from = { .len = sizeof(from.in6) };
	int fd = socket(addr->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool here = false;

	if (fd < 0)
		return false;
	if (!connect(fd, &to.sa, to.len) && !getsockname(fd, &from.sa, &from.len)) {
		from.in.sin_port = to.in.sin_port; /* at the same place for both families */
		here = xf_sockaddr_equal(&from, &to) ||
		       (from.sa.sa_family == AF_INET &&
			ntohl(from.in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET) ||
		       (from.sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&from.in6.sin6_addr));
	}
	close(fd);
	return here;
}

/* connect() takes the address of all interfaces for that of the loopback interface. */
static struct xf_addr destination(const struct xf_addr *addr)
{
	struct xf_addr to = *addr;

	xf_sockaddr_unmap(&to);
	if (!xf_sockaddr_is_any(&to))
		return to;
	if (to.sa.sa_family == AF_INET)
		to.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		to.in6.sin6_addr = in6addr_loopback;
	return to;
}

bool xf_server__is_own(const struct xf_server *server, const struct xf_addr *addr)
{
	const struct xf_addr to = destination(addr);

	for (unsigned int i = 0; i < server->opts.n_listens; i++) {
		const struct xf_listener *listener = &server->listeners[i];
		struct xf_addr own = listener->address;
		/* [::] has the IPv4 addresses, too. */
		bool serves = own.sa.sa_family == to.sa.sa_family || own.sa.sa_family == AF_INET6;

		if (xf_sockaddr_port(&own) != xf_sockaddr_port(&to))
			continue;
		xf_sockaddr_unmap(&own);
		if (xf_sockaddr_equal(&own, &to) ||
		    (listener->any_address && serves && is_here(&to)))
			return true;
	}
	return false;
}
