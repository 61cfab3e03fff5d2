/* SPDX-License-Identifier: GPL-2.0-only */
/* log --echo: the echo server inside a session, in its thread and with its privileges. */
#ifndef XF_LOG_ECHO_H
#define XF_LOG_ECHO_H

struct xf_addr;
struct xf_log_echo;
struct xf_session;

/* Listen on @listen and accept as soon as the session runs. @others is the number of descriptors
 * that the rest of the process needs. Returns 0, or -errno after a message. */
int xf_log_echo__start(struct xf_log_echo **echo, const struct xf_addr *listen,
		       struct xf_session *session, unsigned int others);
/* End all connections and print the counters, after xf_session__run() and before the session is
 * freed. NULL is allowed. */
void xf_log_echo__end(struct xf_log_echo *echo);

#endif
