// SPDX-License-Identifier: GPL-2.0-only
/* Where the maps of a rule set are pinned. */
#include "loader/firewall/pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "xdp-prog/fw_abi.h"
#include "loader/hook/bpffs.h"
#include "firewall/table/ruleset.h"
#include "lib/msg.h"
#include "loader/firewall/folder.h"

#define PATIENCE_S 1 /* after so long a wait is said */
#define NO_DOT '~'   /* bpffs has no dots in names */

static const char name_bytes[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

int xf_fw_name_check(const char *name)
{
	size_t len = strlen(name);

	if (len && len <= XF_FW_NAME_MAX && name[0] != '.' && strspn(name, name_bytes) == len)
		return 0;
	xf_err(
	    "--set: a rule set cannot be called \"%s\": expected 1 to %d letters, digits and . _ "
	    "-, not beginning with a dot",
	    name, XF_FW_NAME_MAX);
	return -EINVAL;
}

static void replace(char *text, char from, char to)
{
	for (; *text; text++)
		if (*text == from)
			*text = to;
}

/* A folder that is not finished, or is being removed, has a name that no set has. */
static int set_path(char path[XF_FW_PATH_MAX], const char *name, bool unfinished)
{
	int err = xf_fw_folder_path(path);
	char encoded[XF_FW_NAME_MAX + 1];
	size_t len;

	if (err)
		return err;
	snprintf(encoded, sizeof(encoded), "%s", name);
	replace(encoded, '.', NO_DOT);
	len = strlen(path);
	snprintf(path + len, XF_FW_PATH_MAX - len, "/%s%s", unfinished ? "~" : "", encoded);
	return 0;
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* Waits in the kernel, which passes the lock on as soon as it is free; the timer only interrupts
 * that for a message. */
static int wait_for_lock(int fd, int how, const char *name)
{
	const struct itimerval patience = { .it_value.tv_sec = PATIENCE_S }, none = {};
	struct sigaction act = { .sa_handler = on_alarm }, old;
	int err = 0;

	if (!flock(fd, how | LOCK_NB))
		return 0;
	sigaction(SIGALRM, &act, &old);
	setitimer(ITIMER_REAL, &patience, NULL);
	while (!err && flock(fd, how)) {
		if (errno == EINTR)
			xf_info("waiting for another process that works on the set '%s'", name);
		else
			err = -errno;
	}
	setitimer(ITIMER_REAL, &none, NULL);
	sigaction(SIGALRM, &old, NULL);
	return err;
}

/* Whether the path still names the folder that was opened. */
static bool is_current(int fd, const char *path)
{
	struct stat ours, there;

	return !fstat(fd, &ours) && !stat(path, &there) && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

int xf_fw_pins__path(struct xf_fw_pins *pins, const char *name)
{
	pins->fd = -1;
	snprintf(pins->name, sizeof(pins->name), "%s", name);
	return set_path(pins->path, name, false);
}

/* Returns a descriptor, -ENOENT without a message, or another -errno after one. */
static int open_set(const struct xf_fw_pins *pins)
{
	char path[XF_FW_PATH_MAX];
	int fd, parent_fd = xf_fw_folder_open(path);

	if (parent_fd < 0) {
		fd = parent_fd;
	} else {
		strcpy(path, pins->path);
		fd = xf_fw_folder_open_safe(parent_fd, strrchr(path, '/') + 1, O_RDONLY);
		close(parent_fd);
	}
	if (fd == -EPERM)
		return xf_fw_folder_refuse(path);
	if (fd < 0 && fd != -ENOENT)
		xf_err("cannot open the folder %s: %s", pins->path, strerror(-fd));
	return fd;
}

int xf_fw_pins__open(struct xf_fw_pins *pins, const char *name, bool change)
{
	int err = xf_fw_pins__path(pins, name);

	if (err)
		return err;
	for (;;) {
		pins->fd = open_set(pins); /* no other user can hold its lock from here on */
		if (pins->fd < 0)
			return pins->fd;
		err = wait_for_lock(pins->fd, change ? LOCK_EX : LOCK_SH, name);
		if (err) {
			xf_err("cannot lock the folder %s: %s", pins->path, strerror(-err));
			xf_fw_pins__close(pins);
			return err;
		}
		if (is_current(pins->fd, pins->path))
			return 0;
		xf_fw_pins__close(pins); /* removed, and perhaps made anew, while we waited */
	}
}

void xf_fw_pins__close(struct xf_fw_pins *pins)
{
	if (pins->fd >= 0)
		close(pins->fd);
	pins->fd = -1;
}

/* Call @fn for each name in a folder that is not hidden, and close the folder. */
static int each_entry(DIR *dir, int (*fn)(void *arg, const char *name), void *arg)
{
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			ret = fn(arg, entry->d_name);
	closedir(dir);
	return ret;
}

static int unlink_in(void *arg, const char *name)
{
	char path[XF_FW_PATH_MAX + 256];

	snprintf(path, sizeof(path), "%s/%s", (const char *)arg, name);
	unlink(path);
	return 0;
}

static void remove_folder(char *path)
{
	each_entry(opendir(path), unlink_in, path);
	rmdir(path);
}

static int pin_all(const char *path, const struct xf_ruleset_map *maps, size_t n)
{
	char pin[XF_FW_PATH_MAX + 32];

	if (mkdir(path, 0700))
		return -errno;
	for (size_t i = 0; i < n; i++) {
		snprintf(pin, sizeof(pin), "%s/%s", path, maps[i].name);
		if (bpf_obj_pin(maps[i].fd, pin))
			return -errno;
	}
	return 0;
}

static int make_locked(const char *name, const struct xf_ruleset_map *maps, size_t n)
{
	char path[XF_FW_PATH_MAX], unfinished[XF_FW_PATH_MAX];
	int err = set_path(path, name, false);

	if (!err)
		err = set_path(unfinished, name, true);
	if (err)
		return err;
	if (!access(path, F_OK))
		return 0;
	remove_folder(unfinished); /* its author died */
	err = pin_all(unfinished, maps, n);
	if (!err && rename(unfinished, path))
		err = -errno;
	if (!err)
		return 0;
	remove_folder(unfinished);
	xf_err("cannot pin the maps of the set '%s' in %s: %s", name, path, strerror(-err));
	return err;
}

int xf_fw_pins__make(const char *name, const struct xf_ruleset_map *maps, size_t n)
{
	int err, fd = xf_fw_folder_lock();

	if (fd < 0)
		return fd;
	err = make_locked(name, maps, n);
	close(fd);
	return err;
}

struct map_list {
	const struct xf_fw_pins *pins;
	struct xf_ruleset_map *maps;
	struct xf_fw_map_names *names;
	int n;
};

static int add_map(void *arg, const char *name)
{
	char pin[XF_FW_PATH_MAX + 256];
	struct map_list *list = arg;
	int fd;

	if (list->n == XF_FW_MAPS_MAX || strlen(name) >= sizeof(list->names->at[0]))
		return -EPROTO;
	snprintf(pin, sizeof(pin), "%s/%s", list->pins->path, name);
	fd = bpf_obj_get(pin);
	if (fd < 0)
		return -errno;
	strcpy(list->names->at[list->n], name);
	list->maps[list->n] = (struct xf_ruleset_map) { list->names->at[list->n], fd };
	list->n++;
	return 0;
}

int xf_fw_pins__maps(const struct xf_fw_pins *pins, struct xf_ruleset_map *maps,
		     struct xf_fw_map_names *names)
{
	struct map_list list = { .pins = pins, .maps = maps, .names = names };
	int err = each_entry(opendir(pins->path), add_map, &list);

	if (!err)
		return list.n;
	while (list.n)
		close(maps[--list.n].fd);
	return err;
}

__u32 xf_fw_pins__root_id(const struct xf_fw_pins *pins)
{
	char pin[XF_FW_PATH_MAX + 32];
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int fd;

	snprintf(pin, sizeof(pin), "%s/%s", pins->path, XF_FW_ROOT_MAP);
	fd = bpf_obj_get(pin);
	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		info.id = 0;
	close(fd);
	return info.id;
}

int xf_fw_pins__remove(struct xf_fw_pins *pins)
{
	char going[XF_FW_PATH_MAX];
	int err = set_path(going, pins->name, true);
	int fd = err ? err : xf_fw_folder_lock();

	if (fd < 0)
		return fd;
	remove_folder(going);
	/* Without this a process that dies in between would leave a set with half of its maps. */
	if (rename(pins->path, going)) {
		err = -errno;
		xf_err("cannot remove the folder %s: %s", pins->path, strerror(-err));
	} else {
		remove_folder(going);
	}
	close(fd);
	return err;
}

struct set_names {
	int (*fn)(void *arg, const char *name);
	void *arg;
	int fd; /* the folder of all sets */
};

static int set_entry(void *arg, const char *entry)
{
	const struct set_names *names = arg;
	char name[256];
	struct stat st;

	if (entry[0] == '~' || fstatat(names->fd, entry, &st, AT_SYMLINK_NOFOLLOW) ||
	    !xf_fw_folder_is_safe(&st))
		return 0;
	snprintf(name, sizeof(name), "%s", entry);
	replace(name, NO_DOT, '.');
	return names->fn(names->arg, name);
}

int xf_fw_pins__each(int (*fn)(void *arg, const char *name), void *arg)
{
	struct set_names names = { fn, arg, -1 };
	char parent[XF_FW_PATH_MAX];
	DIR *dir;

	if (!xf_bpffs_dir())
		return 0;
	names.fd = xf_fw_folder_open(parent);
	if (names.fd < 0)
		return names.fd == -ENOENT ? 0 : names.fd;
	dir = fdopendir(names.fd);
	if (!dir)
		close(names.fd);
	return dir ? each_entry(dir, set_entry, &names) : -ENOMEM;
}
