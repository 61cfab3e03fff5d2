/* SPDX-License-Identifier: GPL-2.0-only */
/* The exit statuses of xdpfun-load. */
#ifndef XF_EXIT_STATUS_H
#define XF_EXIT_STATUS_H

enum xf_exit {
	XF_EXIT_OK = 0,
	XF_EXIT_FAILED = 1,
	XF_EXIT_USAGE = 2,
};

#endif
