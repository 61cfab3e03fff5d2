#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086 # addresses are single words
# bats file_tags=slow
#
# Peers that vanish without a FIN or RST, and peers that are only slow or silent.

load relay.bash

GHOST=10.9.0.3
# A process with all that it starts.
whole=(unshare -pf --kill-child)
PATIENCE=3 # seconds, of --keepalive 1,1,2

# ghost: give side b the address of a peer that may vanish. ARP for it never fails, so no error tells of its end.
ghost() {
	local mac

	mac=$(ip -n "$LAB-b" -j link show eth0 | jq -r ".[0].address")
	ip -n "$LAB-b" addr add $GHOST/24 dev eth0
	ip -n "$LAB-a" neigh replace $GHOST lladdr "$mac" dev eth0 nud permanent
}

vanish() {
	ip -n "$LAB-b" addr del $GHOST/24 dev eth0
}

# upstream SHELL: start a server whose connections run the shell command.
upstream() {
	begin up "${B[@]}" "${whole[@]}" socat -t 1000 "TCP-LISTEN:7001,bind=${at:-10.9.0.2},fork,reuseaddr" "SYSTEM:$1"
	wait_for listens
}

listens() {
	[ -n "$("${B[@]}" ss -Hltn "sport = :7001")" ]
}

# caller SHELL: a client with the ghost's address whose bytes are those that the shell command prints.
caller() {
	begin caller "${B[@]}" "${whole[@]}" socat "SYSTEM:$1" "TCP:$LISTEN,bind=${from:-$GHOST}"
	wait_for dialled
}

dialled() {
	[ -n "$("${A[@]}" ss -Htn state established "dport = :7001")" ]
}

# moves_no_more: whether the caller has bytes that its peer does not take.
moves_no_more() {
	local before

	before=$(queue)
	sleep 0.7
	[ "$before" -gt 0 ] && [ "$(queue)" = "$before" ]
}

queue() {
	"${B[@]}" ss -Htn "dport = :7000" | awk '{ sum += $3 } END { print sum + 0 }'
}

# over NAME...: end these and the server.
over() {
	local name

	for name in "$@" up; do finish_running KILL "$name"; done
}

# The second signal ends what is left at once.
end_now() {
	signal TERM relay
	finish_running TERM relay
}

# lost SIDE: fails unless the connection ends because of that side.
lost() {
	wait_for log_has 1
	same "how it ended" "$(log_of .end)" "$1 lost"
	wait_for test -z "$("${A[@]}" ss -Htn "dport = :7001")"
	over caller
	end_relay
}

@test "a client that vanishes while it is idle is noticed" {
	vanishes() {
		ghost
		upstream "cat; sleep 1000"
		forward --keepalive 1,1,2
		caller "echo hello; sleep 1000"
		vanish
		lost client
	}
	each_engine vanishes
}

@test "an upstream that vanishes while it is idle is noticed" {
	ghost
	at=$GHOST upstream "cat; sleep 1000"
	relay $LISTEN forward -l $LISTEN --to $GHOST:7001 --keepalive 1,1,2
	from=10.9.0.2 caller "echo hello; sleep 1000"
	vanish
	lost upstream
}

@test "a client that vanishes while bytes are on their way to it is noticed" {
	vanishes() {
		ghost
		upstream "while sleep 0.1; do echo hello || exit; done"
		forward --keepalive 1,1,2
		caller "sleep 1000"
		vanish
		lost client
	}
	each_engine vanishes
}

@test "a client that vanishes with bytes that the upstream does not read is noticed" {
	vanishes() {
		ghost
		upstream "sleep 1000"
		forward --keepalive 1,1,2
		caller "cat /dev/zero"
		wait_for moves_no_more
		vanish
		lost client
	}
	each_engine vanishes
}

@test "peers that are alive are not ended, however silent: stalled, idle or half closed" {
	live() {
		ghost
		upstream "sleep 1000"
		forward --keepalive 1,1,2
		caller "cat /dev/zero"
		wait_for moves_no_more
		begin idle "${B[@]}" "${whole[@]}" socat "SYSTEM:sleep 1000" "TCP:$LISTEN"
		begin half "${B[@]}" "${whole[@]}" socat -t 1000 "SYSTEM:echo hello" "TCP:$LISTEN"
		sleep $((4 * PATIENCE))
		same "ends" "$(cat "$T/relay.out")" ""
		same "connections" "$("${A[@]}" ss -Htn "sport = :7000" | wc -l)" 3
		vanish
		over caller idle half
		end_now
	}
	engine=auto live
	engine=copy live
	engine=sockmap live
}

@test "with --keepalive 0 a client that has vanished is not noticed" {
	ghost
	upstream "cat; sleep 1000"
	engine=auto forward --keepalive 0
	caller "echo hello; sleep 1000"
	vanish
	sleep $((4 * PATIENCE))
	same "ends" "$(cat "$T/relay.out")" ""
	over caller
	end_now
}
