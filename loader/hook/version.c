// SPDX-License-Identifier: GPL-2.0-only
#include "loader/hook/version.h"

#include <bpf/libbpf.h>
#include <json-c/json_c_version.h>
#include <zlib.h>

#include "lib/msg.h"

void xf_print_version(void)
{
	xf_print("xdpfun-load %s\n", XF_VERSION);
	xf_print("libbpf %u.%u, zlib %s, json-c %s; built with libxdp %s, libelf %s\n",
		 libbpf_major_version(), libbpf_minor_version(), zlibVersion(), json_c_version(),
		 XF_libxdp, XF_libelf);
}
