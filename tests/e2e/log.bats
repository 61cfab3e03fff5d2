#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The lines of real packets, and the options that limit their number.

load lib.bash

# mixed_traffic: send pings, a TCP connection and a datagram over IPv4 and over IPv6, and a tagged frame.
mixed_traffic() {
	local address

	for address in 10.9.0.1 fd00:9::1; do
		pings 3 $address
		begin "nc-$address" "${A[@]}" nc -l -N $address 8080
		wait_for is_listening $address
		"${B[@]}" bash -c 'exec 9<>/dev/tcp/$1/8080; echo hello >&9; exec 9>&-' - $address
		wait_for gone "nc-$address"
		udp_to $address 53
	done
	frames 1 64 0 7
}

is_listening() {
	"${A[@]}" ss -Hltn "sport = 8080" | grep -qF "$1"
}

@test "log prints text lines of ping, TCP, UDP and IPv6" {
	ipv6_up
	start log
	mixed_traffic
	wait_for grep -q 'vlan 7' "$T/log.out"
	stop log
	stamp='[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6} eth0'
	while read -r wanted count; do
		wanted=${wanted//_/ }
		found=$(grep -cE "^$stamp $wanted\$" "$T/log.out") || :
		[ "$count" = + ] && [ "$found" -gt 0 ] || same "number of lines like '$wanted'" "$found" "$count"
	done <<-'END'
		10\.9\.0\.2_>_10\.9\.0\.1_icmp_8/0_len_98 3
		10\.9\.0\.2:[0-9]+_>_10\.9\.0\.1:8080_tcp_\[S\]_len_74 1
		10\.9\.0\.2:[0-9]+_>_10\.9\.0\.1:8080_tcp_\[P\.\]_len_72 1
		10\.9\.0\.2:[0-9]+_>_10\.9\.0\.1:8080_tcp_\[F\.\]_len_66 1
		10\.9\.0\.2:[0-9]+_>_10\.9\.0\.1:53_udp_len_44 1
		fd00:9::2_>_fd00:9::1_icmpv6_128/0_len_118 3
		\[fd00:9::2\]:[0-9]+_>_\[fd00:9::1\]:8080_tcp_\[S\]_len_94 1
		\[fd00:9::2\]:[0-9]+_>_\[fd00:9::1\]:53_udp_len_64 1
		vlan_7_10\.9\.0\.2:10000_>_10\.9\.0\.1:10000_udp_len_64 1
	END
}

@test "log prints JSON lines of ping, TCP, UDP and IPv6" {
	ipv6_up
	start log -f json
	mixed_traffic
	wait_for grep -q '"vlan"' "$T/log.out"
	stop log
	totals log
	same "JSON objects" "$(jq -s length "$T/log.out")" "$logged"
	keys='[.src, .dst, .proto, .dport, .tcp_flags, .icmp_type, .vlan, .len, .iface, .rx_queue, .eth_type, .eth_src]'
	while read -r count wanted; do
		same "number of $wanted" "$(jq -c "$keys" "$T/log.out" | grep -cFx "$wanted")" "$count"
	done <<-'END'
		3 ["10.9.0.2","10.9.0.1","icmp",null,null,8,null,98,"eth0",0,2048,"02:00:00:00:09:02"]
		1 ["10.9.0.2","10.9.0.1","tcp",8080,"S",null,null,74,"eth0",0,2048,"02:00:00:00:09:02"]
		1 ["10.9.0.2","10.9.0.1","udp",53,null,null,null,44,"eth0",0,2048,"02:00:00:00:09:02"]
		3 ["fd00:9::2","fd00:9::1","icmpv6",null,null,128,null,118,"eth0",0,34525,"02:00:00:00:09:02"]
		1 ["fd00:9::2","fd00:9::1","tcp",8080,"S",null,null,94,"eth0",0,34525,"02:00:00:00:09:02"]
		1 ["fd00:9::2","fd00:9::1","udp",53,null,null,null,64,"eth0",0,34525,"02:00:00:00:09:02"]
		1 ["10.9.0.2","10.9.0.1","udp",10000,null,null,[7],64,"eth0",0,2048,"02:00:00:00:09:02"]
	END
}

# between_markers: print the lines between those of two marker packets.
between_markers() {
	sed -n '/\.1111$/,/\.1112$/p' | sed '1d;$d'
}

@test "log and tcpdump see the same packets" {
	ipv6_up
	start log -f json
	begin tcpdump "${A[@]}" tcpdump -i eth0 -Q in -nn -l --immediate-mode
	says tcpdump 'listening on'
	udp_to 10.9.0.1 1111
	mixed_traffic
	frames 200 64 100
	udp_to 10.9.0.1 1112
	wait_for grep -q '\.1112: UDP' "$T/tcpdump.out"
	stop tcpdump
	stop log
	jq -r '(.sport // "" | if . == "" then . else ".\(.)" end) as $s
		| (.dport // "" | if . == "" then . else ".\(.)" end) as $d
		| "\(.src)\($s) > \(.dst)\($d)"' "$T/log.out" | between_markers >"$T/ours"
	sed -nE 's/.* (IP6?|vlan 7, p 0, ethertype IPv4,) ([0-9a-f.:]+) > ([0-9a-f.:]+): .*/\2 > \3/p' "$T/tcpdump.out" |
		between_markers >"$T/theirs"
	between "number of packets" "$(wc -l <"$T/ours")" 215 250
	diff "$T/ours" "$T/theirs"
}

@test "--count N prints exactly N lines over two interfaces" {
	second_pair
	start log -i eth0 -i eth1 --count 25
	frames 20
	"${B[@]}" "$helpers/frames" eth1 20
	ends log 0
	same lines "$(lines log)" 25
	totals log eth0
	first=$logged
	totals log eth1
	same "logged on both" $((first + logged)) 25
	same "lost on both" "$lost" 0
}

@test "--count ends log with its last line, not with the next packet" {
	start log --count 3
	frames 3
	ends log 0
	same lines "$(lines log)" 3
	totals log
	same seen "$seen" 3
}

@test "--duration ends log by itself" {
	local now began shortest

	# The shortest log tells how long start and end take on this machine.
	clock
	began=$now
	begin log "${A[@]}" "$XF" --duration 0.001
	ends log 0
	clock
	shortest=$((now - began))
	began=$now
	begin log "${A[@]}" "$XF" --duration 1.2
	ends log 0
	clock
	between "milliseconds, where it takes $shortest at least," $((now - began)) 1190 $((1700 + 4 * shortest))
	totals log
	same seen "$seen" 0
}

@test "--stats prints the counters while log runs" {
	start log --stats=0.2
	frames 10
	wait_for grep -q '^eth0: seen 10, logged 10,' "$T/log.err"
	stats_lines_are() { [ "$(grep -c '^eth0: seen' "$T/log.err")" -ge "$1" ]; }
	wait_for stats_lines_are 5
	stop log
	last=0
	while read -r line; do
		count_of "$line" eth0
		[ "$seen" -ge "$last" ] || fail "seen went back from $last to $seen"
		last=$seen
	done < <(grep '^eth0: seen' "$T/log.err")
	same "last seen" "$last" 10
}

@test "one process logs several interfaces, each with counters of its own" {
	second_pair
	start log -i eth0 -i eth1
	frames 7
	"${B[@]}" "$helpers/frames" eth1 5
	wait_for has_lines log 12
	stop log
	same "lines of eth0" "$(grep -c ' eth0 ' "$T/log.out")" 7
	same "lines of eth1" "$(grep -c ' eth1 ' "$T/log.out")" 5
	totals log eth0
	same "seen on eth0" "$seen" 7
	totals log eth1
	same "seen on eth1" "$seen" 5
}

@test "--sample logs about one in N and counts the rest" {
	start log --sample 4
	frames 8000
	stop log
	totals log
	same seen "$seen" 8000
	same "logged and sampled out" $((logged + sampled)) 8000
	# The range is eight standard deviations to both sides.
	between logged "$logged" 1690 2310
	same lines "$(lines log)" "$logged"
}

@test "--rate never logs more in any second" {
	local now began

	start log --rate 50 -f json
	clock
	began=$now
	frames 5000 64 400
	clock
	stop log
	totals log
	same seen "$seen" 5000
	same "logged and rate limited" $((logged + limited)) 5000
	# The sender takes two seconds, or longer on a busy machine.
	between logged "$logged" 90 $((50 * (now - began) / 1000 + 150))
	same lines "$(lines log)" "$logged"
	# Each line is compared with the line that came as many lines before as a second may have.
	jq -r '.time[11:-1] | split(":") | (.[0] | tonumber) * 3600 + (.[1] | tonumber) * 60 + (.[2] | tonumber)' \
		"$T/log.out" >"$T/times"
	awk -v most=$((50 + $(getconf _NPROCESSORS_CONF))) '
		$1 + days < t[NR - 1] - 43200 { days += 86400 }
		{ $1 += days; t[NR] = $1 }
		NR > most && $1 >= t[NR - most] && $1 - t[NR - most] < 0.999999 {
			print "line " NR " comes " $1 - t[NR - most] " s after line " NR - most
			bad = 1
		}
		END { exit bad }' "$T/times"
}

@test "time stamps are wall-clock time" {
	start log -f json
	before=$(date +%s.%N)
	frames 5 64 1000
	after=$(date +%s.%N)
	wait_for has_lines log 5
	stop log
	while read -r stamp; do
		[[ $stamp = *Z ]] || fail "$stamp is not in UTC"
		at=$(date -d "$stamp" +%s.%N)
		jq -en "$before - 0.001 <= $at and $at <= $after + 0.001" >/dev/null ||
			fail "$at is not between $before and $after"
	done < <(jq -r .time "$T/log.out")
}

@test "packets of two processors come out in time order" {
	[ "$(nproc)" -ge 2 ] || skip "there is one processor only"
	second_pair
	start log -i eth0 -i eth1 -f json --buffer 256M
	begin one "${B[@]}" "$helpers/live" eth0 30000 3000 0
	begin two "${B[@]}" "$helpers/live" eth1 30000 3000 1
	ends one 0
	ends two 0
	stop log
	for iface in eth0 eth1; do
		totals log $iface
		same "seen on $iface" "$seen" 30000
		same "lost on $iface" "$lost" 0
	done
	same lines "$(lines log)" 60000
	# The lines must alternate between the processors. A packet is late when one of a millisecond later came
	# before it, which happens only when it waited for its place in a ring while the reader passed.
	sed -E 's/.*T(..):(..):([0-9.]*)Z","iface":"([^"]*)".*/\1 \2 \3 \4/' "$T/log.out" | awk '
		{ time = days + $1 * 3600 + $2 * 60 + $3 }
		time < newest - 43200 { days += 86400; time += 86400 }
		NR > 1 && $4 != iface { changes++ }
		time < newest - 0.001 { late++ }
		time > newest { newest = time }
		{ iface = $4 }
		END { print changes + 0 " changes, " late + 0 " came late"; exit changes < 10 || late > 20 }'
}

@test "XDP sees received packets only: what this machine sends is not in the log" {
	start log
	"${A[@]}" ping -q -n -c 3 -i 0.01 10.9.0.2
	wait_for has_lines log 3
	stop log
	same "answers" "$(grep -c '10.9.0.2 > 10.9.0.1 icmp 0/0' "$T/log.out")" 3
	same lines "$(lines log)" 3
}

@test "--date adds the date to text" {
	local day

	start log --date
	day=$(date +%F)
	frames 2
	wait_for has_lines log 2
	stop log
	# Midnight may have passed.
	same "lines with the date" "$(grep -cE "^($day|$(date +%F)) [0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6} eth0 10\." "$T/log.out")" 2
}

@test "a fragment with more to come has a +" {
	start log
	"${B[@]}" ping -q -n -c 1 -s 3000 10.9.0.1
	wait_for has_lines log 3
	stop log
	matches "first line" "$(head -n 1 "$T/log.out")" 'icmp 8/0 frag [0-9]+@0\+ len 1514$'
	matches "second line" "$(sed -n 2p "$T/log.out")" 'icmp frag [0-9]+@1480\+ len 1514$'
	matches "last line" "$(sed -n 3p "$T/log.out")" 'icmp frag [0-9]+@2960 len 82$'
}

# jq_line N: the Nth object of the log, without what all have.
jq_line() {
	sed -n "$1p" "$T/log.out" | jq -c 'del(.time, .iface, .rx_queue, .eth_src, .eth_dst)'
}

@test "802.3 frames: a length and SAPs, no EtherType" {
	local macs='\x02\0\0\0\x09\x01\x02\0\0\0\x09\x02' zeros

	zeros=$(printf '\\0%.0s' {1..43})
	start log
	raw "$macs\0\x26\x42\x42\x03$zeros"
	raw "$macs\0\x2e\xaa\xaa\x03\0\0\x0c\x20\0$zeros"
	wait_for has_lines log 2
	stop log
	same "lines" "$(cut -d' ' -f 3- "$T/log.out")" "02:00:00:00:09:02 > 02:00:00:00:09:01 llc dsap 0x42 ssap 0x42 len 60
02:00:00:00:09:02 > 02:00:00:00:09:01 llc dsap 0xaa ssap 0xaa snap 00:00:0c type 0x2000 len 65"
	start log -f json
	raw "$macs\0\x26\x42\x42\x03$zeros"
	raw "$macs\0\x2e\xaa\xaa\x03\0\0\x0c\x20\0$zeros"
	raw "$macs\x88\xcc$zeros"
	wait_for has_lines log 3
	stop log
	same "first object" "$(jq_line 1)" '{"len":60,"len_802_3":38,"llc_dsap":66,"llc_ssap":66}'
	same "second object" "$(jq_line 2)" \
		'{"len":65,"len_802_3":46,"llc_dsap":170,"llc_ssap":170,"snap_oui":"00:00:0c","snap_type":8192}'
	same "third object" "$(jq_line 3)" '{"len":57,"eth_type":35020}'
}

@test "an IPv6 payload length of 0 without a jumbo option is a header and no payload" {
	local macs='\x02\0\0\0\x09\x01\x02\0\0\0\x09\x02' head zeros

	zeros=$(printf '\\0%.0s' {1..15})
	head="$macs\x86\xdd\x60\0\0\0\0\0"
	start log
	raw "$head\x11\x40${zeros}\x01${zeros}\x02\x9c\x41\x01\xbb\0\x08\0\0"
	raw "$head\0\x40${zeros}\x01${zeros}\x02\x11\0\xc2\x04\0\x01\0\x08\x9c\x41\x01\xbb\0\x08\0\0"
	raw "$head\x3b\x40${zeros}\x01${zeros}\x02\0\0\0\0\0\0"
	wait_for has_lines log 3
	stop log
	same "lines" "$(cut -d' ' -f 3- "$T/log.out")" "::1 > ::2 udp len 62 [truncated]
[::1]:40001 > [::2]:443 udp len 70
::1 > ::2 proto 59 len 60"
}
