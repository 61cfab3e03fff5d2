// SPDX-License-Identifier: GPL-2.0-only
/* An xdpfun.o with another ABI version, as of another release. */
#include "../../xdp-prog/abi.h"

#undef XF_ABI_VERSION
#define XF_ABI_VERSION 77u

#include "../../xdp-prog/xdpfun.bpf.c"
