// SPDX-License-Identifier: GPL-2.0-only
/* The cost of a packet on one CPU while another CPU does the same: scale ROUNDS prints for each
 * round the cost of the empty program and of the logger with one CPU at work (the mean of each of
 * the two alone) and with both.
 *
 * Rings hold a whole run and are emptied between runs by the thread that filled them. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "tests/bench/bench.h"

#define PACKETS 20000 /* of one run */
#define RUNS 8	      /* of one sample */

struct producer {
	int cpu;
	int prog_fd;
	struct xf_ring *ring; /* or NULL */
	pthread_barrier_t *start;
	atomic_int *at_work; /* producers that still measure */
	double ns;	     /* mean of a packet */
	uint64_t lost;
};

static double run_once(struct producer *producer)
{
	unsigned int packets = PACKETS;
	bool trusted = false;
	double ns = 0;

	if (producer->ring)
		packets = bench_fits(producer->ring, packets);
	for (int i = 0; i < BENCH_TRIES && !trusted; i++) {
		trusted = bench_run(producer->prog_fd, packets, &ns);
		if (producer->ring)
			producer->lost += packets - bench_empty(producer->ring);
	}
	return ns;
}

static void *produce(void *arg)
{
	struct producer *producer = arg;

	bench_pin(producer->cpu);
	run_once(producer);
	pthread_barrier_wait(producer->start);
	for (int i = 0; i < RUNS; i++)
		producer->ns += run_once(producer) / RUNS;
	/* A thread that is ready keeps its CPU busy until the others are ready. */
	atomic_fetch_sub(producer->at_work, 1);
	while (atomic_load(producer->at_work))
		run_once(producer);
	return NULL;
}

/* Mean cost of a packet while the first, the second or both producers work. */
static double measure(struct producer *producers, int n, uint64_t *lost)
{
	pthread_t threads[2];
	pthread_barrier_t start;
	atomic_int at_work = n;
	double ns = 0;

	pthread_barrier_init(&start, NULL, n);
	for (int i = 0; i < n; i++) {
		producers[i].start = &start;
		producers[i].at_work = &at_work;
		producers[i].ns = producers[i].lost = 0;
		bench_check(-pthread_create(&threads[i], NULL, produce, &producers[i]),
			    "start a thread");
	}
	for (int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		ns += producers[i].ns / n;
		*lost += producers[i].lost;
	}
	pthread_barrier_destroy(&start);
	return ns;
}

static void sample(unsigned int round, const char *name, struct producer *producers)
{
	uint64_t lost_one = 0, lost_both = 0;
	char series[64];
	double one, both;

	one = measure(&producers[0], 1, &lost_one) / 2;
	both = measure(producers, 2, &lost_both);
	one += measure(&producers[1], 1, &lost_one) / 2;
	snprintf(series, sizeof(series), "scale_%s_one", name);
	bench_sample(round, series, one, lost_one);
	snprintf(series, sizeof(series), "scale_%s_both", name);
	bench_sample(round, series, both, lost_both);
}

static int load_empty(void)
{
	struct bpf_object *object = bench_open("minimal.bpf.o");

	bench_check(bpf_object__load(object), "load minimal.bpf.o");
	return bench_prog_fd(object, "empty");
}

int main(int argc, char **argv)
{
	struct producer empty[2] = {}, logger[2] = {};
	struct bench_logger loaded;
	struct xf_reader reader;
	unsigned int rounds;
	int empty_fd;

	if (argc != 2)
		bench_fail("usage: scale ROUNDS");
	rounds = bench_number(argv[1]);
	if (bench_cpu(1) < 0)
		bench_fail("scaling takes two CPUs, and there is one");
	bench_own_network();
	empty_fd = load_empty();
	bench_logger_load(&loaded);
	bench_logger_read(&loaded, &reader);
	bench_hold(empty_fd);
	bench_hold(loaded.prog_fd);
	for (int i = 0; i < 2; i++) {
		int cpu = bench_cpu(i);

		empty[i] = (struct producer) { .cpu = cpu, .prog_fd = empty_fd };
		logger[i] = (struct producer) { .cpu = cpu,
						.prog_fd = loaded.prog_fd,
						.ring = &reader.rings[cpu] };
	}
	for (unsigned int round = 1; round <= rounds; round++) {
		sample(round, "empty", empty);
		sample(round, "logger", logger);
	}
	return 0;
}
