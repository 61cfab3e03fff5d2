/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of XDP actions, as text and as a bit set. Pure. */
#ifndef XF_ACTIONS_H
#define XF_ACTIONS_H

#include <stddef.h>

#define XF_ACTIONS 5 /* XDP_ABORTED to XDP_REDIRECT */

/* Names such as "XDP_PASS", by enum xdp_action. */
extern const char *const xf_action_names[XF_ACTIONS];

/* Parse "XDP_PASS,XDP_TX" (or without XDP_, in any case) into a bit set. Returns 0, or -EINVAL
 * after a message: an unknown or empty name, or no XDP_PASS among them. */
int xf_actions_parse(const char *text, unsigned int *actions);
/* Write the bit set as "XDP_PASS,XDP_TX". Returns @out. */
char *xf_actions_text(char *out, size_t size, unsigned int actions);

#endif
