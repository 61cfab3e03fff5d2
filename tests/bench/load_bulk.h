/* SPDX-License-Identifier: GPL-2.0-only */
/* The client's bulk transfers: on as many connections as asked, in one thread. */
#ifndef XF_LOAD_BULK_H
#define XF_LOAD_BULK_H

#include "tests/bench/load.h"

struct bulk;

/* Start to send. */
struct bulk *bulk_start(const struct load *load, unsigned int connections);
/* End each transfer with its last block and wait for the answers. Returns how many bytes were lost:
 * sent, and not among those that came and were right. */
uint64_t bulk_stop(struct bulk *bulk);

#endif
