// SPDX-License-Identifier: GPL-2.0-only
/* The object under test and its maps. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/time.h"
#include "tests/prog/harness.h"

static int print_warnings(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

const char *xf_harness_refusal(void)
{
	static char why[128];
	int fd;

	if (geteuid() != 0)
		return "not root";
	libbpf_set_print(print_warnings);
	libbpf_set_strict_mode(LIBBPF_STRICT_AUTO_RLIMIT_MEMLOCK);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "xf_probe", 4, 4, 1, NULL);
	if (fd < 0) {
		snprintf(why, sizeof(why), "the kernel refuses bpf(): %s", strerror(errno));
		return why;
	}
	close(fd);
	return NULL;
}

int xf_skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	return 0;
}

const char *xf_logger_object(void)
{
	return getenv("XDPFUN_OBJECT") ?: "./xdpfun.o";
}

const char *xf_firewall_object(void)
{
	return getenv("XDPFUN_FW_OBJECT") ?: "./xdpfun-fw.o";
}

const char *xf_relay_object(void)
{
	static char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_in_range(len, 1, sizeof(path) - 64);
	strcpy(strstr(path, "/tests/prog/"), "/sockmap/engine/relay.bpf.o");
	return getenv("XDPFUN_RELAY_OBJECT") ?: path;
}

static int find_map(const struct xf_harness *harness, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(harness->object, name);

	if (fd < 0)
		fprintf(stderr, "the object has no map %s\n", name);
	return fd;
}

int xf_harness__open(struct xf_harness *harness, uint32_t flags)
{
	const char *path = xf_logger_object();
	struct bpf_program *prog;
	int err;

	memset(harness, 0, sizeof(*harness));
	harness->object = bpf_object__open(path);
	if (!harness->object) {
		err = -errno;
		fprintf(stderr, "cannot open %s: %s\n", path, strerror(errno));
		return err;
	}
	prog = bpf_object__find_program_by_name(harness->object, XF_PROG_NAME);
	if (!prog) {
		fprintf(stderr, "%s has no program %s\n", path, XF_PROG_NAME);
		err = -ENOENT;
		goto out_close;
	}
	err = bpf_program__set_flags(prog, bpf_program__flags(prog) | flags);
	if (!err)
		err = bpf_object__load(harness->object);
	if (err)
		goto out_close;
	harness->prog = bpf_program__fd(prog);
	harness->rings = find_map(harness, XF_RINGS_MAP);
	harness->counters = find_map(harness, XF_COUNTERS_MAP);
	harness->config = find_map(harness, XF_CONFIG_MAP);
	harness->alive = find_map(harness, XF_ALIVE_MAP);
	harness->cpus = libbpf_num_possible_cpus();
	err = -ENOENT;
	if (harness->rings >= 0 && harness->counters >= 0 && harness->config >= 0 &&
	    harness->alive >= 0)
		return 0;
out_close:
	xf_harness__close(harness);
	return err;
}

void xf_harness__close(struct xf_harness *harness)
{
	bpf_object__close(harness->object);
	harness->object = NULL;
}

int xf_harness_run(const struct xf_harness *harness, const void *bytes, size_t len,
		   unsigned int repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_size_in = len,
		    .repeat = repeat);
	int err = bpf_prog_test_run_opts(harness->prog, &opts);

	return err ? err : (int)opts.retval;
}

int xf_harness_run_split(int prog, const void *bytes, size_t len, size_t first)
{
	struct xdp_md ctx = { .data_end = first };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_size_in = len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	int err = bpf_prog_test_run_opts(prog, &opts);

	return err ? err : (int)opts.retval;
}

int xf_harness_run_on(const struct xf_harness *harness, const void *bytes, size_t len, int ifindex,
		      int rx_queue)
{
	struct xdp_md ctx = { .data_end = len,
			      .ingress_ifindex = ifindex,
			      .rx_queue_index = rx_queue };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_size_in = len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	int err = bpf_prog_test_run_opts(harness->prog, &opts);

	return err ? err : (int)opts.retval;
}

void xf_harness_count(const struct xf_harness *harness, struct xf_counters *sum)
{
	struct xf_counters *each = calloc(harness->cpus, sizeof(*each));
	uint32_t zero = 0;

	assert_non_null(each);
	assert_int_equal(bpf_map_lookup_elem(harness->counters, &zero, each), 0);
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < harness->cpus; i++) {
		sum->submitted += each[i].submitted;
		sum->lost += each[i].lost;
		sum->unread += each[i].unread;
		sum->filtered += each[i].filtered;
		sum->sampled_out += each[i].sampled_out;
		sum->rate_limited += each[i].rate_limited;
	}
	free(each);
}

uint64_t xf_counters_seen(const struct xf_counters *counters)
{
	return counters->submitted + counters->lost + counters->unread + counters->filtered +
	       counters->sampled_out + counters->rate_limited;
}

void xf_harness_configure(const struct xf_harness *harness, const struct xf_config *config)
{
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(harness->config, &zero, config, BPF_ANY), 0);
}

void xf_harness_install(const struct xf_harness *harness, int cpu, int ring_fd)
{
	for (int i = 0; i < harness->cpus; i++)
		if (cpu < 0 || cpu == i)
			assert_int_equal(bpf_map_update_elem(harness->rings, &i, &ring_fd, BPF_ANY),
					 0);
}

static int open_dummy_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
	};

	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

const char *xf_alive_refusal(void)
{
	static char why[128];
	int event = open_dummy_event();

	if (event < 0) {
		snprintf(why, sizeof(why), "the kernel refuses perf_event_open(): %s",
			 strerror(errno));
		return why;
	}
	close(event);
	return NULL;
}

int xf_alive_insert(int alive_fd)
{
	int event = open_dummy_event();
	uint32_t zero = 0;
	int err;

	if (event < 0)
		return -errno;
	err = bpf_map_update_elem(alive_fd, &zero, &event, BPF_ANY) ? -errno : 0;
	close(event);
	return err;
}

static int take_record(void *arg, void *data, size_t size)
{
	struct xf_test_ring *ring = arg;

	assert_int_equal(size, sizeof(struct xf_record));
	if (ring->n < ring->room)
		memcpy(&ring->into[ring->n], data, size);
	ring->n++;
	return 0;
}

int xf_test_ring__open(struct xf_test_ring *ring, size_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NUMA_NODE, .numa_node = -1);

	memset(ring, 0, sizeof(*ring));
	ring->fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "xf_test_ring", 0, 0, size, &opts);
	if (ring->fd < 0)
		return -errno;
	ring->reader = ring_buffer__new(ring->fd, take_record, ring, NULL);
	if (ring->reader)
		return 0;
	close(ring->fd);
	ring->fd = -1;
	return -ENOMEM;
}

void xf_test_ring__close(struct xf_test_ring *ring)
{
	if (!ring->reader)
		return;
	ring_buffer__free(ring->reader);
	close(ring->fd);
}

size_t xf_test_ring_read(struct xf_test_ring *ring, struct xf_record *into, size_t room)
{
	ring->into = into;
	ring->room = room;
	ring->n = 0;
	assert_true(ring_buffer__consume(ring->reader) >= 0);
	return ring->n;
}

int xf_usable_cpus(int *cpus, int max)
{
	cpu_set_t set;
	int n = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE && n < max; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[n++] = cpu;
	return n;
}

void xf_pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

int xf_harness_set_up(void **state)
{
	struct xf_harness *harness = calloc(1, sizeof(*harness));

	*state = harness;
	return harness ? xf_harness__open(harness, 0) : -1;
}

int xf_harness_set_up_pinned(void **state)
{
	int cpus[CPU_SETSIZE];
	int n = xf_usable_cpus(cpus, CPU_SETSIZE);

	if (n < 1)
		return -1;
	xf_pin_to_cpu(
	    cpus[n - 1]); /* not CPU 0 if possible, because a wrong 0 would not be noticed */
	return xf_harness_set_up(state);
}

int xf_harness_tear_down(void **state)
{
	xf_harness__close(*state);
	free(*state);
	return 0;
}

uint64_t xf_boot_ns(void)
{
	return xf_now_ns(CLOCK_BOOTTIME);
}
