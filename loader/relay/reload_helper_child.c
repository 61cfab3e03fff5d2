// SPDX-License-Identifier: GPL-2.0-only
/* The reload helper's own process. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loader/relay/reload_helper_impl.h"
#include "loader/relay/routes_file.h"
#include "sockmap/route/routes.h"

#define NAME "xdpfun-reload" /* the name in ps */
#define FIRST_SIZE (64u << 10)

struct reply {
	const char *path;
	uint8_t *at; /* the reply, which begins with the number of bytes that follow */
	size_t len, size;
	bool full;
};

static void add_bytes(struct reply *reply, const void *data, size_t len)
{
	size_t size = reply->size ?: FIRST_SIZE;
	uint8_t *grown;

	while (size < reply->len + len)
		size *= 2;
	if (reply->full || reply->len + len > XF_REPLY_MAX) {
		reply->full = true;
		return;
	}
	if (size > reply->size) {
		grown = realloc(reply->at, size);
		if (!grown) {
			reply->full = true;
			return;
		}
		reply->at = grown;
		reply->size = size;
	}
	memcpy(reply->at + reply->len, data, len);
	reply->len += len;
}

static void add_part(struct reply *reply, bool ok, const char *name, const void *data, size_t len)
{
	struct xf_part part = { .ok = ok, .name_len = strlen(name), .len = len };

	add_bytes(reply, &part, sizeof(part));
	add_bytes(reply, name, part.name_len);
	add_bytes(reply, data, len);
}

/* Append the contents of the file that the routes file calls @name to the reply. */
static uint8_t *read_part(struct reply *reply, const char *name, const char *path, size_t max,
			  size_t *len, char *why, size_t why_len)
{
	uint8_t *data = xf_file_read(path, max, true, len, why, why_len);

	if (data)
		add_part(reply, true, name, data, *len);
	else
		add_part(reply, false, name, why, strlen(why));
	return data;
}

static uint8_t *read_token(const char *name, size_t *len, char *why, size_t why_len, void *arg)
{
	struct reply *reply = arg;
	char *path = xf_routes_file__beside(reply->path, name);
	uint8_t *data = NULL;

	if (path)
		data = read_part(reply, name, path, XF_TOKEN_FILE_MAX, len, why, why_len);
	else
		reply->full = true;
	free(path);
	return data;
}

/* Parse the routes to learn which files they name. The relay parses them again and reports the
 * errors. */
static void collect(struct reply *reply)
{
	struct xf_routes_error error;
	struct xf_routes *routes;
	char why[128];
	size_t len;
	uint8_t *text =
	    read_part(reply, "", reply->path, XF_ROUTES_FILE_MAX, &len, why, sizeof(why));

	if (text && !xf_routes__parse(&routes, (char *)text, len, read_token, reply, &error))
		xf_routes__put(routes);
	free(text);
}

/* False: the relay has closed its end. */
static bool write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			len -= n;
		}
	}
	return true;
}

static bool reply_once(int fd, const char *path)
{
	static const char no_room[] =
	    "the files are larger than 16M together, or there is no memory";
	struct reply reply = { .path = path };
	uint32_t rest = 0;
	bool read_on;

	add_bytes(&reply, &rest, sizeof(rest));
	collect(&reply);
	if (reply.full) {
		explicit_bzero(reply.at, reply.len);
		reply.full = false;
		reply.len = reply.at ? sizeof(rest) : 0;
		add_part(&reply, false, "", no_room, strlen(no_room));
	}
	if (reply.full)
		return false; /* no memory for the error */
	rest = reply.len - sizeof(rest);
	memcpy(reply.at, &rest, sizeof(rest));
	read_on = write_all(fd, reply.at, reply.len);
	explicit_bzero(reply.at, reply.len);
	free(reply.at);
	return read_on;
}

/* Close all descriptors but the socket, since the relay, which reads hostile bytes, has the others
 * open, too. Returns the socket. */
static int close_others(int fd)
{
	int null = open("/dev/null", O_RDWR);

	for (int i = 0; i <= 2 && null >= 0; i++)
		dup2(null, i);
	if (fd != 3)
		fd = dup2(fd, 3);
	/* A container's seccomp filter may refuse close_range(). */
	if (syscall(SYS_close_range, 4, ~0u, 0))
		for (int i = 4; i < 1024; i++)
			close(i);
	return fd;
}

static void serve(int fd, const char *path)
{
	char byte;
	ssize_t n;

	for (;;) {
		n = read(fd, &byte, 1);
		if (n == 0 || (n < 0 && errno != EINTR))
			return;
		if (n > 0 && !reply_once(fd, path))
			return;
	}
}

_Noreturn void xf_reload_helper__run(int fd, const char *path, const struct xf_user *user,
				     pid_t parent)
{
	static const uint8_t ready;

	prctl(PR_SET_NAME, NAME, 0, 0, 0);
	if (xf_drop_privileges(user, 1ULL << CAP_DAC_READ_SEARCH))
		_exit(1);
	fd = close_others(fd);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* A change of user clears this, so it comes last. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != parent)
		_exit(1);
	if (write_all(fd, &ready, 1))
		serve(fd, path);
	_exit(0);
}
