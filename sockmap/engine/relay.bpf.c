// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's half of the sockmap engine: a verdict that sends the bytes that one socket received
 * on to another, and a filter that makes TCP stop taking bytes in when too many are held. */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "relay_abi.h"

/* The fields of the kernel's struct that are read. */
struct tcp_sock {
	__u64 bytes_acked;
	__u32 copied_seq;
	__u32 rcv_nxt;
} __attribute__((preserve_access_index));

/* bpf_skb_adjust_room() takes off so many bytes at a time. In a queue TCP puts segments together:
 * one buffer may have all that the largest receive buffer takes, 2 MiB. */
#define XF_SKIP_MAX 4095
#define XF_SKIP_ROUNDS 513

/* A flow gets one part in so many of the rest of the zone. */
#define XF_ZONE_SHARE 8

struct sk_buff {
	void *sk;
	char cb[48];
} __attribute__((preserve_access_index));

/* Sockets by cookie. The sockets in dst can be sent to and have no program; the verdict gets the
 * bytes that the sockets in src receive. Two maps, because a socket must be in dst before anything
 * is redirected to it and in src only when its peer is there. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u32);
} dst SEC(".maps"), src SEC(".maps");

/* Cookie of the receiving socket to the entry in flows. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u32);
} by_cookie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_relay_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_relay_totals);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

/* Rooms for a receive buffer, in the budget, that flows without one may take. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, XF_ROOMS);
	__type(value, __u32);
} rooms SEC(".maps");

static __always_inline struct xf_relay_totals *xf_totals(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&totals, &zero);
}

static __always_inline struct xf_relay_flow *xf_flow(__u64 cookie)
{
	__u32 *index = bpf_map_lookup_elem(&by_cookie, &cookie);

	return index ? bpf_map_lookup_elem(&flows, index) : NULL;
}

/* Tell once; user space clears told when it has looked. */
static __always_inline void xf_tell(struct xf_relay_totals *all, struct xf_relay_flow *flow,
				    __u64 cookie, __u32 what)
{
	struct xf_relay_event event = { .cookie = cookie, .index = flow->index, .what = what };

	if (flow->told & what)
		return;
	flow->told |= what;
	if (bpf_ringbuf_output(&events, &event, sizeof(event), 0)) {
		flow->told &= ~what;
		__sync_fetch_and_add(&all->dropped_events, 1);
	}
}

/* How many bytes of the flow its receiver has acknowledged. */
static __always_inline __u64 xf_acked(struct xf_relay_flow *flow)
{
	__u64 to = flow->to, acked = 0;
	struct tcp_sock *tcp;
	struct bpf_sock *sk;

	sk = bpf_map_lookup_elem(&dst, &to);
	if (!sk)
		return flow->acked;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp)
		acked = tcp->bytes_acked;
	bpf_sk_release(sk);
	/* Bytes that were written before may still be on their way. */
	return acked > flow->written0 ? acked - flow->written0 : 0;
}

/* Add the bytes that a flow holds beyond base to the sum of all flows. The flow's acknowledgements
 * are read only when it seems to hold more than base, so that short messages do not pay for it, and
 * while memory is scarce: the filter goes by the last reading. */
static __always_inline void xf_account(struct xf_relay_totals *all, struct xf_relay_flow *flow,
				       __u64 cookie)
{
	__u64 held, counted;

	if (flow->moved - flow->acked <= flow->base && !flow->counted && !all->stops)
		return;
	flow->acked = xf_acked(flow);
	held = flow->moved - flow->acked;
	counted = held > flow->base ? held - flow->base : 0;
	if (counted != flow->counted) {
		__sync_fetch_and_add(&all->held, counted - flow->counted);
		flow->counted = counted;
	}
	if (held > flow->limit || (counted && all->held > all->held_max))
		xf_tell(all, flow, cookie, XF_TELL_LIMIT);
	if (held > 2 * flow->limit || (counted && all->held > 2 * all->held_max)) {
		flow->stop = XF_STOP_FULL;
		all->stops = 1;
	}
}

/* Bytes one way since the other way last spoke. An echo speaks to itself: there a run ends when all
 * that was sent has been acknowledged, which is looked at now and then. */
static __always_inline void xf_run(struct xf_relay_totals *all, struct xf_relay_flow *flow,
				   __u64 cookie, __u32 len)
{
	__u32 other = flow->pair;
	struct xf_relay_flow *pair;

	if (other != flow->index) {
		pair = bpf_map_lookup_elem(&flows, &other);
		if (pair && pair->run)
			pair->run = 0;
	} else if (flow->run >= all->bulk / 4) {
		flow->acked = xf_acked(flow);
		if (flow->moved - flow->acked == len)
			flow->run = 0;
	}
	flow->run += len;
	if (flow->run >= all->bulk) {
		xf_tell(all, flow, cookie, XF_TELL_BULK);
		flow->run = 0;
	}
}

/* A retransmission may begin with bytes that were received before: TCP queues the whole segment,
 * and its own readers skip the old bytes; the verdict is shown all of it. The first word of the
 * buffer's private part is the sequence number of its first byte (tcp_skb_cb.seq), and copied_seq
 * the one that is next. Take the old bytes off. 0: bytes are missing before it, and it stays so. */
static __always_inline int xf_skip_old(struct xf_relay_flow *flow, struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tcp;
	__s32 old;
	__u32 seq;

	if (!sk)
		return 1;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 1;
	/* The context is the kernel's buffer. */
	if (bpf_probe_read_kernel(&seq, sizeof(seq),
				  (void *)skb + bpf_core_field_offset(struct sk_buff, cb)))
		return 1;
	if (flow->begun && (__s32)(seq - flow->next) > 0)
		return 0;
	flow->begun = 1;
	flow->next = seq + skb->len;
	old = tcp->copied_seq - seq;
#pragma nounroll
	for (int i = 0; i < XF_SKIP_ROUNDS && old > 0; i++) {
		__s32 now = old < XF_SKIP_MAX ? old : XF_SKIP_MAX;

		if (bpf_skb_adjust_room(skb, -now, 0, 0))
			break;
		old -= now;
	}
	return 1;
}

/* User space sees no message of a mapped flow, but must know when many flows are busy at a time,
 * and how large the messages are when it takes the flow out. */
static __always_inline void xf_message(struct xf_relay_totals *all, struct xf_relay_flow *flow,
				       __u64 cookie, __u32 len)
{
	flow->size = flow->size - flow->size / 8 + len / 8;
	if (!(++flow->messages & all->busy))
		xf_tell(all, flow, cookie, XF_TELL_BUSY);
}

SEC("sk_skb/stream_verdict")
int xf_relay_verdict(struct __sk_buff *skb)
{
	__u64 cookie = bpf_get_socket_cookie(skb), to;
	struct xf_relay_totals *all = xf_totals();
	struct xf_relay_flow *flow;
	__u32 len;

	/* A FIN comes as a buffer without bytes. Redirected it would disable the other socket;
	 * passed, its own, when bytes are waiting to be sent there. TCP has noted it already. */
	if (!skb->len || !all)
		return SK_DROP;
	flow = xf_flow(cookie);
	if (!flow) {
		__sync_fetch_and_add(&all->dropped, skb->len);
		return SK_DROP;
	}
	/* User space resets the connection, but is late: bytes behind a gap must not be taken for
	 * the missing ones. */
	if (!xf_skip_old(flow, skb)) {
		xf_tell(all, flow, cookie, XF_TELL_LOST);
		return SK_DROP;
	}
	if (flow->free)
		flow->free = 0;
	len = skb->len;
	to = flow->to;
	flow->moved += len;
	xf_account(all, flow, cookie);
	xf_run(all, flow, cookie, len);
	xf_message(all, flow, cookie, len);
	if (bpf_sk_redirect_hash(skb, &dst, &to, 0) == SK_PASS)
		return SK_PASS;
	__sync_fetch_and_add(&all->dropped, len);
	xf_tell(all, flow, cookie, XF_TELL_DEAD);
	return SK_DROP;
}

/* A sender whose bytes are not taken tries again after a while, each time twice as long. So a flow
 * without room gets one when its sender tries, and not at another time, when it would be of no use
 * to it and miss to others. From then on its receive buffer bounds it, and TCP's window tells the
 * sender. */
static __always_inline int xf_take_room(struct xf_relay_flow *flow, __u64 cookie)
{
	struct xf_relay_event event = {
		.cookie = cookie,
		.index = flow->index,
		.what = XF_TELL_ROOM,
	};
	__u32 room;

	if (bpf_map_pop_elem(&rooms, &room))
		return 0;
	flow->free = 1;
	if (!bpf_ringbuf_output(&events, &event, sizeof(event), 0)) {
		flow->stop = 0;
		return 1;
	}
	flow->free = 0;
	bpf_map_push_elem(&rooms, &room, 0);
	return 0;
}

/* While all flows together hold too much, flows of which nothing is counted go on, since they do
 * not hold it. Each may always hold its base. Beyond that there is a zone for them, of which each
 * gets one piece, small in proportion to the rest of the zone: a flow whose receiver does not read
 * is counted from then on, and gets no more. */
static __always_inline __u64 xf_allowed_beyond(struct xf_relay_totals *all,
					       struct xf_relay_flow *flow, struct __sk_buff *skb,
					       __u64 cookie, __u32 len)
{
	__u64 end = 2 * all->held_max + all->zone, held = all->held, own;

	if (flow->counted)
		return 0;
	own = flow->moved - flow->acked;
	own = own < flow->base ? flow->base - own : 0;
	if (len <= own || (held < end && len <= (end - held) / XF_ZONE_SHARE))
		return len;
	/* User space looks how much has been acknowledged, and for room outside of the map. */
	xf_tell(all, flow, cookie, XF_TELL_LIMIT);
	/* Of several segments that came as one, some would be lost to the sender: BBR takes such
	 * rounds for a slow path, for long (its token bucket detection: two intervals alike with a
	 * fifth lost). It tries again with one at a time, which goes in, in parts if it must. */
	return all->trickle || len <= skb->gso_size || !skb->gso_size ? own : 0;
}

/* How many of the @len bytes of a segment the flow may take in. */
static __always_inline __u64 xf_allowed(struct xf_relay_totals *all, struct xf_relay_flow *flow,
					struct __sk_buff *skb, __u64 cookie, __u32 len)
{
	if (flow->stop == XF_STOP_LARGE)
		return len < XF_LARGE_SEGMENT ? len : 0;
	if (flow->stop)
		return flow->stop == XF_STOP_ROOMLESS && xf_take_room(flow, cookie) ? len : 0;
	if (all->held <= 2 * all->held_max)
		return len;
	return xf_allowed_beyond(all, flow, skb, cookie, len);
}

/* Whether bytes are missing before a segment. TCP would keep it, and the last missing byte would
 * make a window's worth come in at once, past every limit. */
static __always_inline int xf_is_early(struct __sk_buff *skb)
{
	void *sk = NULL;
	__u32 next;
	__be32 seq;

	if (bpf_skb_load_bytes(skb, 4, &seq, sizeof(seq)) ||
	    bpf_probe_read_kernel(&sk, sizeof(sk),
				  (void *)skb + bpf_core_field_offset(struct sk_buff, sk)) ||
	    bpf_probe_read_kernel(&next, sizeof(next),
				  sk + bpf_core_field_offset(struct tcp_sock, rcv_nxt)))
		return 0;
	return (__s32)(bpf_ntohl(seq) - next) > 0;
}

/* Runs before TCP sees a segment. The filter takes bytes for which the flow has no room off the end
 * of the payload, and the rest passes, also as the acknowledgement that it is: the sender keeps the
 * bytes and sends them again later. A FIN would then seem to come before bytes that are still
 * missing, so that segment goes whole. */
SEC("socket")
int xf_relay_filter(struct __sk_buff *skb)
{
	struct xf_relay_totals *all = xf_totals();
	struct xf_relay_flow *flow;
	__u32 header, allowed, len;
	__u64 cookie;
	__u8 tcp[2]; /* data offset, flags */

	if (!all || !(all->stops | all->hush | all->orderly))
		return -1;
	cookie = bpf_get_socket_cookie(skb);
	flow = xf_flow(cookie);
	if (!flow || flow->free || bpf_skb_load_bytes(skb, 12, tcp, sizeof(tcp)))
		return -1;
	header = (tcp[0] >> 4) * 4;
	if (skb->len <= header || (tcp[1] & 4 /* RST */))
		return -1;
	len = skb->len - header;
	allowed = xf_allowed(all, flow, skb, cookie, len);
	if (all->orderly && !flow->free && xf_is_early(skb))
		allowed = 0;
	if (allowed >= len)
		return -1;
	__sync_fetch_and_add(&all->trimmed, 1);
	return tcp[1] & 1 /* FIN */ ? 0 : header + allowed;
}

char _license[] SEC("license") = "GPL";
