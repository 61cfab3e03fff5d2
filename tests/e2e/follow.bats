#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# follow reads the log of an xdpfun.o that another loader attached.

load lib.bash

@test "follow prints the packets of a program that xdp-loader loaded, and leaves it attached" {
	load_object
	frames 7
	same "unread before" "$(counter eth0 unread)" 7
	start follow follow
	same "program that is followed" "$(program follow)" "$loaded"
	frames 20
	wait_for has_lines follow 20
	stop follow
	same lines "$(lines follow)" 20
	totals follow
	same seen "$seen" 20
	same logged "$logged" 20
	frames 5
	same "unread afterwards" "$(counter eth0 unread)" 12
	same "submitted afterwards" "$(counter eth0 submitted)" 20
	same "program afterwards" "$(status_of eth0 '.programs[0].id')" "$loaded"
	"${A[@]}" "$XF" unload -i eth0
}

@test "a second follower reads after the first has ended" {
	load_object
	for round in 1 2; do
		start follow follow -c 10
		frames 15
		ends follow 0
		same "lines in round $round" "$(lines follow)" 10
		totals follow
		same "logged in round $round" "$logged" 10
		between "unread in round $round" "$unread" 0 5
	done
	"${A[@]}" "$XF" unload -i eth0
}

@test "a second follower is refused while the first reads, and the error names the first" {
	load_object
	start follow follow
	run -1 "${A[@]}" "$XF" follow
	[[ $output = *"program $loaded"*"process ${pid[follow]}"* ]] || fail "$output"
	frames 5
	wait_for has_lines follow 5
	stop follow
	totals follow
	same logged "$logged" 5
	"${A[@]}" "$XF" unload -i eth0
}

@test "a follower of a running log is refused, and the error names the log" {
	start log
	run -1 "${A[@]}" "$XF" follow
	[[ $output = *"program $(program log)"*"process ${pid[log]}"* ]] || fail "$output"
	frames 5
	stop log
	same lines "$(lines log)" 5
}

@test "after kill -9 of a follower the next one reads" {
	load_object
	start follow follow
	finish KILL follow
	frames 5
	start next follow
	frames 8
	stop next
	totals next
	# Packets between the two were for the killed one.
	same lines "$(lines next)" 8
	same logged "$logged" 8
	"${A[@]}" "$XF" unload -i eth0
}

@test "follow reads an orphan and does not remove it" {
	start log
	id=$(program log)
	finish KILL log
	start follow follow
	same "program that is followed" "$(program follow)" "$id"
	frames 4
	stop follow
	same lines "$(lines follow)" 4
	same_program eth0 "$id"
	"${A[@]}" "$XF" unload -i eth0
}

@test "--id selects the program with this id" {
	load_object
	run -1 "${A[@]}" "$XF" follow --id $((loaded + 100000))
	[[ $output = *"id $((loaded + 100000))"* ]] || fail "$output"
	start follow follow --id "$loaded"
	frames 2
	stop follow
	same lines "$(lines follow)" 2
	"${A[@]}" "$XF" unload -i eth0
}

@test "follow without a program is an error that tells how to load one" {
	run -1 "${A[@]}" "$XF" follow
	[[ $output = *"eth0 has no xdpfun program"*"xdp-loader load eth0 xdpfun.o"* ]] || fail "$output"
}

@test "follow ends when its program is unloaded" {
	load_object
	start follow follow
	frames 6
	wait_for has_lines follow 6
	"${A[@]}" "$XF" unload -i eth0
	ends follow 0
	says follow "eth0: somebody unloaded the program"
	totals follow
	same logged "$logged" 6
}

@test "follow goes on with the other when one of two programs is unloaded" {
	second_pair
	load_object
	load_object "$OBJ" eth1
	start follow follow -i eth0 -i eth1
	"${A[@]}" "$XF" unload -i eth0
	says follow "eth0: somebody unloaded the program"
	says follow "^eth0: seen 0"
	"${B[@]}" "$helpers/frames" eth1 5
	wait_for has_lines follow 5
	"${A[@]}" "$XF" unload -i eth1
	ends follow 0
	totals follow eth1
	same logged "$logged" 5
}

@test "--sample and --rate of a follower end with the follower" {
	load_object
	start follow follow --sample 1000000000
	frames 1000
	stop follow
	totals follow
	same seen "$seen" 1000
	between "sampled out" "$sampled" 999 1000
	start follow follow --rate 10
	frames 1000
	stop follow
	totals follow
	same seen "$seen" 1000
	between "rate limited" "$limited" 900 990
	start follow follow
	frames 100
	stop follow
	totals follow
	same logged "$logged" 100
	"${A[@]}" "$XF" unload -i eth0
}

@test "an error about another ABI version names both versions" {
	load_object "$helpers/otherabi.bpf.o"
	run -1 "${A[@]}" "$XF" follow
	[[ $output = *"program $loaded"*"version 77"*"version 2"* ]] || fail "$output"
	run -0 "${A[@]}" "$XF" status -i eth0
	same "ours in status" "$(status_of eth0 '.programs[0].ours')" true
	run -0 "${A[@]}" "$XF" unload -i eth0
	same "what is attached" "$(program_on eth0)" ""
}

@test "follow writes files as log does" {
	load_object
	start follow follow -f json -w "$T/file"
	frames 9
	stop follow
	same "JSON objects" "$(jq -s length "$T/file")" 9
	"${A[@]}" "$XF" unload -i eth0
}
