// SPDX-License-Identifier: GPL-2.0-only
/* A rule set, locked and ready to be read or changed. */
#include "loader/firewall/named_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/time.h"
#include "loader/hook/hints.h"
#include "lib/msg.h"

static void explain_memory(int err)
{
	if (err == -EPERM)
		xf_hint_locked_memory();
}

/* Returns 0, also when another process was faster, or -errno after a message. */
static int create(const char *name)
{
	const struct xf_ruleset_map *maps;
	struct xf_ruleset *ruleset;
	size_t n;
	int err = xf_ruleset__create(&ruleset, false);

	if (err) {
		xf_err("cannot make the maps of the set '%s': %s", name, strerror(-err));
		explain_memory(err);
		return err;
	}
	n = xf_ruleset__maps(ruleset, &maps);
	err = xf_fw_pins__make(name, maps, n);
	xf_ruleset__close(ruleset);
	return err;
}

static int open_table(struct xf_named_set *set)
{
	struct xf_ruleset_map maps[XF_FW_MAPS_MAX];
	struct xf_fw_map_names names;
	int err, n = xf_fw_pins__maps(&set->pins, maps, &names);

	err = n < 0 ? n : xf_ruleset__open(&set->ruleset, maps, n);
	while (n > 0)
		close(maps[--n].fd);
	if (!err)
		return 0;
	xf_err("cannot open the set '%s' in %s: %s", set->pins.name, set->pins.path,
	       err == -EPROTO ? "another version of xdpfun made it" : strerror(-err));
	if (err == -EPROTO)
		xf_hint("keep its rules with that version's 'firewall list', then 'xdpfun-load "
			"firewall detach --purge --set %s' removes it",
			set->pins.name);
	return err;
}

struct name_list {
	char text[256];
	size_t len;
};

static int add_name(void *arg, const char *name)
{
	struct name_list *list = arg;

	if (list->len < sizeof(list->text))
		list->len +=
		    snprintf(list->text + list->len, sizeof(list->text) - list->len, " %s", name);
	return 0;
}

void xf_named_set__missing(const char *name)
{
	struct name_list list = { "", 0 };

	xf_err("there is no rule set '%s'", name);
	xf_fw_pins__each(add_name, &list);
	if (list.len)
		xf_hint("the sets are:%s; --set names one, and 'firewall add', 'replace', "
			"'policy' and 'attach' make one",
			list.text);
	else
		xf_hint("there is none at all; 'firewall add', 'replace', 'policy' and 'attach' "
			"make one");
}

/* The user may think that packets meet the change. */
static void warn_if_held(const struct xf_named_set *set)
{
	if (!xf_ruleset__held(set->ruleset, xf_now_ns(CLOCK_BOOTTIME)))
		return;
	xf_warn("the set '%s' is on hold: its trial was not confirmed, and every packet passes",
		set->pins.name);
	xf_hint("'xdpfun-load firewall attach --set %s -i IFACE' makes it hold", set->pins.name);
}

int xf_named_set__open(struct xf_named_set *set, const char *name, enum xf_fw_use use)
{
	int err;

	*set = (struct xf_named_set) { .pins = { .fd = -1 } };
	for (;;) {
		err = xf_fw_pins__open(&set->pins, name, use != XF_FW_READ);
		if (err != -ENOENT)
			break;
		if (use != XF_FW_CREATE && use != XF_FW_ATTACH) {
			xf_named_set__missing(name);
			return err;
		}
		err = create(name);
		if (err)
			return err;
		set->created = true;
	}
	if (!err)
		err = open_table(set);
	if (err)
		xf_named_set__close(set);
	else if (use == XF_FW_CHANGE || use == XF_FW_CREATE)
		warn_if_held(set);
	return err;
}

void xf_named_set__close(struct xf_named_set *set)
{
	if (set->ruleset)
		xf_ruleset__close(set->ruleset);
	set->ruleset = NULL;
	xf_fw_pins__close(&set->pins);
}

void xf_named_set__unlock(struct xf_named_set *set)
{
	xf_fw_pins__close(&set->pins);
}

void xf_named_set__explain(const struct xf_named_set *set, const char *what, int err)
{
	const char *why = xf_ruleset__why(set->ruleset);

	if (why && *why && (err == -E2BIG || err == -ENOSPC || err == -ENOMEM))
		xf_err("cannot %s the set '%s': %s", what, set->pins.name, why);
	else
		xf_err("cannot %s the set '%s': %s", what, set->pins.name, strerror(-err));
	explain_memory(err);
}
