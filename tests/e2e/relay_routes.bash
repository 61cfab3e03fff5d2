# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086 # addresses are single words
#
# Helpers of the tests of routes: a relay with a routes file, three numbered servers, and first packets of each kind.

# Start three servers that answer with their number, on ports 7001 to 7003.
servers() {
	local n

	for n in 1 2 3; do
		at=10.9.0.2:700$n server server$n --name $n --verbose "$@"
	done
}

servers_end() {
	local n

	for n in 1 2 3; do
		signal TERM "server$n"
		# A server without a connection ends with 1.
		ends server$n "$([ "$(grep -c '^end' "$T/server$n.out")" -gt 0 ] && echo 0 || echo 1)"
	done
}

# routed LINE...: start a relay with these rules.
routed() {
	printf '%s\n' "$@" >"$T/routes"
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --engine "${engine:-auto}" --dial-timeout 1
}

# reaches N FILE ARGUMENTS...: fails when a connection that begins with the file's bytes does not reach server N.
reaches() {
	client client --prefix "$2" --server-name "$1" --up 3000 --down 3000 "${@:3}"
}

# turned_away FILE END [UPSTREAM]: fails when the relay does not end a connection that begins with the file's bytes, or
# logs another end or upstream.
turned_away() {
	local before

	before=$(wc -l <"$T/relay.out")
	client client --prefix "$1" --up 3000 --down 3000 --expect reset,cut
	wait_for log_has $((before + 1))
	same "how it ended" "$(tail -n 1 "$T/relay.out" | jq -r .end)" "$2"
	same "its upstream" "$(tail -n 1 "$T/relay.out" | jq -r '.upstream // "none"')" "${3:-none}"
}

# preamble N: print the bytes that server N got before the last stream, in hex.
preamble() {
	sed -n 's/^preamble //p' "$T/server$1.out" | tail -n 1
}

hex() {
	xxd -p "$1" | tr -d '\n'
}

# number BYTES VALUE: print the value big endian in hex.
number() {
	printf "%0$(($1 * 2))x" "$2"
}

# hello NAME [RECORD_BYTES [PROTOCOL...]] >FILE: write a ClientHello for that server name, in records of so many bytes,
# which offers these protocols.
hello() {
	local name ext body size=${2:-16000} protocol list=

	name=$(printf %s "$1" | xxd -p | tr -d '\n')
	ext=$(number 2 $((${#name} / 2 + 3)))00$(number 2 $((${#name} / 2)))$name
	ext=0000$(number 2 $((${#ext} / 2)))$ext
	ext=002b0003020304$ext
	for protocol in "${@:3}"; do
		list+=$(number 1 ${#protocol})$(printf %s "$protocol" | xxd -p)
	done
	[ -z "$list" ] || ext+=0010$(number 2 $((${#list} / 2 + 2)))$(number 2 $((${#list} / 2)))$list
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
