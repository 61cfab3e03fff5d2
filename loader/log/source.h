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
	XF_SOURCE_ABSENT, /* the interface is not there (ifindex is 0), or has no program to read */
	XF_SOURCE_DUE,	  /* it is there, and is started in one of the next turns */
	XF_SOURCE_LIVE,
	XF_SOURCE_ENDED,   /* its program writes no more records; some lines may be pending */
	XF_SOURCE_REFUSED, /* it could not be started, and is not tried again while it is there */
	XF_SOURCE_OVER,	   /* ended, and not started again */
};

struct xf_ring_watch;

struct xf_source {
	const struct xf_abi_mark *abi; /* of its program's object */
	const char *given_name; /* a name of the interface, by which it is looked for; NULL: with
				   '-i any' */
	char name[IF_NAMESIZE]; /* the kernel's, the last one when it is absent */
	unsigned int ifindex;
	struct xf_attached at;
	bool ours; /* this process attached or adopted the program, and detaches it at the end */
	__u32 moved_prog_id; /* ours on the interface when it moved to another namespace, or 0 */
	enum xf_source_state state;
	bool told_no_program; /* the message that there is no program to read */
	bool comes_back;  /* after XF_SOURCE_ENDED it is XF_SOURCE_ABSENT, else XF_SOURCE_OVER */
	uint64_t gone_ns; /* CLOCK_BOOTTIME: since when it is absent, 0: it never was there */
	struct xf_program program;
	struct xf_reader reader; /* our rings */
	struct xf_reader left;	 /* rings that a dead reader left; n is 0 when there are none */
	struct xf_ring_watch *watches; /* of our rings; the session's */
	struct xf_config *config;      /* shared with the program */
	int alive_fd;
	struct xf_counters base;	/* the program's counters at the beginning */
	struct xf_counters past;	/* of the programs that the source had before */
	uint64_t own_taken, left_taken; /* records of its rings that are closed by now */
	uint64_t unwanted_records;	/* records that were passed because they were not wanted */
	uint64_t unwritable; /* records that were passed because the output took no more */
};

/* Make an absent source, which may be closed. */
void xf_source__init(struct xf_source *src, const struct xf_abi_mark *abi, const char *given_name);
/* Close program and rings. The counts of records stay. */
void xf_source__close(struct xf_source *src);
/* The same for a program that has ended and whose rings are empty: its counters stay, too, in
 * src->past. Returns 0 or -errno. */
int xf_source__leave(struct xf_source *src);

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

/* Sum up the program's counters and @lines, which accounts for the records turned into lines. With
 * @final, for a source that has ended and whose rings are empty, *@exact is whether the kernel has
 * counted the same. Returns 0 or -errno. */
int xf_source__tally(const struct xf_source *src, const struct xf_line_counts *lines, bool final,
		     struct xf_tally *tally, bool *exact);

#endif
