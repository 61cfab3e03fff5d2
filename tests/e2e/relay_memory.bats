#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2086 # variables are for helpers; addresses are single words
#
# Readers that have stopped or stop again and again, and memory for a part of them only: the bound holds, some
# connections are refused, and the others get everything.

# bats file_tags=slow

load relay.bash
load relay_stalled.bash

# crowded CONNECTIONS MEMORY BYTES_MAX BYTES_EACH: more connections come than there is memory for. Some are refused, the
# others get everything, and the bound holds.
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
	signal USR1 server
	client_ends client
	server_ends server
	between "connections that got everything" "$(result client ok)" 20 "$1"
	same "of the server's" "$(result server ok)" "$(result client ok)"
	echo "$engine, $1: all held $all of $3, refused $(result client reset)"
	end_relay "refused a connection"
}

@test "300 stalled readers with memory for a part of them" {
	local ENGINES=(sockmap copy)

	each_engine crowded 300 29M $((29 * MIB)) 300k
}

# late_senders CONNECTIONS MEMORY BYTES_EACH CONGESTION_CONTROL: all connections send while the memory has room for a small
# part of their bytes, to a server that stops reading for long. TCP's window holds them up, so that no
# sender's pauses become long: all are done soon after the server reads again, two seconds on a quiet machine, where senders
# whose bytes were dropped took more than a minute.
late_senders() {
	"${B[@]}" sysctl -q -w net.ipv4.tcp_congestion_control="$4"
	rm -f "$T/sp"
	server server --stall-at 64 --stall-ms forever --rcvbuf 32768 --ports "$T/sp" --late-fin
	observe_args=(--upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp")
	forward --memory "$2"
	observe_forward
	client_begins client --conns "$1" --timeout-ms 150000 --ports "$T/cp" --hold-at 0 --up "$3" --down 0
	wait_for has_all "$1"
	signal USR2 client
	sleep 8
	observed "$1"
	between "bytes held by all" "$all" $(($1 * 1000)) $((8 * MIB))
	signal USR1 server
	clock
	began=$now
	client_ends client
	clock
	echo "$4: all held $all, and were done after $((now - began)) ms"
	between "ms until all were done" $((now - began)) 0 30000
	server_ends server
	same "connections that got everything" "$(result server ok)" "$1"
	end_relay
}

@test "300 senders to stalled readers with memory for a few of them all get through later" {
	engine=sockmap
	late_senders 300 8M 200k reno
}

@test "300 senders with BBR to stalled readers with memory for a few of them all get through later" {
	grep -qw bbr /proc/sys/net/ipv4/tcp_available_congestion_control || modprobe -q tcp_bbr ||
		skip "this kernel has no BBR"
	engine=sockmap
	late_senders 300 8M 200k bbr
}

# by_fits CONNECTIONS MEMORY BYTES_MAX BYTES_EACH: the server reads 20 KiB of a connection twice a second, however fast
# the machine is.
by_fits() {
	rm -f "$T/sp"
	server server --rcvbuf 32768 --ports "$T/sp" --late-fin --stall-at 64 --stall-every 20k --stall-ms 500
	observe_args=(--upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp")
	forward --memory "$2"
	observe "${observe_args[@]}"
	client_begins client --conns "$1" --ports "$T/cp" --hold-at 0 --up "$4" --down 0
	wait_for has_all "$1"
	signal USR2 client
	sleep 3
	observed "$1"
	between "bytes held by all" "$all" $(($1 * 1000)) "$3"
	alive client || fail "nothing has stopped the senders"
	signal USR1 server
	client_ends client
	server_ends server
	echo "$engine: all held $all of $3"
	end_relay
}

@test "300 readers that stop and go" {
	engine=auto
	by_fits 300 77M $((77 * MIB)) 500k
}

# ended_stalled CONNECTIONS MEMORY BYTES_MAX BYTES_EACH: the servers and the clients have sent their FIN, and the clients do
# not read. The bytes that the relay still has to deliver count in the memory, too.
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
	signal USR1 client
	client_ends client
	between "connections that got everything" "$(result client ok)" 50 "$1"
	finish TERM server
	end_relay "refused a connection"
}

@test "500 connections that their servers have ended, with stalled readers" {
	each_engine ended_stalled 500 32M $((32 * MIB)) 100k
}
