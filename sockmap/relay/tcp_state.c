// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/relay/tcp_state.h"

#include <errno.h>
#include <limits.h>
#include <linux/bpf.h> /* BPF_TCP_CLOSE */
#include <linux/sockios.h>
#include <linux/tcp.h> /* has fields that netinet/tcp.h lacks */
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/time.h"

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info;
}

static int queue(int fd, unsigned long which)
{
	int bytes = 0;

	ioctl(fd, which, &bytes);
	return bytes;
}

uint64_t xf_tcp__received(int fd)
{
	return info_of(fd).tcpi_bytes_received;
}

/* Newer than the headers of some: tcpi_rcv_wnd is the field behind tcpi_snd_wnd. */
uint64_t xf_tcp__window(int fd, uint64_t unknown)
{
	struct {
		uint8_t before[offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof(uint32_t)];
		uint32_t rcv_wnd;
	} info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) || len < sizeof(info))
		return unknown;
	return info.rcv_wnd;
}

uint64_t xf_tcp__segment_max(int fd)
{
	return info_of(fd).tcpi_advmss;
}

uint64_t xf_tcp__rtt(int fd)
{
	return info_of(fd).tcpi_rtt * 1000ULL;
}

uint64_t xf_tcp__quiet(int fd, uint64_t *moved)
{
	struct tcp_info info = info_of(fd);

	*moved += info.tcpi_bytes_received + info.tcpi_bytes_acked;
	/* A UNIX socket has no such time. */
	return info.tcpi_state ? info.tcpi_last_data_recv * XF_MSEC : UINT64_MAX;
}

uint64_t xf_tcp__unacked(int fd)
{
	return queue(fd, SIOCOUTQ);
}

uint64_t xf_tcp__waiting(int fd)
{
	return queue(fd, SIOCINQ);
}

static bool fin_has_come(int fd)
{
	switch (info_of(fd).tcpi_state) {
	case BPF_TCP_CLOSE_WAIT:
	case BPF_TCP_LAST_ACK:
	case BPF_TCP_CLOSING:
	case BPF_TCP_TIME_WAIT:
	case BPF_TCP_CLOSE:
		return true;
	default:
		return false;
	}
}

/* The bytes that recvmsg() would return, the FIN included; -1 when nothing can be read. */
static int peeked(int fd)
{
	union {
		struct cmsghdr aligned;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	int on = 1, off = 0, bytes = -1;
	struct iovec iov = { .iov_base = &(char) { 0 }, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	setsockopt(fd, IPPROTO_TCP, TCP_INQ, &on, sizeof(on));
	if (recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT) > 0) {
		cmsg = CMSG_FIRSTHDR(&msg);
		if (cmsg && cmsg->cmsg_level == IPPROTO_TCP && cmsg->cmsg_type == TCP_CM_INQ)
			memcpy(&bytes, CMSG_DATA(cmsg), sizeof(bytes));
	}
	setsockopt(fd, IPPROTO_TCP, TCP_INQ, &off, sizeof(off));
	return bytes;
}

/* FIONREAD does not do: for a socket in a map some kernels tell the bytes that the map keeps for it
 * (seen on 6.18.44), and the map's hold lasts beyond the socket's removal, as long as a thread of
 * the kernel works for it. Reading would take an error that waits, so there it is left alone. */
uint64_t xf_tcp__in_queue(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	int bytes;

	if (poll(&readable, 1, 0) != 1 || !(readable.revents & POLLIN))
		return 0;
	bytes = readable.revents & POLLERR ? -1 : peeked(fd);
	if (bytes < 0)
		return xf_tcp__waiting(fd);
	return bytes - fin_has_come(fd);
}

uint64_t xf_tcp__consumed(int fd)
{
	uint64_t received, queued;

	do {
		received = xf_tcp__received(fd);
		queued = xf_tcp__in_queue(fd);
	} while (xf_tcp__received(fd) != received);
	return received - queued;
}

uint64_t xf_tcp__acked(int fd)
{
	return info_of(fd).tcpi_bytes_acked;
}

uint64_t xf_tcp__written(int fd)
{
	uint64_t acked = xf_tcp__acked(fd);

	return acked + queue(fd, SIOCOUTQ);
}

uint64_t xf_tcp__written_exactly(int fd)
{
	uint64_t acked, sum;

	do {
		acked = xf_tcp__acked(fd);
		sum = acked + queue(fd, SIOCOUTQ);
	} while (xf_tcp__acked(fd) != acked);
	return sum;
}

int xf_tcp__error(int fd)
{
	socklen_t len = sizeof(int);
	int err = 0;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

bool xf_tcp__is_closed(int fd)
{
	return info_of(fd).tcpi_state == BPF_TCP_CLOSE;
}

static void set_low_water(int fd, int bytes)
{
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
}

bool xf_tcp__is_established(int fd)
{
	return info_of(fd).tcpi_state == BPF_TCP_ESTABLISHED;
}

void xf_tcp__hush(int fd)
{
	set_low_water(fd, INT_MAX);
}

void xf_tcp__kick(int fd)
{
	set_low_water(fd, 1);
}

int xf_tcp__attach(int fd, int program)
{
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)) ? -errno : 0;
}

void xf_tcp__detach(int fd)
{
	int none = 0;

	setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
}
