/* SPDX-License-Identifier: GPL-2.0-only */
/* The limit of open files of this process. */
#ifndef XF_FD_LIMIT_H
#define XF_FD_LIMIT_H

#include <stdint.h>

/* Raise the limit as far as it may be raised. Returns it. */
uint64_t xf_fd_limit_raise(void);

/* The text of a hint about how to raise it further. */
#define XF_FD_LIMIT_HINT "raise it with 'ulimit -Hn', or LimitNOFILE= of a service"

#endif
