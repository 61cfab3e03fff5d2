#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Warnings when a change of the rules would lock out the SSH session that the command comes from.

load lib.bash
load firewall.bash

warns() {
	matches "what it says" "$stderr" "warning: $1"
	matches "what it says" "$stderr" "hint: .*allow from 192.0.2.7 proto tcp dport 22"
}

@test "a change that denies the SSH peer is warned about" {
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
	warns "this SSH session, from 192.0.2.7 to port 22, would be denied: by 'deny from 192.0.2.0/24'"
	fw flush
	run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall add - <<<$'deny from 192.0.2.7\ndeny from 192.0.2.7 proto tcp'
	warns "this SSH session"
	same warnings "$(grep -c warning <<<"$stderr")" 1
	run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall replace - <<<"deny dport 22"
	warns "this SSH session"
	# The hint undoes the lock-out; where no allow rule could win, it deletes the rule.
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
	# No warning comes while a rule lets the session in, or when a change concerns other traffic.
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

# After the change the session may get no more output. The rule does not hold while the warning waits in a full pipe.
@test "the warning comes before the rule holds" {
	local adder command peer=(ping -q -n -I 192.0.2.7 -c 1 -W 1 10.9.0.1)

	attach_fw
	ip -n "$LAB-b" addr add 192.0.2.7/32 dev eth0
	ip -n "$LAB-a" route add 192.0.2.7/32 via 10.9.0.2
	mkfifo "$T/talk"
	exec {talk}<>"$T/talk"
	for command in "add deny from 192.0.2.0/24" "add -"; do
		"${B[@]}" "${peer[@]}"
		# Fill the pipe.
		head -c 65536 /dev/zero >&"$talk"
		# shellcheck disable=SC2086 # words
		env SSH_CONNECTION="192.0.2.7 50000 10.9.0.1 22" "${A[@]}" "$XF" firewall $command \
			<<<"deny from 192.0.2.0/24" 2>&"$talk" 3>&- &
		adder=$!
		wait_for writes_to_pipe $adder
		"${B[@]}" "${peer[@]}"
		cat <"$T/talk" >"$T/said" 3>&- &
		began reader $!
		wait $adder
		! "${B[@]}" "${peer[@]}" || fail "the rule does not hold after '$command'"
		finish TERM reader
		tr -d '\0' <"$T/said" | grep -q "warning: this SSH session, from 192.0.2.7" || fail "no warning of '$command'"
		fw flush
	done
	exec {talk}>&-
	purge
}

# as_ssh PEER COMMAND...: run a firewall command in an SSH session from this address, and set stderr.
as_ssh() {
	run -0 --separate-stderr env SSH_CONNECTION="$1 50000 10.9.0.1 22" "${A[@]}" "$XF" firewall "${@:2}"
}

# by_mac PEER: try rules for MACs in a session from a peer whose frames come from 02:00:00:00:09:02.
by_mac() {
	fw replace /dev/null
	as_ssh "$1" add deny ether 02:00:00:00:09:03
	no_match "what it says" "$stderr" warning
	as_ssh "$1" add deny ether 02:00:00:00:09:02
	matches "what it says" "$stderr" "this SSH session, from $1 to port 22, would be denied: by 'deny ether 02:00:00:00:09:02'"
	fw replace - <<<"allow ether 02:00:00:00:09:02 proto tcp"
	as_ssh "$1" policy deny
	no_match "what it says" "$stderr" warning
	as_ssh "$1" del allow ether 02:00:00:00:09:02 proto tcp
	matches "what it says" "$stderr" "new SSH login from $1 to port 22.*would be denied \(by the policy\)"
	fw policy allow
}

@test "the warning considers rules for the MAC of the peer or of its gateway" {
	ipv6_up
	attach_fw
	by_mac 10.9.0.2
	ip -n "$LAB-a" route add 198.51.100.0/24 via 10.9.0.2
	by_mac 198.51.100.7
	ip -n "$LAB-a" route add 203.0.113.0/24 via inet6 fd00:9::2
	by_mac 203.0.113.7
	run -0 --separate-stderr env SSH_CONNECTION="fd00:9::2 50000 fd00:9::1 22" "${A[@]}" "$XF" firewall add deny ether 02:00:00:00:09:02
	matches "what it says" "$stderr" "this SSH session, from fd00:9::2 to port 22, would be denied"
	# A peer with an unknown MAC may have any.
	fw flush
	as_ssh 192.0.2.7 add deny ether 02:00:00:00:09:03
	matches "what it says" "$stderr" "this SSH session, from 192.0.2.7 to port 22, may be denied: by 'deny ether 02:00:00:00:09:03'"
	fw replace - <<<"allow ether 02:00:00:00:09:02"
	as_ssh 192.0.2.7 policy deny
	matches "what it says" "$stderr" "new SSH login from 192.0.2.7 to port 22.*would be denied \(by the policy\)"
	purge
}

@test "the session is found through sudo, in an ancestor's environment and by an SSH server's socket" {
	fw policy allow
	# An ancestor has SSH_CONNECTION in its environment, the command itself has not.
	run -0 --separate-stderr env SSH_CONNECTION="192.0.2.7 50000 10.9.0.1 22" bash -c 'env -i PATH="$PATH" "$@"; true' - \
		"${A[@]}" "$XF" firewall policy deny
	warns "a new SSH login from 192.0.2.7"
	fw policy allow
	# An ancestor is called sshd and has a connection.
	begin peer "${A[@]}" socat TCP-LISTEN:8001,fork,reuseaddr EXEC:cat
	wait_for listens_on 8001
	cp "$BASH" "$T/sshd"
	run -0 --separate-stderr "${B[@]}" "$T/sshd" -c 'exec 3<>/dev/tcp/10.9.0.1/8001; "$@"; true' - \
		env -u SSH_CONNECTION "${A[@]}" "$XF" firewall policy deny
	matches "what it says" "$stderr" "warning: a new SSH login from 10.9.0.1 to port"
	purge
}

# peer_port PORT: print the peer's port of the connection to this port of side a.
peer_port() {
	"${A[@]}" ss -Htn state established "sport = :$1" | awk '{ sub(".*:", "", $4); print $4 }'
}

@test "the warning promises no more for a session whose socket is bound to a device" {
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
		goes_on="new SSH login from 10.9.0.2 to port $port.*the session itself would go on"
		[ $port = 8001 ] || goes_on+=" unless its packets come in by a device below eth0, to which it is bound"
		matches "what it says" "$stderr" "$goes_on"$'\n'
		fw policy allow
	done
	# A rule lets the session pass, whatever its socket.
	fw add allow proto tcp established
	run -0 --separate-stderr env SSH_CONNECTION="10.9.0.2 $(peer_port 8002) 10.9.0.1 8002" "${A[@]}" "$XF" firewall policy deny
	matches "what it says" "$stderr" "the session itself would go on"$'\n'
	purge
}
