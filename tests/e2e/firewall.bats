#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The firewall's life: attach and detach, sets and their pins, what status and unload make of it, trials, streams of rules.

load lib.bash
load firewall.bash

@test "attach, filter, detach: the loader is gone meanwhile" {
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

@test "a second attach says that it is there, in another mode it is refused" {
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

@test "two interfaces share a set, one of them is taken off" {
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

@test "status knows it and unload leaves it alone" {
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

@test "xdp-loader loads the object, which passes everything; unload removes it" {
	"${A[@]}" xdp-loader load eth0 "$top/xdpfun-fw.o"
	answers
	same "ours and its set" "$(status_of eth0 '.programs[0] | "\(.ours) \(.set)"')" "true null"
	"${A[@]}" "$XF" unload -q -i eth0
	same "what is attached" "$(program_on eth0)" ""
}

@test "beside another program: refused, and what it says about whom" {
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

@test "pins: root alone" {
	fw add deny from 192.0.2.1
	folder=/sys/fs/bpf/xdpfun/firewall
	same modes "$("${A[@]}" stat -c %a /sys/fs/bpf/xdpfun $folder $folder/default | sort -u)" 700
	same "modes of the pins" "$("${A[@]}" find $folder/default -type f -printf '%m\n' | sort -u)" 600
	open=$(mktemp -d)
	chmod 755 "$open"
	cp "$XF" "$open/xdpfun-load"
	caps=+net_admin,+bpf,+perfmon,+sys_admin
	other=("${A[@]}" setpriv --reuid=65534 --regid=65534 --clear-groups)
	for mode in 0700 1777; do
		"${A[@]}" chmod $mode /sys/fs/bpf
		run -1 "${other[@]}" --inh-caps=$caps --ambient-caps=$caps "$open/xdpfun-load" firewall list
		matches "what it says" "$output" "cannot open the folder $folder/default: Permission denied"
	done
	caps+=,+dac_override
	run -0 "${other[@]}" --inh-caps=$caps --ambient-caps=$caps "$open/xdpfun-load" firewall list
	same rules "$output" "deny from 192.0.2.1"
	rm -r "$open"
	purge
}

# refused FOLDER: by each command at once, which says that it does not use this folder.
refused() {
	local command

	for command in "attach -i eth0 --policy deny" "add deny from 192.0.2.1" "replace /dev/null" list stats "detach --purge"; do
		# shellcheck disable=SC2086 # words
		run -1 "${A[@]}" timeout 60 "$XF" firewall $command
		matches "what $command says" "$output" "error: $1 is not used"
	done
	same "what is attached" "$(program_on eth0)" ""
}

@test "pins: a folder that somebody else made first is not used" {
	local folder

	for folder in /sys/fs/bpf/xdpfun /sys/fs/bpf/xdpfun/firewall; do
		"${A[@]}" mkdir -p /sys/fs/bpf/xdpfun/firewall
		"${A[@]}" chown 65534 "$folder"
		refused "$folder"
		"${A[@]}" chown 0 "$folder"
		"${A[@]}" chmod 0777 "$folder"
		refused "$folder"
		"${A[@]}" chmod 0700 "$folder"
	done
	"${A[@]}" "$XF" firewall add deny from 192.0.2.1
	purge
}

# As the other user does it where he may.
@test "pins: all that somebody else makes in a bpffs for everybody is not used" {
	local folder=/sys/fs/bpf/xdpfun other=(setpriv --reuid=65534 --regid=65534 --clear-groups)

	"${A[@]}" chmod 1777 /sys/fs/bpf
	"${A[@]}" "${other[@]}" mkdir -p $folder/firewall/default
	refused $folder
	begin holder "${A[@]}" "${other[@]}" flock --no-fork $folder/firewall/default sleep 60
	wait_for is_locked $folder/firewall/default
	refused $folder
	kill "${pid[holder]}"
	"${A[@]}" rm -r $folder
	"${A[@]}" "${other[@]}" mkdir -p /sys/fs/bpf/mine/firewall/default
	"${A[@]}" "${other[@]}" ln -s mine $folder
	refused $folder
	"${A[@]}" rm -r $folder /sys/fs/bpf/mine
}

is_locked() {
	! "${A[@]}" flock -n "$1" true
}

@test "pins: the folder of a set that somebody else made first is not used" {
	local folder=/sys/fs/bpf/xdpfun/firewall/default

	fw add --set mine deny from 192.0.2.1
	"${A[@]}" mkdir $folder
	"${A[@]}" chown 65534 $folder
	refused $folder
	run -1 --separate-stderr fw list --set none
	matches "what it says" "$stderr" "the sets are: mine;"
	begin holder "${A[@]}" flock --no-fork $folder setpriv --reuid=65534 --regid=65534 --clear-groups sleep 60
	wait_for is_locked $folder
	refused $folder
	kill "${pid[holder]}"
	"${A[@]}" rmdir $folder
	"${A[@]}" ln -s mine $folder
	refused $folder
	"${A[@]}" rm $folder
	# With all that a set has.
	fw add deny from 192.0.2.1
	"${A[@]}" chown -R 65534 $folder
	refused $folder
	"${A[@]}" chown -R 0 $folder
	"${A[@]}" chmod 0770 $folder
	refused $folder
	"${A[@]}" chmod 0700 $folder
	same rules "$(fw list)" "deny from 192.0.2.1"
	same "rules of mine" "$(fw list --set mine)" "deny from 192.0.2.1"
	purge
}

@test "a rule that is there and one that is not" {
	fw add deny from 192.0.2.1
	run -1 --separate-stderr fw add deny from 192.0.2.1
	matches "what it says" "$stderr" "already, for ever"
	fw add --exist deny from 192.0.2.1
	run -1 --separate-stderr fw add deny from 192.0.2.1 ttl 5
	matches "what it says" "$stderr" "already, for ever"
	run -0 --separate-stderr fw add --exist deny from 192.0.2.1 ttl 5
	matches "what it says" "$stderr" "already, for ever, which is longer"
	same rules "$(fw list)" "deny from 192.0.2.1"
	fw add deny from 192.0.2.2 ttl 100
	run -1 --separate-stderr fw add deny from 192.0.2.2 ttl 50
	matches "what it says" "$stderr" "already, for (9.|100) more seconds"
	run -0 --separate-stderr fw add --exist deny from 192.0.2.2 ttl 200
	same "what it says" "$stderr" ""
	matches rules "$(fw list)" "deny from 192.0.2.2 ttl (19.|200)"
	fw del deny from 192.0.2.2
	fw del deny from 192.0.2.1/32
	run -1 --separate-stderr fw del deny from 192.0.2.1
	matches "what it says" "$stderr" "no such rule"
	fw del --exist deny from 192.0.2.1
	purge
}

@test "list: the most specific first, as replace reads it" {
	cat >"$T/rules" <<-END
		allow from 192.0.2.7 to 10.0.0.0/8 proto tcp dport 22
		deny from 192.0.2.7
		deny from 192.0.2.0/24
		deny from 2001:d00::/24
		allow dport 443
		allow dport 1000-2000
		allow ether 02:00:00:00:00:01
		deny proto udp
		allow established
	END
	shuf "$T/rules" | fw replace -
	fw list >"$T/first"
	same order "$(head -n 1 "$T/first")" "allow from 192.0.2.7 to 10.0.0.0/8 proto tcp dport 22"
	same rules "$(sort "$T/first")" "$(sort "$T/rules")"
	fw flush
	same rules "$(fw list)" ""
	fw replace "$T/first"
	same rules "$(fw list)" "$(cat "$T/first")"
	fw list --json >"$T/json"
	same "rules in JSON" "$(jq -r '.rules[].rule' "$T/json")" "$(cat "$T/first")"
	same "a rule in JSON" "$(jq -c '.rules[0] | [.action, .from, .to, .proto, .dport, .packets]' "$T/json")" \
		'["allow","192.0.2.7","10.0.0.0/8","tcp","22",0]'
	matches "list -v" "$(fw list -v)" "# 0 packets, 0 bytes"
	# A closed pipe is no failure, a full disk is one.
	run -0 --separate-stderr "${A[@]}" bash -c 'set -o pipefail; "$1" firewall list | true' - "$XF"
	same "what it says" "$stderr" ""
	run -1 "${A[@]}" bash -c '"$1" firewall list >/dev/full' - "$XF"
	matches "what it says" "$output" "cannot write to stdout: No space left"
	purge
}

@test "replace: a mistake names file, line and column and changes nothing" {
	fw add deny from 192.0.2.1
	printf 'deny from 192.0.2.2\n# fine\n\n  deny from 10.0.0.1/8\ndeny form 1.2.3.4\n' >"$T/rules"
	run -1 --separate-stderr fw replace "$T/rules"
	matches "what it says" "$stderr" "rules:4:13: .*expected 10.0.0.0/8"
	same rules "$(fw list)" "deny from 192.0.2.1"
	run -1 --separate-stderr fw replace --set other "$T/rules"
	run -1 fw list --set other
	printf 'deny from 192.0.2.2\ndeny from 192.0.2.2\r\ndeny from 192.0.2.3' >"$T/rules"
	run -0 --separate-stderr fw replace "$T/rules"
	matches "what it says" "$stderr" "2 rules, 1 lines were repetitions"
	same rules "$(fw list)" $'deny from 192.0.2.2\ndeny from 192.0.2.3'
	purge
}

@test "replace: a rule beyond a limit is named by file and line, and changes nothing" {
	fw add deny from 192.0.2.1
	printf '# two ranges in one rule\ndeny dport 80\ndeny sport 1-65535 dport 1-65535\n' >"$T/rules"
	run -1 --separate-stderr fw replace "$T/rules"
	matches "what it says" "$stderr" "$T/rules:3:1: too much for a set: .* in 128 ways"
	seq -f 'deny dport 8192-%g' 16384 16400 >"$T/rules"
	run -1 --separate-stderr fw replace - <"$T/rules"
	matches "what it says" "$stderr" "stdin:17:1: too much for a set: 16 rules already differ from this one only in"
	same rules "$(fw list)" "deny from 192.0.2.1"
	# A pipe goes on behind it.
	echo "deny dport 9000" >>"$T/rules"
	run -1 --separate-stderr fw add - <"$T/rules"
	matches "what it says" "$stderr" "stdin:17:1: the rule is not added: 16 rules already"
	matches "what it says" "$stderr" "17 rules added, 0 were there already, 1 lines refused"
	run -1 --separate-stderr fw add deny sport 1-65535 dport 1-65535
	matches "what it says" "$stderr" "cannot add the rule to the set 'default': .* in 128 ways"
	same rules "$(fw list | wc -l)" 18
	purge
}

@test "add -: bad lines are named and left out, the others count" {
	printf 'deny from 192.0.2.1\nnonsense\n\n# x\ndeny from 192.0.2.2 ttl\ndeny from 192.0.2.1\ndeny from 192.0.2.3' >"$T/rules"
	run -1 --separate-stderr fw add - <"$T/rules"
	matches "what it says" "$stderr" "stdin:2:1: expected allow or deny, not \"nonsense\""
	matches "what it says" "$stderr" "stdin:5:24: "
	matches "what it says" "$stderr" "2 rules added, 1 were there already, 2 lines refused"
	same rules "$(fw list)" $'deny from 192.0.2.1\ndeny from 192.0.2.3'
	run -1 --separate-stderr fw del - <<<$'deny from 192.0.2.3\ndeny from 192.0.2.4'
	matches "what it says" "$stderr" "1 rules taken out, 1 were not there"
	run -0 fw del --exist - <<<$'deny from 192.0.2.1\ndeny from 192.0.2.4'
	same rules "$(fw list)" ""
	purge
}

@test "add - from a pipe that stays open: rules hold at once, and others get in" {
	attach_fw
	mkfifo "$T/pipe"
	begin feed "${A[@]}" bash -c '"$1" firewall add - <"$2"' - "$XF" "$T/pipe"
	exec 7>"$T/pipe"
	echo "deny from 10.9.0.2" >&7
	wait_for silent
	fw del deny from 10.9.0.2
	answers
	echo "deny proto icmp" >&7
	wait_for silent
	same rules "$(fw list)" "deny proto icmp"
	exec 7>&-
	ends feed 0
	says feed "2 rules added"
	purge
}

@test "two writers at once: nothing is lost" {
	"$BASH" -c 'for i in {1..30000}; do echo "deny from 172.16.$((i >> 8)).$((i & 255))"; done' >"$T/one"
	sed 's/172.16/172.17/' "$T/one" >"$T/two"
	begin one "${A[@]}" bash -c '"$1" firewall add - <"$2"' - "$XF" "$T/one"
	begin two "${A[@]}" bash -c '"$1" firewall add - <"$2"' - "$XF" "$T/two"
	for i in {1..20}; do
		fw add "deny from 192.0.2.$i"
	done
	ends one 0
	ends two 0
	same rules "$(fw list | wc -l)" 60020
	same "rules by stats" "$(fw stats --json | jq .rules)" 60020
	purge
}

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

@test "a first attach on trial: then everything passes though the session is dead, and the rules stay on hold" {
	fw add deny from 10.9.0.2 proto icmp
	# A session with a shell that waits, all of which is killed.
	begin session "${A[@]}" setsid bash -c '"$1" firewall attach -i eth0 --policy deny --confirm 3 && sleep 100' - "$XF"
	says session "on trial"
	silent
	kill -KILL -- "-${pid[session]}" 2>/dev/null || kill -KILL "${pid[session]}"
	wait_for ping_once
	same "what is attached" "$(status_of eth0 '.programs[0].set')" default
	same rules "$(fw list)" "deny from 10.9.0.2 proto icmp"
	same "on hold" "$(fw stats --json | jq -c '[.held, .policy, .trial_seconds]')" '[true,"deny",null]'
	matches stats "$(fw stats)" "policy deny, on hold: "
	run -1 --separate-stderr fw confirm
	matches "what it says" "$stderr" "is over: every packet passes until 'firewall attach'"
	# Changes are kept for later.
	fw add allow from 10.9.0.77
	answers
	fw attach -q -i eth0 --confirm 60
	silent
	fw confirm
	silent
	fw attach -q -i eth0
	same rules "$(fw list | wc -l)" 2
	purge
}

@test "a set that holds is not tried on a further interface" {
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

@test "what cannot be attached changes no policy" {
	attach_fw
	run -1 --separate-stderr fw attach -i eth0 -m skb --policy deny
	same policy "$(fw stats --json | jq -r .policy)" allow
	run -1 --separate-stderr fw attach -i eth0 -m skb --policy deny --confirm 60
	same policy "$(fw stats --json | jq -r .policy)" allow
	same "seconds of a trial" "$(fw stats --json | jq .trial_seconds)" null
	answers
	purge
}

# as_before HELD: the default set, after a trial on eth0 that is refused; was it on hold?
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
	# One on hold is so again, also when it was to be attached for good.
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
