// SPDX-License-Identifier: GPL-2.0-only
/* A small hash table: an address takes the first free place from its hash on, or the oldest of
 * PLACES. */
#include "sockmap/server/failures.h"

#include "lib/time.h"

#define AVOID (5 * XF_NSEC)
#define PLACES 8

/* FNV-1a over the bytes of the address. */
static unsigned int hash(const struct xf_addr *addr)
{
	const uint8_t *bytes = (const uint8_t *)addr;
	uint32_t h = 2166136261u;

	for (socklen_t i = 0; i < addr->len; i++)
		h = (h ^ bytes[i]) * 16777619u;
	return h ^ h >> 16;
}

/* Find the entry of @addr, or NULL. No entry is ever freed, so the search ends at the first free
 * place. */
static struct xf_failure *find(const struct xf_failures *failures, const struct xf_addr *addr)
{
	unsigned int start = hash(addr);

	for (unsigned int i = 0; i < PLACES; i++) {
		const struct xf_failure *failure = &failures->at[(start + i) % XF_FAILURES];

		if (!failure->addr.len)
			return NULL;
		if (xf_sockaddr_equal(&failure->addr, addr))
			return (struct xf_failure *)failure;
	}
	return NULL;
}

/* The time from which on the entry has no effect. */
static uint64_t expiry(const struct xf_failure *failure)
{
	return failure->until > failure->warning.next ? failure->until : failure->warning.next;
}

static struct xf_failure *replace(struct xf_failures *failures, const struct xf_addr *addr,
				  uint64_t now)
{
	unsigned int start = hash(addr);
	struct xf_failure *oldest = NULL;

	for (unsigned int i = 0; i < PLACES; i++) {
		struct xf_failure *failure = &failures->at[(start + i) % XF_FAILURES];

		if (!oldest || expiry(failure) < expiry(oldest))
			oldest = failure;
		if (!failure->addr.len)
			break;
	}
	oldest->addr = *addr;
	/* The limit stays with the place: two addresses that fail all the time and share a place
	 * would otherwise replace each other and warn every time. */
	if (oldest->warning.next <= now)
		oldest->warning = (struct xf_ratelimit) {};
	return oldest;
}

struct xf_ratelimit *xf_failures__note(struct xf_failures *failures, const struct xf_addr *addr,
				       uint64_t now)
{
	struct xf_failure *failure = find(failures, addr);

	if (!failure)
		failure = replace(failures, addr, now);
	failure->until = now + AVOID;
	return &failure->warning;
}

bool xf_failures__has(const struct xf_failures *failures, const struct xf_addr *addr, uint64_t now)
{
	const struct xf_failure *failure = find(failures, addr);

	return failure && now < failure->until;
}

void xf_failures__forget(struct xf_failures *failures, const struct xf_addr *addr)
{
	struct xf_failure *failure = find(failures, addr);

	if (failure)
		failure->until = 0;
}
