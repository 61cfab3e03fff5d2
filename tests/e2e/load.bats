#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The counters against the kernel's, under more packets than log can print, and the delay of a single packet.

load lib.bash

@test "seen equals the kernel's count of packets sent" {
	# On a busy machine the reader may be late, which a large buffer bridges.
	start log -f json --buffer 256M
	before=$(sent)
	pings 200
	frames 3000
	for port in 1 2 3 4 5; do
		udp_to 10.9.0.1 $port
	done
	"${A[@]}" iperf3 -s -1 >"$T/server.out" 2>&1 3>&- &
	wait_for listens
	"${B[@]}" iperf3 -c 10.9.0.1 -n 20M >"$T/client.out"
	all=$(($(sent) - before))
	stop log
	totals log
	between "packets" "$all" 3400 1000000
	same seen "$seen" "$all"
	same logged "$logged" "$all"
	same lines "$(lines log)" "$all"
}

listens() {
	"${A[@]}" ss -Hltn "sport = 5201" | grep -q .
}

@test "the kernel's count of submitted records is compared with what was read: a difference is a fault" {
	start log --object "$helpers/miscount.bpf.o"
	frames 100
	stop log 1
	same lines "$(lines log)" 90
	says log "^eth0: seen 100, logged 90, filtered 0, sampled out 0, rate limited 0, lost 0, unread 0$"
	says log "error: eth0: the kernel counted 100 packets, and 90 are accounted for"
}

@test "seen equals the kernel's count of packets sent in SKB mode" {
	start log --mode skb
	before=$(sent)
	frames 2000
	pings 100
	all=$(($(sent) - before))
	stop log
	totals log
	same "packets" "$all" 2100
	same seen "$seen" "$all"
	same lines "$(lines log)" "$all"
}

@test "packets after the last line of --count are unread" {
	start log --count 10
	before=$(sent)
	begin traffic "${B[@]}" "$helpers/frames" eth0 2000
	ends log 0
	ends traffic 0
	totals log
	same logged "$logged" 10
	same lines "$(lines log)" 10
	same lost "$lost" 0
	same "unread and seen" $((unread + 10)) "$seen"
	between seen "$seen" 10 $(($(sent) - before))
}

@test "packets that overrun the reader are counted as lost" {
	start log --buffer 16K -w "$T/file"
	begin live "${B[@]}" "$helpers/live" eth0 1000000
	ends live 0
	stop log
	totals log
	same seen "$seen" "$(<"$T/live.out")"
	same seen "$seen" 1000000
	between lost "$lost" 1000 1000000
	between logged "$logged" 1 999000
	same unread "$unread" 0
	same "lines in the file" "$(wc -l <"$T/file")" "$logged"
	same "what the other end sent" "$(sent)" 1000000
}

@test "the counters add up with two sources, --rate and two interfaces" {
	[ "$(nproc)" -ge 2 ] || skip "there is one processor only"
	second_pair
	start log --buffer 64K --rate 100000 -i eth0 -i eth1 -w "$T/file"
	begin one "${B[@]}" "$helpers/live" eth0 500000 500000 0
	begin two "${B[@]}" "$helpers/live" eth1 500000 500000 1
	ends one 0
	ends two 0
	stop log
	totals log eth0
	same "seen on eth0" "$seen" 500000
	all=$logged
	totals log eth1
	same "seen on eth1" "$seen" 500000
	same "lines in the file" "$(wc -l <"$T/file")" $((all + logged))
}

# The ring of one processor has room for all packets, with 200 bytes and more for each, however late the reader is.
@test "nothing is lost when the rings are large enough" {
	local all=$((256 * 1048576 / $(getconf _NPROCESSORS_CONF) / 400))

	[ $all -lt 300000 ] || all=300000
	start log --buffer 256M -w "$T/file"
	begin live "${B[@]}" "$helpers/live" eth0 $all
	ends live 0
	stop log
	totals log
	same logged "$logged" $all
	same "lines in the file" "$(wc -l <"$T/file")" $all
}

@test "a single packet is printed within 50 ms, after silence and after another packet" {
	mkfifo "$T/pipe"
	"${A[@]}" "$XF" >"$T/pipe" 2>"$T/log.err" 3>&- &
	# shellcheck disable=SC2034 # for lib.bash
	began log $!
	exec 8<"$T/pipe"
	wait_for at_work log 1
	# Half of the packets find the reader asleep, half of them find it polling its rings.
	"${B[@]}" "$helpers/latency" eth0 1500 200 1400 200 100 1300 200 30 >"$T/us" <&8
	exec 8<&-
	same "number of measurements" "$(wc -l <"$T/us")" 8
	# A line takes turns of three processes.
	while read -r us late; do
		between "us, with $late us for a process to get its turn," "$us" 1 $((50000 + 4 * late))
	done <"$T/us"
	ends log 0
}

@test "log uses next to no CPU time without packets" {
	start log --stats=600
	frames 10
	wait_for has_lines log 10
	# The reader falls asleep a second after the last packet.
	wait_for rests log
	stop log
}
