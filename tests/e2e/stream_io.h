/* SPDX-License-Identifier: GPL-2.0-only */
/* Sending and receiving on one connection of stream. */
#ifndef XF_E2E_STREAM_IO_H
#define XF_E2E_STREAM_IO_H

#include "stream_first.h"

/* ---- sending ---- */

/* Returns the position up to which the stream may be sent now. */
static uint64_t allowed(struct stream *s, struct conn *c)
{
	const struct stream_header *plan = s->args.server ? &c->in : &c->out;
	uint64_t done = c->received > STREAM_HEADER ? c->received - STREAM_HEADER : 0;
	uint64_t to = c->out.length, hold;

	if (!c->have_out)
		return 0;
	if (s->args.server && !c->have_in)
		return STREAM_HEADER + s->args.speak_first;
	if (s->args.server && plan->mode == STREAM_AFTER_FIN && !c->fin_seen)
		to = s->args.speak_first ? STREAM_HEADER + s->args.speak_first : 0;
	else if (plan->mode == STREAM_REQUEST && s->args.server)
		to = STREAM_HEADER + done / plan->request_size * plan->reply_size;
	else if (plan->mode == STREAM_REQUEST)
		to = STREAM_HEADER + (done / plan->reply_size + 1) * plan->request_size;
	hold = STREAM_HEADER + s->args.hold_at;
	if (s->args.hold_at != STREAM_FOREVER && !s->going && to > hold)
		to = hold;
	return to < c->out.length ? to : c->out.length;
}

/* Count a connection that has nothing left to do before the signal to send on. */
static void note_holding(struct stream *s, struct conn *c)
{
	if (s->args.hold_at == STREAM_FOREVER || s->going || c->holding ||
	    c->sent < STREAM_HEADER + s->args.hold_at)
		return;
	if (s->args.mode == STREAM_ECHO && c->received < c->sent)
		return;
	if (s->args.mode == STREAM_REQUEST &&
	    c->received < STREAM_HEADER + s->args.hold_at / c->out.request_size * c->out.reply_size)
		return;
	c->holding = true;
	if (++s->holding == s->args.conns) {
		printf("holding\n");
		fflush(stdout);
	}
}

static bool is_error(ssize_t n)
{
	return n < 0 && errno != EAGAIN && errno != EINTR;
}

static enum stream_outcome outcome_of(int err)
{
	return err == ECONNREFUSED || err == ETIMEDOUT || err == EHOSTUNREACH ? STREAM_REFUSED
									      : STREAM_RESET;
}

/* Send up to @len bytes. Returns false when no more can be sent now. */
static bool send_piece(struct stream *s, struct conn *c, size_t len)
{
	size_t head = c->sent < STREAM_HEADER ? STREAM_HEADER - c->sent : 0;
	const uint8_t *data = buffer;
	ssize_t n;

	if (c->prefix_sent < s->prefix_len) {
		data = s->prefix + c->prefix_sent;
		len = s->prefix_len - c->prefix_sent;
		len = len < s->args.prefix_step ? len : s->args.prefix_step;
	} else if (head) {
		len = len < head ? len : head;
		data = (uint8_t *)&c->out + c->sent;
	} else {
		stream_fill(buffer, c->out_seed, c->sent, len);
	}
	n = send(c->fd, data, len, MSG_NOSIGNAL);
	if (is_error(n)) {
		finish(s, c, outcome_of(errno));
		return false;
	}
	if (n > 0 && c->prefix_sent < s->prefix_len)
		c->prefix_sent += n;
	else if (n > 0)
		c->sent += n, s->sent += n;
	return n == (ssize_t)len;
}

static void send_fin(struct stream *s, struct conn *c)
{
	bool all_in = s->args.server ? c->fin_seen : c->have_in && c->received >= c->in.length;

	if (c->fin_sent || !c->have_out || c->sent < c->out.length)
		return;
	if (s->args.late_fin && !all_in)
		return;
	shutdown(c->fd, SHUT_WR);
	c->fin_sent = true;
}

static void do_send(struct stream *s, struct conn *c)
{
	for (int i = 0; i < 16 && c->fd >= 0; i++) {
		uint64_t to = allowed(s, c), len = pick(s, &s->args.write);
		bool full;

		if (c->prefix_sent == s->prefix_len && c->sent >= to)
			break;
		if (c->next_write > s->now)
			return;
		if (c->prefix_sent == s->prefix_len && !c->asked)
			c->asked = s->now;
		len = len < CHUNK ? len : CHUNK;
		full = !send_piece(s, c, len < to - c->sent ? len : to - c->sent);
		if (s->args.pace_us)
			c->next_write = s->now + s->args.pace_us;
		if (full)
			break;
	}
	if (c->fd >= 0)
		send_fin(s, c);
}

/* ---- receiving ---- */

/* Check the data at @buf + @off. */
static bool take_data(struct stream *s, struct conn *c, size_t off, size_t len)
{
	size_t good;

	if (off)
		memmove(buffer, buffer + off, len);
	if (c->received + len > c->in.length) {
		bad(s, c, "more came than was sent");
		return false;
	}
	good = stream_check(buffer, c->in_seed, c->received, len);
	if (good < len) {
		wrong_byte(s, c, good, len);
		return false;
	}
	c->received += len;
	return true;
}

static void after_data(struct stream *s, struct conn *c)
{
	uint64_t took;

	if (!s->released && c->received >= c->next_stall) {
		c->next_stall =
		    s->args.stall_every ? c->received + s->args.stall_every : STREAM_FOREVER;
		c->stalled_until = s->args.stall_ms == STREAM_FOREVER
				       ? STREAM_FOREVER
				       : s->now + s->args.stall_ms * 1000;
	}
	if (s->args.server || c->out.mode != STREAM_REQUEST || c->received <= STREAM_HEADER ||
	    (c->received - STREAM_HEADER) % c->out.reply_size || !c->asked)
		return;
	took = clock_us(CLOCK_MONOTONIC) - c->asked;
	s->slowest = took > s->slowest ? took : s->slowest;
	c->asked = 0;
}

static bool read_piece(struct stream *s, struct conn *c, size_t size)
{
	ssize_t n = recv(c->fd, buffer, size, 0), used = 0;

	if (is_error(n)) {
		finish(s, c, outcome_of(errno));
		return false;
	}
	if (n < 0)
		return false;
	if (!n) {
		c->fin_seen = true;
		return false;
	}
	s->received += n;
	if (!c->have_in) {
		used = read_preamble(s, c, n);
		if (used < 0)
			return false;
	}
	if (c->have_in && n > used && !take_data(s, c, used, n - used))
		return false;
	after_data(s, c);
	return (size_t)n == size;
}

static void do_read(struct stream *s, struct conn *c)
{
	for (int i = 0; i < 8 && c->fd >= 0 && !c->fin_seen && c->stalled_until <= s->now; i++) {
		size_t size = CHUNK;

		/* Stop reading at the byte where a stall is due. */
		if (c->next_stall != STREAM_FOREVER && c->next_stall > c->received &&
		    c->next_stall - c->received < size)
			size = c->next_stall - c->received;
		if (!c->have_in && size < STREAM_HEADER)
			size = STREAM_HEADER;
		if (!read_piece(s, c, size))
			break;
	}
}

#endif
