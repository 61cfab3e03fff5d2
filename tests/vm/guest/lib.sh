# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Helpers of the tests in guests: TAP, a veth pair with a namespace behind it, and short questions about
# the chain. Processes are slow under emulation: waiting polls with shell builtins only.
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
XF=${XF:-$here/xdpfun-load}
OBJ=${OBJ:-$here/xdpfun.o}
FW_OBJ=${FW_OBJ:-$here/xdpfun-fw.o}
SECOND=${SECOND:-$here/second.o}
PASS_PROG=${PASS_PROG:-/usr/libexec/xdp-tools/xdp_pass.o}
STREAM=${STREAM:-$here/seqstream}
BPFFS=/sys/fs/bpf
file_name=$(basename "$0" .sh)
kernel=$(uname -r)
kernel=${kernel%%[-+]*}

tmp=$(mktemp -d)
# A pipe that never has anything to read: read -t on it is a sleep without a process.
exec {never}<> <(:)

nap() {
	read -rt "${1:-0.05}" -u "$never" || :
}

# Seconds since the machine started, in $uptime: SECONDS would follow the steps of the clock.
look_at_clock() {
	read -r uptime _ </proc/uptime
	uptime=${uptime%.*}
}

# wait_for COMMAND...: repeat the command until it succeeds. The limit only ends a test that hangs.
wait_for() {
	local uptime until

	look_at_clock
	until=$((uptime + 90))
	while ! "$@" 2>/dev/null >&2; do
		look_at_clock
		if [ "$uptime" -gt "$until" ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		nap
	done
}

fail() {
	echo "$*"
	exit 1
}

skip() {
	echo "$*" >"$tmp/skip"
	exit 0
}

# same WHAT GOT WANTED: fails when the two differ.
same() {
	[ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
}

# matches WHAT TEXT REGEX: fails when the text does not match.
matches() {
	[[ $2 =~ $3 ]] || fail "$1 is '$2', which does not match '$3'"
}

kernel_is_at_least() {
	printf '%s\n%s\n' "$1" "$kernel" | sort -CV
}

# t NAME COMMAND...: one test, in a shell of its own that ends at the first failing command. What it
# says is shown when it fails, with what the programs that it started wrote to stderr. XF_TIMES=1
# shows how long each took.
t() {
	local name="$file_name: $1" status file line began=${EPOCHREALTIME/./}

	shift
	rm -rf "$tmp/skip" "$tmp/t"
	mkdir "$tmp/t"
	(
		set -eE -o pipefail
		trap 'echo "line $LINENO: status $?: $BASH_COMMAND"' ERR
		trap 'clean_up' EXIT
		"$@"
	) >"$tmp/out" 2>&1
	status=$?
	if [ $status -ne 0 ]; then
		# Leftovers of the test must not fail later tests.
		rm -rf "$BPFFS/xdp" "$BPFFS/xdp-filter" "$BPFFS/xdpfun"
		echo "not ok $name"
		while IFS= read -r line; do echo "#   $line"; done <"$tmp/out"
		for file in "$tmp"/t/*.err; do
			[ -s "$file" ] || continue
			echo "#   ${file##*/}:"
			tail -n 8 "$file" | while IFS= read -r line; do echo "#     $line"; done
		done
	elif [ -e "$tmp/skip" ]; then
		echo "ok $name # SKIP $(<"$tmp/skip")"
	else
		echo "ok $name"
	fi
	[ -z "${XF_TIMES:-}" ] || echo "# $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
}

ifaces=()	# whose chains end with the test

clean_up() {
	local pid iface

	# A test that fails early leaves processes; one that succeeds has ended its own.
	for pid in $(jobs -p); do
		kill -KILL "$pid" 2>/dev/null || :
	done
	wait 2>/dev/null || :
	for iface in "${ifaces[@]}"; do
		xdp-loader unload "$iface" --all >/dev/null 2>&1 || :
	done
}

# A veth pair: v0 here (10.9.0.1), v1 in namespace peer (10.9.0.2). Nobody sends on it unasked: no
# IPv6 addresses, fixed neighbours. Counts of packets can be exact.
lab_up() {
	ip -batch - <<-END
		netns add peer
		link add v0 address 02:00:00:00:01:00 type veth peer name v1 address 02:00:00:00:01:01 netns peer
		link set v0 addrgenmode none
		addr add 10.9.0.1/24 dev v0
		link set v0 up
		neigh add 10.9.0.2 lladdr 02:00:00:00:01:01 dev v0 nud permanent
	END
	ip -n peer -batch - <<-END
		link set v1 addrgenmode none
		addr add 10.9.0.2/24 dev v1
		link set lo up
		link set v1 up
		neigh add 10.9.0.1 lladdr 02:00:00:00:01:00 dev v1 nud permanent
	END
	ifaces+=(v0)
}

lab_down() {
	ip -batch - <<-END
		link del v0
		netns del peer
	END
}

# A function in the background would be a shell that gets the signals meant for the program; hence
# the words as well.
in_peer=(nsenter --net=/run/netns/peer)
peer() {
	"${in_peer[@]}" "$@"
}

# pings COUNT [SIZE]: echo requests from the peer; all must be answered.
pings() {
	peer ping -q -n -c "$1" -s "${2:-56}" -i 0.02 -w 60 10.9.0.1
}

# udp_to PORT...: one datagram from the peer to each.
udp_to() {
	# shellcheck disable=SC2016 # for the inner shell
	peer bash -c 'for port; do echo x >/dev/udp/10.9.0.1/$port; done' - "$@"
}

# chain IFACE [COMMAND...]: the chain of an interface in one line: "native: 10 xdp_pass, 50 second",
# or "none", or "bare: native xdp_pass" when a program sits there without dispatcher. The command
# enters the namespace to look at.
chain() {
	local words line=""

	while read -r -a words; do
		case "${words[0]:-} ${words[1]:-}" in
		"$1 xdp_dispatcher") line="${words[2]}:" ;;
		"$1 <No") line=none ;;
		"$1 "*) line="bare: ${words[2]} ${words[1]}" ;;
		"=> "*) line+="${line:+ }${words[1]} ${words[2]}," ;;
		esac
	done < <("${@:2}" xdp-loader status "$1")
	echo "${line%,}"
}

# Ids of the programs with this name in an interface's chain, in order.
prog_ids() {
	local words

	while read -r -a words; do
		[ "${words[0]:-} ${words[2]:-}" != "=> $2" ] || echo "${words[3]}"
	done < <(xdp-loader status "$1")
}

# Nine programs: room for one more.
load_nine() {
	local p=$PASS_PROG

	xdp-loader load v0 "$p" "$p" "$p" "$p" "$p" "$p" "$p" "$p" "$p"
}

# How many packets the second program has seen; it must be loaded once only.
second_seen() {
	local dump

	dump=$(bpftool map dump name second_seen)
	[[ $dump =~ \"value\":\ ([0-9]+) ]] || fail "no count of the second program: $dump"
	echo "${BASH_REMATCH[1]}"
}

# The files are made here, because a process in the background makes them too late for a first look.
blank() {
	: >"$tmp/t/$1.out"
	: >"$tmp/t/$1.err"
}

# start NAME ARGUMENTS...: xdpfun-load in the background; output in NAME.out, talk in NAME.err, pid
# in $pid.
start() {
	local name=$1

	shift
	blank "$name"
	"$XF" "$@" >"$tmp/t/$name.out" 2>"$tmp/t/$name.err" &
	pid=$!
}

# has_line NAME TEXT: whether its stdout has the text. says: whether its stderr has it.
has_line() {
	[[ $(<"$tmp/t/$1.out") = *"$2"* ]]
}

says() {
	[[ $(<"$tmp/t/$1.err") = *"$2"* ]]
}

# count_lines NAME TEXT: print how many lines of its stdout have the text.
count_lines() {
	local lines line n=0

	mapfile -t lines <"$tmp/t/$1.out"
	for line in "${lines[@]}"; do
		[[ $line != *"$2"* ]] || n=$((n + 1))
	done
	echo $n
}

# Whether this reader has reported that it reads, or has ended.
announced() {
	[[ $(<"$tmp/t/$1.err") =~ (attached|adopted|following)" program" ]] || gone "$pid"
}

# reads NAME: wait until this reader prints what arrives at v0, by pings of a size of its own (the
# tests count other sizes).
reads() {
	wait_for announced "$1"
	! gone "$pid" || fail "$1 has ended"
	wait_for prints "$1"
}

prints() {
	peer ping -q -n -c 1 -s 9 -W 1 10.9.0.1
	nap 0.1
	[ -s "$tmp/t/$1.out" ]
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# ends PID STATUS: wait until the process has ended by itself; fails when its status is another one.
ends() {
	local status=0

	wait_for gone "$1"
	wait "$1" || status=$?
	same "exit status" "$status" "$2"
}

# stop PID: send SIGTERM; fails when the process ends with an error.
stop() {
	kill -TERM "$1"
	ends "$1" 0
}

# totals NAME IFACE: the line of counters, checked to add up; sets seen, logged, lost, unread.
totals() {
	local line

	while IFS= read -r line; do
		[[ $line != "$2: seen "* ]] || break
	done <"$tmp/t/$1.err"
	matches "line of counters" "$line" "^$2: seen ([0-9]+), logged ([0-9]+), filtered ([0-9]+), sampled out ([0-9]+), rate limited ([0-9]+), lost ([0-9]+), unread ([0-9]+)$"
	seen=${BASH_REMATCH[1]} logged=${BASH_REMATCH[2]} lost=${BASH_REMATCH[6]} unread=${BASH_REMATCH[7]}
	same "sum of the counters" \
		$((logged + BASH_REMATCH[3] + BASH_REMATCH[4] + BASH_REMATCH[5] + lost + unread)) "$seen"
}

# Fails when the bpffs has more than empty folders.
no_pins() {
	local found

	found=$(find $BPFFS -mindepth 1 ! -type d)
	same "what is pinned in bpffs" "$found" ""
}

# The last command of every test file, without which not all its tests have run.
finish() {
	rm -rf "$tmp"
	exit 0
}
