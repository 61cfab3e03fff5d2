// SPDX-License-Identifier: GPL-2.0-only
/* The history of the offset between wall clock and boot clock. The offset only changes when the
 * wall clock is set: NTP corrects the speed of both clocks, and both include time spent in suspend.
 */
#include "loader/log/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/time.h"

#define STEP_NS ((int64_t)XF_MSEC) /* a smaller change of the offset is no step */
#define DRAIN_NS (50 * XF_MSEC)	   /* how often the timer is read when no step was seen */
#define GOOD_WINDOW_NS 20000	   /* readings this close together count as simultaneous */
#define READ_TRIES 10
#define FAR_FUTURE                                                                                 \
	7258118400 /* the year 2200: the timer is there to be cancelled, not to expire             \
		    */

/* Read both clocks at the same moment: of a few tries the one with the shortest interruption
 * counts. Returns how far apart the readings may be, ns. */
static uint64_t read_both(uint64_t *boot_ns, uint64_t *wall_ns)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < READ_TRIES && best > GOOD_WINDOW_NS; i++) {
		uint64_t before = xf_now_ns(CLOCK_BOOTTIME);
		uint64_t wall = xf_now_ns(CLOCK_REALTIME);
		uint64_t window = xf_now_ns(CLOCK_BOOTTIME) - before;

		if (window < best) {
			best = window;
			*boot_ns = before + window / 2;
			*wall_ns = wall;
		}
	}
	return best;
}

/* Arm the timer, which becomes readable each time the clock is set. Returns 0 or -errno. */
static int timer_set(int fd)
{
	struct itimerspec never = { .it_value = { .tv_sec = FAR_FUTURE } };

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL)
		   ? -errno
		   : 0;
}

int xf_clock__open(struct xf_clock *clock)
{
	uint64_t boot_ns = 0, wall_ns = 0;
	int err;

	memset(clock, 0, sizeof(*clock));
	clock->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (clock->timer_fd < 0)
		return -errno;
	err = timer_set(clock->timer_fd);
	if (err) {
		xf_clock__close(clock);
		return err;
	}
	read_both(&boot_ns, &wall_ns);
	xf_clock__sample(clock, boot_ns, wall_ns, false);
	return 0;
}

void xf_clock__close(struct xf_clock *clock)
{
	if (clock->timer_fd >= 0)
		close(clock->timer_fd);
	clock->timer_fd = -1;
}

/* Whether the clock was set since the last call. */
static bool was_set(struct xf_clock *clock, uint64_t boot_ns)
{
	uint64_t expirations;

	clock->drained_boot_ns = boot_ns;
	if (clock->timer_fd < 0)
		return false;
	return read(clock->timer_fd, &expirations, sizeof(expirations)) < 0 && errno == ECANCELED;
}

static int64_t moved_by(const struct xf_clock *clock, uint64_t boot_ns, uint64_t wall_ns)
{
	return (int64_t)(wall_ns - boot_ns) - clock->step[clock->n - 1].offset_ns;
}

static bool is_step(int64_t moved_ns)
{
	return moved_ns >= STEP_NS || moved_ns <= -STEP_NS;
}

bool xf_clock__check(struct xf_clock *clock)
{
	uint64_t boot_ns = 0, wall_ns = 0;
	bool announced = false;

	/* Readings so far apart would look like a step; the next call tries again. */
	if (read_both(&boot_ns, &wall_ns) >= STEP_NS)
		return false;
	/* A clock that was set by less than a step makes the timer readable too, and epoll would
	 * return at once: so the timer is read every DRAIN_NS, also without a step. */
	if (is_step(moved_by(clock, boot_ns, wall_ns)) ||
	    boot_ns - clock->drained_boot_ns >= DRAIN_NS)
		announced = was_set(clock, boot_ns);
	return xf_clock__sample(clock, boot_ns, wall_ns, announced);
}

static void append(struct xf_clock *clock, uint64_t from_boot_ns, int64_t offset_ns)
{
	if (clock->n == XF_CLOCK_STEPS) {
		clock->n--;
		memmove(clock->step, clock->step + 1, clock->n * sizeof(clock->step[0]));
	}
	clock->step[clock->n].from_boot_ns = from_boot_ns;
	clock->step[clock->n].offset_ns = offset_ns;
	clock->n++;
}

bool xf_clock__sample(struct xf_clock *clock, uint64_t boot_ns, uint64_t wall_ns, bool announced)
{
	uint64_t checked_ns = clock->checked_boot_ns;
	int64_t offset_ns = wall_ns - boot_ns;

	clock->checked_boot_ns = boot_ns;
	if (clock->n == 0) {
		append(clock, 0, offset_ns);
		return false;
	}
	if (!is_step(moved_by(clock, boot_ns, wall_ns))) {
		clock->step[clock->n - 1].offset_ns = offset_ns;
		return false;
	}
	append(clock, announced ? boot_ns : checked_ns + (boot_ns - checked_ns) / 2, offset_ns);
	return true;
}

uint64_t xf_clock__wall(const struct xf_clock *clock, uint64_t boot_ns)
{
	unsigned int i = clock->n - 1;

	/* For a packet older than all remembered steps the oldest offset is the best guess. */
	while (i > 0 && boot_ns < clock->step[i].from_boot_ns)
		i--;
	return boot_ns + clock->step[i].offset_ns;
}
