#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The log of the firewall: the denied packets and the rules that denied them.

load lib.bash
load firewall.bash

# wants TEXT [COUNT]: fails when not COUNT lines of the log have this text behind time and interface.
wants() {
	same "number of lines '$1' in $(cut -d' ' -f 2- "$T/log.out" | sort | uniq -c)" \
		"$(cut -d' ' -f 3- "$T/log.out" | grep -cxF -- "$1")" "${2:-1}"
}

# end_log LINES: end the log when it has printed so many lines; fails when it prints more.
end_log() {
	wait_for has_lines log "$1"
	stop log
	same lines "$(lines log)" "$1"
}

@test "the log has packets denied by a rule and by the policy, and no others" {
	attach_fw --policy deny
	fw add allow proto tcp dport 22
	fw add deny proto udp dport 5000-5001
	fw add deny from 10.9.0.2 proto icmp ttl 100
	start log firewall log
	udp_to 10.9.0.1 5001
	udp_to 10.9.0.1 6000
	silent
	listener ssh 22
	reaches 22
	end_log 4
	matches "first line" "$(head -n 1 "$T/log.out")" \
		"^[0-9:]{8}\.[0-9]{6} eth0 10\.9\.0\.2:[0-9]+ > 10\.9\.0\.1:5001 udp len 44 denied by deny proto udp dport 5000-5001$"
	matches "second line" "$(sed -n 2p "$T/log.out")" "10\.9\.0\.1:6000 udp len 44 denied by the policy$"
	wants "10.9.0.2 > 10.9.0.1 icmp 8/0 len 98 denied by deny from 10.9.0.2 proto icmp" 2
	totals log
	same "counters" "$seen $logged $lost $unread" "4 4 0 0"
	same "denied by rules and policy" "$(total default denied) $(total default policy_denied)" "3 1"
	same "what is attached" "$(program_on eth0)" "$(program log)"
	purge
}

@test "the log has denied IPv6 packets" {
	attach_fw
	ipv6_up
	fw add deny from fd00:9::/64 proto icmpv6
	fw add deny to fd00:9::1 dport 7000
	start log firewall log
	silent fd00:9::1
	udp_to fd00:9::1 7000
	end_log 3
	wants "fd00:9::2 > fd00:9::1 icmpv6 128/0 len 118 denied by deny from fd00:9::/64 proto icmpv6" 2
	matches "last line" "$(tail -n 1 "$T/log.out")" \
		"eth0 \[fd00:9::2\]:[0-9]+ > \[fd00:9::1\]:7000 udp len 64 denied by deny to fd00:9::1 dport 7000$"
	purge
}

@test "a packet with too many tags or extension headers is logged as unread" {
	attach_fw
	fw add deny proto tcp
	start log firewall log
	macs='\x02\0\0\0\x09\x01\x02\0\0\0\x09\x02'
	raw "$macs$(printf '\\x81\\0\\0\\x0%d' 1 2 3 4 5)$(printf '\\0%.0s' {1..60})"
	raw "$macs\x86\xdd\x60\0\0\0\0\x48\x3c\x40$(printf '\\0%.0s' {1..32})$(printf '\\x3c\\0\\0\\0\\0\\0\\0\\0%.0s' {1..9})"
	end_log 2
	unread="denied unread: more headers than are looked through"
	wants "vlan 1,2,3,4 02:00:00:00:09:02 > 02:00:00:00:09:01 type 0x8100 len 92 [truncated] $unread"
	wants ":: > :: proto 60 len 126 [truncated] $unread"
	same "denied by the policy" "$(total default policy_denied)" 2
	purge
}

# inside HEADERS: side b sends a frame with these headers before 10.1.2.3:40001 > 10.1.2.4:53.
inside() {
	raw "\x02\0\0\0\x09\x01\x02\0\0\0\x09\x02$1\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\x01\x02\x03\x0a\x01\x02\x04\x9c\x41\0\x35\0\x08\0\0"
}

# Headers before IPv4: PPPoE, the same with its number in one byte, and behind tags; MPLS likewise.
PPPOE='\x88\x64\x11\0\0\x01\0\x1e\0\x21'
PFC='\x88\x64\x11\0\0\x01\0\x1d\x21'
TAGGED_PPPOE='\x81\0\0\x07\x88\x64\x11\0\0\x01\0\x1e\0\x21'
MPLS='\x88\x47\0\x01\0\x40\0\x01\x01\x40'
TAGGED_MPLS='\x81\0\0\x07\x88\x47\0\0\x01\x40'
MANY_LABELS='\x88\x47\0\x01\0\x40\0\x01\0\x40\0\x01\0\x40\0\x01\0\x40\0\x01\x01\x40'

@test "rules and lines meet the addresses in PPPoE and MPLS" {
	local line="10.1.2.3:40001 > 10.1.2.4:53 udp" headers

	start log log -i eth0
	for headers in "$PPPOE" "$PFC" "$TAGGED_PPPOE" "$MPLS" "$TAGGED_MPLS" "$MANY_LABELS"; do
		inside "$headers"
	done
	wait_for has_lines log 6
	stop log
	same "lines" "$(cut -d' ' -f 3- "$T/log.out")" "$line len 50
$line len 49
vlan 7 $line len 54
$line len 50
vlan 7 $line len 50
02:00:00:00:09:02 > 02:00:00:00:09:01 type 0x8847 len 62 [truncated]"
	attach_fw
	fw add deny from 10.1.2.3
	start log firewall log
	for headers in "$PPPOE" "$PFC" "$TAGGED_PPPOE" "$MPLS" "$TAGGED_MPLS" "$MANY_LABELS"; do
		inside "$headers"
	done
	end_log 6
	same "denied by the rule" "$(hits "deny from 10.1.2.3")" 5
	same "denied unread" "$(total default policy_denied)" 1
	same "lines with the address" "$(grep -c "$line len .* denied by deny from 10.1.2.3$" "$T/log.out")" 5
	fw replace - <<<"deny from 10.1.2.9"
	for headers in "$PPPOE" "$PFC" "$TAGGED_PPPOE" "$MPLS" "$TAGGED_MPLS"; do
		inside "$headers"
	done
	wait_for passed 5
	purge
}

passed() {
	[ "$(total default policy_allowed)" -ge "$1" ]
}

@test "JSON lines name the rule or the policy" {
	attach_fw --policy deny
	fw add deny proto udp dport 5000
	start log firewall log -f json
	udp_to 10.9.0.1 5000
	udp_to 10.9.0.1 6000
	end_log 2
	same objects "$(jq -c '[.iface, .src, .dst, .proto, .dport, .denied_by, .rule]' "$T/log.out")" \
		'["eth0","10.9.0.2","10.9.0.1","udp",5000,"rule","deny proto udp dport 5000"]
["eth0","10.9.0.2","10.9.0.1","udp",6000,"policy",null]'
	same "rule in the list" "$(fw list --json | jq -r '.rules[0].rule')" "$(jq -r 'select(.rule).rule' "$T/log.out")"
	purge
}

@test "each interface of a set has lines and counters of its own, and -i selects one" {
	second_pair
	fw attach -q -i eth0 -i eth1
	fw add deny from 192.0.2.1 --set other
	fw add deny proto icmp
	start log firewall log -i eth1
	silent
	silent 10.9.1.1
	end_log 2
	same interfaces "$(cut -d' ' -f 2 "$T/log.out" | sort -u)" eth1
	run -1 --separate-stderr fw log -i eth1 --set other
	matches "what it says" "$stderr" "eth1: no program of the set 'other'"
	begin log "${A[@]}" "$XF" firewall log
	wait_for at_work log 2
	"${B[@]}" ping -q -n -c 3 -i 0.05 -W 0.2 10.9.0.1 >/dev/null || :
	silent 10.9.1.1
	end_log 5
	for want in "eth0 3" "eth1 2"; do
		totals log "${want% *}"
		same "counters of $want" "$seen $logged" "${want#* } ${want#* }"
	done
	same "lines of eth0" "$(grep -c ' eth0 10.9.0.2 > 10.9.0.1 ' "$T/log.out")" 3
	same "lines of eth1" "$(grep -c ' eth1 10.9.1.2 > 10.9.1.1 ' "$T/log.out")" 2
	purge
}

@test "--count, --duration and --write work as with the logger" {
	attach_fw
	fw add deny from 10.9.0.2
	start log firewall log -c 7 -f json -w "$T/file"
	frames 10
	ends log 0
	same "JSON objects" "$(jq -s length "$T/file")" 7
	totals log
	same logged "$logged" 7
	run -1 --separate-stderr fw log -w "$T/file"
	matches "what it says" "$stderr" "file exists already"
	run -0 --separate-stderr fw log -d 0.2 --stats=0.1
	[ "$(grep -c "^eth0: seen 0," <<<"$stderr")" -ge 2 ] || fail "$stderr"
	purge
}

@test "--sample and --rate end with the log" {
	attach_fw
	fw add deny from 10.9.0.2
	start log firewall log --sample 1000000000
	frames 1000
	stop log
	totals log
	same seen "$seen" 1000
	between "sampled out" "$sampled" 999 1000
	start log firewall log --rate 10
	frames 1000
	stop log
	totals log
	same seen "$seen" 1000
	between "rate limited" "$limited" 900 990
	start log firewall log
	frames 100
	end_log 100
	same denied "$(total default denied)" 2100
	purge
}

@test "records lost from a full ring are counted, and the packets stay denied" {
	attach_fw
	fw add deny from 10.9.0.2
	start log firewall log --buffer 4096
	signal STOP log
	frames 500
	same denied "$(total default denied)" 500
	signal CONT log
	stop log
	totals log
	same seen "$seen" 500
	between lost "$lost" 300 480
	same "lines and logged" "$(lines log)" "$logged"
	purge
}

@test "a second reader is refused, and the error names the first" {
	attach_fw
	fw add deny from 10.9.0.2
	start log firewall log
	run -1 --separate-stderr fw log
	matches "what it says" "$stderr" "eth0: program $(program log) is being read by process ${pid[log]}"
	matches "what it says" "$stderr" "one reader; end that one first"
	frames 3
	end_log 3
	purge
}

@test "after kill -9 of a reader the next one reads, and packets stay denied" {
	attach_fw
	fw add deny from 10.9.0.2
	start log firewall log
	finish KILL log
	silent
	start log firewall log
	frames 8
	end_log 8
	totals log
	same logged "$logged" 8
	purge
}

@test "a deleted rule is not named when its packet is printed, an expired one is" {
	attach_fw
	fw add deny proto udp
	start log firewall log -f json
	signal STOP log
	udp_to 10.9.0.1 5000
	fw add deny proto icmp ttl 2
	"${B[@]}" ping -q -n -c 1 -W 0.2 10.9.0.1 >/dev/null || :
	fw del deny proto udp
	sleep 2
	signal CONT log
	end_log 2
	same objects "$(jq -c '[.proto, .denied_by, .rule]' "$T/log.out")" \
		'["udp","rule",null]
["icmp","rule","deny proto icmp"]'
	purge
}

@test "a packet denied before a replace is not attributed to a rule in the same place" {
	attach_fw
	fw add deny from 10.9.0.2
	start log firewall log
	signal STOP log
	silent
	printf 'deny from 192.0.2.%d\n' {1..20} | fw replace -q -
	signal CONT log
	wait_for has_lines log 2
	fw add deny proto icmp
	silent
	end_log 4
	wants "10.9.0.2 > 10.9.0.1 icmp 8/0 len 98 denied by a rule that is gone" 2
	wants "10.9.0.2 > 10.9.0.1 icmp 8/0 len 98 denied by deny proto icmp" 2
	purge
}

@test "a packet denied before a replace is not attributed to a matching rule in the same place" {
	attach_fw
	fw add deny from 10.9.0.2
	start log firewall log
	signal STOP log
	silent
	fw replace -q - <<<"deny proto icmp"
	silent
	# A trial keeps the ids of the rules.
	fw attach -q -i eth0 --confirm 60
	silent
	signal CONT log
	end_log 6
	wants "10.9.0.2 > 10.9.0.1 icmp 8/0 len 98 denied by a rule that is gone" 2
	wants "10.9.0.2 > 10.9.0.1 icmp 8/0 len 98 denied by deny proto icmp" 4
	purge
}

@test "writers do not wait for the log" {
	attach_fw
	start log firewall log
	signal STOP log
	"${A[@]}" timeout 60 "$XF" firewall add deny proto icmp
	signal CONT log
	silent
	end_log 2
	wants "10.9.0.2 > 10.9.0.1 icmp 8/0 len 98 denied by deny proto icmp" 2
	purge
}

@test "detach ends the log of that interface" {
	second_pair
	fw attach -q -i eth0 -i eth1
	fw add deny proto icmp
	start log firewall log -i eth0 -i eth1
	fw detach -q -i eth0
	says log "eth0: somebody unloaded the program"
	silent 10.9.1.1
	wait_for has_lines log 2
	fw detach -q --purge
	ends log 0
	totals log eth1
	same logged "$logged" 2
}

@test "the log goes on when one interface moves to another network namespace" {
	second_pair
	fw attach -q -i eth0 -i eth1
	fw add deny proto icmp
	start log firewall log -i eth0 -i eth1
	ip -n "$LAB-b" link set eth0 name peer0
	ip -n "$LAB-a" link set eth0 netns "$LAB-b"
	says log "eth0: .* another network namespace.*'xdpfun-load firewall detach' removes it there"
	silent 10.9.1.1
	end_log 2
	nsenter --net="/run/netns/$LAB-b" --mount="/proc/$holder/ns/mnt" "$XF" firewall detach -q -i eth0
	purge
}

@test "firewall log without a set, an interface or a program is an error" {
	run -1 --separate-stderr fw log
	matches "what it says" "$stderr" "no rule set 'default'"
	fw add deny from 192.0.2.1
	run -1 --separate-stderr fw log
	matches "what it says" "$stderr" "the set 'default' is attached to no interface.*firewall attach -i IFACE --set default"
	run -1 --separate-stderr fw log -i nope0
	matches "what it says" "$stderr" "'nope0'"
	purge
}

# slots PROGRAM: how many rings its map of rings holds.
slots() {
	local map

	for map in $(bpftool -j prog show id "$1" | jq '.map_ids[]'); do
		[ "$(bpftool -j map show id "$map" | jq -r .name)" != xf_rings ] || bpftool -j map dump id "$map" |
			jq '[.[] | select(.value | type == "array" and any(. != "0x00"))] | length'
	done
}

@test "stats counts what a dead reader's rings still hold, and these go with it" {
	attach_fw
	fw add deny proto udp
	start log firewall log
	between "slots in use" "$(slots "$(program log)")" 1 1024
	# A reader that lives is left alone, also by one who does not share its lock file.
	frames 2
	wait_for has_lines log 2
	same "left by a living reader" "$(fw stats --json | jq -c .interfaces[0].left_records)" null
	same "left by a reader behind another lock file" "$("${A[@]}" unshare -m bash -c \
		'mount -t tmpfs none /run && "$1" firewall stats --json' - "$XF" | jq -c .interfaces[0].left_records)" null
	frames 3
	wait_for has_lines log 5
	signal STOP log
	frames 40
	signal KILL log
	wait "${pid[log]}" || :
	fw stats >"$T/stats"
	matches stats "$(<"$T/stats")" "a reader on eth0 died and left 40 records in [0-9.]+ MiB of rings, which are released now"
	same "slots in use" "$(slots "$(program log)")" 0
	same "left afterwards" "$(fw stats --json | jq -c .interfaces[0].left_records)" null
	same "denied by rules" "$(total default denied)" 45
	purge
}
