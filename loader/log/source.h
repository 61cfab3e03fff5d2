/* SPDX-License-Identifier: GPL-2.0-only */
/* One interface of a session: the program on it, our rings, and the account of its packets. */
#ifndef XF_SOURCE_H
#define XF_SOURCE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "loader/hook/attach.h"
#include "loader/hook/program.h"
#include "loader/hook/lock.h"
#include "loader/log/reader.h"
#include "loader/log/tally.h"

enum xf_source_state {
	XF_SOURCE_LIVE,
	XF_SOURCE_ENDED,    /* its program writes no more records; some lines may be pending */
	XF_SOURCE_REPORTED, /* its line of counters has been printed */
};

struct xf_source {
	const struct xf_abi_mark *abi; /* of its program's object */
	char name[IF_NAMESIZE];
	unsigned int ifindex;
	struct xf_attached at;
	bool ours; /* this process attached or adopted the program, and detaches it at the end */
	enum xf_source_state state;
	struct xf_program program;
	struct xf_reader reader;  /* our rings */
	struct xf_reader left;	  /* rings that a dead reader left; n is 0 when there are none */
	struct xf_config *config; /* shared with the program */
	int alive_fd;
	struct xf_counters base; /* the program's counters at the beginning */
	uint64_t unprinted;	 /* records that were passed because they were not wanted */
	uint64_t unwritable;	 /* records that were passed because the output took no more */
};

/* Make an empty source, which may be closed. */
void xf_source__init(struct xf_source *src, const struct xf_abi_mark *abi, const char *name,
		     unsigned int ifindex);
void xf_source__close(struct xf_source *src);

/* Begin with the program at.prog_id, which was just attached with our rings and configuration, and
 * whose lock we hold. Returns 0, or -errno after a message. */
int xf_source__begin(struct xf_source *src);
/* Begin with the program at.prog_id, which runs already, and whose lock we hold: replace the rings
 * and the configuration that a dead reader may have left. The old rings go to src->left. Returns 0,
 * or -errno after a message. */
int xf_source__take_over(struct xf_source *src, const struct xf_config *config);

/* Whether the program still is on the interface. */
bool xf_source__is_attached(const struct xf_source *src);
/* End the program's writing: with @detach by detaching it, else by emptying its slots. No instance
 * of it uses our rings after this returns. Returns 0, or -errno after a message when it could not
 * be detached (its slots are empty then). */
int xf_source__end(struct xf_source *src, bool detach);

/* Whether its rings are empty. */
bool xf_source__is_drained(const struct xf_source *src);

/* Sum up the program's counters and @lines, which accounts for the records turned into lines.
 * Returns 0 or -errno. */
int xf_source__tally(const struct xf_source *src, const struct xf_taken *lines,
		     struct xf_tally *tally);

#endif
