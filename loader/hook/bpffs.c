// SPDX-License-Identifier: GPL-2.0-only
/* The BPF file system, in which libxdp keeps the pins of its dispatchers. */
#include "loader/hook/bpffs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/msg.h"

#define BPFFS_ENV "LIBXDP_BPFFS"
#define BPFFS_DIR "/sys/fs/bpf"
#define BPFFS_OF_INIT "/proc/1/root/sys/fs/bpf"

static bool is_bpffs(const char *dir)
{
	struct statfs fs;

	return !statfs(dir, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

static bool in_init_mount_namespace(void)
{
	struct stat ours, init;

	return !stat("/proc/self/ns/mnt", &ours) && !stat("/proc/1/ns/mnt", &init) &&
	       ours.st_ino == init.st_ino && ours.st_dev == init.st_dev;
}

const char *xf_bpffs_prepare(void)
{
	static char why[256];
	const char *named = secure_getenv(BPFFS_ENV);

	if (named) {
		if (is_bpffs(named))
			return NULL;
		snprintf(why, sizeof(why), "%s=%s is not a mounted bpffs", BPFFS_ENV, named);
		return why;
	}
	if (is_bpffs(BPFFS_DIR))
		return NULL;
	if (!in_init_mount_namespace()) {
		/* A mount of our own would end with this namespace, and the pins with it. */
		if (is_bpffs(BPFFS_OF_INIT)) {
			setenv(BPFFS_ENV, BPFFS_OF_INIT, 1);
			xf_debug("using %s, since no bpffs is mounted here", BPFFS_OF_INIT);
			return NULL;
		}
		if (access(BPFFS_OF_INIT, F_OK) && errno != ENOENT) {
			snprintf(why, sizeof(why),
				 "no bpffs is mounted on %s here, and that of the initial mount "
				 "namespace cannot be reached (%s: %s); LIBXDP_BPFFS can name one",
				 BPFFS_DIR, BPFFS_OF_INIT, strerror(errno));
			return why;
		}
		return "no bpffs is mounted on " BPFFS_DIR
		       ", neither here nor in the initial mount namespace";
	}
	if (!mount("bpf", BPFFS_DIR, "bpf", 0, "mode=0700")) {
		xf_info("mounted a bpffs on %s", BPFFS_DIR);
		return NULL;
	}
	snprintf(why, sizeof(why), "no bpffs is mounted on %s, and mounting one failed: %s",
		 BPFFS_DIR, strerror(errno));
	return why;
}

const char *xf_bpffs_dir(void)
{
	const char *named = secure_getenv(BPFFS_ENV);

	if (!named)
		named = BPFFS_DIR;
	return is_bpffs(named) ? named : NULL;
}

static void remove_folder(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlinkat(fd, entry->d_name, 0);
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	unlinkat(parent_fd, name, AT_REMOVEDIR);
}

void xf_bpffs_unpin(unsigned int ifindex, __u32 dispatcher_id)
{
	const char *dir = xf_bpffs_dir();
	char path[4096];
	int fd;

	if (!dir)
		return;
	snprintf(path, sizeof(path), "%s/xdp", dir);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	flock(fd, LOCK_EX); /* libxdp's own lock on its pins */
	snprintf(path, sizeof(path), "dispatch-%u-%u", ifindex, dispatcher_id);
	remove_folder(fd, path);
	close(fd);
}
