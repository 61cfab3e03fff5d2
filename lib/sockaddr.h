/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of sockets and prefixes: from the command line and files, and back to text. */
#ifndef XF_SOCKADDR_H
#define XF_SOCKADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct xf_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct {
			sa_family_t family; /* AF_UNIX */
			const char *path;   /* of an endpoint, "@NAME" for an abstract socket;
					       "": unnamed */
		} un;
	};
	socklen_t len; /* 0: no address */
};

/* "unix:" + path + NUL; "[" + address with scope + "]:" + port is shorter */
#define XF_SOCKADDR_TEXT 120

/* "192.0.2.1:80" or "[2001:db8::1]:80" (a scope as in fe80::1%eth0 is accepted), numbers only, the
 * port given and in [@min_port, 65535]. Returns 0, or -EINVAL with *@why (may be NULL) set to what
 * was expected. */
int xf_sockaddr_parse(const char *s, uint16_t min_port, struct xf_addr *addr, const char **why);
/* Write the address in that form; "-" for len 0. Returns @out. */
char *xf_sockaddr_text(const struct xf_addr *addr, char out[XF_SOCKADDR_TEXT]);
/* Turn an IPv4-mapped address, as a socket for both families has it, into the IPv4 address. */
void xf_sockaddr_unmap(struct xf_addr *addr);
/* Whether it is 0.0.0.0 or [::]. */
bool xf_sockaddr_is_any(const struct xf_addr *addr);
uint16_t xf_sockaddr_port(const struct xf_addr *addr);
/* Whether family, address, scope and port are the same. */
bool xf_sockaddr_equal(const struct xf_addr *a, const struct xf_addr *b);

struct xf_addr_prefix {
	uint8_t addr[16]; /* network byte order; IPv4 in the first four */
	uint8_t len;	  /* bits */
	bool v6;
	uint16_t port; /* 0: any */
};

/* "192.0.2.0/24", "2001:db8::/32", or one address. With @with_port also "192.0.2.0/24:443" and
 * "[2001:db8::/32]:443". Bits behind the prefix must be 0. Returns 0, or -EINVAL with *@why set. */
int xf_prefix_parse(const char *s, bool with_port, struct xf_addr_prefix *prefix, const char **why);
/* Whether the prefix has the address; an IPv4-mapped IPv6 address counts as the IPv4 address. */
bool xf_prefix_has(const struct xf_addr_prefix *prefix, const struct xf_addr *addr);

#endif
