#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Lists in the formats of other programs: allow or deny is given once, and each address becomes a rule.

load lib.bash
load firewall.bash

@test "a plain list: comments, BOM, CRLF and ranges become rules, and packets meet them" {
	attach_fw
	printf '\xef\xbb\xbf; bad\r\n10.9.0.2 ; SBL1\r\n# and\r\n192.0.2.0-192.0.2.5\r\n2001:db8::/32 # x\r\n' >"$T/list"
	run -0 --separate-stderr fw replace deny "$T/list"
	matches "what it says" "$stderr" "set 'default': 4 rules"
	silent
	same rules "$(fw list | sort)" "$(printf 'deny from %s\n' 10.9.0.2 192.0.2.0/30 192.0.2.4/31 2001:db8::/32)"
	fw replace --format plain allow "$T/list"
	answers
	same actions "$(fw list | cut -d ' ' -f 1 | sort -u)" allow
	run -0 --separate-stderr fw add deny - <"$T/list"
	matches "what it says" "$stderr" "4 rules added"
	silent
	run -0 --separate-stderr fw del --format plain deny - <"$T/list"
	matches "what it says" "$stderr" "4 rules taken out"
	answers
	purge
}

@test "host bits are refused, or cleared with --mask, and errors name the line" {
	fw add deny from 192.0.2.1
	printf '198.51.100.0/24\n10.0.0.1/8\n' >"$T/list"
	run -1 --separate-stderr fw replace deny "$T/list"
	matches "what it says" "$stderr" "list:2:1: there are host bits .* expected 10.0.0.0/8.*--mask"
	same rules "$(fw list)" "deny from 192.0.2.1"
	fw replace --mask deny "$T/list"
	same rules "$(fw list)" $'deny from 198.51.100.0/24\ndeny from 10.0.0.0/8'
	printf '192.0.2.7\nexample.org\n<html>\n192.0.2.8\n' >"$T/list"
	run -1 --separate-stderr fw replace deny "$T/list"
	matches "what it says" "$stderr" "list:2:1: .*\"example.org\""
	same rules "$(fw list | wc -l)" 2
	run -1 --separate-stderr fw add deny - <"$T/list"
	matches "what it says" "$stderr" "stdin:2:1: .*stdin:3:1: .*2 rules added, 0 were there already, 2 lines refused"
	# Without allow or deny the file has to have rules, and the error names the missing word.
	run -1 --separate-stderr fw replace "$T/list"
	matches "what it says" "$stderr" "list:1:1: expected allow or deny.*'deny $T/list'"
	run -1 --separate-stderr fw add - <"$T/list"
	matches "what it says" "$stderr" "stdin:1:1: expected allow or deny.*'deny -'"
	same rules "$(fw list | wc -l)" 4
	purge
}

@test "the output of ipset save and nft list is read, with timeouts, and only of the first set" {
	cat >"$T/ipset" <<-END
		create bad hash:net family inet hashsize 1024 maxelem 65536 timeout 300
		add bad 192.0.2.0/24 timeout 300
		add bad 198.51.100.7 timeout 0
	END
	fw replace deny - <"$T/ipset"
	matches rules "$(fw list)" $'deny from 198.51.100.7\ndeny from 192.0.2.0/24 ttl (300|299|298)'
	echo "add good 203.0.113.7" >>"$T/ipset"
	run -1 --separate-stderr fw replace deny "$T/ipset"
	matches "what it says" "$stderr" "ipset:4:5: expected one set, \"bad\", and not also \"good\""
	cat >"$T/nft" <<-END
		table inet filter {
			set bad {
				type ipv4_addr
				flags interval
				elements = { 192.0.2.1-192.0.2.2,
					     198.51.100.0/24 comment "a, b" }
			}
			set good {
				type ipv4_addr
				elements = { 203.0.113.7 }
			}
		}
	END
	run -1 --separate-stderr fw add deny --set other - <"$T/nft"
	matches "what it says" "$stderr" "stdin:8:5: expected one set.*not looked at.*3 rules added"
	same rules "$(fw list --set other)" "$(printf 'deny from %s\n' 192.0.2.1 192.0.2.2 198.51.100.0/24)"
	sed -i '/^set good/,/^}/d' "$T/nft"
	fw replace deny "$T/nft"
	same rules "$(fw list)" "$(printf 'deny from %s\n' 192.0.2.1 192.0.2.2 198.51.100.0/24)"
	# The end of the list is missing.
	sed '/}$/,$d' "$T/nft" >"$T/cut"
	run -1 --separate-stderr fw replace deny "$T/cut"
	matches "what it says" "$stderr" "cut:5:1: the '}' is missing to what begins here"
	run -1 --separate-stderr fw replace deny - </dev/null
	matches "what it says" "$stderr" "stdin has no rule"
	purge
}
