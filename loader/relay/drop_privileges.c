// SPDX-License-Identifier: GPL-2.0-only
/* Give up privileges, with the plain system calls: they are few, and their order matters. */
#include "loader/relay/drop_privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cap_sets.h"
#include "lib/msg.h"
#include "lib/strbuf.h"

#define CAPS_MAX 64

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
	struct xf_cap_sets sets;

	xf_cap_sets_get(&sets);
	for (int cap = 0; cap < CAPS_MAX && sets.effective & 1ULL << CAP_SETPCAP; cap++) {
		int held = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (held < 0 || (held && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)))
			return;
	}
}

/* No call is made that would change nothing: it may be refused all the same. */
static int change_user(const struct xf_user *user)
{
	uid_t uid, effective, saved;
	gid_t gid, effective_gid, saved_gid;
	bool same_user, same_group;

	getresuid(&uid, &effective, &saved);
	getresgid(&gid, &effective_gid, &saved_gid);
	same_user = uid == user->uid && effective == uid && saved == uid;
	same_group = gid == user->gid && effective_gid == gid && saved_gid == gid;
	if ((user->drop_groups && setgroups(0, NULL)) ||
	    (!same_group && setresgid(user->gid, user->gid, user->gid)))
		return -errno;
	if (!same_user &&
	    (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setresuid(user->uid, user->uid, user->uid) ||
	     prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0)))
		return -errno;
	return 0;
}

int xf_drop_privileges(const struct xf_user *user, uint64_t keep)
{
	uint64_t caps;
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		err = -errno;
		xf_err("cannot set no_new_privs: %s", strerror(-err));
		return err;
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	empty_bounding_set();
	err = change_user(user);
	if (err) {
		xf_err("cannot become the user %s (%u, group %u): %s", user->name, user->uid,
		       user->gid, strerror(-err));
		xf_hint("a seccomp filter may forbid it; --user names another");
		return err;
	}
	caps = xf_caps_permitted();
	err = caps ? set_caps(caps & keep) : 0;
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
