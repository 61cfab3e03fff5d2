/* SPDX-License-Identifier: GPL-2.0-only */
/* The contract between the logger at the XDP hook and user space: map names, the record of one
 * packet, the counters and the knobs. A change of a layout or a meaning here must raise
 * XF_ABI_VERSION. */
#ifndef XF_ABI_H
#define XF_ABI_H

#include <linux/types.h>

/* The tables and the searches in them read several values as one word. */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "xdpfun is for little-endian machines only: its maps would be read wrongly on this one"
#endif

#define XF_PROG_NAME "xdpfun"

/* In a read-only section of its own, so that the map has this name whatever the object file is
 * called. It is how a loaded program is known to be xdpfun's: its maps are found by program id,
 * this one by name. */
#define XF_ABI_MAP ".rodata.xf_abi"
#define XF_ABI_MAGIC 0x6e756678u /* "xfun" in little-endian memory */
#define XF_ABI_VERSION 2u

struct xf_abi {
	__u32 magic;
	__u32 version;
};
_Static_assert(sizeof(struct xf_abi) == 8, "xf_abi is ABI");

/* The header with which a frame begins, as the loader has found it: a read-only map of one __u32,
 * so that the verifier leaves away the code for the other kind. Other loaders leave it at Ethernet.
 */
#define XF_LINK_MAP ".rodata.xf_link"
enum xf_link {
	XF_LINK_ETHER = 0,
	XF_LINK_IP = 1, /* the IP header, as on tun, WireGuard and ppp */
};

#define XF_RINGS_MAP                                                                               \
	"xf_rings" /* ARRAY_OF_MAPS: one slot per possible CPU, empty until a reader comes */
#define XF_COUNTERS_MAP "xf_counters" /* PERCPU_ARRAY of one xf_counters */
#define XF_CONFIG_MAP "xf_config"     /* ARRAY of one xf_config, written by the reader */
#define XF_OWNER_MAP "xf_owner"	      /* ARRAY of one xf_owner, written by the loader */
#define XF_ALIVE_MAP                                                                               \
	"xf_alive" /* PERF_EVENT_ARRAY: its one entry goes when the reader that made it dies */

#define XF_MAX_CPUS 1024
#define XF_MAX_VLANS 4
#define XF_MAX_LABELS 4 /* of MPLS */
#define XF_MAX_EXT_HDRS 8
#define XF_ETH_LEN_MAX 1500 /* IEEE 802.3: such a number in place of an EtherType is a length */

/* Which fields of a record are set. */
enum xf_have {
	XF_HAVE_ETH = 1 << 0, /* eth_src, eth_dst, eth_type, vlan[0 .. vlans) */
	XF_HAVE_IP4 = 1 << 1, /* src and dst hold IPv4 addresses in their first four bytes; proto */
	XF_HAVE_IP6 = 1 << 2, /* src and dst hold IPv6 addresses; proto */
	XF_HAVE_ARP = 1 << 3, /* arp_op; src and dst as for IPv4 when XF_HAVE_ARP_IP4 is set too */
	XF_HAVE_ARP_IP4 = 1 << 4,    /* the ARP packet maps IPv4 to addresses of six bytes, and its
					addresses were read */
	XF_HAVE_PORTS = 1 << 5,	     /* sport, dport */
	XF_HAVE_TCP_FLAGS = 1 << 6,  /* tcp_flags */
	XF_HAVE_ICMP = 1 << 7,	     /* icmp_type, icmp_code (ICMP or ICMPv6, as proto says) */
	XF_HAVE_FRAG = 1 << 8,	     /* frag_id, frag_off: the packet is a fragment */
	XF_HAVE_MORE_FRAGS = 1 << 9, /* and not the last one */
	XF_HAVE_LLC = 1 << 11,	     /* llc_dsap, llc_ssap: an 802.3 frame */
	XF_HAVE_SNAP = 1 << 12,	     /* snap_oui, snap_type: and these behind its LLC header */
	XF_TRUNCATED =
	    1 << 10, /* parsing stopped early: too short, malformed, or too many tags or headers */
};

/* One packet. All numbers in host byte order, addresses in network byte order.
 * proto is the last protocol number that was read: that of the layer-4 header, or of the extension
 * header at which parsing stopped. Fields that XF_HAVE_* does not announce are zero. */
struct xf_record {
	__u64 boot_ns;	/* when it came: CLOCK_BOOTTIME, ns */
	__u32 len;	/* the whole frame with its Ethernet header, all buffers, bytes */
	__u32 rx_queue; /* index of the receive queue */
	__u32 have;	/* enum xf_have */
	union {
		__u32 frag_id;
		__u32 snap_oui; /* of three bytes */
	};
	__u16 frag_off;		  /* bytes */
	__u16 eth_type;		  /* the one after the last tag that was read, also where IP follows
				     PPPoE or MPLS; up to XF_ETH_LEN_MAX
				     the length of an 802.3 frame, which has no EtherType */
	__u16 vlan[XF_MAX_VLANS]; /* ids, outermost first */
	__u8 vlans;
	__u8 proto;
	__u8 tcp_flags; /* the 14th byte of the TCP header: CWR ECE URG ACK PSH RST SYN FIN, most
			   significant first */
	__u8 reserved;
	union {
		struct {
			__u16 sport;
			__u16 dport;
		};
		struct {
			__u8 icmp_type;
			__u8 icmp_code;
		};
		__u16 arp_op;
		struct {
			__u8 llc_dsap;
			__u8 llc_ssap;
			__u16 snap_type;
		};
	};
	__u8 eth_dst[6]; /* as in the packet, so that both are copied at once */
	__u8 eth_src[6];
	__u8 src[16];
	__u8 dst[16];
};
_Static_assert(sizeof(struct xf_record) == 88, "xf_record is ABI");

/* Totals of one CPU. Each packet is counted in exactly one field, so "seen" is their sum: with no
 * counter of its own a reading taken while packets arrive cannot disagree with itself. */
struct xf_counters {
	__u64 submitted; /* given to a ring; the reader decides between logged, lost and unread */
	__u64 lost;	 /* ring full while its reader lives */
	__u64 unread;	 /* no ring on this CPU, or the ring is full and its reader is dead */
	__u64 filtered;	 /* reserved for filter expressions; always 0 today */
	__u64 sampled_out;
	__u64 rate_limited;
};
_Static_assert(sizeof(struct xf_counters) == 48, "xf_counters is ABI");

struct xf_config {
	__u32 sample_below; /* a packet is taken when a random 32-bit number is below this; 0: take
			       all */
	__u32 rate;	    /* at most so many records in any second, over all CPUs; 0: no limit */
	__u32 wake_mask;    /* 2^n - 1: wake the reader at each 2^n-th record of a CPU */
	__u32 wake_now;	    /* not 0: the reader sleeps until the next record, wake it at once */
};
_Static_assert(sizeof(struct xf_config) == 16, "xf_config is ABI");

/* The process that loaded the program and will detach it. All zero: something else than xdpfun-load
 * did. A pid alone is reused, and after a reboot so is the start time. */
struct xf_owner {
	__u32 pid;	   /* as the loader saw itself */
	__u32 pidns;	   /* inode of its pid namespace, in which pid counts */
	__u64 start_ticks; /* field 22 of /proc/PID/stat */
	__u8 boot_id[16];  /* /proc/sys/kernel/random/boot_id, as bytes */
};
_Static_assert(sizeof(struct xf_owner) == 32, "xf_owner is ABI");

#endif
