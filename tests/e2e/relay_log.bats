#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086 # addresses are single words
#
# The access log of the relay: its lines, its file, and outputs that take no more.

load relay.bash

logs() {
	server server
	forward
	day=$(date -u +%F)
	client client --up 1000 --down 2000 --ports "$T/cp"
	wait_for log_has 1
	read -r _ port <"$T/cp"
	same "client" "$(log_of .client)" "10.9.0.2:$port"
	same "listen" "$(log_of .listen)" $LISTEN
	same "upstream" "$(log_of .upstream)" $SERVER
	same "bytes" "$(log_of '"\(.bytes_to_upstream) \(.bytes_to_client)"')" "1064 2064"
	same "end" "$(log_of .end)" closed
	matches "duration" "$(log_of .duration)" "^0\.[0-9]+$"
	matches "time" "$(log_of .time)" "^($day|$(date -u +%F))T[0-9:.]{18}Z$"
	matches "engine" "$(log_of .engine)" "^(sockmap|splice|copy)$"
	moved_by_engine
	end_relay
	# The same line as text.
	begin relay "${A[@]}" "$XF" forward -l $LISTEN --to $SERVER --engine "$engine"
	relay_ready $LISTEN
	client client --up 1000 --down 2000 --ports "$T/cp"
	wait_for log_has 1
	read -r _ port <"$T/cp"
	matches "line" "$(<"$T/relay.out")" \
		"^($day|$(date +%F)) [0-9:]{8}\.[0-9]{6} 10\.9\.0\.2:$port > $LISTEN upstream $SERVER engine [a-z]+( moves [0-9]+)? out 1064 in 2064 0\.[0-9]{3}s closed$"
	end_relay
	server_ends server
}

@test "the access log as JSON and text" {
	each_engine logs
}

@test "--write appends the access log to a file, which SIGHUP opens anew" {
	# The user nobody has to reach it.
	local dir

	dir=$(mktemp -d)
	chmod 777 "$dir"
	server server
	echo "an older line" >"$dir/log"
	engine=auto forward --write "$dir/log"
	client client --up 1000 --down 1000
	wait_for grep -q closed "$dir/log"
	same "the first line" "$(head -n 1 "$dir/log")" "an older line"
	mv "$dir/log" "$dir/log.1"
	signal HUP relay
	says relay "$dir/log: opened anew"
	client client --up 1000 --down 1000 --total 3
	wait_for has_wc "$dir/log" 3
	same "lines of the old file" "$(wc -l <"$dir/log.1")" 2
	same "standard output" "$(cat "$T/relay.out")" ""
	# Where it cannot be opened the old file stays in use.
	mv "$dir/log" "$dir/log.2"
	mkdir "$dir/log"
	signal HUP relay
	says relay "stays in use"
	client client --up 1000 --down 1000
	wait_for has_wc "$dir/log.2" 4
	server_ends server
	end_relay "cannot open $dir/log|stays in use"
	says relay "lost log lines 0"
	rm -r "$dir"
}

has_wc() {
	[ "$("${A[@]}" cat "$1" | wc -l)" = "$2" ]
}

@test "the access log goes on after a full disk, and the gap is counted" {
	local lost

	mkdir "$T/disk"
	"${A[@]}" mount -t tmpfs -o size=4M none "$T/disk"
	server server
	engine=auto forward --write "$T/disk/log"
	client client --mode request --total 10
	wait_for has_wc "$T/disk/log" 10
	"${A[@]}" dd if=/dev/zero of="$T/disk/fill" bs=4096 2>/dev/null || :
	client client --mode request --total 200 --conns 5
	says relay "$T/disk/log takes no more"
	"${A[@]}" rm "$T/disk/fill"
	says relay "the access log goes on; [1-9][0-9]* lines are missing"
	client client --mode request --total 10
	server_ends server
	end_relay "takes no more|goes on|cannot write to"
	lost=$(grep -o 'lost log lines [0-9]*' "$T/relay.err")
	between "lines lost" "${lost##* }" 1 200
	same "lines" "$("${A[@]}" jq -c . "$T/disk/log" | wc -l)" $((220 - ${lost##* }))
}

@test "an access log that is not read does not hold up connections" {
	mkfifo "$T/pipe"
	exec 9<>"$T/pipe"
	server server
	"${A[@]}" "$XF" forward -l $LISTEN --to $SERVER >"$T/pipe" 2>"$T/relay.err" 3>&- 9>&- &
	began relay $!
	: >"$T/relay.out"
	relay_ready $LISTEN
	prompt client --mode request --conns 10 --total 3000
	server_ends server
	signal TERM relay
	ends relay 0
	exec 9>&-
	says relay "accepted 3000"
	says relay "lost log lines [1-9]"
}
