/* SPDX-License-Identifier: GPL-2.0-only */
/* The routes file and the token files that it names, read from disk. */
#ifndef XF_ROUTES_FILE_H
#define XF_ROUTES_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xf_routes;

#define XF_ROUTES_FILE_MAX (1u << 20) /* bytes */
#define XF_TOKEN_FILE_MAX 4096

/* Read a file of at most @max bytes. Returns its contents, malloc'd, or NULL with a text in @why.
 * @regular: refuse anything but a regular file, since reading could block. */
uint8_t *xf_file_read(const char *path, size_t max, bool regular, size_t *len, char *why,
		      size_t why_len);

/* The path of the token file that the routes file at @path calls @name: a relative name starts from
 * the folder of the routes file. Returns it malloc'd, or NULL without memory. */
char *xf_routes_file__beside(const char *path, const char *name);

/* Read and parse the file at @path. Returns 0, or -errno after a message, which for a mistake in
 * the file begins with PATH:LINE:COLUMN. */
int xf_routes_file__load(const char *path, struct xf_routes **routes);

/* The contents of a routes file, and a function for those of its token files. */
struct xf_routes_source {
	const char *path; /* of the routes file, for messages */
	const char *text;
	size_t len;
	uint8_t *(*read)(const char *name, size_t *len, char *why, size_t why_len, void *arg);
	void *arg;
};

/* Parse the contents. Returns as xf_routes_file__load(). */
int xf_routes_file__parse(const struct xf_routes_source *source, struct xf_routes **routes);

#endif
