// SPDX-License-Identifier: GPL-2.0-only
/* The routes file and the token files that it names, read from disk. */
#include "loader/relay/routes_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/msg.h"
#include "sockmap/route/routes.h"

/* Read up to @space bytes to @data. Returns their number, or -errno. */
static ssize_t read_all(int fd, uint8_t *data, size_t space)
{
	size_t len = 0;

	while (len < space) {
		ssize_t n = read(fd, data + len, space - len);

		if (n == 0)
			break;
		if (n > 0)
			len += n;
		else if (errno != EINTR)
			return -errno;
	}
	return len;
}

uint8_t *xf_file_read(const char *path, size_t max, bool regular, size_t *len, char *why,
		      size_t why_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (regular ? O_NONBLOCK : 0));
	uint8_t *data = fd < 0 ? NULL : malloc(max + 1);
	ssize_t n = fd < 0 ? -errno : data ? 0 : -ENOMEM;
	bool odd = false;
	struct stat st;

	if (!n && regular)
		odd = fstat(fd, &st) || !S_ISREG(st.st_mode);
	if (!n && !odd)
		n = read_all(fd, data, max + 1);
	if (fd >= 0)
		close(fd);
	if (!odd && n >= 0 && (size_t)n <= max) {
		*len = n;
		return data;
	}
	if (odd)
		snprintf(why, why_len, "not a regular file");
	else if (n < 0)
		snprintf(why, why_len, "%s", strerror(-n));
	else
		snprintf(why, why_len, "larger than %zu bytes", max);
	free(data);
	return NULL;
}

char *xf_routes_file__beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	char *made = NULL;

	if (name[0] == '/' || !slash)
		return strdup(name);
	if (asprintf(&made, "%.*s/%s", (int)(slash - path), path, name) < 0)
		return NULL;
	return made;
}

static uint8_t *read_token(const char *name, size_t *len, char *why, size_t why_len, void *arg)
{
	char *path = xf_routes_file__beside(arg, name);
	uint8_t *data;

	if (!path) {
		snprintf(why, why_len, "%s", strerror(ENOMEM));
		return NULL;
	}
	data = xf_file_read(path, XF_TOKEN_FILE_MAX, false, len, why, why_len);
	free(path);
	return data;
}

int xf_routes_file__parse(const struct xf_routes_source *source, struct xf_routes **routes)
{
	struct xf_routes_error error = {};
	int err =
	    xf_routes__parse(routes, source->text, source->len, source->read, source->arg, &error);

	if (err == -EINVAL && error.line)
		xf_err("%s:%u:%u: %s", source->path, error.line, error.column, error.text);
	else if (err == -EINVAL)
		xf_err("%s: %s", source->path, error.text);
	else if (err)
		xf_err("cannot keep the rules of %s: %s", source->path, strerror(-err));
	return err;
}

int xf_routes_file__load(const char *path, struct xf_routes **routes)
{
	struct xf_routes_source source = { .path = path, .read = read_token, .arg = (void *)path };
	char why[128];
	uint8_t *text =
	    xf_file_read(path, XF_ROUTES_FILE_MAX, false, &source.len, why, sizeof(why));
	int err;

	if (!text) {
		xf_err("cannot read the routes file %s: %s", path, why);
		xf_hint("--routes FILE names a file with one rule a line, as in "
			"'sni example.org -> 192.0.2.1:443'; see xdpfun-forward(8)");
		return -EINVAL;
	}
	source.text = (const char *)text;
	err = xf_routes_file__parse(&source, routes);
	free(text);
	return err;
}
