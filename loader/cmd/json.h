/* SPDX-License-Identifier: GPL-2.0-only */
/* What the subcommands that print JSON share. */
#ifndef XF_JSON_H
#define XF_JSON_H

struct json_object;

/* The name of an interface as a JSON string. */
struct json_object *xf_json_iface(const char *ifname);

/* Print the object as one line and free it. */
void xf_json_print(struct json_object *obj);

#endif
