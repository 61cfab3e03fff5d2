/* SPDX-License-Identifier: GPL-2.0-only */
/* The rings that a reader leaves in its program's slots when it dies. */
#ifndef XF_LEFTOVER_H
#define XF_LEFTOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "loader/hook/lock.h"
#include "loader/hook/program.h"

struct xf_leftover {
	uint64_t records; /* without a reader */
	uint64_t bytes;	  /* of kernel memory */
};

/* Count what is in the rings of a program whose reader is dead: no process holds its lock, and the
 * kernel has removed the reader's entry of XF_ALIVE_MAP, which also tells of readers that do not
 * share our lock file. With @release empty the slots, so that the kernel frees the rings. All zero
 * when there is none. Returns 0 or -errno. */
int xf_leftover_look(struct xf_locks *locks, const struct xf_program *program, bool release,
		     struct xf_leftover *left);

#endif
