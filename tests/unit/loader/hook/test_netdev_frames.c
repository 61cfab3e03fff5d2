// SPDX-License-Identifier: GPL-2.0-only
/* What frames begin with, by the kind of interface that the kernel names. */
#include "loader/hook/netdev.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include "xdp-prog/abi.h"

static unsigned int kind; /* of every interface */

int ioctl(int fd, unsigned long request, ...)
{
	struct ifreq *req;
	va_list args;

	(void)fd;
	assert_int_equal(request, SIOCGIFHWADDR);
	va_start(args, request);
	req = va_arg(args, struct ifreq *);
	va_end(args);
	req->ifr_hwaddr.sa_family = kind;
	return 0;
}

static void frames_by_kind_of_interface(void **state)
{
	static const struct {
		unsigned int kind;
		int want;
	} rows[] = {
		{ ARPHRD_ETHER, XF_LINK_ETHER },      { ARPHRD_LOOPBACK, XF_LINK_ETHER },
		{ ARPHRD_NONE, XF_LINK_IP },	      { ARPHRD_PPP, XF_LINK_IP },
		{ ARPHRD_RAWIP, XF_LINK_IP },	      { ARPHRD_TUNNEL, XF_LINK_IP },
		{ ARPHRD_TUNNEL6, XF_LINK_IP },	      { ARPHRD_SIT, XF_LINK_IP },
		{ ARPHRD_IPGRE, XF_LINK_IP },	      { ARPHRD_IP6GRE, XF_LINK_IP },
		{ ARPHRD_CAN, -EPROTONOSUPPORT },     { ARPHRD_INFINIBAND, -EPROTONOSUPPORT },
		{ ARPHRD_NETLINK, -EPROTONOSUPPORT },
	};
	unsigned int type;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kind = rows[i].kind;
		assert_int_equal(xf_netdev_frames("eth0", &type), rows[i].want);
		assert_int_equal(type, kind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_by_kind_of_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
