// SPDX-License-Identifier: GPL-2.0-only
/* Locks between xdpfun-load processes: bytes of one file. */
#include "loader/hook/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/msg.h"

#define LOCK_DIR "/run/xdpfun"
#define LOCK_FILE LOCK_DIR "/lock"
#define ATTACH_BYTE (1LL << 33) /* behind all program ids */
#define ATTACH_WAIT_MS 10000
#define ATTACH_STEP_MS 20

int xf_locks__open(struct xf_locks *locks)
{
	if (mkdir(LOCK_DIR, 0755) && errno != EEXIST)
		goto fail;
	locks->fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (locks->fd >= 0)
		return 0;
fail:
	xf_err("cannot open the lock file %s: %s", LOCK_FILE, strerror(errno));
	xf_hint("it keeps two readers off one program; /run/xdpfun must be writable for this "
		"process (as root, or with CAP_DAC_OVERRIDE)");
	return -errno;
}

void xf_locks__close(struct xf_locks *locks)
{
	if (locks->fd >= 0)
		close(locks->fd);
	locks->fd = -1;
}

static int lock_byte(int fd, int cmd, short type, off_t byte, pid_t *holder)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	if (fcntl(fd, cmd, &lock))
		return errno == EACCES ? -EAGAIN : -errno;
	if (holder)
		*holder = lock.l_type == F_UNLCK ? 0 : lock.l_pid ? lock.l_pid : -1;
	return 0;
}

int xf_locks__read_program(struct xf_locks *locks, __u32 prog_id, pid_t *holder)
{
	int err = lock_byte(locks->fd, F_SETLK, F_WRLCK, prog_id, NULL);

	if (err == -EAGAIN) {
		pid_t pid = xf_locks__reader(locks, prog_id);

		*holder = pid > 0 ? pid : 0;
		return -EBUSY;
	}
	if (err)
		xf_err("cannot lock %s for program %u: %s", LOCK_FILE, prog_id, strerror(-err));
	return err;
}

pid_t xf_locks__reader(struct xf_locks *locks, __u32 prog_id)
{
	pid_t holder = 0;

	lock_byte(locks->fd, F_GETLK, F_WRLCK, prog_id, &holder);
	return holder;
}

void xf_locks__release_program(struct xf_locks *locks, __u32 prog_id)
{
	lock_byte(locks->fd, F_SETLK, F_UNLCK, prog_id, NULL);
}

bool xf_locks__attach_try(struct xf_locks *locks)
{
	return lock_byte(locks->fd, F_SETLK, F_WRLCK, ATTACH_BYTE, NULL) != -EAGAIN;
}

void xf_locks__attach_begin(struct xf_locks *locks)
{
	const struct timespec step = { .tv_nsec = ATTACH_STEP_MS * 1000000L };

	for (int waited = 0; waited < ATTACH_WAIT_MS; waited += ATTACH_STEP_MS) {
		if (xf_locks__attach_try(locks))
			return;
		nanosleep(&step, NULL);
	}
	xf_warn("another xdpfun-load has been attaching for %d seconds; going on beside it",
		ATTACH_WAIT_MS / 1000);
}

void xf_locks__attach_end(struct xf_locks *locks)
{
	lock_byte(locks->fd, F_SETLK, F_UNLCK, ATTACH_BYTE, NULL);
}
