#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Attach and detach, sets that several interfaces share, and the firewall in status and unload.

load lib.bash
load firewall.bash

@test "rules filter from attach to detach, while no loader runs" {
	attach_fw
	grep -qE "eth0: attached program [0-9]+ in native mode, priority 20, set 'default', policy allow" "$T/attach.err"
	answers
	fw add deny from 10.9.0.2
	silent
	[ "$(hits "deny from 10.9.0.2")" -ge 2 ]
	fw del deny from 10.9.0.2
	answers
	same rules "$(fw list)" ""
	fw detach
	same "what is attached" "$(program_on eth0)" ""
	purge
}

@test "a set is filled before it is attached, and its rules outlive a detach" {
	fw add deny from 10.9.0.2 --set web.front-1
	answers
	attach_fw --set web.front-1
	silent
	run -0 --separate-stderr fw detach -i eth0 --set web.front-1
	matches "what it says" "$stderr" "rules of the set 'web.front-1' stay"
	answers
	same rules "$(fw list --set web.front-1)" "deny from 10.9.0.2"
	attach_fw --set web.front-1
	silent
	run -0 --separate-stderr fw detach --purge --set web.front-1
	matches "what it says" "$stderr" "removed the set 'web.front-1'"
	answers
	run -1 --separate-stderr fw list --set web.front-1
	matches "what it says" "$stderr" "no rule set 'web.front-1'"
}

@test "a second attach reports the first, and is refused in another mode" {
	attach_fw -m skb
	before=$(program_on eth0)
	run -0 --separate-stderr fw attach -i eth0
	matches "what it says" "$stderr" "eth0: already attached, program $before in skb mode"
	run -1 --separate-stderr fw attach -i eth0 -m native
	matches "what it says" "$stderr" "already attached in skb mode, not in native"
	same_program eth0 "$before"
	purge
}

@test "auto falls back to SKB mode and says why" {
	ip -n "$LAB-a" link add plain0 type bridge
	ip -n "$LAB-a" link set plain0 up
	run -0 --separate-stderr fw attach -i plain0
	matches "what it says" "$stderr" "plain0: native XDP refused .*, using SKB mode"
	matches "what it says" "$stderr" "plain0: attached program [0-9]+ in skb mode"
	purge
	run -1 --separate-stderr fw attach -i plain0 -m native
	matches "what it says" "$stderr" "cannot attach to plain0 in native mode"
	run -1 fw list
}

@test "two interfaces share a set, and detach takes one of them off" {
	second_pair
	fw attach -i eth0 -i eth1
	fw add deny proto icmp
	silent
	silent 10.9.1.1
	same interfaces "$(fw stats --json | jq -r '[.interfaces[].iface] | join(" ")')" "eth0 eth1"
	fw detach -i eth1
	silent
	answers 10.9.1.1
	run -1 --separate-stderr fw detach -i eth1
	matches "what it says" "$stderr" "eth1: no program of the set 'default'"
	run -1 --separate-stderr fw detach --purge -i eth1
	purge
}

@test "two interfaces with sets of their own" {
	second_pair
	fw attach -q -i eth0 --set one
	fw attach -q -i eth1 --set two
	fw add --set one deny proto icmp
	silent
	answers 10.9.1.1
	fw policy --set two deny
	same "policy of one" "$(fw stats --set one --json | jq -r .policy)" allow
	same "policy of two" "$(fw stats --set two --json | jq -r .policy)" deny
	silent 10.9.1.1
	purge
}

@test "a set is not removed while programs obey it elsewhere" {
	second_pair
	fw attach -q -i eth0 -i eth1
	run -1 --separate-stderr fw detach -i eth0 --purge
	matches "what it says" "$stderr" "not removed, programs that obey it: 1,"
	silent_set=$(fw list)
	same rules "$silent_set" ""
	purge
}

@test "status shows the firewall and unload leaves it alone" {
	attach_fw
	id=$(program_on eth0)
	same "ours and its set" "$(status_of eth0 '.programs[0] | "\(.id) \(.name) \(.ours) \(.set) \(.owner)"')" \
		"$id xdpfun_fw true default null"
	run -0 "${A[@]}" "$XF" status -i eth0
	matches status "$output" "xdpfun_fw +$id .* set default"
	run -1 --separate-stderr "${A[@]}" "$XF" unload -i eth0
	matches "what it says" "$stderr" "firewall of the set 'default'.*firewall detach -i eth0 --set default"
	run -1 "${A[@]}" "$XF" unload -i eth0 --force
	run -0 --separate-stderr "${A[@]}" "$XF" unload --all
	matches "what it says" "$stderr" "eth0: left program $id"
	same_program eth0 "$id"
	purge
}

@test "the object that xdp-loader loads passes everything, and unload removes it" {
	"${A[@]}" xdp-loader load eth0 "$top/xdpfun-fw.o"
	answers
	same "ours and its set" "$(status_of eth0 '.programs[0] | "\(.ours) \(.set)"')" "true null"
	"${A[@]}" "$XF" unload -q -i eth0
	same "what is attached" "$(program_on eth0)" ""
}

@test "without a dispatcher firewall and logger refuse each other's interface, and name the reason" {
	needs_no_chaining
	attach_fw
	run -1 --separate-stderr "${A[@]}" timeout 60 "$XF" -i eth0
	matches "what it says" "$stderr" "it is xdpfun's firewall"
	fw detach -q
	attach_foreign
	run -1 --separate-stderr fw attach -i eth0 --set other
	matches "what it says" "$stderr" "holds the hook alone"
	run -1 fw list --set other
	ip -n "$LAB-a" link set dev eth0 xdp off
	purge
}
