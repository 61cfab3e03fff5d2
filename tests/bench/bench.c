// SPDX-License-Identifier: GPL-2.0-only
/* Helpers of the measuring programs. */
#include "tests/bench/bench.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* clang-format off */
const uint8_t bench_frame[BENCH_FRAME] = {
	/* Ethernet: to a station that is nobody's, so that the stack gives the packet up early */
	0x02, 0x00, 0x00, 0x00, 0x0b, 0x02, 0x02, 0x00, 0x00, 0x00, 0x0b, 0x01, 0x08, 0x00,
	/* IPv4: 10.9.0.0 > 10.10.0.1 */
	0x45, 0x00, 0x00, 0x32, 0x00, 0x01, 0x40, 0x00, 0x40, 0x06, 0x26, 0xb2,
	0x0a, 0x09, 0x00, 0x00, 0x0a, 0x0a, 0x00, 0x01,
	/* TCP: 1024 > 443, [P.], and ten bytes of zero behind it */
	0x04, 0x00, 0x01, 0xbb, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01,
	0x50, 0x18, 0xfa, 0xf0, 0x9b, 0x01, 0x00, 0x00,
};
/* clang-format on */

void bench_fail(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

void bench_check(int err, const char *what)
{
	if (err >= 0)
		return;
	fprintf(stderr, "bench: cannot %s: %s\n", what, strerror(-err));
	exit(1);
}

uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

void bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	bench_check(sched_setaffinity(0, sizeof(set), &set) ? -errno : 0,
		    "pin a thread to its CPU");
}

int bench_cpu(int nth)
{
	static cpu_set_t set;

	/* As it was at the first call, before anything was pinned. */
	if (!CPU_COUNT(&set))
		sched_getaffinity(0, sizeof(set), &set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && !nth--)
			return cpu;
	return -1;
}

uint64_t bench_number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		bench_fail("an argument is not a number");
	return value;
}

/* libbpf tells of sections that it does not know, which is how the XDP metadata is stored. */
static int print_warning(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static struct bpf_object *open_object(const char *path)
{
	struct bpf_object *object;

	libbpf_set_print(print_warning);
	object = bpf_object__open_file(path, NULL);
	bench_check(object ? 0 : -errno, path);
	return object;
}

struct bpf_object *bench_open(const char *name)
{
	const char *dir = getenv("BENCH_DIR");
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "build/tests/bench", name);
	return open_object(path);
}

int bench_map_fd(struct bpf_object *object, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);

	bench_check(fd, "find a map of the program");
	return fd;
}

int bench_prog_fd(struct bpf_object *object, const char *name)
{
	const struct bpf_program *prog = bpf_object__find_program_by_name(object, name);

	if (!prog)
		bench_fail("a program is missing from its object");
	return bpf_program__fd(prog);
}

void bench_own_network(void)
{
	bench_check(unshare(CLONE_NEWNET) ? -errno : 0, "make a network namespace");
}

void bench_hold(int prog_fd)
{
	static unsigned int n;
	char command[128], name[IF_NAMESIZE];

	snprintf(name, sizeof(name), "hold%u", n);
	snprintf(command, sizeof(command), "ip link add %s type veth peer name peer%u", name, n++);
	if (system(command))
		bench_fail("cannot make an interface with 'ip link add'");
	bench_check(bpf_xdp_attach(if_nametoindex(name), prog_fd, XDP_FLAGS_DRV_MODE, NULL),
		    "attach a program to its interface");
}

void bench_logger_load(struct bench_logger *logger)
{
	struct bpf_object *object = open_object("xdpfun.o");

	bench_check(bpf_object__load(object), "load xdpfun.o");
	logger->prog_fd = bench_prog_fd(object, XF_PROG_NAME);
	logger->rings_fd = bench_map_fd(object, XF_RINGS_MAP);
	logger->config_fd = bench_map_fd(object, XF_CONFIG_MAP);
}

void bench_logger_read(struct bench_logger *logger, struct xf_reader *reader)
{
	struct xf_config config = {};
	__u32 zero = 0;

	bench_check(xf_reader__open(reader, BENCH_BUFFER), "make rings");
	config.wake_mask = reader->wake_mask;
	bench_check(bpf_map_update_elem(logger->config_fd, &zero, &config, BPF_ANY) ? -errno : 0,
		    "configure xdpfun.o");
	bench_check(xf_reader__install(reader, logger->rings_fd), "install rings");
}

/* How often this thread had to leave its CPU to another. */
static long preempted(void)
{
	struct rusage usage = {};

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

bool bench_run(int prog_fd, unsigned int repeat, double *ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bench_frame, .data_size_in = BENCH_FRAME,
		    .repeat = repeat);
	long before = preempted();
	uint64_t start = bench_now_ns();

	bench_check(bpf_prog_test_run_opts(prog_fd, &opts), "run a program");
	/* Not opts.duration, which is in whole nanoseconds. */
	*ns = (double)(bench_now_ns() - start) / repeat;
	return preempted() == before;
}

unsigned int bench_fits(const struct xf_ring *ring, unsigned int max)
{
	/* One record less, because a ring is never quite full. */
	size_t room = ring->size / BENCH_RECORD - 1;

	return room < max ? room : max;
}

unsigned int bench_empty(struct xf_ring *ring)
{
	unsigned int n;

	xf_ring__look(ring);
	n = (ring->limit - ring->at) / BENCH_RECORD;
	ring->at = ring->limit;
	xf_ring__release(ring);
	return n;
}

void bench_sample(unsigned int round, const char *series, double value, uint64_t lost)
{
	printf("%u %s %.3f %llu\n", round, series, value, (unsigned long long)lost);
	fflush(stdout);
}
