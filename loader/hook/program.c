// SPDX-License-Identifier: GPL-2.0-only
/* A loaded program of ours, through the maps that belong to its program id. */
#include "loader/hook/netdev.h"
#include "loader/hook/program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const __u32 zero;

/* The maps of a program, and the field of struct xf_program for the descriptor of each. */
static const struct {
	const char *name;
	size_t offset;
} map_slots[] = {
	{ XF_RINGS_MAP, offsetof(struct xf_program, rings_fd) },
	{ XF_COUNTERS_MAP, offsetof(struct xf_program, counters_fd) },
	{ XF_CONFIG_MAP, offsetof(struct xf_program, config_fd) },
	{ XF_OWNER_MAP, offsetof(struct xf_program, owner_fd) },
	{ XF_ALIVE_MAP, offsetof(struct xf_program, alive_fd) },
};
#define MAP_SLOTS (sizeof(map_slots) / sizeof(map_slots[0]))

static int *map_slot(struct xf_program *program, size_t i)
{
	return (int *)((char *)program + map_slots[i].offset);
}

/* Keep the map if it is one of map_slots. */
static bool take_map(void *arg, int fd, const struct bpf_map_info *info)
{
	struct xf_program *program = arg;

	for (size_t i = 0; i < MAP_SLOTS; i++) {
		if (strcmp(info->name, map_slots[i].name) || *map_slot(program, i) >= 0)
			continue;
		*map_slot(program, i) = fd;
		return true;
	}
	if (!strcmp(info->name, XF_LINK_MAP))
		bpf_map_lookup_elem(fd, &(__u32) { 0 }, &program->link);
	if (xf_maps__is_abi(fd, info, program->mark, &program->abi_version))
		program->ours = true;
	return false;
}

static int open_maps(struct xf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int err;

	if (bpf_obj_get_info_by_fd(program->prog_fd, &info, &len))
		return -errno;
	memcpy(program->tag, info.tag, XF_TAG_LEN);
	err = xf_maps__each(program->prog_fd, take_map, program);
	if (err)
		return err;
	if (!program->ours)
		return -ENOENT;
	if (program->abi_version != program->mark->version)
		return -EPROTO;
	for (size_t i = 0; i < MAP_SLOTS; i++)
		if (*map_slot(program, i) < 0)
			return -EPROTO;
	return 0;
}

int xf_program__open(struct xf_program *program, const struct xf_abi_mark *mark, __u32 prog_id)
{
	int err;

	*program = (struct xf_program) { .prog_id = prog_id, .prog_fd = -1, .mark = mark };
	for (size_t i = 0; i < MAP_SLOTS; i++)
		*map_slot(program, i) = -1;
	program->prog_fd = bpf_prog_get_fd_by_id(prog_id);
	if (program->prog_fd < 0)
		return -errno;
	err = open_maps(program);
	if (err && err != -EPROTO)
		xf_program__close(program);
	return err;
}

bool xf_program__is_blind(const struct xf_program *program, const char *ifname)
{
	unsigned int type;
	int link = xf_netdev_frames(ifname, &type);

	return link == -EPROTONOSUPPORT || link == -EOPNOTSUPP || link == -EADDRNOTAVAIL ||
	       (link >= 0 && (__u32)link != program->link);
}

void xf_program__close(struct xf_program *program)
{
	for (size_t i = 0; i < MAP_SLOTS; i++) {
		if (*map_slot(program, i) >= 0)
			close(*map_slot(program, i));
		*map_slot(program, i) = -1;
	}
	if (program->prog_fd >= 0)
		close(program->prog_fd);
	program->prog_fd = -1;
}

int xf_program__counters(const struct xf_program *program, struct xf_counters *sum)
{
	int cpus = libbpf_num_possible_cpus();
	struct xf_counters *each;
	int err = 0;

	memset(sum, 0, sizeof(*sum));
	if (cpus < 0)
		return cpus;
	each = calloc(cpus, sizeof(*each));
	if (!each)
		return -ENOMEM;
	if (bpf_map_lookup_elem(program->counters_fd, &zero, each))
		err = -errno;
	for (int cpu = 0; !err && cpu < cpus; cpu++) {
		sum->submitted += each[cpu].submitted;
		sum->lost += each[cpu].lost;
		sum->unread += each[cpu].unread;
		sum->filtered += each[cpu].filtered;
		sum->sampled_out += each[cpu].sampled_out;
		sum->rate_limited += each[cpu].rate_limited;
	}
	free(each);
	return err;
}

int xf_program__owner(const struct xf_program *program, struct xf_owner *owner)
{
	return bpf_map_lookup_elem(program->owner_fd, &zero, owner) ? -errno : 0;
}

int xf_program__owner_set(const struct xf_program *program, const struct xf_owner *owner)
{
	return bpf_map_update_elem(program->owner_fd, &zero, owner, BPF_ANY) ? -errno : 0;
}

struct xf_config *xf_program__config_map(const struct xf_program *program)
{
	void *mem = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			 program->config_fd, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

void xf_program__config_unmap(struct xf_config *config)
{
	if (config)
		munmap(config, sysconf(_SC_PAGESIZE));
}

int xf_possible_cpus(void)
{
	int cpus = libbpf_num_possible_cpus();

	return cpus > XF_MAX_CPUS ? XF_MAX_CPUS : cpus;
}
