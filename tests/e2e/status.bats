#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The report of status on programs, their readers and their rings, in text and JSON.

load lib.bash

# left_records: print how many records the rings of a dead reader on eth0 hold, by status.
left_records() {
	status_of eth0 '.programs[0].left_records'
}

# dies_behind NAME COUNT: it is killed while so many records wait for it.
dies_behind() {
	signal STOP "$1"
	frames "$2"
	signal KILL "$1"
	wait "${pid[$1]}" || :
}

@test "status shows a program that xdp-loader loaded" {
	load_object
	frames 3
	same "what status says" "$(status_of eth0 '.programs[0] | "\(.name) \(.ours) \(.owner) \(.counters.seen) \(.counters.unread)"')" \
		"xdpfun true null 3 3"
	run -0 "${A[@]}" "$XF" status -i eth0
	[[ $output = *xdpfun*"seen 3"* ]] || fail "$output"
	"${A[@]}" "$XF" unload -i eth0
}

@test "rings that a dead follower left are counted by status, and go with it" {
	load_object
	start follow follow
	same "left by a living reader" "$(left_records)" null
	frames 3
	wait_for has_lines follow 3
	dies_behind follow 5
	matches status "$("${A[@]}" "$XF" status -i eth0)" "a reader died and left 5 records in [0-9.]+ MiB of rings, which are released now"
	same "left afterwards" "$(left_records)" null
	frames 2
	same "unread without rings" "$(counter eth0 unread)" 2
	start next follow
	frames 4
	stop next
	totals next
	same "seen and logged" "$seen $logged" "4 4"
	"${A[@]}" "$XF" unload -i eth0
}

@test "rings of an orphan are counted by status, and stay for the next log" {
	start log
	dies_behind log 6
	same "left by the dead loader" "$(left_records)" 6
	same "left by the dead loader, still" "$(left_records)" 6
	start next
	says next "adopted program"
	wait_for has_lines next 6
	stop next
	totals next
	same "seen and logged" "$seen $logged" "6 6"
}

@test "status with too few file descriptors is an error" {
	"${A[@]}" xdp-loader load eth0 "$OBJ"
	for n in {6..16}; do
		run "${A[@]}" bash -c "ulimit -n $n; exec \"\$@\"" - "$XF" status -i eth0
		[ "$status" != 0 ] || [[ $output == *seen* ]] || fail "status with $n descriptors: $output"
		run "${A[@]}" bash -c "ulimit -n $n; exec \"\$@\"" - "$XF" unload -i eth0
		[[ $status != 139 && $output != *"no interface"* ]] || fail "unload with $n descriptors: $status $output"
		[ "$status" = 0 ] || continue
		same "what is attached after unload with $n descriptors" "$(program_on eth0)" ""
		return
	done
	fail "unload never succeeded"
}

@test "status is JSON for any name that an interface can have" {
	"${A[@]}" ip link add name $'x\xff"\xc3\xa4' type veth peer name y0
	"${A[@]}" "$XF" status --json | jq -e '.interfaces | map(.iface) | index("x\u00ff\"ä")'
	"${A[@]}" ip link del y0
}
