/* SPDX-License-Identifier: GPL-2.0-only */
/* Attach and detach through libxdp, with the fall-back from native to SKB mode. Only
 * attach.c and chain.c include libxdp. */
#ifndef XF_ATTACH_H
#define XF_ATTACH_H

#include <stdbool.h>

#include "loader/hook/attach_opts.h"

struct xf_attached {
	__u32 prog_id;
	__u32 dispatcher_id; /* 0: attached without one */
	enum xf_mode mode;
};

/* Attach a program. Returns 0, or -errno after a message; nothing is attached then. */
int xf_attach(const struct xf_attach_opts *opts, struct xf_attached *attached);

/* Detach this one program, and its dispatcher when it was the last. Returns 0, -ENOENT when it is
 * not attached (any more), or another -errno; no message. */
int xf_detach(unsigned int ifindex, __u32 prog_id);

/* Get the kernel's hash of the instructions of the logger's object, or of the file @object, by
 * loading it once without attaching it. Returns 0 or -errno. */
int xf_object_tag(const char *object, unsigned char tag[8]);

/* Make libbpf and libxdp print into the buffer of liblog.h. */
void xf_attach_capture_logs(void);

#endif
