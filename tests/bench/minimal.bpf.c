// SPDX-License-Identifier: GPL-2.0-only
/* Programs to compare the logger with: an empty one, the least code that logs the same record of a
 * TCP packet through a ring, and the same through a perf buffer. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../../xdp-prog/abi.h"

/* The bench puts a ring of the logger's size in its place. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

struct headers {
	struct ethhdr *eth;
	struct iphdr *ip;
	struct tcphdr *tcp;
};

static __always_inline int is_tcp(struct xdp_md *ctx, struct headers *hdr)
{
	void *end = (void *)(long)ctx->data_end;

	hdr->eth = (void *)(long)ctx->data;
	hdr->ip = (void *)(hdr->eth + 1);
	if ((void *)(hdr->ip + 1) > end || hdr->eth->h_proto != bpf_htons(ETH_P_IP) ||
	    hdr->ip->ihl < 5 || hdr->ip->protocol != IPPROTO_TCP)
		return 0;
	hdr->tcp = (void *)hdr->ip + hdr->ip->ihl * 4;
	return (void *)(hdr->tcp + 1) <= end;
}

static __always_inline void fill(struct xdp_md *ctx, const struct headers *hdr,
				 struct xf_record *rec)
{
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->boot_ns = bpf_ktime_get_boot_ns();
	rec->len = ctx->data_end - ctx->data;
	rec->rx_queue = ctx->rx_queue_index;
	rec->have = XF_HAVE_ETH | XF_HAVE_IP4 | XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS;
	rec->eth_type = ETH_P_IP;
	rec->proto = IPPROTO_TCP;
	rec->tcp_flags = ((__u8 *)hdr->tcp)[13];
	rec->sport = bpf_ntohs(hdr->tcp->source);
	rec->dport = bpf_ntohs(hdr->tcp->dest);
	__builtin_memcpy(rec->eth_dst, hdr->eth->h_dest, ETH_ALEN);
	__builtin_memcpy(rec->eth_src, hdr->eth->h_source, ETH_ALEN);
	__builtin_memcpy(rec->src, &hdr->ip->saddr, 4);
	__builtin_memcpy(rec->dst, &hdr->ip->daddr, 4);
}

SEC("xdp")
int empty(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

SEC("xdp")
int minimal(struct xdp_md *ctx)
{
	struct xf_record *rec;
	struct headers hdr;

	if (!is_tcp(ctx, &hdr))
		return XDP_PASS;
	rec = bpf_ringbuf_reserve(&ring, sizeof(*rec), 0);
	if (!rec)
		return XDP_PASS;
	fill(ctx, &hdr, rec);
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
	return XDP_PASS;
}

SEC("xdp")
int perf(struct xdp_md *ctx)
{
	struct xf_record rec;
	struct headers hdr;

	if (!is_tcp(ctx, &hdr))
		return XDP_PASS;
	fill(ctx, &hdr, &rec);
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &rec, sizeof(rec));
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
