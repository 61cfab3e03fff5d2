// SPDX-License-Identifier: GPL-2.0-only
/* The rings of one program, on the side of their reader. */
#include "loader/log/reader.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loader/hook/program.h"
#include "loader/hook/hints.h"
#include "lib/msg.h"
#include "loader/hook/slots.h"

#define RING_MAX (1ULL << 30) /* bytes; ten seconds of a million packets */
#define WAKE_MAX 8192u	      /* records; more would save nothing and delay the reader */

static int ring_map(struct xf_ring *ring)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *mem;

	mem = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	ring->consumer = (uint64_t *)mem;
	mem = mmap(NULL, page + 2 * ring->size, PROT_READ, MAP_SHARED, ring->fd, page);
	if (mem == MAP_FAILED)
		return -errno;
	ring->producer = (uint32_t *)mem;
	ring->data = mem + page;
	ring->at = *ring->consumer;
	return 0;
}

static void ring_close(struct xf_ring *ring)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (ring->consumer)
		munmap(ring->consumer, page);
	if (ring->producer)
		munmap((void *)ring->producer, page + 2 * ring->size);
	if (ring->fd >= 0)
		close(ring->fd);
}

/* Returns the NUMA node of a CPU, or NUMA_NO_NODE when the kernel does not tell (a single node, or
 * a CPU that is not present yet). */
static uint32_t cpu_node(unsigned int cpu)
{
	uint32_t node = UINT32_MAX;
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", cpu);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (sscanf(entry->d_name, "node%u", &node) == 1)
			break;
	if (dir)
		closedir(dir);
	return node;
}

static int ring_create(struct xf_ring *ring, unsigned int cpu, size_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NUMA_NODE,
		    .numa_node = cpu_node(cpu));

	ring->size = size;
	ring->fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "xf_ring", 0, 0, size, &opts);
	if (ring->fd < 0)
		return -errno;
	return ring_map(ring);
}

static int rings_alloc(struct xf_reader *reader, int n)
{
	if (n < 0)
		return n;
	reader->n = n;
	reader->rings = calloc(n ? n : 1, sizeof(*reader->rings));
	if (!reader->rings)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		reader->rings[i].fd = -1;
	return 0;
}

/* Returns the largest power of two, at least a page, with which @n rings fit into @bytes. */
static size_t ring_size(uint64_t bytes, unsigned int n)
{
	uint64_t size = sysconf(_SC_PAGESIZE);

	while (size * 2 <= bytes / n && size < RING_MAX)
		size *= 2;
	return size;
}

/* Returns the wake_mask with which the reader is woken when an eighth of the ring is full. */
static uint32_t wake_mask(size_t size)
{
	uint32_t n = 1;

	while (n < WAKE_MAX && n * 2 * (sizeof(struct xf_record) + BPF_RINGBUF_HDR_SZ) <= size / 8)
		n *= 2;
	return n - 1;
}

int xf_reader__open(struct xf_reader *reader, uint64_t bytes)
{
	size_t size;
	int err;

	memset(reader, 0, sizeof(*reader));
	err = rings_alloc(reader, xf_possible_cpus());
	if (err)
		goto fail;
	size = ring_size(bytes, reader->n);
	reader->wake_mask = wake_mask(size);
	if (bytes / reader->n >= 2 * RING_MAX)
		xf_warn("a ring has at most 1G: using %u rings of that size", reader->n);
	for (unsigned int cpu = 0; cpu < reader->n && !err; cpu++)
		err = ring_create(&reader->rings[cpu], cpu, size);
	if (!err)
		return 0;
fail:
	xf_err("cannot make ring buffers for %u CPUs: %s", reader->n, strerror(-err));
	if (err == -ENOMEM)
		xf_hint("use a smaller --buffer");
	else if (err == -EPERM)
		xf_hint_locked_memory();
	xf_reader__close(reader);
	return err;
}

static int ring_open_left(struct xf_ring *ring, int rings_fd, __u32 cpu)
{
	struct bpf_map_info info = {};
	__u32 id, len = sizeof(info);

	if (bpf_map_lookup_elem(rings_fd, &cpu, &id))
		return errno == ENOENT ? 0 : -errno;
	ring->fd = bpf_map_get_fd_by_id(id);
	if (ring->fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(ring->fd, &info, &len))
		return -errno;
	ring->size = info.max_entries;
	return ring_map(ring);
}

int xf_reader__open_left(struct xf_reader *reader, int rings_fd)
{
	unsigned int used = 0;
	int err;

	memset(reader, 0, sizeof(*reader));
	err = rings_alloc(reader, xf_possible_cpus());
	for (unsigned int cpu = 0; cpu < reader->n && !err; cpu++) {
		err = ring_open_left(&reader->rings[used], rings_fd, cpu);
		if (reader->rings[used].fd >= 0)
			used++;
	}
	reader->n = err ? reader->n : used;
	if (err)
		xf_reader__close(reader);
	return err;
}

uint64_t xf_reader__taken(const struct xf_reader *reader)
{
	uint64_t taken = 0;

	for (unsigned int i = 0; i < reader->n; i++)
		taken += reader->rings[i].taken;
	return taken;
}

uint64_t xf_reader__bytes(const struct xf_reader *reader)
{
	return reader->n ? reader->n * (uint64_t)reader->rings[0].size : 0;
}

void xf_reader__close(struct xf_reader *reader)
{
	for (unsigned int i = 0; reader->rings && i < reader->n; i++)
		ring_close(&reader->rings[i]);
	free(reader->rings);
	memset(reader, 0, sizeof(*reader));
}

int xf_reader__install(const struct xf_reader *reader, int rings_fd)
{
	int fds[XF_MAX_CPUS];

	for (unsigned int cpu = 0; cpu < reader->n; cpu++)
		fds[cpu] = reader->rings[cpu].fd;
	return xf_slots_fill(rings_fd, fds, reader->n);
}

void xf_reader__uninstall(const struct xf_reader *reader, int rings_fd)
{
	xf_slots_empty(rings_fd, reader->n);
}

void xf_reader__settle(int rings_fd)
{
	xf_slots_empty(rings_fd, 1);
}

int xf_reader_alive(int alive_fd)
{
	/* Any event that is not an output event will do, since the program only tests whether it is
	 * there. It is an event of a CPU: one of a task would slow down all context switches. */
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.size = sizeof(attr),
	};
	__u32 key = 0;
	int err,
	    fd = syscall(SYS_perf_event_open, &attr, -1, sched_getcpu(), -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (bpf_map_update_elem(alive_fd, &key, &fd, BPF_ANY)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}
