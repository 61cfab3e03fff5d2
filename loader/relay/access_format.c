// SPDX-License-Identifier: GPL-2.0-only
/* The lines of the access log, and the text of the counters. */
#include "loader/relay/access_format.h"

#include <stdio.h>
#include <time.h>

#include "lib/strbuf.h"
#include "lib/time.h"
#include "loader/format/common.h"
#include "sockmap/route/first_packet.h"

#define ROUTE_MAX 270 /* bytes of a rule's text; a line is never longer than XF_OUT_MAX */
#define ERROR_MAX 64
#define ALPN_MAX 100

static char *put_string(char *out, const char *s, size_t max)
{
	size_t len = strnlen(s, max);

	memcpy(out, s, len);
	return out + len;
}

static char *put_addr(char *out, const struct xf_addr *addr)
{
	char text[XF_SOCKADDR_TEXT];

	return put_string(out, xf_sockaddr_text(addr, text), sizeof(text));
}

/* The text of a rule is quoted in both formats: a token's path may hold any byte. */
static char *put_route(char *out, const char *route)
{
	return xf_json_escape(out, ROUTE_MAX, route, strlen(route));
}

static char *put_seconds(char *out, uint64_t ns, unsigned int decimals)
{
	uint64_t part = ns % XF_NSEC;

	for (unsigned int i = decimals; i < 9; i++)
		part /= 10;
	out = xf_u64_text(out, ns / XF_NSEC);
	*out++ = '.';
	return xf_padded_text(out, part, decimals);
}

static bool via_proxy(const struct xf_report *report)
{
	return report->peer.len && !xf_sockaddr_equal(&report->client, &report->peer);
}

/* ---- text ---- */

static char *put_local_time(char *out, const struct timespec *when)
{
	out = xf_local_time_text(out, when->tv_sec, true);
	*out++ = '.';
	return xf_padded_text(out, when->tv_nsec / 1000, 6);
}

static char *put_text_way(char *out, const struct xf_access_line *line)
{
	const struct xf_report *report = line->report;

	if (report->upstream.len) {
		out = put(out, " upstream ");
		out = put_addr(out, &report->upstream);
	}
	if (report->sni[0]) {
		out = put(out, " sni ");
		out = put_string(out, report->sni, XF_NAME_MAX);
	}
	if (report->host[0]) {
		out = put(out, " host ");
		out = put_string(out, report->host, XF_NAME_MAX);
	}
	if (report->alpn[0]) {
		out = put(out, " alpn ");
		out = put_string(out, report->alpn, ALPN_MAX);
	}
	if (report->route_line) {
		out = put(out, " route \"");
		out = put_route(out, report->route);
		*out++ = '"';
	}
	if (line->engine) {
		out = put(out, " engine ");
		out = put_string(out, line->engine, 16);
	}
	if (report->moves)
		out = put_number(out, " moves ", report->moves);
	return out;
}

static char *put_text_bytes(char *out, const struct xf_access_line *line)
{
	if (line->echo)
		return put_number(out, " echoed ", line->report->to_upstream);
	out = put_number(out, " out ", line->report->to_upstream);
	return put_number(out, " in ", line->report->to_client);
}

char *xf_access_text(const struct xf_access_line *line, char *out)
{
	const struct xf_report *report = line->report;

	out = put_local_time(out, &report->started);
	*out++ = ' ';
	out = put_addr(out, &report->client);
	if (via_proxy(report)) {
		out = put(out, " via ");
		out = put_addr(out, &report->peer);
	}
	out = put(out, " > ");
	out = put_addr(out, &report->local);
	out = put_text_way(out, line);
	out = put_text_bytes(out, line);
	*out++ = ' ';
	out = put_seconds(out, report->duration, 3);
	out = put(out, "s ");
	out = put_string(out, line->end, ERROR_MAX);
	if (report->error) {
		out = put(out, ": ");
		out = put_string(out, strerror(report->error), ERROR_MAX);
	}
	*out++ = '\n';
	return out;
}

/* ---- JSON ---- */

static char *put_utc_time(char *out, const struct timespec *when)
{
	out = xf_utc_time_text(out, when->tv_sec);
	*out++ = '.';
	out = xf_padded_text(out, when->tv_nsec, 9);
	return put(out, "Z");
}

static char *put_json_addr(char *out, const char *key, const struct xf_addr *addr)
{
	if (!addr->len)
		return out;
	out = put_string(out, key, 16);
	out = put_addr(out, addr);
	*out++ = '"';
	return out;
}

/* Names have no byte that JSON escapes. */
static char *put_json_name(char *out, const char *key, const char *name, size_t max)
{
	if (!name[0])
		return out;
	out = put_string(out, key, 16);
	out = put_string(out, name, max);
	*out++ = '"';
	return out;
}

static char *put_json_way(char *out, const struct xf_access_line *line)
{
	const struct xf_report *report = line->report;

	out = put_json_addr(out, ",\"upstream\":\"", &report->upstream);
	out = put_json_name(out, ",\"sni\":\"", report->sni, XF_NAME_MAX);
	out = put_json_name(out, ",\"host\":\"", report->host, XF_NAME_MAX);
	out = put_json_name(out, ",\"alpn\":\"", report->alpn, ALPN_MAX);
	if (report->route_line) {
		out = put(out, ",\"route\":\"");
		out = put_route(out, report->route);
		out = put_number(out, "\",\"route_line\":", report->route_line);
	}
	if (line->engine) {
		out = put(out, ",\"engine\":\"");
		out = put_string(out, line->engine, 16);
		out = put_number(out, "\",\"moves\":", report->moves);
	}
	return out;
}

static char *put_json_bytes(char *out, const struct xf_access_line *line)
{
	const struct xf_report *report = line->report;

	if (!line->echo)
		out = put_number(out, ",\"bytes_to_upstream\":", report->to_upstream);
	return put_number(
	    out, ",\"bytes_to_client\":", line->echo ? report->to_upstream : report->to_client);
}

char *xf_access_json(const struct xf_access_line *line, char *out)
{
	const struct xf_report *report = line->report;

	out = put(out, "{\"time\":\"");
	out = put_utc_time(out, &report->started);
	*out++ = '"';
	out = put_json_addr(out, ",\"client\":\"", &report->client);
	if (via_proxy(report))
		out = put_json_addr(out, ",\"peer\":\"", &report->peer);
	out = put_json_addr(out, ",\"listen\":\"", &report->local);
	out = put_json_way(out, line);
	out = put_json_bytes(out, line);
	out = put(out, ",\"duration\":");
	out = put_seconds(out, report->duration, 9);
	out = put(out, ",\"end\":\"");
	out = put_string(out, line->end, ERROR_MAX);
	*out++ = '"';
	if (report->error) {
		out = put(out, ",\"error\":\"");
		out = put_string(out, strerror(report->error), ERROR_MAX);
		*out++ = '"';
	}
	return put(out, "}\n");
}

/* ---- totals ---- */

void xf_access_totals_add(struct xf_access_totals *totals,
			  const struct xf_server_counters *counters)
{
	struct xf_server_counters *sum = &totals->counters;

	sum->active += counters->active;
	sum->waiting += counters->waiting;
	sum->accepted += counters->accepted;
	sum->refused_max += counters->refused_max;
	sum->refused_fds += counters->refused_fds;
	sum->refused_memory += counters->refused_memory;
	for (int i = 0; i < XF_OUTCOMES; i++)
		sum->outcomes[i] += counters->outcomes[i];
	sum->to_upstream += counters->to_upstream;
	sum->to_client += counters->to_client;
	for (int i = 0; i < XF_ENGINES; i++)
		sum->engines[i] += counters->engines[i];
	sum->moves += counters->moves;
}

static void add_some(struct xf_strbuf *text, const char *name, uint64_t n)
{
	if (n)
		xf_strbuf__add(text, ", %s %llu", name, (unsigned long long)n);
}

char *xf_access_totals_text(const struct xf_access_totals *totals, const char *const *outcomes,
			    char *out, size_t size)
{
	const struct xf_server_counters *counters = &totals->counters;
	struct xf_strbuf text = { .at = out, .size = size };

	if (totals->now)
		xf_strbuf__add(&text, "active %llu, waiting for a first packet %llu, ",
			       (unsigned long long)counters->active,
			       (unsigned long long)counters->waiting);
	xf_strbuf__add(&text, "accepted %llu", (unsigned long long)counters->accepted);
	for (int i = 0; i < XF_OUTCOMES; i++)
		add_some(&text, outcomes[i], counters->outcomes[i]);
	add_some(&text, "refused by --max-connections", counters->refused_max);
	add_some(&text, "refused without descriptors", counters->refused_fds);
	add_some(&text, "refused without memory", counters->refused_memory);
	if (totals->echo)
		xf_strbuf__add(&text, ", bytes echoed %llu",
			       (unsigned long long)counters->to_upstream);
	else
		xf_strbuf__add(&text, ", bytes to upstreams %llu, to clients %llu",
			       (unsigned long long)counters->to_upstream,
			       (unsigned long long)counters->to_client);
	xf_strbuf__add(&text, ", engine moves %llu", (unsigned long long)counters->moves);
	if (totals->log)
		xf_strbuf__add(&text, ", lost log lines %llu",
			       (unsigned long long)totals->lost_lines);
	return out;
}
