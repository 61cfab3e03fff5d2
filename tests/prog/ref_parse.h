/* SPDX-License-Identifier: GPL-2.0-only */
/* What a record must say of a packet, worked out in plain C from the RFCs, to compare the BPF
 * parser with.
 *
 * Where the RFCs leave an observer a choice, it is made as follows.
 * - What the length in the IP header leaves out is padding: layer 4 is not read from there. A
 * length of 0 means that it is longer than the field can say.
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

/* The same as the firewall has it: authentication, mobility, HIP and shim6 headers are what Linux
 * takes for the protocol. Returns whether there are more VLAN tags or extension headers than are
 * looked through, or these do not end in what is there, or what rules ask of layer 4 is in a later
 * fragment. */
bool xf_ref_parse_fw(const uint8_t *bytes, size_t len, struct xf_record *rec);

#endif
