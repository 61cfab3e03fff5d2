/* SPDX-License-Identifier: GPL-2.0-only */
/* The phases of a connection before its relay. A step of a phase does what can be done without
 * waiting and returns to conn.c, which acts on the result. */
#ifndef XF_PHASES_H
#define XF_PHASES_H

#include <errno.h>

#include "sockmap/server/server_impl.h"

enum xf_step {
	XF_STEP_WAIT, /* an event or the deadline calls for the next step */
	XF_STEP_DECIDED,
	XF_STEP_FAILED,
};

struct xf_result {
	/* DECIDED by the first packet; @data is valid until the next read. */
	struct xf_decision decision;
	const uint8_t *data;
	size_t len;

	/* WAIT and DECIDED of the dial: the upstream's socket, under way or connected. */
	int fd;

	/* FAILED */
	enum xf_outcome outcome;
	int error;    /* errno behind the outcome, 0: none */
	bool lacking; /* this machine lacks memory or the like: warn */
};

static inline enum xf_step xf_step_failed(struct xf_result *result, enum xf_outcome outcome,
					  int error)
{
	result->outcome = outcome;
	result->error = error;
	result->lacking = false;
	return XF_STEP_FAILED;
}

static inline enum xf_step xf_step_lacking(struct xf_result *result, int error)
{
	bool memory = error == ENOMEM || error == ENOBUFS;

	xf_step_failed(result, memory ? XF_OUTCOME_MEMORY : XF_OUTCOME_ERROR, error);
	result->lacking = true;
	return XF_STEP_FAILED;
}

/* ---- first_read.c ---- */

/* Read more of the first packet and ask the routes about it. WAIT: they need more bytes. */
enum xf_step xf_first__read(struct xf_conn *conn, struct xf_result *result);

/* The time for the first packet is over. */
enum xf_step xf_first__timed_out(struct xf_conn *conn, struct xf_result *result);

/* ---- dial.c ---- */

/* Dial conn->upstreams, one after the other, until one answers. */
enum xf_step xf_dial__begin(struct xf_conn *conn, struct xf_result *result);
/* Handle an event of conn->upstream. */
enum xf_step xf_dial__answered(struct xf_conn *conn, struct xf_result *result);
/* Give up conn->upstream, which did not answer in time, and dial the next upstream. */
enum xf_step xf_dial__timed_out(struct xf_conn *conn, struct xf_result *result);
/* Handle @events of conn->client. */
enum xf_step xf_dial__client_event(struct xf_conn *conn, uint32_t events, struct xf_result *result);

#endif
