#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Interfaces whose drivers refuse native XDP, and chains whose mode is given.
# shellcheck disable=SC2154 # totals sets variables
. "$(dirname "$0")/lib.sh"

# mode_of IFACE: print the mode that log -m auto uses.
starts_in() {
	local iface=$1 want=$2

	start log log -i "$iface"
	wait_for is_logging "$iface"
	same "chain of $iface" "$(chain "$iface")" "$want: 100 xdpfun"
	if [ "$want" = skb ]; then
		matches "what log said" "$(<"$tmp/t/log.err")" "[Ss][Kk][Bb]"
	fi
}

is_logging() {
	[[ $(chain "$1") = *xdpfun* ]]
}

strict_native_fails() {
	local status=0

	timeout 200 "$XF" log -i "$1" -m native >"$tmp/t/strict.out" 2>"$tmp/t/strict.err" || status=$?
	same "status of --mode native" "$status" 1
	matches "its message" "$(<"$tmp/t/strict.err")" "$1.*--mode (skb|auto)"
	same "chain of $1 afterwards" "$(chain "$1")" none
}

# Two virtio-net devices on one hub; the other one sends.
virtio_up() {
	ip -batch - <<-END
		netns add other
		link set eth1 netns other
		link set eth0 addrgenmode none mtu 9000
		addr add 10.8.0.1/24 dev eth0
		link set eth0 up
	END
	ip -n other -batch - <<-END
		link set eth1 addrgenmode none mtu 9000
		addr add 10.8.0.2/24 dev eth1
		link set eth1 up
	END
	ifaces+=(eth0)
}

# The next file may use the same addresses.
virtio_down() {
	ip -batch - <<-END
		link set eth0 down
		addr flush dev eth0
		netns del other
	END
}

jumbo_virtio() {
	local want=skb

	[ -e /sys/class/net/eth0 ] || skip "no virtio-net device here"
	virtio_up
	# The driver learned multi-buffer XDP in 6.3.
	! kernel_is_at_least 6.3 || want=native
	if [ "$want" = skb ]; then
		strict_native_fails eth0
	fi
	starts_in eth0 "$want"
	wait_for big_ping_arrives 8000
	stop "$pid"
	has_line log 'icmp 8/0 len 8042'
	totals log eth0
	virtio_down
}

big_ping_arrives() {
	nsenter --net=/run/netns/other ping -q -n -c 1 -W 1 -s "$1" 10.8.0.1
	nap 0.1
	has_line log "icmp 8/0 len $(($1 + 42))"
}

# veth asks for linear packets that fit into a page, by the peer's MTU; with multi-buffer support
# (6.1, for programs that declare it) it does not.
jumbo_veth() {
	local want=skb

	! kernel_is_at_least 6.1 || want=native
	set_mtu 9000
	if [ "$want" = skb ]; then
		strict_native_fails v0
	fi
	starts_in v0 "$want"
	reads log
	pings 2 8000
	stop "$pid"
	same "jumbo pings" "$(count_lines log 'icmp 8/0 len 8042')" 2
	set_mtu 1500
}

set_mtu() {
	ip -n peer link set v1 mtu "$1"
	ip link set v0 mtu "$1"
}

# A chain that takes multi-buffer packets keeps doing so when another one of ours joins or leaves,
# and a program without that support cannot narrow it.
jumbo_chain() {
	local one

	kernel_is_at_least 6.1 || skip "veth has no multi-buffer XDP before 6.1"
	set_mtu 9000
	start one log -i v0 -m native
	one=$pid
	reads one
	start two log -i v0 -m native -P 50
	reads two
	pings 2 8000
	stop "$pid"
	if xdp-loader load v0 "$SECOND"; then
		fail "a program without multi-buffer support joined a jumbo chain"
	fi
	same "chain afterwards" "$(chain v0)" "native: 100 xdpfun"
	pings 1 8001
	pid=$one
	stop "$one"
	same "jumbo pings in one" "$(count_lines one 'icmp 8/0 len 804')" 3
	same "jumbo pings in two" "$(count_lines two 'icmp 8/0 len 804')" 2
	set_mtu 1500
}

refusing() {
	local kind=$1

	ip link add x0 type "$kind" || skip "no $kind devices here"
	ip link set x0 up
	ifaces+=(x0)
	strict_native_fails x0
	starts_in x0 skb
	stop "$pid"
	totals log x0
	ip link del x0
}

joins() {
	local mode=$1 other=$2 before status=0

	xdp-loader load -m "$mode" v0 "$SECOND"
	start log log -i v0
	reads log
	same chain "$(chain v0)" "$mode: 50 second, 100 xdpfun"
	stop "$pid"
	before=$(xdp-loader status v0)
	timeout 200 "$XF" log -i v0 -m "$other" >"$tmp/t/other.out" 2>"$tmp/t/other.err" || status=$?
	same "status of --mode $other" "$status" 1
	same "chain afterwards" "$(xdp-loader status v0)" "$before"
}

# A program without a dispatcher belongs to another loader.
foreign() {
	local status=0 before

	LIBXDP_SKIP_DISPATCHER=1 xdp-loader load v0 "$PASS_PROG"
	before=$(chain v0)
	same chain "$before" "bare: native xdp_pass"
	timeout 200 "$XF" log -i v0 >"$tmp/t/log.out" 2>"$tmp/t/log.err" || status=$?
	same status "$status" 1
	matches "its message" "$(<"$tmp/t/log.err")" "dispatcher"
	same "chain afterwards" "$(chain v0)" "$before"
	pings 1
}

lab_up
t "virtio-net with MTU 9000" jumbo_virtio
t "veth with MTU 9000" jumbo_veth
t "a jumbo chain stays one" jumbo_chain
t "dummy has no native mode" refusing dummy
t "an skb chain is joined" joins skb native
t "a native chain is joined" joins native skb
t "a foreign program without dispatcher is left alone" foreign
t "no pins left" no_pins
lab_down
finish
