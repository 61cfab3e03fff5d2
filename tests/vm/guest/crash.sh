#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kill -9: the program stays and passes traffic; adoption, replacement and removal of the orphan.
# shellcheck disable=SC2154 # totals sets variables
. "$(dirname "$0")/lib.sh"

# crash NAME ARGUMENTS...: start a log and kill it while it reads.
crash() {
	start "$@"
	reads "$1"
	kill -KILL "$pid"
	wait "$pid" || :
}

owner_state() {
	"$XF" status -i v0 --json |
		jq -c '[.interfaces[0].programs[] | select(.ours) | .owner | if . then .alive else null end]'
}

# A stream runs through the chain while log is killed and the next log adopts the program. Every packet
# arrives and passes the second program behind the logger.
adoption() {
	local id receiver sender before crashed

	xdp-loader load -P 120 v0 "$SECOND"
	crash first log -i v0
	same "owner of the orphan" "$(owner_state)" "[false]"
	id=$(prog_ids v0 xdpfun)
	blank recv
	"$STREAM" recv 5001 200 >"$tmp/t/recv.out" 2>"$tmp/t/recv.err" &
	receiver=$!
	wait_for has_line recv listening
	before=$(second_seen)
	"${in_peer[@]}" "$STREAM" send 10.9.0.1 5001 2000 >"$tmp/t/send.out" 2>"$tmp/t/send.err" &
	sender=$!

	start next log -i v0
	wait_for has_line next ':5001 udp'
	same "owner after the adoption" "$(owner_state)" "[true]"
	same "id of the program, before and after" "$(prog_ids v0 xdpfun)" "$id"
	crashed=$pid
	kill -KILL "$pid"
	wait "$pid" || :
	start last log -i v0
	wait_for has_line last ':5001 udp'
	same "id of the program after another crash" "$(prog_ids v0 xdpfun)" "$id"
	same chain "$(chain v0)" "native: 100 xdpfun, 120 second"

	kill -TERM "$sender"
	wait "$sender"
	wait "$receiver" || fail "the stream: $(<"$tmp/t/recv.out")"
	# All packets that the receiver got went through both programs.
	[ $(($(second_seen) - before)) -ge "$(sed -n 's/^received \([0-9]*\) of.*/\1/p' "$tmp/t/recv.out")" ] ||
		fail "packets went around the second program"
	matches "what next said" "$(<"$tmp/t/last.err")" "[Aa]dopt"
	[ "$crashed" != "$pid" ]
	stop "$pid"
	totals last v0
	same "chain at the end" "$(chain v0)" "native: 120 second"
}

# Another priority cannot be adopted in place: the new program comes first, then the orphan goes.
beside() {
	xdp-loader load v0 "$SECOND"
	crash first log -i v0 -P 30
	start next log -i v0 -P 40
	reads next
	wait_for chain_is "native: 40 xdpfun, 50 second"
	stop "$pid"
	same "chain at the end" "$(chain v0)" "native: 50 second"
}

chain_is() {
	[ "$(chain v0)" = "$1" ]
}

# In a full chain the orphan has to go first.
full() {
	load_nine
	crash first log -i v0 -P 30
	same "programs in the chain" "$(xdp-loader status v0 | grep -c '=>')" 10
	start next log -i v0 -P 40
	reads next
	same "programs in the chain" "$(xdp-loader status v0 | grep -c '=>')" 10
	matches chain "$(chain v0)" "^native: 10 xdp_pass, .*, 40 xdpfun$"
	stop "$pid"
	same "programs in the chain at the end" "$(xdp-loader status v0 | grep -c '=>')" 9
}

# The program of a log that lives is no orphan.
alive() {
	local one

	start one log -i v0
	one=$pid
	reads one
	start two log -i v0
	reads two
	same chain "$(chain v0)" "native: 100 xdpfun, 100 xdpfun"
	stop "$pid"
	same chain "$(chain v0)" "native: 100 xdpfun"
	pid=$one
	pings 2
	stop "$one"
	same "pings that the first logged" "$(count_lines one 'icmp 8/0 len 98')" 2
}

unload() {
	local status=0

	xdp-loader load v0 "$SECOND"
	crash dead log -i v0 -P 30
	start living log -i v0 -P 40
	reads living
	# Starting the second log may have cleared away the orphan of the first, which is allowed.
	"$XF" unload -i v0 2>"$tmp/t/unload.err" || status=$?
	same "chain after unload" "$(chain v0)" "native: 40 xdpfun, 50 second"
	pings 2
	kill -KILL "$pid"
	wait "$pid" || :
	"$XF" unload -i v0 2>"$tmp/t/unload2.err"
	same "chain after the orphan's unload" "$(chain v0)" "native: 50 second"
	pings 2
}

# A program that xdp-loader loaded has no owner: log leaves it alone, unload removes it.
ownerless() {
	xdp-loader load v0 "$OBJ"
	start log log -i v0 -P 30
	reads log
	same chain "$(chain v0)" "native: 30 xdpfun, 100 xdpfun"
	stop "$pid"
	same chain "$(chain v0)" "native: 100 xdpfun"
	"$XF" unload -i v0
	same "chain after unload" "$(chain v0)" none
	pings 1
}

# The program is unloaded while log reads.
unloaded_under_us() {
	start log log -i v0
	reads log
	pings 2
	xdp-loader unload v0 --all
	ends "$pid" 1
	totals log v0
	same "pings logged" "$(count_lines log 'icmp 8/0 len 98')" 2
	pings 1
}

lab_up
t "adoption of an orphan in a running stream loses nothing" adoption
t "an orphan of another priority goes when its successor is there" beside
t "an orphan in a full chain makes room" full
t "a living log is left alone" alive
t "unload removes orphans, and nobody else's" unload
t "a program without an owner stays until unload" ownerless
t "log ends with 1 when its program is unloaded" unloaded_under_us
t "no pins left" no_pins
lab_down
finish
