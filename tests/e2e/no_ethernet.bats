#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Interfaces without an Ethernet header, on a tun: IP at offset 0, for the log and the firewall. And tunnels.

load lib.bash
load firewall.bash

UDP4='\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\x07\0\x02\x0a\x07\0\x01\x9c\x41\0\x35\0\x08\0\0'
UDP6='\x60\0\0\0\0\x08\x11\x40\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x9c\x41\0\x35\0\x08\0\0'

tun_up() {
	"${A[@]}" ip tuntap add dev tun0 mode tun
	"${A[@]}" ip link set tun0 up
}

# tun BYTES: let tun0 receive a packet, with the bytes that printf writes.
tun() {
	# shellcheck disable=SC2059 # it is a format
	printf "$1" | "${A[@]}" socat -u - TUN,tun-name=tun0,tun-type=tun,iff-no-pi
}

@test "log on a tun: addresses and ports, no MAC" {
	tun_up
	start log log -i tun0
	tun "$UDP4"
	tun "$UDP6"
	wait_for has_lines log 2
	stop log
	same "lines" "$(cut -d' ' -f 3- "$T/log.out")" "10.7.0.2:40001 > 10.7.0.1:53 udp len 28
[fd00::2]:40001 > [fd00::1]:53 udp len 48"
	start log log -i tun0 -f json
	tun "$UDP4"
	wait_for has_lines log 1
	stop log
	same "keys of MACs" "$(jq -c '[.eth_src, .eth_dst, .eth_type]' "$T/log.out")" "[null,null,null]"
	same "source" "$(jq -r .src "$T/log.out")" 10.7.0.2
}

@test "firewall on a tun: rules match, and the policy deny lets nothing else pass" {
	tun_up
	fw attach -i tun0 2>/dev/null
	start log firewall log -i tun0
	fw add deny from 10.7.0.2
	fw add deny proto udp dport 53
	tun "$UDP4"
	tun "$UDP6"
	wait_for has_lines log 2
	fw flush
	fw policy deny 2>/dev/null
	# This would be ARP, were it Ethernet.
	tun '\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x08\x06\0\x02\x0a\x07\0\x01\x9c\x41\0\x35\0\x08\0\0'
	wait_for has_lines log 3
	stop log
	purge
}

# tagged BYTES: the same, said to be a tagged packet, as GRE and tun's packet information may. VLAN 0 is no VLAN: without
# the firewall the packet arrives.
tagged() {
	# shellcheck disable=SC2059 # it is a format
	printf "\\0\\0\\x81\\0$1" | "${A[@]}" socat -u - TUN,tun-name=tun0,tun-type=tun
}

# passed: print how many packets passed the firewall.
passed() {
	fw stats --json | jq '[.exempt, .allowed, .policy_allowed] | map(.packets) | add'
}

@test "firewall on a tun: a tag before the packet is not a way past a rule, nor past the policy deny" {
	local tag before

	"${A[@]}" ip tuntap add dev tun0 mode tun pi
	"${A[@]}" ip addr add 10.7.0.1/24 dev tun0
	"${A[@]}" ip link set tun0 up
	fw attach -i tun0 2>/dev/null
	start log firewall log -i tun0
	fw add deny from 10.7.0.2
	before=$(passed)
	for tag in '\0\0\x08\0' '\x40\0\x08\0' '\x60\0\x08\0' '\x60\0\x81\0\0\0\x08\0'; do
		tagged "$tag$UDP4"
	done
	wait_for has_lines log 4
	same "packets that passed" "$(passed)" "$before"
	fw flush
	fw policy deny 2>/dev/null
	# Read as IPv6 it would be a Neighbour Solicitation behind hop-by-hop options.
	tagged '\x60\0\x08\0\x45\0\0\x3c\0\0\0\0\x40\x11\0\0\x0a\x07\0\x02\x0a\x07\0\x01\x9c\x41\0\x35\0\x28\0\0\0\0\0\0\0\0\0\0\x3a\0\x01\x04\0\0\0\0\x87\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
	wait_for has_lines log 5
	same "packets that passed" "$(passed)" "$before"
	stop log
	purge
}

@test "a program that another loader put on a tun reads nothing there: status and follow say so" {
	tun_up
	"${A[@]}" xdp-loader load -m skb tun0 "$OBJ"
	run -0 "${A[@]}" "$XF" status -i tun0
	[[ $output = *"reads nothing here"* ]] || fail "$output"
	start follow follow -i tun0
	stop follow
	grep -q 'reads nothing here' "$T/follow.err" || fail "$(cat "$T/follow.err")"
	! grep -q 'xdp-loader load' "$T/follow.err" || fail "$(cat "$T/follow.err")"
	run -1 "${A[@]}" "$XF" -i tun0
	[[ $output != *"xdp-loader load"* ]] || fail "$output"
	"${A[@]}" "$XF" unload -i tun0
	run -1 "${A[@]}" "$XF" follow -i tun0
	[[ $output != *"xdp-loader load"* && $output = *"xdpfun-load log -i tun0"* ]] || fail "$output"
}

@test "attach names the tunnels on the interface, and no other device on it" {
	"${A[@]}" ip link add vx0 type vxlan id 5 dev eth0 dstport 4789 || skip "no vxlan here"
	"${A[@]}" ip link add vx1 type vxlan id 6 local 10.9.0.1 dstport 4790
	"${A[@]}" ip link add mv0 link eth0 type macvlan
	attach_fw
	grep -qF "eth0: note: of packets in tunnels rules meet the addresses of the tunnels' ends: vx0 (vxlan)" \
		"$T/attach.err" || fail "$(cat "$T/attach.err")"
	same "others named" "$(grep -c 'vx1\|mv0' "$T/attach.err" || :)" 0
	purge
	"${A[@]}" ip link del vx0
	"${A[@]}" ip link del vx1
	fw attach -i eth0 2>"$T/again.err"
	same "notes without a tunnel" "$(grep -c note: "$T/again.err" || :)" 0
	purge
}
