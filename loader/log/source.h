/* SPDX-License-Identifier: GPL-2.0-only */
/* One interface of a session: the program on it, our rings in it, and what became of its packets.
 */
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
	XF_SOURCE_ENDED,    /* its program writes no more; lines may still wait for the output */
	XF_SOURCE_REPORTED, /* its line of counters has been printed */
};

struct xf_source {
	const struct xf_abi_mark *abi; /* of the object that its program is from */
	char name[IF_NAMESIZE];
	unsigned int ifindex;
	struct xf_attached at;
	bool ours; /* we attached or adopted the program, and detach it at the end */
	enum xf_source_state state;
	struct xf_program program;
	struct xf_reader reader;  /* our rings */
	struct xf_reader left;	  /* rings that a dead reader left; n is 0 without */
	struct xf_config *config; /* shared with the program */
	int alive_fd;
	struct xf_counters base; /* the program's counters when we began */
	uint64_t unprinted;	 /* records taken from the rings that nobody wanted to see */
	uint64_t unwritable;	 /* and those that somebody did, but there was no output any more */
};

/* An empty source, safe to close. */
void xf_source__init(struct xf_source *src, const struct xf_abi_mark *abi, const char *name,
		     unsigned int ifindex);
void xf_source__close(struct xf_source *src);

/* The program at.prog_id was just attached with our rings and configuration in it, locked by us.
 * Returns 0, or -errno after a message. */
int xf_source__begin(struct xf_source *src);
/* The program at.prog_id runs already, and we have its lock: put our rings and @config into it, in
 * place of those that another reader, now dead, may have left. What is still in those goes to
 * src->left. Returns 0, or -errno after a message. */
int xf_source__take_over(struct xf_source *src, const struct xf_config *config);

/* Whether the program still is on the interface. */
bool xf_source__is_attached(const struct xf_source *src);
/* The program is to write no more: @detach takes it off the interface, else it gets its slots
 * emptied. When this returns no instance of it is running with our rings. Returns 0, or -errno
 * after a message when it could not be detached (its slots are empty then). */
int xf_source__end(struct xf_source *src, bool detach);

/* Whether there is nothing left to read in its rings. */
bool xf_source__is_drained(const struct xf_source *src);

/* Sum up, with what became of the lines of the records taken. Returns 0 or -errno. */
int xf_source__tally(const struct xf_source *src, const struct xf_taken *lines,
		     struct xf_tally *tally);

#endif
