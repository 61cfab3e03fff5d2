// SPDX-License-Identifier: GPL-2.0-only
/* How many relays in the sockmap are busy. User space does not see their messages, so that the
 * program tells when one has moved many, and then all are looked at twice, a window apart. */
#include "lib/time.h"
#include "sockmap/engine/sockmap_impl.h"

/* Between two looks: each goes through all that are mapped. */
#define LOOK_PAUSE (20 * XF_MSEC)

struct traffic {
	uint64_t bytes, messages;
};

static struct traffic of_relay(const struct xf_mapped *mapped)
{
	struct traffic sum = {};

	for (unsigned int i = 0; i < mapped->relay->flows; i++) {
		sum.bytes += xf_mapped__moved(&mapped->flow[i]);
		sum.messages += mapped->flow[i].shared->messages;
	}
	return sum;
}

/* The entry is that of the relay's first flow: each relay comes once. */
static struct xf_mapped *relay_at(const struct xf_sockmap *sm, uint32_t i)
{
	struct xf_mapped *mapped = sm->by_index[i];

	return mapped && mapped->flow[0].shared == &sm->flows[i] && !mapped->relay->ended ? mapped
											  : NULL;
}

static struct traffic since_first_look(const struct xf_mapped *mapped)
{
	struct traffic now = of_relay(mapped);

	return (struct traffic) { now.bytes - mapped->looked_bytes,
				  now.messages - mapped->looked_messages };
}

/* Returns how many relays are busy, and @messages of all of them. */
static unsigned int count_busy(const struct xf_sockmap *sm, uint64_t *messages)
{
	unsigned int busy = 0;

	*messages = 0;
	for (uint32_t i = 0; i < sm->indexes; i++) {
		const struct xf_mapped *mapped = relay_at(sm, i);
		uint64_t n = mapped ? since_first_look(mapped).messages : 0;

		*messages += n;
		busy += n > 0;
	}
	return busy;
}

/* Give busy relays to an engine that does better. */
static void recall(struct xf_sockmap *sm)
{
	for (uint32_t i = 0; i < sm->indexes; i++) {
		struct xf_mapped *mapped = relay_at(sm, i);
		struct traffic now;

		if (!mapped)
			continue;
		now = since_first_look(mapped);
		if (!now.messages)
			continue;
		mapped->relay->recalled = true;
		mapped->relay->message = now.bytes / now.messages;
		xf_relay__choose(mapped->relay);
	}
}

static void on_second_look(struct xf_timer *timer, uint64_t now)
{
	struct xf_sockmap *sm = xf_container_of(timer, struct xf_sockmap, crowd);
	struct xf_mover *mover = sm->mover;
	uint64_t messages, poll_ns = mover->opts.poll_ns;
	bool quick;

	sm->look_next = now + LOOK_PAUSE;
	xf_crowd__note_mapped(&mover->crowd, count_busy(sm, &messages), now);
	/* They follow each other more quickly than polling would give up. */
	quick = messages * poll_ns > now - sm->look_began;
	if (xf_crowd__size(&mover->crowd, now) > mover->crowd_max ||
	    (quick && xf_mover__may_poll(mover)))
		recall(sm);
}

void xf_sockmap__busy(struct xf_sockmap *sm)
{
	uint64_t now = xf_loop__now(sm->mover->loop);

	if (sm->crowd.pos || now < sm->look_next)
		return;
	for (uint32_t i = 0; i < sm->indexes; i++) {
		struct xf_mapped *mapped = relay_at(sm, i);
		struct traffic at = mapped ? of_relay(mapped) : (struct traffic) {};

		if (!mapped)
			continue;
		mapped->looked_bytes = at.bytes;
		mapped->looked_messages = at.messages;
	}
	sm->look_began = now;
	sm->crowd.fn = on_second_look;
	/* Without memory for the timer there is no look this time. */
	xf_loop__arm(sm->mover->loop, &sm->crowd, now + XF_CROWD_WINDOW);
}
