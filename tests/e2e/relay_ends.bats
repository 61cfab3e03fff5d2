#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2012,SC2034 # variables are for helpers
#
# Connections, clients, servers and relays that end in every way: all ends are passed on, and nothing is left behind.

load relay.bash

memory_kb() {
	awk '/^(VmRSS|RssAnon):/ { print $2; exit }' "/proc/${pid[relay]}/status"
}

descriptors() {
	ls "/proc/${pid[relay]}/fd" | wc -l
}

no_more_descriptors() {
	[ "$(descriptors)" -le "$1" ]
}

leaks() {
	pause=0
	local before memory

	many_connections
	server server --expect ok,reset,killed --reset-at 1-100000 --reset-share 300
	forward
	client first --up 20k --down 20k --conns 50 --total 500 --reset-at 1-40000 --reset-share 300 \
		--expect ok,killed,reset
	wait_for log_has 500
	before=$(descriptors) memory=$(memory_kb)
	client more --up 20k --down 20k --conns 50 --total 3000 --reset-at 1-40000 --reset-share 300 \
		--expect ok,killed,reset
	wait_for log_has 3500
	# The relay keeps empty pipes for later connections.
	wait_for no_more_descriptors $((before + 40))
	between "growth of memory in KiB" $(($(memory_kb) - memory)) -100000 2000
	server_ends server
	end_relay
}

@test "nothing is left behind by connections that end in every way" {
	each_engine leaks
}

kill_either() {
	pause=0
	server server --expect ok,reset,killed --reset-at 1-3m --reset-share 400
	forward
	client client --up 1m --down 1m --conns 40 --total 400 --reset-at 1-3m --reset-share 400 \
		--expect ok,killed,reset --write 1-100000
	between "connections that got through" "$(result client ok)" 20 380
	wait_for log_has 400
	server_ends server
	# The relay serves later connections as before.
	server server
	client after --up 1m --down 1m --conns 4
	server_ends server
	end_relay
}

@test "resets at random moments from either side" {
	each_engine kill_either
}

kill_processes() {
	local now killed

	server server
	forward
	client_begins client --up 1000m --down 1000m --conns 20
	wait_for taken 20000000
	finish KILL client
	wait_for log_has 20
	finish KILL server
	server server --expect ok,cut,reset
	client_begins client --up 1000m --down 1000m --conns 20 --expect reset,cut --verbose
	wait_for taken 20000000
	control
	clock
	killed=$now
	finish KILL server
	client_ends client
	control_ends
	soon "us until the client knew" $((($(at_ms client) - killed) * 1000)) 1000000
	wait_for log_has 40
	server server
	client after --up 1m --down 1m --conns 4
	server_ends server
	end_relay
}

@test "kill -9 of all clients, then of all servers, under load" {
	each_engine kill_processes
}

reset_idle() {
	# Nothing moves, so that only the reset itself can tell the relay.
	server server --expect reset --verbose
	forward
	control
	client client --mode request --rounds 2 --hold-at 64 --expect killed --conns 3 --verbose --reset-at 256
	wait_for log_has 3
	server_ends server
	control_ends
	soon_after client server
	server server --expect killed --reset-at 256 --verbose
	control
	client client --mode request --rounds 2 --hold-at 64 --expect reset --conns 3 --verbose
	server_ends server
	control_ends
	soon_after server client
	end_relay
}

@test "a reset of an idle connection is passed on at once, both ways" {
	each_engine reset_idle
}

restart() {
	server server --expect ok,reset,cut
	forward
	client_begins client --up 1000m --down 1000m --conns 20 --expect reset,cut
	wait_for taken 20000000
	finish KILL relay
	forward
	client_ends client
	# The new relay could bind the port at once.
	client after --up 1m --down 1m --conns 10
	server_ends server
	end_relay
	same "connections of the new one" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 10 closed"
}

@test "kill -9 and start again on the same port" {
	each_engine restart
}
