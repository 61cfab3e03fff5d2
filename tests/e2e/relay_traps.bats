#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086,SC2102,SC2119,SC2120,SC2125,SC2034,SC2012 # addresses are single words; variables are for helpers
#
# Each test repeats a way in which a sockmap relay lost data, hung, or used up the memory, with every engine.

load relay.bash

trap_1() {
	pause=0
	# The requests come with the end of the handshake, or when the socket enters the map.
	server server
	forward
	prompt at_once --mode request --conns 20 --total 300 --late-fin
	client with_fin --mode request --conns 20 --total 100
	for delay in 1 2 3; do
		client later --mode request --conns 10 --total 50 --delay-ms $delay --late-fin
	done
	# A client sends its second request when it has the answer to the first.
	client two_steps --mode request --rounds 3 --conns 20 --total 100 --write 30-40
	server_ends server
	end_relay
	# A connection whose FIN comes with the request does not enter the map.
	moved_by_engine 550
}

@test "trap 1: bytes that arrived before the socket was in the map are answered" {
	each_engine trap_1
}

trap_1_echo() {
	pause=0
	echoes
	client at_once --mode echo --up 100 --late-fin --conns 20 --total 300
	client later --mode echo --up 100 --late-fin --conns 10 --total 50 --delay-ms 1
	client mapped --mode echo --up 100 --late-fin --conns 10 --total 50 --delay-ms 20
	end_relay
	moved_by_engine
}

@test "trap 1: an echo answers bytes that arrived before the socket was in the map" {
	each_engine trap_1_echo
}

trap_2() {
	echoes
	# The FIN comes while the echo of the earlier bytes is still under way.
	client fin_behind --mode echo --up 4m --rcvbuf 8192 --stall-at 1m --stall-ms 200 --conns 4
	client small --mode echo --up 1-5000 --conns 10 --total 200
	end_relay
	moved_by_engine
}

@test "trap 2: after a FIN an echo sends the remaining bytes" {
	each_engine trap_2
}

trap_2_forward() {
	server server
	forward
	# One side sends its FIN at once, the other goes on for long.
	client upload --up 16m --down 0 --conns 2
	client download --up 0 --down 16m --conns 2
	client after --up 100k --down 4m --mode after-fin --conns 4
	server_ends server
	end_relay
	moved_by_engine
}

@test "trap 2: a FIN one way leaves the other way open" {
	each_engine trap_2_forward
}

trap_3() {
	# Each side waits for the other's FIN, or for all its data, before it sends its own.
	server server
	forward
	client server_waits --mode after-fin --up 1000 --down 1000 --conns 20 --total 200
	server_ends server
	server server --late-fin
	client client_waits --up 1000 --down 1000 --conns 20 --total 200
	server_ends server
	end_relay
	same "connections in the log" "$(log_of 'select(.end == "closed") | .end' | wc -l)" 400
	moved_by_engine
}

@test "trap 3: FIN and half-close come through both ways" {
	each_engine trap_3
}

trap_4() {
	# The reader is the slowest part, so that the FIN comes while many bytes wait.
	server server --rcvbuf 16384 --stall-at 64 --stall-every 512k --stall-ms 5
	forward
	client client --up 16m --down 0
	client several --up 256k-6m --down 0 --conns 10
	server_ends server
	same "bytes that came" "$(result server received)" $(($(result client sent) + $(result several sent)))
	# The same towards the client.
	server server
	client client --up 0 --down 16m --rcvbuf 16384 --stall-at 64 --stall-every 512k --stall-ms 5
	client several --up 0 --down 256k-6m --conns 10 --rcvbuf 16384 --stall-at 64 --stall-every 512k \
		--stall-ms 5
	server_ends server
	end_relay
	moved_by_engine
}

@test "trap 4: a FIN with a backlog behind it cuts nothing off" {
	each_engine trap_4
}

trap_5() {
	# Both ends have sent their FIN long before the reader reads.
	server server --rcvbuf 8192 --stall-at 64 --stall-ms 400
	forward
	client client --up 256k-3m --down 0 --conns 16
	server_ends server
	end_relay
	same "ends" "$(log_of .end | sort -u)" closed
	moved_by_engine
}

@test "trap 5: closing waits until the receiver has all bytes" {
	each_engine trap_5
}

trap_6() {
	# Each stop of the reader fills all buffers, each start empties them.
	server server --rcvbuf 65536 --stall-at 1m --stall-every 2m --stall-ms 30
	forward
	client client --up 24m --down 24m --stall-at 1500k --stall-every 3m --stall-ms 30 --rcvbuf 65536 \
		--write 1-200000
	server_ends server
	end_relay
	moved_by_engine
}

@test "trap 6: newer bytes do not overtake older ones when a full connection flows again" {
	each_engine trap_6
}

trap_7() {
	# The server resets while the client sends, and the client gets the reset.
	server server --reset-at 300k-3m --expect killed --verbose
	forward
	control
	client client --up 1000m --down 0 --conns 8 --expect reset --verbose
	control_ends
	server_ends server
	soon_after server client
	# The client resets while the server sends.
	server server --expect reset --verbose
	control
	client client --up 0 --down 1000m --conns 8 --reset-at 300k-3m --expect killed --verbose
	wait_for log_has 16
	server_ends server
	control_ends
	soon_after client server
	end_relay
	same "ends by the client" "$(log_of 'select(.end == "reset by client") | .end' | wc -l)" 8
	same "ends by the upstream" "$(log_of 'select(.end == "reset by upstream") | .end' | wc -l)" 8
	moved_by_engine
}

@test "trap 7: a dead receiver resets the sender within a second" {
	each_engine trap_7
}

trap_8() {
	server server --rcvbuf 16384 --stall-at 64 --stall-ms forever --ports "$T/sp"
	forward
	observe_forward
	client_begins client --up 24m --down 0 --ports "$T/cp"
	settle 50000
	observed 1
	between "bytes held for a reader that has stopped" "$one" 1 $((16 * 1048576))
	signal USR1 server
	client_ends client
	server_ends server
	end_relay
	moved_by_engine
}

@test "trap 8: a stalled reader stops the sender before 16 MiB are held" {
	each_engine trap_8
}

trap_9() {
	pause=0
	# copy moves a connection whose FIN comes before it enters the map.
	server server --speak-first 3000 --late-fin
	forward
	# The client sends nothing before it has read the server's bytes, or nothing at all.
	client banner --up 0 --conns 20 --total 300 --late-fin
	client later --up 1000 --conns 20 --total 100 --delay-ms 30
	server_ends server
	wait_for log_has 400
	moved_by_engine
	server server --speak-first 3000
	client with_fins --up 0 --conns 20 --total 300
	server_ends server
	end_relay
}

@test "trap 9: a server that speaks first is heard in full" {
	each_engine trap_9
}

trap_10() {
	pause=0
	printf 'host h.test -> %s\n' $SERVER >"$T/routes"
	printf 'GET / HTTP/1.1\r\nHost: h.test\r\n\r\n' >"$T/prefix"
	server server
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --engine "$engine"
	# The stream goes on right behind the first packet, in pieces that come during the dial.
	client client --prefix "$T/prefix" --prefix-step 7 --pace-us 300 --up 20k --down 20k \
		--write 1-1500 --conns 10 --total 40
	client client --prefix "$T/prefix" --up 100k-600k --down 100k-600k --write 1-60000 --conns 10 --total 60
	# Messages leave moments with empty queues, in which a connection can enter the map.
	client talk --prefix "$T/prefix" --mode request --rounds 20 --conns 10 --total 40
	server_ends server
	end_relay
	moved_by_engine 40
}

@test "trap 10: the first packet stays in front of the bytes that the kernel moves" {
	each_engine trap_10
}

# ended_early CONNECTIONS: whether so many connections wait to be accepted, with their FIN.
ended_early() {
	[ "$("${A[@]}" ss -Htn state close-wait "sport = :7000" | wc -l)" = "$1" ]
}

trap_11() {
	pause=0
	server server
	forward
	# The relay accepts only when data and FIN of all connections have come.
	signal STOP relay
	client_begins client --up 1-20000 --down 1-200000 --conns 30 --mode after-fin
	wait_for ended_early 30
	signal CONT relay
	client_ends client
	server_ends server
	# The sizes end in every state of a sender that was stopped for a while.
	server server --rcvbuf 16384 --stall-at 64 --stall-ms 150
	client client --up 1m-20m --down 10 --mode after-fin --conns 8
	server_ends server
	end_relay
	moved_by_engine 8
}

@test "trap 11: data and FIN that came before the map are not an error" {
	each_engine trap_11
}

# server_has_end CONNECTIONS: whether the server has read all bytes and the FIN of so many connections.
server_has_end() {
	[ "$("${B[@]}" ss -Htn state close-wait "sport = :7001" | awk '$1 == 0' | wc -l)" = "$1" ]
}

trap_11_stalled() {
	server server --stall-at 64 --stall-ms forever --rcvbuf 32768
	forward
	client_begins client --up 6m --down 6m --stall-at 64 --stall-ms forever --rcvbuf 32768 --conns 4
	settle 100000
	signal USR1 server
	# The client holds up one direction all the time; the other one comes to its end.
	wait_for server_has_end 4
	signal USR1 client
	client_ends client
	server_ends server
	end_relay
	moved_by_engine 4
}

@test "trap 11: data and FIN come through while the other way is stalled" {
	each_engine trap_11_stalled
}

trap_11_echo() {
	pause=0
	echoes
	signal STOP relay
	client_begins client --mode echo --up 1-20000 --conns 30
	wait_for ended_early 30
	signal CONT relay
	client_ends client
	# The sockets are stopped in the map and put back when the FIN has come.
	client stopped --mode echo --up 1m-8m --rcvbuf 8192 --stall-at 64 --stall-ms 150 --conns 8 --delay-ms 10
	end_relay
	moved_by_engine 8
}

@test "trap 11: data and FIN come through an echo while its way back is stalled" {
	each_engine trap_11_echo
}

trap_12() {
	# After each change of engine or pause the last bytes may be in a queue without a wake-up.
	server server --rcvbuf 32768 --stall-at 3m --stall-every 3m --stall-ms 20
	forward
	client client --mode request --request 1500k --reply 1000k --rounds 8 --conns 2
	client small --mode request --request 700 --reply 900 --rounds 300 --conns 8
	server_ends server
	end_relay
	moved_by_engine
}

@test "trap 12: no wake-up is missed when a socket leaves the map" {
	each_engine trap_12
	engine=auto
	server server
	for bytes in 200 400 600; do
		forward --rotate-bytes $bytes
		prompt client --mode request --request 700 --reply 900 --rounds 400 --conns 4
		end_relay
		between "changes of engine with $bytes" "$(log_of .moves | sort -n | tail -n 1)" 10 100000
	done
	server_ends server
}

trap_13() {
	# With a small window almost every send is a partial one.
	server server --rcvbuf 4096 --sndbuf 4096
	forward
	client client --up 4m --down 4m --rcvbuf 4096 --sndbuf 4096 --write 1-9000 --conns 4
	server_ends server
	end_relay
	moved_by_engine
}

@test "trap 13: partial sends repeat no byte" {
	each_engine trap_13
}

trap_14() {
	server server
	forward
	# The listener is no MPTCP socket, so that the client falls back to plain TCP.
	same "protocols of the listener" "$("${A[@]}" ss -HlnM 'sport = :7000' | wc -l)" 0
	client client --mptcp --up 1m --down 1m --conns 4
	server_ends server
	end_relay
	moved_by_engine
}

@test "trap 14: an MPTCP client is served over plain TCP" {
	"${B[@]}" sysctl -n net.mptcp.enabled 2>/dev/null | grep -q 1 || skip "this kernel has no MPTCP"
	each_engine trap_14
}

trap_15() {
	client_begins bulk --up 64m --down 64m --write 1-100000 --conns 4
	# A call that blocks would hold up all connections.
	prompt others --mode request --rounds 20 --conns 2 --total 20
	client_ends bulk
}

@test "trap 15: nothing blocks while connections change engines" {
	engine=auto
	server server
	for bytes in 50k 1m; do
		forward --rotate-bytes $bytes
		trap_15
		end_relay
		# With 1 MiB a connection may stay in the sockmap, because the directions interrupt each other's runs.
		[ $bytes = 50k ] && which="head" || which="tail"
		between "changes of engine with $bytes" \
			"$(log_of 'select(.bytes_to_upstream > 60000000) | .moves' | sort -n | $which -n 1)" 3 1000000
	done
	server_ends server
}

trap_16() {
	pause=0
	# Few client ports, and so few descriptors, are used again and again, and most connections are cut off in
	# the middle, so that bytes of an earlier connection could reach a later one.
	many_connections 0
	server server --expect ok,reset,killed --reset-at 1-60000 --reset-share 300
	forward
	for pause in 0 5; do
		client client --source-ports 20001-20008 --conns 4 --total 400 --up 20k --down 20k \
			--reset-at 1-40000 --reset-share 500 --expect ok,killed,reset
		between "whole connections" "$(result client ok)" 80 320
	done
	wait_for log_has 800
	server_ends server
	[ "$engine" != sockmap ] || wait_for maps_have 0
	end_relay
	# Most of the connections that waited before they sent; a busy machine accepts some later.
	moved_by_engine 160
}

@test "trap 16: a connection never gets bytes of an earlier one on the same port" {
	each_engine trap_16
}

@test "trap 16: the maps have both sockets of a connection while it lasts, and no longer" {
	engine=sockmap
	server server
	forward
	for conns in 4 40; do
		client_begins held --mode request --rounds 2 --hold-at 64 --conns $conns
		wait_for has_lines held 1
		wait_for maps_have $((2 * conns))
		# Some end in peace, the others are cut off.
		if [ $conns = 4 ]; then
			signal USR1 held
			client_ends held
		else
			finish KILL held
		fi
		wait_for maps_have 0
	done
	finish TERM server
	end_relay
	moved_by_engine
}
