/* SPDX-License-Identifier: GPL-2.0-only */
/* One run of log, follow or firewall log, from the first check to the exit status. */
#ifndef XF_RUN_H
#define XF_RUN_H

#include "loader/hook/lock.h"
#include "loader/cmd/log_args.h"
#include "loader/log/session.h"
#include "loader/log/source.h"

struct xf_run {
	const struct xf_log_args *args;
	const char *no_bpffs; /* from xf_bpffs_prepare() */
	struct xf_locks locks;
	struct xf_session *session;
	struct xf_log_echo *echo; /* with --echo */
	/* As start() of the session's options. */
	int (*start)(struct xf_run *run, struct xf_source *src, bool waiting);
	void *arg; /* for the subcommand */
};

/* Check the capabilities for @command, open locks, bpffs, session and echo, and run the session.
 * @opts are complete but for start(), stop() and arg. Returns the exit status. */
int xf_run(struct xf_run *run, const char *command, const struct xf_session_opts *opts);

/* For run->start(): make the rings of a source. Returns 0, or -errno after a message. */
int xf_run__open_rings(struct xf_run *run, struct xf_source *src);
/* For run->start(): become the reader of the program src->at, which runs already. Returns 0; -EBUSY
 * after a message when another process reads it; or another -errno after a message. */
int xf_run__read(struct xf_run *run, struct xf_source *src);

#endif
