#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086,SC2102,SC2119,SC2120,SC2125,SC2034,SC2012 # addresses are single words; variables are for helpers
#
# Segments that come out of order, twice or overlapping do not change the stream that the server reads. The client is a
# program that sends frames from an address that no interface has.

load relay.bash

GHOST=10.9.0.50

# cut_so BYTES SEGMENT...: fails when the server does not read the whole stream from these segments.
cut_so() {
	local bytes=$1

	shift
	forward
	begin server "${B[@]}" "$helpers/probe" listen "$SERVER" "read=$bytes" end close
	wait_for has_lines server 1
	"${B[@]}" "$helpers/segments" eth0 $GHOST "$LISTEN" 0-100 100 "$@" >"$T/client.out" ||
		fail "$(<"$T/client.out")"
	ends server 0 || fail "$(said server)" "$(<"$T/server.out")"
	same "what the server saw" "$(cut -d' ' -f2- "$T/server.out" | tr '\n' ';')" \
		"listen 0 ok;accept 0 ok;read $bytes ok;end 0 eof;close 0 ok;"
	end_relay
	[ "$engine" != sockmap ] || moved_by_engine
}

setup() {
	lab_up --quiet
	ip -n "$LAB-a" neigh add $GHOST lladdr 02:00:00:00:09:02 dev eth0 nud permanent
}

@test "segments in order" {
	each_engine cut_so 1100 100-600 20 600-1100
}

@test "a segment that comes twice" {
	each_engine cut_so 1100 100-600 20 100-600 20 600-1100
}

@test "a segment that begins with what is there already" {
	each_engine cut_so 1100 100-600 20 300-1100
}

@test "segments in reverse order" {
	each_engine cut_so 1600 1100-1600 20 600-1100 20 100-600
}

@test "a gap filled by a segment that reaches into what came before it" {
	each_engine cut_so 1600 800-1600 20 100-1000
}

@test "a gap filled in pieces that overlap each other and both ends" {
	each_engine cut_so 2600 1600-2600 10 800-1300 10 50-400 10 300-900 10 1200-2000
}

@test "the whole again when the last byte is missing" {
	each_engine cut_so 1201 100-1200 20 100-1201
}
