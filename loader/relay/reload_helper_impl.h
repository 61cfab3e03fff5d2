/* SPDX-License-Identifier: GPL-2.0-only */
/* What the reload helper and the process that asks it say to each other: reload_helper.c asks,
 * reload_helper_child.c is the reload helper.
 *
 * An answer is the number of bytes of all that follows (uint32_t), then parts: struct xf_part, the
 * file's name as the routes file has it (empty for the routes file itself, which comes first), and
 * its contents or, when it could not be read, why. */
#ifndef XF_RELOAD_HELPER_IMPL_H
#define XF_RELOAD_HELPER_IMPL_H

#include <stdint.h>
#include <sys/types.h>

#include "loader/relay/drop_privileges.h"

#define XF_ANSWER_MAX (16u << 20) /* bytes */

struct xf_part {
	uint32_t ok;
	uint32_t name_len;
	uint32_t len;
};

/* Be the reload helper for the file at @path, with the other end of @fd in process @parent. */
_Noreturn void xf_reload_helper__run(int fd, const char *path, const struct xf_user *user,
				     pid_t parent);

#endif
