/* SPDX-License-Identifier: GPL-2.0-only */
/* The routes in memory; shared by their parser and by the decision. */
#ifndef XF_ROUTES_IMPL_H
#define XF_ROUTES_IMPL_H

#include <stdatomic.h>

#include "sockmap/route/endpoint.h"
#include "sockmap/route/routes.h"

enum xf_condition {
	XF_IF_ANY,
	XF_IF_SNI,
	XF_IF_HOST,
	XF_IF_ALPN,
	XF_IF_TOKEN,
};

struct xf_routes_rule {
	struct xf_route route; /* the upstreams are set by xf_routes__finish() */
	unsigned int first_target, n_targets;
	enum xf_condition condition;
	bool suffix; /* "*.example.org": value begins with the dot */
	char *value; /* a name, of hosts in lower case, or a secret; value_len does not count its
			NUL */
	size_t value_len;
};

struct xf_routes {
	atomic_uint refs;
	struct xf_routes_rule *rules;
	unsigned int n_rules;
	struct xf_endpoint *targets; /* of all rules, as written */
	unsigned int n_targets, n_names;
	struct xf_addr *upstreams; /* the same, names replaced by the addresses known for them */
	unsigned int n_upstreams;
	struct xf_routes
	    *base; /* has the values, texts and targets; NULL: these are the routes' own */
	struct xf_addr_prefix *sources; /* accept-proxy */
	unsigned int n_sources;
	struct xf_addr_prefix *destinations; /* proxy-destinations */
	unsigned int n_destinations;
};

/* Make empty routes with one reference, or return NULL. */
struct xf_routes *xf_routes__new(void);
/* Append a zeroed entry of @size bytes to the *@n entries at *@array. Returns its address, or NULL
 * without memory. */
void *xf_routes_more(void *array, unsigned int *n, size_t size);
/* Give every rule its upstreams, names left out; no rule may be added afterwards. Returns 0 or
 * -ENOMEM. */
int xf_routes__finish(struct xf_routes *routes);

#endif
