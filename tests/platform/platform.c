// SPDX-License-Identifier: GPL-2.0-only
#include "tests/platform/platform.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tests/lib/loopback.h"

/* Long enough for an emulated processor to act, and for one to show that it does not. */
#define MOMENT_MS 200
#define LIMIT_MS 60000
#define STEP_MS 5

extern const uint8_t xf_verdict_object_start[], xf_verdict_object_end[];

static int load(struct xf_bed *bed)
{
	struct bpf_program *prog;
	int verdicts;

	bed->object = bpf_object__open_mem(xf_verdict_object_start,
					   xf_verdict_object_end - xf_verdict_object_start, NULL);
	if (!bed->object || bpf_object__load(bed->object))
		return -1;
	bed->sources = bpf_object__find_map_fd_by_name(bed->object, "sources");
	bed->destinations = bpf_object__find_map_fd_by_name(bed->object, "destinations");
	verdicts = bpf_object__find_map_fd_by_name(bed->object, "verdicts");
	bed->verdict = mmap(NULL, XF_VERDICTS * sizeof(*bed->verdict), PROT_READ | PROT_WRITE,
			    MAP_SHARED, verdicts, 0);
	if (bed->verdict == MAP_FAILED)
		return -1;
	prog = bpf_object__find_program_by_name(bed->object, "xf_verdict_program");
	return bpf_prog_attach(bpf_program__fd(prog), bed->sources, BPF_SK_SKB_STREAM_VERDICT, 0);
}

static uint64_t cookie_of(int fd)
{
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie = 0;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

static void make_nonblocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

int xf_bed_set_up(void **state)
{
	struct xf_bed *bed = calloc(1, sizeof(*bed));
	int index_of, fds[2];

	if (!bed || load(bed))
		return -1;
	*state = bed;
	xf_connect_pair(&bed->client, &bed->in);
	xf_connect_pair(&bed->out, &bed->server);
	make_nonblocking(bed->client);
	make_nonblocking(bed->in);
	make_nonblocking(bed->out);
	make_nonblocking(bed->server);
	fds[0] = bed->in;
	fds[1] = bed->out;
	index_of = bpf_object__find_map_fd_by_name(bed->object, "index_of");
	for (uint32_t i = 0; i < 2; i++) {
		bed->cookie[i] = cookie_of(fds[i]);
		bed->verdict[!i].to = bed->cookie[i];
		assert_int_equal(bpf_map_update_elem(index_of, &bed->cookie[i], &i, BPF_ANY), 0);
	}
	return 0;
}

int xf_bed_tear_down(void **state)
{
	struct xf_bed *bed = *state;

	close(bed->client);
	close(bed->in);
	close(bed->out);
	close(bed->server);
	munmap(bed->verdict, XF_VERDICTS * sizeof(*bed->verdict));
	bpf_object__close(bed->object);
	free(bed);
	return 0;
}

static int enter(const struct xf_bed *bed, int map, int side)
{
	uint32_t fd = side ? bed->out : bed->in;

	return bpf_map_update_elem(map, &bed->cookie[side], &fd, BPF_ANY) ? -errno : 0;
}

int xf_bed__enter(struct xf_bed *bed, int side)
{
	return enter(bed, bed->sources, side);
}

void xf_bed__leave(struct xf_bed *bed, int side)
{
	assert_int_equal(bpf_map_delete_elem(bed->sources, &bed->cookie[side]), 0);
}

void xf_bed__enter_destinations(struct xf_bed *bed)
{
	assert_int_equal(enter(bed, bed->destinations, 0), 0);
	assert_int_equal(enter(bed, bed->destinations, 1), 0);
}

void xf_bed__leave_destinations(struct xf_bed *bed, int side)
{
	assert_int_equal(bpf_map_delete_elem(bed->destinations, &bed->cookie[side]), 0);
}

void xf_bed__join(struct xf_bed *bed, enum xf_action action)
{
	bed->verdict[0].action = action;
	bed->verdict[1].action = action;
	xf_bed__enter_destinations(bed);
	assert_int_equal(xf_bed__enter(bed, 0), 0);
	assert_int_equal(xf_bed__enter(bed, 1), 0);
}

bool xf_eventually(bool (*ready)(void *arg), void *arg)
{
	for (int ms = 0; ms < LIMIT_MS && !ready(arg); ms += STEP_MS)
		poll(NULL, 0, STEP_MS);
	return ready(arg);
}

void xf_say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

void xf_hears(int fd, const char *text)
{
	size_t len = strlen(text), n = 0;
	char got[256] = {};

	assert_true(len < sizeof(got));
	for (int ms = 0; ms < LIMIT_MS && n < len; ms += STEP_MS) {
		ssize_t more = recv(fd, got + n, len - n, MSG_DONTWAIT);

		n += more > 0 ? more : 0;
		if (more <= 0)
			poll(NULL, 0, STEP_MS);
	}
	assert_string_equal(got, text);
	assert_true(xf_hears_nothing(fd));
}

bool xf_hears_nothing(int fd)
{
	char byte;

	poll(NULL, 0, MOMENT_MS);
	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

size_t xf_flood(int fd, size_t max)
{
	static const char buf[64 * 1024];
	size_t all = 0;
	int still = 0;

	while (all < max && still < MOMENT_MS) {
		size_t len = max - all < sizeof(buf) ? max - all : sizeof(buf);
		ssize_t n = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		still = n > 0 ? 0 : still + STEP_MS;
		all += n > 0 ? n : 0;
		if (n <= 0)
			poll(NULL, 0, STEP_MS);
	}
	return all;
}

size_t xf_swallow(int fd, size_t least)
{
	static char buf[64 * 1024];
	size_t all = 0;
	int still = 0;

	while (still < (all < least ? LIMIT_MS : MOMENT_MS)) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		still = n > 0 ? 0 : still + STEP_MS;
		all += n > 0 ? n : 0;
		if (n <= 0)
			poll(NULL, 0, STEP_MS);
	}
	return all;
}

static bool polled(int fd, uint32_t events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) > 0 && p.revents & events;
}

bool xf_announces(int fd, uint32_t events)
{
	return polled(fd, events, LIMIT_MS);
}

bool xf_does_not_announce(int fd, uint32_t events)
{
	return !polled(fd, events, MOMENT_MS);
}

void xf_holds_since(int major, int minor, bool holds, const char *fact)
{
	struct utsname name;
	int is_major = 0, is_minor = 0;

	if (holds)
		return;
	uname(&name);
	sscanf(name.release, "%d.%d", &is_major, &is_minor);
	if (is_major > major || (is_major == major && is_minor >= minor))
		fail_msg("on %s it is not so that %s", name.release, fact);
	printf("# note: on %s it is not so that %s\n", name.release, fact);
}

bool xf_platform_ready(void)
{
	struct xf_bed bed = {};
	bool works;

	if (geteuid()) {
		printf("1..0 # SKIP not root\n");
		return false;
	}
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	if (xf_own_loopback())
		exit(1);
	works = !load(&bed);
	if (!works)
		printf("1..0 # SKIP the kernel has no stream verdict for sockmaps: %s\n",
		       strerror(errno));
	bpf_object__close(bed.object);
	return works;
}
