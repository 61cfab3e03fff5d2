// SPDX-License-Identifier: GPL-2.0-only
/* A source of traffic, for test runs with live frames: rewrites each frame into the next of many
 * flows and sends it out of an interface, no faster than the token bucket lets it. And the program
 * that lets frames pass at the other end, where nobody else does: without one a veth takes no
 * frames that are sent so. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "source.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_source);
} source SEC(".maps");

/* The bucket as a time: what was not used is saved, up to some milliseconds. */
static __always_inline int may_send(struct bench_source *src)
{
	__u64 now_ns, now, burst = (__u64)BENCH_CATCH_UP_NS << BENCH_GAP_SHIFT;

	if (!src->gap)
		return 1; /* for as long as the test run lasts */
	now_ns = bpf_ktime_get_ns();
	/* Since the start, which does not outgrow the shift as the uptime would. */
	now = (now_ns - src->start_ns) << BENCH_GAP_SHIFT;
	if (now_ns >= src->end_ns || now < src->next)
		return 0;
	if (now - src->next > burst)
		src->next = now - burst;
	src->next += src->gap;
	return 1;
}

/* RFC 1624: the checksum after a field that was @from has become @to. */
static __always_inline __u16 checksum_update(__u16 checksum, __u16 from, __u16 to)
{
	__u32 sum = (__u16)~checksum + (__u16)~from + to;

	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

/* The flow is in the source's address and port. The frame may be new or one of an earlier flow. */
static __always_inline int write_flow(struct xdp_md *ctx, __u32 flow)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	__be16 *host = (__be16 *)&ip->saddr + 1;
	__be16 new_host = bpf_htons(flow), new_port = bpf_htons(1024 + flow);

	if ((void *)(tcp + 1) > (void *)(long)ctx->data_end)
		return -1;
	ip->check = checksum_update(ip->check, *host, new_host);
	tcp->check = checksum_update(tcp->check, *host, new_host);
	tcp->check = checksum_update(tcp->check, tcp->source, new_port);
	*host = new_host;
	tcp->source = new_port;
	return 0;
}

SEC("xdp")
int send(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct bench_source *src = bpf_map_lookup_elem(&source, &zero);

	if (!src || !may_send(src) || write_flow(ctx, src->sent & (BENCH_FLOWS - 1)))
		return XDP_DROP;
	src->sent++;
	return bpf_redirect(src->ifindex, 0);
}

SEC("xdp")
int pass(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
