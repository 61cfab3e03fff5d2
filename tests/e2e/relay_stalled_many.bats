#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034 # variables are for helpers
#
# Many connections whose readers have stopped, and memory for all of them: what the relay holds is bounded, and all
# bytes arrive later.

# bats file_tags=slow

load relay.bash
load relay_stalled.bash

@test "both readers stalled of as many connections as --memory has room for" {
	each_engine both_stalled 40 13M $((13 * MIB)) 600k
}

@test "both readers of 1,000 connections stalled" {
	[ -n "${XDPFUN_LONG:-}" ] || skip "takes a minute: scripts/test --long; with 40 it is tested above"
	each_engine both_stalled 1000 256M $((256 * MIB)) 800k
}

@test "1,000 stalled readers: at most --memory is held, and all bytes arrive later" {
	engine=auto
	upload 1000 256M $((256 * MIB)) 350k
}

@test "300 stalled readers: at most --memory is held, and all bytes arrive later" {
	each_engine upload 300 77M $((77 * MIB)) 350k
}

@test "300 clients that are stalled readers" {
	local ENGINES=(sockmap copy)

	each_engine download 300 77M $((77 * MIB)) 350k
}

@test "300 stalled readers with two threads" {
	engine=auto
	upload 300 77M $((77 * MIB)) 350k --threads 2
}

@test "200 stalled readers of an echo" {
	engine=sockmap
	echo_stalled 200 32M $((32 * MIB)) 300k
}
