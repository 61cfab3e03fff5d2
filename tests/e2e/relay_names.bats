#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2086,SC2119 # variables are for helpers; addresses are single words
#
# Names among the upstreams: their addresses, at the start, later, and while no name server answers.

load relay.bash

setup_names() {
	engine=auto
	"${B[@]}" ip address add 10.9.0.3/24 dev eth0
	at=10.9.0.2:7001 server one --verbose
	at=10.9.0.3:7001 server two --verbose
	hosts "$@"
	: >"$T/resolv.conf"
}

# hosts ADDRESS...: let the name db.test have these addresses.
hosts() {
	local address lines="127.0.0.1 localhost"$'\n'

	for address in "$@"; do
		lines+="$address db.test"$'\n'
	done
	printf %s "$lines" >"$T/hosts"
}

# named ARGUMENTS...: start a relay that knows the names in "$T/hosts".
named() {
	: >"$T/relay.err"
	# shellcheck disable=SC2016 # for the inner shell
	begin relay "${A[@]}" unshare -m bash -c 'mount --bind "$0/hosts" /etc/hosts
		mount --bind "$0/resolv.conf" /etc/resolv.conf; exec "$@"' "$T" \
		"$XF" forward -l $LISTEN "$@" -f json
	relay_ready $LISTEN
}

# reached: print the upstreams of the connections in the log, each with its number.
reached() {
	log_of .upstream | sort | uniq -c | tr -s ' ' | tr '\n' ,
}

asks() {
	"${B[@]}" "$helpers/stream" client $LISTEN --up 100 --down 100 --timeout-ms 5000 >/dev/null 2>&1 || :
}

# goes_to ADDRESS: whether a new connection goes there.
goes_to() {
	asks
	[ "$(log_of .upstream | tail -n 1)" = "$1" ]
}

@test "a name of several addresses gives several upstreams, in turn" {
	setup_names 10.9.0.2 10.9.0.3
	named --to db.test:7001
	client four --up 1000 --down 1000 --total 4
	wait_for log_has 4
	same "upstreams" "$(reached)" " 2 10.9.0.2:7001, 2 10.9.0.3:7001,"
	end_relay
}

@test "names are looked up again after --resolve, and running connections stay" {
	setup_names 10.9.0.2
	named --to db.test:7001 --resolve 1
	client_begins stays --up 100k --down 100k --hold-at 50k
	wait_for goes_to 10.9.0.2:7001
	hosts 10.9.0.3
	wait_for goes_to 10.9.0.3:7001
	# The name is gone: its addresses stay, with one warning.
	hosts
	wait_for grep -q "cannot look up the upstream db.test:7001" "$T/relay.err"
	asks
	goes_to 10.9.0.3:7001 || fail "$(reached)"
	signal USR1 stays
	client_ends stays
	hosts 10.9.0.2
	wait_for goes_to 10.9.0.2:7001
	same "warnings" "$(grep -c warning: "$T/relay.err")" 1
	end_relay "cannot look up"
}

@test "names are looked up again when an upstream cannot be reached" {
	setup_names 10.9.0.2
	named --to db.test:7001 --resolve 3600
	wait_for goes_to 10.9.0.2:7001
	hosts 10.9.0.3
	asks
	goes_to 10.9.0.2:7001 || fail "looked up without a reason: $(reached)"
	finish KILL one
	wait_for goes_to 10.9.0.3:7001
	end_relay "cannot connect to upstream"
}

@test "new routes with names are used once these were looked up" {
	setup_names 10.9.0.3
	echo "any -> 10.9.0.2:7001" >"$T/routes"
	named --routes "$T/routes" --resolve 1
	wait_for goes_to 10.9.0.2:7001
	echo "any -> db.test:7001" >"$T/routes"
	signal HUP relay
	wait_for ready "new connections use the new rules"
	goes_to 10.9.0.3:7001 || fail "$(reached)"
	echo "any -> 10.9.0.2:7001" >"$T/routes"
	signal HUP relay
	wait_for goes_to 10.9.0.2:7001
	end_relay
}

@test "a name server that does not answer holds nothing up" {
	setup_names 10.9.0.2
	printf 'nameserver 10.9.0.77\noptions timeout:2 attempts:1\n' >"$T/resolv.conf"
	printf 'host other -> silent.test:80\nany -> db.test:7001\n' >"$T/routes"
	printf 'hello\n' >"$T/hello"
	named --routes "$T/routes" --resolve 1
	says relay "cannot look up the upstream silent.test:80: .*trying again"
	prompt talk --prefix "$T/hello" --mode request --rounds 10 --conns 5 --total 300
	printf 'GET / HTTP/1.1\r\nHost: other\r\n\r\n' >"$T/request"
	client other --prefix "$T/request" --up 10 --down 10 --expect reset,cut
	wait_for log_has 301
	same "ends" "$(log_of .end | sort | uniq -c | tr -s ' ' | tr '\n' ,)" " 300 closed, 1 upstream refused,"
	end_relay "cannot look up"
}
