/* SPDX-License-Identifier: GPL-2.0-only */
/* The access log: lines from all threads, written to standard output or a file by one.
 *
 * A thread that ends a connection only puts a line into memory; the owner's loop writes it. When
 * the output is full or fails, lines are lost and counted: connections never wait. A file is tried
 * again as soon as its file system has room. */
#ifndef XF_ACCESS_LOG_H
#define XF_ACCESS_LOG_H

#include <stdint.h>

#include "loader/relay/access_format.h"

struct xf_access;
struct xf_loop;

/* Open the file @path, which is appended to, or for NULL standard output. @loop is the owner's; its
 * thread alone calls the functions below, but for xf_access__add(). Returns 0 or -errno after a
 * message. */
int xf_access__open(struct xf_access **access, struct xf_loop *loop, xf_access_fn format, bool echo,
		    const char *path);
/* Open the file anew under its path, as SIGHUP asks for. */
void xf_access__reopen(struct xf_access *access);
/* Add the line of a connection that has ended, from any thread. For xf_server_opts.on_end, with the
 * log as its arg. */
void xf_access__add(const struct xf_report *report, void *access);
/* Write the lines that are due, after each turn of the owner's loop. */
void xf_access__tend(struct xf_access *access);
/* Write the remaining lines. Gives up when the output takes nothing for a second. */
void xf_access__finish(struct xf_access *access);
/* The number of lost lines. It is final after xf_access__finish(). */
uint64_t xf_access__lost(struct xf_access *access);
/* Free the log, before its loop. NULL is fine. */
void xf_access__free(struct xf_access *access);

#endif
