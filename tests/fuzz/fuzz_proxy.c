// SPDX-License-Identifier: GPL-2.0-only
/* PROXY protocol headers: the addresses of one are the same after it was written and read again. */
#include "tests/fuzz/fuzz.h"

struct found {
	struct answers answers;
	struct xf_proxy proxy;
};

static void must_be_same(const struct xf_proxy *a, const struct xf_proxy *b)
{
	must(a->local == b->local && a->len == b->len);
	must(xf_sockaddr_equal(&a->src, &b->src) && xf_sockaddr_equal(&a->dst, &b->dst));
}

static void ask(const uint8_t *data, size_t len, void *arg)
{
	struct found *found = arg;
	bool again = found->answers.known;
	struct xf_proxy proxy;

	note_answer(&found->answers, xf_first_proxy(data, len, &proxy));
	if (found->answers.answer != XF_FIRST_YES)
		return;
	must(proxy.len > 0 && proxy.len <= len && proxy.len <= XF_FIRST_MAX);
	must(proxy.src.len == proxy.dst.len);
	must(!proxy.local || !proxy.src.len);
	if (again)
		must_be_same(&proxy, &found->proxy);
	found->proxy = proxy;
}

static bool is_mapped(const struct xf_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr);
}

/* Write the addresses as a header of version 2, into a block of just its size. */
static void write_again(const struct xf_proxy *proxy)
{
	size_t len = proxy->src.sa.sa_family == AF_INET ? 28 : 52;
	uint8_t *out = malloc(len);
	struct xf_proxy back;

	must(out);
	must(xf_proxy_v2_write(out, &proxy->src, &proxy->dst) == len);
	must(xf_first_proxy(out, len, &back) == XF_FIRST_YES);
	must(back.len == len);
	back.len = proxy->len;
	must_be_same(&back, proxy);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct found found = { .proxy = { .len = 0 } };

	for_prefixes(data, len, ask, &found);
	if (found.answers.answer == XF_FIRST_YES && found.proxy.src.len &&
	    !is_mapped(&found.proxy.src) && !is_mapped(&found.proxy.dst))
		write_again(&found.proxy);
	return 0;
}
