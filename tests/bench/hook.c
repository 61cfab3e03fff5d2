// SPDX-License-Identifier: GPL-2.0-only
/* The cost of a packet at the hook: hook ROUNDS prints for each round one sample of each program,
 * one after the other on the same CPU.
 *
 * Buffers hold a whole run and are emptied between runs by the measuring thread itself. A second
 * thread sleeps on another CPU until it is woken, as a reader does, but takes nothing: so wake-ups
 * are part of the cost, and the memory traffic of reading, which depends on the reader, is not. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define PACKETS 20000	   /* of one sample */
#define WOKEN_PACKETS 1000 /* where each wakes the reader */
#define PERF_PAGES 4096	   /* a power of two */
#define PERF_BATCH 512	   /* xdpdump's */

struct perf_buffer {
	struct perf_event_mmap_page *meta;
	size_t size;	      /* of the data behind it */
	unsigned int packets; /* of one sample */
};

struct hook {
	int cpu;
	int epoll_fd;
	int empty_fd, minimal_fd, perf_each_fd, perf_batch_fd;
	struct bench_logger unread, logger;
	struct xf_reader logger_rings, minimal_rings;
	struct perf_buffer perf_each, perf_batch;
};

static void *sleep_until_woken(void *arg)
{
	struct hook *hook = arg;
	struct epoll_event events[64];

	if (bench_cpu(1) >= 0)
		bench_pin(bench_cpu(1));
	for (;;)
		epoll_wait(hook->epoll_fd, events, 64, -1);
	return NULL;
}

static void watch(struct hook *hook, int fd, uint32_t how)
{
	struct epoll_event event = { .events = EPOLLIN | how };

	bench_check(epoll_ctl(hook->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0,
		    "watch a buffer");
}

/* The program that logs through a ring of its own, made like the logger's. */
static void open_minimal(struct hook *hook)
{
	struct bpf_object *object = bench_open("minimal.bpf.o");
	struct bpf_map *ring = bpf_object__find_map_by_name(object, "ring");

	bench_check(xf_reader__open(&hook->minimal_rings, BENCH_BUFFER), "make rings");
	bench_check(bpf_map__reuse_fd(ring, hook->minimal_rings.rings[hook->cpu].fd), "use a ring");
	bench_check(bpf_object__load(object), "load minimal.bpf.o");
	hook->empty_fd = bench_prog_fd(object, "empty");
	hook->minimal_fd = bench_prog_fd(object, "minimal");
}

static int perf_open(int cpu, unsigned int wakeup_events)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
		.wakeup_events = wakeup_events,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	bench_check(fd < 0 ? -errno : 0, "open a perf event");
	return fd;
}

static int open_perf(struct hook *hook, struct perf_buffer *buffer, unsigned int wakeup_events)
{
	struct bpf_object *object = bench_open("minimal.bpf.o");
	size_t page = sysconf(_SC_PAGESIZE);
	int fd = perf_open(hook->cpu, wakeup_events);
	__u32 key = hook->cpu;

	bench_check(bpf_object__load(object), "load minimal.bpf.o");
	buffer->size = PERF_PAGES * page;
	buffer->meta = mmap(NULL, page + buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	bench_check(buffer->meta == MAP_FAILED ? -errno : 0, "map a perf buffer");
	bench_check(bpf_map_update_elem(bench_map_fd(object, "events"), &key, &fd, BPF_ANY) ? -errno
											    : 0,
		    "install a perf buffer");
	bench_check(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) ? -errno : 0, "enable a perf event");
	watch(hook, fd, 0);
	return bench_prog_fd(object, "perf");
}

/* Take all events; returns how many were records. Those that the kernel could not write are missing
 * there. */
static unsigned int perf_empty(struct perf_buffer *buffer)
{
	const char *data = (const char *)buffer->meta + sysconf(_SC_PAGESIZE);
	uint64_t head = __atomic_load_n(&buffer->meta->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = buffer->meta->data_tail;
	unsigned int records = 0;

	while (tail < head) {
		/* Headers are 8 bytes at a multiple of 8 and never wrap. */
		const struct perf_event_header *event = (const void *)(data + tail % buffer->size);

		records += event->type == PERF_RECORD_SAMPLE;
		tail += event->size;
	}
	__atomic_store_n(&buffer->meta->data_tail, tail, __ATOMIC_RELEASE);
	return records;
}

static void set_up(struct hook *hook)
{
	pthread_t sleeper;

	hook->cpu = bench_cpu(0);
	hook->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	bench_own_network();
	open_minimal(hook);
	bench_logger_load(&hook->unread);
	bench_logger_load(&hook->logger);
	bench_logger_read(&hook->logger, &hook->logger_rings);
	for (unsigned int i = 0; i < hook->logger_rings.n; i++)
		watch(hook, hook->logger_rings.rings[i].fd, EPOLLET);
	hook->perf_each.packets = WOKEN_PACKETS;
	hook->perf_batch.packets = PACKETS;
	hook->perf_each_fd = open_perf(hook, &hook->perf_each, 1);
	hook->perf_batch_fd = open_perf(hook, &hook->perf_batch, PERF_BATCH);

	bench_hold(hook->empty_fd);
	bench_hold(hook->minimal_fd);
	bench_hold(hook->unread.prog_fd);
	bench_hold(hook->logger.prog_fd);
	bench_hold(hook->perf_each_fd);
	bench_hold(hook->perf_batch_fd);
	bench_check(-pthread_create(&sleeper, NULL, sleep_until_woken, hook), "start a thread");
	bench_pin(hook->cpu);
}

/* Where records go, and how to take them from there; neither for a program that makes none. */
struct buffer {
	struct xf_ring *ring;
	struct perf_buffer *perf;
};

static unsigned int take_all(const struct buffer *buffer)
{
	return buffer->ring ? bench_empty(buffer->ring) : perf_empty(buffer->perf);
}

static void sample(unsigned int round, const char *series, int prog_fd, struct buffer buffer)
{
	bool records = buffer.ring || buffer.perf, trusted = false;
	unsigned int packets = buffer.perf ? buffer.perf->packets : PACKETS;
	uint64_t lost = 0;
	double ns = 0;

	if (buffer.ring)
		packets = bench_fits(buffer.ring, packets);
	if (records)
		take_all(&buffer);
	for (int i = 0; i < BENCH_TRIES && !trusted; i++) {
		trusted = bench_run(prog_fd, packets, &ns);
		lost += records ? packets - take_all(&buffer) : 0;
	}
	bench_sample(round, series, ns, lost);
}

static void sample_all(struct hook *hook, unsigned int round)
{
	struct buffer none = {};

	sample(round, "hook_empty", hook->empty_fd, none);
	sample(round, "hook_unread", hook->unread.prog_fd, none);
	sample(round, "hook_minimal", hook->minimal_fd,
	       (struct buffer) { .ring = &hook->minimal_rings.rings[hook->cpu] });
	sample(round, "hook_logger", hook->logger.prog_fd,
	       (struct buffer) { .ring = &hook->logger_rings.rings[hook->cpu] });
	sample(round, "hook_perf_batch", hook->perf_batch_fd,
	       (struct buffer) { .perf = &hook->perf_batch });
	sample(round, "hook_perf_each", hook->perf_each_fd,
	       (struct buffer) { .perf = &hook->perf_each });
}

int main(int argc, char **argv)
{
	struct hook hook = {};
	unsigned int rounds;

	if (argc != 2)
		bench_fail("usage: hook ROUNDS");
	rounds = bench_number(argv[1]);
	set_up(&hook);
	for (unsigned int round = 1; round <= rounds; round++)
		sample_all(&hook, round);
	return 0;
}
