// SPDX-License-Identifier: GPL-2.0-only
/* Lists of XDP actions, as text and as a bit set. */
#include "loader/hook/actions.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <strings.h>

#include "lib/msg.h"
#include "lib/strbuf.h"

const char *const xf_action_names[XF_ACTIONS] = {
	[XDP_ABORTED] = "XDP_ABORTED", [XDP_DROP] = "XDP_DROP",		[XDP_PASS] = "XDP_PASS",
	[XDP_TX] = "XDP_TX",	       [XDP_REDIRECT] = "XDP_REDIRECT",
};

static int find(const char *name, size_t len)
{
	for (int i = 0; i < XF_ACTIONS; i++) {
		const char *full = xf_action_names[i];

		if ((strlen(full) == len && !strncasecmp(full, name, len)) ||
		    (strlen(full + 4) == len && !strncasecmp(full + 4, name, len)))
			return i;
	}
	return -1;
}

int xf_actions_parse(const char *text, unsigned int *actions)
{
	unsigned int set = 0;

	for (const char *name = text;; name++) {
		size_t len = strcspn(name, ",");
		int action = find(name, len);

		if (action < 0) {
			xf_err("--actions %s: '%.*s' is no XDP action", text, (int)len, name);
			xf_hint(
			    "they are XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX and XDP_REDIRECT, "
			    "separated by commas");
			return -EINVAL;
		}
		set |= 1u << action;
		name += len;
		if (!*name)
			break;
	}
	if (!(set & 1u << XDP_PASS)) {
		xf_err("--actions %s: XDP_PASS must be among them: xdpfun returns nothing else, so "
		       "without it no program behind it would run",
		       text);
		return -EINVAL;
	}
	*actions = set;
	return 0;
}

char *xf_actions_text(char *out, size_t size, unsigned int actions)
{
	struct xf_strbuf text = { .at = out, .size = size };

	out[0] = '\0';
	for (int i = 0; i < XF_ACTIONS; i++)
		if (actions & 1u << i)
			xf_strbuf__add(&text, "%s%s", text.len ? "," : "", xf_action_names[i]);
	return out;
}
