/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory of the IPv4 prefixes of a generation, made when there are many of them. Every
 * function does nothing where there is none. Inside firewall/ only. */
#ifndef XF_DIRECTORY_H
#define XF_DIRECTORY_H

#include "firewall/table/index.h"

/* A prefix came, whose first rule is id and which is in the index and the lengths. When they have
 * become many the directory is made; if there is no memory for it look-ups go on without. */
void xf_directory__insert(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
			  unsigned int length, uint32_t id);
/* Its first rule is another one. */
void xf_directory__replace(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
			   unsigned int length, uint32_t old, uint32_t id);
/* It is gone, from the index and the lengths too. */
void xf_directory__remove(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
			  unsigned int length, uint32_t id);

#endif
