#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The command lines of log, follow, status and unload: usage errors, --help, --version, missing privileges. Nothing is
# attached.

load cli.bash

@test "a number that is not whole or out of range is refused" {
	for value in 80abc "" -1 +1 " 1" 1e3 0x10 1.5 99999999999999999999999; do
		refuses --count "$value" -- --count "\"$value\""
		refuses "--count=$value" -- --count "\"$value\""
		refuses -P "$value" -- -P "\"$value\""
		refuses --sample "$value" -- --sample "\"$value\""
		refuses --rate "$value" -- --rate "\"$value\""
		refuses follow --id "$value" -- --id "\"$value\""
	done
	refuses --count 0 -- --count '"0"' "at least 1"
	refuses --sample 0 -- --sample '"0"' "from 1"
	refuses --rate 0 -- --rate '"0"' "from 1"
	refuses follow --id 0 -- --id '"0"'
	refuses --rate 4294967296 -- --rate '"4294967296"' 4294967295
	refuses --prio 2147483648 -- --prio '"2147483648"' 2147483647
}

@test "seconds that are no number or out of range are refused" {
	for value in 80abc "" -1 1e3 . 1. .5 99999999999999999999999 0; do
		refuses --duration "$value" -- --duration "\"$value\"" seconds
		refuses "--stats=$value" -- --stats "\"$value\"" seconds
	done
}

@test "a size that is no number or out of range is refused" {
	for value in 80abc "" -1 12X K 1KK 1.5M 4095 65G 99999999999999999999999G; do
		refuses --buffer "$value" -- --buffer "\"$value\"" size
	done
}

@test "a choice that --help does not list is refused" {
	refuses --mode sbk -- --mode '"sbk"' "auto, native or skb"
	refuses --mode "" -- --mode '""'
	refuses --format xml -- --format '"xml"' "text or json"
	refuses follow -f xml -- -f '"xml"' "text or json"
}

@test "an option that can be given once is refused the second time, in every command" {
	refuses --count 3 -c 3 -- "-c is given twice"
	refuses log -w a --write b -- "--write is given twice"
	refuses --stats --stats=2 -- "--stats is given twice"
	refuses follow --id 3 --id 4 -- "--id is given twice"
	refuses echo --engine copy --engine splice -- "--engine is given twice"
	refuses echo --stats=1 --stats -- "--stats is given twice"
	refuses forward --routes a --routes b -- "--routes is given twice"
	refuses forward --to 192.0.2.1:1 -l 127.0.0.1:0 -f text --format json -- "--format is given twice"
	for word in attach confirm detach "add deny" "del deny" "replace a" flush "policy deny" protect list stats log; do
		# shellcheck disable=SC2086 # words
		refuses firewall $word --set a --set b -- "--set is given twice"
	done
}

@test "an option without its value is refused by name" {
	refuses -i -- -i missing
	refuses --count -- --count missing
	refuses --write -- --write missing
	refuses unload -i -- -i missing
}

@test "a value for an option that takes none is refused" {
	refuses --quiet=1 -- --quiet '"1"'
	refuses status --json=yes -- --json '"yes"'
}

@test "an empty text is refused" {
	for option in --interface --actions --write --object; do
		refuses "$option" "" -- "$option" '""'
	done
}

@test "an unknown option gets the nearest one suggested" {
	refuses --cuont 3 -- --cuont "mean --count?"
	refuses --chain-action XDP_PASS -- --chain-action "mean --chain-actions?"
	refuses follow --idd 3 -- --idd "mean --id?"
	refuses status --jsn -- --jsn "mean --json?"
	refuses unload --al -- --al "mean --all?"
	refuses -Z -- -Z
	refuses -qZ -- -Z
	refuses status --prio 3 -- --prio
}

@test "an unknown command gets the nearest one suggested" {
	refuses lgo -- "'lgo'" "xdpfun-load log"
	refuses folow -i lo -- "'folow'" "xdpfun-load follow"
	refuses stats -- "'stats'" "xdpfun-load status"
	refuses unlaod -- "'unlaod'" "xdpfun-load unload"
	refuses frobnicate -- "'frobnicate'" log follow status unload
}

@test "unload needs -i or --all, and not both" {
	refuses unload -- -i --all
	refuses unload --force -- -i --all
	refuses unload --all -i lo -- -i --all
}

@test "--append and --force need --write, and exclude each other" {
	refuses --append -- --append --write
	refuses --force -- --force --write
	refuses follow --append -- --append --write
	refuses --append --force --write file -- --append --force
	[ ! -e file ]
}

@test "text is not written to a file with the name of a capture" {
	for name in a.pcap a.pcapng; do
		refuses --write $name -- --write $name
		refuses -f json --write $name -- --write $name
		[ ! -e $name ] || fail "$name was made"
	done
}

@test "chain actions without XDP_PASS are refused" {
	refuses --actions XDP_DROP -- --actions XDP_DROP XDP_PASS
	refuses -A XDP_ABORTED,XDP_TX -- XDP_ABORTED,XDP_TX XDP_PASS
	refuses --chain-actions XDP_PASS,XDP_FOO -- XDP_FOO
	refuses -A XDP_PASS, -- XDP_PASS,
}

@test "an interface that is named twice is refused" {
	refuses -i lo -i lo -- "'lo'" twice
	refuses follow -i lo -i eth7 -i lo -- "'lo'" twice
}

@test "--id with two interfaces is refused" {
	refuses follow --id 3 -i lo -i eth0 -- --id interface
}

@test "words that are no options are refused" {
	refuses log eth0 -- "'eth0'" -i
	refuses -i lo tcp -- "'tcp'"
	refuses follow eth0 -- "'eth0'" -i
	refuses status eth0 -- "'eth0'" -i
	refuses unload eth0 -- "'eth0'" -i
}

@test "--help lists every option on stdout and ends with 0" {
	run -0 --separate-stderr "$XF" --help
	[ -z "$stderr" ] || fail "on stderr: $stderr"
	commands=$output
	for word in log follow status unload; do
		[[ $commands = *"  $word "* ]] || fail "$word is missing in: $commands"
		run -0 --separate-stderr "$XF" $word --help
		[ -z "$stderr" ] || fail "on stderr: $stderr"
		[[ $output = "Usage: xdpfun-load "*"$word"*--interface* ]] || fail "$word --help says: $output"
		run -0 --separate-stderr "$XF" $word -h
		[[ $output = "Usage: xdpfun-load "* ]] || fail "$word -h says: $output"
	done
	run -0 "$XF" log --help
	for option in -i -m -P -A -f -w -c -d -q -v -h --interface --mode --prio --actions --chain-actions \
		--format --write --append --force --count --duration --sample --rate --buffer --stats --require-chain \
		--version; do
		grep -qE -- " $option([] ,=[)]|\$)" <<<"$output" || fail "log --help does not know $option"
	done
	while IFS= read -r line; do
		[ ${#line} -le 100 ] || fail "a long line: $line"
	done <<<"$output"
}

@test "--version prints the version and those of the libraries on stdout" {
	run -0 --separate-stderr "$XF" --version
	[ "${lines[0]}" = "xdpfun-load $(sed -n 's/^VERSION := //p' "$top/Makefile")" ] || fail "$output"
	libs='libbpf [0-9.]+, zlib [0-9.]+, json-c [0-9.]+; built with libxdp [0-9.]+, libelf [0-9.]+'
	[[ ${lines[1]} =~ ^$libs$ ]] || fail "$output"
	version=$output
	for word in log follow; do
		run -0 --separate-stderr "$XF" $word --version
		[ "$output" = "$version" ] || fail "$word --version: $output"
	done
}

@test "-n and -l of tcpdump are accepted and do nothing" {
	run -1 --separate-stderr "$XF" -n -l -i nope0
	says "'nope0'"
	run -1 --separate-stderr "$XF" follow -nl -i nope0
	says "'nope0'"
}

@test "an error about a missing interface lists the interfaces that are up" {
	for word in log follow status unload; do
		run -1 --separate-stderr unshare -n bash -c '
			ip link set lo up
			ip link add up0 type veth peer name down0 && ip link set up0 up
			exec "$@"' - "$XF" $word -i nope0
		[ -z "$output" ] || fail "$word: on stdout: $output"
		says "'nope0'" " up0"
		[[ $stderr != *down0* ]] || fail "$word lists an interface that is down: $stderr"
	done
	run -1 --separate-stderr unshare -n "$XF"
	says "'eth0'" "no interface is up"
	run -1 --separate-stderr "$XF" -i a-name-that-is-too-long
	says "'a-name-that-is-too-long'"
}

@test "without root an error names the missing capabilities" {
	# Where the others may reach it.
	open=$(mktemp -d)
	chmod 755 "$open"
	cp "$XF" "$open/xdpfun-load"
	for word in log follow status unload; do
		run -1 --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups "$open/xdpfun-load" $word -i lo
		says CAP_BPF CAP_NET_ADMIN CAP_PERFMON root
		[ -z "$output" ] || fail "$word: on stdout: $output"
	done
	run -0 setpriv --reuid=65534 --regid=65534 --clear-groups "$open/xdpfun-load" --help
	rm -r "$open"
}

@test "the error names no capability that the process has" {
	run -1 --separate-stderr setpriv --bounding-set=-net_admin --inh-caps=-all "$XF" -i lo
	says "does not have: CAP_NET_ADMIN"
	[[ ${stderr_lines[0]} != *CAP_BPF* ]] || fail "$stderr"
	run -1 --separate-stderr setpriv --bounding-set=-sys_admin,-perfmon --inh-caps=-all "$XF" -i lo
	says CAP_PERFMON CAP_SYS_ADMIN
	[[ ${stderr_lines[0]} != *CAP_NET_ADMIN* ]] || fail "$stderr"
}
