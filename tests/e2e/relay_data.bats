#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086,SC2102,SC2119,SC2120,SC2125,SC2034,SC2012 # addresses are single words; variables are for helpers
#
# Every byte arrives, once, in order, with every engine and while engines change.

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
	forward --memory 512M # splice and copy reserve what each may hold
	client_begins client --mode request --request 200 --reply 500 --rounds 2 --hold-at 200 --conns 1000
	wait_for has_lines client 1
	same "sockets of clients" "$("${A[@]}" ss -Htn state established "sport = :7000" | wc -l)" 1000
	kill -USR1 "${pid[client]}"
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
	# Empty pipes are kept for the next.
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
	# And it is as good as new.
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
	kill -KILL "${pid[client]}"
	wait "${pid[client]}" || :
	wait_for log_has 20
	kill -KILL "${pid[server]}"
	wait "${pid[server]}" || :
	server server --expect ok,cut,reset
	client_begins client --up 1000m --down 1000m --conns 20 --expect reset,cut --verbose
	wait_for taken 20000000
	control
	clock
	killed=$now
	kill -KILL "${pid[server]}"
	wait "${pid[server]}" || :
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
	# While nothing moves: the reset itself must be noticed.
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

# rotate BYTES ARGUMENTS...: a client's run with a relay that changes engines after so many bytes, at least
# $least times on one connection. It sends in bursts: to the sockmap a connection moves when nothing is
# under way.
rotate() {
	local bytes=$1

	shift
	forward --rotate-bytes "$bytes"
	client client --pace-us 1500 "$@"
	end_relay
	between "changes of engine every $bytes" "$(log_of .moves | sort -n | tail -n 1)" "${least:-6}" 1000000
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
		between "changes of engine" "$(log_of .moves | sort -n | tail -n 1)" 6 1000000
	done
}

# workers_slept MIN: how many threads but the first, which moves nothing, have waited for events so often.
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
	# One that never got a connection has waited once.
	same "workers that had connections" "$(workers_slept 20)" 2
	server_ends server
	end_relay
	same "connections in the log" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 700 closed"
}

@test "--threads 2" {
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
	# From one family to the other.
	server server
	relay "[fd00:9::1]:7000" forward -l "[fd00:9::1]:7000" --to $SERVER --engine "$engine"
	to=[fd00:9::1]:7000 client client --up 2m --down 2m --conns 4
	end_relay
	server_ends server
	moved_by_engine
}

@test "IPv6" {
	ipv6_up
	each_engine ipv6
}

restart() {
	server server --expect ok,reset,cut
	forward
	client_begins client --up 1000m --down 1000m --conns 20 --expect reset,cut
	wait_for taken 20000000
	kill -KILL "${pid[relay]}"
	wait "${pid[relay]}" || :
	forward
	client_ends client
	# Without a pause: the port is free, nothing of the old one is in the way.
	client after --up 1m --down 1m --conns 10
	server_ends server
	end_relay
	same "connections of the new one" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 10 closed"
}

@test "kill -9 and start again on the same port" {
	each_engine restart
}

@test "a bulk transfer beside does not hold up small messages" {
	waits() {
		server server
		forward
		client_begins bulk --up 1000000m --down 0 --conns 2
		wait_for taken 20000000
		most=500000 prompt small --mode request --rounds 200 --conns 4
		alive bulk || fail "the bulk was done before"
		kill -TERM "${pid[bulk]}"
		wait "${pid[bulk]}" || :
		kill -KILL "${pid[server]}"
		wait "${pid[server]}" || :
		kill -TERM "${pid[relay]}"
		ends relay 0
	}
	each_engine waits
}

# urgent_sent WHEN BYTES STEPS...: these steps of a probe send so many bytes, some of them urgent, when the
# connection is new, or when it has had messages (running). With stopped the relay finds all at once. The server
# sends the same back after the client's FIN, as an echo does at once.
urgent_sent() {
	local when=$1 bytes=$2 talk=() answer=() back=(end "${@:3}" fin)

	shift 2
	if [[ $when = *running* ]]; then
		for _ in {1..12}; do
			talk+=(send=100 read=100)
			answer+=(read=100 send=100)
		done
	fi
	[ "$when" != "running stopped" ] || talk+=(sleep=200)
	if [ "$to" != "$LISTEN-echo" ]; then
		begin server "${B[@]}" "$helpers/probe" listen "$SERVER" "${answer[@]}" read="$bytes" "${back[@]}" close
		wait_for has_lines server 1
	fi
	[ "$when" != stopped ] || kill -STOP "${pid[relay]}"
	begin client "${B[@]}" "$helpers/probe" connect "$LISTEN" "${talk[@]}" "$@" fin read="$bytes" end close
	if [ "$when" = "running stopped" ]; then
		wait_for has_lines client $((1 + 2 * 12))
		kill -STOP "${pid[relay]}"
	fi
	wait_for grep -q " fin " "$T/client.out"
	kill -CONT "${pid[relay]}"
	ends client 0
	all_there client "$when: $*"
	[ "$to" = "$LISTEN-echo" ] || { ends server 0 && all_there server "$when: $*"; }
}

# all_there NAME WHAT: each step did what it should, and behind the last byte there was the end.
all_there() {
	same "steps of the $1 that failed, $2" "$(cut -d' ' -f2- "$T/$1.out" | grep -vE " ok$|^end 0 eof$" | tr '\n' ';')" ""
	same "ends that the $1 saw" "$(grep -c " end 0 eof" "$T/$1.out")" 1
}

urgent() {
	local when

	for when in new stopped running "running stopped"; do
		urgent_sent "$when" 7 send=3 oob=1 send=3
		urgent_sent "$when" 10 oob=1 send=3 oob=1 oob=1 send=3 oob=1
	done
	urgent_sent stopped 4 oob=1 send=3
	urgent_sent stopped 4 send=3 oob=1
	for when in new running; do
		urgent_sent "$when" 7 send=3 sleep=20 oob=1 sleep=20 send=3 sleep=20
		urgent_sent "$when" 900002 send=300000 oob=1 send=300000 sleep=20 oob=1 send=300000
	done
	end_relay
	# Those that ran; with the others the end comes before the map.
	moved_by_engine 8
}

urgent_forward() {
	to=$LISTEN
	forward
	urgent
}

@test "urgent data arrives in its place among the others" {
	each_engine urgent_forward
}

urgent_echo() {
	to=$LISTEN-echo
	echoes
	urgent
}

@test "urgent data comes back from an echo in its place" {
	each_engine urgent_echo
}
