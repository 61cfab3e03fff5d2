/* SPDX-License-Identifier: GPL-2.0-only */
/* The place in a packet up to which it has been read: the only file in which data and data_end are
 * compared. */
#ifndef XF_CURSOR_BPF_H
#define XF_CURSOR_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "headers.bpf.h"

#define XF_NO_TYPE 0xff /* reserved in all three */

#define XF_COPY_MAX 40 /* bytes: no header is longer in its fixed part */

/* The unparsed rest of a packet. The headers of a frame of several buffers are copied, because the
 * first buffer may end anywhere: some drivers put nothing into it. A cursor is for one of the two,
 * as the compiler knows, so a frame in one buffer pays nothing for the other kind. */
struct xf_cursor {
	void *start; /* a frame in one buffer */
	void *pos;
	void *end;
	struct xdp_md *ctx; /* a frame of several buffers */
	void *copy;	    /* XF_COPY_MAX bytes for the latest header; else NULL */
	__u32 at;
	__u32 len;
	const struct xf_ext_rule *exts; /* IPv6 extension headers to pass over, by number */
	__u16 eth_type;			/* behind the tags */
	__u8 family;			/* 4, 6, or 0: no IP, or not readable */
	__u8 type;			/* of ICMP, IGMP and ICMPv6, or XF_NO_TYPE */
	__u32 as_linux;			/* exts are those that Linux passes over */
	__u32 dgram; /* layer 4: bytes that the IP header says are there; what follows is padding */
	__u32 first; /* not 0: the packet is a fragment, the first one, and more are to come */
	__u32 unread; /* not 0: more tags or extension headers than are passed over, or these do not
		       * end in what is there; anything can be behind */
};

/* Bytes up to the place. */
static __always_inline __u64 xf_at(const struct xf_cursor *cur)
{
	return cur->copy ? cur->at : cur->pos - cur->start;
}

static __always_inline void xf_skip(struct xf_cursor *cur, __u32 size)
{
	if (cur->copy)
		cur->at += size;
	else
		cur->pos += size;
}

/* Bytes from the place on. */
static __always_inline __u64 xf_left(const struct xf_cursor *cur)
{
	return cur->copy ? (cur->at < cur->len ? cur->len - cur->at : 0) : cur->end - cur->pos;
}

/* Whether @size more bytes are there. */
static __always_inline int xf_has(const struct xf_cursor *cur, __u32 size)
{
	return cur->copy ? cur->at + size <= cur->len : cur->pos + size <= cur->end;
}

/* A pointer to the next @size bytes, a constant, or NULL when the packet ends before. Does not move
 * the cursor. The bytes are good until it has moved and the next ones are peeked at. */
static __always_inline void *xf_peek(const struct xf_cursor *cur, const __u32 size)
{
	void *pos = cur->pos;

	/* Else a caller that finds NULL makes the compiler think that the cursor is there. */
	barrier_var(pos);
	if (!cur->copy)
		return pos + size > cur->end ? NULL : pos;
	return bpf_xdp_load_bytes(cur->ctx, cur->at, cur->copy, size) ? NULL : cur->copy;
}

/* The same @value, of which the verifier knows as little as of @unknown: else it would follow all
 * that comes behind once for each value that the paths to here have made. Cheaper than the call of
 * a function that is verified by itself. */
static __always_inline __u64 xf_forget(__u64 value, __u64 unknown)
{
	value ^= unknown;
	barrier_var(value);
	return value ^ unknown;
}

/* Copy addresses in pieces that are aligned in every packet, which starts two bytes behind a
 * multiple of four (NET_IP_ALIGN) where that matters. A memcpy() from packet data goes byte by
 * byte. */
static __always_inline void xf_copy_macs(void *to, const void *from)
{
#pragma unroll
	for (int i = 0; i < 6; i++)
		((__u16 *)to)[i] = ((const __u16 *)from)[i];
}

static __always_inline void xf_copy_ip(void *to, const void *from, int words)
{
#pragma unroll
	for (int i = 0; i < words; i++)
		((__u32 *)to)[i] = ((const __u32 *)from)[i];
}

/* Frames of several buffers came with kernel 5.18, and bpf_xdp_get_buff_len with them. The call
 * costs as much as half of the parsing and few frames need it; from 6.2 on the kernel's own flags
 * can be read, through a cast that is no call in the end. All this is decided when the object is
 * loaded, so that one object serves all kernels. */
enum bpf_func_id___xf {
	BPF_FUNC_xdp_get_buff_len___xf = 188,
};

enum xdp_buff_flags___xf {
	XDP_FLAGS_HAS_FRAGS___xf = 1,
};

struct xdp_buff___xf {
	__u32 flags;
} __attribute__((preserve_access_index));

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

static __always_inline int xf_may_have_frags(struct xdp_md *ctx)
{
	struct xdp_buff___xf *xdp;

	if (!bpf_core_enum_value_exists(enum bpf_func_id___xf, BPF_FUNC_xdp_get_buff_len___xf))
		return 0;
	if (!bpf_cast_to_kern_ctx || !bpf_core_field_exists(struct xdp_buff___xf, flags) ||
	    !bpf_core_enum_value_exists(enum xdp_buff_flags___xf, XDP_FLAGS_HAS_FRAGS___xf))
		return 1;
	xdp = bpf_cast_to_kern_ctx(ctx);
	return !!(xdp->flags &
		  bpf_core_enum_value(enum xdp_buff_flags___xf, XDP_FLAGS_HAS_FRAGS___xf));
}

/* Bytes of the whole frame. */
static __always_inline __u32 xf_frame_len(struct xdp_md *ctx)
{
	if (xf_may_have_frags(ctx))
		return bpf_xdp_get_buff_len(ctx);
	return ctx->data_end - ctx->data;
}

/* Whether a frame of @len bytes is in several buffers. The verifier of a kernel that has none is
 * told so, and does not look at what is for them. */
static __always_inline int xf_has_frags(struct xdp_md *ctx, __u32 len)
{
	return xf_may_have_frags(ctx) && len > ctx->data_end - ctx->data;
}

static __always_inline void xf_cursor_begin(struct xdp_md *ctx, struct xf_cursor *cur,
					    const struct xf_ext_rule *exts)
{
	*cur = (struct xf_cursor) {
		.start = (void *)(long)ctx->data,
		.pos = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.exts = exts,
		.as_linux = exts == xf_ext_of_linux,
		.type = XF_NO_TYPE,
	};
}

/* The same for a frame of several buffers. */
static __always_inline void xf_cursor_begin_copy(struct xdp_md *ctx, struct xf_cursor *cur,
						 const struct xf_ext_rule *exts, void *copy)
{
	*cur = (struct xf_cursor) {
		.ctx = ctx,
		.copy = copy,
		.len = bpf_xdp_get_buff_len(ctx),
		.exts = exts,
		.as_linux = exts == xf_ext_of_linux,
		.type = XF_NO_TYPE,
	};
}

#endif
