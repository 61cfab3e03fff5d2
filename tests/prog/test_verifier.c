// SPDX-License-Identifier: GPL-2.0-only
/* Each program of the product loads, and needs no more of the verifier than its budget, so that a
 * program that grows towards the limit is noticed before it fails on another kernel or with another
 * compiler. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/prog/harness.h"
#include "tests/prog/verifier_budget.h"

#define BUDGETS (sizeof(xf_budgets) / sizeof(xf_budgets[0]))

static unsigned int seen[BUDGETS]; /* programs by this name in all objects */

/* Returns the kernel's count, which is 0 before 5.16. */
static uint32_t verified_insns(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(prog_fd, &info, &len), 0);
	return info.verified_insns;
}

static const struct xf_budget *budget_of(const char *program)
{
	for (size_t i = 0; i < BUDGETS; i++)
		if (!strcmp(xf_budgets[i].program, program))
			return &xf_budgets[i];
	return NULL;
}

/* Returns whether the program is within its budget, or prints the reason. */
static bool check_program(const struct bpf_program *prog)
{
	const char *name = bpf_program__name(prog);
	const struct xf_budget *budget = budget_of(name);
	uint32_t insns, most;

	if (!budget) {
		print_error("%s has no line in verifier_budget.h\n", name);
		return false;
	}
	seen[budget - xf_budgets]++;
	most = (uint64_t)budget->insns * (100 + XF_BUDGET_SLACK) / 100;
	insns = verified_insns(bpf_program__fd(prog));
	print_message("# note: %s: %u instructions verified, at most %u\n", name, insns, most);
	if (insns > most)
		print_error("%s: the verifier went through %u instructions, more than %u\n", name,
			    insns, most);
	return insns && insns <= most;
}

static void check_object(const char *path)
{
	struct bpf_object *object = bpf_object__open(path);
	struct bpf_program *prog;
	bool good = true;

	if (!object || bpf_object__load(object))
		fail_msg("cannot load %s: %s", path, strerror(errno));
	bpf_object__for_each_program (prog, object)
		good = check_program(prog) && good;
	bpf_object__close(object);
	assert_true(good);
}

static void logger_is_within_its_budget(void **state)
{
	(void)state;
	check_object(xf_logger_object());
}

static void firewall_is_within_its_budget(void **state)
{
	(void)state;
	check_object(xf_firewall_object());
}

static void relay_is_within_its_budget(void **state)
{
	(void)state;
	check_object(xf_relay_object());
}

static void every_line_has_its_program(void **state)
{
	(void)state;
	for (size_t i = 0; i < BUDGETS; i++)
		if (seen[i] != 1)
			fail_msg("%u programs are named %s, which verifier_budget.h has a line for",
				 seen[i], xf_budgets[i].program);
}

static const char *refusal(void)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const char *why = xf_harness_refusal();
	uint32_t insns;
	int fd;

	if (why)
		return why;
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "xf_nothing", "GPL", nothing, 2, NULL);
	assert_true(fd >= 0);
	insns = verified_insns(fd);
	close(fd);
	return insns ? NULL : "the kernel does not say how many instructions it verified";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logger_is_within_its_budget),
		cmocka_unit_test(firewall_is_within_its_budget),
		cmocka_unit_test(relay_is_within_its_budget),
		cmocka_unit_test(every_line_has_its_program),
	};
	const char *why = refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
