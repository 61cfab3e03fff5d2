/* SPDX-License-Identifier: GPL-2.0-only */
/* Turns one record into the bytes of one line. Pure: no I/O, no clock, no allocation. */
#ifndef XF_FORMAT_H
#define XF_FORMAT_H

#include <stdint.h>

#include "xdp-prog/abi.h"

#define XF_OUT_MAX 1536 /* bytes: no line of any format is longer, with its newline */

/* The reason why the firewall dropped the packet; XF_DENIED_NOT for the logger's packets. */
enum xf_denied {
	XF_DENIED_NOT = 0,
	XF_DENIED_BY_RULE,
	XF_DENIED_BY_POLICY,
	XF_DENIED_UNREAD, /* a rule may be about the headers behind those that were read */
};
#define XF_OUT_RULE_MAX 255

/* A record, and the parts of its line that are not in the record. */
struct xf_line {
	const struct xf_record *rec;
	const char *iface; /* the interface's name at that time, at most 15 bytes */
	uint64_t wall_ns;  /* since the epoch, UTC */
	enum xf_denied denied;
	const char *rule; /* the one that denied it, at most XF_OUT_RULE_MAX bytes; NULL when it was
			     removed */
};

/* A cache of the text of the current second. Zero it before the first use, and use it with one
 * format only. */
struct xf_out_cache {
	int64_t second;
	char text[32];
	uint8_t text_len;
};

/* Write at most XF_OUT_MAX bytes to @out and return the end. */
typedef char *(*xf_out_fn)(struct xf_out_cache *cache, const struct xf_line *line, char *out);

/* A line like tcpdump's, in local time. */
char *xf_out_text(struct xf_out_cache *cache, const struct xf_line *line, char *out);
/* The same with the date. */
char *xf_out_dated_text(struct xf_out_cache *cache, const struct xf_line *line, char *out);
/* One JSON object, with RFC 3339 time in UTC and nanoseconds. */
char *xf_out_json(struct xf_out_cache *cache, const struct xf_line *line, char *out);

#define XF_JSON_NAME_MAX (6 * 15)
/* Write the name of an interface as the inside of a JSON string, at most XF_JSON_NAME_MAX bytes, no
 * NUL. Returns the end. */
char *xf_json_name(char *out, const char *iface);

/* Returns a name such as "tcp", or NULL for a protocol that is written as a number. */
const char *xf_proto_name(uint8_t proto);
/* Write tcpdump's letters, such as "S.", or "none" when no flag is set: at most 8 bytes, no NUL.
 * Returns the end. */
char *xf_tcp_flags_text(char *out, uint8_t flags);

#endif
