// SPDX-License-Identifier: GPL-2.0-only
/* live IFACE COUNT [CHUNK [CPU]]: send COUNT frames over a veth as fast as the kernel can (by its
 * XDP test run with live frames), in bursts of CHUNK with some milliseconds between them. Prints
 * how many were sent. */
#include <errno.h>
#include <linux/bpf.h>
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

int main(int argc, char **argv)
{
	unsigned int count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0, sent = 0;
	unsigned int chunk = argc > 3 ? strtoul(argv[3], NULL, 10) : 1 << 20;
	unsigned int cpu = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	int prog = argc > 2 ? load(if_nametoindex(argv[1])) : -1;
	unsigned char frame[64];
	cpu_set_t cpus;

	if (prog < 0) {
		perror("usage: live IFACE COUNT [RATE [CPU]], or the program does not load");
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
		int err = send_frames(prog, frame, sizeof(frame), n);

		if (err) {
			fprintf(stderr, "test run: %s\n", strerror(-err));
			return 1;
		}
		sent += n;
	}
	printf("%u\n", sent);
	return 0;
}
