#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Signals to the subcommands that run until one ends them.

load relay.bash
load firewall.bash

# counters_of NAME COUNT: wait for so many lines of counters; fails when they differ.
counters_of() {
	wait_for has_counters "$1" "$2"
	same "lines of counters that differ" "$(grep '^eth0: seen' "$T/$1.err" | sort -u | wc -l)" 1
}

has_counters() {
	[ "$(grep -c '^eth0: seen' "$T/$1.err")" = "$2" ]
}

goes_on() {
	wait_for has_lines "$1" 3
	signal USR1 "$1"
	counters_of "$1" 1
	signal USR1 "$1"
	counters_of "$1" 2
	totals "$1"
	same "seen and logged" "$seen $logged" "3 3"
}

@test "SIGUSR1 prints the counters of log and follow, which go on" {
	start log
	frames 3
	goes_on log
	frames 2
	stop log
	same lines "$(lines log)" 5
	"${A[@]}" xdp-loader load eth0 "$OBJ"
	start follow follow -i eth0
	frames 3
	goes_on follow
	stop follow
	"${A[@]}" "$XF" unload -i eth0
}

@test "SIGUSR1 prints the counters of firewall log, which goes on" {
	attach_fw
	fw add deny proto udp
	start drops firewall log
	frames 3
	goes_on drops
	frames 1
	stop drops
	same lines "$(lines drops)" 4
	purge
}

@test "SIGUSR1 prints what --stats prints for echo and forward, which go on" {
	local name

	begin up "${B[@]}" socat "TCP-LISTEN:7001,fork,reuseaddr" "SYSTEM:echo hello"
	begin forward "${A[@]}" "$XF" forward -l 10.9.0.1:7000 --to 10.9.0.2:7001 --threads 2
	begin echo "${A[@]}" "$XF" echo -l 10.9.0.1:7002
	for name in echo forward; do
		says $name "listening on"
		signal USR1 "$name"
		says $name "^active 0, .*accepted 0,"
	done
	for port in 7000 7002; do
		"${B[@]}" bash -c 'exec 3<>"/dev/tcp/10.9.0.1/$1" && echo hello >&3 && head -n 1 <&3' - $port
	done
	for name in echo forward; do
		wait_for has_lines $name 1
		signal USR1 "$name"
		says $name "^active 0, .*accepted 1,"
		stop $name
	done
	signal TERM up
}

@test "every signal that ends a process by default ends log cleanly, with its counters" {
	local signal

	for signal in USR2 QUIT ALRM VTALRM PROF IO PWR STKFLT XCPU ABRT TRAP ILL BUS FPE SEGV SYS RTMIN RTMAX-3 RTMAX; do
		start log
		frames 2
		signal $signal log
		ends log 0
		totals log
		same "logged at SIG$signal" "$logged" 2
		same "what is attached after SIG$signal" "$(program_on eth0)" ""
	done
}

# ignores_hangup NAME WHAT: send SIGHUP and then SIGUSR1, whose answer says that the first one was read, too.
ignores_hangup() {
	signal HUP "$1"
	signal USR1 "$1"
	says "$1" "$2"
	alive "$1" || fail "$1 has ended:" "$(said "$1")"
}

@test "with SIGHUP ignored at the start it ends no log, and still opens a file anew" {
	trap '' HUP
	start log
	ignores_hangup log "^eth0: seen"
	stop log
	start file -i eth0 -w "$T/file"
	mv "$T/file" "$T/moved"
	ignores_hangup file "^eth0: seen"
	[ -e "$T/file" ] || fail "the file was not opened anew"
	stop file
	"${A[@]}" xdp-loader load eth0 "$OBJ"
	start follow follow -i eth0
	ignores_hangup follow "^eth0: seen"
	stop follow
	trap - HUP
	# Not ignored it ends the log.
	start log follow -i eth0
	signal HUP log
	ends log 0
	"${A[@]}" "$XF" unload -i eth0
}

@test "with SIGHUP ignored at the start it ends no relay, and still reads the routes again" {
	echo "any -> 10.9.0.2:7001" >"$T/routes"
	trap '' HUP
	begin echo "${A[@]}" "$XF" echo -l 10.9.0.1:7002
	begin to "${A[@]}" "$XF" forward -l 10.9.0.1:7000 --to 10.9.0.2:7001
	begin routes "${A[@]}" "$XF" forward -l 10.9.0.1:7003 --routes "$T/routes"
	trap - HUP
	begin ends "${A[@]}" "$XF" echo -l 10.9.0.1:7004
	for name in echo to routes ends; do says $name "listening on"; done
	for name in echo to; do ignores_hangup $name "^active 0"; done
	signal HUP routes
	says routes "new connections use the new rules"
	for name in echo to routes; do stop $name; done
	# Not ignored it ends the relay.
	signal HUP ends
	ends ends 0
}

@test "SIGUSR1 does not cut the end short" {
	mkfifo "$T/pipe"
	exec 9<>"$T/pipe"
	"${A[@]}" "$XF" >"$T/pipe" 2>"$T/log.err" 3>&- 9>&- &
	began log $!
	wait_for at_work log 1
	frames 3000
	signal INT log
	while signal USR1 log >/dev/null 2>&1; do head -c 4096 <&9 >>"$T/piped"; done
	exec 9>&-
	ends log 0
	totals log
	same "seen" "$seen" 3000
	between "logged" "$logged" 2900 3000
}
