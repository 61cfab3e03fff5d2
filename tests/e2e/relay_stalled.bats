#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034 # variables are for helpers
#
# One connection whose readers have stopped: what the relay holds of it is bounded, and all bytes arrive later.

# bats file_tags=slow

load relay.bash
load relay_stalled.bash

@test "one stalled reader: at most 16 MiB are held, and all bytes arrive later" {
	each_engine upload 1 256M $((256 * MIB)) 24m
	each_engine download 1 256M $((256 * MIB)) 24m
}

@test "both readers of a connection stalled: at most 16 MiB are held, and all bytes arrive later" {
	each_engine both_stalled 1 256M $((256 * MIB)) 24m
}

@test "one stalled reader of an echo" {
	each_engine echo_stalled 1 256M $((256 * MIB)) 24m
}

@test "one stalled reader with little memory" {
	each_engine upload 1 8M $((8 * MIB)) 24m
}
