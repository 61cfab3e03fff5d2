# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Processes that a test runs in the background, each with a name: output in "$T", signals, and exit status.

# clock: set now to the uptime in ms, which steps of the date do not change.
clock() {
	read -r now _ </proc/uptime
	now=${now/./}0
}

# wait_for COMMAND...: repeat the command until it succeeds. The limit only ends a test that hangs; a test that judges
# a delay compares it with a control.
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

# begin NAME COMMAND...: start the command with stdout in NAME.out, stderr in NAME.err and its process id in pid[NAME].
begin() {
	local name=$1

	shift
	# The files are empty before it runs, so that no output of an earlier process of this name is read.
	: >"$T/$name.out" 2>"$T/$name.err"
	"$@" >>"$T/$name.out" 2>>"$T/$name.err" </dev/null 3>&- &
	began "$name" $!
}

# began NAME PID: name a child of this shell. Another process may get its number once it has ended; its parent and its
# time of start tell them apart.
declare -gA pid born
began() {
	local state birth

	pid[$1]=$2
	read_stat "$2" || : # it may have ended already
	born[$1]=$birth
}

# read_stat PID: set state, and birth to the parent and the time of start; fails when there is no such process.
read_stat() {
	local fields

	{ read -r fields <"/proc/$1/stat"; } 2>/dev/null || return
	# The name in brackets may have spaces.
	read -ra fields <<<"${fields##*) }"
	state=${fields[0]} birth="${fields[1]} ${fields[19]}"
}

# alive NAME, gone NAME: whether the process runs. A zombie is gone.
alive() {
	local state birth

	read_stat "${pid[$1]}" && [ "$birth" = "${born[$1]}" ] && [[ $state != [ZX] ]]
}

gone() {
	! alive "$1"
}

# signal SIGNAL NAME...: send the signal; fails when a process has ended.
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

# finish SIGNAL NAME...: send the signal and wait for the ends, with any status; fails when a process had ended before.
finish() {
	local name

	signal "$@" || return
	for name in "${@:2}"; do
		wait "${pid[$name]}" || :
	done
}

# finish_running SIGNAL NAME: the same for one process, which may have ended by itself, also after the look.
finish_running() {
	! alive "$2" || kill "-$1" "${pid[$2]}" 2>/dev/null || :
	wait "${pid[$2]}" || :
}

# ends NAME STATUS: wait until the process ends by itself; fails when its exit status is another one.
ends() {
	local status=0

	wait_for gone "$1"
	wait "${pid[$1]}" || status=$?
	same "exit status of $1" $status "$2"
}
