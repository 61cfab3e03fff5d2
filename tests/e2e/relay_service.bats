#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2086,SC2119 # variables are for helpers; addresses are single words
#
# Listening sockets that a service manager passes, the states that it is told, and restarts that refuse nobody.

load relay.bash

setup_file() {
	# Without libsystemd the loader has none of this.
	ldd "$XF" | grep -q libsystemd || skip "the loader was built without libsystemd"
}

# managed ARGUMENTS...: start a manager with a relay that has its socket.
managed() {
	begin manager "${A[@]}" "$helpers/manager" 10.9.0.1 7000 "@$LAB-notify" "$XF" forward "$@" -w "$T/log" -f json
	wait_for said_by_services "1 READY=1"
}

said_by_services() {
	grep -qx -- "$1" "$T/manager.out"
}

managed_ends() {
	signal TERM manager
	ends manager 0
}

# restarts TIMES CONNECTIONS: that many restarts while that many clients come, each a millisecond behind another.
restarts() {
	local n

	server server
	managed --to $SERVER --threads 2 --user root
	begin clients "${B[@]}" "$helpers/stream" client $LISTEN --up 200 --down 200 --delay-ms 1 --conns 4 \
		--total "$2" --timeout-ms 600000
	for ((n = 2; n < $1 + 2; n++)); do
		sleep 0.3
		alive clients || fail "the clients had ended before restart $((n - 1))"
		signal USR1 manager
		wait_for said_by_services "$n READY=1"
		wait_for said_by_services "$((n - 1)) ended 0"
	done
	ends clients 0
	same "connections that were served" "$(result clients ok)" "$2"
	server_ends server
	managed_ends
	same "connections in the log" "$(jq -r .end "$T/log" | sort | uniq -c | tr -s ' ')" " $2 closed"
}

@test "restarts with a socket of the service manager: 0 of 3,000 connections refused" {
	restarts 2 3000
}

@test "restarts with a socket of the service manager: 0 of 10,000 connections refused over five" {
	[ -n "${XDPFUN_LONG:-}" ] || skip "takes a minute: scripts/test --long; 3,000 are tested above"
	restarts 5 10000
}

@test "the service manager is told when the relay is ready, reads routes again, and stops" {
	server server
	echo "any -> $SERVER" >"$T/routes"
	managed --routes "$T/routes" --user root
	client client --up 1000 --down 1000
	echo "any -> nonsense" >"$T/routes"
	signal HUP manager
	wait_for said_by_services "1 RELOADING=1"
	wait_for grep -q "the old rules stay in use" "$T/manager.err"
	client client --up 1000 --down 1000
	managed_ends
	same "what it was told" "$(tr '\n' ,  <"$T/manager.out")" \
		"1 READY=1,1 RELOADING=1,1 READY=1,1 STOPPING=1,1 ended 0,"
	server_ends server
}

has_upstream() {
	[ -n "$("${A[@]}" ss -Htn state established "dport = :7001")" ]
}

@test "systemd-socket-activate starts a relay with its sockets" {
	local dir=$T/run

	type systemd-socket-activate >/dev/null 2>&1 || skip "there is no systemd-socket-activate"
	mkdir "$dir"
	server server
	begin activated "${A[@]}" systemd-socket-activate -l 10.9.0.1:7000 -l "$dir/s" \
		"$XF" forward --to $SERVER -l 10.9.0.1:7008 -w "$T/log" -f json
	wait_for grep -q "Listening on $dir/s" "$T/activated.err"
	client client --up 1000 --down 1000
	wait_for grep -q "listening on 10.9.0.1:7008, 10.9.0.1:7000, unix:$dir/s" "$T/activated.err"
	to=10.9.0.1:7008 client client --up 1000 --down 1000
	begin local "${A[@]}" socat -u "UNIX-CONNECT:$dir/s" -
	wait_for has_upstream
	finish KILL server
	signal TERM activated
	ends activated 0
	same "listeners in the log" "$(jq -r .listen "$T/log" | sort | uniq -c | tr -s ' ' | tr '\n' ,)" \
		" 1 10.9.0.1:7000, 1 10.9.0.1:7008, 1 unix:$dir/s,"
}

@test "a descriptor that is no listening stream socket is refused" {
	run -2 --separate-stderr bash -c 'exec 3<>/dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"' \
		"$XF" forward --to $SERVER
	[[ $stderr = *"cannot listen on descriptor 3 of the service manager: it is no listening stream socket"* ]] ||
		fail "$stderr"
}
