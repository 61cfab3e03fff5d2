#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034 # variables are for helpers
#
# Senders push while the relay's process is stopped: the kernel's half of the engine has to keep the bound alone.

# bats file_tags=slow

load relay.bash
load relay_stalled.bash

# lagging CONNECTIONS MEMORY BYTES_MAX CLIENT_ARGUMENTS...: stop the relay's process while the senders push; fails when the
# relay holds more than BYTES_MAX, then or after the process goes on.
lagging() {
	local conns=$1 memory=$2 most=$3

	shift 3
	engine=sockmap
	rm -f "$T/sp"
	if [[ $* = *"--mode echo"* ]]; then
		observe_args=()
		echoes --memory "$memory"
	else
		observe_args=(--upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp")
		server server --stall-at 64 --stall-ms forever --rcvbuf 32768 --ports "$T/sp" --late-fin
		forward --memory "$memory"
	fi
	observe "${observe_args[@]}"
	client_begins client --conns "$conns" --ports "$T/cp" --hold-at 0 "$@"
	wait_for has_all "$conns"
	wait_for maps_have $((conns * (${#observe_args[@]} ? 2 : 1)))
	signal STOP relay
	signal USR2 client
	sleep 2
	between "bytes taken in while it was stopped" "$(taken_in)" $((conns * 1000)) 1000000000
	# The observer goes on while the process continues.
	signal CONT relay
	settle $((conns * 2000))
	observed "$conns"
	between "bytes held by a connection" "$one" 1000 $((16 * MIB))
	between "bytes held by all" "$all" $((conns * 1000)) "$most"
	alive client || fail "nothing has stopped the senders"
	echo "$conns: one held $one, all $all of $most"
	signal USR1 client
	[ ${#observe_args[@]} = 0 ] || signal USR1 server
	client_ends client
	[ ${#observe_args[@]} = 0 ] || server_ends server
	end_relay
	moved_by_engine
}

@test "one stalled reader while the relay's process is stopped" {
	lagging 1 256M $((256 * MIB)) --up 24m --down 0
}

@test "300 stalled readers while the relay's process is stopped" {
	lagging 300 64M $((64 * MIB)) --up 500k --down 0
}

@test "one stalled reader of an echo while the relay's process is stopped" {
	local stall=(--late-fin --stall-at 64 --stall-ms forever --rcvbuf 32768)

	lagging 1 256M $((256 * MIB)) --mode echo --up 24m "${stall[@]}"
}

@test "150 stalled readers of an echo while the relay's process is stopped" {
	local stall=(--late-fin --stall-at 64 --stall-ms forever --rcvbuf 32768)

	lagging 150 32M $((32 * MIB)) --mode echo --up 500k "${stall[@]}"
}
