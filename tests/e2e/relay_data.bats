#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2012,SC2034,SC2086,SC2102,SC2125 # variables are for helpers; addresses are single words
#
# Every byte arrives, once, in order, with every engine.

load relay.bash

bulk() {
	server server --write 1-200000
	forward
	client client --up 48m --down 48m --write 1-200000
	server_ends server
	end_relay
	moved_by_engine
	same "bytes in the log" "$(log_of '"\(.bytes_to_upstream) \(.bytes_to_client)"')" "50331712 50331712"
}

@test "48 MiB in random pieces, both ways at once" {
	each_engine bulk
}

bulk_echo() {
	echoes
	client client --mode echo --up 48m --write 1-200000
	client several --mode echo --up 1m-8m --write 1-200000 --conns 8
	end_relay
	moved_by_engine
}

@test "48 MiB in random pieces through an echo" {
	each_engine bulk_echo
}

many_bulks() {
	server server
	forward
	client client --up 8m --down 8m --conns 16 --write 1-200000
	server_ends server
	end_relay
}

@test "16 bulk transfers at a time" {
	each_engine many_bulks
}

dribble() {
	server server --write 1
	forward
	client client --up 20000 --down 20000 --write 1 --conns 2
	client ping_pong --mode request --request 1 --reply 1 --rounds 3000
	server_ends server
	end_relay
	echoes
	client echo --mode echo --up 20000 --write 1
	end_relay
}

@test "a dribble of single bytes" {
	each_engine dribble
}

concurrent() {
	many_connections
	server server
	forward --memory 512M # splice and copy reserve the buffers of each connection
	client_begins client --mode request --request 200 --reply 500 --rounds 2 --hold-at 200 --conns 1000
	wait_for has_lines client 1
	same "sockets of clients" "$("${A[@]}" ss -Htn state established "sport = :7000" | wc -l)" 1000
	signal USR1 client
	client_ends client
	client all_at_once --up 1-30000 --down 1-30000 --conns 1000
	server_ends server
	end_relay
	same "connections in the log" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 2000 closed"
}

@test "1,000 connections at a time" {
	each_engine concurrent
}

concurrent_echo() {
	many_connections
	echoes
	client client --mode echo --up 1-30000 --conns 1000
	end_relay
}

@test "1,000 connections at a time with an echo" {
	each_engine concurrent_echo
}

churn() {
	pause=0
	many_connections
	server server
	forward
	client client --mode request --conns 16 --total 5000
	wait_for log_has 5000
	server_ends server
	same "descriptors of connections" "$("${A[@]}" ss -Htnp "sport = :7000" | grep -c "pid=${pid[relay]}")" 0
	end_relay
	same "ends in the log" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 5000 closed"
}

@test "5,000 short connections one after the other" {
	each_engine churn
}

# workers_slept MIN: print how many threads, without the first, which moves nothing, have slept at least MIN times.
workers_slept() {
	local task

	for task in "/proc/${pid[relay]}/task/"*; do
		[ "${task##*/}" = "${pid[relay]}" ] || awk '/^voluntary/ { print $2 }' "$task/status"
	done | awk -v min="$1" '$1 >= min' | wc -l
}

threads() {
	server server
	forward --threads 2
	same "threads" "$(ls "/proc/${pid[relay]}/task" | wc -l)" 3
	same "listening sockets" "$("${A[@]}" ss -Hltn "src $LISTEN" | wc -l)" 2
	client client --up 1m --down 1m --conns 40 --total 200 --write 1-100000
	client small --mode request --rounds 10 --conns 50 --total 500
	# A thread that never got a connection has slept once.
	same "workers that had connections" "$(workers_slept 20)" 2
	server_ends server
	end_relay
	same "connections in the log" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 700 closed"
}

@test "connections use both threads of --threads 2" {
	each_engine threads
}

ipv6() {
	relay "[fd00:9::1]:7000" echo -l "[fd00:9::1]:7000" --engine "$engine"
	to=[fd00:9::1]:7000 client echo --mode echo --up 2m --conns 4
	end_relay
	at=[fd00:9::2]:7001 server server
	relay "[fd00:9::1]:7000" forward -l "[fd00:9::1]:7000" --to "[fd00:9::2]:7001" --engine "$engine"
	to=[fd00:9::1]:7000 client client --up 2m --down 2m --conns 4
	end_relay
	server_ends server
	# A client over IPv6 reaches a server over IPv4.
	server server
	relay "[fd00:9::1]:7000" forward -l "[fd00:9::1]:7000" --to $SERVER --engine "$engine"
	to=[fd00:9::1]:7000 client client --up 2m --down 2m --conns 4
	end_relay
	server_ends server
	moved_by_engine
}

@test "IPv6 on either side and on both" {
	ipv6_up
	each_engine ipv6
}

@test "a bulk transfer does not hold up small messages on other connections" {
	waits() {
		server server
		forward
		client_begins bulk --up 1000000m --down 0 --conns 2
		wait_for taken 20000000
		# All answers and not the slowest: a relay that uses all of a CPU waits for it on a busy machine.
		control
		client small --mode request --rounds 200 --conns 4
		control_ends
		soon "us for 200 answers" "$(result small ms)000" 10000000
		alive bulk || fail "the bulk was done before"
		finish TERM bulk
		finish KILL server
		signal TERM relay
		ends relay 0
	}
	each_engine waits
}
