#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086,SC2102,SC2119,SC2120,SC2125,SC2034,SC2012 # addresses are single words; variables are for helpers
#
# The engine that auto chooses for each kind of traffic, its changes, and its messages without a choice.

load relay.bash

# The engine changes at numbers of connections that depend on the number of processors.
cpus=$(nproc)

# ended_with ENGINE: print how many connections the engine had at their ends.
ended_with() {
	log_of "select(.engine == \"$1\") | .end" | wc -l
}

auto() {
	engine=auto
	forward "$@"
}

@test "auto gives messages on several connections to the sockmap" {
	server server
	auto
	client client --mode request --rounds 2000 --conns $((2 * cpus))
	server_ends server
	end_relay
	same "connections that changed their engine" "$(moved_at_least 1)" $((2 * cpus))
	# On a busy machine not all of them are active at the same time.
	between "connections that the sockmap had last" "$(ended_with sockmap)" $cpus $((2 * cpus))
}

@test "auto without polling gives the messages of a single connection to the sockmap" {
	server server
	auto --busy-poll 0
	client client --mode request --rounds 500
	server_ends server
	end_relay
	same "engine" "$(log_of .engine)" sockmap
	between "moves" "$(log_of .moves)" 1 1000
}

@test "auto gives bulk to splice" {
	server server
	auto
	client down --up 0 --down 64m --late-fin
	client up --up 64m --down 0
	server_ends server
	end_relay
	same "connections that splice had last" "$(ended_with splice)" 2
	same "connections that changed their engine" "$(moved_at_least 1)" 2
}

# exchanges N: append N exchanges to the steps of two probes, in ask and answer.
exchanges() {
	for _ in $(seq "$1"); do
		ask+=(send=100 read=100)
		answer+=(read=100 send=100)
	done
}

# One connection has messages, bulk one way, messages, bulk the other way, messages.
changes_its_ways() {
	local ask=() answer=()

	exchanges 300
	ask+=(send=30000000 read=1)
	answer+=(read=30000000 send=1)
	exchanges 300
	ask+=(read=30000000)
	answer+=(send=30000000)
	exchanges 300
	auto "$@"
	begin server "${B[@]}" "$helpers/probe" listen "$SERVER" "${answer[@]}" end close
	wait_for has_lines server 1
	begin client "${B[@]}" "$helpers/probe" connect "$LISTEN" "${ask[@]}" fin end close
	ends client 0
	ends server 0
	same "steps that failed" "$(grep -hvE ' ok$| end 0 eof$' "$T/client.out" "$T/server.out")" ""
	end_relay
}

@test "auto changes the engine of a connection that changes its traffic" {
	changes_its_ways
	between "moves" "$(log_of .moves)" 2 1000
	changes_its_ways --busy-poll 0
	between "moves without polling" "$(log_of .moves)" 3 1000
	same "engine at the end" "$(log_of .engine)" sockmap
}

# ---- without the capabilities for the sockmap ----

# relay_with CAPABILITIES ARGUMENTS...: start a relay as nobody, with these capabilities alone ("+bpf,+net_admin").
relay_with() {
	local caps=$1

	shift
	open=$(mktemp -d)
	chmod 755 "$open"
	cp "$XF" "$open/xdpfun-load"
	: >"$T/relay.err"
	begin relay "${A[@]}" setpriv --reuid="$NOBODY" --regid=65534 --clear-groups --inh-caps="-all,$caps" \
		--ambient-caps="-all,$caps" "$open/xdpfun-load" forward -l $LISTEN --to $SERVER -f json "$@"
	wait_for ready "listening on"
	rm -r "$open"
}

# serves_all: fails when messages or bulk do not come through, or came through the sockmap.
serves_all() {
	server server
	client small --mode request --rounds 500 --conns 4
	client bulk --up 8m --down 8m --conns 2
	server_ends server
	end_relay
	same "connections that the sockmap had" "$(ended_with sockmap)" 0
	same "connections in the log" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 6 closed"
}

@test "auto without any capability says why and works" {
	engine=auto
	relay_with +net_bind_service
	says relay "auto goes without sockmap: .*CAP_BPF.*CAP_NET_ADMIN.*CAP_PERFMON"
	serves_all
	# --engine sockmap is an error.
	relay_with +net_bind_service --engine sockmap || :
	says relay "cannot use --engine sockmap: .*CAP_BPF"
	ends relay 1
}

@test "auto with CAP_BPF and CAP_NET_ADMIN misses CAP_PERFMON and works" {
	engine=auto
	relay_with +bpf,+net_admin
	says relay "auto goes without sockmap: .*CAP_PERFMON"
	serves_all
}

@test "auto with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON has the sockmap" {
	engine=sockmap
	relay_with +bpf,+net_admin,+perfmon --engine sockmap
	server server
	client small --mode request --rounds 50 --conns 4
	server_ends server
	end_relay
	moved_by_engine
}

@test "auto as root without CAP_BPF says why and works" {
	engine=auto
	: >"$T/relay.err"
	begin relay "${A[@]}" setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-all \
		"$XF" forward -l $LISTEN --to $SERVER -f json
	relay_ready $LISTEN
	says relay "auto goes without sockmap: .*CAP_BPF"
	serves_all
}
