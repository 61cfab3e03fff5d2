/* SPDX-License-Identifier: GPL-2.0-only */
/* Load the logger's object, run it on packets by BPF_PROG_TEST_RUN, and read its records and
 * counters. */
#ifndef XF_TEST_HARNESS_H
#define XF_TEST_HARNESS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>

#include "xdp-prog/abi.h"

struct bpf_object;
struct ring_buffer;

/* One loaded object. The file descriptors of its maps belong to @object. */
struct xf_harness {
	struct bpf_object *object;
	int prog;
	int rings;
	int counters;
	int config;
	int alive;
	int cpus; /* possible ones */
};

/* A ring and the way to read it. */
struct xf_test_ring {
	int fd;
	struct ring_buffer *reader;
	struct xf_record *into; /* where the next records go, room for @room */
	size_t room;
	size_t n; /* records read since xf_test_ring_read() was called */
};

/* Returns the reason why no test can run, or NULL. */
const char *xf_harness_refusal(void);

/* Print that the whole program is skipped, because cmocka 1.1 reports a single skipped test as "not
 * ok". Returns the exit status. */
int xf_skip_all(const char *why);

/* The paths of the product's objects, from $XDPFUN_OBJECT, $XDPFUN_FW_OBJECT and
 * $XDPFUN_RELAY_OBJECT, or else ./xdpfun.o, ./xdpfun-fw.o and the relay's in the build folder of
 * this program. */
const char *xf_logger_object(void);
const char *xf_firewall_object(void);
const char *xf_relay_object(void);

/* Load the logger's object, with extra @flags for the program. Returns 0 or -errno. */
int xf_harness__open(struct xf_harness *harness, uint32_t flags);
void xf_harness__close(struct xf_harness *harness);

/* For cmocka: *state becomes a struct xf_harness with nothing counted yet. Pinned: the process
 * stays on one CPU. */
int xf_harness_set_up(void **state);
int xf_harness_set_up_pinned(void **state);
int xf_harness_tear_down(void **state);

/* The same with @first bytes in the first of several buffers. */
int xf_harness_run_split(int prog, const void *bytes, size_t len, size_t first);
/* Run the program on one packet: @repeat times, or once as if it came in on a queue of an
 * interface. Returns the (last) verdict or -errno. */
int xf_harness_run(const struct xf_harness *harness, const void *bytes, size_t len,
		   unsigned int repeat);
int xf_harness_run_on(const struct xf_harness *harness, const void *bytes, size_t len, int ifindex,
		      int rx_queue);

/* Counters, summed over all CPUs. Seen is the sum of all classes. */
void xf_harness_count(const struct xf_harness *harness, struct xf_counters *sum);
uint64_t xf_counters_seen(const struct xf_counters *counters);

void xf_harness_configure(const struct xf_harness *harness, const struct xf_config *config);

/* Put @ring_fd into the slot of @cpu, or of every possible CPU when that is negative. */
void xf_harness_install(const struct xf_harness *harness, int cpu, int ring_fd);

/* Tell the program that a reader lives, as long as the open file behind @alive_fd exists. Returns 0
 * or -errno. xf_alive_refusal() returns the reason why the kernel does not support that, or NULL.
 */
const char *xf_alive_refusal(void);
int xf_alive_insert(int alive_fd);

/* Sizes are powers of two and multiples of a page. Returns 0 or -errno. */
int xf_test_ring__open(struct xf_test_ring *ring, size_t size);
void xf_test_ring__close(struct xf_test_ring *ring);

/* Read all records of the ring, the first @room of them into @into. Returns their number. */
size_t xf_test_ring_read(struct xf_test_ring *ring, struct xf_record *into, size_t room);

/* The CPUs that this process may run on; returns how many were stored. */
int xf_usable_cpus(int *cpus, int max);
void xf_pin_to_cpu(int cpu);
uint64_t xf_boot_ns(void);

/* Compare all fields but boot_ns. Returns true when equal, else @why says which differ. */
bool xf_record_equal(const struct xf_record *want, const struct xf_record *got, char *why,
		     size_t size);

/* A packet as hexadecimal digits, on stderr. */
void xf_print_packet(const uint8_t *bytes, size_t len);

#endif
