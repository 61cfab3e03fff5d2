// SPDX-License-Identifier: GPL-2.0-only
/* The process that loaded a program, and whether it still lives. */
#include "loader/hook/owner.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The inode number of the initial pid namespace, in which all processes are visible
 * (PROC_PID_INIT_INO). */
#define PID_INIT_INODE 0xEFFFFFFCu

/* Read a small file of /proc as a string. Returns its length, or -errno. */
static ssize_t read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	if (len < 0)
		len = -errno;
	else
		buf[len] = '\0';
	close(fd);
	return len;
}

static int boot_id_read(__u8 id[16])
{
	char text[64];
	ssize_t err = read_text("/proc/sys/kernel/random/boot_id", text, sizeof(text));
	int n = 0;

	if (err < 0)
		return err;
	for (char *p = text; *p && n < 16; p++) {
		unsigned int byte;

		if (!isxdigit((unsigned char)*p))
			continue;
		if (sscanf(p, "%2x", &byte) != 1)
			return -EINVAL;
		id[n++] = byte;
		p++;
	}
	return n == 16 ? 0 : -EINVAL;
}

/* Read field 22 of /proc/PID/stat. The name in field 2 may hold any character, so fields are
 * counted from its closing parenthesis. Returns 0 or -errno. */
static int start_ticks_read(unsigned int pid, __u64 *ticks)
{
	char path[64], text[1024];
	const char *p;
	ssize_t err;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	err = read_text(path, text, sizeof(text));
	if (err < 0)
		return err;
	p = strrchr(text, ')');
	for (int field = 2; p && field < 22; field++) {
		p = strchr(p + 1, ' ');
		if (!p)
			return -EINVAL;
	}
	if (!p)
		return -EINVAL;
	*ticks = strtoull(p + 1, NULL, 10);
	return 0;
}

static __u32 pidns_read(const char *pid)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s/ns/pid", pid);
	return stat(path, &st) ? 0 : (__u32)st.st_ino;
}

int xf_owner_self(struct xf_owner *owner)
{
	int err;

	memset(owner, 0, sizeof(*owner));
	owner->pid = getpid();
	owner->pidns = pidns_read("self");
	err = start_ticks_read(owner->pid, &owner->start_ticks);
	if (!err)
		err = boot_id_read(owner->boot_id);
	return err;
}

/* Whether the process has ended, though its parent has not waited for it: it holds nothing any
 * more. */
static bool is_zombie(unsigned int pid)
{
	char path[64], text[1024];
	const char *p;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	if (read_text(path, text, sizeof(text)) < 0)
		return true;
	p = strrchr(text, ')');
	return p && (p[2] == 'Z' || p[2] == 'X');
}

static bool is_process(unsigned int pid, const struct xf_owner *owner)
{
	__u64 ticks;

	return !start_ticks_read(pid, &ticks) && ticks == owner->start_ticks && !is_zombie(pid);
}

/* Look for the owner among the visible processes, by its pid namespace and start time: its pid in
 * this namespace is another one. */
static bool found_by_scan(const struct xf_owner *owner)
{
	struct dirent *entry;
	bool found = false;
	DIR *dir = opendir("/proc");

	if (!dir)
		return true;
	while (!found && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		found = pidns_read(entry->d_name) == owner->pidns &&
			is_process(strtoul(entry->d_name, NULL, 10), owner);
	}
	closedir(dir);
	return found;
}

enum xf_owner_state xf_owner_state(const struct xf_owner *owner)
{
	static const struct xf_owner nobody;
	__u32 our_pidns = pidns_read("self");
	__u8 boot_id[16];

	if (!memcmp(owner, &nobody, sizeof(nobody)))
		return XF_OWNER_NONE;
	if (!boot_id_read(boot_id) && memcmp(boot_id, owner->boot_id, sizeof(boot_id)))
		return XF_OWNER_DEAD;
	if (owner->pidns == our_pidns)
		return is_process(owner->pid, owner) ? XF_OWNER_ALIVE : XF_OWNER_DEAD;
	if (found_by_scan(owner) || our_pidns != PID_INIT_INODE)
		return XF_OWNER_ALIVE;
	return XF_OWNER_DEAD;
}
