#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2086 # variables are for helpers; addresses are single words
#
# Limits of descriptors, connections, time and memory: the connections that are served already go on.

load relay.bash

# stuck_and_good MEMORY STUCK_ARGUMENTS...: start a relay to a server, and to one that stops reading for connections whose
# first packet is "$T/prefix".
stuck_and_good() {
	server server
	at=10.9.0.2:7002 server stuck --stall-at 64 --stall-ms forever --rcvbuf 16384 "${@:2}"
	printf 'host stuck -> 10.9.0.2:7002\nany -> %s\n' $SERVER >"$T/routes"
	printf 'GET / HTTP/1.1\r\nHost: stuck\r\n\r\n' >"$T/prefix"
	printf 'GET / HTTP/1.1\r\nHost: good\r\n\r\n' >"$T/good"
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --engine "$engine" --memory "$1"
}

others_go_on() {
	stuck_and_good 64M
	client_begins pushers --prefix "$T/prefix" --up 2m --down 0 --conns 100
	settle 1000000
	prompt others --prefix "$T/good" --mode request --rounds 30 --conns 5 --total 20
	client bulk --prefix "$T/good" --up 4m --down 4m
	signal USR1 stuck
	client_ends pushers
	server_ends stuck
	server_ends server
	end_relay
}

@test "stalled readers do not hold up other connections" {
	each_engine others_go_on
}

# beside_stalled PUSHERS MEMORY LEAST BYTES: 20 connections exist before stalled readers use up the memory, and move BYTES
# both ways afterwards.
beside_stalled() {
	stuck_and_good "$2" --expect ok,reset --late-fin
	client_begins others --prefix "$T/good" --hold-at 64 --up "$4" --down "$4" --conns 20
	wait_for all_decided others 20
	client_begins pushers --prefix "$T/prefix" --hold-at 64 --up 200k --down 0 --conns "$1" --expect ok,reset --verbose
	wait_for all_decided pushers $(($1 + 20))
	between "connections of the senders" "$(relayed)" $(($3 + 20)) $(($1 + 20))
	signal USR2 pushers
	settle 1000000
	signal USR2 others
	client_ends others
	alive pushers || fail "nothing has stopped the senders"
	echo "$engine: others were done after $(result others ms) ms"
	finish KILL pushers stuck
	server_ends server
	signal TERM relay
	ends relay 0
}

# With --engine sockmap the others get through, too, but how late depends on the senders' retries.
@test "stalled readers that have used up the memory do not stop other connections" {
	local ENGINES=(auto)

	each_engine beside_stalled 300 8M 180 200k
}

# few_descriptors [ARGUMENTS...]: a client that cannot be served is refused at once, and none waits for ever.
few_descriptors() {
	local now before start

	server server --expect ok,reset
	begin relay "${A[@]}" prlimit --nofile=64:64 "$XF" forward -l $LISTEN --to $SERVER \
		--engine "$engine" -f json --max-connections 1000 "$@"
	relay_ready $LISTEN
	control
	clock
	start=$now
	client_begins crowd --mode request --rounds 2 --hold-at 64 --conns 100 --expect ok,reset --verbose
	wait_for all_decided crowd 100
	control_ends
	soon "us until the last one was refused" $((($(at_ms crowd reset) - start) * 1000)) 1000000
	# Clients that cannot be accepted do not keep the relay busy.
	before=$(ticks relay)
	sleep 1
	between "ticks of CPU in a second of want" $(($(ticks relay) - before)) 0 25
	alive relay || fail "the relay has ended:" "$(said relay)"
	signal USR1 crowd
	client_ends crowd
	# A connection takes two descriptors, and the relay itself some.
	between "connections that were served" "$(result crowd ok)" 10 30
	says relay "Too many open files"
	client after --up 1m --down 1m --conns 3
	signal TERM relay
	ends relay 0
	server_ends server
}

@test "out of descriptors the relay refuses connections, lets none hang, and recovers" {
	each_engine few_descriptors
}

@test "out of descriptors with two threads the relay recovers, too" {
	engine=auto
	few_descriptors --threads 2
}

max_connections() {
	server server
	forward --max-connections 10
	client_begins ten --mode request --rounds 2 --hold-at 64 --conns 10
	wait_for has_lines ten 1
	client eleventh --mode request --conns 3 --expect reset
	alive ten || fail "those that were there before have ended"
	signal USR1 ten
	client_ends ten
	client later --mode request --conns 5 --total 20
	server_ends server
	signal TERM relay
	ends relay 0
	says relay "refused by --max-connections 3"
}

@test "--max-connections refuses further connections" {
	each_engine max_connections
}

idle() {
	server server --expect ok,reset
	forward --idle 1
	control
	client_begins busy --mode request --rounds 15 --pace-us 100000
	client quiet --mode request --rounds 2 --hold-at 64 --expect reset
	control_ends
	client_ends busy
	wait_for log_has 2
	ended_after idle 1000
	server_ends server
	# A connection that moves in one direction only is not idle.
	server server --write 1000 --pace-us 100000
	client one_way --up 0 --down 15000
	between "ms of the transfer" "$(result one_way ms)" 1300 1000000
	server_ends server
	# A connection whose reader is slow is not idle while the relay cannot write, and all bytes arrive.
	server server
	client slow --up 0 --down 600k --rcvbuf 8192 --stall-at 64 --stall-every 16k --stall-ms 60
	between "ms of the slow transfer" "$(result slow ms)" 1500 1000000
	server_ends server
	end_relay
	same "ends for idleness" "$(log_of 'select(.end | test("idle")) | .end' | wc -l)" 1
}

@test "--idle ends idle connections and no others" {
	each_engine idle
}
