/* SPDX-License-Identifier: GPL-2.0-only */
/* Options that log, follow and firewall log share. */
#ifndef XF_LOG_ARGS_H
#define XF_LOG_ARGS_H

#include "lib/time.h"
#include "loader/cmd/cmd.h"
#include "lib/opt.h"
#include "lib/sockaddr.h"
#include "loader/log/session.h"

struct xf_log_args {
	struct xf_strs interfaces;
	bool any;  /* '-i any': all interfaces, and none is named */
	bool wait; /* log and follow only */
	/* log only */
	int mode; /* enum xf_mode */
	uint32_t prio;
	const char *actions;
	unsigned int action_set; /* actions as a bit set */
	const char *object;
	bool require_chain;
	bool echo; /* --echo is given */
	const char *echo_text;
	struct xf_addr echo_listen;
	/* follow only */
	uint32_t id;
	/* firewall log only */
	const char *set; /* not NULL: the default are all its interfaces, not eth0 */
	/* all */
	int format;
	bool date;
	const char *write;
	bool append;
	bool force;
	uint64_t count;
	uint64_t duration_ns;
	uint32_t sample;
	uint32_t rate;
	uint64_t buffer;
	uint64_t stats_ns;
	struct xf_common_args common;
	bool version;
};

/* The option of log and follow about interfaces that are not there, those about output, and those
 * at the end of each table, over struct xf_log_args. */
extern const struct xf_opt xf_wait_options[], xf_output_options[], xf_log_options[];

#define XF_SECONDS_MAX (10ULL * 365 * 24 * 3600 * XF_NSEC)

extern const char *const xf_format_names[];

/* Parse, handle --help (which prints @usage first) and --version, check what the table cannot, set
 * the message level. Returns -1 to go on, else the exit status. */
int xf_log_args__parse(struct xf_log_args *args, const struct xf_opt *opts, const char *usage,
		       int argc, char **argv);

/* The arguments as options of the session and as configuration of the program. */
struct xf_session_opts xf_log_args__session(const struct xf_log_args *args);
struct xf_config xf_log_args__config(const struct xf_log_args *args, uint32_t wake_mask);

#endif
