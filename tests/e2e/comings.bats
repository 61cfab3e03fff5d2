#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Interfaces that come later, that are deleted and come back, and -i any.

load lib.bash

# pair NAME [WORD...]: join both sides by another pair of interfaces of this name. The words are for `ip link add` of
# side a.
pair() {
	ip -n "$LAB-a" link add "$1" "${@:2}" type veth peer name "$1" netns "$LAB-b"
	for side in a b; do
		ip -n "$LAB-$side" link set "$1" addrgenmode none
		ip -n "$LAB-$side" link set "$1" up
	done
}

delete() {
	ip -n "$LAB-a" link del "$1"
}

# started_again NAME COUNT: whether a loader has attached, adopted or followed so many programs so far.
started_again() {
	wait_for at_work "$1" "$2"
	alive "$1" || fail "it has ended:" "$(said "$1")"
}

# sees NAME: whether this log prints a frame that is sent now.
sees() {
	frames 1
	sleep 0.05
	[ "$(lines "$1")" -ge 1 ]
}

frames_on() {
	"${B[@]}" "$helpers/frames" "$1" "$2"
}

@test "log goes on when its interface is deleted and comes back, and says so" {
	start log
	frames 5
	wait_for has_lines log 5
	delete eth0
	says log "eth0: the interface is gone; waiting 10 seconds for it to come back"
	says log "^eth0: seen 5, logged 5,"
	pair eth0
	started_again log 2
	says log "eth0: the interface is back after [0-9.]+ seconds, in which nothing was seen"
	frames 7
	wait_for has_lines log 12
	stop log
	totals log
	same "seen and logged" "$seen $logged" "12 12"
	same "what is attached" "$(program_on eth0)" ""
}

@test "the counters stay exact when an interface is deleted and comes back again and again" {
	local sent=0 round

	start log --wait
	for round in {1..6}; do
		frames_on eth0 $((round * 100))
		sent=$((sent + round * 100))
		delete eth0
		pair eth0
		started_again log $((round + 1))
	done
	frames_on eth0 50
	stop log
	totals log
	same seen "$seen" $((sent + 50))
	same lines "$(lines log)" "$logged"
	same lost "$lost" 0
}

@test "log goes on when its interface is deleted again while it is being attached" {
	local round gap

	for gap in 0 0.01 0.02 0.03 0.05; do
		start log --wait
		for round in 1 2 3; do
			delete eth0
			pair eth0
			sleep $gap
		done
		delete eth0
		pair eth0
		wait_for sees log
		stop log
		! grep "left out" "$T/log.err" || fail "$(said log)"
	done
}

@test "log goes on when its interface comes back from another namespace, with the program on it" {
	ip -n "$LAB-a" link add m0 type veth peer name m1 netns "$LAB-b"
	ip -n "$LAB-b" link set m1 addrgenmode none up
	ip -n "$LAB-a" link set m0 addrgenmode none up
	start log -i m0 --wait
	ip -n "$LAB-a" link set m0 netns "$LAB-b"
	says log "m0: the interface moved to another network namespace"
	ip -n "$LAB-b" link set m0 netns "$LAB-a"
	ip -n "$LAB-a" link set m0 up
	started_again log 2
	frames_on m1 3
	wait_for has_lines log 3
	stop log
	same "what is attached" "$(program_on m0)" ""
}

@test "log goes on with the other while one of two interfaces is deleted and comes back" {
	second_pair
	start log -i eth0 -i eth1
	frames_on eth1 3
	delete eth1
	says log "eth1: the interface is gone; it is read again when it is back"
	frames 4
	pair eth1
	started_again log 3
	frames_on eth1 5
	wait_for has_lines log 12
	stop log
	totals log eth0
	same "logged on eth0" "$logged" 4
	totals log eth1
	same "logged on eth1" "$logged" 8
}

@test "an interface that was named by another name comes back under that name" {
	ip -n "$LAB-a" link property add dev eth0 altname uplink-with-a-very-long-name
	start log -i uplink-with-a-very-long-name --wait
	frames 2
	wait_for has_lines log 2
	delete eth0
	says log "eth0: the interface is gone"
	pair wan7
	ip -n "$LAB-a" link property add dev wan7 altname uplink-with-a-very-long-name
	started_again log 2
	frames_on wan7 3
	wait_for has_lines log 5
	stop log
	same "lines with the new name" "$(grep -c ' wan7 ' "$T/log.out")" 3
}

@test "an interface that was renamed comes back under its last name" {
	start log --wait
	ip -n "$LAB-a" link set eth0 down
	ip -n "$LAB-a" link set eth0 name wan0
	says log "eth0: the interface is now called wan0"
	delete wan0
	says log "wan0: the interface is gone; waiting for it"
	pair wan0
	started_again log 2
	stop log
}

@test "log ends with 1 when no interface comes back within ten seconds" {
	start log
	delete eth0
	ends log 1
	says log "no interface has come back within 10 seconds"
}

@test "follow goes on when its interface is back and has a program again" {
	"${A[@]}" xdp-loader load eth0 "$OBJ"
	start follow follow
	frames 3
	wait_for has_lines follow 3
	delete eth0
	says follow "eth0: the interface is gone"
	pair eth0
	says follow "eth0: there is no xdpfun program to follow: waiting for one"
	"${A[@]}" xdp-loader load eth0 "$OBJ"
	started_again follow 2
	frames 4
	wait_for has_lines follow 7
	stop follow
	totals follow
	same "seen and logged" "$seen $logged" "7 7"
	"${A[@]}" "$XF" unload -i eth0
}

@test "--wait waits for an interface that is not there yet" {
	begin log "${A[@]}" "$XF" -i late0 --wait
	says log "'late0' is not there yet: waiting for it"
	pair late0
	started_again log 1
	says log "late0: the interface is there"
	frames_on late0 3
	wait_for has_lines log 3
	stop log
	totals log late0
	same logged "$logged" 3
}

@test "--wait waits for the missing one of two interfaces" {
	begin log "${A[@]}" "$XF" -i late0 -i eth0 --wait
	started_again log 1
	frames 2
	wait_for has_lines log 2
	stop log
	totals log
	same logged "$logged" 2
	same "lines of counters" "$(grep -c ': seen' "$T/log.err")" 1
}

unloaded() {
	[ "$(grep -c 'eth0: somebody unloaded the program; waiting for it' "$T/follow.err")" = "$1" ]
}

@test "follow --wait waits for a program, and again when it is unloaded" {
	begin follow "${A[@]}" "$XF" follow --wait
	says follow "eth0: there is no xdpfun program to follow: waiting for one"
	for round in 1 2; do
		"${A[@]}" xdp-loader load eth0 "$OBJ"
		started_again follow $round
		frames 3
		wait_for has_lines follow $((3 * round))
		"${A[@]}" "$XF" unload -i eth0
		wait_for unloaded $round
	done
	stop follow
	totals follow
	same "seen and logged" "$seen $logged" "6 6"
}

@test "-i any logs every interface that exists or comes, more than 64 of them" {
	local n

	# Of 66 interfaces the first ones exist from the beginning, and the last ones come later.
	for n in {1..60}; do
		ip -n "$LAB-a" link add "v$n" type veth peer name "v$n" netns "$LAB-b"
	done
	begin log "${A[@]}" "$XF" -i any --buffer 64M
	wait_for at_work log 62
	for n in {61..66}; do
		pair "v$n"
	done
	wait_for at_work log 68
	frames 2
	for n in 1 7 60; do
		for side in a b; do
			ip -n "$LAB-$side" link set "v$n" addrgenmode none
			ip -n "$LAB-$side" link set "v$n" up
		done
	done
	for n in 1 7 60 61 66; do
		frames_on "v$n" 3
	done
	wait_for has_lines log 17
	delete v66
	says log "v66: the interface is gone$"
	pair v66
	wait_for at_work log 69
	frames_on v66 4
	wait_for has_lines log 21
	stop log
	same lines "$(lines log)" 21
	totals log v66
	same "seen and logged" "$seen $logged" "7 7"
	totals log v60
	same "seen and logged" "$seen $logged" "3 3"
	same "interfaces with counters" "$(grep ': seen' "$T/log.err" | cut -d: -f1 | sort -u | wc -l)" 68
	same "what is attached" "$("${A[@]}" ip -j link | jq '[.[] | select(.xdp)] | length')" 0
}

@test "--duration begins when -i any has started all interfaces" {
	local n

	for n in {1..20}; do
		ip -n "$LAB-a" link add "v$n" type veth peer name "v$n" netns "$LAB-b"
	done
	begin log "${A[@]}" "$XF" -i any --duration 0.001 -q
	ends log 0
	same "interfaces with counters" "$(grep -c ': seen' "$T/log.err")" 22
}

@test "-i any goes on without an interface that another program holds" {
	needs_no_chaining
	attach_foreign
	second_pair
	begin log "${A[@]}" "$XF" -i any
	wait_for at_work log 2
	says log "cannot attach to eth0"
	says log "eth0: it is left out"
	frames_on eth1 3
	wait_for has_lines log 3
	stop log
	same "what is attached" "$(program_on eth0)" "$foreign"
}

@test "-i any leaves an interface alone that only passes through" {
	begin log "${A[@]}" "$XF" -i any
	wait_for at_work log 2
	ip -n "$LAB-a" link add c0 type veth peer name c1
	ip -n "$LAB-a" link set c1 netns "$LAB-b"
	ip -n "$LAB-b" link set c1 up
	ip -n "$LAB-a" link set c0 up
	wait_for at_work log 3
	stop log
	says log "c0: attached program"
	same "what was done to c1" "$(grep -c 'c1:' "$T/log.err")" 0
	same "what is on c1" "$("${B[@]}" ip -j link show c1 | jq -r '.[0].xdp.prog.id // empty')" ""
}

@test "follow -i any reads interfaces that have a program, and those that get one" {
	second_pair
	run -1 "${A[@]}" "$XF" follow -i any
	matches "what it says" "$output" "there is no interface to read from"
	"${A[@]}" xdp-loader load eth0 "$OBJ"
	begin follow "${A[@]}" "$XF" follow -i any
	wait_for at_work follow 1
	frames 2
	"${A[@]}" xdp-loader load eth1 "$OBJ"
	wait_for at_work follow 2
	frames_on eth1 3
	wait_for has_lines follow 5
	stop follow
	"${A[@]}" "$XF" unload --all
}
