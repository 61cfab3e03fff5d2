#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The programs that unload removes, and those that it leaves.

load lib.bash

@test "unload removes an orphan" {
	start log
	id=$(program log)
	finish KILL log
	run -0 "${A[@]}" "$XF" unload -i eth0
	[[ $output = *"removed program $id, whose loader died"* ]] || fail "$output"
	same "what is attached" "$(program_on eth0)" ""
	pings 1
	run -0 "${A[@]}" "$XF" unload -i eth0
	[[ $output = *"no xdpfun program"* ]] || fail "$output"
}

@test "unload --all removes orphans on every interface" {
	second_pair
	start log -i eth0 -i eth1
	finish KILL log
	run -0 "${A[@]}" "$XF" unload --all
	same "what is on eth0" "$(program_on eth0)" ""
	same "what is on eth1" "$(program_on eth1)" ""
}

@test "unload leaves the program of a living owner, without --force" {
	start log
	id=$(program log)
	run -1 "${A[@]}" "$XF" unload -i eth0
	[[ $output = *"program $id"*"process ${pid[log]}"*--force* ]] || fail "$output"
	same_program eth0 "$id"
	frames 5
	wait_for has_lines log 5
	run -0 "${A[@]}" "$XF" unload -i eth0 --force
	same "what is attached" "$(program_on eth0)" ""
	ends log 1
	says log "eth0: somebody unloaded the program"
	totals log
	same logged "$logged" 5
}

@test "unload removes what xdp-loader loaded" {
	"${A[@]}" xdp-loader load eth0 "$OBJ"
	same owner "$(owner_of eth0)" none
	run -0 "${A[@]}" "$XF" unload -i eth0
	[[ $output = *"which something else loaded"* ]] || fail "$output"
	same "what is attached" "$(program_on eth0)" ""
}

@test "unload does not remove a program of another project" {
	attach_foreign
	run -0 "${A[@]}" "$XF" unload -i eth0
	[[ $output = *"no xdpfun program"* ]] || fail "$output"
	run -0 "${A[@]}" "$XF" unload -i eth0 --force
	run -0 "${A[@]}" "$XF" unload --all --force
	same_program eth0 "$foreign"
}
