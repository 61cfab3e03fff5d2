/* SPDX-License-Identifier: GPL-2.0-only */
/* The routes file: text to rules, and a connection's first bytes to a decision. Pure, but for the
 * callback that reads token files. The grammar is in xdpfun-forward(8):
 *
 *	[sni NAME | host NAME | alpn NAME | token @FILE | any] -> ADDR:PORT[,ADDR:PORT...] | reject
 *	accept-proxy from PREFIX...
 *	proxy-destinations PREFIX[:PORT]...
 */
#ifndef XF_ROUTES_H
#define XF_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sockmap/route/first_packet.h"
#include "lib/sockaddr.h"

struct xf_endpoint;
struct xf_routes; /* immutable once made; counted references, safe between threads */

struct xf_route {
	unsigned int line; /* in the file, from 1; 0: made by xf_routes__single() */
	const char *text;  /* the condition as written: "sni *.example.org", "any" */
	bool reject;
	const struct xf_addr *upstreams;
	unsigned int n_upstreams;
	unsigned int index;	     /* from 0: for state that others keep for each route */
	unsigned int first_upstream; /* number of upstreams of all the routes before this one */
};

/* The place of an error in the file, and what the parser expected there. */
struct xf_routes_error {
	unsigned int line, column; /* from 1; 0: the error has no place */
	char text[256];		   /* "expected ADDR:PORT or reject, found 'foo'" */
};

/* Read a token file for the parser: returns the malloc'd contents, or NULL with a text in @why. */
typedef uint8_t *(*xf_routes_read)(const char *path, size_t *len, char *why, size_t why_len,
				   void *arg);

/* Parse a routes file; @text need not end in NUL. Returns 0, -EINVAL with @error filled, or
 * -ENOMEM. */
int xf_routes__parse(struct xf_routes **routes, const char *text, size_t len, xf_routes_read read,
		     void *arg, struct xf_routes_error *error);
/* Make routes of one rule without condition, for --to. */
int xf_routes__single(struct xf_routes **routes, const struct xf_endpoint *upstreams,
		      unsigned int n);
struct xf_routes *xf_routes__get(struct xf_routes *routes);
void xf_routes__put(struct xf_routes *routes);

unsigned int xf_routes__upstreams(const struct xf_routes *routes); /* of all rules together */
const struct xf_addr *xf_routes__upstream(const struct xf_routes *routes, unsigned int i);

/* The upstreams that are names, and the addresses of one of them; valid while the routes are. */
unsigned int xf_routes__names(const struct xf_routes *routes);
const struct xf_endpoint *xf_routes__name(const struct xf_routes *routes, unsigned int i);
struct xf_addresses {
	struct xf_addr *at;
	unsigned int n;
};
/* Make routes with the same rules as @base, with the addresses of name number i in @found[i].
 * Without any a rule has no upstream for that name. Returns 0 or -ENOMEM. */
int xf_routes__resolved(struct xf_routes **routes, struct xf_routes *base,
			const struct xf_addresses *found);

enum xf_decision_kind {
	XF_DECIDE_MORE,	     /* read on, or wait */
	XF_DECIDE_ROUTE,     /* dial one of route->upstreams */
	XF_DECIDE_DIAL,	     /* dial the destination of the PROXY header, which is on the list */
	XF_DECIDE_REJECT,    /* route says so */
	XF_DECIDE_NO_ROUTE,  /* no rule fits */
	XF_DECIDE_AMBIGUOUS, /* the upstream may read another name than route's rule would */
	XF_DECIDE_BAD_TOKEN, /* no right token, at the first token rule */
	XF_DECIDE_BAD_PROXY, /* the PROXY header is missing or broken */
};

struct xf_decision {
	enum xf_decision_kind kind;
	const struct xf_route *route; /* ROUTE, REJECT and AMBIGUOUS */
	bool has_proxy;
	struct xf_proxy proxy; /* with has_proxy: the contents of the header */
	/* The names that the rules asked about, "" when there is none. */
	char sni[XF_NAME_MAX + 1], host[XF_NAME_MAX + 1];
	char alpn[XF_NAME_MAX + 1]; /* with commas between them */
	size_t skip; /* bytes at the start that are not forwarded: PROXY header, token line */
};

/* Decide for a connection from @peer by the @len bytes that it has sent so far. With @len 0 the
 * answer is MORE only if the rules need a byte. The first match wins; a rule that needs more bytes
 * holds up the rules behind it. @ended: the client will send no more (FIN); the answer is then
 * never MORE. */
void xf_routes__decide(const struct xf_routes *routes, const struct xf_addr *peer,
		       const uint8_t *data, size_t len, bool ended, struct xf_decision *decision);

/* Decide for a client whose time for its first packet is over. One that has sent nothing, or only
 * its PROXY header, goes to the rule for every connection, so that its server can speak first.
 * False: a rule before that one rejects, and bytes that the client sends later would get around it;
 * there is no such rule; the client has begun to send. */
bool xf_routes__decide_silent(const struct xf_routes *routes, const struct xf_addr *peer,
			      const uint8_t *data, size_t len, struct xf_decision *decision);

#endif
