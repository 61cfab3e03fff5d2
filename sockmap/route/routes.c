// SPDX-License-Identifier: GPL-2.0-only
/* The rules of a routes file as an object, and the decision for a connection. routes_parse.c makes
 * the object from text. */
#include "sockmap/route/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sockmap/route/routes_impl.h"

struct xf_routes *xf_routes__new(void)
{
	struct xf_routes *routes = calloc(1, sizeof(*routes));

	if (routes)
		atomic_init(&routes->refs, 1);
	return routes;
}

void *xf_routes_more(void *array, unsigned int *n, size_t size)
{
	void **entries = array;
	char *entry;

	/* The array grows at each power of two. */
	if (!(*n & (*n - 1))) {
		void *grown = reallocarray(*entries, *n ? 2 * (size_t)*n : 1, size);

		if (!grown)
			return NULL;
		*entries = grown;
	}
	entry = (char *)*entries + *n * size;
	memset(entry, 0, size);
	++*n;
	return entry;
}

static int add_upstream(struct xf_routes *routes, struct xf_route *route,
			const struct xf_addr *addr)
{
	struct xf_addr *entry =
	    xf_routes_more(&routes->upstreams, &routes->n_upstreams, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	*entry = *addr;
	route->n_upstreams++;
	return 0;
}

/* @found: the addresses of each name, or NULL. */
static int fill(struct xf_routes *routes, const struct xf_endpoint *targets,
		const struct xf_addresses *found)
{
	unsigned int name = 0;
	int err = 0;

	for (unsigned int i = 0; i < routes->n_rules; i++) {
		struct xf_routes_rule *rule = &routes->rules[i];

		rule->route.first_upstream = routes->n_upstreams;
		rule->route.n_upstreams = 0;
		for (unsigned int t = 0; t < rule->n_targets && !err; t++) {
			const struct xf_endpoint *target = &targets[rule->first_target + t];

			if (!target->host)
				err = add_upstream(routes, &rule->route, &target->addr);
			for (unsigned int a = 0; target->host && found && a < found[name].n && !err;
			     a++)
				err = add_upstream(routes, &rule->route, &found[name].at[a]);
			name += !!target->host;
		}
	}
	routes->n_names = name;
	/* The array stays where it is from here on. */
	for (unsigned int i = 0; i < routes->n_rules; i++) {
		struct xf_route *route = &routes->rules[i].route;

		route->upstreams =
		    route->n_upstreams ? routes->upstreams + route->first_upstream : NULL;
	}
	return err;
}

int xf_routes__finish(struct xf_routes *routes)
{
	return fill(routes, routes->targets, NULL);
}

int xf_routes__resolved(struct xf_routes **out, struct xf_routes *base,
			const struct xf_addresses *found)
{
	struct xf_routes *routes = xf_routes__new();
	int err = -ENOMEM;

	if (!routes)
		return err;
	base = base->base ?: base;
	routes->base = xf_routes__get(base);
	routes->n_rules = base->n_rules;
	routes->sources = base->sources;
	routes->n_sources = base->n_sources;
	routes->destinations = base->destinations;
	routes->n_destinations = base->n_destinations;
	routes->rules = calloc(base->n_rules + 1, sizeof(*routes->rules));
	if (routes->rules) {
		if (base->n_rules)
			memcpy(routes->rules, base->rules, base->n_rules * sizeof(*routes->rules));
		err = fill(routes, base->targets, found);
	}
	if (err)
		xf_routes__put(routes);
	else
		*out = routes;
	return err;
}

unsigned int xf_routes__names(const struct xf_routes *routes)
{
	return routes->n_names;
}

const struct xf_endpoint *xf_routes__name(const struct xf_routes *routes, unsigned int i)
{
	const struct xf_endpoint *target = (routes->base ?: routes)->targets;

	for (;; target++) {
		if (target->host && !i--)
			return target;
	}
}

int xf_routes__single(struct xf_routes **out, const struct xf_endpoint *upstreams, unsigned int n)
{
	struct xf_routes *routes = xf_routes__new();
	struct xf_routes_rule *rule;
	int err = -ENOMEM;

	if (!routes)
		return err;
	rule = xf_routes_more(&routes->rules, &routes->n_rules, sizeof(*rule));
	routes->targets = calloc(n, sizeof(*upstreams));
	if (rule)
		rule->route.text = strdup("any");
	if (rule && rule->route.text && routes->targets) {
		memcpy(routes->targets, upstreams, n * sizeof(*upstreams));
		routes->n_targets = rule->n_targets = n;
		err = xf_routes__finish(routes);
	}
	if (err)
		xf_routes__put(routes);
	else
		*out = routes;
	return err;
}

struct xf_routes *xf_routes__get(struct xf_routes *routes)
{
	atomic_fetch_add(&routes->refs, 1);
	return routes;
}

void xf_routes__put(struct xf_routes *routes)
{
	if (!routes || atomic_fetch_sub(&routes->refs, 1) != 1)
		return;
	if (routes->base) {
		xf_routes__put(routes->base);
		free(routes->rules);
		free(routes->upstreams);
		free(routes);
		return;
	}
	for (unsigned int i = 0; i < routes->n_rules; i++) {
		struct xf_routes_rule *rule = &routes->rules[i];

		if (rule->value)
			explicit_bzero(rule->value, rule->value_len);
		free(rule->value);
		free((char *)rule->route.text);
	}
	free(routes->rules);
	free(routes->targets);
	free(routes->upstreams);
	free(routes->sources);
	free(routes->destinations);
	free(routes);
}

unsigned int xf_routes__upstreams(const struct xf_routes *routes)
{
	return routes->n_upstreams;
}

const struct xf_addr *xf_routes__upstream(const struct xf_routes *routes, unsigned int i)
{
	return &routes->upstreams[i];
}

/* The name or names that a parser found in the first bytes. The first rule that needs them calls
 * the parser; later rules use the answer. */
struct asked {
	bool known;
	enum xf_first answer;
	char *name; /* of the decision */
};

/* One call of xf_routes__decide(): the bytes of the connection, and the names found in them. */
struct first {
	const uint8_t *data; /* behind the PROXY header */
	size_t len;
	bool ended;
	struct asked sni, host, alpn;
};

static bool in_list(const struct xf_addr_prefix *list, unsigned int n, const struct xf_addr *addr)
{
	for (unsigned int i = 0; i < n; i++) {
		if (xf_prefix_has(&list[i], addr))
			return true;
	}
	return false;
}

static bool name_fits(const struct xf_routes_rule *rule, const char *name)
{
	size_t len = strlen(name);

	if (!rule->suffix)
		return !strcmp(name, rule->value);
	return len > rule->value_len && !strcmp(name + len - rule->value_len, rule->value);
}

/* Whether @value is one of the names in @list, between commas. */
static bool list_has(const char *list, const char *value)
{
	size_t len = strlen(value), n;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		if (n == len && !memcmp(list, value, len))
			return true;
		if (!list[n])
			return false;
	}
}

static enum xf_first ask(struct first *first, const struct xf_routes_rule *rule)
{
	const uint8_t *data = first->data;
	struct asked *asked;

	switch (rule->condition) {
	case XF_IF_SNI:
		asked = &first->sni;
		if (!asked->known)
			asked->answer = xf_first_sni(data, first->len, asked->name);
		break;
	case XF_IF_HOST:
		asked = &first->host;
		if (!asked->known)
			asked->answer = xf_first_host(data, first->len, first->ended, asked->name);
		break;
	case XF_IF_ALPN:
		asked = &first->alpn;
		if (!asked->known)
			asked->answer = xf_first_alpn(data, first->len, asked->name);
		break;
	default:
		return XF_FIRST_YES;
	}
	asked->known = true;
	if (asked->answer != XF_FIRST_YES)
		return asked->answer;
	if (rule->condition == XF_IF_ALPN)
		return list_has(asked->name, rule->value) ? XF_FIRST_YES : XF_FIRST_NO;
	return name_fits(rule, asked->name) ? XF_FIRST_YES : XF_FIRST_NO;
}

/* All rules from number @i on are token rules, as the parser of the routes file makes sure. The
 * loop compares every secret, so that the time does not tell which one fits. */
static enum xf_decision_kind ask_tokens(const struct xf_routes *routes, unsigned int i,
					const struct first *first, struct xf_decision *decision)
{
	enum xf_decision_kind kind = XF_DECIDE_BAD_TOKEN;
	size_t skip = 0;

	for (; i < routes->n_rules; i++) {
		const struct xf_routes_rule *rule = &routes->rules[i];
		const uint8_t *secret = (const uint8_t *)rule->value;
		enum xf_first answer =
		    xf_first_token(first->data, first->len, secret, rule->value_len, &skip);

		if (answer == XF_FIRST_MORE && !first->ended) {
			kind = XF_DECIDE_MORE;
		} else if (answer == XF_FIRST_YES && kind != XF_DECIDE_ROUTE) {
			kind = XF_DECIDE_ROUTE;
			decision->route = &rule->route;
			decision->skip += skip;
		}
	}
	return kind;
}

static enum xf_decision_kind ask_rules(const struct xf_routes *routes, struct first *first,
				       struct xf_decision *decision)
{
	for (unsigned int i = 0; i < routes->n_rules; i++) {
		const struct xf_routes_rule *rule = &routes->rules[i];
		enum xf_first answer;

		if (rule->condition == XF_IF_TOKEN)
			return ask_tokens(routes, i, first, decision);
		answer = ask(first, rule);
		if (answer == XF_FIRST_MORE && !first->ended)
			return XF_DECIDE_MORE;
		if (answer == XF_FIRST_YES || answer == XF_FIRST_BAD) {
			decision->route = &rule->route;
			return answer == XF_FIRST_YES ? XF_DECIDE_ROUTE : XF_DECIDE_AMBIGUOUS;
		}
	}
	return XF_DECIDE_NO_ROUTE;
}

/* Parse the PROXY header that a source on the list must send. False: @decision is final. */
static bool take_proxy(const struct xf_routes *routes, struct first *first,
		       struct xf_decision *decision)
{
	enum xf_first answer = xf_first_proxy(first->data, first->len, &decision->proxy);

	if (answer == XF_FIRST_MORE && !first->ended)
		decision->kind = XF_DECIDE_MORE;
	else
		decision->kind = XF_DECIDE_BAD_PROXY;
	if (answer != XF_FIRST_YES)
		return false;
	decision->has_proxy = true;
	decision->skip = decision->proxy.len;
	first->data += decision->skip;
	first->len -= decision->skip;
	if (in_list(routes->destinations, routes->n_destinations, &decision->proxy.dst)) {
		decision->kind = XF_DECIDE_DIAL;
		return false;
	}
	return true;
}

void xf_routes__decide(const struct xf_routes *routes, const struct xf_addr *peer,
		       const uint8_t *data, size_t len, bool ended, struct xf_decision *decision)
{
	struct first first = {
		.data = data,
		.len = len,
		.ended = ended,
		.sni.name = decision->sni,
		.host.name = decision->host,
		.alpn.name = decision->alpn,
	};

	memset(decision, 0, sizeof(*decision));
	if (in_list(routes->sources, routes->n_sources, peer) &&
	    !take_proxy(routes, &first, decision))
		return;
	decision->kind = ask_rules(routes, &first, decision);
	if (decision->kind == XF_DECIDE_ROUTE && decision->route->reject)
		decision->kind = XF_DECIDE_REJECT;
}

bool xf_routes__decide_silent(const struct xf_routes *routes, const struct xf_addr *peer,
			      const uint8_t *data, size_t len, struct xf_decision *decision)
{
	struct first first = { .data = data, .len = len };

	memset(decision, 0, sizeof(*decision));
	if (in_list(routes->sources, routes->n_sources, peer) &&
	    !take_proxy(routes, &first, decision))
		return false;
	if (first.len)
		return false;
	for (unsigned int i = 0; i < routes->n_rules; i++) {
		const struct xf_routes_rule *rule = &routes->rules[i];

		if (rule->route.reject || rule->condition == XF_IF_TOKEN)
			return false;
		if (rule->condition != XF_IF_ANY)
			continue;
		decision->kind = XF_DECIDE_ROUTE;
		decision->route = &rule->route;
		return true;
	}
	return false;
}
