// SPDX-License-Identifier: GPL-2.0-only
/* The routes file and its decisions. Input: the file, a byte 0xff, a byte that chooses the peer,
 * and the client's bytes. */
#include <errno.h>

#include "sockmap/route/routes.h"
#include "tests/fuzz/fuzz.h"

static const char *const peers[] = { "192.0.2.1:1", "10.0.0.1:1", "[2001:db8::1]:1",
				     "[::ffff:192.0.2.1]:1" };

struct connection {
	const struct xf_routes *routes;
	struct xf_addr peer;
	struct xf_decision last;
	bool decided;
};

/* A token file contains its own name, so that the fuzzer can find the secret. */
static uint8_t *read_file(const char *path, size_t *len, char *why, size_t why_len, void *arg)
{
	(void)arg;
	if (path[0] == '!') {
		snprintf(why, why_len, "No such file or directory");
		return NULL;
	}
	*len = strlen(path);
	return exactly((const uint8_t *)path, *len);
}

static void must_be_sound(const struct xf_decision *d, size_t len)
{
	bool route = d->kind == XF_DECIDE_ROUTE || d->kind == XF_DECIDE_REJECT;

	must(d->kind <= XF_DECIDE_BAD_PROXY);
	must(d->skip <= len);
	must((route || d->kind == XF_DECIDE_AMBIGUOUS) == !!d->route);
	must(!route || d->route->reject == (d->kind == XF_DECIDE_REJECT));
	/* A name has no address here. */
	must(!route || !d->route->reject || !d->route->n_upstreams);
	must(d->kind != XF_DECIDE_DIAL || (d->has_proxy && d->proxy.dst.len));
	must(!d->has_proxy || d->skip >= d->proxy.len);
}

static void ask(const uint8_t *data, size_t len, void *arg)
{
	struct connection *c = arg;
	struct xf_decision d, ended;

	xf_routes__decide(c->routes, &c->peer, data, len, false, &d);
	xf_routes__decide(c->routes, &c->peer, data, len, true, &ended);
	must_be_sound(&d, len);
	must_be_sound(&ended, len);
	must(ended.kind != XF_DECIDE_MORE);
	if (xf_routes__decide_silent(c->routes, &c->peer, data, len, &ended)) {
		must_be_sound(&ended, len);
		must(ended.skip == len);
	}
	xf_routes__decide(c->routes, &c->peer, data, len, true, &ended);
	must(d.kind == XF_DECIDE_MORE || (d.kind == ended.kind && d.route == ended.route));
	must(!c->decided || (d.kind == c->last.kind && d.route == c->last.route &&
			     d.skip == c->last.skip && d.has_proxy == c->last.has_proxy));
	c->decided = d.kind != XF_DECIDE_MORE;
	c->last = d;
}

static void must_be_error(const struct xf_routes_error *error, const uint8_t *text, size_t len)
{
	size_t n = strnlen(error->text, sizeof(error->text)), line = 1;

	must(n > 0 && n < sizeof(error->text));
	for (size_t i = 0; i < n; i++)
		must(error->text[i] >= ' ' && error->text[i] <= '~');
	for (size_t i = 0; i < len; i++)
		line += text[i] == '\n';
	must(error->line <= line && error->column <= len + 1);
	must(!error->line == !error->column);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *end = len ? memchr(data, 0xff, len) : NULL;
	size_t text_len = end ? (size_t)(end - data) : len;
	uint8_t *text = exactly(data, text_len);
	struct xf_routes_error error = { .text = "" };
	struct connection c = { .decided = false };
	struct xf_routes *routes = NULL;
	int err;

	err = xf_routes__parse(&routes, (const char *)text, text_len, read_file, NULL, &error);
	must(!err == !!routes);
	if (err) {
		must(err == -EINVAL);
		must_be_error(&error, text, text_len);
	}
	free(text);
	if (!err) {
		const char *peer = peers[end && text_len + 1 < len ? end[1] % 4 : 0];
		size_t from = text_len + 2 < len ? text_len + 2 : len;

		must(!xf_sockaddr_parse(peer, 0, &c.peer, NULL));
		c.routes = routes;
		for_prefixes(data + from, len - from, ask, &c);
	}
	xf_routes__put(routes);
	return 0;
}
