// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's half of the sockmap engine: a verdict that sends the bytes that one socket received
 * on to another while little is held there, and leaves them to user space else, so that TCP's
 * window holds up the sender.
 *
 * The order of the bytes rests on two counters: nothing is redirected while bytes that were passed
 * have not been forwarded (sockmap_flow.c has user space's part of it). */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "relay_abi.h"

/* The fields of the kernel's structs that are read. */
struct tcp_sock {
	__u64 bytes_acked;
	__u32 copied_seq;
} __attribute__((preserve_access_index));

struct sk_buff {
	char cb[48];
} __attribute__((preserve_access_index));

/* bpf_skb_adjust_room() takes off so many bytes at a time. In a queue TCP puts segments together:
 * one buffer may have all that the largest receive buffer takes, 2 MiB. */
#define XF_SKIP_MAX 4095
#define XF_SKIP_ROUNDS 513

/* Words that user space reads or writes meanwhile. */
#define xf_once(x) (*(volatile __typeof__(x) *)&(x))

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

/* The exchange is a full barrier: user space, which clears told and looks then, finds what was
 * counted before, or gets another event. */
static __always_inline void xf_tell(struct xf_relay_totals *all, struct xf_relay_flow *flow,
				    __u64 cookie, __u64 what)
{
	struct xf_relay_event event = { .cookie = cookie, .index = flow->index };

	if (__sync_fetch_and_or(&flow->told, what))
		return;
	if (bpf_ringbuf_output(&events, &event, sizeof(event), 0)) {
		xf_once(flow->told) = 0;
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

/* Whether @len more bytes may be on their way to the receiver. The last reading of what it has
 * acknowledged does when that is enough. */
static __always_inline int xf_holds_little(struct xf_relay_flow *flow, __u32 len)
{
	__u64 sent = flow->redirected + xf_once(flow->forwarded) + len;
	__u64 limit = xf_once(flow->limit);

	if (sent - flow->acked <= limit)
		return 1;
	flow->acked = xf_acked(flow);
	return sent - flow->acked <= limit;
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
		if (flow->redirected + flow->forwarded - flow->acked <= len)
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
 * the one that is next, when nothing waits for user space. Take the old bytes off. */
static __always_inline void xf_skip_old(struct xf_relay_flow *flow, struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tcp;
	__s32 old;
	__u32 seq;

	if (!sk)
		return;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return;
	/* The context is the kernel's buffer. */
	if (bpf_probe_read_kernel(&seq, sizeof(seq),
				  (void *)skb + bpf_core_field_offset(struct sk_buff, cb)))
		return;
	old = flow->begun ? flow->next - seq : tcp->copied_seq - seq;
	flow->begun = 1;
	flow->next = seq + skb->len;
#pragma nounroll
	for (int i = 0; i < XF_SKIP_ROUNDS && old > 0; i++) {
		__s32 now = old < XF_SKIP_MAX ? old : XF_SKIP_MAX;

		if (bpf_skb_adjust_room(skb, -now, 0, 0))
			break;
		old -= now;
	}
}

static __always_inline int xf_redirect(struct __sk_buff *skb, struct xf_relay_flow *flow)
{
	__u64 to = flow->to;
	__u32 len = skb->len;

	if (flow->passed != xf_once(flow->forwarded) ||
	    (!xf_once(flow->leaves) && !xf_holds_little(flow, len)))
		return 0;
	xf_once(flow->redirected) += len;
	if (bpf_sk_redirect_hash(skb, &dst, &to, 0) == SK_PASS)
		return 1;
	xf_once(flow->redirected) -= len;
	return 0;
}

SEC("sk_skb/stream_verdict")
int xf_relay_verdict(struct __sk_buff *skb)
{
	__u64 cookie = bpf_get_socket_cookie(skb);
	struct xf_relay_totals *all = xf_totals();
	struct xf_relay_flow *flow;
	__u32 len;

	/* A FIN comes as a buffer without bytes. Redirected it would disable the other socket;
	 * passed, its own, when bytes are waiting to be sent there. TCP has noted it already. */
	if (!skb->len || !all)
		return SK_DROP;
	flow = xf_flow(cookie);
	if (!flow)
		return SK_DROP;
	xf_skip_old(flow, skb);
	len = skb->len;
	if (!len)
		return SK_DROP;
	xf_run(all, flow, cookie, len);
	if (!(++flow->messages & all->busy))
		xf_tell(all, flow, cookie, XF_TELL_BUSY);
	if (xf_redirect(skb, flow))
		return SK_PASS;
	xf_once(flow->passed) += len;
	xf_tell(all, flow, cookie, XF_TELL_PASSED);
	return SK_PASS;
}

/* On a socket that is being taken out of src, before TCP sees a segment: no data and no FIN gets
 * in, as if the network had lost them. */
SEC("socket")
int xf_relay_gate(struct __sk_buff *skb)
{
	__u8 tcp[2]; /* length of the header, flags */

	if (bpf_skb_load_bytes(skb, 12, tcp, sizeof(tcp)))
		return 0;
	return skb->len == (tcp[0] >> 4) * 4 && !(tcp[1] & 1 /* FIN */) ? -1 : 0;
}

char _license[] SEC("license") = "GPL";
