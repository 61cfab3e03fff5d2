// SPDX-License-Identifier: GPL-2.0-only
/* The side that asks a keeper. */
#include "loader/relay/reload_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/relay/reload_helper_impl.h"
#include "lib/msg.h"
#include "loader/relay/routes_file.h"
#include "lib/loop.h"

struct xf_keeper {
	const char *path;
	int fd; /* -1: the keeper is gone */
	pid_t pid;
	struct xf_loop *loop;
	struct xf_watch watch;
	bool waiting;	/* for an answer */
	bool ask_again; /* when it is there: the file may have changed after it was read */
	uint32_t size;	/* of the answer; bytes of it that have come, those of size included */
	size_t got;
	uint8_t *data; /* the answer behind its size */
	void (*fn)(struct xf_routes *routes, void *arg);
	void *arg;
};

/* The keeper says when it has given up its privileges. */
static int wait_ready(struct xf_keeper *keeper)
{
	char byte;
	ssize_t n;

	do {
		n = read(keeper->fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	xf_err("the process that is to read %s again could not start", keeper->path);
	return -ECHILD;
}

int xf_keeper__start(struct xf_keeper **out, const char *path, const struct xf_user *user)
{
	struct xf_keeper *keeper = calloc(1, sizeof(*keeper));
	pid_t parent = getpid();
	int err, pair[2];

	if (!keeper)
		return -ENOMEM;
	*keeper = (struct xf_keeper) { .path = path, .fd = -1, .watch.fd = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		err = -errno;
		goto out_free;
	}
	keeper->pid = fork();
	if (keeper->pid == 0) {
		close(pair[0]);
		xf_keeper__run(pair[1], path, user, parent);
	}
	err = -errno;
	close(pair[1]);
	keeper->fd = pair[0];
	if (keeper->pid < 0)
		goto out_free;
	err = wait_ready(keeper);
	if (err) {
		xf_keeper__stop(keeper);
		return err;
	}
	fcntl(keeper->fd, F_SETFL, O_NONBLOCK);
	*out = keeper;
	return 0;

out_free:
	xf_err("cannot start a process that reads %s again: %s", path, strerror(-err));
	if (keeper->fd >= 0)
		close(keeper->fd);
	free(keeper);
	return err;
}

/* The next part of the answer, or NULL when there is none that is whole. */
static const struct xf_part *next_part(const struct xf_keeper *keeper, size_t *at,
				       struct xf_part *part, const char **name)
{
	size_t left = keeper->size - *at;

	if (left < sizeof(*part))
		return NULL;
	memcpy(part, keeper->data + *at, sizeof(*part));
	left -= sizeof(*part);
	if (part->name_len > left || part->len > left - part->name_len)
		return NULL;
	*name = (const char *)keeper->data + *at + sizeof(*part);
	*at += sizeof(*part) + part->name_len + part->len;
	return part;
}

/* The contents of the file that the routes file calls @name; its first line of text is @why when it
 * could not be read. */
static const uint8_t *find_part(const struct xf_keeper *keeper, const char *name, size_t *len,
				char *why, size_t why_len)
{
	const char *found;
	struct xf_part part;
	size_t at = 0;

	while (next_part(keeper, &at, &part, &found)) {
		const char *data = found + part.name_len;

		if (part.name_len != strlen(name) || memcmp(found, name, part.name_len))
			continue;
		*len = part.len;
		if (part.ok)
			return (const uint8_t *)data;
		snprintf(why, why_len, "%.*s", (int)part.len, data);
		return NULL;
	}
	snprintf(why, why_len, "it was not read");
	return NULL;
}

static uint8_t *read_token(const char *name, size_t *len, char *why, size_t why_len, void *arg)
{
	const uint8_t *data = find_part(arg, name, len, why, why_len);
	uint8_t *copy = data ? malloc(*len + 1) : NULL;

	if (copy)
		memcpy(copy, data, *len);
	else if (data)
		snprintf(why, why_len, "%s", strerror(ENOMEM));
	return copy;
}

static struct xf_routes *parse(struct xf_keeper *keeper)
{
	struct xf_routes_source source = { .path = keeper->path,
					   .read = read_token,
					   .arg = keeper };
	struct xf_routes *routes;
	char why[128];

	source.text = (const char *)find_part(keeper, "", &source.len, why, sizeof(why));
	if (!source.text) {
		xf_err("cannot read the routes file %s: %s", keeper->path, why);
		return NULL;
	}
	return xf_routes_file__parse(&source, &routes) ? NULL : routes;
}

static void forget_answer(struct xf_keeper *keeper)
{
	if (keeper->data)
		explicit_bzero(keeper->data, keeper->size);
	free(keeper->data);
	keeper->data = NULL;
	keeper->got = 0;
	keeper->waiting = false;
}

static void send_question(struct xf_keeper *keeper)
{
	static const char byte = 0;

	keeper->ask_again = false;
	/* There is room: at most one byte is on its way. An error is an event for the watch. */
	keeper->waiting = send(keeper->fd, &byte, 1, MSG_NOSIGNAL) == 1;
}

static void answered(struct xf_keeper *keeper)
{
	struct xf_routes *routes = NULL;

	if (!keeper->ask_again)
		routes = parse(keeper);
	forget_answer(keeper);
	if (keeper->ask_again)
		send_question(keeper);
	else
		keeper->fn(routes, keeper->arg);
}

static void gone(struct xf_keeper *keeper)
{
	xf_loop__del(keeper->loop, &keeper->watch);
	close(keeper->fd);
	keeper->fd = -1;
	xf_err("the process that reads %s again has ended: SIGHUP will not be obeyed any more",
	       keeper->path);
	xf_hint("restart this one for new rules; running connections end with it");
	if (keeper->waiting)
		keeper->fn(NULL, keeper->arg);
	forget_answer(keeper);
}

/* More of the answer. Returns what recv() does. */
static ssize_t read_some(struct xf_keeper *keeper)
{
	uint8_t *to = (uint8_t *)&keeper->size + keeper->got;
	size_t want = sizeof(keeper->size) - keeper->got;
	ssize_t n;

	if (keeper->got >= sizeof(keeper->size)) {
		to = keeper->data + keeper->got - sizeof(keeper->size);
		want = sizeof(keeper->size) + keeper->size - keeper->got;
	}
	n = recv(keeper->fd, to, want, MSG_DONTWAIT);
	if (n <= 0)
		return n;
	keeper->got += n;
	if (keeper->got != sizeof(keeper->size))
		return n;
	keeper->data = keeper->size <= XF_ANSWER_MAX ? malloc(keeper->size) : NULL;
	if (keeper->data)
		return n;
	errno = ENOMEM;
	keeper->size = 0;
	return -1;
}

static void on_answer(struct xf_watch *watch, uint32_t events)
{
	struct xf_keeper *keeper = xf_container_of(watch, struct xf_keeper, watch);
	ssize_t n = read_some(keeper);

	(void)events;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		gone(keeper);
	else if (n > 0 && keeper->data && keeper->got == sizeof(keeper->size) + keeper->size)
		answered(keeper);
}

void xf_keeper__ask(struct xf_keeper *keeper, struct xf_loop *loop,
		    void (*fn)(struct xf_routes *routes, void *arg), void *arg)
{
	int err = 0;

	keeper->loop = loop;
	keeper->fn = fn;
	keeper->arg = arg;
	keeper->watch.fn = on_answer;
	if (keeper->waiting) {
		keeper->ask_again = true;
		return;
	}
	if (keeper->fd >= 0 && keeper->watch.fd < 0)
		err = xf_loop__add(loop, &keeper->watch, keeper->fd, EPOLLIN);
	if (keeper->fd < 0 || err) {
		xf_err("cannot read %s again: %s", keeper->path,
		       err ? strerror(-err) : "the process for that has ended");
		fn(NULL, arg);
		return;
	}
	send_question(keeper);
}

void xf_keeper__stop(struct xf_keeper *keeper)
{
	if (!keeper)
		return;
	if (keeper->watch.fd >= 0)
		xf_loop__del(keeper->loop, &keeper->watch);
	if (keeper->fd >= 0)
		close(keeper->fd);
	while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	forget_answer(keeper);
	free(keeper);
}
