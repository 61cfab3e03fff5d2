// SPDX-License-Identifier: GPL-2.0-only
/* The client side of the reload helper: requests the routes again from the process that may still
 * read them. */
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

struct xf_reload_helper {
	const char *path;
	int fd; /* -1: the reload helper is gone */
	pid_t pid;
	struct xf_loop *loop;
	struct xf_watch watch;
	bool waiting;	/* for a reply */
	bool ask_again; /* after this reply, since the file may have changed after it was read */
	uint32_t size;	/* of the reply; got counts its own bytes, too */
	size_t got;
	uint8_t *data; /* the reply behind its size */
	void (*fn)(struct xf_routes *routes, void *arg);
	void *arg;
};

/* Wait for the byte that the reload helper sends when it has dropped its privileges. */
static int wait_ready(struct xf_reload_helper *helper)
{
	char byte;
	ssize_t n;

	do {
		n = read(helper->fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	xf_err("cannot start the process that reads %s again", helper->path);
	return -ECHILD;
}

int xf_reload_helper__start(struct xf_reload_helper **out, const char *path,
			    const struct xf_user *user)
{
	struct xf_reload_helper *helper = calloc(1, sizeof(*helper));
	pid_t parent = getpid();
	int err, pair[2];

	if (!helper)
		return -ENOMEM;
	*helper = (struct xf_reload_helper) { .path = path, .fd = -1, .watch.fd = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		err = -errno;
		goto out_free;
	}
	helper->pid = fork();
	if (helper->pid == 0) {
		close(pair[0]);
		xf_reload_helper__run(pair[1], path, user, parent);
	}
	err = -errno;
	close(pair[1]);
	helper->fd = pair[0];
	if (helper->pid < 0)
		goto out_free;
	err = wait_ready(helper);
	if (err) {
		xf_reload_helper__stop(helper);
		return err;
	}
	fcntl(helper->fd, F_SETFL, O_NONBLOCK);
	*out = helper;
	return 0;

out_free:
	xf_err("cannot start the process that reads %s again: %s", path, strerror(-err));
	if (helper->fd >= 0)
		close(helper->fd);
	free(helper);
	return err;
}

/* Find the next part of the reply. NULL: there is none that is complete. */
static const struct xf_part *next_part(const struct xf_reload_helper *helper, size_t *at,
				       struct xf_part *part, const char **name)
{
	size_t left = helper->size - *at;

	if (left < sizeof(*part))
		return NULL;
	memcpy(part, helper->data + *at, sizeof(*part));
	left -= sizeof(*part);
	if (part->name_len > left || part->len > left - part->name_len)
		return NULL;
	*name = (const char *)helper->data + *at + sizeof(*part);
	*at += sizeof(*part) + part->name_len + part->len;
	return part;
}

/* Find the contents of the file that the routes file calls @name. NULL: it could not be read, for
 * the reason in @why. */
static const uint8_t *find_part(const struct xf_reload_helper *helper, const char *name,
				size_t *len, char *why, size_t why_len)
{
	const char *found;
	struct xf_part part;
	size_t at = 0;

	while (next_part(helper, &at, &part, &found)) {
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

static struct xf_routes *parse(struct xf_reload_helper *helper)
{
	struct xf_routes_source source = { .path = helper->path,
					   .read = read_token,
					   .arg = helper };
	struct xf_routes *routes;
	char why[128];

	source.text = (const char *)find_part(helper, "", &source.len, why, sizeof(why));
	if (!source.text) {
		xf_err("cannot read the routes file %s: %s", helper->path, why);
		return NULL;
	}
	return xf_routes_file__parse(&source, &routes) ? NULL : routes;
}

static void forget_reply(struct xf_reload_helper *helper)
{
	if (helper->data)
		explicit_bzero(helper->data, helper->size);
	free(helper->data);
	helper->data = NULL;
	helper->got = 0;
	helper->waiting = false;
}

static void send_request(struct xf_reload_helper *helper)
{
	static const char byte = 0;

	helper->ask_again = false;
	/* The socket has room, since at most one byte is on its way. An error shows as an event of
	 * the watch. */
	helper->waiting = send(helper->fd, &byte, 1, MSG_NOSIGNAL) == 1;
}

static void handle_reply(struct xf_reload_helper *helper)
{
	struct xf_routes *routes = NULL;

	if (!helper->ask_again)
		routes = parse(helper);
	forget_reply(helper);
	if (helper->ask_again)
		send_request(helper);
	else
		helper->fn(routes, helper->arg);
}

static void helper_exited(struct xf_reload_helper *helper)
{
	xf_loop__del(helper->loop, &helper->watch);
	close(helper->fd);
	helper->fd = -1;
	xf_err("the process that reads %s again has ended: SIGHUP will not be obeyed any more",
	       helper->path);
	xf_hint("restart this one for new rules; running connections end with it");
	if (helper->waiting)
		helper->fn(NULL, helper->arg);
	forget_reply(helper);
}

/* Receive more of the reply. Returns as recv(). */
static ssize_t read_some(struct xf_reload_helper *helper)
{
	uint8_t *to = (uint8_t *)&helper->size + helper->got;
	size_t want = sizeof(helper->size) - helper->got;
	ssize_t n;

	if (helper->got >= sizeof(helper->size)) {
		to = helper->data + helper->got - sizeof(helper->size);
		want = sizeof(helper->size) + helper->size - helper->got;
	}
	n = recv(helper->fd, to, want, MSG_DONTWAIT);
	if (n <= 0)
		return n;
	helper->got += n;
	if (helper->got != sizeof(helper->size))
		return n;
	helper->data = helper->size <= XF_REPLY_MAX ? malloc(helper->size) : NULL;
	if (helper->data)
		return n;
	errno = ENOMEM;
	helper->size = 0;
	return -1;
}

static void on_reply(struct xf_watch *watch, uint32_t events)
{
	struct xf_reload_helper *helper = xf_container_of(watch, struct xf_reload_helper, watch);
	ssize_t n = read_some(helper);

	(void)events;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		helper_exited(helper);
	else if (n > 0 && helper->data && helper->got == sizeof(helper->size) + helper->size)
		handle_reply(helper);
}

void xf_reload_helper__ask(struct xf_reload_helper *helper, struct xf_loop *loop,
			   void (*fn)(struct xf_routes *routes, void *arg), void *arg)
{
	int err = 0;

	helper->loop = loop;
	helper->fn = fn;
	helper->arg = arg;
	helper->watch.fn = on_reply;
	if (helper->waiting) {
		helper->ask_again = true;
		return;
	}
	if (helper->fd >= 0 && helper->watch.fd < 0)
		err = xf_loop__add(loop, &helper->watch, helper->fd, EPOLLIN);
	if (helper->fd < 0 || err) {
		xf_err("cannot read %s again: %s", helper->path,
		       err ? strerror(-err) : "the process for that has ended");
		fn(NULL, arg);
		return;
	}
	send_request(helper);
}

void xf_reload_helper__stop(struct xf_reload_helper *helper)
{
	if (!helper)
		return;
	if (helper->watch.fd >= 0)
		xf_loop__del(helper->loop, &helper->watch);
	if (helper->fd >= 0)
		close(helper->fd);
	while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	forget_reply(helper);
	free(helper);
}
