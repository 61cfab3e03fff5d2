// SPDX-License-Identifier: GPL-2.0-only
/* A loaded program with one ring for all CPUs, its packets, and complaints about its records. */
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/prog/logger/fixture.h"

#define MAX_SHOWN 10

int xf_fixture_set_up(void **state)
{
	struct xf_fixture *fix = calloc(1, sizeof(*fix));

	*state = fix;
	if (!fix || xf_packets__build(&fix->packets) || xf_harness__open(&fix->harness, 0) ||
	    xf_test_ring__open(&fix->ring, 64 * 1024))
		return -1;
	xf_harness_install(&fix->harness, -1, fix->ring.fd);
	return 0;
}

int xf_fixture_tear_down(void **state)
{
	struct xf_fixture *fix = *state;

	xf_test_ring__close(&fix->ring);
	xf_harness__close(&fix->harness);
	xf_packets__free(&fix->packets);
	free(fix);
	return 0;
}

void xf_complain(struct xf_fixture *fix, const char *name, const uint8_t *bytes, size_t len,
		 const char *why)
{
	if (fix->bad++ >= MAX_SHOWN)
		return;
	fprintf(stderr, "%s, first %zu bytes: %s\n", name, len, why);
	xf_print_packet(bytes, len);
}

bool xf_fixture_run(struct xf_fixture *fix, const char *name, const uint8_t *bytes, size_t len,
		    struct xf_record *rec)
{
	uint64_t before = xf_boot_ns();
	int verdict = xf_harness_run(&fix->harness, bytes, len, 1);
	uint64_t after = xf_boot_ns();
	size_t n = xf_test_ring_read(&fix->ring, rec, 1);
	char why[80];

	if (verdict != XDP_PASS)
		snprintf(why, sizeof(why), "verdict %d, not XDP_PASS", verdict);
	else if (n != 1)
		snprintf(why, sizeof(why), "%zu records", n);
	else if (rec->boot_ns < before || rec->boot_ns > after)
		snprintf(why, sizeof(why), "the time is not that of the run");
	else
		return true;
	xf_complain(fix, name, bytes, len, why);
	return false;
}

void xf_fixture_compare(struct xf_fixture *fix, const char *name, const uint8_t *bytes,
			const struct xf_record *want, const struct xf_record *got)
{
	char why[512];

	if (!xf_record_equal(want, got, why, sizeof(why)))
		xf_complain(fix, name, bytes, got->len, why);
}
