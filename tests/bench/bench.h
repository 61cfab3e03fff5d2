/* SPDX-License-Identifier: GPL-2.0-only */
/* Helpers of the measuring programs: CPUs, clocks, loading a program, and running it on the
 * benchmark's packet. */
#ifndef XF_BENCH_H
#define XF_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/log/reader.h"

struct bpf_object;
struct bpf_program;

#define BENCH_FRAME 64 /* bytes */

/* A TCP segment with ten bytes in an Ethernet frame without checksum errors. */
extern const uint8_t bench_frame[BENCH_FRAME];

/* Everything that fails here is said and ends the process with status 1: half a benchmark is none.
 */
void bench_fail(const char *what) __attribute__((noreturn));
void bench_check(int err, const char *what);

uint64_t bench_now_ns(void);
void bench_pin(int cpu);
/* The nth CPU that this process may run on, or -1. */
int bench_cpu(int nth);
/* A strict number. */
uint64_t bench_number(const char *text);

/* The folder of the built objects: $BENCH_DIR, or build/tests/bench. */
struct bpf_object *bench_open(const char *name);
int bench_map_fd(struct bpf_object *object, const char *name);
int bench_prog_fd(struct bpf_object *object, const char *name);

/* Leave the network namespace for a new one, in which bench_hold() makes interfaces. */
void bench_own_network(void);
/* Attach the program to an interface of its own. Without that each test run installs and removes
 * the program in the kernel's XDP dispatcher, which takes milliseconds and is not what packets
 * cost. */
void bench_hold(int prog_fd);

/* One xdpfun.o with the maps that the bench needs. */
struct bench_logger {
	int prog_fd;
	int rings_fd;
	int config_fd;
};

void bench_logger_load(struct bench_logger *logger);
/* Rings as the loader makes them, and its configuration. */
void bench_logger_read(struct bench_logger *logger, struct xf_reader *reader);

/* Bytes of all rings together: the loader's default. */
#define BENCH_BUFFER (32ULL << 20)
#define BENCH_RECORD (sizeof(struct xf_record) + 8)

/* Run the program on @repeat packets, no more than take a few milliseconds. Sets the nanoseconds
 * for one packet, and returns whether they can be trusted: the thread kept its CPU all the time. */
bool bench_run(int prog_fd, unsigned int repeat, double *ns);
/* After so many runs that cannot be trusted, one of them is taken. */
#define BENCH_TRIES 20
/* As many packets as fit into the ring, but at most @max. */
unsigned int bench_fits(const struct xf_ring *ring, unsigned int max);
/* Take all records from the ring; returns how many there were. */
unsigned int bench_empty(struct xf_ring *ring);

/* Print a line for the harness: one figure, and how many records were lost on the way to it. */
void bench_sample(unsigned int round, const char *series, double value, uint64_t lost);

#endif
