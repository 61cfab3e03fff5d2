/* SPDX-License-Identifier: GPL-2.0-only */
/* Helpers of the tests of the parser: a loaded program, one ring for all CPUs, and the packets. */
#ifndef XF_TEST_FIXTURE_H
#define XF_TEST_FIXTURE_H

#include "tests/prog/harness.h"
#include "tests/prog/logger/packet.h"

struct xf_fixture {
	struct xf_harness harness;
	struct xf_test_ring ring;
	struct xf_packets packets;
	unsigned int bad; /* the number of complaints, of which the first are printed */
};

/* For cmocka: *state becomes a struct xf_fixture. */
int xf_fixture_set_up(void **state);
int xf_fixture_tear_down(void **state);

/* Print a complaint about the record of @len bytes, and count it. */
void xf_complain(struct xf_fixture *fix, const char *name, const uint8_t *bytes, size_t len,
		 const char *why);

/* Run the program on one packet. Complains and returns false unless the packet passes and leaves
 * one record, with the time of the run. */
bool xf_fixture_run(struct xf_fixture *fix, const char *name, const uint8_t *bytes, size_t len,
		    struct xf_record *rec);

/* Complain when two records of the packet differ. */
void xf_fixture_compare(struct xf_fixture *fix, const char *name, const uint8_t *bytes,
			const struct xf_record *want, const struct xf_record *got);

#endif
