// SPDX-License-Identifier: GPL-2.0-only
/* The event loop with watches, timers and deferred calls that come and go at random, for the
 * sanitizers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/time.h"
#include "tests/unit/lib/loop_fixture.h"

#define ACTORS 200

struct actor {
	struct xf_watch watch;
	struct xf_timer timer;
	struct stage *stage;
	unsigned int slot;
	bool gone; /* its end is deferred, and no call may come any more */
};

struct stage {
	struct xf_loop *loop;
	struct actor *actors[ACTORS];
	unsigned int calls, born, freed;
};

static void act(struct stage *stage);

static void on_actor(struct xf_watch *watch, uint32_t events)
{
	struct actor *actor = xf_container_of(watch, struct actor, watch);

	(void)events;
	assert_false(actor->gone);
	act(actor->stage);
}

static void on_actor_timer(struct xf_timer *timer, uint64_t now)
{
	struct actor *actor = xf_container_of(timer, struct actor, timer);

	(void)now;
	assert_false(actor->gone);
	act(actor->stage);
}

static void free_actor(void *arg)
{
	struct actor *actor = arg;

	actor->stage->freed++;
	free(actor);
}

static void birth(struct stage *stage, unsigned int slot)
{
	struct actor *actor = calloc(1, sizeof(*actor));

	assert_non_null(actor);
	actor->watch = (struct xf_watch) { .fd = -1, .fn = on_actor };
	actor->timer.fn = on_actor_timer;
	actor->stage = stage;
	actor->slot = slot;
	assert_int_equal(xf_loop__add(stage->loop, &actor->watch,
				      eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC), EPOLLIN),
			 0);
	stage->actors[slot] = actor;
	stage->born++;
}

static void death(struct actor *actor)
{
	struct stage *stage = actor->stage;
	int fd = actor->watch.fd;

	actor->gone = true;
	if (rand() % 2) {
		xf_loop__close(stage->loop, &actor->watch);
	} else {
		xf_loop__del(stage->loop, &actor->watch);
		close(fd);
	}
	xf_loop__disarm(stage->loop, &actor->timer);
	stage->actors[actor->slot] = NULL;
	xf_loop__defer(stage->loop, free_actor, actor);
}

static void act(struct stage *stage)
{
	stage->calls++;
	for (int i = 0; i < 3; i++) {
		unsigned int slot = rand() % ACTORS;
		struct actor *actor = stage->actors[slot];

		if (!actor)
			birth(stage, slot);
		else if (rand() % 3 == 0)
			death(actor);
		else if (rand() % 3 == 0)
			xf_loop__disarm(stage->loop, &actor->timer);
		else
			assert_int_equal(xf_loop__arm(stage->loop, &actor->timer,
						      xf_loop__now(stage->loop) + rand() % XF_MSEC),
					 0);
	}
}

static void random_acts(void **state)
{
	struct stage stage = { .loop = *state };

	srand(7);
	birth(&stage, 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(xf_loop__turn(stage.loop, i % 2), 0);
	for (int i = 0; i < ACTORS; i++)
		if (stage.actors[i])
			death(stage.actors[i]);
	assert_int_equal(xf_loop__turn(stage.loop, 0), 0);
	assert_true(stage.calls > 10000);
	assert_int_equal(stage.born, stage.freed);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, loop_set_up, loop_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(random_acts),
	};

	return cmocka_run_group_tests_name("loop_random", tests, NULL, NULL);
}
