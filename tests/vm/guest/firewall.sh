#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The firewall in a chain: the programs that see a packet before and behind it, the policy deny, rules of
# each kind, and a trial that ends by itself. An emulated processor takes more than 3 s to verify the
# program, so that the tests share attached ones.
# shellcheck disable=SC2154 # start sets pid
. "$(dirname "$0")/lib.sh"

CHAT=${CHAT:-$here/chat}
YES_MS=10000	# it must come
NO_MS=200	# it must not

fw() {
	"$XF" firewall "$@" 2>>"$tmp/t/fw.err"
}

# hits RULE: print how many packets the rule has decided.
hits() {
	fw list --json | jq --arg rule "$1" '.rules[] | select(.rule == $rule) | .packets'
}

# of_stats FILTER: print what a jq filter finds in stats --json.
of_stats() {
	fw stats --json | jq -c "$1"
}

ours() {
	"$@"
}

# says yes|no|refused SIDE TARGET...: fails when a socket for a target finds another answer.
says() {
	local want=$1 side=$2 ms=$YES_MS words

	shift 2
	[ "$want" != no ] || ms=$NO_MS
	printf -v words "$want %.0s" "$@"
	same "of '$*', asked by $side," "$("$side" "$CHAT" ask "$ms" "$@")" "${words% }"
}

gets_through() {
	[ "$(peer "$CHAT" ask "$NO_MS" "$1")" = yes ]
}

echoes() {
	"$1" ping -q -n -c 1 -W 1 "$2"
}

silent() {
	! "$1" ping -q -n -c 1 -W 0.3 "$2" || fail "$2 answers a ping from $1"
}

alone() {
	xdp-loader load v0 "$FW_OBJ"
	same chain "$(chain v0)" "native: 20 xdpfun_fw"
	pings 2
	xdp-loader load v0 "$SECOND"
	same chain "$(chain v0)" "native: 20 xdpfun_fw, 50 second"
	pings 3
	same "packets behind it" "$(second_seen)" 3
	xdp-loader unload v0 -i "$(prog_ids v0 xdpfun_fw)"
	same chain "$(chain v0)" "native: 50 second"
}

# Port 4444 ends at xdp-filter (10), 4445 at the firewall (20); the logger (100) sees what is left.
in_chain() {
	local mode=$1 first=$2

	if [ "$first" = firewall ]; then
		fw attach -i v0 -m "$mode"
		start log log -i v0 -m "$mode"
		reads log
		xdp-filter load -m "$mode" v0
	else
		xdp-filter load -m "$mode" v0
		start log log -i v0 -m "$mode"
		reads log
		fw attach -i v0 -m "$mode"
	fi
	fw add allow proto udp dport 4444
	fw add deny proto udp dport 4445
	xdp-filter port -p udp -m dst 4444
	same chain "$(chain v0)" "$mode: 10 xdpfilt_alw_all, 20 xdpfun_fw, 100 xdpfun"
	same "the firewall's place" "$(of_stats '[.interfaces[] | [.iface, .mode, .id]]')" \
		"[[\"v0\",\"$mode\",$(prog_ids v0 xdpfun_fw)]]"
	udp_to 4445 4444 4445 4446
	wait_for has_line log '10.9.0.1:4446 udp'
	same "logged of what xdp-filter drops" "$(count_lines log '10.9.0.1:4444 udp')" 0
	same "logged of what the firewall drops" "$(count_lines log '10.9.0.1:4445 udp')" 0
	same "packets of the firewall's rule" "$(hits 'deny proto udp dport 4445')" 2
	same "what xdp-filter left to the firewall" "$(hits 'allow proto udp dport 4444')" 0

	fw detach -i v0
	same "chain without it" "$(chain v0)" "$mode: 10 xdpfilt_alw_all, 100 xdpfun"
	udp_to 4445 4444 4447
	wait_for has_line log '10.9.0.1:4447 udp'
	same "logged of port 4445" "$(count_lines log '10.9.0.1:4445 udp')" 1
	same "logged of port 4444" "$(count_lines log '10.9.0.1:4444 udp')" 0
	stop "$pid"
	xdp-filter unload v0
	fw detach --purge
	same "chain at the end" "$(chain v0)" none
}

# A second pair of interfaces, whose neighbours have to be found; IPv6 on both; and addresses from which
# the peer speaks only when it is told to. Both sides have servers.
more_lab_up() {
	ip -batch - <<-END
		addr add fd00:9:0::1/64 dev v0 nodad
		link add v2 address 02:00:00:00:02:00 type veth peer name v3 address 02:00:00:00:02:01 netns peer
		link set v2 addrgenmode none
		addr add 10.9.2.1/24 dev v2
		addr add fd00:9:2::1/64 dev v2 nodad
		link set v2 up
	END
	ip -n peer -batch - <<-END
		addr add 10.9.0.3/24 dev v1
		addr add fd00:9:0::2/64 dev v1 nodad
		addr add fd00:9:0::3/64 dev v1 nodad preferred_lft 0
		link set v3 addrgenmode none
		addr add 10.9.2.2/24 dev v3
		addr add 10.9.2.3/24 dev v3
		addr add fd00:9:2::2/64 dev v3 nodad
		addr add fd00:9:2::3/64 dev v3 nodad preferred_lft 0
		link set v3 up
	END
	"$CHAT" serve 8001 5000 5005 5010 &
	servers=($!)
	disown
	"${in_peer[@]}" "$CHAT" serve 8002 &
	servers+=($!)
	disown
} >/dev/null

more_lab_down() {
	kill "${servers[@]}"
	ip link del v2
}

# One set for both, v0 in native mode and v2 in SKB mode, each in front of another program. They stay for
# the tests that follow, unless one fails.
filtering() {
	local now

	ifaces=()
	now="$(chain v0); $(chain v2)"
	if [ "$now" != "native: 20 xdpfun_fw, 50 second; skb: 20 xdpfun_fw, 50 second" ]; then
		filtering_ends
		fw attach -i v0 -m native
		fw attach -i v2 -m skb
		xdp-loader load -m native v0 "$SECOND"
		xdp-loader load -m skb v2 "$SECOND"
	fi
	fw flush
	fw policy allow
}

filtering_ends() {
	xdp-loader unload v0 --all || :
	xdp-loader unload v2 --all || :
	[ ! -e "$BPFFS/xdpfun/firewall/default" ] || fw detach --purge
}

shared() {
	filtering
	same chain "$(chain v2)" "skb: 20 xdpfun_fw, 50 second"
	same "the set's places" "$(of_stats '[.interfaces[] | [.iface, .mode]] | sort')" '[["v0","native"],["v2","skb"]]'
	echoes peer 10.9.0.1
	echoes peer 10.9.2.1
	fw add deny from 10.9.0.0/16 proto icmp
	silent peer 10.9.0.1
	silent peer 10.9.2.1
	same "packets of both" "$(hits 'deny from 10.9.0.0/16 proto icmp')" 2
}

# policy_deny NET: 0 is at v0, 2 at v2. Our echo requests are answered, and the peer's over IPv6 only.
policy_deny() {
	local ip=10.9.$1. ip6=fd00:9:$1:: line in out denied

	filtering
	# Connections exist before, each way.
	coproc inward { exec "${in_peer[@]}" "$CHAT" keep "$YES_MS" "${ip}1" 8001; }
	exec {in}>&"${inward[1]}" {out}<&"${inward[0]}"
	echo before >&"$in"
	read -rt 20 line <&"$out"
	exec {outward}<>"/dev/tcp/${ip}2/8002"
	denied=$(of_stats .counters.policy_denied.packets)
	fw policy deny

	echo accepted >&"$in"
	read -rt 20 line <&"$out"
	same "what the peer's connection brings back" "$line" accepted
	echo opened >&"$outward"
	read -rt 20 line <&"$outward"
	same "what our connection brings back" "$line" opened
	exec {in}>&- {out}<&- {outward}>&-
	says yes ours "tcp,${ip}2,8002" "udp,${ip}2,8002" "tcp,${ip}3,8002" "tcp,${ip6}2,8002" "udp,${ip6}2,8002"
	# Without a server the reset of our connection and ICMP errors pass.
	says refused ours "tcp,${ip}2,9" "udp,${ip}2,9" "udp,${ip6}2,9"
	says no ours "loose,${ip}2,8002" "loose,${ip6}2,8002"
	says no peer "tcp,${ip}1,8001" "udp,${ip}1,8001" "tcp,${ip6}1,8001"
	silent peer "${ip}1"
	echoes ours "${ip}2"
	echoes ours "${ip6}2"
	echoes peer "${ip6}1"
	denied=$(($(of_stats .counters.policy_denied.packets) - denied))
	[ "$denied" -ge 6 ] || fail "the policy denied $denied packets"
	fw replace - <<-END
		allow from ${ip}2 proto tcp dport 8001
		allow from ${ip}0/24 proto icmp
		allow from ${ip6}/64 proto icmpv6
		deny from ${ip}2 proto tcp sport 8002
	END
	says yes peer "tcp,${ip}1,8001"
	says no ours "tcp,${ip}2,8002"
	echoes peer "${ip}1"
	echoes ours "${ip6}2"
	echoes peer "${ip6}1"
}

rules() {
	local ip=10.9.0. ip6=fd00:9:0::

	filtering
	fw replace - <<-END
		deny from ${ip}0/24 sport 6000-6001
		deny from ${ip}3
		allow from ${ip}3 proto udp dport 5000-5009
		deny from ${ip}3 proto udp dport 5005
		deny from ${ip6}/64
		allow from ${ip6}/64 proto icmpv6
		allow from ${ip6}3 to ${ip6}1 proto tcp dport 5000
		deny ether 02:00:00:00:01:01 proto tcp
	END
	says yes peer "udp,${ip}1,5010" "udp,${ip}1,5000,0.0.0.0,6002" "udp,${ip}1,5000,${ip}3" "tcp,${ip6}1,5000,${ip6}3"
	says no peer "udp,${ip}1,5000,${ip}2,6001" "udp,${ip}1,5005,${ip}3" "udp,${ip}1,5010,${ip}3" \
		"tcp,${ip}1,5000" "udp,${ip6}1,5000,${ip6}3" "tcp,${ip6}1,5000"
	same "packets of the rule for one port" "$(hits "deny from ${ip}3 proto udp dport 5005")" 1
	same "packets of the rule for source ports" "$(hits "deny from ${ip}0/24 sport 6000-6001")" 1
	same "packets of the rule for an address" "$(hits "deny from ${ip}3")" 1
	# Rules for a prefix; one that has expired uncovers another.
	fw replace - <<-END
		deny from ${ip}0/24
		allow from ${ip}2
		deny from ${ip6}2
	END
	fw add deny from "${ip}2" to "${ip}1" ttl 4
	says no peer "udp,${ip}1,5000" "udp,${ip}1,5000,${ip}3" "tcp,${ip6}1,5000"
	says yes peer "tcp,${ip6}1,5000,${ip6}3"
	wait_for gets_through "udp,${ip}1,5000"
	same "rules that are left" "$(fw list | wc -l)" 3
}

# The loader has ended and a writer of rules is killed, but the program keeps the deadline. Both fail when the steps took
# longer than the trial; a slow machine needs a longer one.
on_trial_for() {
	local feed rules

	fw replace - <<<"deny from 10.9.3.0/24"
	rm -f "$tmp/t/rules"
	mkfifo "$tmp/t/rules"
	"$XF" firewall add - <"$tmp/t/rules" 2>"$tmp/t/feed.err" &
	feed=$!
	exec {rules}>"$tmp/t/rules"
	fw attach -i v0 --policy deny --confirm "$1"
	echo "deny from 10.9.0.0/24 proto icmp" >&"$rules"
	wait_for fed_or_over
	silent peer 10.9.0.1 && silent peer 10.9.2.1 && fed
	on_trial=$?
	kill -KILL "$feed"
	exec {rules}>&-
	[ "$on_trial" = 0 ] && [ "$(of_stats '.trial_seconds > 0')" = true ]
}

confirmed_in() {
	fw attach -i v0 --policy deny --confirm "$1"
	fw confirm || return
	nap "$1.1"
	silent peer 10.9.0.1
}

trial() {
	local on_trial

	filtering
	on_trial_for 4 || on_trial_for 20 || on_trial_for 80 || fail "no trial lasts for some steps"
	wait_for echoes peer 10.9.0.1
	echoes peer 10.9.2.1
	same "the old rules" "$(fw list)" "deny from 10.9.3.0/24"
	same "the old policy" "$(of_stats '[.policy, .trial_seconds, .held]')" '["allow",null,false]'
	! fw confirm || fail "it was confirmed when it was over"
	confirmed_in 1 || confirmed_in 10 || confirmed_in 60 || fail "a confirmed trial does not stay"
}

fed_or_over() {
	fed || [ "$(of_stats '.trial_seconds > 0')" != true ]
}

fed() {
	[[ $(fw list) = *icmp* ]]
}

detached() {
	filtering
	fw add deny proto icmp
	fw detach -i v0
	same "chain of v0" "$(chain v0)" "native: 50 second"
	same "chain of v2" "$(chain v2)" "skb: 20 xdpfun_fw, 50 second"
	echoes peer 10.9.0.1
	silent peer 10.9.2.1
	! fw detach --purge -i v0 || fail "purged while v2 obeys it"
	fw detach --purge
	same "chain of v2" "$(chain v2)" "skb: 50 second"
	echoes peer 10.9.2.1
	filtering_ends
}

lab_up
t "without rules it passes everything" alone
t "native: xdp-filter, firewall, log: each sees what those before it pass" in_chain native firewall
t "skb: it joins xdp-filter and a log" in_chain skb filter
more_lab_up
t "native and skb: two interfaces with one set" shared
t "native: policy deny with live connections" policy_deny 0
t "skb: policy deny with live connections" policy_deny 2
t "rules of each kind" rules
t "a trial ends by itself" trial
t "one interface is taken off, then the other" detached
more_lab_down
t "no pins left" no_pins
lab_down
finish
