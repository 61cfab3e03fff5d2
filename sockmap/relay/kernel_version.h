/* SPDX-License-Identifier: GPL-2.0-only */
/* The release of kernel.org that a kernel is built on, and the faults of its sockmap. Pure. */
#ifndef XF_KERNEL_VERSION_H
#define XF_KERNEL_VERSION_H

#include <stdbool.h>

struct xf_kernel_version {
	unsigned int major, minor, patch; /* all 0: not known */
};

/* @release and @version as uname() has them; @signature, what /proc/version_signature says (Ubuntu
 * has it), or NULL. */
struct xf_kernel_version xf_kernel_version_of(const char *release, const char *version,
					      const char *signature);
/* Whether the kernel can send bytes twice after a partial send, or is older than 6.1. True for an
 * unknown version. */
bool xf_kernel_version_has_data_bug(const struct xf_kernel_version *v);
bool xf_kernel_version_at_least(const struct xf_kernel_version *v, unsigned int major,
				unsigned int minor);

#endif
