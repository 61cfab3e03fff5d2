// SPDX-License-Identifier: GPL-2.0-only
/* Connections whose client or upstream has vanished, which keepalive alone does not end.
 *
 * The kernel sends no keepalive while bytes are unacknowledged. TCP_USER_TIMEOUT would end such a
 * connection, but one with a living reader that stalls, too: it counts the time of a closed window.
 * So a look at each socket, several in the time of --keepalive, asks whether the peer acknowledges.
 * An engine that waits for one side to take bytes does not read from the other, and sees no error
 * there. The look ends a connection with such an error once the other side takes nothing. */
#include "sockmap/server/vanished.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "lib/time.h"

#define TCP_CLOSED 7 /* tcpi_state */
#define LOOKS 2	     /* at each connection in the time of --keepalive */
#define AT_ONCE 1024 /* connections in a turn of the loop: about a millisecond */

static uint64_t patience(const struct xf_server *server)
{
	const struct xf_keepalive *keepalive = &server->opts.keepalive;

	return (keepalive->idle + (uint64_t)keepalive->interval * keepalive->count) * XF_NSEC;
}

/* Whether the peer has acknowledged nothing for so long, although something calls for it: bytes, or
 * probes of a closed window, of which the last one may be on its way. */
static bool is_silent(const struct tcp_info *info, uint64_t patience)
{
	bool called = (info->tcpi_unacked && info->tcpi_retransmits) || info->tcpi_probes > 1;

	return called && info->tcpi_last_ack_recv * XF_MSEC >= patience;
}

/* An error that the engine has not taken. */
static bool has_error(int fd, const struct tcp_info *info)
{
	struct pollfd state = { .fd = fd };

	return info->tcpi_state == TCP_CLOSED && poll(&state, 1, 0) == 1 && state.revents & POLLERR;
}

static void look(struct xf_conn *conn)
{
	int fd[2] = { conn->fd, conn->upstream_fd };
	struct tcp_info info[2] = {};
	uint64_t acked;

	for (int i = 0; i < 2; i++) {
		socklen_t len = sizeof(info[i]);

		if (fd[i] < 0)
			continue;
		if (getsockopt(fd[i], IPPROTO_TCP, TCP_INFO, &info[i], &len)) {
			if (errno == EBADF)
				return; /* the relay has just closed it */
			continue;	/* a UNIX socket, whose peer cannot vanish */
		}
		if (is_silent(&info[i], patience(conn->server)))
			conn->lost = i ? XF_OUTCOME_UPSTREAM_LOST : XF_OUTCOME_CLIENT_LOST;
	}
	acked = info[0].tcpi_bytes_acked + info[1].tcpi_bytes_acked;
	for (int i = 0; i < 2 && !conn->lost; i++) {
		uint64_t *stuck = &conn->stuck_at[i];

		if (fd[i] < 0 || !has_error(fd[i], &info[i]))
			*stuck = 0;
		else if (*stuck == acked + 1)
			conn->lost = i ? XF_OUTCOME_UPSTREAM_LOST : XF_OUTCOME_CLIENT_LOST;
		else
			*stuck = acked + 1;
	}
	if (conn->lost)
		xf_relay__abort(conn->relay, conn->lost == XF_OUTCOME_CLIENT_LOST
						 ? XF_END_CLIENT_RESET
						 : XF_END_UPSTREAM_RESET);
}

static void arm(struct xf_server *server)
{
	uint64_t round = patience(server) / LOOKS, parts = 1 + server->counters.active / AT_ONCE;

	xf_loop__arm(server->loop, &server->looks, xf_loop__now(server->loop) + round / parts);
}

static void on_looks(struct xf_timer *timer, uint64_t now)
{
	struct xf_server *server = xf_container_of(timer, struct xf_server, looks);
	struct xf_conn *conn = server->look_next ?: server->conns;

	(void)now;
	/* No connection is freed here: an aborted relay reports its end later. */
	for (int n = 0; conn && n < AT_ONCE; n++, conn = conn->next) {
		if (conn->phase == XF_PHASE_RELAY && !conn->lost)
			look(conn);
	}
	server->look_next = conn;
	if (server->counters.active)
		arm(server);
}

void xf_vanished__begin(struct xf_server *server)
{
	server->looks.fn = on_looks;
	if (server->opts.keepalive.idle && !server->looks.pos)
		arm(server);
}

void xf_vanished__forget(struct xf_conn *conn)
{
	if (conn->server->look_next == conn)
		conn->server->look_next = conn->next;
}
