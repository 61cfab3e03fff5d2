/* SPDX-License-Identifier: GPL-2.0-only */
/* A relay in the sockmap engine with its programs, in the test's process. */
#ifndef XF_ENGINE_FIXTURE_H
#define XF_ENGINE_FIXTURE_H

#include "sockmap/relay/budget.h"
#include "sockmap/engine/engine.h"
#include "sockmap/engine/sockmap_impl.h"
#include "tests/prog/harness.h"

#define MEMORY (64 << 20)

struct fixture {
	struct xf_loop *loop;
	struct xf_mover *mover;
	struct xf_budget budget;
	struct xf_relay *relay;
	int client, server; /* the peers of the relay's two sockets */
	bool ended;
	enum xf_end end;
};

/* Begin, with bytes that have gone through. xf_finish() fails when memory is still reserved. */
void xf_begin(struct fixture *f);
void xf_finish(struct fixture *f);
/* Run the loop for so long, or until the relay has ended. */
void xf_turns(struct fixture *f, int ms);
/* Send from the client. */
void xf_give(struct fixture *f, const char *text);
/* Fails when the text does not arrive at the server within five seconds. */
void xf_arrives(struct fixture *f, const char *text);
/* Receive at the server until there are so many bytes. Returns the bytes. */
size_t xf_drain(struct fixture *f, size_t least);
/* The flow to the upstream. */
struct xf_mapped_flow *xf_up(struct fixture *f);
/* Another engine is wanted from now on. */
void xf_move(struct fixture *f, enum xf_engine_id engine);
/* That is copy; returns when the relay has gone there, or has ended. */
void xf_leave(struct fixture *f);

#endif
