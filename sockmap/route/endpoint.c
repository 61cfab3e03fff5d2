// SPDX-License-Identifier: GPL-2.0-only
/* The ends of a relay as text. */
#include "sockmap/route/endpoint.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/num.h"
#include "sockmap/route/first_impl.h"

#define PREFIX "unix:"
#define EXPECT_UNIX                                                                                \
	"unix:/PATH or unix:@NAME of at most 107 visible characters, without quotes, commas and "  \
	"backslashes"

/* Every path and name that was ever parsed, so that an address can point to one, and equal paths
 * are equal pointers. They come from the command line and the routes files, and are never freed. */
static void *paths;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static const char *intern(const char *path)
{
	char **found, *copy = NULL;

	pthread_mutex_lock(&lock);
	found = tfind(path, &paths, compare);
	if (!found) {
		copy = strdup(path);
		found = copy ? tsearch(copy, &paths, compare) : NULL;
	}
	pthread_mutex_unlock(&lock);
	return found ? *found : NULL;
}

static bool is_unix(const char *s)
{
	return !strncmp(s, PREFIX, strlen(PREFIX));
}

static bool is_plain(char c)
{
	return c > ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\' && c != ',';
}

int xf_unix_named(const char *path, struct xf_addr *addr)
{
	if (!path)
		return -ENOMEM;
	memset(addr, 0, sizeof(*addr));
	addr->un.family = AF_UNIX;
	addr->un.path = path;
	addr->len = sizeof(addr->un);
	return 0;
}

static int parse_unix(const char *s, struct xf_addr *addr, const char **why)
{
	const char *path = s + strlen(PREFIX);
	bool fits = strlen(path) > 1 && strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path);

	for (size_t i = 0; fits && path[i]; i++)
		fits = is_plain(path[i]);
	if (!fits || (path[0] != '/' && path[0] != '@')) {
		if (why)
			*why = EXPECT_UNIX;
		return -EINVAL;
	}
	return xf_unix_named(intern(path), addr);
}

const struct sockaddr *xf_endpoint_for_kernel(const struct xf_addr *addr, struct sockaddr_un *un,
					      socklen_t *len)
{
	size_t n;

	*len = addr->len;
	if (!addr->len || addr->sa.sa_family != AF_UNIX)
		return &addr->sa;
	n = strlen(addr->un.path);
	*un = (struct sockaddr_un) { .sun_family = AF_UNIX };
	memcpy(un->sun_path, addr->un.path, n);
	/* The name of an abstract socket begins with NUL, and its length counts. */
	if (un->sun_path[0] == '@')
		un->sun_path[0] = '\0';
	else
		n++;
	*len = offsetof(struct sockaddr_un, sun_path) + n;
	return (struct sockaddr *)un;
}

/* "db.example:5432". The last label of a name is no number, so that a mistyped address is none. */
static bool parse_name(const char *s, struct xf_endpoint *upstream)
{
	const char *colon = strchr(s, ':'), *label;
	char name[XF_NAME_MAX + 1];
	uint64_t port;

	if (!colon || xf_num_parse(colon + 1, 1, UINT16_MAX, &port) ||
	    !xf_first_name((const uint8_t *)s, colon - s, name))
		return false;
	label = strrchr(name, '.') ? strrchr(name, '.') + 1 : name;
	if (label[strspn(label, "0123456789")] == '\0')
		return false;
	*upstream = (struct xf_endpoint) { .host = intern(name), .port = port };
	return upstream->host;
}

int xf_endpoint_parse_upstream(const char *s, struct xf_endpoint *upstream, const char **why)
{
	struct xf_addr addr;
	int err = is_unix(s) ? parse_unix(s, &addr, why) : xf_sockaddr_parse(s, 1, &addr, why);

	if (!err)
		*upstream = (struct xf_endpoint) { .addr = addr };
	else if (!is_unix(s) && parse_name(s, upstream))
		err = 0;
	return err;
}

int xf_endpoint_parse_listen(const char *s, struct xf_addr *addr, const char **why)
{
	uint64_t port;
	int fd;

	if (is_unix(s))
		return parse_unix(s, addr, why);
	if (*s != ':' || strchr(s + 1, ':'))
		return xf_sockaddr_parse(s, 0, addr, why);
	if (xf_num_parse(s + 1, 0, UINT16_MAX, &port)) {
		if (why)
			*why = "a port from 0 to 65535";
		return -EINVAL;
	}
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*addr = (struct xf_addr) { .len = 0 };
	addr->sa.sa_family = fd < 0 ? AF_INET : AF_INET6;
	addr->len = fd < 0 ? sizeof(addr->in) : sizeof(addr->in6);
	addr->in.sin_port = htons(port); /* at the same place for both families */
	if (fd >= 0)
		close(fd);
	return 0;
}
