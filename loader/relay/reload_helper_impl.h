/* SPDX-License-Identifier: GPL-2.0-only */
/* The protocol between reload_helper.c, which asks, and reload_helper_child.c, the reload helper.
 *
 * An answer is the number of bytes that follow (uint32_t), then parts: struct xf_part, the file's
 * name as in the routes file (empty for the routes file itself, which comes first), and its
 * contents or, if it could not be read, the reason. */
#ifndef XF_RELOAD_HELPER_IMPL_H
#define XF_RELOAD_HELPER_IMPL_H

#include <stdint.h>
#include <sys/types.h>

#include "loader/relay/drop_privileges.h"

#define XF_REPLY_MAX (16u << 20) /* bytes */

struct xf_part {
	uint32_t ok;
	uint32_t name_len;
	uint32_t len;
};

/* Run as the reload helper for the file at @path; process @parent has the other end of @fd. */
_Noreturn void xf_reload_helper__run(int fd, const char *path, const struct xf_user *user,
				     pid_t parent);

#endif
