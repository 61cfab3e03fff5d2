/* SPDX-License-Identifier: GPL-2.0-only */
/* One run of log, follow or firewall log, from the first check to the exit status. */
#ifndef XF_RUN_H
#define XF_RUN_H

#include "loader/hook/lock.h"
#include "loader/hook/netdev.h"
#include "loader/cmd/log_args.h"
#include "loader/log/session.h"
#include "loader/log/source.h"

struct xf_run {
	const struct xf_log_args *args;
	const char *no_bpffs; /* from xf_bpffs_prepare() */
	struct xf_locks locks;
	struct xf_session *session;
	struct xf_log_echo *echo; /* with --echo */
	struct xf_netdev netdevs[XF_STRS_MAX];
	struct xf_source sources[XF_STRS_MAX];
	unsigned int n; /* of sources; a failed start may have left the last one unfinished */
	void *arg;	/* for the subcommand */
};

/* Check the capabilities for @command, open locks, bpffs, session and echo, call @start for each
 * interface, and run the session. @start adds a source to the run and to its session; it returns 0,
 * or -errno after a message. When one start fails, the earlier sources are ended. Returns the exit
 * status. */
int xf_run(struct xf_run *run, const char *command, const struct xf_session_opts *opts,
	   int (*start)(struct xf_run *run, const struct xf_netdev *netdev));

/* For @start: make a source on this interface, for a program of the object @abi. */
struct xf_source *xf_run__source(struct xf_run *run, const struct xf_abi_mark *abi,
				 const struct xf_netdev *netdev);
/* For @start: become the reader of the program src->at, which runs already, and add the source to
 * the session. Returns 0; -EBUSY after a message when another process reads it; or another -errno
 * after a message. */
int xf_run__read(struct xf_run *run, struct xf_source *src);

#endif
