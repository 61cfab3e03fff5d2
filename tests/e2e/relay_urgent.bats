#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Urgent data: it arrives in its place among the other bytes.

load relay.bash

# urgent_sent WHEN BYTES STEPS...: run a probe with these steps, which send so many bytes, some of them urgent, on a new
# connection or on one that has had messages (running). With stopped the relay finds all bytes at once. The server sends
# the same back after the client's FIN, an echo at once.
urgent_sent() {
	local when=$1 bytes=$2 talk=() answer=() back=(end "${@:3}" fin)

	shift 2
	if [[ $when = *running* ]]; then
		for _ in {1..12}; do
			talk+=(send=100 read=100)
			answer+=(read=100 send=100)
		done
	fi
	[ "$when" != "running stopped" ] || talk+=(sleep=200)
	if [ "$to" != "$LISTEN-echo" ]; then
		begin server "${B[@]}" "$helpers/probe" listen "$SERVER" "${answer[@]}" read="$bytes" "${back[@]}" close
		wait_for has_lines server 1
	fi
	[ "$when" != stopped ] || signal STOP relay
	begin client "${B[@]}" "$helpers/probe" connect "$LISTEN" "${talk[@]}" "$@" fin read="$bytes" end close
	if [ "$when" = "running stopped" ]; then
		wait_for has_lines client $((1 + 2 * 12))
		signal STOP relay
	fi
	wait_for grep -q " fin " "$T/client.out"
	signal CONT relay
	ends client 0
	all_there client "$when: $*"
	[ "$to" = "$LISTEN-echo" ] || { ends server 0 && all_there server "$when: $*"; }
}

# all_there NAME WHAT: fails when a step of the probe failed, or did not see the FIN right behind the last byte.
all_there() {
	same "steps of the $1 that failed, $2" "$(cut -d' ' -f2- "$T/$1.out" | grep -vE " ok$|^end 0 eof$" | tr '\n' ';')" ""
	same "ends that the $1 saw" "$(grep -c " end 0 eof" "$T/$1.out")" 1
}

urgent() {
	local when

	for when in new stopped running "running stopped"; do
		urgent_sent "$when" 7 send=3 oob=1 send=3
		urgent_sent "$when" 10 oob=1 send=3 oob=1 oob=1 send=3 oob=1
	done
	urgent_sent stopped 4 oob=1 send=3
	urgent_sent stopped 4 send=3 oob=1
	for when in new running; do
		urgent_sent "$when" 7 send=3 sleep=20 oob=1 sleep=20 send=3 sleep=20
		urgent_sent "$when" 900002 send=300000 oob=1 send=300000 sleep=20 oob=1 send=300000
	done
	end_relay
	# The running connections enter the map; on the new ones the FIN comes before.
	moved_by_engine 8
}

urgent_forward() {
	to=$LISTEN
	forward
	urgent
}

@test "urgent data arrives in its place among the other bytes" {
	each_engine urgent_forward
}

urgent_echo() {
	to=$LISTEN-echo
	echoes
	urgent
}

@test "urgent data comes back from an echo in its place" {
	each_engine urgent_echo
}
