#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Rules of each kind and the policy meet real traffic; the counters account for it.

load lib.bash
load firewall.bash

@test "rules for TCP ports block and allow, and the more specific one wins" {
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

@test "rules for IPv6, and for a MAC of both families" {
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

# http_answer: print a program that reads a request and answers it.
http_answer() {
	cat <<-'END'
		while read -r line && [ ${#line} -gt 1 ]; do :; done
		printf 'HTTP/1.0 200 OK\r\n\r\nfine\n'
	END
}

is_connected() {
	[ -n "$("${A[@]}" ss -Htn state established "sport = $1")" ]
}

@test "policy deny blocks new connections inwards, and this machine's clients go on" {
	listener old 8001
	http_answer >"$T/http"
	begin server "${B[@]}" socat TCP-LISTEN:8080,fork,reuseaddr "EXEC:bash $T/http"
	begin names "${B[@]}" socat UDP-LISTEN:5353,fork,reuseaddr "SYSTEM:cat"
	attach_fw
	# A client connects before the policy changes.
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
	# Connections outwards work.
	same "what curl gets" "$("${A[@]}" curl -s -m 30 http://10.9.0.2:8080/)" fine
	same "what UDP brings back" "$("${A[@]}" timeout 90 bash -c 'exec 3<>/dev/udp/10.9.0.2/5353; echo question >&3; head -n 1 <&3')" question
	# Neighbours can be found.
	ip -n "$LAB-b" neigh del 10.9.0.1 dev eth0
	ip -n "$LAB-a" neigh del 10.9.0.2 dev eth0
	same "what curl gets" "$("${A[@]}" curl -s -m 30 http://10.9.0.2:8080/)" fine
	# A client with an allow rule gets in.
	fw add allow from 10.9.0.2 proto tcp dport 8001
	reaches 8001
	silent
	[ "$(total default policy_denied)" -gt 0 ]
	[ "$(total default exempt)" -gt 0 ]
	[ "$(total default allowed)" -gt 0 ]
	purge
}

# servers NAME COMMAND...: start HTTP, DNS and SSH servers for both families, on the side that COMMAND enters.
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
	# sshd needs /run/sshd, which must not stay behind.
	# shellcheck disable=SC2016 # for the inner shell
	begin "sshd-$name" "$@" unshare --mount --propagation private bash -c \
		'mount -t tmpfs none /run && mkdir -m 0755 /run/sshd && exec "$(type -P sshd)" -D -e -f "$1"' - "$folder/sshd"
	for port in 22 53 80; do
		wait_for bound "$port" "$@"
	done
}

# bound PORT COMMAND...: whether servers listen on the port for both families, on the side that COMMAND enters.
bound() {
	[ "$("${@:2}" ss -Hltn "sport = $1" | grep -cE '(0\.0\.0\.0|\[::\]):')" = 2 ]
}

# with_CLIENT ADDRESS COMMAND...: print the answer to a client on the side that COMMAND enters, or nothing.
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

# all_clients WANT ADDRESS COMMAND...: fails when a client gets another answer.
all_clients() {
	local client

	for client in curl dig ssh; do
		same "what $client gets from $2" "$("with_$client" "${@:2}")" "$1"
	done
}

@test "under policy deny curl, dig and ssh work outwards over IPv4 and IPv6, and not inwards" {
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
	# The neighbours are forgotten, and must be found under the policy.
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
		signal TERM "$server-ours" "$server-theirs"
	done
	purge
}

@test "under policy deny our pings are answered, and pings of others over IPv6 only" {
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

@test "a rule with a ttl ends by itself and leaves the list" {
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

hits_bytes() {
	fw list --json | jq --arg rule "$1" '.rules[] | select(.rule == $rule) | .bytes'
}

@test "the counters of rules and totals add up" {
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

# from_5555 SECONDS: print the answer of the listener to a client with port 5555.
from_5555() {
	"${B[@]}" timeout $(($1 + 1)) socat -u "TCP:10.9.0.1:8000,bind=:5555,reuseaddr,connect-timeout=$1" - 2>/dev/null | head -n 1
}

time_waits() {
	[ -n "$("${A[@]}" ss -Htn state time-wait "sport = :8000 and dport = :5555")" ]
}

@test "under policy deny a connection that has ended does not let a new one in" {
	listener one 8000
	attach_fw --policy deny
	fw add allow from 10.9.0.2 proto tcp dport 8000
	same "what an allowed client gets" "$(from_5555 30)" hello
	# Side a closed first, and has the connection in TIME_WAIT for a minute.
	wait_for time_waits
	fw del allow from 10.9.0.2 proto tcp dport 8000
	for _ in 1 2; do
		same "what it gets when it is not allowed" "$(from_5555 1 || :)" ""
	done
	time_waits
	purge
}
