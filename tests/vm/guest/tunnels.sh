#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Interfaces without an Ethernet header: log and firewall read the packet inside the tunnel.
. "$(dirname "$0")/lib.sh"

FW=(--set tunnels)

# A test that failed leaves them.
remove_ends() {
	ip link del tun0 2>/dev/null || :
	peer ip link del tun0 2>/dev/null || :
}

# both_ends KIND...: a tunnel of this kind, tun0 here and in the namespace peer.
both_ends() {
	remove_ends
	ip link add tun0 type "$@" local 10.9.0.1 remote 10.9.0.2 || skip "no $1 here"
	peer ip link add tun0 type "$@" local 10.9.0.2 remote 10.9.0.1
	addresses
}

addresses() {
	ip addr add 10.6.0.1/24 dev tun0
	ip link set tun0 up
	peer ip addr add 10.6.0.2/24 dev tun0
	peer ip link set tun0 up
}

peer_ping() {
	peer ping -q -n -c 1 -W 2 10.6.0.1
}

no_ping() {
	! peer_ping
}

# The log's line and the firewall's rule name the addresses inside.
reads_inside() {
	start log log -i tun0
	wait_for is_there
	wait_for peer_ping
	wait_for has_line log '10.6.0.2 > 10.6.0.1 icmp 8/0 len 84'
	stop "$pid"
	"$XF" firewall attach -i tun0 "${FW[@]}"
	"$XF" firewall add deny from 10.6.0.2 "${FW[@]}"
	no_ping
	"$XF" firewall flush "${FW[@]}"
	peer_ping
	"$XF" firewall detach --purge "${FW[@]}"
	remove_ends
}

is_there() {
	[[ $(chain tun0) = *xdpfun* ]]
}

# is_refused REASON: neither program is attached to tun0.
is_refused() {
	local command

	for command in log "firewall attach --set tunnels"; do
		# shellcheck disable=SC2086 # words
		if "$XF" $command -i tun0 2>"$tmp/t/refused.err"; then
			fail "$command attached"
		fi
		[[ $(<"$tmp/t/refused.err") = *"$1"* ]] || fail "$(<"$tmp/t/refused.err")"
	done
}

of_ip() {
	both_ends "$@"
	if kernel_is_at_least 5.14; then
		reads_inside
	else
		is_refused "before Linux 5.14 XDP sees the outer headers"
		remove_ends
	fi
}

wg_up() {
	remove_ends
	local key_a key_b

	type -P wg >/dev/null || skip "no wg here"
	key_a=$(wg genkey) key_b=$(wg genkey)
	ip link add tun0 type wireguard || skip "no wireguard here"
	wg set tun0 private-key <(echo "$key_a") listen-port 5000 \
		peer "$(wg pubkey <<<"$key_b")" allowed-ips 10.6.0.2/32 endpoint 10.9.0.2:5000
	peer ip link add tun0 type wireguard
	peer wg set tun0 private-key <(echo "$key_b") listen-port 5000 \
		peer "$(wg pubkey <<<"$key_a")" allowed-ips 10.6.0.1/32 endpoint 10.9.0.1:5000
	addresses
}

of_wireguard() {
	wg_up
	reads_inside
}

# The kernel puts the outer header at the beginning of the frame.
open_gre() {
	local end

	kernel_is_at_least 5.14 || skip "this kernel has the outer header of any GRE there"
	for end in "" "remote 239.1.1.1"; do
		remove_ends
		# shellcheck disable=SC2086 # two words
		ip link add tun0 type gre local 10.9.0.1 $end || skip "no gre here"
		ip link set tun0 up
		is_refused "GRE interface without a fixed remote end"
	done
	remove_ends
}

# Here the remote end comes with each packet, too, but the inner header is first.
external_gre() {
	kernel_is_at_least 5.14 || skip "this kernel has the outer header of any GRE there"
	remove_ends
	ip link add tun0 type gre external || skip "no gre here"
	ip link set tun0 up
	"$XF" firewall attach -i tun0 "${FW[@]}"
	"$XF" firewall detach --purge "${FW[@]}"
	remove_ends
}

lab_up
t "ipip" of_ip ipip
t "gre" of_ip gre
t "sit" of_ip sit mode any
t "wireguard" of_wireguard
t "gre without a fixed remote end is refused" open_gre
t "gre with external ends is not" external_gre
t "no pins left" no_pins
lab_down
finish
