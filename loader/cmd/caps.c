// SPDX-License-Identifier: GPL-2.0-only
/* The check for the capabilities that the commands need. */
#include "loader/cmd/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/cap_sets.h"
#include "lib/msg.h"
#include "lib/strbuf.h"

static const struct {
	const char *name;
	unsigned int cap;
	unsigned int implied_by; /* another capability that serves as well, or the same one */
} needed[] = {
	{ "CAP_BPF", XF_CAP_BPF, CAP_SYS_ADMIN },
	{ "CAP_NET_ADMIN", CAP_NET_ADMIN, CAP_NET_ADMIN },
	{ "CAP_PERFMON", XF_CAP_PERFMON, CAP_SYS_ADMIN },
	{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN, CAP_SYS_ADMIN },
};

int xf_caps_check(const char *command)
{
	struct xf_strbuf missing = XF_STRBUF(128);
	struct xf_cap_sets sets;

	if (xf_cap_sets_get(&sets))
		return 0; /* the kernel refuses later what is not allowed */
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (sets.effective & (1ULL << needed[i].cap | 1ULL << needed[i].implied_by))
			continue;
		xf_strbuf__add(&missing, " %s", needed[i].name);
	}
	if (!missing.len)
		return 0;
	xf_err("'%s' needs capabilities that this process does not have:%s", command, missing.at);
	xf_hint(
	    "run it as root (sudo); without root's user id CAP_DAC_OVERRIDE is needed too, for "
	    "bpffs and /run/xdpfun; CAP_SYS_ADMIN is what the kernel asks for to open programs "
	    "and maps by id, and before kernel 5.11 CAP_SYS_RESOURCE is needed too unless 'ulimit -l' is "
	    "unlimited");
	return -EPERM;
}
