/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps that are created and filled before the program is attached, so that the first packet finds
 * its ring, and other processes never see the program without its owner record. */
#ifndef XF_PRELOAD_H
#define XF_PRELOAD_H

#include "xdp-prog/abi.h"
#include "loader/hook/attach.h"
#include "loader/log/reader.h"

struct xf_preload {
	int rings_fd;
	int config_fd;
	int owner_fd;
};

/* Create the maps, with the rings of @reader, @config and @owner in them. Returns 0, or -errno
 * after a message. */
int xf_preload__open(struct xf_preload *pre, const struct xf_reader *reader,
		     const struct xf_config *config, const struct xf_owner *owner);
void xf_preload__close(struct xf_preload *pre);

/* The maps, for xf_attach_opts. */
#define XF_PRELOAD_MAPS 3
void xf_preload__maps(const struct xf_preload *pre, struct xf_reuse maps[XF_PRELOAD_MAPS]);

#endif
