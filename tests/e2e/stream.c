// SPDX-License-Identifier: GPL-2.0-only
/* Client and server of TCP connections, which check every byte; "stream" alone prints the options.
 * The last line of stdout counts the outcomes. The exit status is 0 when there is at least one, and
 * all are among --expect. SIGTERM ends a client at once, and a server when its connections have
 * ended; SIGINT ends both at once. */
#include <sys/random.h>
#include <sys/resource.h>

#include "stream_io.h"

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
	/* A socket with neither would wake the loop again and again after the end of both
	 * directions. */
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

/* Returns false when the source port still belongs to an old connection. */
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
	bool resume = c->stalled_until && (c->stalled_until <= s->now ||
					   (s->release_now && c->stalled_until == STREAM_FOREVER));
	bool write = c->next_write && c->next_write <= s->now;

	if (resume)
		c->stalled_until = 0;
	if (write)
		c->next_write = 0;
	if (resume || write || s->go_now)
		step(s, c, resume, write || s->go_now);
}

/* Run the timers that are due. Returns the time until the next in ms, at most 100. */
static int run_timers(struct stream *s)
{
	uint64_t next = s->now + 100000;

	for (size_t i = 0; i < s->n_conns && (timed(s) || s->go_now); i++) {
		struct conn *c = &s->conns[i];

		if (c->fd < 0 || !c->open)
			continue;
		run_timer(s, c);
		next = sooner(s, sooner(s, next, c->stalled_until), c->next_write);
	}
	return (int)((next - s->now + 999) / 1000);
}

/* A server that is asked to end waits for its connections, for a limited time. */
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

static void hear_signals(struct stream *s)
{
	s->release_now = release;
	s->go_now = release || go;
	if (s->release_now)
		release = 0;
	if (s->go_now)
		go = 0;
	s->released |= s->release_now;
	s->going |= s->go_now;
}

static void turn(struct stream *s)
{
	struct epoll_event ev[256];
	int n;

	hear_signals(s);
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
	sigaction(SIGUSR2, &sa, NULL);
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
