// SPDX-License-Identifier: GPL-2.0-only
/* latency IFACE PAUSE_MS...: after each pause send a frame, and print after how many microseconds
 * its line comes from the log on stdin. The second number is the control: the largest delay of
 * threads, one on each processor, that sleep for a moment again and again. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

#define FIRST_PORT 40000
#define WAIT_MS 90000
#define NAP_US 1000

/* The times of the sleeper on one processor, in us. */
struct sleeper {
	_Atomic long due; /* when it is to wake up */
	_Atomic long late;
};

static char text[1 << 16]; /* the text read so far */
static size_t text_len;
static struct sleeper *sleepers;
static int n_sleepers;

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

static void pause_us(long us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

static void sleep_for_ever(struct sleeper *me)
{
	for (;;) {
		long late;

		me->due = now_us() + NAP_US;
		pause_us(NAP_US);
		late = now_us() - me->due;
		if (late > me->late)
			me->late = late;
	}
}

static void start_sleepers(void)
{
	cpu_set_t all, one;

	sched_getaffinity(0, sizeof(all), &all);
	sleepers = mmap(NULL, CPU_SETSIZE * sizeof(*sleepers), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		struct sleeper *me = &sleepers[n_sleepers];

		if (!CPU_ISSET(cpu, &all))
			continue;
		me->due = now_us() + NAP_US;
		n_sleepers++;
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		sleep_for_ever(me);
	}
}

/* Returns the largest delay since the last call. A sleeper that is still late counts, too. */
static long latest(void)
{
	long most = 0, now = now_us();

	for (int i = 0; i < n_sleepers; i++) {
		long late = atomic_exchange(&sleepers[i].late, 0), due = now - sleepers[i].due;

		late = due > late ? due : late;
		most = late > most ? late : most;
	}
	return most;
}

/* Read until @word comes. Returns 0, or -1 when it does not. */
static int wait_for(const char *word)
{
	long until = now_us() + WAIT_MS * 1000L;
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	while (!strstr(text, word)) {
		long left = (until - now_us()) / 1000;
		ssize_t n;

		if (left <= 0 || poll(&in, 1, left) <= 0)
			return -1;
		n = read(STDIN_FILENO, text + text_len, sizeof(text) - 1 - text_len);
		if (n <= 0)
			return -1;
		text_len += n;
		text[text_len] = '\0';
	}
	return 0;
}

static int measure(int fd, unsigned int port)
{
	unsigned char frame[64];
	char word[32];
	long sent;

	snprintf(word, sizeof(word), ":%u udp", port);
	frame_make(frame, sizeof(frame), FIRST_PORT, port, 0);
	latest();
	sent = now_us();
	if (send(fd, frame, sizeof(frame), 0) != sizeof(frame)) {
		perror("send");
		return 1;
	}
	if (wait_for(word)) {
		fprintf(stderr, "the line of port %u never came\n", port);
		return 1;
	}
	printf("%ld %ld\n", now_us() - sent, latest());
	return 0;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc < 3) {
		fprintf(stderr, "usage: latency IFACE PAUSE_MS...\n");
		return 2;
	}
	fd = frame_socket(argv[1]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	start_sleepers();
	for (int i = 2; i < argc; i++) {
		pause_us(strtol(argv[i], NULL, 10) * 1000);
		if (measure(fd, FIRST_PORT + i))
			return 1;
	}
	return 0;
}
