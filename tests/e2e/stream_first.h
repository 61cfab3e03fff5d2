/* SPDX-License-Identifier: GPL-2.0-only */
/* The beginning of a connection of stream: its headers, and bytes before them. */
#ifndef XF_E2E_STREAM_FIRST_H
#define XF_E2E_STREAM_FIRST_H

#include "stream_state.h"

static void note_port(struct stream *s, const struct sockaddr_storage *addr, uint64_t id)
{
	if (s->ports) /* the port is at the same place in both families */
		fprintf(s->ports, "%llu %u\n", (unsigned long long)id,
			ntohs(((const struct sockaddr_in *)addr)->sin_port));
}

static void make_out(struct stream *s, struct conn *c, uint64_t id, uint64_t peer, uint64_t length)
{
	c->out.magic = STREAM_MAGIC;
	c->out.id = id;
	c->out.peer = peer;
	c->out.length = length;
	c->out.server = s->args.name;
	c->out.check = stream_header_check(&c->out);
	c->out_seed = stream_seed(id, s->args.server);
	c->have_out = true;
}

static bool take_header(struct stream *s, struct conn *c)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (c->in.magic != STREAM_MAGIC || c->in.check != stream_header_check(&c->in)) {
		bad(s, c, "the header is wrong");
		return false;
	}
	c->have_in = true;
	c->in_seed = stream_seed(c->in.id, !s->args.server && s->args.mode != STREAM_ECHO);
	c->received = STREAM_HEADER;
	if (s->args.server) {
		if (!c->have_out)
			make_out(s, c, c->in.id, c->in.id, c->in.reply);
		if (!getpeername(c->fd, (struct sockaddr *)&addr, &len))
			note_port(s, &addr, c->in.id);
		return true;
	}
	if (s->args.mode == STREAM_ECHO ? c->in.id != c->out.id
					: c->in.peer && c->in.peer != c->out.id)
		bad(s, c, "the answer is another connection's");
	else if (s->args.server_name && c->in.server != s->args.server_name)
		bad(s, c, "another server has answered");
	else
		return true;
	return false;
}

static void print_proxy(const uint8_t *head)
{
	static const char *const families[] = { "other", "tcp4", "tcp6" };
	unsigned int v6 = head[13] == 0x21, known = v6 ? 2 : head[13] == 0x11;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	size_t size = v6 ? 16 : 4;
	const uint8_t *port = head + 16 + 2 * size;

	if (head[12] == 0x20 || !known) {
		printf("proxy %s\n", head[12] == 0x20 ? "local" : families[0]);
		return;
	}
	inet_ntop(v6 ? AF_INET6 : AF_INET, head + 16, src, sizeof(src));
	inet_ntop(v6 ? AF_INET6 : AF_INET, head + 16 + size, dst, sizeof(dst));
	printf("proxy %s %s %u %s %u\n", families[known], src, port[0] << 8 | port[1], dst,
	       port[2] << 8 | port[3]);
}

/* Take off the PROXY header at the start. Returns 1, or 0 when more bytes are needed. */
static int take_proxy(struct conn *c)
{
	size_t len;

	if (memcmp(c->pre, PROXY_SIGNATURE, c->pre_len < 12 ? c->pre_len : 12))
		return -1;
	if (c->pre_len < 16 || c->pre_len < (len = 16 + (c->pre[14] << 8 | c->pre[15])))
		return 0;
	if (c->pre[12] != 0x20 && c->pre[12] != 0x21)
		return -1;
	if (c->pre[12] == 0x21 && len < (c->pre[13] == 0x21 ? 52U : 28U))
		return -1;
	print_proxy(c->pre);
	memmove(c->pre, c->pre + len, c->pre_len - len);
	c->pre_len -= len;
	c->proxied = true;
	return 1;
}

static void print_preamble(const uint8_t *data, size_t len)
{
	printf("preamble ");
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
	printf("\n");
}

/* Read the bytes before the header, and the header, from the @len bytes in the buffer. Returns how
 * many were used, or -1 when the connection has ended. */
static ssize_t read_preamble(struct stream *s, struct conn *c, size_t len)
{
	static const uint64_t magic = STREAM_MAGIC;
	uint8_t *at;
	size_t used;

	if (c->pre_len + len > PREAMBLE_MAX)
		len = PREAMBLE_MAX - c->pre_len;
	if (!c->pre && !(c->pre = malloc(PREAMBLE_MAX)))
		die("memory");
	if (!len) {
		bad(s, c, "no header among all that");
		return -1;
	}
	memcpy(c->pre + c->pre_len, buffer, len);
	c->pre_len += len;
	if (s->args.proxy && !c->proxied && take_proxy(c) <= 0) {
		if (take_proxy(c) == 0)
			return len;
		bad(s, c, "no PROXY header");
		return -1;
	}
	at = memmem(c->pre, c->pre_len, &magic, sizeof(magic));
	if (!at || c->pre + c->pre_len - at < (ssize_t)STREAM_HEADER)
		return len;
	memcpy(&c->in, at, STREAM_HEADER);
	if (at > c->pre && s->args.verbose)
		print_preamble(c->pre, at - c->pre);
	used = len - (c->pre + c->pre_len - at - STREAM_HEADER);
	if (at > c->pre && !s->args.server) {
		bad(s, c, "there is something before the header");
		return -1;
	}
	free(c->pre);
	c->pre = NULL;
	return take_header(s, c) ? (ssize_t)used : -1;
}

#endif
