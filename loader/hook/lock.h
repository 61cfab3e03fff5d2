/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks between xdpfun-load processes: byte ranges of one file below /run, which the kernel
 * releases when their holder dies. They belong to the process; no file is left behind for a
 * program or an interface. */
#ifndef XF_LOCK_H
#define XF_LOCK_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

struct xf_locks {
	int fd;
};

/* Open the lock file, which is created if needed. Returns 0, or -errno after a message. */
int xf_locks__open(struct xf_locks *locks);
void xf_locks__close(struct xf_locks *locks);

/* Become the only reader of a program. Returns 0; -EBUSY with *@holder set to the pid of the
 * present reader (0 when that is in another pid namespace); or another -errno after a message. */
int xf_locks__read_program(struct xf_locks *locks, __u32 prog_id, pid_t *holder);
/* Returns the pid of the program's reader if one lives (-1 when its pid cannot be known), else 0.
 */
pid_t xf_locks__reader(struct xf_locks *locks, __u32 prog_id);

/* Be its reader no longer. */
void xf_locks__release_program(struct xf_locks *locks, __u32 prog_id);

/* Between these two calls this process alone attaches and detaches. The first waits up to ten
 * seconds for other processes, then goes on after a warning: libxdp keeps the chain consistent by
 * itself, and this lock only avoids its retries. */
void xf_locks__attach_begin(struct xf_locks *locks);
/* The first one without a wait. Returns false when another process attaches. */
bool xf_locks__attach_try(struct xf_locks *locks);
void xf_locks__attach_end(struct xf_locks *locks);

#endif
