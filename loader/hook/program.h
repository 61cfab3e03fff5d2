/* SPDX-License-Identifier: GPL-2.0-only */
/* A loaded program of ours, through the maps that belong to its program id. */
#ifndef XF_PROGRAM_H
#define XF_PROGRAM_H

#include <stdbool.h>

#include "xdp-prog/abi.h"
#include "loader/hook/maps.h"

#define XF_TAG_LEN 8

struct xf_program {
	__u32 prog_id;
	__u32 abi_version;
	__u32 link;	      /* enum xf_link: what it takes frames to begin with */
	__u8 tag[XF_TAG_LEN]; /* the kernel's hash of the instructions */
	int prog_fd;
	int rings_fd;
	int counters_fd;
	int config_fd;
	int owner_fd;
	int alive_fd;
	/* Used by xf_program__open() only. */
	const struct xf_abi_mark *mark;
	bool ours;
};

/* Open the program with this id. Returns 0; -ENOENT when there is none, or none of the object with
 * this mark; -EPROTO when its ABI version is another one (then only abi_version,
 * xf_program__owner() and xf_program__close() may be used); or another -errno. Nothing is left open
 * but for 0 and -EPROTO. */
int xf_program__open(struct xf_program *program, const struct xf_abi_mark *mark, __u32 prog_id);
void xf_program__close(struct xf_program *program);
/* Whether it reads nothing on this interface, whose frames begin with something else than it was
 * told by whom loaded it. */
bool xf_program__is_blind(const struct xf_program *program, const char *ifname);

/* Sum up the counters of all CPUs. Returns 0 or -errno. */
int xf_program__counters(const struct xf_program *program, struct xf_counters *sum);
/* Read or write the owner record. Return 0 or -errno. */
int xf_program__owner(const struct xf_program *program, struct xf_owner *owner);
int xf_program__owner_set(const struct xf_program *program, const struct xf_owner *owner);

/* Map the configuration for reading and writing. Returns NULL with errno set on failure; unmap with
 * xf_program__config_unmap(). */
struct xf_config *xf_program__config_map(const struct xf_program *program);
void xf_program__config_unmap(struct xf_config *config);

/* Number of possible CPUs, at most XF_MAX_CPUS, or -errno. */
int xf_possible_cpus(void);

#endif
