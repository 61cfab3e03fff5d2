// SPDX-License-Identifier: GPL-2.0-only
/* TCP connections whose every byte is checked, as client and as server, for what stands between
 * them; "stream" alone prints the options. The last line of stdout counts the outcomes; exit status
 * 0 when all of them are among --expect and there was at least one. SIGTERM ends a client at once;
 * a server first waits for its connections, SIGINT ends it at once, too. */
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "stream_args.h"

#define CHUNK (256 * 1024)
#define GRACE_MS 10000
#define PREAMBLE_MAX (32 * 1024) /* before the client's header */
#define PROXY_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

struct conn {
	int fd;
	bool open;		/* connected */
	bool have_in, have_out; /* headers */
	bool fin_sent, fin_seen;
	bool held, holding;
	bool proxied;
	struct stream_header in, out;
	uint64_t in_seed, out_seed;
	uint64_t sent, received; /* stream positions */
	uint8_t *pre;		 /* server: bytes until the header was found */
	size_t pre_len;
	size_t prefix_sent;
	uint64_t stalled_until, next_stall, next_write; /* us; 0: not */
	uint64_t reset_at;
	uint64_t asked; /* us of the last request */
	uint32_t events;
	struct conn *next; /* free list */
};

struct stream {
	struct stream_args args;
	int epoll, listener;
	struct conn *conns;
	size_t n_conns;
	struct conn *free;
	uint64_t now; /* us */
	uint64_t started, dialled, begun, ended, holding;
	uint64_t outcomes[STREAM_OUTCOMES];
	uint64_t sent, received, slowest; /* us */
	uint64_t random;
	uint8_t *prefix;
	size_t prefix_len;
	FILE *ports;
	bool released; /* SIGUSR1 came */
	bool explained;
	bool gave_up;
};

static volatile sig_atomic_t stop, release;
static uint8_t buffer[CHUNK];

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		release = 1;
	else
		stop = sig;
}

static uint64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t pick(struct stream *s, const struct stream_range *range)
{
	s->random = s->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return range->min + stream_mix(s->random) % (range->max - range->min + 1);
}

/* ---- the end of a connection ---- */

static void finish(struct stream *s, struct conn *c, enum stream_outcome how)
{
	static const struct linger at_once = { .l_onoff = 1 };

	if (s->args.verbose)
		printf("end id=%llu outcome=%s sent=%llu received=%llu at_ms=%llu server=%u\n",
		       (unsigned long long)(s->args.server ? c->in.id : c->out.id),
		       stream_outcomes[how], (unsigned long long)c->sent,
		       (unsigned long long)c->received,
		       (unsigned long long)(clock_us(CLOCK_REALTIME) / 1000), c->in.server);
	if (how != STREAM_OK)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(c->fd);
	s->holding -= c->holding;
	s->outcomes[how]++;
	s->ended++;
	free(c->pre);
	*c = (struct conn) { .fd = -1, .next = s->free };
	s->free = c;
}

static void explain(struct stream *s, struct conn *c, const char *what)
{
	fprintf(stderr, "stream: connection %llu at byte %llu of %llu (%llu sent): %s\n",
		(unsigned long long)(s->args.server ? c->in.id : c->out.id),
		(unsigned long long)c->received, (unsigned long long)c->in.length,
		(unsigned long long)c->sent, what);
}

/* A wrong byte: say where it comes from, if it is of the same stream. */
static void wrong_byte(struct stream *s, struct conn *c, size_t i, size_t len)
{
	uint64_t pos = c->received + i, from = UINT64_MAX;
	char text[120];

	if (!s->explained && i + 16 <= len)
		from = stream_find(buffer + i, c->in_seed, pos, 64 << 20);
	s->explained = true;
	if (from == UINT64_MAX)
		snprintf(text, sizeof(text), "the byte at %llu is wrong", (unsigned long long)pos);
	else
		snprintf(text, sizeof(text), "at %llu there are the bytes of %llu: %llu %s",
			 (unsigned long long)pos, (unsigned long long)from,
			 (unsigned long long)(from > pos ? from - pos : pos - from),
			 from > pos ? "are missing" : "came again");
	explain(s, c, text);
	finish(s, c, STREAM_BAD);
}

static void bad(struct stream *s, struct conn *c, const char *what)
{
	explain(s, c, what);
	finish(s, c, STREAM_BAD);
}

/* ---- headers ---- */

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

/* The PROXY header at the start. 1: there it was, and is taken off; 0: more is needed. */
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

/* Bytes before the header and the header itself, @len of them in buffer. Returns how many were
 * used, or -1 when the connection has ended. */
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

/* ---- sending ---- */

/* How far the stream may be sent now. */
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
	if (s->args.hold_at != STREAM_FOREVER && !s->released && to > hold)
		to = hold;
	return to < c->out.length ? to : c->out.length;
}

/* A connection that waits for SIGUSR1 to send on, everything else done. */
static void note_holding(struct stream *s, struct conn *c)
{
	if (s->args.hold_at == STREAM_FOREVER || s->released || c->holding ||
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

/* Up to @len bytes at the position. Returns false when nothing more can be sent now or ever. */
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

/* Data at @buf + @off that belongs to the stream. */
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

		/* Stop where the stall is due. */
		if (c->next_stall != STREAM_FOREVER && c->next_stall > c->received &&
		    c->next_stall - c->received < size)
			size = c->next_stall - c->received;
		if (!c->have_in && size < STREAM_HEADER)
			size = STREAM_HEADER;
		if (!read_piece(s, c, size))
			break;
	}
}

/* ---- connections ---- */

static bool check_reset(struct stream *s, struct conn *c)
{
	if (c->sent + c->received < c->reset_at)
		return false;
	finish(s, c, STREAM_KILLED);
	return true;
}

static bool check_end(struct stream *s, struct conn *c)
{
	if (c->fin_seen && (!c->have_in || c->received < c->in.length)) {
		if (!(s->args.expect & (1U << STREAM_CUT)))
			explain(s, c, "FIN came too early");
		finish(s, c, STREAM_CUT);
		return true;
	}
	if (!c->fin_seen || !c->fin_sent)
		return false;
	finish(s, c, STREAM_OK);
	return true;
}

static void interest(struct stream *s, struct conn *c)
{
	struct epoll_event ev = { .data.ptr = c };
	bool more = c->prefix_sent < s->prefix_len || c->sent < allowed(s, c);

	if (!c->fin_seen && c->stalled_until <= s->now)
		ev.events |= EPOLLIN;
	if (!c->open || (more && c->next_write <= s->now))
		ev.events |= EPOLLOUT;
	/* Without either, an end of both directions must not wake us again and again. */
	if (!ev.events && c->fin_sent)
		ev.events = EPOLLET;
	if (ev.events != c->events && epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &ev))
		die("epoll_ctl");
	c->events = ev.events;
}

static void set_options(struct stream *s, int fd)
{
	int rcv = s->args.rcvbuf, snd = s->args.sndbuf, on = 1;

	if (rcv)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcv, sizeof(rcv));
	if (snd)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &snd, sizeof(snd));
	if (!s->args.nagle)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static struct conn *new_conn(struct stream *s, int fd)
{
	const struct stream_range share = { 0, 999 };
	struct epoll_event ev = { .events = EPOLLOUT };
	struct conn *c = s->free;

	if (!c)
		c = &s->conns[s->n_conns++];
	else
		s->free = c->next;
	*c = (struct conn) { .fd = fd, .events = EPOLLOUT, .next_stall = s->args.stall_at };
	c->reset_at =
	    pick(s, &share) < s->args.reset_share ? pick(s, &s->args.reset_at) : STREAM_FOREVER;
	ev.data.ptr = c;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev))
		die("epoll_ctl");
	s->begun++;
	return c;
}

static void step(struct stream *s, struct conn *c, bool in, bool out)
{
	if (in)
		do_read(s, c);
	if (c->fd >= 0 && (out || s->args.mode == STREAM_REQUEST || s->args.server || c->fin_seen ||
			   s->args.late_fin))
		do_send(s, c);
	if (c->fd < 0 || check_reset(s, c) || check_end(s, c))
		return;
	note_holding(s, c);
	interest(s, c);
}

static void connected(struct stream *s, struct conn *c)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(int);
	int err = 0;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err) {
		finish(s, c, outcome_of(err));
		return;
	}
	len = sizeof(addr);
	c->open = true;
	if (s->args.delay_ms)
		c->next_write = s->now + s->args.delay_ms * 1000;
	if (!getsockname(c->fd, (struct sockaddr *)&addr, &len))
		note_port(s, &addr, c->out.id);
	step(s, c, false, true);
}

static void plan(struct stream *s, struct conn *c)
{
	uint64_t up = pick(s, &s->args.up), down = pick(s, &s->args.down);

	c->out.mode = s->args.mode;
	c->out.request_size = s->args.request.min;
	c->out.reply_size = s->args.reply.min;
	if (s->args.mode == STREAM_REQUEST) {
		up = s->args.rounds * s->args.request.min;
		down = s->args.rounds * s->args.reply.min;
	}
	c->out.reply = STREAM_HEADER + down;
	make_out(s, c, stream_mix(s->args.seed + s->begun) >> 16, 0, STREAM_HEADER + up);
}

static void use_source(struct stream *s, int fd)
{
	struct sockaddr_storage addr = s->args.bind;
	const struct stream_range *ports = &s->args.source_ports;
	int on = 1;

	addr.ss_family = s->args.addr.ss_family;
	if (ports->max)
		((struct sockaddr_in *)&addr)->sin_port =
		    htons(ports->min + s->dialled % (ports->max - ports->min + 1));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die("bind");
}

/* False: the source port still belongs to an old connection. */
static bool dial(struct stream *s)
{
	int fd = socket(s->args.addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			s->args.mptcp ? IPPROTO_MPTCP : IPPROTO_TCP);
	struct conn *c;
	int err;

	if (fd < 0)
		die("socket");
	set_options(s, fd);
	if (s->args.bind.ss_family || s->args.source_ports.max)
		use_source(s, fd);
	s->dialled++;
	err = connect(fd, (struct sockaddr *)&s->args.addr, sizeof(s->args.addr)) ? errno : 0;
	if (err == EADDRNOTAVAIL && s->args.source_ports.max) {
		close(fd);
		return false;
	}
	if (err && err != EINPROGRESS && outcome_of(err) != STREAM_REFUSED)
		die("connect");
	c = new_conn(s, fd);
	plan(s, c);
	if (err && err != EINPROGRESS)
		finish(s, c, STREAM_REFUSED);
	return true;
}

static void accept_all(struct stream *s)
{
	int fd;

	while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct conn *c = new_conn(s, fd);

		set_options(s, fd);
		c->open = true;
		if (s->args.speak_first)
			make_out(s, c, s->begun, 0, STREAM_HEADER + s->args.speak_first);
		step(s, c, true, true);
	}
	if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		die("accept");
}

static void listen_on(struct stream *s)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int on = 1;

	s->listener = socket(s->args.addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	set_options(s, s->listener);
	if (bind(s->listener, (struct sockaddr *)&s->args.addr, sizeof(s->args.addr)) ||
	    listen(s->listener, 4096))
		die("listen");
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &ev))
		die("epoll_ctl");
	printf("listening\n");
	fflush(stdout);
}

/* ---- the loop ---- */

static bool timed(const struct stream *s)
{
	return s->args.pace_us || s->args.delay_ms ||
	       (s->args.stall_at != STREAM_FOREVER && s->args.stall_ms != STREAM_FOREVER);
}

static uint64_t sooner(const struct stream *s, uint64_t next, uint64_t at)
{
	return at > s->now && at < next ? at : next;
}

static void run_timer(struct stream *s, struct conn *c)
{
	bool resume = c->stalled_until &&
		      (c->stalled_until <= s->now || (release && c->stalled_until == STREAM_FOREVER));
	bool write = c->next_write && c->next_write <= s->now;

	if (resume)
		c->stalled_until = 0;
	if (write)
		c->next_write = 0;
	if (resume || write || release)
		step(s, c, resume, write || release);
}

/* Those whose time has come; how long until the next in ms, at most 100. */
static int run_timers(struct stream *s)
{
	uint64_t next = s->now + 100000;

	for (size_t i = 0; i < s->n_conns && (timed(s) || release); i++) {
		struct conn *c = &s->conns[i];

		if (c->fd < 0 || !c->open)
			continue;
		run_timer(s, c);
		next = sooner(s, sooner(s, next, c->stalled_until), c->next_write);
	}
	release = 0;
	return (int)((next - s->now + 999) / 1000);
}

/* A server that is asked to end waits for its connections, but not for ever. */
static bool done(struct stream *s)
{
	if (s->gave_up || (stop && (!s->args.server || stop == SIGINT)))
		return true;
	if (stop && s->listener >= 0) {
		accept_all(s);
		close(s->listener);
		s->listener = -1;
		s->args.timeout_ms = (s->now - s->started) / 1000 + GRACE_MS;
	}
	return stop ? s->begun == s->ended : s->args.total && s->ended >= s->args.total;
}

static void give_up(struct stream *s)
{
	int shown = 0;

	for (size_t i = 0; i < s->n_conns; i++) {
		struct conn *c = &s->conns[i];

		if (c->fd < 0)
			continue;
		if (shown++ < 5)
			explain(s, c, c->fin_seen ? "stuck after FIN" : "stuck");
		finish(s, c, STREAM_STUCK);
	}
	s->gave_up = true;
}

static void turn(struct stream *s)
{
	struct epoll_event ev[256];
	int n;

	s->released |= release;
	while (!s->args.server && s->begun - s->ended < s->args.conns && s->begun < s->args.total &&
	       dial(s))
		;
	n = epoll_wait(s->epoll, ev, 256, run_timers(s));
	s->now = clock_us(CLOCK_MONOTONIC);
	for (int i = 0; i < n; i++) {
		struct conn *c = ev[i].data.ptr;
		bool failed = ev[i].events & (EPOLLERR | EPOLLHUP);

		if (!c)
			accept_all(s);
		else if (c->fd >= 0 && !c->open)
			connected(s, c);
		else if (c->fd >= 0 && (ev[i].events & EPOLLERR) && c->stalled_until > s->now)
			finish(s, c, STREAM_RESET);
		else if (c->fd >= 0)
			step(s, c, ev[i].events & EPOLLIN || failed,
			     ev[i].events & EPOLLOUT || failed);
	}
	if (n > 0 && s->ports)
		fflush(s->ports);
	if (s->args.timeout_ms && s->now - s->started > s->args.timeout_ms * 1000)
		give_up(s);
}

static int summary(struct stream *s)
{
	bool fine = s->ended > 0;

	for (int i = 0; i < STREAM_OUTCOMES; i++) {
		printf("%s=%llu ", stream_outcomes[i], (unsigned long long)s->outcomes[i]);
		if (s->outcomes[i] && !(s->args.expect & (1U << i)))
			fine = false;
	}
	printf("open=%llu sent=%llu received=%llu slowest_us=%llu ms=%llu seed=%llu\n",
	       (unsigned long long)(s->begun - s->ended), (unsigned long long)s->sent,
	       (unsigned long long)s->received, (unsigned long long)s->slowest,
	       (unsigned long long)((clock_us(CLOCK_MONOTONIC) - s->started) / 1000),
	       (unsigned long long)s->args.seed);
	return !fine;
}

static void read_prefix(struct stream *s)
{
	FILE *file = fopen(s->args.prefix, "r");

	s->prefix = malloc(1 << 20);
	if (!file || !s->prefix)
		die(s->args.prefix);
	s->prefix_len = fread(s->prefix, 1, 1 << 20, file);
	fclose(file);
}

static void prepare(struct stream *s)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct rlimit files;

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (!s->args.seed && getrandom(&s->args.seed, 4, 0) != 4)
		die("getrandom");
	s->random = s->args.seed;
	s->conns = calloc(s->args.server ? files.rlim_cur : s->args.conns + 1, sizeof(*s->conns));
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!s->conns || s->epoll < 0)
		die("epoll");
	if (s->args.ports && !(s->ports = fopen(s->args.ports, "w")))
		die(s->args.ports);
	if (s->args.prefix)
		read_prefix(s);
}

int main(int argc, char **argv)
{
	struct stream s = { .listener = -1 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	stream_parse(&s.args, argc, argv);
	prepare(&s);
	s.started = s.now = clock_us(CLOCK_MONOTONIC);
	if (s.args.server)
		listen_on(&s);
	while (!done(&s))
		turn(&s);
	return summary(&s);
}
