// SPDX-License-Identifier: GPL-2.0-only
/* Programs to measure the firewall with: one gives each packet the next source address of a list
 * and calls the program under test, one is empty, and one only looks into the kernel's LPM trie. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define DRAWS (1 << 20)

struct draw {
	__u32 word[4]; /* network byte order; IPv4 in the first */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, DRAWS);
	__type(key, __u32);
	__type(value, struct draw);
} draws SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} position SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} measured SEC(".maps");

struct key4 {
	__u32 length;
	__u32 addr;
};

struct key6 {
	__u32 length;
	__u32 addr[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, struct key4);
	__type(value, __u32);
} trie4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, struct key6);
	__type(value, __u32);
} trie6 SEC(".maps");

static __always_inline struct draw *next_draw(void)
{
	__u32 zero = 0, *at = bpf_map_lookup_elem(&position, &zero), index;

	if (!at)
		return NULL;
	index = *at & (DRAWS - 1);
	*at = index + 1;
	return bpf_map_lookup_elem(&draws, &index);
}

SEC("xdp")
int draw4(struct xdp_md *ctx)
{
	struct draw *draw = next_draw();
	__u32 *source = (void *)(long)ctx->data + ETH_HLEN + 12;

	if (!draw || (void *)(source + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	*source = draw->word[0];
	bpf_tail_call(ctx, &measured, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int draw6(struct xdp_md *ctx)
{
	struct draw *draw = next_draw();
	__u32 *source = (void *)(long)ctx->data + ETH_HLEN + 8;

	if (!draw || (void *)(source + 4) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	for (int i = 0; i < 4; i++)
		source[i] = draw->word[i];
	bpf_tail_call(ctx, &measured, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int empty(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("xdp")
int trie_alone4(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	__u32 *source = (void *)eth + ETH_HLEN + 12;
	struct key4 key = { .length = 32 };
	__u32 *deny;

	if ((void *)(source + 1) > (void *)(long)ctx->data_end ||
	    eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	key.addr = *source;
	deny = bpf_map_lookup_elem(&trie4, &key);
	return deny && *deny ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int trie_alone6(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	__u32 *source = (void *)eth + ETH_HLEN + 8;
	struct key6 key = { .length = 128 };
	__u32 *deny;

	if ((void *)(source + 4) > (void *)(long)ctx->data_end ||
	    eth->h_proto != bpf_htons(ETH_P_IPV6))
		return XDP_PASS;
	for (int i = 0; i < 4; i++)
		key.addr[i] = source[i];
	deny = bpf_map_lookup_elem(&trie6, &key);
	return deny && *deny ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
