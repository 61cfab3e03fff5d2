// SPDX-License-Identifier: GPL-2.0-only
/* The names among the upstreams. The thread owns the resolver once it is told to stop, since a
 * look-up can take as long as its name server lets it. */
#include "loader/relay/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/loop.h"
#include "lib/msg.h"
#include "sockmap/route/endpoint.h"
#include "sockmap/route/routes.h"

#define RETRY XF_NSEC /* between look-ups while a name has no address or an upstream fails */
#define ADDRESSES 64  /* of a name */

struct xf_resolver {
	struct xf_loop *loop;
	uint64_t every;
	pthread_mutex_t lock; /* protects all fields below */
	pthread_cond_t changed;
	bool hurry, stop;
	struct xf_routes *base;	 /* whose names are looked up */
	struct xf_routes *found; /* not taken yet, or NULL */
};

/* The addresses of all names of some routes. */
struct table {
	struct xf_addresses *names;
	unsigned int n;
	bool missing; /* a name has none */
};

static void forget(struct table *table)
{
	for (unsigned int i = 0; i < table->n; i++)
		free(table->names[i].at);
	free(table->names);
	*table = (struct table) {};
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct xf_addr));
}

/* Sorted, since the order of a name server's answers changes. */
static void keep(struct xf_addresses *addresses, const struct addrinfo *list, uint16_t port)
{
	addresses->n = 0;
	addresses->at = calloc(ADDRESSES, sizeof(*addresses->at));
	for (; addresses->at && list && addresses->n < ADDRESSES; list = list->ai_next) {
		struct xf_addr *addr = &addresses->at[addresses->n];

		if (list->ai_addrlen > sizeof(addr->in6) ||
		    (list->ai_family != AF_INET && list->ai_family != AF_INET6))
			continue;
		memcpy(&addr->sa, list->ai_addr, list->ai_addrlen);
		addr->len = list->ai_addrlen;
		addr->in.sin_port = htons(port); /* at the same place for both families */
		addresses->n++;
	}
	if (addresses->n)
		qsort(addresses->at, addresses->n, sizeof(*addresses->at), compare);
}

/* Returns 0 or an error of getaddrinfo(). */
static int look_up(const struct xf_endpoint *name, struct xf_addresses *addresses)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	int err = getaddrinfo(name->host, NULL, &hints, &list);

	if (err)
		return err;
	keep(addresses, list, name->port);
	freeaddrinfo(list);
	return addresses->n ? 0 : EAI_NONAME;
}

static bool have_changed(const struct table *table, const struct table *last)
{
	if (table->n != last->n)
		return true;
	for (unsigned int i = 0; i < table->n; i++) {
		const struct xf_addresses *a = &table->names[i], *b = &last->names[i];

		if (a->n != b->n || (a->n && memcmp(a->at, b->at, a->n * sizeof(*a->at))))
			return true;
	}
	return false;
}

/* Fill @table for @routes. A name that has no answer keeps its addresses of @last, which are of the
 * same routes, and is warned about when it had any, or in the first round. Returns the first error
 * of getaddrinfo() that says that there is no such name. */
static int look_up_all(const struct xf_routes *routes, struct table *table,
		       const struct table *last, bool loud, bool first)
{
	unsigned int n = xf_routes__names(routes);
	int none = 0;

	*table = (struct table) { .names = calloc(n + 1, sizeof(*table->names)) };
	for (unsigned int i = 0; table->names && i < n; i++) {
		const struct xf_endpoint *name = xf_routes__name(routes, i);
		struct xf_addresses *to = &table->names[table->n++];
		int err = look_up(name, to);

		if (!err)
			continue;
		if (err == EAI_NONAME && first)
			xf_err("cannot look up the upstream %s:%u: %s", name->host, name->port,
			       gai_strerror(err));
		else if (loud)
			xf_warn("cannot look up the upstream %s:%u: %s; trying again", name->host,
				name->port, gai_strerror(err));
		if (err == EAI_NONAME && !none)
			none = err;
		table->missing = true;
		if (i >= last->n || !last->names[i].n)
			continue;
		free(to->at);
		to->at = malloc(last->names[i].n * sizeof(*to->at));
		to->n = to->at ? last->names[i].n : 0;
		if (to->at)
			memcpy(to->at, last->names[i].at, to->n * sizeof(*to->at));
	}
	return none;
}

int xf_resolver__first(struct xf_routes **routes)
{
	static const struct table nothing;
	struct xf_routes *resolved;
	struct table table;
	int err;

	if (!xf_routes__names(*routes))
		return 0;
	err = look_up_all(*routes, &table, &nothing, true, true) ? -ENOENT : 0;
	if (err)
		xf_hint(
		    "a name that is misspelt, or of a name server that this machine does not ask; "
		    "an address works without one");
	else
		err = xf_routes__resolved(&resolved, *routes, table.names);
	forget(&table);
	if (err)
		return err;
	xf_routes__put(*routes);
	*routes = resolved;
	return 0;
}

/* ---- the thread ---- */

static struct timespec in(uint64_t ns)
{
	struct timespec when;

	clock_gettime(CLOCK_MONOTONIC, &when);
	ns += when.tv_nsec;
	return (struct timespec) { when.tv_sec + ns / XF_NSEC, ns % XF_NSEC };
}

/* Wait until it is time, or something has changed. Returns the routes to look up, or NULL to stop.
 * The lock is held. */
static struct xf_routes *wait_for_work(struct xf_resolver *resolver, const struct xf_routes *last,
				       bool missing)
{
	struct timespec soon = in(RETRY), then = in(missing ? RETRY : resolver->every);
	int err = 0;

	while (!resolver->stop && resolver->base == last && !err)
		err = pthread_cond_timedwait(&resolver->changed, &resolver->lock,
					     resolver->hurry ? &soon : &then);
	resolver->hurry = false;
	return resolver->stop ? NULL : xf_routes__get(resolver->base);
}

static void offer(struct xf_resolver *resolver, struct xf_routes *base, const struct table *table)
{
	struct xf_routes *found;

	if (xf_routes__resolved(&found, base, table->names))
		return;
	pthread_mutex_lock(&resolver->lock);
	if (resolver->base == base && !resolver->stop) {
		xf_routes__put(resolver->found);
		resolver->found = found;
		found = NULL;
		xf_loop__wake(resolver->loop);
	}
	pthread_mutex_unlock(&resolver->lock);
	xf_routes__put(found);
}

static void *resolve(void *arg)
{
	struct xf_resolver *resolver = arg;
	struct xf_routes *routes = NULL, *last;
	struct table table, known = {};
	bool loud = false;

	for (;;) {
		pthread_mutex_lock(&resolver->lock);
		last = routes;
		routes = wait_for_work(resolver, last, known.missing);
		if (!routes)
			break;
		pthread_mutex_unlock(&resolver->lock);
		if (routes != last) {
			forget(&known);
			loud = last; /* the first routes have had their warnings */
		}
		if (last)
			xf_routes__put(last);
		look_up_all(routes, &table, &known, loud, false);
		/* One warning until the name was there again. */
		loud = !table.missing;
		if (have_changed(&table, &known))
			offer(resolver, routes, &table);
		forget(&known);
		known = table;
	}
	forget(&known);
	xf_routes__put(last);
	xf_routes__put(resolver->base);
	xf_routes__put(resolver->found);
	pthread_mutex_unlock(&resolver->lock);
	free(resolver);
	return NULL;
}

int xf_resolver__start(struct xf_resolver **out, struct xf_routes *routes, uint64_t every,
		       struct xf_loop *loop)
{
	struct xf_resolver *resolver = calloc(1, sizeof(*resolver));
	pthread_condattr_t monotonic;
	pthread_t thread;
	int err;

	if (!resolver)
		return -ENOMEM;
	*resolver = (struct xf_resolver) { .loop = loop, .every = every };
	resolver->base = xf_routes__get(routes);
	pthread_mutex_init(&resolver->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&resolver->changed, &monotonic);
	err = -pthread_create(&thread, NULL, resolve, resolver);
	if (err) {
		xf_err("cannot start a thread that looks up names: %s", strerror(-err));
		xf_routes__put(routes);
		free(resolver);
		return err;
	}
	pthread_detach(thread);
	*out = resolver;
	return 0;
}

void xf_resolver__hurry(struct xf_resolver *resolver)
{
	pthread_mutex_lock(&resolver->lock);
	resolver->hurry = true;
	pthread_cond_signal(&resolver->changed);
	pthread_mutex_unlock(&resolver->lock);
}

void xf_resolver__set(struct xf_resolver *resolver, struct xf_routes *routes)
{
	pthread_mutex_lock(&resolver->lock);
	xf_routes__put(resolver->base);
	resolver->base = xf_routes__get(routes);
	xf_routes__put(resolver->found);
	resolver->found = NULL;
	pthread_cond_signal(&resolver->changed);
	pthread_mutex_unlock(&resolver->lock);
}

struct xf_routes *xf_resolver__take(struct xf_resolver *resolver)
{
	struct xf_routes *found;

	pthread_mutex_lock(&resolver->lock);
	found = resolver->found;
	resolver->found = NULL;
	pthread_mutex_unlock(&resolver->lock);
	return found;
}

void xf_resolver__stop(struct xf_resolver *resolver)
{
	if (!resolver)
		return;
	pthread_mutex_lock(&resolver->lock);
	resolver->stop = true;
	pthread_cond_signal(&resolver->changed);
	pthread_mutex_unlock(&resolver->lock);
}
