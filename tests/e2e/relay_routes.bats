#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086 # addresses are single words
#
# Rules choose the server of a connection by its first packet: by SNI, Host and token.

load relay.bash
load relay_routes.bash

@test "SNI rules match exact names and suffixes, any matches the rest" {
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
	same "names in the log" "$(log_of '.sni // "none"' | sort -u | tr '\n' ,)" \
		"a.b.example,example,none,one.example,one.example.org,two.example,"
	same "routes in the log" "$(log_of .route | sort | uniq -c | tr -s ' ' | tr '\n' ,)" \
		" 3 any, 2 sni *.example, 2 sni one.example,"
}

@test "SNI is read from a ClientHello over several records and segments" {
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

@test "ALPN rules match each protocol that a ClientHello offers, and the log has all of them" {
	servers
	routed "alpn acme-tls/1 -> 10.9.0.2:7001" "alpn h2 -> reject" "any -> 10.9.0.2:7003"
	for case in "1 acme-tls/1" "1 http/1.1 acme-tls/1" "3 http/1.1" "3"; do
		# shellcheck disable=SC2086 # words
		hello one.example 16000 ${case#?} >"$T/hello"
		reaches "${case%% *}" "$T/hello"
	done
	hello one.example 16000 http/1.1 h2 >"$T/hello"
	turned_away "$T/hello" rejected
	servers_end
	end_relay
	same "protocols in the log" "$(log_of '.alpn // "none"' | tr '\n' ' ')" \
		"acme-tls/1 http/1.1,acme-tls/1 http/1.1 none http/1.1,h2 "
}

relayed_to() {
	[ -n "$("${A[@]}" ss -Htn state established "dport = :$1")" ]
}

@test "SNI is read from the ClientHello of openssl" {
	servers
	routed "sni one.example -> 10.9.0.2:7001" "any -> 10.9.0.2:7003"
	openssl s_client -connect 127.0.0.1:1 -help >/dev/null 2>&1 || skip "there is no openssl"
	begin tls "${B[@]}" openssl s_client -connect $LISTEN -servername one.example
	wait_for relayed_to 7001
	signal TERM tls
	wait_for log_has 1
	same "upstream" "$(log_of .upstream)" 10.9.0.2:7001
	same "route" "$(log_of .route)" "sni one.example"
	end_relay
}

@test "Host rules match exact names and suffixes, with a port and in an absolute target" {
	servers
	routed "host one.example -> 10.9.0.2:7001" "host *.example -> 10.9.0.2:7002" "any -> 10.9.0.2:7003"
	for case in one.example:1 one.example:8080:1 ONE.EXAMPLE:1 two.example:2 other:3; do
		request "${case%:*}" >"$T/request"
		reaches "${case##*:}" "$T/request" --prefix-step 9 --pace-us 100
		same "what the server got" "$(preamble "${case##*:}")" "$(hex "$T/request")"
	done
	request one.example http://one.example/x >"$T/request"
	reaches 1 "$T/request"
	servers_end
	end_relay
	same "names in the log" "$(log_of .host | sort | uniq -c | tr -s ' ' | tr '\n' ,)" " 4 one.example, 1 other, 1 two.example,"
}

@test "the first rule that matches wins" {
	servers
	routed "host one.example -> 10.9.0.2:7002" "host *.example -> 10.9.0.2:7001" "any -> reject"
	request one.example >"$T/request"
	reaches 2 "$T/request"
	request other >"$T/request"
	turned_away "$T/request" rejected
	servers_end
	end_relay
}

@test "a connection that no rule matches is ended" {
	servers
	routed "host one.example -> 10.9.0.2:7001"
	request other >"$T/request"
	turned_away "$T/request" "no route"
	servers_end
	end_relay
}

# A server may read a name in each of these that the rule for it did not see.
@test "a first packet that can be read in two ways is refused where a rule is about such packets" {
	servers
	routed "host one.example -> reject" "sni one.example -> reject" "any -> 10.9.0.2:7003"
	for line in 'Host: one.example\r\nHost: one.example' 'Host : one.example' 'X: a\r\n b\r\nHost: one.example' \
		'Host: me@one.example'; do
		printf 'GET / HTTP/1.1\r\n%b\r\n\r\n' "$line" >"$T/request"
		turned_away "$T/request" "ambiguous first packet"
	done
	for line in 'GET http://me@one.example/ HTTP/1.1' 'GET / http/1.1' 'GET  / HTTP/1.1'; do
		printf '%s\r\nHost: one.example\r\n\r\n' "$line" >"$T/request"
		turned_away "$T/request" "ambiguous first packet"
	done
	for name in one.example/ 'one example' one..example; do
		hello "$name" >"$T/hello"
		turned_away "$T/hello" "ambiguous first packet"
	done
	same "the rules in the log" "$(log_of '"\(.route_line) \(.end)"' | sort | uniq -c | tr -s ' ' | tr '\n' ,)" \
		" 7 1 ambiguous first packet, 3 2 ambiguous first packet,"
	for other in 'hello there\r\n' 'SSH-2.0-x y\r\n' 'GET / HTTP/1.1\r\nHost: two.example\r\n\r\n'; do
		# shellcheck disable=SC2059 # the ends of lines are meant
		printf "$other" >"$T/request"
		reaches 3 "$T/request"
	done
	servers_end
	end_relay
	says relay "ambiguous first packet 10"
}

# The request is cut off by the end of the stream, and a server may serve it.
@test "a request without the end of its header is refused at the end of the stream" {
	servers
	routed "host one.example -> reject" "any -> 10.9.0.2:7003"
	printf 'GET / HTTP/1.1\r\nHost: one.example\r\n' >"$T/request"
	"${B[@]}" socat -t 5 - TCP:$LISTEN <"$T/request" >"$T/answer" 2>/dev/null || :
	wait_for log_has 1
	same "how it ended" "$(log_of .end)" "ambiguous first packet"
	same "the answer" "$(cat "$T/answer")" ""
	servers_end
	end_relay
}

@test "a right token is accepted and taken off, a wrong one ends the connection" {
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
	signal TERM relay
	ends relay 0
	says relay "bad token 6"
	no_match "what it says and logs" "$(cat "$T/relay.err" "$T/relay.out")" "sesam"
}

@test "data right behind a token arrives with every engine" {
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

# routed_crowd CONNECTIONS MEMORY: all connections come at a time, and all are served, although memory is reserved for
# their first packets. There is enough for all; otherwise silent clients would have to make room after 100 ms.
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
	signal USR1 client
	client_ends client
	control_ends
	soon "the slowest answer in us" "$(result client slowest_us)" 5000000
	server_ends server
	end_relay
	same "ends" "$(log_of .end | sort | uniq -c | tr -s ' ')" " $1 closed"
}

@test "1,000 connections at a time are routed by their first packet" {
	each_engine routed_crowd 1000 512M
}

@test "--check names line and column of a mistake, and the relay does not start with it" {
	printf '%s\n' "# rules" "sni a.example -> 10.9.0.2:7001" "any -> 10.9.0.2:7003" >"$T/routes"
	run -0 "${A[@]}" "$XF" forward -l $LISTEN --routes "$T/routes" --check
	for case in "hots x -> 1.2.3.4:5|1" "host x -> 1.2.3.4|11" "any -> 1.2.3.4:5,1.2.3.4:99999|18" \
		"any 1.2.3.4:5|5" "accept-proxy from 1.2.3.4/40|19" "token @$T/none -> 1.2.3.4:5|7"; do
		printf '%s\n' "# rules" "" "${case%|*}" >"$T/routes"
		run -1 "${A[@]}" "$XF" forward -l $LISTEN --routes "$T/routes" --check
		[[ $output = *"$T/routes:3:${case##*|}: "* ]] || fail "for '${case%|*}':" "$output"
		# The relay does not start with this file.
		run -1 "${A[@]}" "$XF" forward -l $LISTEN --routes "$T/routes"
		[[ $output = *"$T/routes:3:${case##*|}: "* ]] || fail "for '${case%|*}':" "$output"
	done
}
