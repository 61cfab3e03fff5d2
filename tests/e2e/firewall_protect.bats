#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Management addresses that no rule can deny.

load lib.bash
load firewall.bash

@test "no ban, list, wider or later rule denies what is protected, nor the policy" {
	attach_fw
	fw add deny from 10.9.0.2
	silent
	fw protect 10.9.0.0/30 2001:db8::/64
	answers
	for rule in "deny from 10.9.0.2 to 10.9.0.1 proto icmp" "deny proto icmp" "deny from 0.0.0.0/0" \
		"deny ether 02:00:00:00:09:02" "deny from 10.9.0.2 ttl 60"; do
		# shellcheck disable=SC2086 # words
		fw add --exist $rule
		answers
	done
	fw replace deny - <<<10.9.0.0/24
	answers
	fw policy -q deny
	answers
	fw flush
	answers
	same rules "$(fw list)" $'protect from 2001:db8::/64\nprotect from 10.9.0.0/30'
	fw protect --remove 10.9.0.0/30
	silent
	purge
}

@test "what is protected is listed, can be saved and read again, and belongs to its set" {
	fw protect 192.0.2.1 198.51.100.0/24
	fw add deny from 203.0.113.0/24
	run -0 --separate-stderr fw protect 192.0.2.1/32
	matches "what it says" "$stderr" "192.0.2.1/32 is protected already in the set 'default'"
	fw list >"$T/saved"
	same "what is listed" "$(cat "$T/saved")" \
		$'protect from 192.0.2.1\nprotect from 198.51.100.0/24\ndeny from 203.0.113.0/24'
	same "the same as JSON" "$(fw list --json | jq -c '.rules[0] | [.rule, .action, .from]')" \
		'["protect from 192.0.2.1","protect","192.0.2.1"]'
	run -0 --separate-stderr fw replace - <"$T/saved"
	matches "what it says" "$stderr" "set 'default': 3 rules$"
	same "what is listed" "$(fw list)" "$(cat "$T/saved")"
	fw replace --set other "$T/saved"
	same "what is listed of the other set" "$(fw list --set other)" "$(cat "$T/saved")"
	fw protect --set other --remove 198.51.100.0/24 192.0.2.1
	same "what is left of it" "$(fw list --set other)" "deny from 203.0.113.0/24"
	same "what is listed" "$(fw list)" "$(cat "$T/saved")"
	# By no other way.
	run -2 --separate-stderr fw del protect from 192.0.2.1
	matches "what it says" "$stderr" "'firewall protect --remove' alone"
	run -1 --separate-stderr fw del - <"$T/saved"
	matches "what it says" "$stderr" "stdin:1:1: 'firewall protect --remove' alone.*1 rules taken out, 0 were not there, 2 lines refused"
	run -1 --separate-stderr fw protect --remove 192.0.2.9
	matches "what it says" "$stderr" "192.0.2.9 is not protected in the set 'default'.*firewall list --set default"
	run -1 fw protect --set none --remove 192.0.2.9
	same "what is listed" "$(fw list)" $'protect from 192.0.2.1\nprotect from 198.51.100.0/24'
	purge
}

@test "a trial that is over takes back what was protected meanwhile, and brings back what was not any more" {
	attach_fw
	fw protect 10.9.0.2
	fw policy -q deny
	fw replace -q --confirm 1 - <<<"deny from 10.9.0.2"
	answers
	fw protect --remove 10.9.0.2
	fw protect 192.0.2.1
	silent
	wait_for ping_once
	same "what is listed" "$(fw list)" "protect from 10.9.0.2"
	purge
}

@test "the SSH session's peer that is protected is not warned about, until it is no more" {
	attach_fw
	ssh=(env SSH_CONNECTION="192.0.2.7 50000 10.9.0.1 22")
	fw protect 192.0.2.0/24
	for command in "policy deny" "add deny from 192.0.2.7" "replace /dev/null" "flush"; do
		# shellcheck disable=SC2086 # words
		run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall $command
		no_match "what it says" "$stderr" warning
	done
	run -0 --separate-stderr "${ssh[@]}" "${A[@]}" "$XF" firewall protect --remove 192.0.2.0/24
	matches "what it says" "$stderr" "warning: a new SSH login from 192.0.2.7 to port 22"
	purge
}
