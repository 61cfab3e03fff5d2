#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2086 # variables are for helpers; addresses are single words
#
# UNIX sockets at both ends of a relay, and listeners on all addresses.

load relay.bash

# behind ADDRESS ARGUMENTS...: start a second relay, to the server.
behind() {
	local address=$1

	shift
	begin second "${A[@]}" "$XF" forward -l "$address" --to $SERVER -f json "$@"
	wait_for grep -q "listening on" "$T/second.err"
}

second_ends() {
	signal TERM second
	ends second 0
}

# Two relays with a UNIX socket between them.
unix_data() {
	server server
	behind "unix:@$LAB-$engine" --engine $engine --threads 2
	relay $LISTEN forward -l $LISTEN --to "unix:@$LAB-$engine" --engine $engine
	client duplex --up 100k-600k --down 100k-600k --write 1-60000 --conns 10 --total 40
	client half --mode after-fin --up 50k --down 300k --conns 5 --total 10
	client talk --mode request --rounds 20 --conns 5 --total 20
	server_ends server
	end_relay
	second_ends
	same "how they ended" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 70 closed"
	same "upstreams in the log" "$(log_of .upstream | sort -u)" "unix:@$LAB-$engine"
	same "listeners and clients in the log" "$(jq -r '"\(.listen) \(.client)"' "$T/second.out" | sort -u)" \
		"unix:@$LAB-$engine unix:"
}

@test "UNIX sockets at both ends: every byte in order, half-close comes through" {
	each_engine unix_data
}

@test "the file of a UNIX socket has the mode and user of its options, and one that is left over is replaced" {
	local dir=$T/run

	mkdir -m 755 "$dir"
	server server
	behind "unix:$dir/s" --socket-mode 606 --user 65534:65534
	same "mode and owner" "$(stat -c '%a %u %g' "$dir/s")" "606 65534 65534"
	run -1 --separate-stderr "${A[@]}" "$XF" forward -l "unix:$dir/s" --to $SERVER
	no_match "a second one" "$stderr" "listening on"
	[[ $stderr = *"cannot listen on unix:$dir/s: Address already in use"* ]] || fail "$stderr"
	signal KILL second
	wait_for gone second
	[ -S "$dir/s" ] || fail "there is no file to replace"
	behind "unix:$dir/s" --user root
	same "mode and owner" "$(stat -c '%a %u' "$dir/s")" "660 0"
	signal TERM second
	ends second 0
	[ ! -e "$dir/s" ] || fail "the file was left behind"
	echo data >"$dir/s"
	run -1 --separate-stderr "${A[@]}" "$XF" forward -l "unix:$dir/s" --to $SERVER
	same "a file that is no socket" "$(<"$dir/s")" data
}

@test "--idle ends connections on UNIX sockets" {
	engine=auto
	server server
	behind "unix:@$LAB" --idle 1
	begin silent "${A[@]}" socat -u "ABSTRACT-CONNECT:$LAB" -
	wait_for grep -q '"end":"idle"' "$T/second.out"
	second_ends
}

@test "-l :PORT listens on all addresses of both families" {
	engine=auto
	server server
	relay "" forward -l :7000 --to $SERVER
	says relay "listening on \[::\]:7000"
	client four --up 1000 --down 1000
	"${A[@]}" socat -u /dev/null "TCP6:[::1]:7000"
	wait_for log_has 2
	same "listeners" "$(log_of .listen | tr '\n' ' ')" "10.9.0.1:7000 [::1]:7000 "
	finish KILL server
	end_relay
}
