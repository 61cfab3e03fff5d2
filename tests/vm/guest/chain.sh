#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The logger beside other programs in one chain: their order, the packets that each sees, and those that stay.
# shellcheck disable=SC2154 # totals sets variables
. "$(dirname "$0")/lib.sh"

# MODE: second program first, then the logger, then the other way round; each time both see all.
with_second() {
	local mode=$1 first=$2 before

	if [ "$first" = second ]; then
		xdp-loader load -m "$mode" v0 "$SECOND"
		start log log -i v0 -m "$mode"
	else
		start log log -i v0 -m "$mode"
		reads log
		xdp-loader load -m "$mode" v0 "$SECOND"
	fi
	reads log
	same chain "$(chain v0)" "$mode: 50 second, 100 xdpfun"
	before=$(second_seen)
	pings 5
	wait_for has_five
	same "packets that the second program saw" $(($(second_seen) - before)) 5

	stop "$pid"
	totals log v0
	same lost "$lost" 0
	same "lines against counters" "$(wc -l <"$tmp/t/log.out")" "$logged"
	same "chain after our exit" "$(chain v0)" "$mode: 50 second"
	before=$(second_seen)
	pings 2
	same "packets that the second program saw after our exit" $(($(second_seen) - before)) 2
}

has_five() {
	[ "$(count_lines log 'icmp 8/0 len 98')" = 5 ]
}

# A packet that xdp-filter (10) drops never reaches the logger (100), whichever was attached first. In front of the filter
# (-P 1) the logger sees it.
with_filter() {
	local mode=$1 first=$2 prio=$3 want_dropped=$4 name

	if [ "$first" = filter ]; then
		xdp-filter load -m "$mode" v0
		start log log -i v0 -m "$mode" -P "$prio"
		reads log
	else
		start log log -i v0 -m "$mode" -P "$prio"
		reads log
		xdp-filter load -m "$mode" v0
	fi
	name=xdpfilt_alw_all
	xdp-filter port -p udp -m dst 4444
	if [ "$prio" -lt 10 ]; then
		same chain "$(chain v0)" "$mode: $prio xdpfun, 10 $name"
	else
		same chain "$(chain v0)" "$mode: 10 $name, $prio xdpfun"
	fi
	udp_to 4444 4444 4444 4445
	# Packets come in order: when the last one has come, the others have been decided.
	wait_for has_line log '10.9.0.1:4445 udp'
	same "lines of dropped packets" "$(count_lines log '10.9.0.1:4444 udp')" "$want_dropped"

	stop "$pid"
	totals log v0
	same "chain after our exit" "$(chain v0)" "$mode: 10 $name"
	pings 1
	xdp-filter unload v0
}

order() {
	local one two

	xdp-loader load -P 120 v0 "$PASS_PROG"
	start one log -i v0
	one=$pid
	reads one
	xdp-loader load v0 "$SECOND"
	start two log -i v0 -P 1
	two=$pid
	reads two
	same chain "$(chain v0)" "native: 1 xdpfun, 50 second, 100 xdpfun, 120 xdp_pass"
	pings 3
	pid=$one
	reads one
	stop "$one"
	same "chain without one" "$(chain v0)" "native: 1 xdpfun, 50 second, 120 xdp_pass"
	stop "$two"
	same "chain without both" "$(chain v0)" "native: 50 second, 120 xdp_pass"
	same "pings in one" "$(count_lines one 'icmp 8/0 len 98')" 3
	same "pings in two" "$(count_lines two 'icmp 8/0 len 98')" 3
}

chain_actions() {
	local status

	start log log -i v0 -P 20 -A XDP_PASS,XDP_TX
	reads log
	status=$("$XF" status -i v0 --json)
	same "prio and actions in status" \
		"$(jq -c '.interfaces[0].programs[0] | [.name, .prio, (.chain_actions | sort)]' <<<"$status")" \
		'["xdpfun",20,["XDP_PASS","XDP_TX"]]'
	matches "xdp-loader's status" "$(xdp-loader status v0)" '20 +xdpfun .*XDP_PASS,XDP_TX'
	stop "$pid"
}

status_of_chain() {
	local status

	xdp-loader load v0 "$SECOND"
	start log log -i v0
	reads log
	status=$("$XF" status -i v0 --json)
	same "status" "$(jq -c '.interfaces[0] | [.iface, .mode, .dispatcher,
		[.programs[] | [.name, .prio, .ours, .owner.alive, .chain_actions]]]' <<<"$status")" \
		'["v0","native",true,[["second",50,false,null,["XDP_PASS"]],["xdpfun",100,true,true,["XDP_PASS"]]]]'
	same "owner's pid" "$(jq '.interfaces[0].programs[1].owner.pid' <<<"$status")" "$pid"
	same "ids as xdp-loader has them" "$(jq -r '.interfaces[0].programs[].id' <<<"$status")" \
		"$(prog_ids v0 second; prog_ids v0 xdpfun)"
	matches "the table" "$("$XF" status -i v0)" "second.*xdpfun"
	stop "$pid"
}

# A dispatcher holds ten programs. The logger may be the tenth; an eleventh is refused.
ten() {
	local before status=0

	load_nine
	start log log -i v0
	reads log
	before=$(xdp-loader status v0)
	same "programs in the chain" "$(grep -c '=>' <<<"$before")" 10
	timeout 200 "$XF" log -i v0 -P 7 >"$tmp/t/more.out" 2>"$tmp/t/more.err" || status=$?
	same "status of the eleventh" "$status" 1
	matches "its message" "$(<"$tmp/t/more.err")" '(10|ten) '
	same "chain after the refusal" "$(xdp-loader status v0)" "$before"
	pings 3
	stop "$pid"
	same "pings logged by the tenth" "$(count_lines log 'icmp 8/0 len 98')" 3
}

# xdpdump attaches to the logger's function with fentry and fexit.
xdpdump_sees() {
	local dump

	start log log -i v0
	reads log
	# -D ends with 1 in xdp-tools 1.3.1, list or not.
	xdpdump -D >"$tmp/t/list.out" 2>"$tmp/t/list.err" || :
	matches "xdpdump's list" "$(<"$tmp/t/list.out")" 'v0.*xdpfun'
	blank dump
	env --default-signal=INT xdpdump -i v0 -p xdpfun --rx-capture entry,exit >"$tmp/t/dump.out" 2>"$tmp/t/dump.err" &
	dump=$!
	wait_for says dump listening
	pings 4
	# xdpdump writes its file when it ends, with the packets that it has read until then.
	nap 0.5
	kill -INT "$dump"
	wait "$dump" || :
	same "packets at our entry" "$(count_lines dump 'xdpfun()@entry')" 4
	same "packets passed at our exit" "$(count_lines dump 'xdpfun()@exit[PASS]')" 4
	stop "$pid"
	same "pings that we logged" "$(count_lines log 'icmp 8/0 len 98')" 4
}

# Both come up, whichever gets libxdp's lock first, and go in any order.
at_once() {
	local a b

	start a log -i v0 -P 20
	a=$pid
	start b log -i v0 -P 30
	b=$pid
	pid=$a
	reads a
	pid=$b
	reads b
	same chain "$(chain v0)" "native: 20 xdpfun, 30 xdpfun"
	kill -TERM "$a" "$b"
	ends "$a" 0
	ends "$b" 0
	same "chain at the end" "$(chain v0)" none
	totals a v0
	totals b v0
	no_pins
}

lab_up
t "native: second program, then log" with_second native second
t "native: log, then second program" with_second native log
t "skb: second program, then log" with_second skb second
t "native: xdp-filter, then log: dropped packets are not logged" with_filter native filter 100 0
t "skb: log, then xdp-filter: dropped packets are not logged" with_filter skb log 100 0
t "log in front of xdp-filter sees what it drops" with_filter native filter 1 3
t "order by priority, two of ours" order
t "priority and chain actions as asked for" chain_actions
t "status of a chain" status_of_chain
t "ten programs, the eleventh is refused" ten
t "xdpdump sees our program" xdpdump_sees
t "two loaders at the same moment" at_once
t "no pins left" no_pins
lab_down
finish
