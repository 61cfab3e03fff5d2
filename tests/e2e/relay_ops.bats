#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086,SC2102,SC2119,SC2120,SC2125,SC2034,SC2012 # addresses are single words; variables are for helpers
#
# Operation of the relay: reloads, ends, privileges, and the cost of idle connections.

load relay.bash

rules() {
	printf '%s\n' "$@" >"$T/routes"
}

@test "after SIGHUP new connections have the new rules, running ones stay" {
	reload() {
		at=10.9.0.2:7001 server one --name 1
		at=10.9.0.2:7002 server two --name 2
		rules "any -> 10.9.0.2:7001"
		relay $LISTEN forward -l $LISTEN --routes "$T/routes" --engine "$engine"
		client_begins old --mode request --rounds 3 --hold-at 64 --server-name 1 --conns 5
		wait_for has_lines old 1
		rules "any -> 10.9.0.2:7002"
		signal HUP relay
		says relay "routes"
		client new --mode request --server-name 2 --conns 5
		signal USR1 old
		client_ends old
		# A file with a mistake is reported and changes nothing.
		rules "any -> 10.9.0.2:7001" "nonsense"
		: >"$T/relay.err"
		signal HUP relay
		says relay "$T/routes:2:1: "
		says relay "(keep|stay|old)"
		client still --mode request --server-name 2 --conns 5
		# A rule that would send connections to the relay itself changes nothing.
		rules "any -> 10.9.0.2:7001,$LISTEN"
		: >"$T/relay.err"
		signal HUP relay
		says relay "listens on its upstream $LISTEN itself"
		says relay "the old rules stay"
		client still --mode request --server-name 2 --conns 5
		# A missing file is reported and changes nothing.
		rm "$T/routes"
		: >"$T/relay.err"
		signal HUP relay
		says relay "$T/routes"
		client still --mode request --server-name 2 --conns 5
		# A file without a mistake is used again.
		rules "any -> 10.9.0.2:7001"
		: >"$T/relay.err"
		signal HUP relay
		says relay "routes"
		client again --mode request --server-name 1 --conns 5
		server_ends one
		server_ends two
		end_relay
	}
	each_engine reload
}

@test "SIGHUP reads a changed token file that only root can read" {
	server server
	printf 'first' >"$T/secret"
	chmod 600 "$T/secret"
	rules "token @$T/secret -> $SERVER"
	relay $LISTEN forward -l $LISTEN --routes "$T/routes"
	printf 'first\n' >"$T/first"
	printf 'second\n' >"$T/second"
	client client --prefix "$T/first" --up 100
	client client --prefix "$T/second" --up 100 --expect reset,cut
	printf 'second' >"$T/secret"
	signal HUP relay
	says relay "routes"
	client client --prefix "$T/second" --up 100
	client client --prefix "$T/first" --up 100 --expect reset,cut
	server_ends server
	end_relay
}

@test "SIGHUPs under load lose nothing" {
	engine=auto
	server server
	rules "any -> $SERVER"
	relay $LISTEN forward -l $LISTEN --routes "$T/routes" --threads 2
	client_begins client --up 50k --down 50k --conns 20 --total 2000
	while alive client; do
		signal HUP relay
		sleep 0.02
	done
	client_ends client
	server_ends server
	end_relay
}

drains() {
	server server
	forward
	client_begins client --up 2m --down 2m --hold-at 1m --conns 4
	wait_for has_lines client 1
	signal TERM relay
	wait_for not_listening
	client new --expect refused
	alive relay || fail "it did not wait for its connections"
	signal USR1 client
	client_ends client
	ends relay 0
	server_ends server
	same "ends" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 4 closed"
}

not_listening() {
	[ -z "$("${A[@]}" ss -Hltn "src $LISTEN")" ]
}

@test "after SIGTERM no new connections come in, and running ones finish" {
	each_engine drains
}

drain_time() {
	server server --expect reset
	forward --drain 1
	client_begins client --mode request --rounds 2 --hold-at 64 --conns 4 --expect reset
	wait_for has_lines client 1
	control
	clock
	began=$now
	signal TERM relay
	ends relay 0
	clock
	control_ends
	between "ms until it ended" $((now - began)) 980 100000
	soon "us until it ended" $(((now - began) * 1000)) 2500000
	client_ends client
	server_ends server
	same "ends" "$(log_of .end | sort | uniq -c | tr -s ' ')" " 4 cut off by drain"
}

@test "--drain cuts off connections that have not finished in time" {
	each_engine drain_time
}

second_signal() {
	local signal

	for signal in TERM INT; do
		server server --expect reset
		forward
		client_begins client --mode request --rounds 2 --hold-at 64 --conns 4 --expect reset
		wait_for has_lines client 1
		signal $signal relay
		says relay "accepting no more"
		alive relay || fail "it did not wait"
		control
		clock
		began=$now
		signal $signal relay
		ends relay 0
		clock
		control_ends
		soon "us until it ended" $(((now - began) * 1000)) 1000000
		client_ends client
		server_ends server
	done
}

@test "a second signal ends the relay at once" {
	each_engine second_signal
}

@test "a routes file that does not end delays the start and not a reload" {
	mkfifo "$T/routes"
	begin relay "${A[@]}" "$XF" forward -l $LISTEN --routes "$T/routes"
	sleep 0.3
	alive relay
	signal TERM relay
	wait_for gone relay
	server server
	begin relay "${A[@]}" "$XF" forward -l $LISTEN --routes "$T/routes"
	echo "any -> $SERVER" >"$T/routes"
	relay_ready $LISTEN
	client client --up 1000 --down 1000
	server_ends server
	end_relay
}

@test "--stats prints the counters while the relay runs" {
	server server
	relay $LISTEN forward -l $LISTEN --to $SERVER --stats=1
	client_begins held --mode request --rounds 2 --hold-at 64 --conns 3
	wait_for has_lines held 1
	says relay "active 3,.*accepted 3"
	signal USR1 held
	client_ends held
	client client --up 1000 --down 2000 --conns 7
	server_ends server
	signal TERM relay
	ends relay 0
	says relay "accepted 10, closed 10, bytes to upstreams $((3 * 192 + 7 * 1064)), to clients $((3 * 192 + 7 * 2064))"
}

# status_field FIELD: print a field of the relay's /proc/PID/status.
status_field() {
	awk -v field="$1:" '$1 == field { print $2 }' "/proc/${pid[relay]}/status"
}

privileges() {
	local user task

	forward "$@"
	user=$NOBODY
	for task in "/proc/${pid[relay]}/task/"*; do
		same "NoNewPrivs" "$(awk '$1 == "NoNewPrivs:" { print $2 }' "$task/status")" 1
		same "Uid" "$(awk '$1 == "Uid:" { print $2, $3, $4, $5 }' "$task/status")" "$user $user $user $user"
		same "Gid" "$(awk '$1 == "Gid:" { print $2 }' "$task/status")" 65534
		same "Groups" "$(awk '$1 == "Groups:" { print $2 }' "$task/status")" ""
		same "CapInh" "$(awk '$1 == "CapInh:" { print $2 }' "$task/status")" 0000000000000000
		same "CapAmb" "$(awk '$1 == "CapAmb:" { print $2 }' "$task/status")" 0000000000000000
		same "CapBnd" "$(awk '$1 == "CapBnd:" { print $2 }' "$task/status")" 0000000000000000
		same "CapEff" "$(awk '$1 == "CapEff:" { print $2 }' "$task/status")" "$caps"
		same "CapPrm" "$(awk '$1 == "CapPrm:" { print $2 }' "$task/status")" "$caps"
	done
	end_relay
}

# The relay may keep CAP_NET_ADMIN (12) where the largest buffers are beyond the sysctl limits, and CAP_BPF (39) for the
# maps on kernels before 5.19.
@test "the relay runs as nobody, with no_new_privs and the capabilities of its engine alone" {
	local kept=0 rmem=0 wmem=0 bpf admin

	read -r rmem </proc/sys/net/core/rmem_max
	read -r wmem </proc/sys/net/core/wmem_max
	[ "$rmem" -ge 1048576 ] && [ "$wmem" -ge 1048576 ] || kept=$((1 << 12))
	admin=$(printf '%016x' $kept)
	printf '%s\n5.19\n' "$(uname -r)" | sort -V | head -n 1 | grep -qx 5.19 || kept=$((kept | 1 << 39))
	bpf=$(printf '%016x' $kept)
	for engine in sockmap auto; do
		caps=$bpf privileges
		caps=$bpf privileges --threads 2
	done
	for engine in splice copy; do
		caps=$admin privileges --threads 2
	done
}

@test "where there is a user xdpfun, root becomes it in place of nobody" {
	echo "xdpfun:x:$((NOBODY - 1)):65534::/:/bin/false" >>"$T/passwd"
	engine=auto forward
	same "Uid" "$(awk '$1 == "Uid:" { print $3 }' "/proc/${pid[relay]}/status")" $((NOBODY - 1))
	says relay "user xdpfun"
	end_relay
}

@test "the reload helper has CAP_DAC_READ_SEARCH at most, and ends with the relay" {
	local child

	rules "any -> $SERVER"
	relay $LISTEN forward -l $LISTEN --routes "$T/routes"
	for child in $(<"/proc/${pid[relay]}/task/${pid[relay]}/children"); do
		same "NoNewPrivs" "$(awk '$1 == "NoNewPrivs:" { print $2 }' "/proc/$child/status")" 1
		# CAP_DAC_READ_SEARCH is capability 2.
		matches "CapEff" "$(awk '$1 == "CapEff:" { print $2 }' "/proc/$child/status")" "^000000000000000[04]$"
		same "CapBnd" "$(awk '$1 == "CapBnd:" { print $2 }' "/proc/$child/status")" 0000000000000000
		same "Uid" "$(awk '$1 == "Uid:" { print $3 }' "/proc/$child/status")" "$NOBODY"
	done
	# The helper ends when its parent is killed.
	finish KILL relay
	[ -z "${child:-}" ] || wait_for test ! -e "/proc/$child"
}

@test "--user sets user and group" {
	engine=auto
	forward --user daemon
	same "Uid" "$(status_field Uid)" "$(id -u daemon)"
	end_relay
	forward --user 65533:7
	same "Uid and Gid" "$(status_field Uid) $(status_field Gid)" "65533 7"
	same "groups" "$(status_field Groups)" ""
	end_relay
	run -1 "${A[@]}" "$XF" forward -l $LISTEN --to $SERVER --user nosuchuser
	[[ $output = *nosuchuser* ]] || fail "$output"
}

# idle_cost CONNECTIONS ARGUMENTS...: fails when the relay uses CPU or wakes up while its connections are idle after an
# exchange.
idle_cost() {
	local conns=$1

	shift
	many_connections
	server server
	forward "$@"
	client_begins client --mode request --request 200 --reply 500 --rounds 2 --hold-at 200 --conns "$conns"
	wait_for has_lines client 1
	# The engine settles for a second or two after the exchange.
	wait_for rests relay
	same "connections at a time" "$("${A[@]}" ss -Htn state established "sport = :7000" | wc -l)" "$conns"
	signal USR1 client
	client_ends client
	server_ends server
	end_relay "open files is enough"
}

@test "500 idle connections cost no CPU and no wake-up" {
	each_engine idle_cost 500
}

# A connection takes two descriptors; the limit of open files may allow fewer connections.
@test "10,000 idle connections cost no CPU and no wake-up" {
	local conns=10000 files

	files=$(ulimit -Hn)
	[ "$files" = unlimited ] || [ "$files" -ge 20200 ] || conns=$((files / 2 - 100))
	[ $conns -ge 4000 ] || skip "the limit of open files is $files"
	engine=auto
	idle_cost $conns --max-connections $((conns + 20))
}

@test "an address that is in use or not local is an error" {
	forward_fails() {
		run -1 "${A[@]}" "$XF" forward -l "$1" --to $SERVER
		[[ $output = *"$1"*"$2"* ]] || fail "$output"
	}
	engine=copy
	forward
	forward_fails $LISTEN "Address already in use"
	end_relay
	forward_fails 10.9.7.7:7000 "Cannot assign requested address"
}

@test "log --echo serves the echo beside the packet log" {
	begin log "${A[@]}" "$XF" --echo=10.9.0.1:7000
	wait_for at_work log 1
	client client --mode echo --up 100k --conns 3
	wait_for has_lines log 20
	stop log
	totals log
	same "lost" "$lost" 0
}

@test "log --echo=ADDR has one thread and ends with the log" {
	local before

	begin log "${A[@]}" "$XF" --echo
	wait_for at_work log 1
	says log "listening on 127\.0\.0\.1:10000"
	same "where it listens" "$("${A[@]}" ss -Hltn | awk '{ print $4 }')" 127.0.0.1:10000
	begin client "${A[@]}" "$helpers/stream" client 127.0.0.1:10000 --mode echo --up 1-300k --conns 20
	ends client 0
	begin held "${A[@]}" "$helpers/stream" client 127.0.0.1:10000 --mode echo --up 3000 --hold-at 1000 --conns 20 \
		--expect reset,cut --timeout-ms 20000
	wait_for has_lines held 1
	# One thread serves packets and connections at a time.
	before=$(lines log)
	frames 500
	wait_for has_lines log $((before + 500))
	same "threads" "$(ls "/proc/${pid[log]}/task" | wc -l)" 1
	alive held || fail "the log has ended connections that are running"
	stop log
	ends held 0
	same "connections that ended with it" "$(($(result held reset) + $(result held cut)))" 20
	same "sockets that are left" "$("${A[@]}" ss -Htn state established | wc -l)" 0
	totals log
	same "lost" "$lost" 0
}
