/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the subcommands that print JSON. */
#ifndef XF_JSON_H
#define XF_JSON_H

struct json_object;

/* The name of an interface as a JSON string. */
struct json_object *xf_json_iface(const char *ifname);

/* Print the object as one line and free it. */
void xf_json_print(struct json_object *obj);

#endif
