#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Time stamps across a step of the wall clock.
. "$(dirname "$0")/lib.sh"

# stamped SIZE: send a ping between two reads of the clock, and print both, in ns.
stamped() {
	local before after

	before=${EPOCHREALTIME/./}000
	pings 1 "$1" >/dev/null
	after=${EPOCHREALTIME/./}000
	echo "$before $after"
}

# The time of the packet of this size lies between the two, to the millisecond.
lies_between() {
	local size=$1 before=$2 after=$3 stamp time

	stamp=$(jq -r "select(.len == $((size + 42))) | .time" "$tmp/t/log.out")
	[ -n "$stamp" ] || fail "no packet of $size bytes"
	time=$(date -u -d "$stamp" +%s%N)
	if [ "$time" -lt $((before - 1000000)) ] || [ "$time" -gt $((after + 1000000)) ]; then
		fail "packet of $size bytes at $time, not in $before to $after"
	fi
}

has_last() {
	[[ $(<"$tmp/t/log.out") =~ \"len\":\ *242 ]]
}

# The packets right before and right after the step each have the time that the clock showed.
step() {
	local old first second by=$1

	[ "${XF_VM:-0}" = 1 ] || skip "the clock of this machine is not ours to set"
	start log log -i v0 -f json
	reads log
	first=$(stamped 100)
	date -s "$by" >/dev/null
	second=$(stamped 200)
	wait_for has_last
	stop "$pid"
	# shellcheck disable=SC2086 # two words
	lies_between 100 $first
	# shellcheck disable=SC2086
	lies_between 200 $second
	old=${first% *}
	[ $((${second% *} - old)) -gt 1000000000000 ] || [ $((${second% *} - old)) -lt -1000000000000 ] ||
		fail "the clock did not step"
}

lab_up
t "an hour forward" step '+1 hour'
t "an hour back" step '-1 hour'
lab_down
finish
