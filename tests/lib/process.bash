# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Processes in the background of a test, by names: their output in "$T", their ends, and signals to them.

# clock: sets now, in ms; steps of the date do not change it.
clock() {
	read -r now _ </proc/uptime
	now=${now/./}0
}

# wait_for COMMAND...: until it succeeds. The limit only ends what hangs: what must happen soon is for the test to judge,
# in view of how busy the machine is.
wait_for() {
	local now until

	clock
	until=$((now + 90000))
	until "$@" >/dev/null 2>&1; do
		clock
		[ "$now" -lt $until ] || fail "waited in vain for: $*" || return 1
		sleep 0.02
	done
}

# begin NAME COMMAND...: in the background; output in NAME.out, talk in NAME.err, process id in pid[NAME].
begin() {
	local name=$1

	shift
	# Empty before it runs: nobody must read what an earlier one of this name has said.
	: >"$T/$name.out" 2>"$T/$name.err"
	"$@" >>"$T/$name.out" 2>>"$T/$name.err" </dev/null 3>&- &
	began "$name" $!
}

# began NAME PID: a child of this shell that has just started. The kernel gives the number of a process that has ended
# to another one; its parent and its time of start tell them apart.
declare -gA pid born
began() {
	local state birth

	pid[$1]=$2
	read_stat "$2" || : # it may have ended already
	born[$1]=$birth
}

# read_stat PID: set state, and birth to the parent and the time of start.
read_stat() {
	local fields

	{ read -r fields <"/proc/$1/stat"; } 2>/dev/null || return
	# The name in brackets may have spaces.
	read -ra fields <<<"${fields##*) }"
	state=${fields[0]} birth="${fields[1]} ${fields[19]}"
}

# alive NAME, gone NAME: a process that has ended is gone, though the shell may not have waited for it yet.
alive() {
	local state birth

	read_stat "${pid[$1]}" && [ "$birth" = "${born[$1]}" ] && [[ $state != [ZX] ]]
}

gone() {
	! alive "$1"
}

# signal SIGNAL NAME...: send it; fails when one of them has ended.
signal() {
	local name

	for name in "${@:2}"; do
		alive "$name" || fail "$name has ended" || return
		kill "-$1" "${pid[$name]}"
	done
}

# signal_group SIGNAL NAME: send the signal to the group of a process that leads one; fails when it has ended.
signal_group() {
	alive "$2" || fail "$2 has ended" || return
	kill "-$1" -- "-${pid[$2]}"
}

# finish SIGNAL NAME...: send it and wait for the end, with whatever status; fails when one of them has ended before.
finish() {
	local name

	signal "$@" || return
	for name in "${@:2}"; do
		wait "${pid[$name]}" || :
	done
}

# ends NAME STATUS: it ends by itself, with this status.
ends() {
	local status=0

	wait_for gone "$1"
	wait "${pid[$1]}" || status=$?
	same "exit status of $1" $status "$2"
}
