// SPDX-License-Identifier: GPL-2.0-only
/* The rings that a reader leaves in its program's slots when it dies. */
#include "loader/log/leftover.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "loader/hook/slots.h"
#include "loader/log/reader.h"

/* bpf_perf_event_output() into entry 0 of the map: user space cannot read such a map. It returns
 * the error as a positive number. */
static int load_probe(int alive_fd)
{
	const struct bpf_insn insns[] = {
		/* *(u32 *)(r10 - 4) = 0 */
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .off = -4 },
		/* r2 = map */
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = BPF_REG_2,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = alive_fd },
		{ 0 },
		/* r3 = 0, r4 = r10 - 4, r5 = 4 */
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X,
		  .dst_reg = BPF_REG_4,
		  .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_4, .imm = -4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_5, .imm = 4 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_perf_event_output },
		/* return -r0 */
		{ .code = BPF_ALU64 | BPF_NEG, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "xf_alive_probe", "GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), NULL);
}

static bool is_dead(int alive_fd)
{
	unsigned char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));
	int fd = load_probe(alive_fd);
	bool dead;

	if (fd < 0)
		return false;
	dead = !bpf_prog_test_run_opts(fd, &opts) && opts.retval == ENOENT;
	close(fd);
	return dead;
}

static void release_rings(struct xf_locks *locks, const struct xf_program *program)
{
	pid_t holder;

	/* A reader that has begun meanwhile has its own rings in the slots. */
	if (xf_locks__read_program(locks, program->prog_id, &holder))
		return;
	xf_slots_empty(program->rings_fd, xf_possible_cpus());
	xf_locks__release_program(locks, program->prog_id);
}

int xf_leftover_look(struct xf_locks *locks, const struct xf_program *program, bool release,
		     struct xf_leftover *left)
{
	struct xf_reader reader;
	int err;

	*left = (struct xf_leftover) { 0, 0 };
	if (xf_locks__reader(locks, program->prog_id))
		return 0;
	err = xf_reader__open_left(&reader, program->rings_fd);
	if (err)
		return err;
	if (reader.n && is_dead(program->alive_fd)) {
		for (unsigned int i = 0; i < reader.n; i++)
			left->records += xf_ring__count(&reader.rings[i]);
		left->bytes = xf_reader__bytes(&reader);
		if (release)
			release_rings(locks, program);
	}
	xf_reader__close(&reader);
	return 0;
}
