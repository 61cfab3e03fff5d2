/* SPDX-License-Identifier: GPL-2.0-only */
/* The access log: lines from all threads, to standard output from one.
 *
 * A thread that ends a connection only leaves a line in memory; the owner's loop writes it. When
 * the output takes no more, or is gone, lines are lost and counted: connections never wait. */
#ifndef XF_ACCESS_H
#define XF_ACCESS_H

#include <stdint.h>

#include "loader/relay/access_format.h"

struct xf_access;
struct xf_loop;

/* Opens standard output. @loop is the owner's: all other functions but xf_access__add() are for its
 * thread. Returns 0 or -errno after a message. */
int xf_access__open(struct xf_access **access, struct xf_loop *loop, xf_access_fn format,
		    bool echo);
/* From any thread: a connection has ended. For xf_server_opts.on_end, with the log as @arg. */
void xf_access__add(const struct xf_report *report, void *access);
/* After each turn of the owner's loop: write what is due. */
void xf_access__tend(struct xf_access *access);
/* Write all that is left, for at most a second in which nothing is taken. */
void xf_access__finish(struct xf_access *access);
/* Lines that were not written. Those that still wait count after the finish only. */
uint64_t xf_access__lost(struct xf_access *access);
/* Before the loop is freed. NULL is fine. */
void xf_access__free(struct xf_access *access);

#endif
