// SPDX-License-Identifier: GPL-2.0-only
/* A policy of deny: which connections pass, and the records of packets that do not. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"
#include "xdp-prog/fw_abi.h"

#define LEN4 74
#define LEN6 94

/* A packet from one port of this machine to another one. */
struct packet {
	uint8_t bytes[LEN6];
	size_t len;
};

static struct packet packet_of(int family, uint8_t proto, uint16_t sport, uint16_t dport)
{
	struct packet packet = { .len = family == AF_INET ? LEN4 : LEN6 };
	uint8_t *ip = packet.bytes + 14, *l4 = ip + (family == AF_INET ? 20 : 40);

	if (family == AF_INET) {
		memcpy(packet.bytes + 12, "\x08\x00\x45\x00\x00\x3c", 6);
		ip[9] = proto;
		memcpy(ip + 12, "\x7f\0\0\1\x7f\0\0\1", 8);
	} else {
		memcpy(packet.bytes + 12, "\x86\xdd\x60\0\0\0\0\x28", 8);
		ip[6] = proto;
		ip[23] = ip[39] = 1;
	}
	l4[0] = sport >> 8;
	l4[1] = sport;
	l4[2] = dport >> 8;
	l4[3] = dport;
	l4[12] = 0x50;
	l4[13] = 0x10;
	return packet;
}

static int fate(const struct xf_fw *fw, int family, uint8_t proto, uint16_t sport, uint16_t dport)
{
	struct packet packet = packet_of(family, proto, sport, dport);

	return xf_fw_fate(fw, packet.bytes, packet.len);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage addr;
	socklen_t size = sizeof(addr);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &size), 0);
	return ntohs(addr.ss_family == AF_INET ? ((struct sockaddr_in *)&addr)->sin_port
					       : ((struct sockaddr_in6 *)&addr)->sin6_port);
}

static void bind_or_connect(int fd, int family, uint16_t port,
			    int (*call)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in6.sin6_addr = in6addr_loopback;
	if (family == AF_INET)
		assert_int_equal(call(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	else
		assert_int_equal(call(fd, (struct sockaddr *)&in6, sizeof(in6)), 0);
}

static int open_bound(int family, int type)
{
	int fd = socket(family, type, 0);

	assert_true(fd >= 0);
	bind_or_connect(fd, family, 0, bind);
	return fd;
}

static void tcp(const struct xf_fw *fw, int family)
{
	int listener = open_bound(family, SOCK_STREAM), client, server;
	uint16_t port, other;

	assert_int_equal(listen(listener, 1), 0);
	port = port_of(listener);
	client = open_bound(family, SOCK_STREAM);
	other = port_of(client);
	assert_int_equal(fate(fw, family, 6, port, other), XF_FATE_POLICY_DENIED);
	bind_or_connect(client, family, port, connect);
	assert_int_equal(fate(fw, family, 6, port, other), XF_FATE_EXEMPT);
	assert_int_equal(fate(fw, family, 6, other, port), XF_FATE_EXEMPT);
	assert_int_equal(fate(fw, family, 17, port, other), XF_FATE_POLICY_DENIED);
	assert_int_equal(fate(fw, family, 6, other + 1, port), XF_FATE_POLICY_DENIED);
	server = accept(listener, NULL, NULL);
	assert_int_equal(fate(fw, family, 6, other, port), XF_FATE_EXEMPT);
	/* The server closes first, so that its socket is in TIME_WAIT. */
	close(server);
	close(client);
	close(listener);
	usleep(10000);
	assert_int_equal(fate(fw, family, 6, other, port), XF_FATE_EXEMPT);
}

static void udp(const struct xf_fw *fw, int family)
{
	int client = open_bound(family, SOCK_DGRAM), server = open_bound(family, SOCK_DGRAM);
	uint16_t other = port_of(client), port = port_of(server);

	assert_int_equal(fate(fw, family, 17, port, other), XF_FATE_POLICY_DENIED);
	bind_or_connect(client, family, port, connect);
	assert_int_equal(fate(fw, family, 17, port, other), XF_FATE_EXEMPT);
	assert_int_equal(fate(fw, family, 17, other, port), XF_FATE_POLICY_DENIED);
	assert_int_equal(fate(fw, family, 17, port + 1, other), XF_FATE_POLICY_DENIED);
	close(client);
	close(server);
}

static void own_connections_pass(void **state)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	tcp(*state, AF_INET);
	udp(*state, AF_INET);
	if (fd < 0)
		return;
	close(fd);
	tcp(*state, AF_INET6);
	udp(*state, AF_INET6);
}

static int icmp_fate(const struct xf_fw *fw, int family, uint8_t type, uint16_t fragment)
{
	bool ip4 = family == AF_INET;
	struct packet packet = packet_of(family, ip4 ? 1 : 58, type << 8, 0);

	if (ip4) {
		packet.bytes[20] = fragment >> 8;
		packet.bytes[21] = fragment;
	}
	return xf_fw_fate(fw, packet.bytes, packet.len);
}

/* Packets that the RFCs call vital, and answers to packets of this machine. */
static void icmp_and_dhcp(void **state)
{
	static const uint8_t icmp[] = { 0, 3, 11, 12 },
			     icmp6[] = { 1,   2,   3,	4,   128, 129, 130, 131, 132, 133, 134,
					 135, 136, 141, 142, 143, 148, 149, 151, 152, 153 };
	const struct xf_fw *fw = *state;

	for (int type = 0; type < 256; type++) {
		assert_int_equal(icmp_fate(fw, AF_INET, type, 0), memchr(icmp, type, sizeof(icmp))
								      ? XF_FATE_EXEMPT
								      : XF_FATE_POLICY_DENIED);
		assert_int_equal(icmp_fate(fw, AF_INET6, type, 0),
				 memchr(icmp6, type, sizeof(icmp6)) ? XF_FATE_EXEMPT
								    : XF_FATE_POLICY_DENIED);
	}
	/* A later fragment is no echo reply. */
	assert_int_equal(icmp_fate(fw, AF_INET, 0, 0x2000), XF_FATE_EXEMPT);
	assert_int_equal(icmp_fate(fw, AF_INET, 0, 185), XF_FATE_POLICY_DENIED);
	assert_int_equal(fate(fw, AF_INET, 17, 67, 68), XF_FATE_EXEMPT);
	assert_int_equal(fate(fw, AF_INET, 17, 1067, 68), XF_FATE_POLICY_DENIED);
	assert_int_equal(fate(fw, AF_INET, 17, 68, 67), XF_FATE_POLICY_DENIED);
	assert_int_equal(fate(fw, AF_INET, 17, 547, 546), XF_FATE_POLICY_DENIED);
	assert_int_equal(fate(fw, AF_INET6, 17, 547, 546), XF_FATE_EXEMPT);
	assert_int_equal(fate(fw, AF_INET6, 17, 1547, 546), XF_FATE_EXEMPT);
	assert_int_equal(fate(fw, AF_INET6, 17, 546, 547), XF_FATE_POLICY_DENIED);
	assert_int_equal(fate(fw, AF_INET6, 6, 547, 546), XF_FATE_POLICY_DENIED);
}

/* With the option "router alert" that all of it has, or without. */
static int igmp_fate(const struct xf_fw *fw, uint8_t type, bool alert, uint16_t fragment)
{
	struct packet packet = packet_of(AF_INET, 2, 0, 0);
	uint8_t *ip = packet.bytes + 14;

	ip[0] = alert ? 0x46 : 0x45;
	ip[6] = fragment >> 8;
	ip[7] = fragment;
	if (alert)
		memcpy(ip + 20, "\x94\4\0\0", 4);
	ip[alert ? 24 : 20] = type;
	return xf_fw_fate(fw, packet.bytes, packet.len);
}

/* Without IGMP a switch would take this machine out of its groups. */
static void igmp(void **state)
{
	static const uint8_t members[] = { 0x11, 0x12, 0x16, 0x17, 0x22, 0x30, 0x31, 0x32 };
	const struct xf_fw *fw = *state;
	struct xf_rule rule = { .deny = true, .has = XF_RULE_PROTO, .proto = 2 };
	struct packet packet = packet_of(AF_INET6, 2, 0x1600, 0);

	for (int type = 0; type < 256; type++) {
		int expected =
		    memchr(members, type, sizeof(members)) ? XF_FATE_EXEMPT : XF_FATE_POLICY_DENIED;

		assert_int_equal(igmp_fate(fw, type, false, 0), expected);
		assert_int_equal(igmp_fate(fw, type, true, 0), expected);
	}
	assert_int_equal(igmp_fate(fw, 0x16, true, 185), XF_FATE_POLICY_DENIED);
	assert_int_equal(xf_fw_fate(fw, packet.bytes, packet.len), XF_FATE_POLICY_DENIED);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, xf_boot_ns()), 0);
	assert_int_equal(igmp_fate(fw, 0x16, true, 0), XF_FATE_DENIED);
	assert_int_equal(xf_ruleset__del(fw->ruleset, &rule, xf_boot_ns()), 0);
}

static void a_rule_stops_what_is_exempt(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = { .deny = true, .has = XF_RULE_PROTO, .proto = 17 };

	assert_int_equal(fate(fw, AF_INET, 17, 67, 68), XF_FATE_EXEMPT);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, xf_boot_ns()), 0);
	assert_int_equal(fate(fw, AF_INET, 17, 67, 68), XF_FATE_DENIED);
	assert_int_equal(xf_ruleset__del(fw->ruleset, &rule, xf_boot_ns()), 0);
}

struct dropped {
	struct xf_fw_record records[8];
	size_t n;
};

static int take(void *arg, void *data, size_t size)
{
	struct dropped *dropped = arg;

	assert_int_equal(size, sizeof(struct xf_fw_record));
	assert_true(dropped->n < 8);
	memcpy(&dropped->records[dropped->n++], data, size);
	return 0;
}

static int map_fd(const struct xf_fw *fw, const char *name)
{
	return bpf_object__find_map_fd_by_name(fw->object, name);
}

static int named(const struct xf_fw *fw, const struct xf_fw_record *rec, struct xf_rule *rule)
{
	return xf_ruleset__by_id(fw->ruleset, rec->gen, rec->rule, xf_boot_ns(), rule);
}

static void drops_are_logged(void **state)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NUMA_NODE, .numa_node = -1);
	int ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "xf_test_ring", 0, 0, 4096, &opts);
	const struct xf_fw *fw = *state;
	struct xf_rule rule = {
		.deny = true, .has = XF_RULE_DPORT, .dport_min = 7, .dport_max = 9
	};
	struct xf_counters counters[fw->cpus];
	struct dropped dropped = { .n = 0 };
	struct xf_build *build;
	struct xf_rule by_id;
	struct ring_buffer *reader;
	uint32_t zero = 0;

	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, xf_boot_ns()), 0);
	assert_int_equal(fate(fw, AF_INET, 17, 1, 8), XF_FATE_DENIED);
	for (int cpu = 0; cpu < fw->cpus; cpu++)
		assert_int_equal(bpf_map_update_elem(map_fd(fw, XF_RINGS_MAP), &cpu, &ring, 0), 0);
	reader = ring_buffer__new(ring, take, &dropped, NULL);
	assert_non_null(reader);
	assert_int_equal(fate(fw, AF_INET, 17, 1, 8), XF_FATE_DENIED);
	assert_int_equal(fate(fw, AF_INET6, 17, 1, 53), XF_FATE_POLICY_DENIED);
	assert_int_equal(fate(fw, AF_INET, 17, 67, 68), XF_FATE_EXEMPT);
	assert_true(ring_buffer__consume(reader) >= 0);
	assert_int_equal(dropped.n, 2);
	assert_int_equal(dropped.records[0].packet.dport, 8);
	assert_int_equal(dropped.records[0].packet.len, LEN4);
	assert_int_equal(dropped.records[1].rule, XF_FW_POLICY);
	assert_int_equal(dropped.records[1].packet.dport, 53);
	assert_int_equal(named(fw, &dropped.records[0], &by_id), 0);
	assert_true(xf_rule_equal(&by_id, &rule));
	/* A trial's copy has the same ids, a new generation has not. */
	assert_int_equal(xf_ruleset__try(fw->ruleset, true, xf_boot_ns() + 60 * 1000000000ull), 0);
	assert_int_equal(named(fw, &dropped.records[0], &by_id), 0);
	assert_int_equal(xf_ruleset__confirm(fw->ruleset, xf_boot_ns()), 0);
	assert_int_equal(xf_build__begin(&build, fw->ruleset, 1), 0);
	assert_int_equal(xf_build__add(build, &rule, xf_boot_ns()), 0);
	assert_int_equal(xf_build__commit(build), 0);
	assert_int_equal(named(fw, &dropped.records[0], &by_id), -ENOENT);
	assert_int_equal(bpf_map_lookup_elem(map_fd(fw, XF_COUNTERS_MAP), &zero, counters), 0);
	for (int cpu = 1; cpu < fw->cpus; cpu++)
		counters[0].submitted += counters[cpu].submitted;
	assert_int_equal(counters[0].submitted, 2);
	ring_buffer__free(reader);
	close(ring);
	assert_int_equal(xf_ruleset__del(fw->ruleset, &rule, xf_boot_ns()), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_connections_pass),
		cmocka_unit_test(icmp_and_dhcp),
		cmocka_unit_test(igmp),
		cmocka_unit_test(a_rule_stops_what_is_exempt),
		cmocka_unit_test(drops_are_logged),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, xf_fw_set_up_deny, xf_fw_tear_down);
}
