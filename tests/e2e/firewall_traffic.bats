#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What the firewall does with real traffic: rules of each kind, the policy deny with live clients, ttl, replace under
# load, and warnings before somebody locks himself out.

load lib.bash
load firewall.bash

@test "ports: TCP is blocked and let through by rules, the more specific one wins" {
	listener one 8001
	listener two 8002
	attach_fw
	reaches 8001
	fw add deny proto tcp dport 8000-8001
	blocked 8001
	reaches 8002
	fw add allow from 10.9.0.2 proto tcp dport 8001
	reaches 8001
	fw add deny from 10.9.0.2 to 10.9.0.1 dport 8001
	blocked 8001
	reaches 8002
	purge
}

@test "IPv6, and rules for both families" {
	ipv6_up
	attach_fw
	answers fd00:9::1
	fw add deny from fd00:9::/64 proto icmpv6
	silent fd00:9::1
	answers
	fw replace - <<<"deny ether 02:00:00:00:09:02"
	silent fd00:9::1
	silent
	fw replace - <<<"deny ether 02:00:00:00:09:03"
	answers fd00:9::1
	answers
	purge
}

# A program that reads a request and answers it.
http_answer() {
	cat <<-'END'
		while read -r line && [ ${#line} -gt 1 ]; do :; done
		printf 'HTTP/1.0 200 OK\r\n\r\nfine\n'
	END
}

@test "policy deny: nobody new comes in, this machine's clients go on" {
	listener old 8001
	http_answer >"$T/http"
	begin server "${B[@]}" socat TCP-LISTEN:8080,fork,reuseaddr "EXEC:bash $T/http"
	begin names "${B[@]}" socat UDP-LISTEN:5353,fork,reuseaddr "SYSTEM:cat"
	attach_fw
	# A connection from before.
	mkfifo "$T/in"
	begin accepts "${A[@]}" socat TCP-LISTEN:8003,reuseaddr EXEC:cat
	wait_for listens_on 8003
	begin client "${B[@]}" bash -c 'exec 3<>/dev/tcp/10.9.0.1/8003; cat <"$1" >&3 & head -n 1 <&3' - "$T/in"
	exec 7>"$T/in"
	wait_for is_connected 8003
	fw policy deny
	silent
	blocked 8001
	echo "still there" >&7
	wait_for has_lines client 1
	same "what came back" "$(cat "$T/client.out")" "still there"
	exec 7>&-
	# Connections outwards.
	same "what curl gets" "$("${A[@]}" curl -s -m 30 http://10.9.0.2:8080/)" fine
	same "what UDP brings back" "$("${A[@]}" timeout 30 bash -c 'exec 3<>/dev/udp/10.9.0.2/5353; echo question >&3; head -n 1 <&3')" question
	# Neighbours are found.
	ip -n "$LAB-b" neigh del 10.9.0.1 dev eth0
	ip -n "$LAB-a" neigh del 10.9.0.2 dev eth0
	same "what curl gets" "$("${A[@]}" curl -s -m 30 http://10.9.0.2:8080/)" fine
	# And who is allowed.
	fw add allow from 10.9.0.2 proto tcp dport 8001
	reaches 8001
	silent
	[ "$(total default policy_denied)" -gt 0 ]
	[ "$(total default exempt)" -gt 0 ]
	[ "$(total default allowed)" -gt 0 ]
	purge
}

# servers NAME COMMAND...: HTTP, DNS and SSH for both families, on the side that COMMAND enters.
servers() {
	local name=$1 folder=$T/$1

	shift
	mkdir -p "$folder"
	echo "$name" >"$folder/index.html"
	chmod 755 "$folder"
	cat >"$folder/nginx" <<-END
		daemon off;
		error_log $folder/nginx.log;
		pid $folder/nginx.pid;
		user root;
		events {}
		http {
			access_log off;
			client_body_temp_path $folder/body;
			server { listen 80; listen [::]:80; root $folder; }
		}
	END
	cat >"$folder/sshd" <<-END
		Port 22
		HostKey $T/host_key
		AuthorizedKeysFile $T/key.pub
		PidFile none
		StrictModes no
		UsePAM no
		PermitRootLogin prohibit-password
		PasswordAuthentication no
		SetEnv SERVER=$name
	END
	begin "nginx-$name" "$@" nginx -c "$folder/nginx" -p "$folder"
	begin "dnsmasq-$name" "$@" dnsmasq -k -u root -C /dev/null -x "" -R -h --host-record="name.example,192.0.2.9" \
		--txt-record="name.example,$name"
	# It wants /run/sshd, which need not stay behind.
	# shellcheck disable=SC2016 # for the inner shell
	begin "sshd-$name" "$@" unshare --mount --propagation private bash -c \
		'mount -t tmpfs none /run && mkdir -m 0755 /run/sshd && exec "$(type -P sshd)" -D -e -f "$1"' - "$folder/sshd"
	for port in 22 53 80; do
		wait_for bound "$port" "$@"
	done
}

# bound PORT COMMAND...: for both families.
bound() {
	[ "$("${@:2}" ss -Hltn "sport = $1" | grep -cE '(0\.0\.0\.0|\[::\]):')" = 2 ]
}

# Clients: what ADDRESS says to them, where COMMAND enters; "" when it does not.
with_curl() {
	"${@:2}" curl -s -m "$patience" "http://$1/" || :
}

with_dig() {
	"${@:2}" dig +short +tries=1 "+time=$patience" "@${1//[][]/}" name.example TXT | sed -n 's/^"\(.*\)"$/\1/p'
}

with_ssh() {
	# shellcheck disable=SC2016 # for the shell at the other end
	"${@:2}" ssh -F none -i "$T/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes \
		-o LogLevel=ERROR -o "ConnectTimeout=$patience" "root@${1//[][]/}" 'echo "$SERVER"' 2>/dev/null || :
}

# all_clients WANT ADDRESS COMMAND...
all_clients() {
	local client

	for client in curl dig ssh; do
		same "what $client gets from $2" "$("with_$client" "${@:2}")" "$1"
	done
}

@test "policy deny: curl, dig and ssh work outwards over IPv4 and IPv6, and not inwards" {
	ipv6_up
	ssh-keygen -q -t ed25519 -N '' -f "$T/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$T/key"
	servers ours "${A[@]}"
	servers theirs "${B[@]}"
	patience=30
	for address in 10.9.0.1 "[fd00:9::1]"; do
		all_clients ours "$address" "${B[@]}"
	done
	attach_fw --policy deny
	# Neighbours must be found, too.
	ip -n "$LAB-a" neigh flush dev eth0 nud permanent
	ip -n "$LAB-b" neigh flush dev eth0 nud permanent
	for address in 10.9.0.2 "[fd00:9::2]"; do
		all_clients theirs "$address" "${A[@]}"
	done
	patience=1
	for address in 10.9.0.1 "[fd00:9::1]"; do
		all_clients "" "$address" "${B[@]}"
	done
	fw add allow proto tcp dport 80
	fw add allow proto udp dport 53
	patience=30
	same "what curl gets" "$(with_curl "[fd00:9::1]" "${B[@]}")" ours
	same "what dig gets" "$(with_dig 10.9.0.1 "${B[@]}")" ours
	for server in nginx dnsmasq sshd; do
		kill "${pid[$server-ours]}" "${pid[$server-theirs]}"
	done
	purge
}

@test "policy deny: our pings are answered, and others' over IPv6 only" {
	ipv6_up
	attach_fw --policy deny
	"${A[@]}" ping -q -n -c 1 -W 30 10.9.0.2
	"${A[@]}" ping -q -n -c 1 -W 30 fd00:9::2
	silent
	answers fd00:9::1
	fw add allow from 10.9.0.2 proto icmp
	answers
	fw add deny from fd00:9::2 proto icmpv6
	silent fd00:9::1
	purge
}

is_connected() {
	[ -n "$("${A[@]}" ss -Htn state established "sport = $1")" ]
}

@test "ttl: a rule ends for packets by itself, and is gone" {
	attach_fw
	fw add deny from 10.9.0.2 ttl 30
	silent
	matches rules "$(fw list)" '^deny from 10\.9\.0\.2 ttl (2.|30)$'
	run -1 fw add deny from 10.9.0.2 ttl 60
	matches "rules after the same for longer" "$(fw list)" '^deny from 10\.9\.0\.2 ttl (5.|60)$'
	fw del deny from 10.9.0.2
	clock
	began=$now
	fw add deny from 10.9.0.2 ttl 2
	wait_for ping_once
	clock
	between "ms until a ping was answered" $((now - began)) 1980 20000
	same rules "$(fw list)" ""
	same "rules by stats" "$(fw stats --json | jq .rules)" 0
	purge
}

@test "counters add up" {
	attach_fw
	fw add deny proto udp dport 9
	for _ in {1..5}; do
		udp_to 10.9.0.1 9
	done
	pings 7
	same "packets of the rule" "$(hits "deny proto udp dport 9")" 5
	same "packets denied" "$(total default denied)" 5
	same "packets allowed by the policy" "$(total default policy_allowed)" 7
	matches "list -v" "$(fw list -v)" "^deny proto udp dport 9 # 5 packets, [0-9]+ bytes$"
	same "bytes denied" "$(fw stats --json | jq .counters.denied.bytes)" "$(hits_bytes "deny proto udp dport 9")"
	purge
}

hits_bytes() {
	fw list --json | jq --arg rule "$1" '.rules[] | select(.rule == $rule) | .bytes'
}

# rules_for PORT: a set that allows ports 7001 and PORT and denies 7002 and 7003, with many others beside.
rules_for() {
	echo "deny proto udp dport 7002"
	echo "$1 proto udp dport 7003"
	seq -f 'deny from 172.16.%g.0/24' 0 255
	seq -f 'deny from 2001:db8:%g::/48' 0 999
}

@test "replace under load: what both sets allow gets through, what both deny does not" {
	rules_for allow >"$T/rules.a"
	rules_for deny >"$T/rules.b"
	attach_fw
	fw replace -q "$T/rules.a"
	begin sink "${A[@]}" "$helpers/sequence" receive 7001 7002 7003
	wait_for has_lines sink 1
	begin source "${B[@]}" "$helpers/sequence" send 10.9.0.1 4 100 7001 7002 7003
	for _ in {1..20}; do
		fw replace -q "$T/rules.b"
		fw replace -q "$T/rules.a"
	done
	ends source 0
	sleep 0.3
	kill -TERM "${pid[sink]}"
	ends sink 0
	sent=$(sed -n 's/^sent //p' "$T/source.out")
	same "port 7001" "$(grep ^7001 "$T/sink.out")" "7001 received $sent missing 0"
	same "port 7002" "$(grep ^7002 "$T/sink.out")" "7002 received 0 missing 0"
	between "datagrams to port 7003" "$(sed -n 's/^7003 received \([0-9]*\) .*/\1/p' "$T/sink.out")" 1 $((sent - 1))
	purge
}

@test "kill -9 during replace: the old set or the new one, whole, and the next works" {
	seq 0 99999 | awk '{ printf "deny from 172.%d.%d.%d\n", 16 + int($1 / 65536), int($1 / 256) % 256, $1 % 256 }' >"$T/rules.a"
	sed 's/172/173/' "$T/rules.a" >"$T/rules.b"
	attach_fw
	fw replace -q "$T/rules.a"
	begin sink "${A[@]}" "$helpers/sequence" receive 7001
	wait_for has_lines sink 1
	begin source "${B[@]}" "$helpers/sequence" send 10.9.0.1 600 100 7001
	for pause in 0.03 0.09 0.16 0.24 0.33 0.45; do
		begin replace "${A[@]}" "$XF" firewall replace -q "$T/rules.b"
		sleep $pause
		kill -KILL "${pid[replace]}" 2>/dev/null || :
		wait "${pid[replace]}" || :
		fw list >"$T/after"
		same "rules after a kill" "$(wc -l <"$T/after")" 100000
		same "sets whose rules are there" "$(awk -F '[ .]' '{ print $3 }' "$T/after" | sort -u | wc -l)" 1
		fw replace -q "$T/rules.a"
		same rules "$(fw list | head -n 1)" "deny from 172.16.0.0"
	done
	kill -TERM "${pid[source]}"
	wait "${pid[source]}" || :
	sleep 0.3
	kill -TERM "${pid[sink]}"
	ends sink 0
	same "port 7001" "$(grep -o 'missing .*' "$T/sink.out")" "missing 0"
	purge
}

@test "kill -9 of a stream of rules: what it has added holds, and the next writer goes on" {
	seq 0 99999 | awk '{ printf "deny from 172.%d.%d.%d\n", 16 + int($1 / 65536), int($1 / 256) % 256, $1 % 256 }' >"$T/rules"
	for i in {1..8}; do
		begin feed "${A[@]}" bash -c 'exec "$1" firewall add --exist - <"$2"' - "$XF" "$T/rules"
		sleep "0.$(printf %02d $((i * 5)))"
		kill -KILL "${pid[feed]}" 2>/dev/null || :
		wait "${pid[feed]}" || :
		fw add --exist "deny from 192.0.2.$i"
		n=$(fw list | wc -l)
		same "rules by stats" "$(fw stats --json | jq .rules)" "$n"
		same "a rule twice" "$(fw list | sort | uniq -d)" ""
	done
	fw add -q --exist - <"$T/rules"
	same rules "$(fw list | wc -l)" 100008
	purge
}

warns() {
	matches "what it says" "$stderr" "warning: $1"
	matches "what it says" "$stderr" "hint: .*allow from 192.0.2.7 proto tcp dport 22"
}

@test "the SSH peer that would be denied is warned about" {
	attach_fw
	ssh=(env SSH_CONNECTION="192.0.2.7 50000 10.9.0.1 22")
	denied="a new SSH login from 192.0.2.7 to port 22.*denied \(by"
	run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall policy deny
	warns "$denied the policy"
	fw policy allow
	run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall attach -i eth0 --policy deny
	warns "$denied the policy"
	fw policy allow
	run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall add deny from 192.0.2.0/24
	warns "this SSH session, from 192.0.2.7 to port 22, is denied: by 'deny from 192.0.2.0/24'"
	fw flush
	run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall add - <<<$'deny from 192.0.2.7\ndeny from 192.0.2.7 proto tcp'
	warns "this SSH session"
	same warnings "$(grep -c warning <<<"$stderr")" 1
	run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall replace - <<<"deny dport 22"
	warns "this SSH session"
	# A hint that helps: where an allow rule would not win, the rule is to go.
	fw flush
	for rule in "from 192.0.2.0/24" "from 192.0.2.7 to 10.9.0.1" "from 192.0.2.7 proto tcp dport 22" \
		"from 192.0.2.7 to 10.9.0.1 proto tcp dport 22 established" "from 192.0.2.7 dport 22 ether 02:00:00:00:09:02"; do
		run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall add - <<<"deny $rule"
		hint=$(grep -o "'xdpfun-load firewall [^']*'" <<<"$stderr" | head -n 1 | tr -d "'")
		case $rule in
		*dport*) same "hint" "$hint" "xdpfun-load firewall del --set default deny $rule" ;;
		*) matches "hint" "$hint" "firewall add --set default allow from 192.0.2.7.* proto tcp dport 22$" ;;
		esac
		# shellcheck disable=SC2086 # words
		run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" ${hint#xdpfun-load }
		run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall attach -i eth0
		no_match "what it says" "$stderr" warning
		fw flush
	done
	# A rule that lets it in, and what concerns others.
	fw replace - <<<"allow from 192.0.2.7 proto tcp dport 22"
	for command in "policy deny" "add deny from 192.0.2.0/24" "add deny dport 80"; do
		# shellcheck disable=SC2086 # words
		run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall $command
		no_match "what it says" "$stderr" warning
	done
	run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall del allow from 192.0.2.7 proto tcp dport 22
	warns "this SSH session"
	purge
}

# Afterwards the session may hear nothing any more. While nobody reads the warning the rule does not hold.
@test "the SSH peer is warned before a rule is added or taken out" {
	local adder command peer=(ping -q -n -I 192.0.2.7 -c 1 -W 1 10.9.0.1)

	attach_fw
	ip -n "$LAB-b" addr add 192.0.2.7/32 dev eth0
	ip -n "$LAB-a" route add 192.0.2.7/32 via 10.9.0.2
	mkfifo "$T/talk"
	exec {talk}<>"$T/talk"
	for command in "add deny from 192.0.2.0/24" "add -"; do
		"${B[@]}" "${peer[@]}"
		# As much as a pipe takes.
		head -c 65536 /dev/zero >&"$talk"
		# shellcheck disable=SC2086 # words
		env SSH_CONNECTION="192.0.2.7 50000 10.9.0.1 22" "${A[@]}" "$XF" firewall $command \
			<<<"deny from 192.0.2.0/24" 2>&"$talk" 3>&- &
		adder=$!
		wait_for writes_to_pipe $adder
		"${B[@]}" "${peer[@]}"
		cat <"$T/talk" >"$T/said" 3>&- &
		wait $adder
		! "${B[@]}" "${peer[@]}" || fail "the rule does not hold after '$command'"
		kill $!
		wait $! || :
		tr -d '\0' <"$T/said" | grep -q "warning: this SSH session, from 192.0.2.7" || fail "no warning of '$command'"
		fw flush
	done
	exec {talk}>&-
	purge
}

# writes_to_pipe PID: it waits in a system call, write(2), as the first word of the file says.
writes_to_pipe() {
	[ "$(awk '{ print $1 }' "/proc/$1/syscall")" = 1 ]
}

# as_ssh PEER COMMAND...: a firewall command in a session from there; sets stderr.
as_ssh() {
	run -0 --separate-stderr env SSH_CONNECTION="$1 50000 10.9.0.1 22" "${A[@]}" "$XF" firewall "${@:2}"
}

# by_mac PEER: whose frames come from 02:00:00:00:09:02.
by_mac() {
	fw replace - <<<""
	as_ssh "$1" add deny ether 02:00:00:00:09:03
	no_match "what it says" "$stderr" warning
	as_ssh "$1" add deny ether 02:00:00:00:09:02
	matches "what it says" "$stderr" "this SSH session, from $1 to port 22, is denied: by 'deny ether 02:00:00:00:09:02'"
	fw replace - <<<"allow ether 02:00:00:00:09:02 proto tcp"
	as_ssh "$1" policy deny
	no_match "what it says" "$stderr" warning
	as_ssh "$1" del allow ether 02:00:00:00:09:02 proto tcp
	matches "what it says" "$stderr" "new SSH login from $1 to port 22.*is denied \(by the policy\)"
	fw policy allow
}

@test "the SSH peer is judged by rules that name its MAC, or its gateway's" {
	ipv6_up
	attach_fw
	by_mac 10.9.0.2
	ip -n "$LAB-a" route add 198.51.100.0/24 via 10.9.0.2
	by_mac 198.51.100.7
	ip -n "$LAB-a" route add 203.0.113.0/24 via inet6 fd00:9::2
	by_mac 203.0.113.7
	run -0 --separate-stderr env SSH_CONNECTION="fd00:9::2 50000 fd00:9::1 22" "${A[@]}" "$XF" firewall add deny ether 02:00:00:00:09:02
	matches "what it says" "$stderr" "this SSH session, from fd00:9::2 to port 22, is denied"
	# One that is not known may be any.
	fw flush
	as_ssh 192.0.2.7 add deny ether 02:00:00:00:09:03
	matches "what it says" "$stderr" "this SSH session, from 192.0.2.7 to port 22, may be denied: by 'deny ether 02:00:00:00:09:03'"
	fw replace - <<<"allow ether 02:00:00:00:09:02"
	as_ssh 192.0.2.7 policy deny
	matches "what it says" "$stderr" "new SSH login from 192.0.2.7 to port 22.*is denied \(by the policy\)"
	purge
}

@test "the session is found through sudo: by an ancestor's environment, and by an SSH server's socket" {
	fw policy allow
	# The environment of a process above, but not our own.
	run -0 --separate-stderr env SSH_CONNECTION="192.0.2.7 50000 10.9.0.1 22" bash -c 'env -i PATH="$PATH" "$@"; true' - \
		"${A[@]}" "$XF" firewall policy deny
	warns "a new SSH login from 192.0.2.7"
	fw policy allow
	# A process called sshd with a connection.
	begin peer "${A[@]}" socat TCP-LISTEN:8001,fork,reuseaddr EXEC:cat
	wait_for listens_on 8001
	cp "$BASH" "$T/sshd"
	run -0 --separate-stderr "${B[@]}" "$T/sshd" -c 'exec 3<>/dev/tcp/10.9.0.1/8001; "$@"; true' - \
		env -u SSH_CONNECTION "${A[@]}" "$XF" firewall policy deny
	matches "what it says" "$stderr" "warning: a new SSH login from 10.9.0.1 to port"
	purge
}

# peer_port PORT: of the connection to that one of side a.
peer_port() {
	"${A[@]}" ss -Htn state established "sport = :$1" | awk '{ sub(".*:", "", $4); print $4 }'
}

@test "an SSH session whose socket is bound to a device is not told that it goes on" {
	fw policy allow
	begin free "${A[@]}" socat TCP-LISTEN:8001,reuseaddr EXEC:cat
	begin bound "${A[@]}" socat TCP-LISTEN:8002,reuseaddr,bindtodevice=eth0 EXEC:cat
	wait_for listens_on 8001
	wait_for listens_on 8002
	begin one "${B[@]}" socat TCP:10.9.0.1:8001 EXEC:'sleep 30'
	begin two "${B[@]}" socat TCP:10.9.0.1:8002 EXEC:'sleep 30'
	wait_for eval '[ -n "$(peer_port 8001)" ] && [ -n "$(peer_port 8002)" ]'
	for port in 8001 8002; do
		run -0 --separate-stderr env SSH_CONNECTION="10.9.0.2 $(peer_port $port) 10.9.0.1 $port" "${A[@]}" "$XF" firewall policy deny
		goes_on="new SSH login from 10.9.0.2 to port $port.*the session itself goes on"
		[ $port = 8001 ] || goes_on+=" unless its packets come in by a device below eth0, to which it is bound"
		matches "what it says" "$stderr" "$goes_on"$'\n'
		fw policy allow
	done
	# A rule lets it pass, whatever its socket.
	fw add allow proto tcp established
	run -0 --separate-stderr env SSH_CONNECTION="10.9.0.2 $(peer_port 8002) 10.9.0.1 8002" "${A[@]}" "$XF" firewall policy deny
	matches "what it says" "$stderr" "the session itself goes on"$'\n'
	purge
}

# from_5555 SECONDS: what the listener says to the same client again.
from_5555() {
	"${B[@]}" timeout $(($1 + 1)) socat -u "TCP:10.9.0.1:8000,bind=:5555,reuseaddr,connect-timeout=$1" - 2>/dev/null | head -n 1
}

time_waits() {
	[ -n "$("${A[@]}" ss -Htn state time-wait "sport = :8000 and dport = :5555")" ]
}

@test "policy deny: a connection that has ended is no way to open another one" {
	listener one 8000
	attach_fw --policy deny
	fw add allow from 10.9.0.2 proto tcp dport 8000
	same "what an allowed client gets" "$(from_5555 30)" hello
	# Our end closed first, and keeps the port in mind for a minute.
	wait_for time_waits
	fw del allow from 10.9.0.2 proto tcp dport 8000
	for _ in 1 2; do
		same "what it gets when it is not allowed" "$(from_5555 1 || :)" ""
	done
	time_waits
	purge
}
