#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Output to files, pipes and full disks.

load lib.bash

# whole_lines FILE: fails when the file has a broken or unfinished line.
whole_lines() {
	local file=$1

	[ ! -s "$file" ] || [ "$(tail -c 1 "$file" | od -An -c | tr -d ' ')" = '\n' ] ||
		fail "$file ends in the middle of a line: $(tail -n 1 "$file")"
	! grep -qvE '^[0-9:.]{15} eth[0-9] .* len [0-9]+$' "$file" ||
		fail "$file has a broken line: $(grep -vE '^[0-9:.]{15} eth[0-9] .* len [0-9]+$' "$file" | head -n 2)"
}

same_lines() {
	whole_lines "$1"
	same "lines in $1" "$(wc -l <"$1")" "$2"
}

file_has() {
	[ "$(wc -l <"$1")" -ge "$2" ]
}

@test "--write makes a file, and puts nothing on stdout" {
	start log -w "$T/file"
	frames 30
	wait_for file_has "$T/file" 30
	stop log
	totals_are 30
	same_lines "$T/file" 30
	same "lines on stdout" "$(lines log)" 0
}

totals_are() {
	totals log
	same "what was logged" "$logged" "$1"
}

@test "--write - is standard output" {
	start log -w -
	frames 3
	wait_for has_lines log 3
	signal HUP log
	ends log 0
	totals_are 3
	[ ! -e - ] || fail "there is a file called -"
}

@test "--write leaves an existing file alone" {
	echo precious >"$T/file"
	begin log "${A[@]}" "$XF" -w "$T/file"
	ends log 1
	says log "$T/file exists"
	says log "--append.*--force"
	same "the file" "$(<"$T/file")" precious
	same "what is attached" "$(program_on eth0)" ""
}

@test "--append writes behind the existing lines" {
	echo precious >"$T/file"
	start log -w "$T/file" --append
	frames 5
	stop log
	same "first line" "$(head -n 1 "$T/file")" precious
	sed -i 1d "$T/file"
	same_lines "$T/file" 5
}

@test "--force overwrites an existing file" {
	seq 1000 >"$T/file"
	start log -w "$T/file" --force
	frames 5
	stop log
	same_lines "$T/file" 5
}

@test "SIGHUP opens the file anew, and no line is lost" {
	start log -w "$T/file"
	begin traffic "${B[@]}" "$helpers/frames" eth0 2000 64 500
	wait_for file_has "$T/file" 100
	mv "$T/file" "$T/file.1"
	signal HUP log
	wait_for test -s "$T/file"
	mv "$T/file" "$T/file.2"
	signal HUP log
	ends traffic 0
	wait_for test -s "$T/file"
	stop log
	totals_are 2000
	cat "$T/file.1" "$T/file.2" "$T/file" >"$T/all"
	same_lines "$T/all" 2000
	sed -nE 's/.*:(1[0-9]{4}) udp.*/\1/p' "$T/all" >"$T/ports"
	diff "$T/ports" <(seq 10000 11999)
}

@test "SIGHUP without a rename of the file goes on behind its lines" {
	start log -w "$T/file"
	frames 20
	wait_for file_has "$T/file" 20
	signal HUP log
	frames 10
	wait_for file_has "$T/file" 30
	rm "$T/file"
	signal HUP log
	wait_for test -e "$T/file"
	frames 5
	stop log
	totals_are 35
	same_lines "$T/file" 5
}

@test "a closed pipe ends log without an error, with every packet accounted for" {
	mkfifo "$T/pipe"
	head -n 1 <"$T/pipe" >"$T/head.out" 3>&- &
	"${A[@]}" "$XF" >"$T/pipe" 2>"$T/log.err" 3>&- &
	began log $!
	wait_for at_work log 1
	begin traffic "${B[@]}" "$helpers/frames" eth0 400 64 2500
	ends log 0
	same "what head printed" "$(wc -l <"$T/head.out")" 1
	no_match "what it says" "$(said log)" "error|rror:|EPIPE|[Bb]roken pipe"
	same "what is attached" "$(program_on eth0)" ""
	totals log
	between logged "$logged" 1 399
	same lost "$lost" 0
	finish_running TERM traffic
}

@test "a pipe that is closed while no packet comes ends log" {
	mkfifo "$T/pipe"
	# shellcheck disable=SC2217 # it is there to hold the pipe open
	sleep 1000 <"$T/pipe" 3>&- &
	began reader $!
	"${A[@]}" "$XF" >"$T/pipe" 2>"$T/log.err" 3>&- &
	began log $!
	wait_for at_work log 1
	finish TERM reader
	ends log 0
	same "what is attached" "$(program_on eth0)" ""
	totals log
	same seen "$seen" 0
}

@test "with an output that nobody reads lost packets are counted, and SIGINT ends log" {
	mkfifo "$T/pipe"
	exec 9<>"$T/pipe"
	"${A[@]}" "$XF" --buffer 64K >"$T/pipe" 2>"$T/log.err" 3>&- 9>&- &
	began log $!
	wait_for at_work log 1
	before=$(sent)
	frames 60000
	all=$(($(sent) - before))
	# With lines that it cannot write log does not spin, and obeys signals.
	before=$(ticks log)
	sleep 0.5
	between "clock ticks in half a second" $(($(ticks log) - before)) 0 5
	signal INT log
	ends log 0
	exec 9>&-
	totals log
	same seen "$seen" "$all"
	between lost "$lost" 1 60000
	same unread "$unread" 0
	between logged "$logged" 1 59999
	same "what is attached" "$(program_on eth0)" ""
}

@test "a reader that is slow gets whole lines, as many as were logged" {
	mkfifo "$T/pipe"
	bash -c 'sleep 1; exec cat' <"$T/pipe" >"$T/cat.out" 3>&- &
	"${A[@]}" "$XF" --buffer 64K >"$T/pipe" 2>"$T/log.err" 3>&- &
	began log $!
	wait_for at_work log 1
	frames 40000
	stop log
	wait
	totals log
	same seen "$seen" 40000
	between lost "$lost" 1 39999
	same_lines "$T/cat.out" "$logged"
}

# full_disk ARGUMENTS...: fill a disk with a log; fails unless log ends with 1 and names the file. The disk's file is
# copied to $T/file, and the counters are set.
full_disk() {
	mkdir "$T/disk"
	# Only the mount namespace of side a has the disk.
	"${A[@]}" mount -t tmpfs -o size=64k full "$T/disk"
	begin log "${A[@]}" "$XF" "$@" -w "$T/disk/file"
	started log
	before=$(sent)
	# The lines have 65 bytes, so that none ends with a page.
	frames 5000 100
	all=$(($(sent) - before))
	ends log 1
	says log "$T/disk/file.*No space left"
	same "what is attached" "$(program_on eth0)" ""
	"${A[@]}" cat "$T/disk/file" >"$T/file"
	totals log
}

@test "a full disk ends log with whole lines and counters that add up" {
	full_disk
	between logged "$logged" 500 4999
	same_lines "$T/file" "$logged"
	# log ended at the first failed write; the kernel did not show it later packets.
	between seen "$seen" "$logged" "$all"
	between lost "$lost" 1 4999
	same unread "$unread" 0
}

@test "a full disk ends log with whole JSON objects" {
	full_disk -f json
	same "JSON objects" "$(jq -s length "$T/file")" "$logged"
	between lost "$lost" 1 4999
}

@test "a disk that is full from the start ends log" {
	start log -w /dev/full
	frames 10
	ends log 1
	says log "/dev/full.*No space left"
	totals log
	same logged "$logged" 0
	same "lost and seen" "$lost" "$seen"
	between seen "$seen" 1 10
	same "what is attached" "$(program_on eth0)" ""
}

@test "standard output on a full disk ends log" {
	"${A[@]}" "$XF" >/dev/full 2>"$T/log.err" 3>&- &
	began log $!
	wait_for at_work log 1
	frames 10
	ends log 1
	says log "standard output.*No space left"
	totals log
	same logged "$logged" 0
}

@test "--write into a missing folder is an error" {
	begin log "${A[@]}" "$XF" -w "$T/nowhere/file"
	ends log 1
	says log "$T/nowhere/file.*No such file"
	same "what is attached" "$(program_on eth0)" ""
}

@test "a log that does not start leaves an existing file as it was" {
	echo precious >"$T/file"
	begin log "${A[@]}" "$XF" -i nowhere --force -w "$T/file"
	ends log 1
	same "the file" "$(cat "$T/file")" precious
	begin log "${A[@]}" "$XF" -i nowhere -w "$T/new"
	ends log 1
	[ ! -e "$T/new" ] || fail "an empty file was left behind"
	start log --force -w "$T/file"
	frames 2
	wait_for file_has "$T/file" 2
	stop log
	same_lines "$T/file" 2
}

@test "closed stdout or stderr is not taken by the next file that log opens" {
	begin log "${A[@]}" bash -c 'exec "$@" >&-' - "$XF" -i eth0
	ends log 1
	says log "standard output is not open for writing"
	same "what is attached" "$(program_on eth0)" ""
	begin log "${A[@]}" bash -c 'exec "$@" 2>&-' - "$XF" -i eth0 -w "$T/file" -d 1
	ends log 0
	same "bytes in the lock file" "$("${A[@]}" stat -c %s /run/xdpfun/lock)" 0
}

@test "a burst of signals does not change the exit status" {
	start log
	frames 3
	wait_for has_lines log 3
	while signal INT log; do :; done >/dev/null 2>&1
	ends log 0
	totals log
	same seen "$seen" 3
}
