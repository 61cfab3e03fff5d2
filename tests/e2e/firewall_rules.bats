#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The commands that change and list rules, and the files and streams that they read.

load lib.bash
load firewall.bash

@test "add refuses a rule that exists, del one that does not, --exist accepts both" {
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

@test "list prints the most specific rule first, in the form that replace reads" {
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
	# A closed pipe is no error, a full disk is one.
	run -0 --separate-stderr "${A[@]}" bash -c 'set -o pipefail; "$1" firewall list | true' - "$XF"
	same "what it says" "$stderr" ""
	run -1 "${A[@]}" bash -c '"$1" firewall list >/dev/full' - "$XF"
	matches "what it says" "$output" "cannot write to stdout: No space left"
	purge
}

@test "replace names file, line and column of a mistake and changes nothing" {
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

@test "a rule file may begin with a byte order mark and have lines with CR LF" {
	printf '\xef\xbb\xbf# bad\r\ndeny from 192.0.2.1\r\n' >"$T/rules"
	fw replace "$T/rules"
	same "rules" "$(fw list)" "deny from 192.0.2.1"
	printf '\xef\xbb\xbfdeny from 192.0.2.2\n' | fw add -
	same "rules with the second" "$(fw list | wc -l)" 2
	purge
}

@test "replace names file and line of a rule beyond a limit and changes nothing" {
	fw add deny from 192.0.2.1
	printf '# two ranges in one rule\ndeny dport 80\ndeny sport 1-65535 dport 1-65535\n' >"$T/rules"
	run -1 --separate-stderr fw replace "$T/rules"
	matches "what it says" "$stderr" "$T/rules:3:1: too much for a set: .* in 128 ways"
	seq -f 'deny dport 8192-%g' 16384 16400 >"$T/rules"
	run -1 --separate-stderr fw replace - <"$T/rules"
	matches "what it says" "$stderr" "stdin:17:1: too much for a set: 16 rules already differ from this one only in"
	same rules "$(fw list)" "deny from 192.0.2.1"
	# add - goes on behind the refused rule.
	echo "deny dport 9000" >>"$T/rules"
	run -1 --separate-stderr fw add - <"$T/rules"
	matches "what it says" "$stderr" "stdin:17:1: the rule is not added: 16 rules already"
	matches "what it says" "$stderr" "17 rules added, 0 were there already, 1 lines refused"
	run -1 --separate-stderr fw add deny sport 1-65535 dport 1-65535
	matches "what it says" "$stderr" "cannot add the rule to the set 'default': .* in 128 ways"
	same rules "$(fw list | wc -l)" 18
	purge
}

@test "add - names bad lines, leaves them out and adds the others" {
	printf 'deny from 192.0.2.1\nnonsense\n\n# x\ndeny from 192.0.2.2 ttl\ndeny from 192.0.2.1\ndeny from 192.0.2.3\n' >"$T/rules"
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

# cut_input COMMAND...: takes standard input that is empty, or ends within a line, only with --allow-empty.
cut_input() {
	run -1 --separate-stderr fw "$@" - <<<$'# nothing\n'
	matches "what it says" "$stderr" "stdin has no rule.*--allow-empty"
	run -1 --separate-stderr fw "$@" - </dev/null
	matches "what it says" "$stderr" "stdin has no rule.*--allow-empty"
	printf 'deny from 192.0.2.2\ndeny from 192.0.2.3' >"$T/cut"
	run -1 --separate-stderr fw "$@" - <"$T/cut"
	matches "what it says" "$stderr" "stdin:2:20: the last line has no end.*--allow-empty"
}

@test "replace - refuses an empty or cut-off input and changes nothing, unless --allow-empty" {
	fw add deny from 192.0.2.1
	cut_input replace
	run -1 --separate-stderr fw replace <(cat "$T/cut")
	matches "what it says" "$stderr" ":2:20: the last line has no end"
	same rules "$(fw list)" "deny from 192.0.2.1"
	fw replace --allow-empty - <"$T/cut"
	same rules "$(fw list)" $'deny from 192.0.2.2\ndeny from 192.0.2.3'
	fw replace --allow-empty - </dev/null
	same rules "$(fw list)" ""
	# A file is what it is.
	fw replace "$T/cut"
	same rules "$(fw list)" $'deny from 192.0.2.2\ndeny from 192.0.2.3'
	fw replace /dev/null
	same rules "$(fw list)" ""
	purge
}

@test "add - and del - leave out a cut-off line and fail without a rule, unless --allow-empty" {
	cut_input add
	same rules "$(fw list)" "deny from 192.0.2.2"
	matches "what it says" "$stderr" "1 rules added, 0 were there already, 1 lines refused"
	run -0 fw add --exist --allow-empty - <"$T/cut"
	run -0 fw add --allow-empty - </dev/null
	same rules "$(fw list)" $'deny from 192.0.2.2\ndeny from 192.0.2.3'
	cut_input del
	same rules "$(fw list)" "deny from 192.0.2.3"
	run -0 fw del --exist --allow-empty - <"$T/cut"
	same rules "$(fw list)" ""
	purge
}

@test "add - from an open pipe adds each rule at once, and lets other writers in" {
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
