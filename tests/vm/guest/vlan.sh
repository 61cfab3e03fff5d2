#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A real vlan device, and what offloads hide from XDP below it.
# shellcheck disable=SC2154 # totals sets variables
. "$(dirname "$0")/lib.sh"

vlans_up() {
	ip link add link v0 name v0.7 type vlan id 7 || skip "no vlan devices here"
	ip -batch - <<-END
		link set v0.7 addrgenmode none
		addr add 10.7.0.1/24 dev v0.7
		link set v0.7 up
	END
	ip -n peer -batch - <<-END
		link add link v1 name v1.7 type vlan id 7
		link set v1.7 addrgenmode none
		addr add 10.7.0.2/24 dev v1.7
		link set v1.7 up
		neigh add 10.7.0.1 lladdr 02:00:00:00:01:00 dev v1.7 nud permanent
	END
	ip neigh add 10.7.0.2 lladdr 02:00:00:00:01:01 dev v0.7 nud permanent
	ifaces+=(v0.7)
}

vlans_down() {
	ip link del v0.7
	ip -n peer link del v1.7
}

vlan_ping() {
	peer ping -q -n -c 3 -i 0.02 -w 10 10.7.0.1
}

on_the_device() {
	vlans_up
	start log log -i v0.7
	wait_for is_there v0.7
	wait_for one_vlan_ping
	vlan_ping
	stop "$pid"
	totals log v0.7
	[ "$(count_lines log 'v0.7 10.7.0.2 > 10.7.0.1 icmp 8/0 len 98')" -ge 3 ]
	same "lines with a tag" "$(count_lines log ' vlan ')" 0
	vlans_down
}

is_there() {
	[[ $(chain "$1") = *xdpfun* ]]
}

one_vlan_ping() {
	peer ping -q -n -c 1 -W 1 10.7.0.1
	nap 0.1
	has_line log 'icmp 8/0'
}

# With the offloads off, the tag is in the packet when XDP sees it.
below_the_device() {
	local mode=$1

	vlans_up
	peer ethtool -K v1 txvlan off
	ethtool -K v0 rxvlan off
	start log log -i v0 -m "$mode"
	reads log
	vlan_ping
	stop "$pid"
	totals log v0
	same "lines with the tag" "$(count_lines log 'v0 vlan 7 10.7.0.2 > 10.7.0.1 icmp 8/0 len 102')" 3
	same "warnings about rxvlan" "$(grep -c rxvlan "$tmp/t/log.err" || :)" 0
	ethtool -K v0 rxvlan on
	vlans_down
}

hidden_tag() {
	vlans_up
	peer ethtool -K v1 txvlan on
	start log log -i v0
	reads log
	vlan_ping
	stop "$pid"
	totals log v0
	same "warnings about rxvlan" "$(grep -c rxvlan "$tmp/t/log.err" || :)" 1
	# Logged all the same, whatever is left of the tag.
	same "pings" "$(count_lines log '10.7.0.2 > 10.7.0.1 icmp 8/0')" 3
	vlans_down
}

lab_up
t "log on a vlan device" on_the_device
t "hidden tags are warned about" hidden_tag
t "native: log below a vlan device shows the tag" below_the_device native
t "skb: log below a vlan device shows the tag" below_the_device skb
lab_down
finish
