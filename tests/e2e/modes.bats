#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Native and SKB mode, and the fallback where a driver refuses native mode.

load lib.bash

mode_of() {
	"${A[@]}" ip -j link show "$1" | jq -r '.[0].xdp.mode // 0 | ["none", "native", "skb", "hw", "several"][.]'
}

# falls_back IFACE REASON: fails unless --mode native fails, and auto uses SKB mode and gives the reason once.
falls_back() {
	run -1 "${A[@]}" "$XF" -i "$1" --mode native
	[[ $output = *"$1"*"$2"* && $output = *"--mode skb"* ]] || fail "it says: $output"
	same "mode of $1" "$(mode_of "$1")" none
	start log -i "$1"
	same "lines that give the reason" "$(grep -c "^xdpfun-load: $1: native XDP refused.*$2.*SKB" "$T/log.err")" 1
	same "mode of $1" "$(mode_of "$1")" skb
	same "mode in status" "$(status_of "$1" .mode)" skb
}

@test "a veth attaches natively, and in SKB mode with --mode skb" {
	start log
	same mode "$(mode_of eth0)" native
	no_match "what it says" "$(said log)" SKB
	stop log
	start log --mode skb
	same mode "$(mode_of eth0)" skb
	pings 3
	stop log
	same lines "$(lines log)" 3
	totals log
	same seen "$seen" 3
	start log --mode native
	same mode "$(mode_of eth0)" native
	stop log
}

@test "log falls back to SKB mode on lo and says why" {
	"${A[@]}" ip link set lo up
	falls_back lo "Operation not supported"
	"${A[@]}" ping -q -c 2 -i 0.01 127.0.0.1
	wait_for has_lines log 4
	stop log
	same "requests and answers" "$(grep -cE ' lo 127.0.0.1 > 127.0.0.1 icmp [08]/0 len 98' "$T/log.out")" 4
	same "mode of lo" "$(mode_of lo)" none
}

@test "log falls back to SKB mode on a macvlan and says why" {
	ip -n "$LAB-a" link add mv0 link eth0 type macvlan mode bridge ||
		skip "this kernel has no macvlan"
	ip -n "$LAB-a" link set mv0 up
	falls_back mv0 "Operation not supported"
	stop log
	totals log mv0
}

@test "log falls back to SKB mode on a bridge and says why" {
	ip -n "$LAB-a" link add br0 type bridge || skip "this kernel has no bridge"
	ip -n "$LAB-a" link set br0 up
	falls_back br0 "Operation not supported"
	stop log
	totals log br0
}

@test "log falls back to SKB mode on a veth with fewer queues than its peer and says why" {
	ip -n "$LAB-a" link add q0 numrxqueues 1 numtxqueues 1 type veth \
		peer name q1 numrxqueues 4 numtxqueues 4 netns "$LAB-b"
	ip -n "$LAB-a" link set q0 up
	ip -n "$LAB-b" link set q1 up
	falls_back q0 "No space left on device"
	stop log
}

jumbo_up() {
	ip -n "$LAB-b" link set eth0 mtu 9000
	ip -n "$LAB-a" link set eth0 mtu 9000
}

jumbo_pings() {
	"${B[@]}" ping -q -n -c 2 -i 0.01 -s 8958 10.9.0.1
}

# The veth of kernels before 6.1 refuses multi-buffer programs; the next test is for those.
@test "len counts all bytes of jumbo frames natively" {
	jumbo_up
	start log
	[ "$(mode_of eth0)" = native ] || skip "this kernel's veth has no multi-buffer XDP: $(said log)"
	jumbo_pings
	wait_for has_lines log 2
	stop log
	same "lines of 9000 bytes" "$(grep -c 'icmp 8/0 len 9000$' "$T/log.out")" 2
	totals log
	same seen "$seen" 2
}

@test "len counts all bytes of jumbo frames in SKB mode" {
	jumbo_up
	start log --mode skb
	jumbo_pings
	wait_for has_lines log 2
	stop log
	same "lines of 9000 bytes" "$(grep -c 'icmp 8/0 len 9000$' "$T/log.out")" 2
}

# xdp-loader cannot ask for multi-buffer support. The kernel refuses with the errno that xdpfun-load gets from drivers
# without multi-buffer support.
@test "an interface with jumbo frames refuses a program without multi-buffer support" {
	jumbo_up
	run "${A[@]}" env LIBXDP_SKIP_DISPATCHER=1 xdp-loader load -m native eth0 "$OBJ"
	[ "$status" != 0 ] || fail "xdp-loader can: this test and the README are out of date"
	same mode "$(mode_of eth0)" none
	run "${A[@]}" env LIBXDP_SKIP_DISPATCHER=1 xdp-loader load -m skb eth0 "$OBJ"
	[ "$status" = 0 ] || fail "$output"
	"${A[@]}" "$XF" unload -i eth0
}

@test "log warns about tags that an offload takes off" {
	"${A[@]}" ethtool -K eth0 rxvlan on
	"${A[@]}" ethtool -k eth0 | grep -q '^rx-vlan-offload: on' || skip "this driver cannot switch rxvlan on"
	start log
	says log 'eth0: rx-vlan-offload is on'
	says log 'ethtool -K eth0 rxvlan off'
	stop log
	"${A[@]}" ethtool -K eth0 rxvlan off
	start log
	stop log
	no_match "what it says" "$(said log)" vlan
}
