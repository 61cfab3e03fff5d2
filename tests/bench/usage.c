// SPDX-License-Identifier: GPL-2.0-only
/* CPU time and memory of the machine and of one process, from /proc. */
#include "tests/bench/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/* Call @take with each line; it returns what the line adds. */
static double sum_lines(const char *path, double (*take)(const char *line))
{
	FILE *file = fopen(path, "r");
	char line[4096];
	double sum = 0;

	if (!file)
		bench_fail(path);
	while (fgets(line, sizeof(line), file))
		sum += take(line);
	fclose(file);
	return sum;
}

static double busy_ticks(const char *line)
{
	unsigned long long user, nice, system, idle, iowait, irq, softirq;

	/* The first line, which is of all together. */
	if (strncmp(line, "cpu ", 4) ||
	    sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle,
		   &iowait, &irq, &softirq) != 7)
		return 0;
	return user + nice + system + irq + softirq;
}

double usage_machine(void)
{
	return sum_lines("/proc/stat", busy_ticks) / sysconf(_SC_CLK_TCK);
}

static double kernel_bytes(const char *line)
{
	unsigned long long kib;

	if (sscanf(line, "Slab: %llu kB", &kib) == 1 || sscanf(line, "Percpu: %llu kB", &kib) == 1)
		return kib * 1024.0;
	return 0;
}

static double socket_bytes(const char *line)
{
	const char *pages = strncmp(line, "TCP:", 4) ? NULL : strstr(line, " mem ");

	return pages ? strtod(pages + 5, NULL) * sysconf(_SC_PAGESIZE) : 0;
}

static double rss_bytes(const char *line)
{
	unsigned long long kib;

	return sscanf(line, "VmRSS: %llu kB", &kib) == 1 ? kib * 1024.0 : 0;
}

static double run_ns(const char *line)
{
	return strtod(line, NULL);
}

static double process_ns(pid_t pid)
{
	struct dirent *entry;
	char path[512];
	double sum = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		bench_fail("the relay is gone");
	while ((entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, entry->d_name);
		sum += sum_lines(path, run_ns);
	}
	closedir(dir);
	return sum;
}

void usage_read(struct usage *usage, pid_t pid)
{
	char path[64];

	memset(usage, 0, sizeof(*usage));
	usage->at = bench_now_ns();
	usage->machine = usage_machine();
	usage->kernel = sum_lines("/proc/meminfo", kernel_bytes) +
			sum_lines("/proc/self/net/sockstat", socket_bytes);
	if (!pid)
		return;
	usage->process = process_ns(pid) / 1e9;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	usage->rss = sum_lines(path, rss_bytes);
}
