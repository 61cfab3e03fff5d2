# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034 # variables are for the tests
#
# What the tests of echo and forward share: the relay runs in side a of a lab, clients and servers in side b.

load lib.bash

LISTEN=10.9.0.1:7000
SERVER=10.9.0.2:7001

# shellcheck disable=SC2034 # for the tests
ENGINES=(sockmap splice copy auto)
engine=
MIB=1048576

# each_engine COMMAND...: with $engine set to one after the other.
each_engine() {
	local now start

	for engine in "${ENGINES[@]}"; do
		clock
		start=$now
		"$@"
		clock
		echo "$engine: $((now - start)) ms"
	done
	engine=
}

fail() {
	[ -z "$engine" ] || echo "engine: $engine"
	printf '%s\n' "$@"
	return 1
}

# many_connections [REMEMBERED]: what thousands of connections one after the other need: ports, and no long
# memory of the old ones.
many_connections() {
	local side

	for side in a b; do
		nsenter --net="/run/netns/$LAB-$side" sysctl -q -w net.ipv4.ip_local_port_range="9000 65000" \
			net.ipv4.tcp_max_tw_buckets="${1:-100}" net.ipv4.tcp_tw_reuse=1 net.core.somaxconn=8192 \
			net.ipv4.tcp_max_syn_backlog=8192
	done
}

# relay ADDRESS ARGUMENTS...: xdpfun-load with these, until it listens at ADDRESS. Its access log goes to
# relay.out as JSON.
relay() {
	local address=$1

	shift
	: >"$T/relay.err"
	begin relay "${A[@]}" "$XF" "$@" -f json
	relay_ready "$address"
}

# It listens before it has given up its privileges; that it says so comes after.
relay_ready() {
	wait_for ready "listening on ${1//[\[\]]/.}"
	alive relay || fail "the relay has ended:" "$(said relay)"
}

ready() {
	grep -q -- "$1" "$T/relay.err" || gone relay
}

# forward [ARGUMENTS...], echoes [ARGUMENTS...]: with the engine of the test.
forward() {
	relay $LISTEN forward -l $LISTEN --to $SERVER --engine "$engine" "$@"
}

echoes() {
	relay $LISTEN echo -l $LISTEN --engine "$engine" "$@"
}

# end_relay [REGEX]: what it must do when asked, at a time when no connection is left; nothing went wrong that
# it would have to talk about, but for warnings that match.
end_relay() {
	local allowed=${1:-^\$}

	signal TERM relay
	ends relay 0
	no_match "what it says" "$(said relay | grep -vE -- "$allowed")" "(error|warning): "
}

# server NAME ARGUMENTS...: a stream server at SERVER in side b, or at the address in $at.
server() {
	local name=$1

	shift
	begin "$name" "${B[@]}" "$helpers/stream" server "${at:-$SERVER}" "$@"
	wait_for has_lines "$name" 1
}

# server_ends NAME: it is told to end and finds all its connections as expected, and none open.
server_ends() {
	signal TERM "$1"
	ends "$1" 0 || fail "$1:" "$(tail -n 3 "$T/$1.out")" "$(tail -n 5 "$T/$1.err")"
	same "connections that $1 still has" "$(result "$1" open)" 0
}

# client NAME ARGUMENTS...: a stream client in side b, to its end.
client() {
	client_begins "$@"
	client_ends "$1"
}

# Waits a moment before it sends, $pause ms, so that the engine asked for has it from the first byte.
pause=20
client_begins() {
	local name=$1

	shift
	begin "$name" "${B[@]}" "$helpers/stream" client "${to:-$LISTEN}" --timeout-ms 90000 \
		--delay-ms "$pause" "$@"
}

client_ends() {
	local status=0

	wait "${pid[$1]}" || status=$?
	[ $status = 0 ] || fail "$1 ended with $status: $(tail -n 1 "$T/$1.out")" "$(tail -n 3 "$T/$1.err")" \
		"the relay says:" "$(tail -n 5 "$T/relay.err")" \
		"$(grep -v '"end":"closed"' "$T/relay.out" | tail -n 3 | cut -c1-300)"
}

# result NAME KEY: of the last line of a stream.
result() {
	tail -n 1 "$T/$1.out" | grep -oE "(^| )$2=[0-9]+" | cut -d= -f2
}

# log_has COUNT, log_of FILTER: lines of the access log.
log_has() {
	[ "$(wc -l <"$T/relay.out")" -ge "$1" ]
}

log_of() {
	jq -r "$1" "$T/relay.out"
}

# control: from now a client of side b asks a server of side a all the time, without a relay between, until control_ends
# sets beside: what its slowest answer took, in us. It tells a relay that is late from a machine that is busy.
control() {
	begin control_server "${A[@]}" "$helpers/stream" server 10.9.0.1:7009
	wait_for has_lines control_server 1
	begin control "${B[@]}" "$helpers/stream" client 10.9.0.1:7009 --mode request --rounds 1000000000 --conns 3 \
		--pace-us 3000
	wait_for control_asks
}

control_asks() {
	[[ $("${B[@]}" ss -Htni "dport = :7009") = *bytes_received:[1-9]??* ]]
}

control_ends() {
	finish TERM control
	beside=$(result control slowest_us)
	finish KILL control_server
	[ "$beside" -gt 0 ] || fail "the control has no answer: $(<"$T/control.out")"
}

# soon WHAT US MOST: it took no longer, but for what the machine itself needed at that time, where a way through the
# relay is some four times as long as one without.
soon() {
	between "$1, with $beside us for an answer without a relay," "$2" 0 $(($3 + 4 * beside))
}

# soon_after FIRST SECOND: the last connection of the second stream ended within a second of the first stream's.
soon_after() {
	between "us from the end at the $1 to that at the $2" $((($(at_ms "$2") - $(at_ms "$1")) * 1000)) -20000 100000000
	soon "us from the end at the $1 to that at the $2" $((($(at_ms "$2") - $(at_ms "$1") + 20) * 1000)) 1000000
}

# prompt NAME ARGUMENTS...: a client whose answers are all there soon.
prompt() {
	control
	client "$@"
	control_ends
	between "answers that were looked at: the slowest in us" "$(result "$1" slowest_us)" 1 100000000
	soon "the slowest answer in us" "$(result "$1" slowest_us)" "${most:-900000}"
}

# taken_in [SOCKETS]: what the senders have got rid of, in bytes, as the relay's kernel counts it; taken MORE SOCKETS: at
# least so many.
taken_in() {
	"${A[@]}" ss -Htni "${1:-sport = :7000 or dport = :7001}" | grep -oE 'bytes_received:[0-9]+' |
		awk -F: '{ sum += $2 } END { print sum + 0 }'
}

taken() {
	[ "$(taken_in "${@:2}")" -ge "$1" ]
}

# settle LEAST: so many bytes have come in, and at two looks in a row next to nothing more, or some seconds are over.
settle() {
	local before after=0 still=0

	wait_for taken "$1"
	for _ in {1..24}; do
		before=$after
		sleep 0.25
		after=$(taken_in)
		still=$((after - before > after / 100 ? 0 : still + 1))
		[ $still -lt 2 ] || return 0
	done
}

# relayed: how many upstream connections there are.
relayed() {
	"${A[@]}" ss -Htn state connected exclude time-wait "( dport = :7001 or dport = :7002 )" | wc -l
}

# all_decided NAME CONNECTIONS: so many, those of others included, have an upstream, or the client of this name has heard
# (--verbose) that they get none.
all_decided() {
	[ $(($(relayed) + $(grep -c outcome=reset "$T/$1.out"))) = "$2" ]
}

# moved_by_engine [LEAST]: the access log says that the engine asked for did the work; copy may have ended what it could
# not. What ends before the relay had its turn never comes into the map: so many must have been in it, half of them when
# it is not said.
moved_by_engine() {
	[ "$engine" != auto ] || return 0
	if [ "$engine" = sockmap ]; then
		between "connections that were in the map" "$(moved_at_least 1)" "${1:-$((($(wc -l <"$T/relay.out") + 1) / 2))}" 1000000
		return
	fi
	same "connections moved by others" "$(log_of "select(.engine != \"$engine\" and .moves < 2) | .end" | wc -l)" 0
}

# moved_at_least N: how many connections changed their engine so often.
moved_at_least() {
	log_of "select(.moves >= $1) | .end" | wc -l
}

# map_entries NAME: in the relay's maps of that name.
map_entries() {
	local id

	# shellcheck disable=SC2013 # numbers
	for id in $(grep -h map_id "/proc/${pid[relay]}/fdinfo/"* 2>/dev/null | awk '{ print $2 }' | sort -u); do
		[ "$(bpftool -j map show id "$id" | jq -r .name)" = "$1" ] || continue
		bpftool -j map dump id "$id" 2>/dev/null | jq length
	done | awk '{ sum += $1 } END { print NR ? sum : "no map" }'
}

# maps_have ENTRIES: each of the maps that know sockets.
maps_have() {
	[ "$(map_entries src) $(map_entries dst) $(map_entries by_cookie)" = "$1 $1 $1" ]
}

# observe: count from now what the relay holds; clients and servers with --ports "$T/cp" and "$T/sp".
observe() {
	rm -f "$T/cp"
	begin observer "${A[@]}" "$helpers/observer" --listen 7000 "$@"
	wait_for has_lines observer 1
}

observe_forward() {
	observe --upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp"
}

# observed [CONNECTIONS]: ends it; sets one and all, the most bytes that it saw held. It must have looked, the more often
# the less else this machine has to do, and have known both sockets of so many connections.
observed() {
	signal TERM observer
	ends observer 0
	one=$(result observer one)
	all=$(result observer all)
	between "looks of the observer" "$(result observer looks)" 20 1000000
	[ $# = 0 ] || same "connections seen, and both sockets of" \
		"$(result observer connections), $(result observer pairs)" "$1, $1"
}

# at_ms NAME [OUTCOME]: when the last of a stream's connections ended, on the clock of the machine, from --verbose.
at_ms() {
	grep "outcome=${2:-}" "$T/$1.out" | grep -oE 'at_ms=[0-9]+' | cut -d= -f2 | sort -n | tail -n 1
}


# accepted CONNECTIONS: so many clients' sockets are the relay's.
accepted() {
	local sockets=(state connected exclude time-wait "sport = :7000")

	[ "$("${A[@]}" ss -Htnp "${sockets[@]}" | grep -c "pid=${pid[relay]},")" = "$1" ]
}

# ended_after END MS: of the connections that ended so none was ended earlier, or much later.
ended_after() {
	local ms

	ms=$(log_of "select(.end == \"$1\") | .duration | tonumber * 1000 | floor" | sort -n)
	between "ms until it was ended" "$(head -n 1 <<<"$ms")" $(($2 - 1)) 1000000
	soon "us until it was ended" $(($(tail -n 1 <<<"$ms") * 1000)) $(($2 * 1000 + 500000))
}
