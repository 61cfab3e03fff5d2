#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The warnings before a policy of deny holds: sockets that no rule serves, and packets for others behind this machine.

load lib.bash
load firewall.bash

# udp_waits NAME PORT: in a, a UDP socket that is not connected.
udp_waits() {
	begin "$1" "${A[@]}" socat -u "UDP-RECVFROM:$2,fork" STDOUT
	wait_for eval '[ -n "$("${A[@]}" ss -Hlun "sport = '"$2"'")" ]'
}

# hinted: the commands that the last hint proposes, one a line.
hinted() {
	grep hint: <<<"$stderr" | tail -n 1 | grep -o "'xdpfun-load firewall [^']*'" | tr -d "'"
}

# obey COMMAND: one of these.
obey() {
	# shellcheck disable=SC2086 # words
	"${A[@]}" "$XF" ${1#xdpfun-load }
}

@test "policy deny names the listening and unconnected sockets that it cuts off, with a trial that can be run" {
	attach_fw
	listener web 80
	listener other 8080
	udp_waits dns 53
	# None of these is reached from elsewhere, or cut off.
	begin local "${A[@]}" socat TCP-LISTEN:81,bind=127.0.0.1,fork STDOUT
	udp_waits dhcp 68
	begin asks "${A[@]}" socat UDP:10.9.0.2:5300,sourceport=5301 -
	run -0 --separate-stderr fw policy deny
	matches "what it says" "$stderr" "warning: under the policy deny only peers that rules allow reach .*: socat tcp 80, 8080, udp 53"
	no_match "what it says" "$stderr" "81|68|530"
	matches "what it says" "$stderr" "add --set default allow proto tcp dport 80'"
	blocked 80
	# The commands that it proposes.
	mapfile -t commands < <(hinted)
	obey "${commands[0]}"
	reaches 80
	obey "${commands[1]}"
	[ "$(fw stats --json | jq .trial_seconds)" -gt 30 ]
	blocked 80
	fw confirm
	# There is nothing new to say.
	run -0 --separate-stderr fw policy deny
	no_match "what it says" "$stderr" "warning"
	fw policy allow
	fw replace - <<<$'allow proto tcp dport 80\nallow proto tcp dport 8080\nallow from 10.9.0.0/16'
	run -0 --separate-stderr fw policy --confirm 60 deny
	matches "what it says" "$stderr" "these sockets of this machine: socat udp 53"
	no_match "what it says" "$stderr" "8080|takes it back"
	reaches 80
	purge
}

@test "sockets of UDP-Lite are named, of which rules know no ports" {
	attach_fw
	begin lite "${A[@]}" socat -u SOCKET-RECV:2:2:136:x270f00000000x0000000000000000 STDOUT
	wait_for "${A[@]}" grep -q :270F /proc/net/udplite
	run -0 --separate-stderr fw policy deny
	matches "what it says" "$stderr" "these sockets of this machine: socat proto 136"
	fw policy allow
	fw add allow proto 136
	run -0 --separate-stderr fw policy deny
	no_match "what it says" "$stderr" "warning"
	purge
}

@test "attach says it too, where the policy deny is new there" {
	second_pair
	listener web 80
	run -0 --separate-stderr fw attach -i eth0 --policy deny
	matches "what it says" "$stderr" "socat tcp 80"
	mapfile -t commands < <(hinted)
	same "what takes it back" "${commands[0]}" "xdpfun-load firewall detach -i eth0 --set default"
	obey "${commands[0]}"
	obey "${commands[1]}"
	[ "$(fw stats --json | jq .trial_seconds)" -gt 30 ]
	fw confirm
	run -0 --separate-stderr fw attach -i eth0
	no_match "what it says" "$stderr" "socat"
	# A trial would be refused there.
	run -0 --separate-stderr fw attach -i eth1
	matches "what it says" "$stderr" "socat tcp 80.*'xdpfun-load firewall detach -i eth1 --set default' takes it back"
	no_match "what it says" "$stderr" "in its place"
	fw detach -q -i eth1
	fw policy allow
	run -0 --separate-stderr fw attach -i eth1
	no_match "what it says" "$stderr" "socat"
	fw detach -q
	fw policy -q deny
	run -0 --separate-stderr fw attach -i eth0 --confirm 60
	matches "what it says" "$stderr" "socat tcp 80"
	no_match "what it says" "$stderr" "takes it back"
	purge
}

@test "the policy deny where this machine forwards for others is warned of, by family" {
	attach_fw
	"${A[@]}" sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
	run -0 --separate-stderr fw policy deny
	no_match "what it says" "$stderr" warning
	fw policy allow
	"${A[@]}" sysctl -qw net.ipv4.ip_forward=1
	run -0 --separate-stderr fw policy deny
	matches "what it says" "$stderr" "warning: eth0: this machine forwards IPv4 for others; .*answers to containers"
	matches "what it says" "$stderr" "policy --set default --confirm 60 deny'"
	fw policy allow
	# By this interface nothing is forwarded.
	"${A[@]}" sysctl -qw net.ipv4.conf.eth0.forwarding=0
	run -0 --separate-stderr fw policy deny
	no_match "what it says" "$stderr" warning
	fw detach -q --purge
	"${A[@]}" sysctl -qw net.ipv4.conf.eth0.forwarding=1 net.ipv6.conf.all.forwarding=1
	run -0 --separate-stderr fw attach -i eth0 --policy deny
	matches "what it says" "$stderr" "warning: eth0: this machine forwards IPv4 and IPv6 for others"
	purge
}

@test "the policy deny on a port of a bridge, or below a macvlan, is warned of" {
	second_pair
	ip -n "$LAB-a" link add br0 type bridge
	ip -n "$LAB-a" link set eth1 master br0
	run -0 --separate-stderr fw attach -i eth1 --policy deny
	matches "what it says" "$stderr" "warning: eth1 is a port of the bridge br0; .*virtual machines"
	fw detach -q
	ip -n "$LAB-a" link set eth1 nomaster
	run -0 --separate-stderr fw attach -i eth1
	no_match "what it says" "$stderr" "under the policy"
	fw policy allow
	ip -n "$LAB-a" link add link eth1 name tap0 type macvlan || skip "this kernel has no macvlan"
	run -0 --separate-stderr fw policy deny
	matches "what it says" "$stderr" "warning: tap0 gets its packets from eth1"
	purge
}

@test "the warning comes before the change" {
	attach_fw
	listener web 80
	mkfifo "$T/talk"
	exec {talk}<>"$T/talk"
	for command in "policy deny" "attach -i eth0 --policy deny"; do
		head -c 65536 /dev/zero >&"$talk"
		# shellcheck disable=SC2086 # words
		"${A[@]}" "$XF" firewall $command 2>&"$talk" 3>&- &
		changer=$!
		wait_for writes_to_pipe $changer
		reaches 80
		cat <"$T/talk" >"$T/said" 3>&- &
		wait $changer
		blocked 80
		kill $!
		wait $! || :
		tr -d '\0' <"$T/said" | grep -q "warning: .*socat tcp 80" || fail "no warning of '$command'"
		fw policy allow
	done
	exec {talk}>&-
	purge
}
