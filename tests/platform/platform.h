/* SPDX-License-Identifier: GPL-2.0-only */
/* Helpers of the programs of this folder. Each shows one fact of the kernel that the relay relies
 * on, or works around, on the host and on each kernel of the virtual machines.
 *
 * Where older kernels behave otherwise, xf_holds_since() says from which release on the fact must
 * hold. */
#ifndef XF_PLATFORM_H
#define XF_PLATFORM_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/platform/verdict_abi.h"

struct bpf_object;

/* Two connections in a network namespace of their own, a relay's: what the peer `client` sends is
 * received on `in`, and what is sent on `out` is received by the peer `server`. in and out may be
 * in the maps; all are non-blocking. */
struct xf_bed {
	struct bpf_object *object;
	int sources;		    /* a map with the verdict program */
	int destinations;	    /* a map without */
	struct xf_verdict *verdict; /* [0] of in, [1] of out */
	int client, in, out, server;
	uint64_t cookie[2]; /* of in, out */
};

/* cmocka set-up and tear-down: *state is a struct xf_bed whose maps are empty. The program is
 * attached as BPF_SK_SKB_STREAM_VERDICT without a parser, as 5.10 knows it. */
int xf_bed_set_up(void **state);
int xf_bed_tear_down(void **state);

/* Make in (0) or out (1) a source: its segments meet the program. Returns 0 or -errno. */
int xf_bed__enter(struct xf_bed *bed, int side);
void xf_bed__leave(struct xf_bed *bed, int side);
/* Make both destinations of redirects. */
void xf_bed__enter_destinations(struct xf_bed *bed);
void xf_bed__leave_destinations(struct xf_bed *bed, int side);
/* All of it: in's and out's segments meet @action. */
void xf_bed__join(struct xf_bed *bed, enum xf_action action);

/* Send all of @text on a socket. */
void xf_say(int fd, const char *text);
/* Within some seconds exactly @text is received on @fd, and within a moment nothing more. */
void xf_hears(int fd, const char *text);
/* Whether nothing is received on @fd within a moment. */
bool xf_hears_nothing(int fd);
/* Until @ready(@arg) or some seconds have passed; returns what it said last. */
bool xf_eventually(bool (*ready)(void *arg), void *arg);
/* Send until nothing is accepted for a moment, at most @max bytes. Returns the bytes. */
size_t xf_flood(int fd, size_t max);
/* Receive and throw away @least bytes, and then until nothing comes for a moment. Returns the
 * bytes. */
size_t xf_swallow(int fd, size_t least);

/* Whether poll reports one of @events (EPOLL*) of @fd: within some seconds; not within a moment. */
bool xf_announces(int fd, uint32_t events);
bool xf_does_not_announce(int fd, uint32_t events);

/* Whether @holds. On kernels older than @major.@minor a fact that does not hold is only printed. */
void xf_holds_since(int major, int minor, bool holds, const char *fact);

/* A test, with a bed of its own. */
#define xf_fact(test) cmocka_unit_test_setup_teardown(test, xf_bed_set_up, xf_bed_tear_down)

/* Go to a network namespace of our own. False: no test here can run, and the reason was printed. */
bool xf_platform_ready(void);
/* For main(): the tests of a program, or a skip. Is the exit status. */
#define xf_platform_run(tests) (xf_platform_ready() ? cmocka_run_group_tests(tests, NULL, NULL) : 0)

#endif
