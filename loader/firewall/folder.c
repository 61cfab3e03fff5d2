// SPDX-License-Identifier: GPL-2.0-only
/* The folder in bpffs in which all rule sets are. */
#include "loader/firewall/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "loader/hook/hints.h"
#include "lib/msg.h"
#include "loader/hook/bpffs.h"

int xf_fw_folder_path(char path[XF_FW_PATH_MAX])
{
	const char *bpffs = xf_bpffs_dir();

	if (!bpffs || strlen(bpffs) > XF_FW_PATH_MAX / 2) {
		xf_err("there is no bpffs in which a rule set could be kept");
		xf_hint_mount_bpffs();
		return -ENODEV;
	}
	snprintf(path, XF_FW_PATH_MAX, "%s/xdpfun/firewall", bpffs);
	return 0;
}

bool xf_fw_folder_is_safe(const struct stat *st)
{
	return S_ISDIR(st->st_mode) && (!st->st_uid || st->st_uid == geteuid()) &&
	       !(st->st_mode & 022);
}

int xf_fw_folder_refuse(const char *path)
{
	xf_err("%s is not used: it is not a folder of root's that only root may write to", path);
	xf_hint("remove it, and mount the bpffs with 'mount -t bpf bpf /sys/fs/bpf -o mode=0700'");
	return -EPERM;
}

/* Sets are made in a folder of this user only: root would not use one of another user. */
static int check_folder(const char *path)
{
	struct stat st;

	if (lstat(path, &st)) {
		xf_err("cannot look at %s: %s", path, strerror(errno));
		return -errno;
	}
	return xf_fw_folder_is_safe(&st) && st.st_uid == geteuid() ? 0 : xf_fw_folder_refuse(path);
}

int xf_fw_folder_open_safe(int parent_fd, const char *name, int flags)
{
	int fd = openat(parent_fd, name, flags | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0) /* a link gives ENOTDIR too */
		return errno == ENOTDIR ? -EPERM : -errno;
	if (!fstat(fd, &st) && xf_fw_folder_is_safe(&st))
		return fd;
	close(fd);
	return -EPERM;
}

int xf_fw_folder_open(char path[XF_FW_PATH_MAX])
{
	int top_fd, fd = xf_fw_folder_path(path);
	char *name;

	if (fd)
		return fd;
	name = strrchr(path, '/');
	*name = '\0';
	top_fd = xf_fw_folder_open_safe(AT_FDCWD, path, O_PATH);
	if (top_fd < 0)
		return top_fd;
	*name++ = '/';
	fd = xf_fw_folder_open_safe(top_fd, name, O_RDONLY);
	close(top_fd);
	return fd;
}

static int make_folder(const char *path)
{
	if (!mkdir(path, 0700))
		return 0;
	if (errno == EEXIST)
		return check_folder(path);
	xf_err("cannot make the folder %s: %s", path, strerror(errno));
	return -errno;
}

int xf_fw_folder_lock(void)
{
	char path[XF_FW_PATH_MAX];
	int fd, err = xf_fw_folder_path(path);

	if (err)
		return err;
	*strrchr(path, '/') = '\0';
	err = make_folder(path);
	path[strlen(path)] = '/';
	if (!err)
		err = make_folder(path);
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && !flock(fd, LOCK_EX))
		return fd;
	err = -errno;
	xf_err("cannot lock the folder %s: %s", path, strerror(-err));
	if (fd >= 0)
		close(fd);
	return err;
}
