#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Loaders that are killed, later loaders that adopt or remove their programs, and several loaders at once.

load lib.bash

@test "after kill -9 the program goes on, and status calls it an orphan" {
	start log
	id=$(program log)
	same "owner in status" "$(owner_of eth0)" alive
	same "owner's pid" "$(status_of eth0 '.programs[0].owner.pid')" "${pid[log]}"
	finish KILL log
	same_program eth0 "$id"
	pings 5
	wait_for owner_is eth0 dead
	same "owner's pid" "$(status_of eth0 '.programs[0].owner.pid')" "${pid[log]}"
	between "seen in status" "$(counter eth0 seen)" 5 5
	run -0 "${A[@]}" "$XF" status
	[[ $output = *dead* ]] || fail "$output"
	"${A[@]}" "$XF" unload -i eth0
}

@test "the next log adopts an orphan: the same program, every packet accounted for" {
	start log
	id=$(program log)
	frames 10
	wait_for has_lines log 10
	finish KILL log
	frames 20
	start next
	says next "adopted program $id in native mode"
	same "owner" "$(owner_of eth0)" alive
	same "owner's pid" "$(status_of eth0 '.programs[0].owner.pid')" "${pid[next]}"
	frames 30
	stop next
	totals next
	same lines "$(lines next)" "$logged"
	# Packets that came between the two logs may be printed or not; later ones must be.
	between logged "$logged" 30 50
	same lost "$lost" 0
	same "the last line" "$(tail -n 1 "$T/next.out" | grep -c ':10029 udp')" 1
	same "what is attached" "$(program_on eth0)" ""
}

@test "adoption loses no packet of a running stream" {
	start log
	id=$(program log)
	begin stream "${B[@]}" "$helpers/frames" eth0 2500 64 500
	wait_for has_lines log 50
	finish KILL log
	start next
	says next "adopted program $id"
	ends stream 0
	stop next
	totals next
	same lines "$(lines next)" "$logged"
	# The second log has each packet of the stream from some point on, once, in order. Both logs together lack only
	# packets that the first one had taken and not yet printed.
	sed -nE 's/.*:(1[0-9]{4}) udp.*/\1/p' "$T/next.out" >"$T/ports"
	first=$(head -n 1 "$T/ports")
	diff "$T/ports" <(seq "$first" 12499)
	last=$(grep -E 'len 64$' "$T/log.out" | sed -nE 's/.*:(1[0-9]{4}) udp.*/\1/p' | tail -n 1)
	between "packets between the two" $((first - last - 1)) -400 400
}

@test "after kill -9 of a reader that had fallen behind the counters add up" {
	mkfifo "$T/pipe"
	exec 9<>"$T/pipe"
	"${A[@]}" "$XF" --buffer 64K >"$T/pipe" 2>"$T/log.err" 3>&- 9>&- &
	began log $!
	wait_for at_work log 1
	# All packets come on one processor and fill its ring.
	"${B[@]}" taskset -c 0 "$helpers/frames" eth0 60000
	lost_before=$(counter eth0 lost)
	between "lost while it lived" "$lost_before" 1 60000
	finish KILL log
	exec 9>&-
	"${B[@]}" taskset -c 0 "$helpers/frames" eth0 1000
	# The ring is full and has no reader: packets count as unread, not as lost.
	same "lost after its death" "$(counter eth0 lost)" "$lost_before"
	between "unread after its death" "$(counter eth0 unread)" 900 1000
	same seen "$(counter eth0 seen)" 61000
	start next
	frames 10
	stop next
	totals next
	same lines "$(lines next)" "$logged"
	between logged "$logged" 10 2000
}

# Without a dispatcher a priority has no effect, and replacing the orphan would only lose packets.
@test "an orphan with another priority, without a dispatcher, is adopted" {
	needs_no_chaining
	start log
	id=$(program log)
	finish KILL log
	start next --prio 40
	says next "adopted program $id"
	stop next
}

@test "an orphan in another mode is replaced, and that is said" {
	start log
	id=$(program log)
	finish KILL log
	start next --mode skb
	says next "removed program $id, whose loader died"
	says next "attached program [0-9]+ in skb mode"
	frames 3
	stop next
	same lines "$(lines next)" 3
	same "what is attached" "$(program_on eth0)" ""
}

@test "an orphan of another object is replaced" {
	start log --object "$helpers/otherobject.bpf.o"
	frames 2
	wait_for has_lines log 2
	id=$(program log)
	finish KILL log
	start next
	says next "removed program $id, whose loader died"
	[ "$(program next)" != "$id" ] || fail "$(said next)"
	frames 3
	stop next
	same lines "$(lines next)" 3
}

@test "an orphan of the same object from a file is adopted" {
	start log --object "$OBJ"
	id=$(program log)
	finish KILL log
	start next
	says next "adopted program $id"
	stop next
}

@test "an orphan of another ABI version is replaced" {
	# The owner is a process that has ended, as if an older release had been killed.
	"${A[@]}" xdp-loader load eth0 "$helpers/otherabi.bpf.o"
	other=$(program_on eth0)
	owner=$(bpftool -j prog show id "$other" | jq -r '.map_ids[]' | while read -r map; do
		[ "$(bpftool -j map show id "$map" | jq -r .name)" != xf_owner ] || echo "$map"
	done)
	# The owner is process 1 with a wrong time of start.
	# shellcheck disable=SC2046 # a byte each
	bpftool map update id "$owner" key 0 0 0 0 value hex 01 00 00 00 \
		$(printf '%08x' "$(stat -L -c %i /proc/self/ns/pid)" | sed -E 's/(..)(..)(..)(..)/\4 \3 \2 \1/') \
		ff ff ff ff ff 00 00 00 $(tr -d '\n-' </proc/sys/kernel/random/boot_id | sed 's/../& /g')
	same owner "$(owner_of eth0)" dead
	start next
	says next "removed program $other, whose loader died"
	says next "attached program"
	stop next
}

@test "log does not take over a program without an owner" {
	needs_no_chaining
	"${A[@]}" xdp-loader load eth0 "$OBJ"
	id=$(program_on eth0)
	run -1 "${A[@]}" "$XF" -d 1
	same_program eth0 "$id"
	same owner "$(owner_of eth0)" none
	"${A[@]}" "$XF" unload -i eth0
}

@test "without a dispatcher a second log on the same interface is refused" {
	needs_no_chaining
	start log
	id=$(program log)
	run -1 "${A[@]}" "$XF" -d 1
	[[ $output = *"id $id"* ]] || fail "$output"
	same_program eth0 "$id"
	frames 5
	stop log
	same lines "$(lines log)" 5
}

@test "of two loaders at the same moment at least one runs, and neither leaves anything" {
	for round in 1 2 3 4; do
		begin one "${A[@]}" "$XF"
		begin two "${A[@]}" "$XF"
		decided() { { gone one || at_work one 1; } && { gone two || at_work two 1; }; }
		wait_for decided
		running=0
		for name in one two; do
			if alive $name; then
				running=$((running + 1))
			else
				ends $name 1
				says $name "error"
			fi
		done
		[ $running -gt 0 ] || fail "round $round: neither runs" "$(said one)" "$(said two)"
		frames 5
		for name in one two; do
			alive $name || continue
			wait_for has_lines $name 5
			stop $name
			totals $name
			same seen "$seen" 5
		done
		same "what is attached in round $round" "$(program_on eth0)" ""
	done
}

@test "SIGTERM and SIGHUP end log like SIGINT" {
	for signal in TERM HUP; do
		start log
		frames 2
		wait_for has_lines log 2
		signal $signal log
		ends log 0
		totals log
		same logged "$logged" 2
		same "what is attached" "$(program_on eth0)" ""
	done
}
