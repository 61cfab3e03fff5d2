/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks between xdpfun-load processes: byte ranges of one file below /run, which the kernel
 * releases when their holder dies. They belong to the process; nothing is left behind for each
 * program or interface. */
#ifndef XF_LOCK_H
#define XF_LOCK_H

#include <linux/types.h>
#include <sys/types.h>

struct xf_locks {
	int fd;
};

/* Returns 0, or -errno after a message. */
int xf_locks__open(struct xf_locks *locks);
void xf_locks__close(struct xf_locks *locks);

/* Become the one reader of a program. Returns 0, -EBUSY with *@holder set to the pid of the one
 * that is (0 when it is in another pid namespace), or another -errno after a message. */
int xf_locks__read_program(struct xf_locks *locks, __u32 prog_id, pid_t *holder);
/* The pid of the program's reader if one lives (-1 when its pid cannot be known), else 0. */
pid_t xf_locks__reader(struct xf_locks *locks, __u32 prog_id);

/* Only one loader at a time changes what is attached anywhere. Waits up to ten seconds for the
 * others, then goes on after a warning: libxdp keeps the chain sane by itself, this lock only
 * spares users its retries. */
void xf_locks__attach_begin(struct xf_locks *locks);
void xf_locks__attach_end(struct xf_locks *locks);

#endif
