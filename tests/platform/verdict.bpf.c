// SPDX-License-Identifier: GPL-2.0-only
/* A stream verdict that does what user space says, and counts. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "verdict_abi.h"

struct tcp_sock {
	__u64 bytes_acked;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, XF_VERDICTS);
	__type(key, __u64); /* cookie */
	__type(value, __u32);
} sources SEC(".maps");

/* Redirects go to sockets of this map, to which no program is attached. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, XF_VERDICTS);
	__type(key, __u64); /* cookie */
	__type(value, __u32);
} destinations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XF_VERDICTS);
	__type(key, __u64); /* cookie */
	__type(value, __u32);
} index_of SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XF_VERDICTS);
	__type(key, __u32);
	__type(value, struct xf_verdict);
} verdicts SEC(".maps");

static __always_inline struct xf_verdict *find(__u64 cookie)
{
	__u32 *index = bpf_map_lookup_elem(&index_of, &cookie);

	return index ? bpf_map_lookup_elem(&verdicts, index) : NULL;
}

static __always_inline int holds_little(struct xf_verdict *v, __u64 to)
{
	struct bpf_sock *sk = bpf_map_lookup_elem(&destinations, &to);
	struct tcp_sock *tcp;

	if (!sk)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp)
		v->acked = tcp->bytes_acked;
	bpf_sk_release(sk);
	return v->passed == v->forwarded &&
	       v->redirected + v->forwarded - (v->acked - v->written0) <= v->limit;
}

static __always_inline int redirect(struct __sk_buff *skb, struct xf_verdict *v, __u64 to)
{
	__u32 len = skb->len;

	v->redirected += len;
	if (bpf_sk_redirect_hash(skb, &destinations, &to, 0) == SK_PASS)
		return 1;
	v->redirected -= len;
	v->refused += len;
	return 0;
}

SEC("sk_skb/stream_verdict")
int xf_verdict_program(struct __sk_buff *skb)
{
	struct xf_verdict *v = find(bpf_get_socket_cookie(skb));
	__u64 to;

	if (!v)
		return SK_DROP;
	to = v->to;
	if (!skb->len) {
		v->empty++;
		if (v->empty_action == XF_EMPTY_REDIRECT)
			return bpf_sk_redirect_hash(skb, &destinations, &to, 0);
		return v->empty_action == XF_EMPTY_PASS ? SK_PASS : SK_DROP;
	}
	v->calls++;
	switch (v->action) {
	case XF_ACTION_DROP:
		v->dropped += skb->len;
		return SK_DROP;
	case XF_ACTION_REDIRECT:
		return redirect(skb, v, to) ? SK_PASS : SK_DROP;
	case XF_ACTION_LITTLE:
		if (!holds_little(v, to))
			break;
		/* fall through */
	case XF_ACTION_TRY:
		if (redirect(skb, v, to))
			return SK_PASS;
	}
	v->passed += skb->len;
	return SK_PASS;
}

char _license[] SEC("license") = "GPL";
