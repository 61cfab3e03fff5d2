#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The helpers for processes that tests run in the background.

bats_require_minimum_version 1.5.0
load ../lib/process.bash

setup() {
	T=$BATS_TEST_TMPDIR
}

fail() {
	printf '%s\n' "$@"
	return 1
}

@test "a process that has ended is gone, and gets no signal" {
	begin sleeper sleep 1000
	alive sleeper
	signal STOP sleeper
	alive sleeper
	finish KILL sleeper
	gone sleeper
	run -1 signal TERM sleeper
	[ "$output" = "sleeper has ended" ] || fail "$output"
}

@test "a signal does not reach another process that has the same number" {
	begin sleeper sleep 1000
	finish KILL sleeper
	begin other sleep 1000
	pid[sleeper]=${pid[other]}
	gone sleeper
	run -1 finish KILL sleeper
	alive other
	finish KILL other
}

@test "a zombie is gone" {
	# shellcheck disable=SC2016 # for the inner shell
	begin parent bash -c 'sleep 0.1 & echo $!; exec sleep 1000'
	wait_for grep -q . "$T/parent.out"
	began child "$(<"$T/parent.out")"
	alive child
	wait_for gone child
	[ -e "/proc/${pid[child]}/stat" ]
	finish KILL parent
}

@test "a process whose number changes its program is the same one" {
	# shellcheck disable=SC2016 # for the inner shell
	begin shell bash -c 'until [ -e "$0" ]; do sleep 0.01; done; exec sleep 1000' "$T/go"
	touch "$T/go"
	wait_for grep -q sleep "/proc/${pid[shell]}/comm"
	alive shell
	finish TERM shell
}
