/* SPDX-License-Identifier: GPL-2.0-only */
/* The common part of the two plain relays to compare with: accept, dial, events, end of streams.
 * Each has a way of its own to move bytes from one socket to the other.
 *
 * One thread, edge-triggered epoll, each socket registered once: no system call but those that move
 * bytes, one accept4, one socket, one connect, and the closing ones. */
#ifndef XF_PEER_H
#define XF_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer_side {
	struct peer *peer;
	int fd;
	bool readable; /* until a read says EAGAIN, or took less than was asked for and not hup */
	bool writable; /* until a write takes less than was offered */
	bool hup;      /* the last bytes are here, and no further edge will tell of the FIN */
};

/* One direction. */
struct peer_flow {
	struct peer_side *from, *to;
	bool ended; /* from's FIN was read */
	bool done;  /* and passed on */
	/* Bytes that were read and could not be written yet. */
	uint8_t *rest;
	size_t rest_at, rest_len;
	int pipe[2]; /* of a relay that splices; -1 while it is empty */
};

struct peer {
	struct peer_side side[2];
	struct peer_flow flow[2];
	bool dead;
	struct peer *next; /* in the list of those with more to do, or of the dead */
	bool listed;
};

/* Move what can be moved; at most about PEER_TURN bytes, so that others get their turn. Returns 0,
 * 1 when there is more to do, or -errno when the connection is broken. Sets flow->ended. */
typedef int (*peer_move)(struct peer_flow *flow);
/* Give back what a flow holds. */
typedef void (*peer_drop)(struct peer_flow *flow);

#define PEER_BUFFER (256 << 10)
#define PEER_TURN (1 << 20)

/* main() of a relay: NAME LISTEN-ADDRESS PORT TO-ADDRESS PORT */
int peer_main(int argc, char **argv, peer_move move, peer_drop drop);

#endif
