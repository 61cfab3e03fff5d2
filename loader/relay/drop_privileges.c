// SPDX-License-Identifier: GPL-2.0-only
/* Give up privileges, with the plain system calls: they are few, and their order matters. */
#include "loader/relay/drop_privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cap_sets.h"
#include "lib/msg.h"
#include "lib/strbuf.h"

#define ROOTS_DEFAULT "nobody"
#define CAPS_MAX 64

static int cannot_find(const char *name, int err)
{
	/* The C library reports an unknown user by several errors. */
	bool other = err == EMFILE || err == ENFILE || err == ENOMEM || err == EIO;

	xf_err("cannot find the user %s: %s", name,
	       other ? strerror(err) : "there is none of this name");
	xf_hint("--user NAME names an unprivileged user of this machine");
	return other ? -err : -ENOENT;
}

int xf_user__find(struct xf_user *user, const char *name)
{
	const struct passwd *entry;

	*user = (struct xf_user) { .uid = geteuid(), .gid = getegid() };
	if (!name && user->uid) {
		snprintf(user->name, sizeof(user->name), "%u", user->uid);
		return 0;
	}
	snprintf(user->name, sizeof(user->name), "%s", name ?: ROOTS_DEFAULT);
	errno = 0;
	entry = getpwnam(user->name);
	if (!entry)
		return cannot_find(user->name, errno);
	if (user->uid && entry->pw_uid != user->uid) {
		xf_err("--user %s: this process is user %u and cannot become another one",
		       user->name, user->uid);
		xf_hint("start it as root, or leave --user out");
		return -EPERM;
	}
	user->change = !user->uid;
	if (user->change) {
		user->uid = entry->pw_uid;
		user->gid = entry->pw_gid;
	}
	return 0;
}

uint64_t xf_caps_permitted(void)
{
	struct xf_cap_sets sets;

	xf_cap_sets_get(&sets);
	return sets.permitted;
}

static int set_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = caps, .permitted = caps },
		{ .effective = caps >> 32, .permitted = caps >> 32 },
	};

	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

/* EINVAL marks the end of this kernel's capabilities. A process that may not drop them cannot get
 * them by execve() either, because of no_new_privs. */
static void empty_bounding_set(void)
{
	for (int cap = 0; cap < CAPS_MAX; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return;
}

static int change_user(const struct xf_user *user)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setgroups(0, NULL) ||
	    setresgid(user->gid, user->gid, user->gid) ||
	    setresuid(user->uid, user->uid, user->uid) || prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0))
		return -errno;
	return 0;
}

int xf_drop_privileges(const struct xf_user *user, uint64_t keep)
{
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		err = -errno;
		xf_err("cannot set no_new_privs: %s", strerror(-err));
		return err;
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	empty_bounding_set();
	err = user->change ? change_user(user) : 0;
	if (err) {
		xf_err("cannot become the user %s (%u, group %u): %s", user->name, user->uid,
		       user->gid, strerror(-err));
		xf_hint("in a container it may be missing from the user namespace, or setgroups "
			"may be denied; --user NAME names another");
		return err;
	}
	err = set_caps(xf_caps_permitted() & keep);
	if (err)
		xf_err("cannot give up capabilities: %s", strerror(-err));
	return err;
}

static const char *const names[] = {
	[CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
	[CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
	[CAP_NET_ADMIN] = "CAP_NET_ADMIN",
	[CAP_NET_RAW] = "CAP_NET_RAW",
	[CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
	[CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
	[XF_CAP_PERFMON] = "CAP_PERFMON",
	[XF_CAP_BPF] = "CAP_BPF",
};

char *xf_caps_text(uint64_t caps, char out[XF_CAPS_TEXT])
{
	struct xf_strbuf text = { .at = out, .size = XF_CAPS_TEXT };

	strcpy(out, "none");
	for (unsigned int cap = 0; cap < CAPS_MAX; cap++) {
		if (!(caps & 1ULL << cap))
			continue;
		xf_strbuf__add(&text, "%s", text.len ? ", " : "");
		if (cap < sizeof(names) / sizeof(names[0]) && names[cap])
			xf_strbuf__add(&text, "%s", names[cap]);
		else
			xf_strbuf__add(&text, "capability %u", cap);
	}
	return out;
}
