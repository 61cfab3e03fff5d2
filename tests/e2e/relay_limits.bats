#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086,SC2102,SC2119,SC2120,SC2125,SC2034,SC2012 # addresses are single words; variables are for helpers
#
# What a relay holds, and what becomes of it and of others when something runs out: readers that have
# stopped, descriptors, connections, time.

load relay.bash

MIB=1048576

# busy, calm: keep every processor busy, and stop that.
busy() {
	local cpu

	spinners=()
	for cpu in $(seq 0 $(($(nproc) - 1))); do
		begin "spinner$cpu" "${B[@]}" taskset -c "$cpu" bash -c 'while :; do :; done'
		spinners+=("${pid[spinner$cpu]}")
	done
}

calm() {
	kill -KILL "${spinners[@]}" 2>/dev/null || :
	wait "${spinners[@]}" 2>/dev/null || :
}

# stalled CONNECTIONS BYTES_MAX SENDERS CLIENT_ARGUMENTS...: readers at the other side of the relay have stopped;
# when all are known the senders (client, server) send what they can. Nobody may hold too much; and afterwards
# everything arrives.
stalled() {
	local conns=$1 most=$2 senders=$3 sender

	shift 3
	observe "${observe_args[@]}"
	client_begins client --conns "$conns" --ports "$T/cp" --timeout-ms 120000 --hold-at 0 "$@"
	wait_for has_all "$conns"
	busy
	for sender in $senders; do
		kill -USR2 "${pid[$sender]}"
	done
	settle $((conns * 2000))
	calm
	observed "$conns"
	between "bytes held by a connection" "$one" 1000 $((16 * MIB))
	between "bytes held by all" "$all" $((conns * 1000)) "$most"
	alive client || fail "nothing has stopped the senders"
	echo "$engine, $conns: one held $one, all $all of $most; $(result observer looks) looks, at most" \
		"$(result observer longest_ms) ms apart"
}

# accepted CONNECTIONS: so many clients' sockets are the relay's.
accepted() {
	local sockets=(state connected exclude time-wait "sport = :7000")

	[ "$("${A[@]}" ss -Htnp "${sockets[@]}" | grep -c "pid=${pid[relay]},")" = "$1" ]
}

# has_all CONNECTIONS: all are accepted, and the server has heard of them.
has_all() {
	accepted "$1" || return
	[ ${#observe_args[@]} = 0 ] || [ "$(wc -l <"$T/sp")" = "$1" ]
}

# upload CONNECTIONS MEMORY BYTES_MAX BYTES_EACH ARGUMENTS...: the server does not read.
upload() {
	observe_args=(--upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp")
	rm -f "$T/sp"
	# The clients are done only when it has read all: until then their kernel must not end them for them.
	server server --stall-at 64 --stall-ms forever --rcvbuf 32768 --ports "$T/sp" --late-fin
	forward --memory "$2" "${@:5}"
	stalled "$1" "$3" client --up "$4" --down 0
	kill -USR1 "${pid[server]}"
	client_ends client
	server_ends server
	same "connections that got everything" "$(result server ok)" "$1"
	end_relay
}

download() {
	observe_args=(--upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp")
	rm -f "$T/sp"
	server server --ports "$T/sp" --hold-at 0
	forward --memory "$2" "${@:5}"
	# A FIN before the map keeps a connection out of it, and what copy reserves is more.
	stalled "$1" "$3" server --up 0 --late-fin --down "$4" --stall-at 64 --stall-ms forever --rcvbuf 32768
	kill -USR1 "${pid[client]}"
	client_ends client
	server_ends server
	end_relay
}

echo_stalled() {
	observe_args=()
	echoes --memory "$2"
	# A FIN that comes before would end the relay's part when all is in the kernel's hands.
	stalled "$1" "$3" client --mode echo --up "$4" --late-fin --stall-at 64 --stall-ms forever --rcvbuf 32768
	kill -USR1 "${pid[client]}"
	client_ends client
	end_relay
}

@test "one stalled reader: at most 16 MiB are held, and all arrives later" {
	each_engine upload 1 256M $((256 * MIB)) 24m
	each_engine download 1 256M $((256 * MIB)) 24m
}

# both_stalled CONNECTIONS MEMORY BYTES_MAX BYTES_EACH: neither end reads.
both_stalled() {
	observe_args=(--upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp")
	rm -f "$T/sp"
	server server --stall-at 64 --stall-ms forever --rcvbuf 32768 --ports "$T/sp" --hold-at 0
	forward --memory "$2"
	stalled "$1" "$3" "client server" --up "$4" --down "$4" --stall-at 64 --stall-ms forever --rcvbuf 32768
	between "bytes that the clients got rid of" "$(taken_in "sport = :7000")" 100000 1000000000
	between "bytes that the server got rid of" "$(taken_in "dport = :7001")" 100000 1000000000
	kill -USR1 "${pid[server]}" "${pid[client]}"
	client_ends client
	server_ends server
	end_relay
}

@test "both readers of a connection stalled: at most 16 MiB are held, and all arrives later" {
	each_engine both_stalled 1 256M $((256 * MIB)) 24m
}

@test "both readers of as many connections stalled as the memory is enough for" {
	each_engine both_stalled 40 13M $((13 * MIB)) 600k
}

@test "both readers of 1,000 connections stalled" {
	[ -n "${XDPFUN_LONG:-}" ] || skip "takes a minute: scripts/test --long; with 40 it is tested above"
	each_engine both_stalled 1000 256M $((256 * MIB)) 800k
}

@test "one stalled reader of an echo" {
	each_engine echo_stalled 1 256M $((256 * MIB)) 24m
}

@test "one stalled reader with little memory" {
	each_engine upload 1 8M $((8 * MIB)) 24m
}

@test "1,000 stalled readers: at most --memory is held by all, and all arrives later" {
	engine=auto
	upload 1000 256M $((256 * MIB)) 350k
}

@test "300 stalled readers: at most --memory is held by all, and all arrives later" {
	each_engine upload 300 77M $((77 * MIB)) 350k
}

@test "300 stalled readers at the clients' end" {
	local ENGINES=(sockmap copy)

	each_engine download 300 77M $((77 * MIB)) 350k
}

@test "300 stalled readers with two threads" {
	engine=auto
	upload 300 77M $((77 * MIB)) 350k --threads 2
}

# crowded CONNECTIONS MEMORY BYTES_MAX BYTES_EACH: more than there is memory for. Some are refused, the others
# get everything, and the bound holds.
crowded() {
	rm -f "$T/sp"
	server server --stall-at 64 --stall-ms forever --rcvbuf 32768 --ports "$T/sp" --late-fin --expect ok,reset
	forward --memory "$2"
	observe_forward
	client_begins client --conns "$1" --ports "$T/cp" --up "$4" --down 0 --expect ok,reset
	settle 1000000
	observed
	between "connections of which both sockets were seen" "$(result observer pairs)" 20 "$1"
	between "bytes held by all" "$all" 1000 "$3"
	alive client || fail "nothing has stopped the senders"
	kill -USR1 "${pid[server]}"
	client_ends client
	server_ends server
	between "connections that got everything" "$(result client ok)" 20 "$1"
	same "of the server's" "$(result server ok)" "$(result client ok)"
	echo "$engine, $1: all held $all of $3, refused $(result client reset)"
	end_relay "refused a connection"
}

@test "300 stalled readers and memory for a part of them" {
	local ENGINES=(sockmap copy)

	each_engine crowded 300 29M $((29 * MIB)) 300k
}

clients() {
	"${A[@]}" ss -Htn state established "sport = :7000" | wc -l
}

no_more_clients() {
	[ "$(clients)" -le "$1" ]
}

# late_senders CONNECTIONS MEMORY BYTES_EACH CONGESTION_CONTROL SECONDS: all of them send when there is room for a
# small part of what that comes to, to a server that does not read for long enough that TCP tries again seldom. Most
# are done within SECONDS of its reading again, a few miss their turn twice, and all get through.
late_senders() {
	engine=sockmap
	"${B[@]}" sysctl -q -w net.ipv4.tcp_congestion_control="$4"
	rm -f "$T/sp"
	server server --stall-at 64 --stall-ms forever --rcvbuf 32768 --ports "$T/sp" --late-fin
	observe_args=(--upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp")
	forward --memory "$2"
	client_begins client --conns "$1" --timeout-ms 150000 --ports "$T/cp" --hold-at 0 --up "$3" --down 0
	wait_for has_all "$1"
	kill -USR2 "${pid[client]}"
	sleep 8
	between "bytes taken in" "$(taken_in "sport = :7000")" 100000 $(($1 * 150000))
	kill -USR1 "${pid[server]}"
	clock
	began=$now
	wait_for no_more_clients $(($1 / 8)) || fail "$(clients) of $1 are not done"
	echo "$4: seven eighths were done after $((now - began)) ms"
	client_ends client
	echo "$4: all were done after $((now - began)) ms"
	server_ends server
	same "connections that got everything" "$(result server ok)" "$1"
	end_relay
}

@test "600 senders to stalled readers and memory for a few of them: they go on, and all get through" {
	late_senders 600 8M 200k reno 28
}

# BBR is the sender that takes missing bytes worst: for a slow path, as which it treats it for 48 round trips, each
# as long as the pause between two segments of that path.
@test "600 senders to stalled readers and memory for a few of them: with BBR, too" {
	grep -qw bbr /proc/sys/net/ipv4/tcp_available_congestion_control || modprobe -q tcp_bbr ||
		skip "this kernel has no BBR"
	late_senders 600 8M 200k bbr 60
}

# by_fits CONNECTIONS MEMORY BYTES_MAX BYTES_EACH: the server reads now and then, a short time.
by_fits() {
	rm -f "$T/sp"
	server server --rcvbuf 32768 --ports "$T/sp" --late-fin
	observe_args=(--upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp")
	forward --memory "$2"
	observe "${observe_args[@]}"
	client_begins client --conns "$1" --ports "$T/cp" --hold-at 0 --up "$4" --down 0
	wait_for has_all "$1"
	kill -STOP "${pid[server]}"
	kill -USR2 "${pid[client]}"
	for _ in {1..4}; do
		sleep 0.6
		kill -CONT "${pid[server]}"
		sleep 0.05
		kill -STOP "${pid[server]}"
	done
	sleep 0.5
	observed "$1"
	between "bytes held by all" "$all" $(($1 * 1000)) "$3"
	alive client || fail "nothing has stopped the senders"
	kill -CONT "${pid[server]}"
	client_ends client
	server_ends server
	echo "$engine: all held $all of $3"
	end_relay
}

@test "300 readers that read by fits and starts" {
	engine=auto
	by_fits 300 77M $((77 * MIB)) 500k
}

@test "200 stalled readers of an echo" {
	engine=sockmap
	echo_stalled 200 32M $((32 * MIB)) 300k
}

# ended_stalled CONNECTIONS MEMORY BYTES_MAX BYTES_EACH: the server sends and ends, the clients have ended and do not
# read: what is still to be delivered counts, too.
ended_stalled() {
	local held

	server server --ports "$T/sp"
	forward --memory "$2"
	client_begins client --conns "$1" --up 0 --down "$4" --stall-at 64 --stall-ms forever --rcvbuf 4096 \
		--expect ok,reset
	settle 1000000
	held=$("${A[@]}" ss -Htn "sport = :7000" | awk '{ sum += $2 + $3 } END { print sum + 0 }')
	between "bytes that wait in the relay's sockets" "$held" 1000000 "$3"
	echo "$engine: $held of $3 wait"
	kill -USR1 "${pid[client]}"
	client_ends client
	between "connections that got everything" "$(result client ok)" 50 "$1"
	kill -TERM "${pid[server]}"
	wait "${pid[server]}" || :
	end_relay "refused a connection"
}

@test "500 connections that have ended with stalled readers" {
	each_engine ended_stalled 500 32M $((32 * MIB)) 100k
}

# lagging CONNECTIONS MEMORY BYTES_MAX CLIENT_ARGUMENTS...: user space is stopped while the senders push, so that
# the kernel's half of the engine has to keep the bound alone.
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
	kill -STOP "${pid[relay]}"
	kill -USR2 "${pid[client]}"
	sleep 2
	between "bytes taken in while it was stopped" "$(taken_in)" $((conns * 1000)) 1000000000
	# What it does when it goes on again is looked at, too.
	kill -CONT "${pid[relay]}"
	settle $((conns * 2000))
	observed "$conns"
	between "bytes held by a connection" "$one" 1000 $((16 * MIB))
	between "bytes held by all" "$all" $((conns * 1000)) "$most"
	alive client || fail "nothing has stopped the senders"
	echo "$conns: one held $one, all $all of $most"
	kill -USR1 "${pid[client]}"
	[ ${#observe_args[@]} = 0 ] || kill -USR1 "${pid[server]}"
	client_ends client
	[ ${#observe_args[@]} = 0 ] || server_ends server
	end_relay
	moved_by_engine
}

@test "stalled readers while user space is stopped: one" {
	lagging 1 256M $((256 * MIB)) --up 24m --down 0
}

@test "stalled readers while user space is stopped: 300" {
	lagging 300 64M $((64 * MIB)) --up 500k --down 0
}

@test "stalled readers while user space is stopped: one of an echo" {
	local stall=(--late-fin --stall-at 64 --stall-ms forever --rcvbuf 32768)

	lagging 1 256M $((256 * MIB)) --mode echo --up 24m "${stall[@]}"
}

@test "stalled readers while user space is stopped: 150 of an echo" {
	local stall=(--late-fin --stall-at 64 --stall-ms forever --rcvbuf 32768)

	lagging 150 32M $((32 * MIB)) --mode echo --up 500k "${stall[@]}"
}

# stuck_and_good MEMORY STUCK_ARGUMENTS...: a relay to a server, with the options in good, and to one that stops reading for those whose first
# packet is "$T/prefix".
good=()
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
	kill -USR1 "${pid[stuck]}"
	client_ends pushers
	server_ends stuck
	server_ends server
	end_relay
}

@test "stalled readers do not hold up others" {
	each_engine others_go_on
}

# beside_stalled PUSHERS MEMORY LEAST BYTES: connections that were there before, and have received this much, send as much
# after the memory has been used up by readers that do not read.
beside_stalled() {
	stuck_and_good "$2" --expect ok,reset --late-fin
	client_begins others --prefix "$T/good" --hold-at 64 --up "$4" --down "$4" --conns 20
	wait_for all_decided others 20
	client_begins pushers --prefix "$T/prefix" --hold-at 64 --up 200k --down 0 --conns "$1" --expect ok,reset --verbose
	wait_for all_decided pushers $(($1 + 20))
	between "connections of the senders" "$(relayed)" $(($3 + 20)) $(($1 + 20))
	kill -USR2 "${pid[pushers]}"
	settle 1000000
	kill -USR2 "${pid[others]}"
	client_ends others
	alive pushers || fail "nothing has stopped the senders"
	echo "$engine: others were done after $(result others ms) ms"
	kill -KILL "${pid[pushers]}" "${pid[stuck]}"
	wait "${pid[pushers]}" "${pid[stuck]}" || :
	server_ends server
	kill -TERM "${pid[relay]}"
	ends relay 0
}

# With --engine sockmap others have their turn in the end, too, but how late depends on the senders' retries.
@test "stalled readers that have used up the memory do not stop others" {
	local ENGINES=(auto)

	each_engine beside_stalled 300 8M 180 200k
}

# few_descriptors [ARGUMENTS...]: who cannot be served is told so at once, and nobody waits for ever.
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
	# Those that cannot be accepted must not keep it busy.
	before=$(ticks relay)
	sleep 1
	between "ticks of CPU in a second of want" $(($(ticks relay) - before)) 0 25
	alive relay || fail "the relay has ended:" "$(said relay)"
	kill -USR1 "${pid[crowd]}"
	client_ends crowd
	# Two descriptors each, and some for the relay itself.
	between "connections that were served" "$(result crowd ok)" 10 30
	says relay "Too many open files"
	client after --up 1m --down 1m --conns 3
	kill -TERM "${pid[relay]}"
	ends relay 0
	server_ends server
}

@test "out of descriptors: some are refused, none hangs, and it recovers" {
	each_engine few_descriptors
}

@test "out of descriptors with two threads" {
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
	kill -USR1 "${pid[ten]}"
	client_ends ten
	client later --mode request --conns 5 --total 20
	server_ends server
	kill -TERM "${pid[relay]}"
	ends relay 0
	says relay "refused by --max-connections 3"
}

@test "--max-connections" {
	each_engine max_connections
}

# ended_after END MS: of the connections that ended so none was ended earlier, or much later.
ended_after() {
	local ms

	ms=$(log_of "select(.end == \"$1\") | .duration | tonumber * 1000 | floor" | sort -n)
	between "ms until it was ended" "$(head -n 1 <<<"$ms")" $(($2 - 1)) 1000000
	soon "us until it was ended" $(($(tail -n 1 <<<"$ms") * 1000)) $(($2 * 1000 + 500000))
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
	# One direction alone is not idle.
	server server --write 1000 --pace-us 100000
	client one_way --up 0 --down 15000
	between "ms of the transfer" "$(result one_way ms)" 1300 1000000
	server_ends server
	# Nor is a reader that is slow: nothing is written to it any more, and it still gets all.
	server server
	client slow --up 0 --down 600k --rcvbuf 8192 --stall-at 64 --stall-every 16k --stall-ms 60
	between "ms of the slow transfer" "$(result slow ms)" 1500 1000000
	server_ends server
	end_relay
	same "ends for idleness" "$(log_of 'select(.end | test("idle")) | .end' | wc -l)" 1
}

@test "--idle ends what is idle, and nothing else" {
	each_engine idle
}

# ---- the first packet; the engine has no part in it ----

first_packets() {
	engine=auto
	printf 'host good -> %s\n' $SERVER >"$T/routes"
	printf 'GET / HTTP/1.1\r\nHost: good\r\n\r\n' >"$T/good"
	server server
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" "$@"
}

# good_ones [CONNECTIONS]: so many at a time.
good_ones() {
	prompt good --prefix "$T/good" --mode request --rounds 3 --conns "${1:-10}" --total 50
}

@test "first packet: who says nothing is ended after --first-timeout" {
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

@test "first packet: who dribbles is ended after --first-timeout" {
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

@test "first packet: more than 16 KiB that decide nothing end it, without a timeout" {
	first_packets --first-timeout 60
	{ printf 'GET / HTTP/1.1\r\n' && head -c 40000 /dev/zero | tr '\0' x; } >"$T/flood"
	"${B[@]}" bash -c 'exec 7<>/dev/tcp/10.9.0.1/7000; cat "$0" >&7; cat <&7' "$T/flood" || :
	wait_for log_has 1
	same "its end" "$(log_of .end)" "first packet too large"
	good_ones
	server_ends server
	end_relay
}

@test "first packet: a crowd that waits does not keep others out" {
	first_packets --max-waiting 20
	begin crowd "${B[@]}" bash -c '
		for i in {1..200}; do exec {fd}<>/dev/tcp/10.9.0.1/7000; printf G >&$fd; done; sleep 600'
	wait_for log_has 180
	good_ones
	between "crowd that was sent away" "$(log_of 'select(.end != "closed") | .end' | wc -l)" 150 200
	same "why" "$(log_of 'select(.end != "closed") | .end' | sort -u)" "too many waiting"
	kill -KILL "${pid[crowd]}"
	wait "${pid[crowd]}" || :
	server_ends server
	end_relay
}

# Few places, all taken by clients that have only just come: more than 20 come in the time that such ones get to speak.
@test "first packet: who comes and says nothing, again and again, does not hold up others" {
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
	# By then a queue would have formed.
	wait_for log_has 500
	flooded good_ones 5
	kill -KILL "${pid[flood]}"
	wait "${pid[flood]}" || :
	server_ends server
	end_relay
}

# flooded COMMAND...: again and again, and all the time connections of the flood are ended.
flooded() {
	local before

	for _ in 1 2 3; do
		before=$(log_of 'select(.end != "closed") | .end' | wc -l)
		"$@"
		between "connections of the flood that were ended meanwhile" \
			$(($(log_of 'select(.end != "closed") | .end' | wc -l) - before)) 20 1000000
	done
}

# Their places are wanted in the very turn in which they are to be heard.
@test "first packet: who has spoken makes room by being served, and goes on to wait for its upstream" {
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
	kill -STOP "${pid[relay]}"
	touch "$T/late"
	wait_for has_lines crowd 2
	kill -CONT "${pid[relay]}"
	wait_for log_has 10
	same "their ends" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 10 upstream silent"
	kill -KILL "${pid[crowd]}"
	wait "${pid[crowd]}" || :
	end_relay "cannot connect to upstream"
}

@test "first packet: floods of such clients do not hold up others" {
	many_connections
	first_packets --first-timeout 2
	printf 'GET / HTTP/1.1\r\n' >"$T/start"
	head -c 15000 /dev/zero | tr '\0' x >>"$T/start"
	client_begins flood --prefix "$T/start" --up 1000 --conns 200 --total forever --timeout-ms 0 --expect reset,cut,ok
	wait_for log_has 200
	flooded good_ones
	kill -TERM "${pid[flood]}"
	wait "${pid[flood]}" || :
	server_ends server
	kill -TERM "${pid[relay]}"
	ends relay 0
}

all_accepted() {
	[ "$("${A[@]}" ss -Hltn "src $LISTEN" | awk '{ n += $2 } END { print n + 0 }')" = 0 ]
}

# crowd_of COUNT BYTES: so many clients send this and wait; meanwhile others are served.
crowd_of() {
	begin crowd "${B[@]}" bash -c 'ulimit -n 4096
		for ((i = 0; i < $0; i++)); do exec {fd}<>/dev/tcp/10.9.0.1/7000; printf "$1" >&$fd; done 2>/dev/null
		echo all
		sleep 600' "$1" "$2"
	wait_for has_lines crowd 1
	wait_for all_accepted
	good_ones
	kill -KILL "${pid[crowd]}"
	wait "${pid[crowd]}" || :
}

# crowded_out ARGUMENTS...: those that wait take all that they may have, and others are served all the same.
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
	kill -TERM "${pid[relay]}"
	ends relay 0
	between "ends for want of room" "$(grep -c 'too many waiting' "$T/relay.out")" 600 1200
	same "good ones that ended otherwise" \
		"$(log_of 'select((.route // "" | test("good")) and .end != "closed") | .end' | wc -l)" 0
}

@test "who waits for a first packet or an upstream does not keep others out" {
	local ENGINES=(auto copy) # with a sockmap and without

	each_engine crowded_out
}

# ---- segments that come before their turn ----

@test "out of order but for a few bytes: when these come no more than them comes in" {
	local pieces=() at

	engine=sockmap
	# Its kernel takes in what fits.
	server server --rcvbuf 4096
	kill -STOP "${pid[server]}"
	# An eighth of the sockmap's part is a window: too little for two flows.
	forward --memory 1M
	for at in $(seq 1500 1400 43500); do
		pieces+=("$at-$((at + 1400))")
	done
	ip -n "$LAB-a" neigh replace 10.9.0.50 lladdr 02:00:00:00:09:02 dev eth0 nud permanent
	begin segments "${B[@]}" "$helpers/segments" eth0 10.9.0.50 $LISTEN 0-100 100 "${pieces[@]}" 100 100-1500 3000
	wait_for taken 1500 "sport = :7000"
	sleep 0.3
	same "bytes taken in" "$(taken_in "sport = :7000")" 1500
	kill -KILL "${pid[segments]}" "${pid[server]}" "${pid[relay]}"
	wait "${pid[segments]}" "${pid[server]}" "${pid[relay]}" || :
}

# ---- the dial ----

# settled COUNT: so many clients have been refused or wait for the dial's end.
settled() {
	[ $(($(grep -c 'outcome=reset' "$T/crowd.out") + $("${A[@]}" ss -Htn state syn-sent | wc -l))) = "$1" ]
}

# still: nothing has come in for a while.
still() {
	local before

	before=$(taken_in)
	sleep 0.25
	[ "$(taken_in)" = "$before" ]
}

# silent_upstream BYTES_EACH: what 600 clients send while nobody answers the dial counts in --memory. Some wait, the
# others are ended, and not only when a dial has taken too long.
silent_upstream() {
	local waiting

	many_connections
	ip -n "$LAB-a" neigh replace 10.9.0.77 lladdr 02:00:00:00:77:77 dev eth0 nud permanent
	relay $LISTEN forward -l $LISTEN --to 10.9.0.77:7001 --engine "$engine" --memory 32M --dial-timeout 6
	client_begins crowd --up "$1" --down 0 --conns 600 --expect reset --verbose
	wait_for settled 600
	wait_for still
	waiting=$("${A[@]}" ss -Htn state syn-sent | wc -l)
	# A buffer and a first packet each, in half of the memory; where there is a sockmap in a quarter.
	between "connections that wait" "$waiting" 60 200
	between "bytes that they have sent" "$(taken_in "sport = :7000")" $((waiting * 40000)) $((32 * MIB))
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

@test "600 clients that send while the upstream is silent" {
	local ENGINES=(auto copy) # with a sockmap and without

	each_engine silent_upstream 300k
}
