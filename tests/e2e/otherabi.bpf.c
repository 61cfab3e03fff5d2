// SPDX-License-Identifier: GPL-2.0-only
/* An xdpfun.o of another release: the same but for its ABI version. */
#include "../../xdp-prog/abi.h"

#undef XF_ABI_VERSION
#define XF_ABI_VERSION 77u

#include "../../xdp-prog/xdpfun.bpf.c"
