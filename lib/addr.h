/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses to text, fast: these are called several times for each line of the log. Each returns
 * the end of its text, writes no final NUL, and may write up to its XF_*_TEXT bytes even when the
 * text is shorter. Addresses are in network byte order. */
#ifndef XF_ADDR_H
#define XF_ADDR_H

#include <stdint.h>

#define XF_IP4_TEXT 15
#define XF_IP6_TEXT 45 /* with an embedded IPv4 address */
#define XF_MAC_TEXT 17

char *xf_ip4_text(char *out, const uint8_t addr[4]);
/* The form of RFC 5952; IPv4-mapped ones as ::ffff:192.0.2.1. The same as inet_ntop() writes. */
char *xf_ip6_text(char *out, const uint8_t addr[16]);
char *xf_mac_text(char *out, const uint8_t addr[6]);

/* A number in decimal, at most 20 digits. */
char *xf_u64_text(char *out, uint64_t n);
/* The same with leading zeros, exactly @digits digits long. */
char *xf_padded_text(char *out, uint32_t n, unsigned int digits);

#endif
