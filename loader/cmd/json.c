// SPDX-License-Identifier: GPL-2.0-only
/* Shared by the subcommands that print JSON. */
#include "loader/cmd/json.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "lib/escape.h"
#include "loader/format/format.h"

/* Names may hold bytes that JSON does not allow. The log's escaped form is parsed again, so that
 * both print the same. */
struct json_object *xf_json_iface(const char *ifname)
{
	char text[XF_JSON_NAME_MAX + 3] = "\"";
	char *end = xf_json_name(text + 1, ifname);

	strcpy(end, "\"");
	return json_tokener_parse(text);
}

void xf_json_print(struct json_object *obj)
{
	const char *json = json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN |
								   JSON_C_TO_STRING_NOSLASHESCAPE);
	char out[XF_JSON_ESCAPE_MAX];

	while (*json)
		fwrite(out, 1, xf_json_next(out, &json) - out, stdout);
	putchar('\n');
	json_object_put(obj);
}
