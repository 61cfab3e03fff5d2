# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034 # variables are for the tests
#
# Helpers of the tests of echo and forward: the relay runs on side a of a lab, clients and servers run on side b.

load lib.bash

LISTEN=10.9.0.1:7000
SERVER=10.9.0.2:7001

# shellcheck disable=SC2034 # for the tests
ENGINES=(sockmap splice copy auto)
engine=
MIB=1048576

# each_engine COMMAND...: run the command with $engine set to each of $ENGINES.
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

# many_connections [TIME_WAITS]: give both sides the ports and backlogs for thousands of connections, and few sockets in
# TIME_WAIT.
many_connections() {
	local side

	for side in a b; do
		nsenter --net="/run/netns/$LAB-$side" sysctl -q -w net.ipv4.ip_local_port_range="9000 65000" \
			net.ipv4.tcp_max_tw_buckets="${1:-100}" net.ipv4.tcp_tw_reuse=1 net.core.somaxconn=8192 \
			net.ipv4.tcp_max_syn_backlog=8192
	done
}

# relay ADDRESS ARGUMENTS...: start xdpfun-load and wait until it listens at ADDRESS. Its access log goes to relay.out as
# JSON.
relay() {
	local address=$1

	shift
	: >"$T/relay.err"
	begin relay "${A[@]}" "$XF" "$@" -f json
	relay_ready "$address"
}

# The relay listens before it has dropped its privileges, and says so afterwards.
relay_ready() {
	wait_for ready "listening on ${1//[\[\]]/.}"
	alive relay || fail "the relay has ended:" "$(said relay)"
}

ready() {
	grep -q -- "$1" "$T/relay.err" || gone relay
}

# forward [ARGUMENTS...], echoes [ARGUMENTS...]: start a relay with the engine of the test.
forward() {
	relay $LISTEN forward -l $LISTEN --to $SERVER --engine "$engine" "$@"
}

echoes() {
	relay $LISTEN echo -l $LISTEN --engine "$engine" "$@"
}

# end_relay [REGEX]: send SIGTERM when no connection is left; fails when the exit status is not 0, or when the relay has
# printed an error or warning that does not match.
end_relay() {
	local allowed=${1:-^\$}

	signal TERM relay
	ends relay 0
	no_match "what it says" "$(said relay | grep -vE -- "$allowed")" "(error|warning): "
}

# server NAME ARGUMENTS...: start a stream server on side b, at SERVER or at the address in $at.
server() {
	local name=$1

	shift
	begin "$name" "${B[@]}" "$helpers/stream" server "${at:-$SERVER}" "$@"
	wait_for has_lines "$name" 1
}

# server_ends NAME: end a stream server; fails when a connection ended otherwise than expected, or is open.
server_ends() {
	signal TERM "$1"
	ends "$1" 0 || fail "$1:" "$(tail -n 3 "$T/$1.out")" "$(tail -n 5 "$T/$1.err")"
	same "connections that $1 still has" "$(result "$1" open)" 0
}

# client NAME ARGUMENTS...: run a stream client on side b to its end.
client() {
	client_begins "$@"
	client_ends "$1"
}

# The client waits $pause ms before it sends, so that the chosen engine has the connection from the first byte.
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

# result NAME KEY: print the number behind KEY= in the last line of a stream.
result() {
	tail -n 1 "$T/$1.out" | grep -oE "(^| )$2=[0-9]+" | cut -d= -f2
}

# log_has COUNT: whether the access log has so many lines. log_of FILTER: print what a jq filter makes of them.
log_has() {
	[ "$(wc -l <"$T/relay.out")" -ge "$1" ]
}

log_of() {
	jq -r "$1" "$T/relay.out"
}

# control: start a client on side b that asks a server on side a all the time, without a relay. control_ends ends it and
# sets beside to the time of its slowest answer in us, which tells a slow relay from a busy machine.
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

# soon WHAT US MOST: fails when US is more than MOST and four times $beside, because a way through the relay has about
# four times the steps of one without.
soon() {
	between "$1, with $beside us for an answer without a relay," "$2" 0 $(($3 + 4 * beside))
}

# soon_after FIRST SECOND: fails when the last connection of the second stream ended more than a second after the last
# one of the first.
soon_after() {
	between "us from the end at the $1 to that at the $2" $((($(at_ms "$2") - $(at_ms "$1")) * 1000)) -20000 100000000
	soon "us from the end at the $1 to that at the $2" $((($(at_ms "$2") - $(at_ms "$1") + 20) * 1000)) 1000000
}

# prompt NAME ARGUMENTS...: run a client; fails when its slowest answer is late.
prompt() {
	control
	client "$@"
	control_ends
	between "answers that were looked at: the slowest in us" "$(result "$1" slowest_us)" 1 100000000
	soon "the slowest answer in us" "$(result "$1" slowest_us)" "${most:-900000}"
}

# taken_in [SOCKETS]: print the bytes that the relay's kernel has received. taken LEAST [SOCKETS]: whether they are at
# least so many.
taken_in() {
	"${A[@]}" ss -Htni "${1:-sport = :7000 or dport = :7001}" | grep -oE 'bytes_received:[0-9]+' |
		awk -F: '{ sum += $2 } END { print sum + 0 }'
}

taken() {
	[ "$(taken_in "${@:2}")" -ge "$1" ]
}

# settle LEAST: wait until the relay has received so many bytes, and for six seconds at most until almost none follow.
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

# relayed: print the number of upstream connections.
relayed() {
	"${A[@]}" ss -Htn state connected exclude time-wait "( dport = :7001 or dport = :7002 )" | wc -l
}

# all_decided NAME CONNECTIONS: whether this number is the sum of all upstream connections and of the connections of
# client NAME (--verbose) that were reset.
all_decided() {
	[ $(($(relayed) + $(grep -c outcome=reset "$T/$1.out"))) = "$2" ]
}

# moved_by_engine [LEAST]: fails when the access log names another engine than $engine, but for connections that moved to
# copy at their end. A connection that ends early never enters the map: of the sockmap LEAST connections must have been in
# it, half of all by default.
moved_by_engine() {
	[ "$engine" != auto ] || return 0
	if [ "$engine" = sockmap ]; then
		between "connections that were in the map" "$(moved_at_least 1)" "${1:-$((($(wc -l <"$T/relay.out") + 1) / 2))}" 1000000
		return
	fi
	same "connections moved by others" "$(log_of "select(.engine != \"$engine\" and .moves < 2) | .end" | wc -l)" 0
}

# moved_at_least N: print how many connections changed their engine at least N times.
moved_at_least() {
	log_of "select(.moves >= $1) | .end" | wc -l
}

# map_entries NAME: print the number of entries in the relay's maps of that name.
map_entries() {
	local id

	# shellcheck disable=SC2013 # numbers
	for id in $(grep -h map_id "/proc/${pid[relay]}/fdinfo/"* 2>/dev/null | awk '{ print $2 }' | sort -u); do
		[ "$(bpftool -j map show id "$id" | jq -r .name)" = "$1" ] || continue
		bpftool -j map dump id "$id" 2>/dev/null | jq length
	done | awk '{ sum += $1 } END { print NR ? sum : "no map" }'
}

# maps_have ENTRIES: whether each map of sockets has so many entries.
maps_have() {
	[ "$(map_entries src) $(map_entries dst) $(map_entries by_cookie)" = "$1 $1 $1" ]
}

# observe [ARGUMENTS...]: start the observer of the bytes that the relay holds. It knows clients and servers by their
# --ports "$T/cp" and "$T/sp".
observe() {
	rm -f "$T/cp"
	begin observer "${A[@]}" "$helpers/observer" --listen 7000 "$@"
	wait_for has_lines observer 1
}

observe_forward() {
	observe --upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp"
}

# observed [CONNECTIONS]: end the observer and set one and all to the most bytes that it saw in one connection and in all.
# Fails when it sampled fewer than 20 times, or did not know both sockets of so many connections.
observed() {
	signal TERM observer
	ends observer 0
	one=$(result observer one)
	all=$(result observer all)
	between "looks of the observer" "$(result observer looks)" 20 1000000
	[ $# = 0 ] || same "connections seen, and both sockets of" \
		"$(result observer connections), $(result observer pairs)" "$1, $1"
}

# at_ms NAME [OUTCOME]: print the time at which the last connection of a stream (--verbose) ended.
at_ms() {
	grep "outcome=${2:-}" "$T/$1.out" | grep -oE 'at_ms=[0-9]+' | cut -d= -f2 | sort -n | tail -n 1
}


# accepted CONNECTIONS: whether the relay has so many sockets of clients.
accepted() {
	local sockets=(state connected exclude time-wait "sport = :7000")

	[ "$("${A[@]}" ss -Htnp "${sockets[@]}" | grep -c "pid=${pid[relay]},")" = "$1" ]
}

# ended_after END MS: fails when a connection with this end in the log ended before that time, or much later.
ended_after() {
	local ms

	ms=$(log_of "select(.end == \"$1\") | .duration | tonumber * 1000 | floor" | sort -n)
	between "ms until it was ended" "$(head -n 1 <<<"$ms")" $(($2 - 1)) 1000000
	soon "us until it was ended" $(($(tail -n 1 <<<"$ms") * 1000)) $(($2 * 1000 + 500000))
}
