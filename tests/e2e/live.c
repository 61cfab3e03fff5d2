// SPDX-License-Identifier: GPL-2.0-only
/* live IFACE COUNT [CHUNK [CPU]]: deliver COUNT frames to the other end of a veth as fast as the
 * kernel can (by its XDP test run with live frames), in bursts of CHUNK. Prints how many there
 * were.
 *
 * A veth drops frames while 256 wait for its other end, which runs on the CPU that sent first: when
 * the scheduler moves this process away from there, a whole time slice of frames may be dropped.
 * They are sent again. */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "frame.h"

#define BATCH 64 /* fewer than the 256 that a veth queues until its other end runs */

static long bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* XDP: return bpf_redirect(ifindex, 0) */
static int load(unsigned int ifindex)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = ifindex },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)code,
		.insn_cnt = sizeof(code) / sizeof(code[0]),
		.license = (uintptr_t) "GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

static int send_frames(int prog, unsigned char *frame, size_t len, unsigned int n)
{
	struct xdp_md ctx = { .data_end = len };
	union bpf_attr attr = { .test = {
				    .prog_fd = prog,
				    .data_in = (uintptr_t)frame,
				    .data_size_in = len,
				    .ctx_in = (uintptr_t)&ctx,
				    .ctx_size_in = sizeof(ctx),
				    .repeat = n,
				    .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
				    .batch_size = BATCH,
				} };

	while (bpf(BPF_PROG_TEST_RUN, &attr))
		if (errno != EINTR)
			return -errno;
	return 0;
}

static struct rtnl_link_stats counts(const char *iface)
{
	struct rtnl_link_stats stats = {};
	struct ifaddrs *all, *i;

	if (getifaddrs(&all)) {
		perror("getifaddrs");
		exit(1);
	}
	for (i = all; i; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_PACKET &&
		    !strcmp(i->ifa_name, iface))
			memcpy(&stats, i->ifa_data, sizeof(stats));
	freeifaddrs(all);
	return stats;
}

/* Wait until the other end has received or dropped the n frames sent since before. Returns how many
 * it has received. */
static unsigned int delivered(const char *iface, const struct rtnl_link_stats *before,
			      unsigned int n)
{
	unsigned int dropped;

	for (;;) {
		struct rtnl_link_stats now = counts(iface);

		dropped = now.tx_dropped - before->tx_dropped;
		if (now.tx_packets - before->tx_packets + dropped >= n)
			return n - dropped;
		usleep(1000);
	}
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0, sent = 0;
	unsigned int chunk = argc > 3 ? strtoul(argv[3], NULL, 10) : 1 << 20;
	unsigned int cpu = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	int prog = argc > 2 ? load(if_nametoindex(argv[1])) : -1;
	unsigned char frame[64];
	cpu_set_t cpus;

	if (prog < 0) {
		perror("usage: live IFACE COUNT [CHUNK [CPU]], or the program does not load");
		return 2;
	}
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (argc > 4 && sched_setaffinity(0, sizeof(cpus), &cpus)) {
		perror("sched_setaffinity");
		return 2;
	}
	frame_make(frame, sizeof(frame), 20000 + cpu, 20000, 0);
	while (sent < count) {
		unsigned int n = chunk < count - sent ? chunk : count - sent;
		struct rtnl_link_stats before = counts(argv[1]);
		int err = send_frames(prog, frame, sizeof(frame), n);

		if (err) {
			fprintf(stderr, "test run: %s\n", strerror(-err));
			return 1;
		}
		sent += delivered(argv[1], &before, n);
	}
	printf("%u\n", sent);
	return 0;
}
