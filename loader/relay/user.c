// SPDX-License-Identifier: GPL-2.0-only
/* The user to become, and the reason why the process cannot. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cap_sets.h"
#include "lib/msg.h"
#include "lib/num.h"
#include "loader/relay/drop_privileges.h"

#define NOBODY_ID 65534 /* where there is no such entry, as in a container's image */

static int cannot_find(const char *what, const char *name, int err)
{
	/* The C library reports an unknown user by several errors. */
	bool other = err == EMFILE || err == ENFILE || err == ENOMEM || err == EIO;

	xf_err("cannot find the %s %s: %s", what, name,
	       other ? strerror(err) : "there is none of this name");
	xf_hint("--user NAME names an unprivileged user of this machine, --user UID[:GROUP] needs "
		"no entry in /etc/passwd");
	return other ? -err : -ENOENT;
}

static bool is_number(const char *text, uint32_t *id)
{
	uint64_t n;

	if (xf_num_parse(text, 0, UINT32_MAX - 1, &n))
		return false;
	*id = n;
	return true;
}

static int find_group(struct xf_user *user, const char *group)
{
	const struct group *entry;

	if (is_number(group, &user->gid))
		return 0;
	errno = 0;
	entry = getgrnam(group);
	if (!entry)
		return cannot_find("group", group, errno);
	user->gid = entry->gr_gid;
	return 0;
}

/* Set the ids of user->name, "NAME" or "UID", optionally with ":GROUP". */
static int find_ids(struct xf_user *user, bool by_default)
{
	char name[sizeof(user->name)], *group;
	const struct passwd *entry;

	snprintf(name, sizeof(name), "%s", user->name);
	group = strchr(name, ':');
	if (group)
		*group++ = '\0';
	errno = 0;
	if (is_number(name, &user->uid)) {
		entry = getpwuid(user->uid);
		user->gid = entry ? entry->pw_gid : user->uid;
	} else {
		entry = getpwnam(name);
		if (entry) {
			user->uid = entry->pw_uid;
			user->gid = entry->pw_gid;
		} else if (by_default) {
			user->uid = user->gid = NOBODY_ID;
			snprintf(user->name, sizeof(user->name), "%u", user->uid);
		} else {
			return cannot_find("user", name, errno);
		}
	}
	return group ? find_group(user, group) : 0;
}

/* Whether the file, a map of a user namespace, has this id. */
static bool is_mapped(const char *path, uint32_t id)
{
	unsigned int inside, outside, n;
	FILE *map = fopen(path, "re");
	bool found = !map;

	while (!found && fscanf(map, "%u %u %u", &inside, &outside, &n) == 3)
		found = id >= inside && id - inside < n;
	if (map)
		fclose(map);
	return found;
}

static bool may_set_groups(void)
{
	FILE *file = fopen("/proc/self/setgroups", "re");
	char word[8] = "";

	if (file) {
		if (!fgets(word, sizeof(word), file))
			word[0] = '\0';
		fclose(file);
	}
	return strncmp(word, "deny", 4) != 0;
}

/* Returns the reason why the process cannot become @user, or NULL. */
static const char *obstacle(const struct xf_user *user, uint64_t caps)
{
	bool uid = user->uid != geteuid(), gid = user->gid != getegid();

	if (uid && gid && !(caps & (1ULL << CAP_SETUID | 1ULL << CAP_SETGID)))
		return "CAP_SETUID and CAP_SETGID are missing";
	if (uid && !(caps & 1ULL << CAP_SETUID))
		return "CAP_SETUID is missing";
	if (gid && !(caps & 1ULL << CAP_SETGID))
		return "CAP_SETGID is missing";
	if (uid && !is_mapped("/proc/self/uid_map", user->uid))
		return "this user namespace has no such user";
	if (gid && !is_mapped("/proc/self/gid_map", user->gid))
		return "this user namespace has no such group";
	return NULL;
}

static void stay(struct xf_user *user)
{
	user->uid = geteuid();
	user->gid = getegid();
	snprintf(user->name, sizeof(user->name), "%u", user->uid);
}

/* A user of its own is better: other daemons that run as nobody may signal and trace a process of
 * nobody. */
static const char *default_of_root(void)
{
	return getpwnam("xdpfun") ? "xdpfun" : "nobody";
}

int xf_user__find(struct xf_user *user, const char *name)
{
	struct xf_cap_sets sets;
	const char *why;
	int err;

	*user = (struct xf_user) {};
	xf_cap_sets_get(&sets);
	/* Without --user another user than root stays the same. */
	if (!name && geteuid()) {
		stay(user);
		return 0;
	}
	snprintf(user->name, sizeof(user->name), "%s", name ?: default_of_root());
	err = find_ids(user, !name);
	if (err)
		return err;
	why = obstacle(user, sets.effective);
	if (why && name) {
		xf_err("--user %s: this process is user %u, group %u, and cannot become user %u, "
		       "group %u: %s",
		       name, geteuid(), getegid(), user->uid, user->gid, why);
		xf_hint("start it as root with the capability, or leave --user out");
		return -EPERM;
	}
	if (why) {
		xf_warn("going on as user %u instead of %s: %s", geteuid(), user->name, why);
		stay(user);
	}
	user->drop_groups =
	    sets.effective & 1ULL << CAP_SETGID && getgroups(0, NULL) > 0 && may_set_groups();
	return 0;
}
