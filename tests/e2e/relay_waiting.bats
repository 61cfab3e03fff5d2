#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2086,SC2119,SC2120 # variables are for helpers; addresses are single words
#
# Clients that wait, for their first packet or for their upstream: their number, their time and their memory are
# limited, and they do not keep others out.

load relay.bash

first_packets() {
	engine=auto
	printf 'host good -> %s\n' $SERVER >"$T/routes"
	printf 'GET / HTTP/1.1\r\nHost: good\r\n\r\n' >"$T/good"
	server server
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" "$@"
}

# good_ones [CONNECTIONS]: fails when 50 clients with a request, so many at a time, are not served promptly.
good_ones() {
	prompt good --prefix "$T/good" --mode request --rounds 3 --conns "${1:-10}" --total 50
}

@test "first packet: a client that is silent is ended after --first-timeout" {
	first_packets --first-timeout 1
	begin silent "${B[@]}" bash -c 'exec 7<>/dev/tcp/10.9.0.1/7000; cat <&7'
	good_ones
	wait_for gone silent
	wait_for log_has 51
	same "its end" "$(log_of 'select(.end != "closed") | .end')" "first packet too late"
	ended_after "first packet too late" 1000
	server_ends server
	end_relay
}

@test "first packet: a client that is silent until --first-timeout goes to the rule for all" {
	engine=auto
	pause=0
	printf 'host good -> %s\nany -> %s\n' 10.9.0.2:7002 $SERVER >"$T/routes"
	server server --speak-first 3000 --late-fin
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --first-timeout 0.5
	# The client says nothing before it has heard all.
	client silent --up 0 --late-fin
	begin beginner "${B[@]}" bash -c 'exec 7<>/dev/tcp/10.9.0.1/7000; printf "GET / HT" >&7; cat <&7'
	wait_for gone beginner
	wait_for log_has 2
	same "the ends" "$(log_of '"\(.route // "none") \(.end)"' | tr '\n' ,)" "any closed,none first packet too late,"
	server_ends server
	printf 'host good -> reject\nany -> %s\n' $SERVER >"$T/routes"
	signal HUP relay
	wait_for ready "new connections use the new rules"
	begin silent "${B[@]}" bash -c 'exec 7<>/dev/tcp/10.9.0.1/7000; cat <&7'
	wait_for gone silent
	wait_for log_has 3
	same "the end behind a rule that rejects" "$(log_of .end | tail -n 1)" "first packet too late"
	end_relay
}

@test "first packet: a client that dribbles is ended after --first-timeout" {
	first_packets --first-timeout 1
	begin dribbler "${B[@]}" bash -c \
		'exec 7<>/dev/tcp/10.9.0.1/7000; printf "GET / HTTP/1.1\r\n" >&7; while printf x >&7; do sleep 0.05; done'
	good_ones
	wait_for gone dribbler
	wait_for log_has 51
	same "its end" "$(log_of 'select(.end != "closed") | .end')" "first packet too late"
	ended_after "first packet too late" 1000
	server_ends server
	end_relay
}

@test "first packet: more than 16 KiB without a decision end the connection before the timeout" {
	first_packets --first-timeout 60
	{ printf 'GET / HTTP/1.1\r\n' && head -c 40000 /dev/zero | tr '\0' x; } >"$T/flood"
	"${B[@]}" bash -c 'exec 7<>/dev/tcp/10.9.0.1/7000; cat "$0" >&7; cat <&7' "$T/flood" || :
	wait_for log_has 1
	same "its end" "$(log_of .end)" "first packet too large"
	good_ones
	server_ends server
	end_relay
}

@test "first packet: a crowd of waiting clients does not keep others out" {
	first_packets --max-waiting 20
	begin crowd "${B[@]}" bash -c '
		for i in {1..200}; do exec {fd}<>/dev/tcp/10.9.0.1/7000; printf G >&$fd; done; sleep 600'
	wait_for log_has 180
	good_ones
	between "crowd that was sent away" "$(log_of 'select(.end != "closed") | .end' | wc -l)" 150 200
	same "why" "$(log_of 'select(.end != "closed") | .end' | sort -u)" "too many waiting"
	finish KILL crowd
	server_ends server
	end_relay
}

# flooded COMMAND...: run the command three times; fails when the relay does not end connections of the flood meanwhile.
flooded() {
	local before

	for _ in 1 2 3; do
		before=$(log_of 'select(.end != "closed") | .end' | wc -l)
		"$@"
		between "connections of the flood that were ended meanwhile" \
			$(($(log_of 'select(.end != "closed") | .end' | wc -l) - before)) 20 1000000
	done
}

# All 20 places are taken by new clients: more than 20 come within the time that a client has to speak.
@test "first packet: a stream of silent clients does not hold up others" {
	local pause=0

	first_packets --max-waiting 20
	begin flood "${B[@]}" bash -c 'ulimit -n 4096
		exec {never}<> <(:)
		for ((i = 0;; i++)); do
			exec {fd}<>/dev/tcp/10.9.0.1/7000
			fds[i % 1000]=$fd
			fd=${fds[(i + 1) % 1000]}
			[ -z "$fd" ] || exec {fd}>&-
			read -rt 0.001 -u $never
		done'
	# After 500 connections a queue would have formed.
	wait_for log_has 500
	flooded good_ones 5
	finish KILL flood
	server_ends server
	end_relay
}

# New clients need the places in the same turn of the loop in which the relay reads from the old ones.
@test "first packet: a client that has spoken makes room and goes on to wait for its upstream" {
	engine=auto
	printf 'host dead -> 10.9.0.77:81\n' >"$T/routes"
	ip -n "$LAB-a" neigh replace 10.9.0.77 lladdr 02:00:00:00:77:77 dev eth0 nud permanent
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --max-waiting 10 --dial-timeout 1
	begin crowd "${B[@]}" bash -c '
		for i in {1..10}; do exec {fd}<>/dev/tcp/10.9.0.1/7000; early+=($fd); done
		echo early
		until [ -e "$0" ]; do sleep 0.05; done
		for i in {1..10}; do exec {fd}<>/dev/tcp/10.9.0.1/7000; done
		for fd in "${early[@]}"; do printf "GET / HTTP/1.1\r\nHost: dead\r\n\r\n" >&$fd; done
		echo late
		sleep 600' "$T/late"
	wait_for has_lines crowd 1
	wait_for accepted 10
	signal STOP relay
	touch "$T/late"
	wait_for has_lines crowd 2
	signal CONT relay
	wait_for log_has 10
	same "their ends" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 10 upstream silent"
	finish KILL crowd
	end_relay "cannot connect to upstream"
}

@test "first packet: floods of large undecided packets do not hold up others" {
	many_connections
	first_packets --first-timeout 2
	printf 'GET / HTTP/1.1\r\n' >"$T/start"
	head -c 15000 /dev/zero | tr '\0' x >>"$T/start"
	client_begins flood --prefix "$T/start" --up 1000 --conns 200 --total forever --timeout-ms 0 --expect reset,cut,ok
	wait_for log_has 200
	flooded good_ones
	finish TERM flood
	server_ends server
	signal TERM relay
	ends relay 0
}

all_accepted() {
	[ "$("${A[@]}" ss -Hltn "src $LISTEN" | awk '{ n += $2 } END { print n + 0 }')" = 0 ]
}

# crowd_of COUNT BYTES: let so many clients send these bytes and wait; fails when other clients are not served promptly.
crowd_of() {
	begin crowd "${B[@]}" bash -c 'ulimit -n 4096
		for ((i = 0; i < $0; i++)); do exec {fd}<>/dev/tcp/10.9.0.1/7000; printf "$1" >&$fd; done 2>/dev/null
		echo all
		sleep 600' "$1" "$2"
	wait_for has_lines crowd 1
	wait_for all_accepted
	good_ones
	finish KILL crowd
}

# crowded_out ARGUMENTS...: clients that wait use up their share of the memory, and other clients are served.
crowded_out() {
	many_connections
	printf 'host dead -> 10.9.0.77:81\nhost good -> %s\n' $SERVER >"$T/routes"
	printf 'GET / HTTP/1.1\r\nHost: good\r\n\r\n' >"$T/good"
	ip -n "$LAB-a" neigh replace 10.9.0.77 lladdr 02:00:00:00:77:77 dev eth0 nud permanent
	server server
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --engine "$engine" --memory 32M "$@"
	crowd_of 600 'G'
	crowd_of 600 'GET / HTTP/1.1\r\nHost: dead\r\n\r\n'
	server_ends server
	signal TERM relay
	ends relay 0
	between "ends for want of room" "$(grep -c 'too many waiting' "$T/relay.out")" 600 1200
	same "good ones that ended otherwise" \
		"$(log_of 'select((.route // "" | test("good")) and .end != "closed") | .end' | wc -l)" 0
}

@test "clients that wait for a first packet or an upstream do not keep others out" {
	local ENGINES=(auto copy) # with a sockmap and without

	each_engine crowded_out
}

# settled COUNT: whether so many clients have been refused or wait for the end of the dial.
settled() {
	[ $(($(grep -c 'outcome=reset' "$T/crowd.out") + $("${A[@]}" ss -Htn state syn-sent | wc -l))) = "$1" ]
}

# still: whether no byte comes in for 250 ms.
still() {
	local before

	before=$(taken_in)
	sleep 0.25
	[ "$(taken_in)" = "$before" ]
}

# silent_upstream BYTES_EACH: the bytes that 600 clients send during the dial count in --memory. Some clients wait, the
# others are ended before the dial times out.
silent_upstream() {
	local waiting

	many_connections
	ip -n "$LAB-a" neigh replace 10.9.0.77 lladdr 02:00:00:00:77:77 dev eth0 nud permanent
	relay $LISTEN forward -l $LISTEN --to 10.9.0.77:7001 --engine "$engine" --memory 32M --dial-timeout 6
	client_begins crowd --up "$1" --down 0 --conns 600 --expect reset --verbose
	wait_for settled 600
	wait_for still
	waiting=$("${A[@]}" ss -Htn state syn-sent | wc -l)
	# Each has a buffer of 37 KiB and a first packet, in half of the memory.
	between "connections that wait" "$waiting" 60 260
	between "bytes that they have sent" "$(taken_in "sport = :7000")" $((waiting * 10000)) $((32 * MIB))
	client_ends crowd
	wait_for log_has 600
	same "ends" "$(log_of .end | sort | uniq -c | tr -s ' ' | tr '\n' ,)" \
		" $((600 - waiting)) too many waiting, $waiting upstream silent,"
	# The same upstream answers again.
	ip -n "$LAB-b" addr replace 10.9.0.77/32 dev eth0
	ip -n "$LAB-a" neigh replace 10.9.0.77 lladdr 02:00:00:00:09:02 dev eth0 nud permanent
	at=10.9.0.77:7001 server server
	client after --up 1m --down 1m --conns 20
	server_ends server
	end_relay "refused a connection|cannot connect to upstream"
}

@test "600 clients that send to a silent upstream stay within --memory" {
	local ENGINES=(auto copy) # with a sockmap and without

	each_engine silent_upstream 300k
}
