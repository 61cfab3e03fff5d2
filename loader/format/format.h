/* SPDX-License-Identifier: GPL-2.0-only */
/* One record to the bytes of one line. Pure: no I/O, no clock, no allocation. */
#ifndef XF_OUT_H
#define XF_OUT_H

#include <stdint.h>

#include "xdp-prog/abi.h"

#define XF_OUT_MAX 1024 /* bytes: no line of any format is longer, with its newline */

/* What dropped the packet; nothing for the logger's. */
enum xf_denied {
	XF_DENIED_NOT = 0,
	XF_DENIED_BY_RULE,
	XF_DENIED_BY_POLICY,
	XF_DENIED_UNREAD, /* a rule could be about what is behind the headers that were read */
};
#define XF_OUT_RULE_MAX 255

/* What a line needs beside the record. Names are those of the interface at that time, at most 15
 * bytes. */
struct xf_line {
	const struct xf_record *rec;
	const char *iface;
	uint64_t wall_ns; /* since the epoch, UTC */
	enum xf_denied denied;
	const char *rule; /* that denied it, at most XF_OUT_RULE_MAX bytes; NULL when it is gone */
};

/* State that only saves work between lines (the text of the current second). Zero it before first
 * use. */
struct xf_out_cache {
	int64_t second;
	char text[32];
	uint8_t text_len;
};

/* Writes at most XF_OUT_MAX bytes to @out and returns the end. */
typedef char *(*xf_out_fn)(struct xf_out_cache *cache, const struct xf_line *line, char *out);

/* Local time, in the spirit of tcpdump. */
char *xf_out_text(struct xf_out_cache *cache, const struct xf_line *line, char *out);
/* One JSON object; RFC 3339 time in UTC with nanoseconds. */
char *xf_out_json(struct xf_out_cache *cache, const struct xf_line *line, char *out);

/* The name of an interface as the inside of a JSON string, at most XF_JSON_NAME_MAX bytes, no NUL.
 * Returns the end. */
#define XF_JSON_NAME_MAX (6 * 15)
char *xf_json_name(char *out, const char *iface);

/* "tcp", or NULL when the protocol has no name here (it is then written as a number). */
const char *xf_proto_name(uint8_t proto);
/* tcpdump's letters, "S.", "none" when no flag is set. Writes at most 8 bytes, no NUL, returns the
 * end. */
char *xf_tcp_flags_text(char *out, uint8_t flags);

#endif
