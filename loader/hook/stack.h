/* SPDX-License-Identifier: GPL-2.0-only */
/* Which interfaces are upon which: a bridge upon its ports, a VLAN or macvlan upon its interface.
 * The kernel changes no XDP program of an interface while one upon it has a program. */
#ifndef XF_STACK_H
#define XF_STACK_H

#include <net/if.h>
#include <stdbool.h>

/* Fill @order with the places in @ifindexes so that each interface comes behind those below it, and
 * else as they stand there. */
void xf_stack_order(const unsigned int *ifindexes, unsigned int n, unsigned int *order);

/* Whether an interface upon this one has an XDP program; its name. */
bool xf_stack_program_above(unsigned int ifindex, char name[IF_NAMESIZE]);

#endif
