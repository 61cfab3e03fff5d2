#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086,SC2102,SC2119,SC2120,SC2125,SC2034,SC2012 # addresses are single words; variables are for helpers
#
# Where a connection goes: by its first packet, by a PROXY header, among several upstreams; and what
# becomes of it when there is no way.

load relay.bash

# Three servers that answer with their number, on ports 7001 to 7003.
servers() {
	local n

	for n in 1 2 3; do
		at=10.9.0.2:700$n server server$n --name $n --verbose "$@"
	done
}

servers_end() {
	local n

	for n in 1 2 3; do
		kill -TERM "${pid[server$n]}"
		# One that nobody came to says 1.
		ends server$n "$([ "$(grep -c '^end' "$T/server$n.out")" -gt 0 ] && echo 0 || echo 1)"
	done
}

# routed LINE...: a relay with these rules.
routed() {
	printf '%s\n' "$@" >"$T/routes"
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --engine "${engine:-auto}" --dial-timeout 1
}

# reaches N FILE ARGUMENTS...: what begins with the file's bytes comes to server N.
reaches() {
	client client --prefix "$2" --server-name "$1" --up 3000 --down 3000 "${@:3}"
}

# turned_away FILE END: the relay ends it, the log says why, and no server has seen it.
turned_away() {
	local before

	before=$(wc -l <"$T/relay.out")
	client client --prefix "$1" --up 3000 --down 3000 --expect reset,cut
	wait_for log_has $((before + 1))
	same "how it ended" "$(tail -n 1 "$T/relay.out" | jq -r .end)" "$2"
	same "its upstream" "$(tail -n 1 "$T/relay.out" | jq -r '.upstream // "none"')" "${3:-none}"
}

# preamble N: the bytes that server N got before the last stream, in hex.
preamble() {
	sed -n 's/^preamble //p' "$T/server$1.out" | tail -n 1
}

hex() {
	xxd -p "$1" | tr -d '\n'
}

# number BYTES VALUE: big endian in hex.
number() {
	printf "%0$(($1 * 2))x" "$2"
}

# hello NAME [RECORD_BYTES] >FILE: a ClientHello for that server name, in records of so many bytes.
hello() {
	local name ext body size=${2:-16000}

	name=$(printf %s "$1" | xxd -p | tr -d '\n')
	ext=$(number 2 $((${#name} / 2 + 3)))00$(number 2 $((${#name} / 2)))$name
	ext=0000$(number 2 $((${#ext} / 2)))$ext
	ext=002b0003020304$ext
	body=0303$(printf '5a%.0s' {1..32})00000213010100$(number 2 $((${#ext} / 2)))$ext
	body=01$(number 3 $((${#body} / 2)))$body
	while [ -n "$body" ]; do
		printf '160301%s%s' "$(number 2 $((${#body} / 2 < size ? ${#body} / 2 : size)))" "${body:0:size * 2}"
		body=${body:size * 2}
	done | xxd -r -p
}

request() {
	printf 'GET %s HTTP/1.1\r\nUser-Agent: x\r\nHost: %s\r\n\r\n' "${2:-/}" "$1"
}

@test "SNI: exact names, suffixes, the rest" {
	servers
	routed "sni one.example -> 10.9.0.2:7001" "sni *.example -> 10.9.0.2:7002" "any -> 10.9.0.2:7003"
	for case in one.example:1 ONE.Example:1 two.example:2 a.b.example:2 one.example.org:3 example:3; do
		hello "${case%:*}" >"$T/hello"
		reaches "${case#*:}" "$T/hello"
		same "what server ${case#*:} got" "$(preamble "${case#*:}")" "$(hex "$T/hello")"
	done
	printf 'no TLS at all' >"$T/hello"
	reaches 3 "$T/hello"
	servers_end
	end_relay
	same "routes in the log" "$(log_of .route | sort | uniq -c | tr -s ' ' | tr '\n' ,)" \
		" 3 any, 2 sni *.example, 2 sni one.example,"
}

@test "SNI: a ClientHello over several records and segments" {
	servers
	routed "sni one.example -> 10.9.0.2:7001" "any -> 10.9.0.2:7003"
	for record in 1 7 40 16000; do
		hello one.example $record >"$T/hello"
		for step in 1 5 60; do
			reaches 1 "$T/hello" --prefix-step $step --pace-us 200
			same "what the server got" "$(preamble 1)" "$(hex "$T/hello")"
		done
	done
	servers_end
	end_relay
}

relayed_to() {
	[ -n "$("${A[@]}" ss -Htn state established "dport = :$1")" ]
}

@test "SNI: what a real client sends" {
	servers
	routed "sni one.example -> 10.9.0.2:7001" "any -> 10.9.0.2:7003"
	openssl s_client -connect 127.0.0.1:1 -help >/dev/null 2>&1 || skip "there is no openssl"
	begin tls "${B[@]}" openssl s_client -connect $LISTEN -servername one.example
	wait_for relayed_to 7001
	kill "${pid[tls]}"
	wait_for log_has 1
	same "upstream" "$(log_of .upstream)" 10.9.0.2:7001
	same "route" "$(log_of .route)" "sni one.example"
	end_relay
}

@test "Host: exact names, suffixes, with a port, in an absolute target" {
	servers
	routed "host one.example -> 10.9.0.2:7001" "host *.example -> 10.9.0.2:7002" "any -> 10.9.0.2:7003"
	for case in one.example:1 one.example:8080:1 ONE.EXAMPLE:1 two.example:2 other:3; do
		request "${case%:*}" >"$T/request"
		reaches "${case##*:}" "$T/request" --prefix-step 9 --pace-us 100
		same "what the server got" "$(preamble "${case##*:}")" "$(hex "$T/request")"
	done
	request other http://one.example/x >"$T/request"
	reaches 1 "$T/request"
	servers_end
	end_relay
}

@test "the first rule that fits wins" {
	servers
	routed "host *.example -> 10.9.0.2:7002" "host one.example -> 10.9.0.2:7001" "any -> reject"
	request one.example >"$T/request"
	reaches 2 "$T/request"
	request other >"$T/request"
	turned_away "$T/request" rejected
	servers_end
	end_relay
}

@test "no rule fits: the connection is ended" {
	servers
	routed "host one.example -> 10.9.0.2:7001"
	request other >"$T/request"
	turned_away "$T/request" "no route"
	servers_end
	end_relay
}

@test "token: a right one opens and is taken off, a wrong one does not" {
	servers
	printf 'open sesame' >"$T/secret"
	printf 'other' >"$T/other"
	routed "token @$T/secret -> 10.9.0.2:7001" "token @$T/other -> 10.9.0.2:7003"
	for end in '\n' '\r\n'; do
		# shellcheck disable=SC2059 # the end of line is meant
		printf "open sesame$end" >"$T/token"
		for step in 1 4 100; do
			reaches 1 "$T/token" --prefix-step $step --pace-us 200
		done
	done
	same "bytes before the data" "$(preamble 1)" ""
	same "connections" "$(grep -c '^end' "$T/server1.out")" 6
	printf 'other\n' >"$T/token"
	reaches 3 "$T/token"
	for wrong in 'open sesamf\n' 'open sesame!\n' 'open\n' '\n' 'open sesame \n' 'GET / HTTP/1.1\r\n'; do
		# shellcheck disable=SC2059
		printf "$wrong" >"$T/token"
		turned_away "$T/token" "bad token"
	done
	servers_end
	kill -TERM "${pid[relay]}"
	ends relay 0
	says relay "bad token 6"
	no_match "what it says and logs" "$(cat "$T/relay.err" "$T/relay.out")" "sesam"
}

@test "token: the data right behind it, with every engine" {
	behind() {
		server server --verbose
		printf 'secret' >"$T/secret"
		printf 'secret\n' >"$T/token"
		routed "token @$T/secret -> $SERVER"
		client client --prefix "$T/token" --up 1m --down 1m --conns 10 --total 40
		server_ends server
		no_match "what the server got" "$(<"$T/server.out")" preamble
		end_relay
	}
	each_engine behind
}

answers() {
	grep -c '^end.*outcome=ok' "$T/server$1.out"
}

@test "several upstreams take turns, and one that refuses is left out" {
	servers
	routed "any -> 10.9.0.2:7001,10.9.0.2:7002,10.9.0.2:7003"
	client client --mode request --conns 5 --total 90
	for n in 1 2 3; do
		same "connections of server $n" "$(answers $n)" 30
	done
	kill -TERM "${pid[server2]}"
	ends server2 0
	client client --mode request --conns 5 --total 100
	same "connections of both" $(($(answers 1) + $(answers 3))) 160
	between "connections of server 1" "$(answers 1)" 60 100
	# All of them refuse: that is said, and the client is not left waiting.
	for n in 1 3; do
		kill -TERM "${pid[server$n]}"
		ends server$n 0
	done
	control
	client client --mode request --expect reset --total 2
	control_ends
	soon "us until the client knew" "$(result client ms)000" 1000000
	wait_for log_has 192
	same "end in the log" "$(tail -n 1 "$T/relay.out" | jq -r .end)" "upstream refused"
	# They are back, and used again.
	servers
	client client --mode request --conns 2 --total 30
	servers_end
	kill -TERM "${pid[relay]}"
	ends relay 0
}

# took MS: the client's run did, or a second more.
took() {
	between "ms of the client" "$(result client ms)" $(($1 - 20)) 1000000
	soon "us of the client" "$(result client ms)000" $((($1 + 1000) * 1000))
}

@test "an upstream that is silent: the next one is tried, and the time is limited" {
	servers
	# Nobody has this address, and nobody says so.
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
	kill -TERM "${pid[relay]}"
	ends relay 0
}

# dials_begun: how often this kernel, that is the relay, has begun to connect.
dials_begun() {
	"${A[@]}" awk '$1 == "Tcp:" && $6 ~ /^[0-9]+$/ { print $6 }' /proc/net/snmp
}

@test "an upstream that was silent lately costs later connections nothing" {
	local host before

	at=10.9.0.2:7002 server server
	for host in 77 78; do
		ip -n "$LAB-a" neigh add 10.9.0.$host lladdr 02:00:00:00:77:$host dev eth0 nud permanent
	done
	routed "any -> 10.9.0.77:7001,10.9.0.2:7002,10.9.0.78:7001"
	# The first to come find out, about one and about the other.
	control
	client client --mode request --total 3
	control_ends
	took 2000
	before=$(dials_begun)
	prompt later --mode request --total 30
	# The control's are begun by the other side.
	same "attempts to connect" $(($(dials_begun) - before)) 30
	server_ends server
	# Where all are to be avoided they are tried all the same.
	control
	client client --mode request --expect reset
	control_ends
	took 2000
	kill -TERM "${pid[relay]}"
	ends relay 0
}

@test "a dead upstream on a port that clients use: it does not connect to itself" {
	"${A[@]}" sysctl -q -w net.ipv4.ip_local_port_range="40000 40015"
	for host in 127.0.0.1 0.0.0.0 "[::1]"; do
		routed "any -> $host:40002"
		client nobody --mode request --expect reset --conns 4 --total 1000
		wait_for log_has 1000
		end_relay "cannot connect to "
		same "ends by $host" "$(log_of .end | sort -u)" "upstream refused"
	done
}

@test "a client that is gone before the dial ends" {
	servers
	ip -n "$LAB-a" neigh add 10.9.0.77 lladdr 02:00:00:00:77:77 dev eth0 nud permanent
	printf 'any -> 10.9.0.77:7001\n' >"$T/routes"
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --dial-timeout 20
	client_begins client --up 100 --conns 5
	wait_for dials 5
	kill -KILL "${pid[client]}"
	wait "${pid[client]}" || :
	# Data and FIN could still be for the upstream; a reset is not.
	client reset --up 100 --reset-at 164 --expect killed --conns 5
	wait_for log_has 5
	same "ends" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 5 client gone"
	same "sockets that dial" "$("${A[@]}" ss -Htn state syn-sent | wc -l)" 5
	kill -TERM "${pid[relay]}"
	says relay "accepting no more"
	kill -TERM "${pid[relay]}"
	ends relay 0
	servers_end
}

dials() {
	[ "$("${A[@]}" ss -Htn state syn-sent | wc -l)" = "$1" ]
}

@test "a client that has ended its direction before the dial ends is served" {
	served() {
		# The first upstream costs a second.
		ip -n "$LAB-a" neigh replace 10.9.0.77 lladdr 02:00:00:00:77:77 dev eth0 nud permanent
		server server
		routed "any -> 10.9.0.77:7001,$SERVER"
		client client --up 5000 --down 50000 --mode after-fin --conns 4
		server_ends server
		end_relay "cannot connect to upstream 10.9.0.77:7001"
	}
	each_engine served
}

# routed_crowd CONNECTIONS MEMORY: all come at a time, and all are served, though what each may send before it has an
# upstream is reserved. There is enough for all of them: who has not spoken after 100 ms would have to make room else.
routed_crowd() {
	many_connections
	request good >"$T/request"
	server server
	printf 'host good -> %s\n' $SERVER >"$T/routes"
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --engine "$engine" --memory "$2"
	control
	client_begins client --prefix "$T/request" --mode request --request 200 --reply 500 --rounds 2 \
		--hold-at 200 --conns "$1"
	wait_for has_lines client 1
	same "connections at a time" "$("${A[@]}" ss -Htn state established "sport = :7000" | wc -l)" "$1"
	kill -USR1 "${pid[client]}"
	client_ends client
	control_ends
	soon "the slowest answer in us" "$(result client slowest_us)" 5000000
	server_ends server
	end_relay
	same "ends" "$(log_of .end | sort | uniq -c | tr -s ' ')" " $1 closed"
}

@test "1,000 connections at a time, by their first packet" {
	each_engine routed_crowd 1000 512M
}

# ---- PROXY protocol ----

v2() {
	printf '\r\n\r\n\0\r\nQUIT\n'
}

# 192.0.2.9:1234 to the address of server 2.
v1_header() {
	printf 'PROXY TCP4 192.0.2.9 10.9.0.2 1234 7002\r\n'
}

v2_header() {
	v2
	printf '\x21\x11\0\x0c\xc0\0\x02\x09\x0a\x09\0\x02\x04\xd2\x1b\x5a'
}

v2_local() {
	v2
	printf '\x20\0\0\0'
}

last_client() {
	tail -n 1 "$T/relay.out" | jq -r '.client | sub(":[0-9]+$"; "")'
}

@test "PROXY: a header of a listed source is read, taken off, and required" {
	servers
	routed "accept-proxy from 10.9.0.2/32" "any -> 10.9.0.2:7001"
	for kind in v1_header v2_header; do
		$kind >"$T/head"
		for step in 1 10 100; do
			reaches 1 "$T/head" --prefix-step $step --pace-us 200
			wait_for log_has 1
		done
		same "client in the log after $kind" "$(log_of .client | sort -u)" 192.0.2.9:1234
		same "peer in the log" "$(log_of .peer | sed 's/:.*//' | sort -u)" 10.9.0.2
	done
	v2_local >"$T/head"
	reaches 1 "$T/head"
	printf 'PROXY UNKNOWN\r\n' >"$T/head"
	reaches 1 "$T/head"
	wait_for log_has 8
	same "client in the log" "$(last_client)" 10.9.0.2
	same "bytes before the data" "$(preamble 1)" ""
	for wrong in 'hello' 'PROXY TCP4 1.2.3.4\r\n' 'PROXY TCP4 1.2.3.400 10.9.0.2 1 2\r\n' \
		'\r\n\r\n\0\r\nQUIX'; do
		# shellcheck disable=SC2059
		printf "$wrong" >"$T/head"
		turned_away "$T/head" "bad proxy header"
	done
	servers_end
	end_relay
}

@test "PROXY: a header of anybody else is data" {
	servers
	for rules in "" "accept-proxy from 10.9.0.3/32"; do
		routed "$rules" "host x -> 10.9.0.2:7003" "any -> 10.9.0.2:7001"
		for kind in v1_header v2_header; do
			$kind >"$T/head"
			reaches 1 "$T/head"
			same "what the server got" "$(preamble 1)" "$(hex "$T/head")"
		done
		end_relay
		same "clients in the log" "$(log_of .client | sed 's/:.*//' | sort -u)" 10.9.0.2
	done
	servers_end
}

@test "PROXY: rules apply to what is behind the header" {
	servers
	routed "accept-proxy from 10.9.0.0/24" "host one -> 10.9.0.2:7001" "sni two -> 10.9.0.2:7002" \
		"any -> 10.9.0.2:7003"
	{ v1_header && request one; } >"$T/head"
	reaches 1 "$T/head" --prefix-step 11 --pace-us 100
	same "what the server got" "$(preamble 1)" "$(request one | xxd -p | tr -d '\n')"
	{ v2_header && hello two 9; } >"$T/head"
	reaches 2 "$T/head" --prefix-step 11 --pace-us 100
	same "what the server got" "$(preamble 2)" "$(hello two 9 | xxd -p | tr -d '\n')"
	servers_end
	end_relay
}

@test "PROXY: the header's destination is dialled only when it is on the list" {
	servers
	v1_header >"$T/head"
	# Not without a list, not with a list without it.
	for list in "" "proxy-destinations 10.9.0.2/32:7003" "proxy-destinations 192.0.2.0/24"; do
		routed "accept-proxy from 10.9.0.2" "$list" "any -> 10.9.0.2:7001"
		reaches 1 "$T/head"
		end_relay
	done
	for list in "proxy-destinations 10.9.0.2/32:7002" "proxy-destinations 10.9.0.0/24"; do
		routed "accept-proxy from 10.9.0.2" "$list" "any -> 10.9.0.2:7001"
		reaches 2 "$T/head"
		end_relay
		same "upstream in the log" "$(log_of .upstream)" 10.9.0.2:7002
	done
	# A header of somebody who may not send one decides nothing.
	routed "accept-proxy from 10.9.0.3" "proxy-destinations 10.9.0.0/24" "any -> 10.9.0.2:7001"
	reaches 1 "$T/head"
	end_relay
	servers_end
}

@test "--send-proxy-v2: the upstream learns who the client is" {
	sends() {
		local port

		server server --proxy --verbose
		forward --send-proxy-v2
		client client --up 100k --down 100k --conns 4 --ports "$T/cp"
		server_ends server
		same "headers" "$(grep '^proxy' "$T/server.out" | sort)" \
			"$(while read -r _ port; do echo "proxy tcp4 10.9.0.2 $port 10.9.0.1 7000"; done <"$T/cp" | sort)"
		end_relay
		# The header is not the client's.
		same "bytes in the log" "$(log_of .bytes_to_upstream | sort -u)" $((100 * 1024 + 64))
		# A server that speaks first gets it before it says anything.
		server server --proxy --speak-first 2000
		forward --send-proxy-v2
		client client --up 0 --conns 10
		server_ends server
		end_relay
	}
	each_engine sends
}

@test "--send-proxy-v2 passes on what an accepted header said" {
	server server --proxy
	printf '%s\n' "accept-proxy from 10.9.0.2" "any -> $SERVER" >"$T/routes"
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --send-proxy-v2
	v2_header >"$T/head"
	client client --prefix "$T/head" --up 100
	v2_local >"$T/head"
	client client --prefix "$T/head" --up 100
	# One address of each kind, as HAProxy writes an IPv6 client on an IPv4 socket.
	printf 'PROXY TCP6 2001:db8::7 ::ffff:10.9.0.2 1234 7002\r\n' >"$T/head"
	client client --prefix "$T/head" --up 100
	server_ends server
	same "first header" "$(grep -m 1 '^proxy' "$T/server.out")" "proxy tcp4 192.0.2.9 1234 10.9.0.2 7002"
	matches "second header" "$(grep '^proxy' "$T/server.out" | sed -n 2p)" \
		"^proxy (local|tcp4 10.9.0.2 [0-9]+ 10.9.0.1 7000)$"
	same "third header" "$(grep '^proxy' "$T/server.out" | sed -n 3p)" "proxy tcp6 2001:db8::7 1234 ::ffff:10.9.0.2 7002"
	end_relay
}

@test "--send-proxy-v2 with IPv6" {
	ipv6_up
	at=[fd00:9::2]:7001 server server --proxy
	relay "[fd00:9::1]:7000" forward -l "[fd00:9::1]:7000" --to "[fd00:9::2]:7001" --send-proxy-v2
	to=[fd00:9::1]:7000 client client --up 1000 --down 1000
	server_ends server
	matches "header" "$(grep '^proxy' "$T/server.out")" "^proxy tcp6 fd00:9::2 [0-9]+ fd00:9::1 7000$"
	end_relay
}

# ---- the file ----

@test "--check says where the mistake is and what was expected" {
	printf '%s\n' "# rules" "sni a.example -> 10.9.0.2:7001" "any -> 10.9.0.2:7003" >"$T/routes"
	run -0 "${A[@]}" "$XF" forward -l $LISTEN --routes "$T/routes" --check
	for case in "hots x -> 1.2.3.4:5|1" "host x -> 1.2.3.4|11" "any -> 1.2.3.4:5,1.2.3.4:99999|18" \
		"any 1.2.3.4:5|5" "accept-proxy from 1.2.3.4/40|19" "token @$T/none -> 1.2.3.4:5|7"; do
		printf '%s\n' "# rules" "" "${case%|*}" >"$T/routes"
		run -1 "${A[@]}" "$XF" forward -l $LISTEN --routes "$T/routes" --check
		[[ $output = *"$T/routes:3:${case##*|}: "* ]] || fail "for '${case%|*}':" "$output"
		# And it does not start with it.
		run -1 "${A[@]}" "$XF" forward -l $LISTEN --routes "$T/routes"
		[[ $output = *"$T/routes:3:${case##*|}: "* ]] || fail "for '${case%|*}':" "$output"
	done
}
