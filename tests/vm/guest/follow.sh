#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# follow reads the log of an object that another loader attached.
# shellcheck disable=SC2154 # totals sets variables
. "$(dirname "$0")/lib.sh"

loaded_by() {
	local mode=$1 before

	xdp-loader load -m "$mode" v0 "$SECOND"
	xdp-loader load -m "$mode" v0 "$OBJ"
	before=$(chain v0)
	same chain "$before" "$mode: 50 second, 100 xdpfun"
	# Without a reader packets count as unread.
	pings 3
	start follow follow -i v0
	reads follow
	pings 4
	wait_for has_four
	stop "$pid"
	totals follow v0
	same "chain after follow" "$(chain v0)" "$before"
	# A second reader reads like the first one.
	start again follow -i v0 -f json
	reads again
	stop "$pid"
	jq -e '.iface == "v0" and .proto == "icmp"' "$tmp/t/again.out" >/dev/null
}

has_four() {
	[ "$(count_lines follow 'icmp 8/0 len 98')" = 4 ]
}

one_reader() {
	local status=0

	xdp-loader load v0 "$OBJ"
	start one follow -i v0
	reads one
	timeout 200 "$XF" follow -i v0 >"$tmp/t/two.out" 2>"$tmp/t/two.err" || status=$?
	same "status of the second reader" "$status" 1
	matches "its message" "$(<"$tmp/t/two.err")" "$pid"
	pings 2
	stop "$pid"
	same "pings that the first printed" "$(count_lines one 'icmp 8/0 len 98')" 2
}

two_candidates() {
	local ids status=0

	xdp-loader load v0 "$OBJ"
	xdp-loader load -P 110 v0 "$OBJ"
	ids=$(prog_ids v0 xdpfun)
	timeout 200 "$XF" follow -i v0 >"$tmp/t/none.out" 2>"$tmp/t/none.err" || status=$?
	same "status without --id" "$status" 1
	matches "its message" "$(<"$tmp/t/none.err")" "--id"
	start follow follow -i v0 --id "${ids##*$'\n'}"
	reads follow
	stop "$pid"
	totals follow v0
}

goes_away() {
	xdp-loader load v0 "$OBJ"
	start follow follow -i v0
	reads follow
	pings 2
	xdp-loader unload v0 --all
	ends "$pid" 0
	totals follow v0
	same "pings printed" "$(count_lines follow 'icmp 8/0 len 98')" 2
}

nothing_there() {
	local status=0

	xdp-loader load v0 "$SECOND"
	timeout 200 "$XF" follow -i v0 >"$tmp/t/follow.out" 2>"$tmp/t/follow.err" || status=$?
	same status "$status" 1
	matches "its message" "$(<"$tmp/t/follow.err")" v0
}

lab_up
t "native: an object that xdp-loader loaded" loaded_by native
t "skb: an object that xdp-loader loaded" loaded_by skb
t "a living reader's rings are not shared" one_reader
t "two candidates need --id" two_candidates
t "unloaded under it, follow ends with 0" goes_away
t "no xdpfun on the interface" nothing_there
t "no pins left" no_pins
lab_down
finish
