#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# echo and forward on this kernel, with every byte checked: whole streams both ways, and the faults of
# sockmaps, which differ between kernels. The relay runs here, its clients and servers run in the peer.
# shellcheck disable=SC2154 # start sets pid
. "$(dirname "$0")/lib.sh"

LISTEN=10.9.0.1:7000
SERVER=10.9.0.2:7001
TALK=${TALK:-$here/stream}
PROBE=${PROBE:-$here/probe}
SEGMENTS=${SEGMENTS:-$here/segments}
relay=

# listens COMMAND... PORT_IN_HEX: whether a socket listens on the port, where the command enters.
listens() {
	local words=("$@") line

	while IFS= read -r line; do
		[[ $line != *":${words[-1]} 00000000:0000 0A "* ]] || return 0
	done < <("${words[@]:0:${#words[@]}-1}" cat /proc/net/tcp)
	return 1
}

# relay_up ARGUMENTS...: start xdpfun-load and wait until it listens.
relay_up() {
	start relay "$@" -f json
	relay=$pid
	wait_for relay_is_up
	! gone "$relay" || fail "the relay has ended"
}

relay_is_up() {
	listens cat 1B58 || gone "$relay"
}

forward() {
	relay_up forward -l "$LISTEN" --to "$SERVER" --engine "$1"
}

# relay_down ENGINE COUNT: it ends when asked; it had so many connections, and moved some to the engine.
relay_down() {
	stop "$relay"
	same "connections in the log" "$(count_lines relay '"client"')" "$2"
	[ "$1" = auto ] || matches "its totals" "$(<"$tmp/t/relay.err")" "engine moves [1-9]"
}

# moved_by ENGINE COUNT: fails unless COUNT connections had this engine at their end.
moved_by() {
	same "connections moved by $1" "$(count_lines relay "\"engine\":\"$1\"")" "$2"
}

# serve ARGUMENTS...: start a server in the peer.
serve() {
	blank server
	"${in_peer[@]}" "$TALK" server "$SERVER" "$@" >"$tmp/t/server.out" 2>"$tmp/t/server.err" &
	server=$!
	wait_for has_line server listening
}

# served: end the server; fails when a connection was not as expected.
served() {
	stop "$server"
}

# asks ARGUMENTS...: run clients in the peer; fails when a connection was not as expected.
asks() {
	peer "$TALK" client "$LISTEN" --timeout-ms 90000 "$@" >"$tmp/t/client.out"
}

# of_client KEY: print a value of its last line.
of_client() {
	local text

	text=$(<"$tmp/t/client.out")
	matches "what the client counted" "$text" "(^| )$1=([0-9]+)"
	value=${BASH_REMATCH[2]}
}

at_most() {
	[ "$2" -le "$3" ] || fail "$1 is $2, more than $3"
}

echoes() {
	relay_up echo -l "$LISTEN" --engine "$1"
	# Data comes at once, late, and with an end behind a backlog.
	asks --mode echo --up 100 --conns 5 --total 20 --late-fin
	asks --mode echo --up 100 --conns 5 --delay-ms 30 --late-fin
	asks --mode echo --up 700k --conns 2 --rcvbuf 8192 --stall-at 200k --stall-ms 100
	relay_down "$1" 27
}

# directly ARGUMENTS...: what the client asks of a server without a relay between; sets value to its KEY.
directly() {
	local key=$1 direct

	shift
	blank direct
	"$TALK" server 10.9.0.1:7002 >"$tmp/t/direct.out" 2>"$tmp/t/direct.err" &
	direct=$!
	wait_for has_line direct listening
	peer "$TALK" client 10.9.0.1:7002 --timeout-ms 90000 "$@" >"$tmp/t/client.out"
	stop "$direct"
	of_client "$key"
}

streams() {
	local direct

	# As is asked of the relay below, for what this machine needs.
	directly slowest_us --mode request --rounds 3 --conns 5 --delay-ms 5
	direct=$value
	forward "$1"
	serve
	asks --up 1m --down 1m --conns 2
	# The end of one direction leaves the other open; what came with the end arrives (trap 11).
	asks --up 100k --down 1m --mode after-fin --conns 2
	asks --up 64 --down 64 --conns 5 --total 20
	# Requests come just when the socket enters the map (trap 1).
	asks --mode request --rounds 3 --conns 5 --total 20
	asks --mode request --rounds 3 --conns 5 --delay-ms 5
	of_client slowest_us
	at_most "the slowest answer in us, without a relay $direct," "$value" $((3000000 + 10 * direct))
	served
	# The server speaks before the client (trap 9).
	serve --speak-first 3000
	asks --up 0 --conns 5 --total 10
	served
	# An end with a backlog behind it (trap 4).
	serve --rcvbuf 8192 --stall-at 64 --stall-ms 150
	asks --up 2m --down 0
	served
	relay_down "$1" $((2 + 2 + 20 + 20 + 5 + 10 + 1))
}

# The server's word and its end come while the sockets go into the map, and it goes on reading, slowly: what the
# relay holds for it is more than a send buffer, which must go on when there is room again.
early_end() {
	forward "$1"
	for _ in 1 2 3 4; do
		serve --rcvbuf 8192 --stall-at 64 --stall-ms 150
		asks --up 2m --down 0 --conns 8
		served
	done
	relay_down "$1" $((4 * 8))
}

resets() {
	forward "$1"
	serve --reset-at 100k --expect killed
	asks --up 500m --down 0 --expect reset --conns 2
	served
	serve --expect reset
	asks --up 0 --down 500m --reset-at 100k --expect killed --conns 2
	served
	relay_down "$1" 4
}

# A stalled reader stops the writer.
stalled() {
	local client

	forward "$1"
	serve --rcvbuf 16384 --stall-at 64 --stall-ms forever --ports "$tmp/t/ports" --expect reset,cut
	"${in_peer[@]}" "$TALK" client "$LISTEN" --up 300m --down 0 --sndbuf 65536 >"$tmp/t/client.out" 2>&1 &
	client=$!
	# The server notes the connection once the first bytes have come through.
	wait_for test -s "$tmp/t/ports"
	nap 1
	kill -TERM "$client"
	ends "$client" 1
	of_client sent
	at_most "bytes taken for a reader that has stopped" "$value" $((17 * 1048576))
	kill -KILL "$server"
	wait "$server" || :
	wait_for has_line relay '"client"'
	relay_down "$1" 1
}

# A segment that is sent again with another cut begins with bytes that have come already; TCP leaves it to its
# readers to skip them. The client is a program that sends frames from an address that no interface has. The
# pause lets the connection enter the map, which takes a while in an emulated guest.
overlapping() {
	local seen

	forward "$1"
	blank server
	"${in_peer[@]}" "$PROBE" listen "$SERVER" read=2600 end close >"$tmp/t/server.out" 2>"$tmp/t/server.err" &
	server=$!
	wait_for has_line server listen
	peer "$SEGMENTS" v1 10.9.0.50 "$LISTEN" 0-100 3000 100-600 300-700 1600-2600 10 800-1300 10 650-900 10 1200-2000
	ends "$server" 0
	seen=$(cut -d' ' -f2- "$tmp/t/server.out" | tr '\n' ';')
	same "what the server saw" "$seen" "listen 0 ok;accept 0 ok;read 2600 ok;end 0 eof;close 0 ok;"
	relay_down "$1" 1
}

# netem ARGUMENTS...: on what either side sends; 1000 packets are too few to wait in line.
netem() {
	tc qdisc replace dev v0 root netem limit 20000 "$@"
	tc -n peer qdisc replace dev v1 root netem limit 20000 "$@"
}

no_netem() {
	tc qdisc del dev v0 root
	tc -n peer qdisc del dev v1 root
}

lossy() {
	netem delay 3ms 1ms loss 2%
	forward "$1"
	serve
	asks --up 300k --down 300k --conns 4 --total 8
	served
	no_netem
	relay_down "$1" 8
}

# 60 ms there and back, twice in a row with the relay between, and two more ends that cost processor time. The windows
# grow late when both ways are busy: with auto that is some twenty rounds, and with the sockmap alone they never do. The
# limits tell that from a transfer that waits for timers.
delayed() {
	local direct most

	netem delay 30ms
	directly ms --up 6m --down 6m
	direct=$value
	forward "$1"
	serve
	asks --up 6m --down 6m
	of_client ms
	served
	no_netem
	most=$((4 * direct + 8000))
	[ "$1" = auto ] || most=$((10 * direct + 20000))
	at_most "ms for 6 MiB up and down, without a relay $direct" "$value" "$most"
	relay_down "$1" 1
}

# Why auto does without the sockmap on a kernel that is too old for it, and that --engine sockmap is refused there.
too_old() {
	forward auto
	serve
	asks --up 300k --down 300k --conns 2
	asks --mode request --rounds 50
	served
	matches "what it says" "$(<"$tmp/t/relay.err")" "auto goes without sockmap: .*kernel $kernel_series.* too old"
	relay_down auto 3
	moved_by sockmap 0
	matches "what it says" "$("$XF" forward -l "$LISTEN" --to "$SERVER" --engine sockmap 2>&1)" \
		"cannot use --engine sockmap: .*kernel $kernel_series.* too old"
}

# And that it does with it on those that are repaired.
young_enough() {
	forward auto
	serve
	asks --mode request --rounds 200 --conns 4
	served
	[[ $(<"$tmp/t/relay.err") != *"goes without sockmap"* ]] || fail "$(<"$tmp/t/relay.err")"
	relay_down auto 4
	moved_by sockmap 4
}

# The relay that accepts connections has the user id of nobody, and no capability but those that it prints.
dropped() {
	local key value rest

	forward sockmap
	serve
	asks --mode request --rounds 5
	while read -r key value rest; do
		case $key in
		Uid:) same "user ids" "$value $rest" "65534 65534"$'\t'"65534"$'\t'"65534" ;;
		NoNewPrivs:) same "no_new_privs" "$value" 1 ;;
		CapEff:) matches "capabilities" "$value" "^000000000000[01]000$" ;;
		esac
	done <"/proc/$relay/status"
	served
	relay_down sockmap 1
	moved_by sockmap 1
}

# The Ethernet addresses that the helper for segments knows.
lab_addresses() {
	ip link set v0 address 02:00:00:00:09:01
	ip -n peer link set v1 address 02:00:00:00:09:02
	ip neigh replace 10.9.0.2 lladdr 02:00:00:00:09:02 dev v0 nud permanent
	ip neigh replace 10.9.0.50 lladdr 02:00:00:00:09:02 dev v0 nud permanent
	ip -n peer neigh replace 10.9.0.1 lladdr 02:00:00:00:09:01 dev v1 nud permanent
}

lab_up
lab_addresses
kernel_series=${kernel%.*}
engines=(auto)
if kernel_is_at_least 6.1; then
	engines=(sockmap auto)
	t "auto uses the sockmap" young_enough
	t "sockmap: echo" echoes sockmap
	t "sockmap: resets" resets sockmap
	t "sockmap: a reader that stops" stalled sockmap
	t "sockmap: streams" streams sockmap
	t "sockmap: an end that comes before the map" early_end sockmap
	t "sockmap: segments that overlap" overlapping sockmap
	t "nobody with few capabilities" dropped
else
	t "auto says why it does without the sockmap" too_old
fi
for engine in "${engines[@]}"; do
	t "$engine: lost packets" lossy "$engine"
	t "$engine: a long way" delayed "$engine"
done
lab_down
finish
