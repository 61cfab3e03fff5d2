/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of a packet by a parser in plain C from the RFCs, to compare the BPF parser with.
 *
 * Where the RFCs leave an observer a choice, it is made as follows.
 * - Bytes behind the length in the IP header are padding, and layer 4 is not read from there. A
 * length of 0 stands for a packet that is longer than the field can tell.
 * - Of an ARP packet only the address lengths and the protocol type say whether it is about IPv4
 * over Ethernet, since these are what the place of the addresses depends on; the hardware type is
 * not looked at.
 * - No checksum is verified. */
#ifndef XF_TEST_REF_PARSE_H
#define XF_TEST_REF_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdp-prog/abi.h"

/* Fill in all of @rec but boot_ns and rx_queue, which are not in the bytes: these become 0. */
void xf_ref_parse(const uint8_t *bytes, size_t len, struct xf_record *rec);

/* The same for the firewall: authentication, mobility, HIP and shim6 headers are the protocol, as
 * for Linux, and the type of IGMP is read like that of ICMP. Returns whether there are more VLAN
 * tags or extension headers than the firewall reads, or they do not end in the packet, or fields of
 * layer 4 that rules need are in a later fragment.
 */
bool xf_ref_parse_fw(const uint8_t *bytes, size_t len, struct xf_record *rec);

#endif
