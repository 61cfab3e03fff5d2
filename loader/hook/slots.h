/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes many slots of a map of maps. The kernel waits for all running programs after each single
 * change, which takes milliseconds; so the changes are made in one batch where the kernel can, else
 * by several threads at once. */
#ifndef XF_SLOTS_H
#define XF_SLOTS_H

/* Put fds[i] into slot i for all i < n. Returns 0 or -errno; some slots may then be filled. On
 * success every program that saw one of the old entries has ended. */
int xf_slots_fill(int map_fd, const int *fds, unsigned int n);
/* Empty slots 0 to n - 1, of which some may be empty already. When this returns, every program that
 * saw one of the old entries has ended. */
void xf_slots_empty(int map_fd, unsigned int n);

#endif
