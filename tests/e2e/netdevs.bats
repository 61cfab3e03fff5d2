#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Interfaces that are deleted, renamed or moved, or lose the program, while a log runs.

load lib.bash

@test "log goes on with the other when one of two interfaces is deleted" {
	second_pair
	start log -i eth0 -i eth1
	"${B[@]}" "$helpers/frames" eth1 4
	wait_for has_lines log 4
	ip -n "$LAB-a" link del eth1
	says log "eth1: the interface is gone"
	says log "^eth1: seen 4, logged 4,"
	frames 6
	wait_for has_lines log 10
	stop log
	totals log eth0
	same logged "$logged" 6
	same "lines of counters of eth1" "$(grep -c '^eth1: seen' "$T/log.err")" 1
}

@test "log ends with 1 and the counters when its last interface is deleted" {
	start log
	frames 4
	ip -n "$LAB-a" link del eth0
	ends log 1
	says log "eth0: the interface is gone"
	totals log
	same logged "$logged" 4
	same lines "$(lines log)" 4
}

@test "log follows the rename of an interface" {
	start log
	frames 2
	wait_for has_lines log 2
	ip -n "$LAB-a" link set eth0 down
	ip -n "$LAB-a" link set eth0 name wan0
	ip -n "$LAB-a" link set wan0 up
	ip -n "$LAB-a" neigh replace 10.9.0.2 lladdr 02:00:00:00:09:02 dev wan0 nud permanent
	says log "eth0.* wan0"
	frames 3
	wait_for has_lines log 5
	stop log
	same "lines with the old name" "$(grep -c ' eth0 ' "$T/log.out")" 2
	same "lines with the new name" "$(grep -c ' wan0 ' "$T/log.out")" 3
	totals log wan0
	same seen "$seen" 5
	same "what is attached" "$(program_on wan0)" ""
}

@test "log ends when its program is taken off" {
	start log
	frames 4
	ip -n "$LAB-a" link set dev eth0 xdp off
	ends log 1
	says log "eth0: somebody unloaded the program"
	totals log
	same logged "$logged" 4
	same lines "$(lines log)" 4
}

@test "log does not detach a program that has replaced its own" {
	needs_no_chaining
	start log
	frames 4
	ip -n "$LAB-a" -force link set dev eth0 xdp object "$helpers/pass.bpf.o" section xdp
	ends log 1
	says log "eth0: somebody unloaded the program"
	totals log
	same logged "$logged" 4
	same "what is attached" "$(status_of eth0 '.programs[0].name')" foreign_pass
}

@test "log goes on with the other when one of two interfaces loses the program" {
	second_pair
	start log -i eth0 -i eth1
	ip -n "$LAB-a" link set dev eth0 xdp off
	says log "eth0: somebody unloaded the program"
	says log "^eth0: seen 0,"
	"${B[@]}" "$helpers/frames" eth1 3
	wait_for has_lines log 3
	stop log
	totals log eth1
	same logged "$logged" 3
}

@test "log ends when its interface moves to another network namespace" {
	start log
	frames 3
	wait_for has_lines log 3
	ip -n "$LAB-b" link set eth0 name peer0
	ip -n "$LAB-a" link set eth0 netns "$LAB-b"
	ends log 1
	says log "another network namespace"
	totals log
	same logged "$logged" 3
	"${B[@]}" "$XF" unload -i eth0
}

@test "log says nothing when an interface goes down and up again" {
	start log
	before=$(sent)
	frames 3
	ip -n "$LAB-a" link set eth0 down
	ip -n "$LAB-a" link set eth0 up
	ip -n "$LAB-a" link set eth0 mtu 1400
	frames 4
	wait_for has_lines log 7
	# The neighbours were forgotten, so that side b may have sent requests for them.
	all=$(($(sent) - before))
	stop log
	totals log
	between logged "$logged" 7 "$all"
	same "what it says besides" "$(grep -cE 'gone|unloaded|rror' "$T/log.err")" 0
}

@test "a program that moved away has no owner, also while the log goes on" {
	second_pair
	start log -i eth0 -i eth1
	ip -n "$LAB-b" link set eth0 name peer0
	ip -n "$LAB-a" link set eth0 netns "$LAB-b"
	wait_for grep -q "another network namespace" "$T/log.err"
	"${B[@]}" "$XF" unload -i eth0
	stop log
}

# stack_up: interfaces upon others: a bridge, which is older than its port, and a macvlan on eth0.
stack_up() {
	"${A[@]}" ip link add br0 type bridge || skip "this kernel has no bridge"
	"${A[@]}" ip link add port0 type veth peer name port1
	"${A[@]}" ip link set port0 master br0
	"${A[@]}" ip link add link eth0 name upper type macvlan || skip "this kernel has no macvlan"
	for name in br0 port0 port1 upper; do
		"${A[@]}" ip link set "$name" up
	done
}

none_attached() {
	same "what is attached" "$("${A[@]}" ip -j link | jq -c '[.[] | select(.xdp) | .ifname]')" "[]"
}

@test "log, firewall and unload begin below and leave above: a bridge and its port, a macvlan and its interface" {
	stack_up
	start log -i upper -i br0 -i port0 -i eth0
	stop log
	none_attached
	start any -i any
	wait_for at_work any 6
	no_match "what it says" "$(said any)" "left out"
	finish KILL any
	run -0 "${A[@]}" "$XF" unload --all
	none_attached
	run -0 "${A[@]}" "$XF" firewall attach -q -i upper -i br0 -i port0 -i eth0
	run -0 "${A[@]}" "$XF" firewall detach --purge
	none_attached
}

@test "an interface with a program upon the one that was asked for is named" {
	stack_up
	start above -i upper
	run -1 "${A[@]}" "$XF" -i eth0
	[[ $output = *"cannot attach to eth0: the interface upper upon it has an XDP program"*"status -i upper"* ]] || fail "$output"
	start below -i port0
	start bridge -i br0
	stop below 1
	says below "cannot remove program .* from port0: the interface br0 upon it has an XDP program"
	stop bridge
	stop above
	run -0 "${A[@]}" "$XF" unload --all
	none_attached
}
