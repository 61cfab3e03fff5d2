// SPDX-License-Identifier: GPL-2.0-only
/* Theory of operation
 *
 * One stream, two ways: the verdict redirects a segment while little is held on the other side, and
 * passes it to user space else, so that a reader that stalls closes the sender's window. Two
 * counters keep the order:
 *
 * - The verdict redirects only while all that it passed has been forwarded (passed == forwarded).
 *   So behind a passed segment come only passed ones until user space has caught up.
 * - User space sends what it has received only when the other socket's queue has all that was
 *   redirected. It looks after recv() and before send(): before recv() a segment could still be
 *   redirected, and the next one passed, which recv() then returns too early.
 * - A socket leaves the sources while passed == forwarded and the verdict only redirects: a passed
 *   segment that nobody has read would be lost.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/platform/platform.h"

#define TOTAL 300000u /* bytes each way */

/* One direction, from the sending peer to the receiving one. */
struct way {
	struct xf_verdict *verdict;
	int sender, from, to, receiver;
	uint64_t before; /* bytes of to's stream when it entered */
	uint32_t sent, received;
	uint8_t pending[65536];
	size_t off, len;
	bool mapped;
};

static uint8_t pattern(uint32_t at)
{
	return (at * 2654435761u) >> 24;
}

static uint64_t written(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);
	int queued = 0;

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	assert_int_equal(ioctl(fd, SIOCOUTQ, &queued), 0);
	return info.tcpi_bytes_acked + queued;
}

static void send_some(struct way *w, uint32_t max)
{
	uint8_t buf[8192];
	uint32_t len = 1 + rand() % sizeof(buf);
	ssize_t n;

	len = len < max - w->sent ? len : max - w->sent;
	for (uint32_t i = 0; i < len; i++)
		buf[i] = pattern(w->sent + i);
	n = send(w->sender, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	w->sent += n > 0 ? n : 0;
}

static void receive_some(struct way *w)
{
	uint8_t buf[16384];
	ssize_t n = recv(w->receiver, buf, 1 + rand() % sizeof(buf), MSG_DONTWAIT);

	for (ssize_t i = 0; i < n; i++, w->received++)
		if (buf[i] != pattern(w->received))
			fail_msg("byte %u is %u, not %u", w->received, buf[i],
				 pattern(w->received));
}

static bool all_redirected_are_written(const struct way *w)
{
	return written(w->to) - w->before >= w->verdict->redirected + w->verdict->forwarded;
}

/* Forward the passed bytes, as user space does. */
static void forward(struct way *w)
{
	ssize_t n;

	if (!w->len) {
		n = recv(w->from, w->pending, sizeof(w->pending), MSG_DONTWAIT);
		w->off = 0;
		w->len = n > 0 ? n : 0;
	}
	if (!w->len || !all_redirected_are_written(w))
		return;
	n = send(w->to, w->pending + w->off, w->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n <= 0)
		return;
	w->off += n;
	w->len -= n;
	__atomic_store_n(&w->verdict->forwarded, w->verdict->forwarded + n, __ATOMIC_SEQ_CST);
}

/* Try to leave: it may be that a segment was passed just now. */
static void leave(struct xf_bed *bed, struct way *w, int side)
{
	struct xf_verdict *v = w->verdict;

	if (!w->mapped || w->len || v->passed != v->forwarded)
		return;
	__atomic_store_n(&v->action, XF_ACTION_REDIRECT, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&v->passed, __ATOMIC_SEQ_CST) != v->forwarded) {
		__atomic_store_n(&v->action, XF_ACTION_LITTLE, __ATOMIC_SEQ_CST);
		return;
	}
	xf_bed__leave(bed, side);
	w->mapped = false;
}

static void enter(struct xf_bed *bed, struct way *ways)
{
	int one = 1;

	for (int i = 0; i < 2; i++) {
		ways[i].before = written(ways[i].to);
		ways[i].verdict->written0 = ways[i].before;
	}
	xf_bed__join(bed, XF_ACTION_LITTLE);
	for (int i = 0; i < 2; i++) {
		ways[i].mapped = true;
		setsockopt(ways[i].from, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one));
	}
}

/* Both ways at once, in steps of random size; out of the map once @leave_at bytes have come. */
static void run(struct xf_bed *bed, struct way *ways, uint32_t leave_at)
{
	int still = 0;

	while (ways[0].received < TOTAL || ways[1].received < TOTAL) {
		uint32_t before = ways[0].received + ways[1].received;

		for (int i = 0; i < 2; i++) {
			struct way *w = &ways[i];

			if (w->sent < TOTAL && rand() % 2)
				send_some(w, TOTAL);
			forward(w);
			if (rand() % 4)
				receive_some(w);
			if (w->received >= leave_at)
				leave(bed, w, i);
		}
		still = ways[0].received + ways[1].received == before ? still + 1 : 0;
		if (still > 100)
			usleep(1000);
		assert_true(still < 60000);
	}
}

static void carry(struct xf_bed *bed, uint64_t limit, uint32_t before, uint32_t leave_at)
{
	struct way *ways = calloc(2, sizeof(*ways));

	srand(limit + before);
	ways[0] = (struct way) { .verdict = &bed->verdict[0],
				 .sender = bed->client,
				 .from = bed->in,
				 .to = bed->out,
				 .receiver = bed->server };
	ways[1] = (struct way) { .verdict = &bed->verdict[1],
				 .sender = bed->server,
				 .from = bed->out,
				 .to = bed->in,
				 .receiver = bed->client };
	for (int i = 0; i < 2; i++) {
		ways[i].verdict->limit = limit;
		while (ways[i].sent < before)
			send_some(&ways[i], before);
	}
	enter(bed, ways);
	run(bed, ways, leave_at);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ways[i].sent, TOTAL);
		assert_int_equal(ways[i].received, TOTAL);
		assert_true(xf_hears_nothing(ways[i].receiver));
	}
	if (leave_at > TOTAL)
		assert_int_equal(bed->verdict[0].redirected + bed->verdict[0].passed, TOTAL);
	free(ways);
}

#define order_test(name, limit, before, leave_at)                                                  \
	static void name(void **state)                                                             \
	{                                                                                          \
		carry(*state, limit, before, leave_at);                                            \
	}

order_test(nothing_may_be_held, 0, 0, ~0u) order_test(one_byte_may_be_held, 1, 0, ~0u)
    order_test(a_page_may_be_held, 4096, 0, ~0u) order_test(much_may_be_held, 128 * 1024, 0, ~0u)
	order_test(all_may_be_held, 1u << 30, 0, ~0u) order_test(a_byte_came_before, 4096, 1, ~0u)
	    order_test(many_bytes_came_before, 4096, 20000, ~0u)
		order_test(the_sockets_leave_at_once, 4096, 0, 0)
		    order_test(the_sockets_leave_under_way, 4096, 5000, TOTAL / 2)

			int main(void)
{
	const struct CMUnitTest tests[] = {
		xf_fact(nothing_may_be_held),
		xf_fact(one_byte_may_be_held),
		xf_fact(a_page_may_be_held),
		xf_fact(much_may_be_held),
		xf_fact(all_may_be_held),
		xf_fact(a_byte_came_before),
		xf_fact(many_bytes_came_before),
		xf_fact(the_sockets_leave_at_once),
		xf_fact(the_sockets_leave_under_way),
	};

	return xf_platform_run(tests);
}
