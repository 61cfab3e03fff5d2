/* SPDX-License-Identifier: GPL-2.0-only */
/* The routes file and the token files that it names, from disk. */
#ifndef XF_ROUTES_FILE_H
#define XF_ROUTES_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xf_routes;

#define XF_ROUTES_FILE_MAX (1u << 20) /* bytes */
#define XF_TOKEN_FILE_MAX 4096

/* A file's contents, at most @max bytes, malloc'd; or NULL with a text in @why. @regular: refuse
 * what is not a regular file, for which reading could wait. */
uint8_t *xf_file_read(const char *path, size_t max, bool regular, size_t *len, char *why,
		      size_t why_len);

/* The path of a token file that the routes file at @path calls @name: a relative one is looked for
 * beside the routes file. malloc'd, NULL when there is no memory. */
char *xf_routes_file__beside(const char *path, const char *name);

/* Read and parse the file at @path. Returns 0, or -errno after a message, which for a mistake in
 * the file begins with PATH:LINE:COLUMN. */
int xf_routes_file__load(const char *path, struct xf_routes **routes);

/* Where contents come from that are there already. */
struct xf_routes_source {
	const char *path; /* of the routes file, for messages */
	const char *text;
	size_t len;
	uint8_t *(*read)(const char *name, size_t *len, char *why, size_t why_len, void *arg);
	void *arg;
};

/* Parse. As xf_routes_file__load(). */
int xf_routes_file__parse(const struct xf_routes_source *source, struct xf_routes **routes);

#endif
