// SPDX-License-Identifier: GPL-2.0-only
/* Compare two records and say in which fields they differ. */
#include <stdio.h>
#include <string.h>

#include "tests/prog/harness.h"

/* clang-format off */
#define FIELD(name) \
	{ #name, offsetof(struct xf_record, name), sizeof(((struct xf_record *)0)->name) }
/* clang-format on */

static const struct {
	const char *name;
	size_t offset;
	size_t size;
} fields[] = {
	FIELD(len),	 FIELD(rx_queue), FIELD(have),	  FIELD(frag_id), FIELD(frag_off),
	FIELD(eth_type), FIELD(vlan),	  FIELD(vlans),	  FIELD(proto),	  FIELD(tcp_flags),
	FIELD(reserved), FIELD(sport), /* or what shares its place */
	FIELD(dport),	 FIELD(eth_dst),  FIELD(eth_src), FIELD(src),	  FIELD(dst),
};

static size_t print_bytes(char *to, size_t room, const void *from, size_t n)
{
	const uint8_t *bytes = from;
	size_t used = 0;

	for (size_t i = 0; i < n && used < room; i++)
		used += snprintf(to + used, room - used, "%02x", bytes[i]);
	return used < room ? used : room;
}

bool xf_record_equal(const struct xf_record *want, const struct xf_record *got, char *why,
		     size_t size)
{
	size_t used = 0;

	why[0] = '\0';
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *a = (const char *)want + fields[i].offset;
		const char *b = (const char *)got + fields[i].offset;

		if (!memcmp(a, b, fields[i].size) || size - used < 64)
			continue;
		used +=
		    snprintf(why + used, size - used, "%s%s is ", used ? ", " : "", fields[i].name);
		used += print_bytes(why + used, size - used, b, fields[i].size);
		if (size - used > 16)
			used += snprintf(why + used, size - used, ", not ");
		used += print_bytes(why + used, size - used, a, fields[i].size);
	}
	return used == 0;
}

void xf_print_packet(const uint8_t *bytes, size_t len)
{
	fprintf(stderr, "  packet of %zu bytes: ", len);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, "%02x", bytes[i]);
	fprintf(stderr, "\n");
}
