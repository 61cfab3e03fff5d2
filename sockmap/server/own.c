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

bool xf_server__is_own(const struct xf_server *server, const struct xf_addr *addr)
{
	for (unsigned int i = 0; i < server->opts.n_listens; i++) {
		const struct xf_listener *listener = &server->listeners[i];
		/* [::] has the IPv4 addresses, too. */
		bool serves = listener->address.sa.sa_family == addr->sa.sa_family ||
			      listener->address.sa.sa_family == AF_INET6;

		if (xf_sockaddr_port(&listener->address) != xf_sockaddr_port(addr))
			continue;
		if (xf_sockaddr_equal(&listener->address, addr) ||
		    (listener->any_address && serves && is_here(addr)))
			return true;
	}
	return false;
}
