#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Changes of large rule sets under traffic, by several writers at once, and by writers that are killed.

load lib.bash
load firewall.bash

@test "two writers at once lose no rule" {
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

# rules_for ACTION: print a set that denies port 7002 and has this action for port 7003, beside many other rules.
rules_for() {
	echo "deny proto udp dport 7002"
	echo "$1 proto udp dport 7003"
	seq -f 'deny from 172.16.%g.0/24' 0 255
	seq -f 'deny from 2001:db8:%g::/48' 0 999
}

@test "replace under load passes all packets that both sets allow, and none that both deny" {
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
	signal TERM sink
	ends sink 0
	sent=$(sed -n 's/^sent //p' "$T/source.out")
	same "port 7001" "$(grep ^7001 "$T/sink.out")" "7001 received $sent missing 0"
	same "port 7002" "$(grep ^7002 "$T/sink.out")" "7002 received 0 missing 0"
	between "datagrams to port 7003" "$(sed -n 's/^7003 received \([0-9]*\) .*/\1/p' "$T/sink.out")" 1 $((sent - 1))
	purge
}

@test "kill -9 during replace leaves the old set or the new one whole, and the next replace works" {
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
		finish_running KILL replace
		fw list >"$T/after"
		same "rules after a kill" "$(wc -l <"$T/after")" 100000
		same "sets whose rules are there" "$(awk -F '[ .]' '{ print $3 }' "$T/after" | sort -u | wc -l)" 1
		fw replace -q "$T/rules.a"
		same rules "$(fw list | head -n 1)" "deny from 172.16.0.0"
	done
	finish TERM source
	sleep 0.3
	signal TERM sink
	ends sink 0
	same "port 7001" "$(grep -o 'missing .*' "$T/sink.out")" "missing 0"
	purge
}

@test "kill -9 of a stream of rules leaves the added ones, and the next writer goes on" {
	seq 0 99999 | awk '{ printf "deny from 172.%d.%d.%d\n", 16 + int($1 / 65536), int($1 / 256) % 256, $1 % 256 }' >"$T/rules"
	for i in {1..8}; do
		begin feed "${A[@]}" bash -c 'exec "$1" firewall add --exist - <"$2"' - "$XF" "$T/rules"
		sleep "0.$(printf %02d $((i * 5)))"
		finish_running KILL feed
		fw add --exist "deny from 192.0.2.$i"
		n=$(fw list | wc -l)
		same "rules by stats" "$(fw stats --json | jq .rules)" "$n"
		same "a rule twice" "$(fw list | sort | uniq -d)" ""
	done
	fw add -q --exist - <"$T/rules"
	same rules "$(fw list | wc -l)" 100008
	purge
}
