/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files that implement sink.h. */
#ifndef XF_SINK_IMPL_H
#define XF_SINK_IMPL_H

#include <stdbool.h>

#include "lib/sink.h"
#include "lib/stream.h"

struct xf_output {
	int fd; /* -1: closed */
	enum xf_stream kind;
	bool own;      /* to be closed at the end */
	bool pollable; /* epoll takes it */
};

/* Open @path as struct xf_sink_opts says, and set *@created to whether there was no such file. Both
 * return 0, or -errno after a message and with @out as it was. */
int xf_output_open_path(struct xf_output *out, const char *path, bool append, bool force,
			bool *created);

/* @hint: of struct xf_sink_opts. */
int xf_output_open_stdout(struct xf_output *out, const char *hint);

#endif
