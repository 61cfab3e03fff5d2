// SPDX-License-Identifier: GPL-2.0-only
/* The versions in the names of kernels of distributions, and the kernels whose sockmap is not used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sockmap/relay/kernel_version.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SMP "#1 SMP PREEMPT_DYNAMIC "
#define PLAIN SMP "Mon Jan  6 12:00:00 UTC 2025"

static const struct {
	const char *release, *version, *signature;
	struct xf_kernel_version v;
	bool has_bug;
} kernels[] = {
	/* kernel.org's: the last with the bug and the first without, of each series from 6.1 on */
	{ "5.10.0", PLAIN, NULL, { 5, 10, 0 }, true },
	{ "5.10.240", PLAIN, NULL, { 5, 10, 240 }, true },
	{ "5.15.185", PLAIN, NULL, { 5, 15, 185 }, true },
	{ "5.15.186", PLAIN, NULL, { 5, 15, 186 }, true },
	{ "5.19.17", PLAIN, NULL, { 5, 19, 17 }, true },
	{ "6.1.141", PLAIN, NULL, { 6, 1, 141 }, true },
	{ "6.1.142", PLAIN, NULL, { 6, 1, 142 }, false },
	{ "6.5.200", PLAIN, NULL, { 6, 5, 200 }, true },
	{ "6.6.93", PLAIN, NULL, { 6, 6, 93 }, true },
	{ "6.6.94", PLAIN, NULL, { 6, 6, 94 }, false },
	{ "6.11.11", PLAIN, NULL, { 6, 11, 11 }, true },
	{ "6.12.33", PLAIN, NULL, { 6, 12, 33 }, true },
	{ "6.12.34", PLAIN, NULL, { 6, 12, 34 }, false },
	{ "6.14.11", PLAIN, NULL, { 6, 14, 11 }, true },
	{ "6.15.2", PLAIN, NULL, { 6, 15, 2 }, true },
	{ "6.15.3", PLAIN, NULL, { 6, 15, 3 }, false },
	{ "6.16.0", PLAIN, NULL, { 6, 16, 0 }, false },
	{ "6.16", PLAIN, NULL, { 6, 16, 0 }, false },
	{ "6.17.0", PLAIN, NULL, { 6, 17, 0 }, false },
	{ "6.17", PLAIN, NULL, { 6, 17, 0 }, false },
	{ "7.0", PLAIN, NULL, { 7, 0, 0 }, false },
	{ "7.0.0", PLAIN, NULL, { 7, 0, 0 }, false },
	{ "7.1.1", PLAIN, NULL, { 7, 1, 1 }, false },
	{ "10.0.0", PLAIN, NULL, { 10, 0, 0 }, false },
	{ "6.15.0-rc7", PLAIN, NULL, { 6, 15, 0 }, true },
	{ "6.16.0-rc1", PLAIN, NULL, { 6, 16, 0 }, false },
	{ "6.16-rc1", PLAIN, NULL, { 6, 16, 0 }, false },
	{ "7.0.0-rc3-00123-gdeadbeef", PLAIN, NULL, { 7, 0, 0 }, false },
	{ "6.1.142+", PLAIN, NULL, { 6, 1, 142 }, false },
	/* Debian */
	{ "5.10.0-35-amd64", "#1 SMP Debian 5.10.237-1 (2025-05-19)", NULL, { 5, 10, 237 }, true },
	{ "6.1.0-37-amd64", SMP "Debian 6.1.140-1 (2025-05-22)", NULL, { 6, 1, 140 }, true },
	{ "6.1.0-38-amd64", SMP "Debian 6.1.147-1 (2025-08-02)", "", { 6, 1, 147 }, false },
	{ "6.1.0-38-cloud-arm64",
	  "#1 SMP Debian 6.1.147-1 (2025-08-02)",
	  NULL,
	  { 6, 1, 147 },
	  false },
	{ "6.1.0-38-rt-amd64",
	  "#1 SMP PREEMPT_RT Debian 6.1.147-1 (2025-08-02)",
	  NULL,
	  { 6, 1, 147 },
	  false },
	{ "6.12.32+bpo-amd64",
	  SMP "Debian 6.12.32-1~bpo12+1 (2025-06-21)",
	  NULL,
	  { 6, 12, 32 },
	  true },
	{ "6.12.41+deb13-amd64", SMP "Debian 6.12.41-1 (2025-08-12)", NULL, { 6, 12, 41 }, false },
	{ "6.16+unreleased-amd64",
	  SMP "Debian 6.16-1~exp1 (2025-07-28)",
	  NULL,
	  { 6, 16, 0 },
	  false },
	{ "6.15-rc7-amd64", SMP "Debian 6.15~rc7-1~exp1 (2025-05-20)", NULL, { 6, 15, 0 }, true },
	{ "6.1.142", SMP "Debian ", NULL, { 6, 1, 142 }, false },
	/* Ubuntu */
	{ "6.8.0-60-generic",
	  "#63-Ubuntu " PLAIN,
	  "Ubuntu 6.8.0-60.63-generic 6.8.12\n",
	  { 6, 8, 12 },
	  true },
	{ "5.15.0-140-generic",
	  "#150-Ubuntu " PLAIN,
	  "Ubuntu 5.15.0-140.150-generic 5.15.179\n",
	  { 5, 15, 179 },
	  true },
	{ "5.15.0-153-generic",
	  "#163-Ubuntu " PLAIN,
	  "Ubuntu 5.15.0-153.163-generic 5.15.189\n",
	  { 5, 15, 189 },
	  true },
	{ "6.17.0-5-generic",
	  "#5-Ubuntu " PLAIN,
	  "Ubuntu 6.17.0-5.5-generic 6.17.0\n",
	  { 6, 17, 0 },
	  false },
	{ "5.15.0-153-generic", "#163-Ubuntu " PLAIN, NULL, { 5, 15, 0 }, true },
	{ "5.15.0-153-generic",
	  "#163-Ubuntu " PLAIN,
	  "Ubuntu 5.15.0-153.163-generic",
	  { 5, 15, 0 },
	  true },
	/* clouds and others */
	{ "6.8.0-1030-azure",
	  "#35~22.04.1-Ubuntu " PLAIN,
	  "Ubuntu 6.8.0-1030.35~22.04.1-azure 6.8.12\n",
	  { 6, 8, 12 },
	  true },
	{ "6.1.141-155.222.amzn2023.x86_64", PLAIN, NULL, { 6, 1, 141 }, true },
	{ "6.1.144-170.251.amzn2023.x86_64", PLAIN, NULL, { 6, 1, 144 }, false },
	{ "6.6.93+", PLAIN, NULL, { 6, 6, 93 }, true },
	{ "6.6.87.2-microsoft-standard-WSL2", PLAIN, NULL, { 6, 6, 87 }, true },
	{ "5.14.0-570.el9.x86_64", PLAIN, NULL, { 5, 14, 0 }, true },
	{ "6.18.44-fc-v669", "#1 SMP PREEMPT_DYNAMIC @0", NULL, { 6, 18, 44 }, false },
	{ "6.15.3-arch1-1", PLAIN, NULL, { 6, 15, 3 }, false },
	/* rubbish has the bug */
	{ "", "", NULL, { 0, 0, 0 }, true },
	{ "", "", "", { 0, 0, 0 }, true },
	{ "garbage", "garbage", "garbage", { 0, 0, 0 }, true },
	{ "7", PLAIN, NULL, { 0, 0, 0 }, true },
	{ "7.", PLAIN, NULL, { 0, 0, 0 }, true },
	{ "7.x", PLAIN, NULL, { 0, 0, 0 }, true },
	{ ".7.1", PLAIN, NULL, { 0, 0, 0 }, true },
	{ " 7.0.0", PLAIN, NULL, { 0, 0, 0 }, true },
	{ "-7.0.0", PLAIN, NULL, { 0, 0, 0 }, true },
	{ "6.-1.0", PLAIN, NULL, { 0, 0, 0 }, true },
	{ "+7.0.0", PLAIN, NULL, { 0, 0, 0 }, true },
	{ "123456.0.0", PLAIN, NULL, { 0, 0, 0 }, true },
	{ "99999999999999999999.1.1", PLAIN, NULL, { 0, 0, 0 }, true },
	{ "6.1.-5", PLAIN, NULL, { 6, 1, 0 }, true },
	{ "6.1.141", SMP "Debian x.y.z", "Ubuntu 7 -7.0.0", { 6, 1, 141 }, true },
	{ "6.1.141", SMP "Debian 7.0", "  ", { 6, 1, 141 }, true },
};

static void test_kernels(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		const struct xf_kernel_version *want = &kernels[i].v;
		struct xf_kernel_version v = xf_kernel_version_of(
		    kernels[i].release, kernels[i].version, kernels[i].signature);

		if (v.major != want->major || v.minor != want->minor || v.patch != want->patch)
			fail_msg("\"%s\" is taken for %u.%u.%u", kernels[i].release, v.major,
				 v.minor, v.patch);
		if (xf_kernel_version_has_data_bug(&v) != kernels[i].has_bug)
			fail_msg("\"%s\": %s", kernels[i].release,
				 kernels[i].has_bug ? "no bug" : "a bug");
	}
}

static void test_at_least(void **state)
{
	static const struct {
		struct xf_kernel_version v;
		bool is;
	} rows[] = {
		{ { 0, 0, 0 }, false },	 { { 5, 10, 240 }, false }, { { 5, 18, 99 }, false },
		{ { 5, 19, 0 }, true },	 { { 5, 20, 0 }, true },    { { 6, 0, 0 }, true },
		{ { 6, 18, 44 }, true }, { { 7, 0, 0 }, true },	    { { 4, 19, 300 }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(xf_kernel_version_at_least(&rows[i].v, 5, 19), rows[i].is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_at_least),
	};

	return cmocka_run_group_tests_name("kernel_version", tests, NULL, NULL);
}
