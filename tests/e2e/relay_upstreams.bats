#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086 # addresses are single words
#
# Several upstreams, and upstreams that are dead or silent; clients that are gone before the dial ends.

load relay.bash
load relay_routes.bash

answers() {
	grep -c '^end.*outcome=ok' "$T/server$1.out"
}

@test "several upstreams take turns, and an upstream that refuses is left out" {
	servers
	routed "any -> 10.9.0.2:7001,10.9.0.2:7002,10.9.0.2:7003"
	client client --mode request --conns 5 --total 90
	for n in 1 2 3; do
		same "connections of server $n" "$(answers $n)" 30
	done
	signal TERM server2
	ends server2 0
	client client --mode request --conns 5 --total 100
	same "connections of both" $(($(answers 1) + $(answers 3))) 160
	between "connections of server 1" "$(answers 1)" 60 100
	# When all refuse, the client is reset at once, and the log says so.
	for n in 1 3; do
		signal TERM "server$n"
		ends server$n 0
	done
	control
	client client --mode request --expect reset --total 2
	control_ends
	soon "us until the client knew" "$(result client ms)000" 1000000
	wait_for log_has 192
	same "end in the log" "$(tail -n 1 "$T/relay.out" | jq -r .end)" "upstream refused"
	# Upstreams that are back are used again.
	servers
	client client --mode request --conns 2 --total 30
	servers_end
	signal TERM relay
	ends relay 0
}

@test "every listener serves the upstreams of every --to, in turn" {
	local all='10.9.0.1:7000, 10.9.0.1:7010, 10.9.0.1:7011'

	servers
	relay "$all" forward -l $LISTEN --listen 10.9.0.1:7010 -l 10.9.0.1:7011 --to 10.9.0.2:7001,10.9.0.2:7002 \
		--to 10.9.0.2:7003
	# shellcheck disable=SC2034 # for client
	for to in 10.9.0.1:7011 $LISTEN 10.9.0.1:7010; do
		client client --mode request --conns 1 --total 30
	done
	for n in 1 2 3; do
		same "connections of server $n" "$(answers $n)" 30
	done
	wait_for log_has 90
	same "listeners in the log" "$(log_of .listen | sort | uniq -c | tr -s ' ' | tr '\n' ,)" \
		" 30 10.9.0.1:7000, 30 10.9.0.1:7010, 30 10.9.0.1:7011,"
	servers_end
	end_relay
}

@test "every listener has every thread, and echoes" {
	relay $LISTEN echo -l $LISTEN -l 10.9.0.1:7010 --threads 2 --engine copy
	same "listening sockets" "$("${A[@]}" ss -Hltn "( sport = :7000 or sport = :7010 )" | wc -l)" 4
	# shellcheck disable=SC2034 # for client
	for to in $LISTEN 10.9.0.1:7010; do
		client client --mode echo --up 100000 --conns 5 --total 20
	done
	end_relay
}

# took MS: fails when the client's run was shorter, or more than a second longer.
took() {
	between "ms of the client" "$(result client ms)" $(($1 - 20)) 1000000
	soon "us of the client" "$(result client ms)000" $((($1 + 1000) * 1000))
}

@test "after a silent upstream the next one is tried, within a limited time" {
	servers
	# No host has this address, and no ICMP error comes back.
	ip -n "$LAB-a" neigh add 10.9.0.77 lladdr 02:00:00:00:77:77 dev eth0 nud permanent
	routed "host both -> 10.9.0.77:7001,10.9.0.2:7002" "any -> 10.9.0.77:7001"
	request both >"$T/request"
	control
	reaches 2 "$T/request" --conns 4
	took 1000
	request other >"$T/request"
	turned_away "$T/request" "upstream silent" 10.9.0.77:7001
	control_ends
	took 1000
	servers_end
	signal TERM relay
	ends relay 0
}

# dials_begun: print how many TCP connections side a, that is the relay, has begun.
dials_begun() {
	"${A[@]}" awk '$1 == "Tcp:" && $6 ~ /^[0-9]+$/ { print $6 }' /proc/net/snmp
}

@test "later connections avoid an upstream that was silent" {
	local host before

	at=10.9.0.2:7002 server server
	for host in 77 78; do
		ip -n "$LAB-a" neigh add 10.9.0.$host lladdr 02:00:00:00:77:$host dev eth0 nud permanent
	done
	routed "any -> 10.9.0.77:7001,10.9.0.2:7002,10.9.0.78:7001"
	# The first connections find out that the two upstreams are silent.
	control
	client client --mode request --total 3
	control_ends
	took 2000
	before=$(dials_begun)
	prompt later --mode request --total 30
	# Side b begins the connections of the control.
	same "attempts to connect" $(($(dials_begun) - before)) 30
	server_ends server
	# When all upstreams are to be avoided, the relay tries them all the same.
	control
	client client --mode request --expect reset
	control_ends
	took 2000
	signal TERM relay
	ends relay 0
}

@test "a dial to a dead upstream on an ephemeral port does not connect to itself" {
	"${A[@]}" sysctl -q -w net.ipv4.ip_local_port_range="40000 40015"
	for host in 127.0.0.1 0.0.0.0 "[::1]"; do
		routed "any -> $host:40002"
		client nobody --mode request --expect reset --conns 4 --total 1000
		wait_for log_has 1000
		end_relay "cannot connect to "
		same "ends by $host" "$(log_of .end | sort -u)" "upstream refused"
	done
}

dials() {
	[ "$("${A[@]}" ss -Htn state syn-sent | wc -l)" = "$1" ]
}

@test "the log says that a client was gone before the dial ended" {
	servers
	ip -n "$LAB-a" neigh add 10.9.0.77 lladdr 02:00:00:00:77:77 dev eth0 nud permanent
	printf 'any -> 10.9.0.77:7001\n' >"$T/routes"
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --dial-timeout 20
	client_begins client --up 100 --conns 5
	wait_for dials 5
	finish KILL client
	# Data and a FIN are still for the upstream; a reset ends the dial.
	client reset --up 100 --reset-at 164 --expect killed --conns 5
	wait_for log_has 5
	same "ends" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 5 client gone"
	same "sockets that dial" "$("${A[@]}" ss -Htn state syn-sent | wc -l)" 5
	signal TERM relay
	says relay "accepting no more"
	signal TERM relay
	ends relay 0
	servers_end
}

@test "a client that has sent its FIN before the dial ends is served" {
	served() {
		# The dial of the first upstream takes a second.
		ip -n "$LAB-a" neigh replace 10.9.0.77 lladdr 02:00:00:00:77:77 dev eth0 nud permanent
		server server
		routed "any -> 10.9.0.77:7001,$SERVER"
		client client --up 5000 --down 50000 --mode after-fin --conns 4
		server_ends server
		end_relay "cannot connect to upstream 10.9.0.77:7001"
	}
	each_engine served
}
