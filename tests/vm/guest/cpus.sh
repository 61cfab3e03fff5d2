#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Processors: each has a ring, also one that comes later.
# shellcheck disable=SC2154 # totals sets variables
. "$(dirname "$0")/lib.sh"

cpus=/sys/devices/system/cpu

# A veth hands a packet to XDP on the processor that sends it.
pings_on() {
	peer taskset -c "$1" ping -q -n -c 3 -i 0.02 -w 60 -s "$((200 + $1))" 10.9.0.1
}

logged_on() {
	same "pings from processor $1" "$(count_lines log "icmp 8/0 len $((242 + $1))")" 3
}

each_online() {
	local cpu

	[ "$(nproc)" -ge 2 ] || skip "one processor only"
	start log log -i v0
	reads log
	for cpu in 0 1; do
		pings_on "$cpu"
	done
	stop "$pid"
	totals log v0
	same lost "$lost" 0
	for cpu in 0 1; do
		logged_on "$cpu"
	done
}

# The guest has processors that are possible but not online when log starts.
comes_later() {
	[ "${XF_VM:-0}" = 1 ] || skip "the processors of this machine are not ours to switch"
	same "processors online" "$(<"$cpus"/online)" 0-1
	same "processors possible" "$(<"$cpus"/possible)" 0-3
	start log log -i v0
	reads log
	echo 1 >"$cpus"/cpu3/online
	pings_on 3
	stop "$pid"
	echo 0 >"$cpus"/cpu3/online
	totals log v0
	same lost "$lost" 0
	logged_on 3
}

lab_up
t "packets on each processor" each_online
t "a processor that comes online later" comes_later
lab_down
finish
