#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086,SC2102,SC2125 # addresses are single words
#
# PROXY protocol headers: the sources that may send them, their effect on rules and dials, and --send-proxy-v2.

load relay.bash
load relay_routes.bash

v2() {
	printf '\r\n\r\n\0\r\nQUIT\n'
}

# A header from 192.0.2.9:1234 to the address of server 2.
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

@test "the PROXY header of a listed source is read, taken off, and required" {
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

@test "the PROXY header of any other source is data" {
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

@test "rules apply to the bytes behind the PROXY header" {
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

@test "the destination of a PROXY header is dialled only when it is on the list" {
	servers
	v1_header >"$T/head"
	# No list has the destination.
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
	# A header of a source that is not listed decides nothing.
	routed "accept-proxy from 10.9.0.3" "proxy-destinations 10.9.0.0/24" "any -> 10.9.0.2:7001"
	reaches 1 "$T/head"
	end_relay
	# A destination that is the relay itself would make it connect to itself for ever.
	printf 'PROXY TCP4 10.9.0.2 10.9.0.1 1234 7000\r\n' >"$T/head"
	routed "accept-proxy from 10.9.0.0/24" "proxy-destinations 10.9.0.0/24" "any -> 10.9.0.2:7001"
	turned_away "$T/head" "upstream refused"
	same "connections" "$(wc -l <"$T/relay.out")" 1
	end_relay
	servers_end
}

@test "--send-proxy-v2 tells the upstream the client's address" {
	sends() {
		local port

		server server --proxy --verbose
		forward --send-proxy-v2
		client client --up 100k --down 100k --conns 4 --ports "$T/cp"
		server_ends server
		same "headers" "$(grep '^proxy' "$T/server.out" | sort)" \
			"$(while read -r _ port; do echo "proxy tcp4 10.9.0.2 $port 10.9.0.1 7000"; done <"$T/cp" | sort)"
		end_relay
		# The log counts the client's bytes without the header.
		same "bytes in the log" "$(log_of .bytes_to_upstream | sort -u)" $((100 * 1024 + 64))
		# A server that speaks first gets the header before.
		server server --proxy --speak-first 2000
		forward --send-proxy-v2
		client client --up 0 --conns 10
		server_ends server
		end_relay
	}
	each_engine sends
}

@test "--send-proxy-v2 passes on the addresses of an accepted header" {
	server server --proxy
	printf '%s\n' "accept-proxy from 10.9.0.2" "any -> $SERVER" >"$T/routes"
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --send-proxy-v2
	v2_header >"$T/head"
	client client --prefix "$T/head" --up 100
	v2_local >"$T/head"
	client client --prefix "$T/head" --up 100
	# HAProxy writes an IPv6 client on an IPv4 socket so.
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
