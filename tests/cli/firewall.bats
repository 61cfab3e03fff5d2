#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The command line of firewall: usage errors, --help, missing privileges. Nothing is attached.

load cli.bash

verbs=(attach confirm detach add del replace flush policy protect list stats log)

refuses() {
	ends_with 2 firewall "$@"
}

# unprivileged STATUS ARGUMENTS...: run a firewall command without root; fails when it ends otherwise.
unprivileged() {
	open=$(mktemp -d)
	chmod 755 "$open"
	cp "$XF" "$open/xdpfun-load"
	run -"$1" --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups "$open/xdpfun-load" firewall "${@:2}"
	rm -r "$open"
}

@test "--help lists every command on stdout and ends with 0" {
	run -0 --separate-stderr "$XF" firewall --help
	[ -z "$stderr" ] || fail "on stderr: $stderr"
	commands=$output
	for word in "${verbs[@]}"; do
		[[ $commands = *"  $word "* ]] || fail "$word is missing in: $commands"
		for option in --help -h; do
			run -0 --separate-stderr "$XF" firewall "$word" $option
			[ -z "$stderr" ] || fail "on stderr: $stderr"
			[[ $output = "Usage: xdpfun-load firewall $word"*--set* ]] || fail "$word $option says: $output"
			while IFS= read -r line; do
				[ ${#line} -le 105 ] || fail "a long line: $line"
			done <<<"$output"
		done
	done
	run -0 "$XF" --help
	[[ $output = *"  firewall "* ]] || fail "$output"
}

@test "firewall needs a command, and suggests the nearest one for a misspelt one" {
	refuses -- "needs a command" --help
	refuses atach -- "'firewall atach'" "firewall attach"
	refuses remove -- "'firewall remove'" --help
	refuses --set x list -- "'firewall --set'"
}

@test "a name that no set can have is refused" {
	for name in .hidden a/b .. "a b" "ä" aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; do
		refuses list --set "$name" -- --set "\"$name\"" "1 to 32 letters"
	done
	refuses list --set "" -- --set '""'
	refuses list --set -- --set missing
	refuses log --set a/b -- --set '"a/b"'
}

@test "an error in a rule names its column" {
	refuses add deny form 192.0.2.1 -- "column 6" "expected 'from'" '"form"' "deny form 192.0.2.1"
	refuses del deny from 10.0.0.1/8 -- "column 11" "expected 10.0.0.0/8"
	refuses add "deny from 1.2.3.4 to ::1" -- "column 22" "IPv4 prefix"
	refuses add deny proto icmp dport 80 -- "column 23" "proto icmp has none"
	refuses add allow proto udp established -- "column 17" "proto tcp beside 'established'"
	refuses add deny -- "column 5" "the policy"
	refuses add deny dport 80abc -- "column 12" '"80abc"'
	refuses add -- "there is no rule" "'-'"
	refuses add "# deny from 1.2.3.4" -- "there is no rule"
	refuses add deny from - -- "column 11" '"-"'
}

@test "options may stand anywhere, and an error names an unknown one" {
	refuses add --sett x deny from 1.2.3.4 -- --sett "mean --set?"
	refuses add deny from 1.2.3.4 --prio 3 -- --prio
	refuses detach --purg -- "mean --purge?"
	refuses list eth0 -- "'eth0'"
	refuses attach eth0 -- "'eth0'" -i
}

@test "attach refuses unknown choices and numbers out of range" {
	refuses attach --policy drop -- --policy '"drop"' "allow or deny"
	refuses attach --mode sbk -- '"sbk"' "auto, native or skb"
	refuses attach --confirm 0 -- --confirm '"0"' seconds
	refuses attach --confirm 10m -- '"10m"'
	refuses attach -P -1 -- -P '"-1"'
}

@test "firewall log checks the options of the logger" {
	refuses log -f xml -- '"xml"' "text or json"
	refuses log --sample 0 -- --sample '"0"'
	refuses log --rate -1 -- --rate '"-1"'
	refuses log --force -- --force --write
	refuses log -w x.pcap -- x.pcap
	refuses log --id 3 -- --id
	refuses log eth0 -- "'eth0'" -i
}

@test "an interface that is named twice is refused" {
	refuses attach -i lo -i lo -- "'lo'" twice
	refuses detach -i lo -i eth7 -i lo -- "'lo'" twice
	refuses log -i lo -i lo -- "'lo'" twice
}

@test "policy and replace take exactly one word" {
	refuses policy -- "expected allow or deny"
	refuses policy drop -- "expected allow or deny" "'drop'"
	refuses policy allow deny -- "expected allow or deny"
	refuses replace -- missing
	refuses replace a b -- "one FILE"
}

@test "a plain list needs allow or deny before its name, and other lists have none of its options" {
	refuses replace --format plain list -- "expected allow or deny before its name" "replace --format plain deny list"
	refuses add --format plain - -- "expected allow or deny" "add --format plain deny -"
	refuses replace --format rules deny list -- "expected no 'deny'"
	refuses replace --mask list -- "--mask is for plain lists" "replace --mask deny list"
	refuses add --mask deny from 192.0.2.1 -- "--mask" "are for lists"
	refuses del --allow-empty deny from 192.0.2.1 -- "--allow-empty" "are for lists"
	refuses replace --format csv deny list -- '"csv"' "rules or plain"
	refuses replace drop list -- "allow or deny before it"
	refuses add deny list -- "column 6"
}

@test "protect wants prefixes" {
	refuses protect -- "expected an address or a prefix"
	refuses protect 192.0.2.1 10.0.0.1/8 -- "'10.0.0.1/8', column 1" "expected 10.0.0.0/8"
	refuses protect --remove from 192.0.2.1 -- "'from', column 1"
}

@test "without root an error names the missing capabilities, but a usage error comes first" {
	for word in attach confirm detach flush list stats log "policy deny" "add deny from 192.0.2.1" "del deny from 192.0.2.1" \
		"add -" "replace /dev/null" "protect 192.0.2.1"; do
		# shellcheck disable=SC2086 # words
		unprivileged 1 $word
		says "'firewall ${word%% *}'" CAP_NET_ADMIN root
		[ -z "$output" ] || fail "$word: on stdout: $output"
	done
	unprivileged 2 add deny form 192.0.2.1
	says "column 6"
	unprivileged 0 --help
}

@test "attach to a missing interface is an error before a set is made" {
	run -1 --separate-stderr unshare -n "$XF" firewall attach -i nope0 --set cli-test-nope
	says "'nope0'"
}

@test "replace with a file that does not exist is an error" {
	run -1 --separate-stderr "$XF" firewall replace --set cli-test-nope nofile
	says nofile "No such file"
}
