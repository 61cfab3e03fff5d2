#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2086 # variables are for helpers; numbers are single words
#
# Every byte arrives, once, in order, while a connection moves from engine to engine.

load relay.bash

# rotate BYTES ARGUMENTS...: run a client with a relay that changes engines after so many bytes; fails when no connection
# changed $least times. The client sends in bursts, because a connection enters the sockmap when its queues are empty, and
# leaves it when user space has caught up; on a busy machine both are rare.
rotate() {
	local bytes=$1

	shift
	forward --rotate-bytes "$bytes"
	client client --pace-us 1500 "$@"
	end_relay
	between "changes of engine every $bytes" "$(log_of .moves | sort -n | tail -n 1)" "${least:-2}" 1000000
}

@test "engines change under way: bulk" {
	engine=auto
	server server --write 1-400000 --pace-us 1500
	for bytes in 10000 64k 333333 1m; do
		rotate $bytes --up 24m --down 24m --write 1-400000 --conns 2
	done
	server_ends server
}

@test "engines change under way: one way, and half-closed" {
	engine=auto
	server server --write 1-400000 --pace-us 1500 --late-fin
	for bytes in 30000 500k; do
		rotate $bytes --up 16m --down 0 --write 1-400000 --conns 2
		rotate $bytes --up 0 --down 16m --late-fin --conns 2
		rotate $bytes --up 16m --down 8m --write 1-400000 --mode after-fin --conns 2
	done
	server_ends server
}

@test "engines change under way: small messages" {
	engine=auto
	server server --write 1-50 --pace-us 1000
	for bytes in 100 700; do
		rotate $bytes --mode request --request 800 --reply 40 --rounds 100 --conns 4
	done
	rotate 20 --up 6000 --down 6000 --write 1-50 --conns 4
	server_ends server
}

@test "engines change under way: readers that stop and go" {
	engine=auto
	server server --rcvbuf 32768 --stall-at 700k --stall-every 2m --stall-ms 20 --write 1-400000 --pace-us 1500
	for bytes in 100k 1m; do
		least=1 rotate $bytes --up 12m --down 12m --rcvbuf 32768 --stall-at 500k --stall-every 2m --stall-ms 20 \
			--write 1-400000 --conns 2
	done
	server_ends server
}

@test "engines change under way: resets" {
	engine=auto
	for bytes in 20000 200k; do
		server server --expect ok,reset,killed --reset-at 1-6m --reset-share 300 --write 1-200000 \
			--pace-us 1500
		rotate $bytes --up 2m --down 2m --conns 20 --total 200 --reset-at 1-6m --reset-share 300 \
			--expect ok,killed,reset --write 1-200000
		server_ends server
	done
}

@test "engines change under way: an echo" {
	engine=auto
	for bytes in 10000 1m; do
		echoes --rotate-bytes $bytes
		client client --mode echo --up 16m --write 1-400000 --pace-us 1500 --conns 2
		client slow --mode echo --up 8m --rcvbuf 32768 --stall-at 1m --stall-every 1m --stall-ms 20 \
			--write 1-400000 --pace-us 1500
		end_relay
		between "changes of engine" "$(log_of .moves | sort -n | tail -n 1)" 2 1000000
	done
}
