/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of a run of echo or forward. */
#ifndef XF_RELAY_ARGS_H
#define XF_RELAY_ARGS_H

#include "lib/time.h"
#include "lib/opt.h"
#include "lib/sockaddr.h"
#include "loader/relay/access_format.h"
#include "sockmap/relay/budget.h"
#include "sockmap/route/endpoint.h"
#include "sockmap/server/server.h"

#define XF_RELAY_TO_MAX 64
#define XF_RELAY_ECHO_LISTEN "127.0.0.1:10000"
#define XF_RELAY_SECONDS_MAX (365ULL * 86400 * XF_NSEC)

struct xf_relay_args {
	struct xf_strs listen_texts;
	struct xf_addr listens[XF_STRS_MAX];
	unsigned int n_listens;
	int passed[XF_STRS_MAX]; /* by the service manager: the last n_passed of listens */
	unsigned int n_passed;
	bool echo; /* the command: echo, or forward */
	/* forward only */
	struct xf_strs to_texts;
	struct xf_endpoint to[XF_RELAY_TO_MAX];
	unsigned int n_to;
	const char *routes;
	bool send_proxy_v2;
	bool check;
	uint64_t first_timeout;
	uint64_t dial_timeout;
	uint64_t resolve; /* ns between look-ups of names */
	uint32_t max_waiting;
	/* both */
	int engine; /* enum xf_engine_id */
	uint64_t idle;
	const char *keepalive_text;
	struct xf_keepalive keepalive;
	uint64_t memory;
	uint32_t max_connections; /* 0: as many as descriptors allow */
	uint32_t threads;
	uint64_t drain;
	const char *user;
	const char *socket_mode_text;
	uint32_t socket_mode; /* of the file of a UNIX socket */
	int format;
	const char *write; /* file of the access log; NULL: standard output */
	uint64_t stats;
	uint32_t busy_poll; /* microseconds */
	uint64_t rotate_bytes;
};

/* Set the defaults. */
void xf_relay_args__init(struct xf_relay_args *args, bool echo);
/* Make the budget of --memory, less the part that no connection reserves. */
void xf_relay_args__budget(const struct xf_relay_args *args, struct xf_budget *budget);

#endif
