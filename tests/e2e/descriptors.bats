#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The limit of open files of log, raised, too low, and used up.

load lib.bash

open_files() {
	find "/proc/${pid[$1]}/fd" -mindepth 1 | wc -l
}

@test "log raises its own limit of open files as far as it may" {
	begin log "${A[@]}" prlimit --nofile=30:3000 "$XF"
	started log
	same "limit of open files" "$(awk '/^Max open files/ { print $4 }' "/proc/${pid[log]}/limits")" 3000
	frames 3
	stop log
	same lines "$(lines log)" 3
}

# Open files of the parent use up a part of the limit that log has checked.
@test "with too few open files log says so, shows no verifier lines, and leaves nothing attached" {
	local began=0 refused=0 limit=$((150 + $(getconf _NPROCESSORS_CONF)))

	# shellcheck disable=SC2016 # for the inner shell
	for used in 0 {24..60..2} 120; do
		run "${A[@]}" bash -c 'ulimit -n "$2"; for ((i = 0; i < $1; i++)); do exec {fd}</dev/null; done
			exec "${@:3}"' - "$used" $limit "$XF" -d 0.1
		no_match "what it says with $used in use" "$output" 'libbpf:|LOG --|cannot detach'
		same "what is attached with $used in use" "$(program_on eth0)" ""
		[ "$status" != 0 ] || { began=$((began + 1)); continue; }
		refused=$((refused + 1))
		matches "what it says with $used in use" "$output" 'Too many open files'
	done
	between "how often it began" $began 1 20
	between "how often there were too few" $refused 1 20
	run -1 "${A[@]}" prlimit --nofile=100:100 "$XF" -d 0.1
	matches "what it says" "$output" 'needs about [0-9]+ open files.*may have 100 open files.*LimitNOFILE'
}

@test "log detaches when no file can be opened any more" {
	start log
	frames 3
	wait_for has_lines log 3
	prlimit --pid "${pid[log]}" --nofile=14:14
	between "open files" "$(open_files log)" 14 1000
	stop log
	same "what is attached" "$(program_on eth0)" ""
	totals log
	same logged "$logged" 3
}
