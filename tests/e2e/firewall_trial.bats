#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Trials of attach, policy and replace with --confirm, confirmed, ended by time, and refused.

load lib.bash
load firewall.bash

@test "a trial that is confirmed, and one that is not" {
	attach_fw
	run -0 --separate-stderr fw attach -i eth0 --policy deny --confirm 60
	matches "what it says" "$stderr" "on trial: .* within 60 seconds"
	silent
	[ "$(fw stats --json | jq .trial_seconds)" -gt 30 ]
	run -1 --separate-stderr fw attach -i eth0 --policy allow --confirm 60
	matches "what it says" "$stderr" "on trial already"
	run -0 --separate-stderr fw attach -i eth0
	matches "what it says" "$stderr" "on trial, for [0-9]+ more seconds: .* confirm --set default"
	fw confirm
	run -0 --separate-stderr fw attach -i eth0
	no_match "what it says" "$stderr" "on trial"
	silent
	run -1 --separate-stderr fw confirm
	matches "what it says" "$stderr" "not on trial"
	same policy "$(fw stats --json | jq -r .policy)" deny
	fw attach -q -i eth0 --policy allow --confirm 2
	answers
	sleep 2
	silent
	run -1 --separate-stderr fw confirm
	matches "what it says" "$stderr" "is over|not on trial"
	same policy "$(fw stats --json | jq -r .policy)" deny
	purge
}

@test "a first attach on trial ends although its session was killed: every packet passes, and the rules are on hold" {
	fw add deny from 10.9.0.2 proto icmp
	# The trial starts in a session whose processes are all killed.
	begin session "${A[@]}" setsid bash -c '"$1" firewall attach -i eth0 --policy deny --confirm 3 && sleep 100' - "$XF"
	says session "on trial"
	silent
	signal_group KILL session
	wait_for ping_once
	same "what is attached" "$(status_of eth0 '.programs[0].set')" default
	same rules "$(fw list)" "deny from 10.9.0.2 proto icmp"
	same "on hold" "$(fw stats --json | jq -c '[.held, .policy, .trial_seconds]')" '[true,"deny",null]'
	matches stats "$(fw stats)" "policy deny, on hold: "
	same "held in status" "$(status_of eth0 '.programs[0].held')" true
	matches status "$("${A[@]}" "$XF" status -i eth0)" "set default, on hold: every packet passes"
	run -1 --separate-stderr fw confirm
	matches "what it says" "$stderr" "is over: every packet passes until 'firewall attach'"
	# Changes of a set on hold are kept.
	fw add allow from 10.9.0.77
	answers
	fw attach -q -i eth0 --confirm 60
	silent
	same "held in status" "$(status_of eth0 '.programs[0].held')" false
	fw confirm
	silent
	fw attach -q -i eth0
	same rules "$(fw list | wc -l)" 2
	purge
}

@test "a set that is attached is not tried on a further interface" {
	ip -n "$LAB-a" link add second0 type bridge
	ip -n "$LAB-a" link set second0 up
	attach_fw --policy deny
	run -1 --separate-stderr fw attach -i second0 --policy allow --confirm 60
	matches "what it says" "$stderr" "on a further interface"
	same "what is attached" "$(program_on second0)" ""
	same policy "$(fw stats --json | jq -r .policy)" deny
	same "seconds of a trial" "$(fw stats --json | jq .trial_seconds)" null
	fw attach -q -i eth0 --confirm 60
	fw confirm
	purge
}

@test "an attach that fails changes no policy" {
	attach_fw
	run -1 --separate-stderr fw attach -i eth0 -m skb --policy deny
	same policy "$(fw stats --json | jq -r .policy)" allow
	run -1 --separate-stderr fw attach -i eth0 -m skb --policy deny --confirm 60
	same policy "$(fw stats --json | jq -r .policy)" allow
	same "seconds of a trial" "$(fw stats --json | jq .trial_seconds)" null
	answers
	purge
}

# as_before HELD: try a trial on eth0 that is refused; fails when the default set changes. HELD: whether it is on hold.
as_before() {
	run -1 --separate-stderr fw attach -i eth0 --policy deny --confirm 30
	same "policy, on hold, seconds of a trial" "$(fw stats --json | jq -c '[.policy, .held, .trial_seconds]')" \
		"[\"allow\",$1,null]"
}

@test "a first trial that cannot be attached leaves the set as it was" {
	second_pair
	attach_fw --set other
	run -1 --separate-stderr fw attach -i eth0 --policy deny --confirm 30
	run -1 fw list
	fw add deny from 192.0.2.1
	as_before false
	same rules "$(fw list)" "deny from 192.0.2.1"
	fw attach -q -i eth1
	answers 10.9.1.1
	fw detach -q -i eth1
	# A set on hold stays on hold, also after an attach without --confirm that is refused.
	fw attach -q -i eth1 --confirm 0.1
	wait_for eval '[ "$(fw stats --json | jq .held)" = true ]'
	as_before true
	fw detach -q -i eth1
	as_before true
	run -1 --separate-stderr fw attach -i eth0 --policy deny
	same "policy, on hold" "$(fw stats --json | jq -c '[.policy, .held]')" '["allow",true]'
	same rules "$(fw list)" "deny from 192.0.2.1"
	purge
}

@test "a first trial that is confirmed, and one on hold that is attached for good" {
	attach_fw --policy deny --confirm 60
	silent
	fw confirm
	silent
	fw detach -q
	attach_fw --confirm 1
	wait_for ping_once
	run -0 --separate-stderr fw add deny from 192.0.2.1
	matches "what it says" "$stderr" "on hold: .* every packet passes"
	attach_fw
	silent
	same "on hold" "$(fw stats --json | jq .held)" false
	purge
}

# over: the trial has ended.
over() {
	[ "$(fw stats --json | jq .trial_seconds)" = null ]
}

@test "policy --confirm: the old policy comes back, or the new one is confirmed" {
	attach_fw
	run -0 --separate-stderr fw policy --confirm 60 deny
	matches "what it says" "$stderr" "on trial: .* confirm --set default' within 60 seconds"
	silent
	run -1 --separate-stderr fw policy --confirm 60 allow
	matches "what it says" "$stderr" "on trial already, for [0-9]+ more seconds.*confirm --set default' first, or wait"
	# Without it a change is a part of the trial.
	run -0 --separate-stderr fw policy allow
	matches "what it says" "$stderr" "the set 'default' is on trial, for [0-9]+ more seconds"
	answers
	fw policy deny
	fw confirm
	fw policy -q --confirm 1 allow
	answers
	wait_for over
	silent
	same policy "$(fw stats --json | jq -r .policy)" deny
	purge
}

@test "replace --confirm: the old rules come back with all that they had, or the new ones are confirmed" {
	attach_fw
	fw replace -q - <<<$'deny from 10.9.0.2\ndeny from 192.0.2.1'
	silent
	run -0 --separate-stderr fw replace --confirm 60 - <<<"deny from 192.0.2.2"
	matches "what it says" "$stderr" "set 'default': 1 rules.*on trial: .* within 60 seconds"
	answers
	run -1 --separate-stderr fw replace --confirm 60 - <<<"deny from 192.0.2.3"
	matches "what it says" "$stderr" "on trial already.*nothing has changed"
	fw add deny from 192.0.2.4
	fw policy -q deny
	silent
	same rules "$(fw list | sort)" $'deny from 192.0.2.2\ndeny from 192.0.2.4'
	fw policy -q allow
	fw confirm
	same rules "$(fw list | sort)" $'deny from 192.0.2.2\ndeny from 192.0.2.4'
	fw replace -q - <<<$'deny from 10.9.0.2\ndeny from 192.0.2.1'
	silent
	before=$(fw list -v)
	fw replace -q --confirm 1 - <<<"allow from 192.0.2.1"
	answers
	wait_for over
	same "rules and what they counted" "$(fw list -v)" "$before"
	silent
	purge
}

@test "a trial of a set that is on hold, or that is not there, is refused or leaves nothing" {
	attach_fw --policy deny --confirm 0.1
	wait_for ping_once
	for command in "policy --confirm 60 allow" "replace --confirm 60 /dev/null"; do
		# shellcheck disable=SC2086 # words
		run -1 --separate-stderr fw $command
		matches "what $command says" "$stderr" "on hold, and no packet meets it.*attach --set default"
	done
	same policy "$(fw stats --json | jq -r .policy)" deny
	run -1 --separate-stderr fw replace --set other --confirm 60 - <<<"nonsense"
	run -1 fw list --set other
	fw policy -q --set other --confirm 0.1 deny
	sleep 0.2
	same "policy of a new set" "$(fw stats --set other --json | jq -r .policy)" allow
	purge
}
