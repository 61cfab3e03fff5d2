# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Helpers of the tests in namespaces: a lab for each test, loggers in the background, and the state of both.

bats_require_minimum_version 1.5.0
load ../lib/process.bash
export LC_ALL=C.UTF-8

top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
helpers=${BUILD:-$top/build}/tests/e2e
XF=$top/xdpfun-load
# shellcheck disable=SC2034 # for the tests
OBJ=$top/xdpfun.o

# lab_up [ARGUMENTS...]: make a lab, with side a and b, and a bpffs of its own.
lab_up() {
	T=$BATS_TEST_TMPDIR
	LAB=$("$top/scripts/netns-lab" up "$@")
	holder=$(<"/run/xdpfun-lab/$LAB")
	# Absolute paths only: entering a mount namespace forgets the working folder.
	A=(nsenter --net="/run/netns/$LAB-a" --mount="/proc/$holder/ns/mnt")
	B=(nsenter --net="/run/netns/$LAB-b")
	own_nobody
}

# Give side a a user nobody with a number that no other lab uses: the kernel's limits of a user, as for pipes, apply to
# all processes with that number on the machine.
own_nobody() {
	NOBODY=$((0x70000000 + $(stat -L -c %i "/run/netns/$LAB-a") % 0x0fffffff))
	{
		echo "nobody:x:$NOBODY:65534::/:/bin/false"
		grep -v "^nobody:\|^xdpfun:" /etc/passwd
	} >"$T/passwd"
	"${A[@]}" mount --bind "$T/passwd" /etc/passwd
}

setup() {
	lab_up --quiet
}

# A test that passes leaves no program and no pin: it removes those itself that outlive their loader.
teardown() {
	local file left=0

	if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
		for file in "$T"/*.err "$T"/*.out; do
			[ -s "$file" ] || continue
			echo "last lines of ${file##*/}:"
			tail -n 8 "$file" | cut -c1-400 | sed 's/^/  /'
		done
	else
		check_left || left=1
	fi
	# An interrupted run waits for this command, which ignores the interrupt.
	(trap '' INT TERM && "$top/scripts/netns-lab" down "$LAB")
	return $left
}

fail() {
	printf '%s\n' "$@"
	return 1
}

# same WHAT GOT WANTED: fails when the two differ.
same() {
	[ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
}

# matches WHAT TEXT REGEX: fails when the text does not match.
matches() {
	[[ $2 =~ $3 ]] || fail "$1 is" "  $2" "which does not match" "  $3"
}

# no_match WHAT TEXT REGEX: fails when the text matches.
no_match() {
	[[ ! $2 =~ $3 ]] || fail "$1 is" "  $2" "which matches" "  $3"
}

# between WHAT GOT LOWEST HIGHEST: fails when the number is out of range.
between() {
	[ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || fail "$1 is $2, not $3 to $4"
}

# ticks NAME, wakeups NAME: print the CPU time that all threads of the process have used, in clock ticks, and the number
# of their context switches.
ticks() {
	awk '{ print $14 + $15 }' "/proc/${pid[$1]}/stat"
}

wakeups() {
	cat "/proc/${pid[$1]}"/task/*/status | awk '/ctxt_switches/ { sum += $2 } END { print sum }'
}

# rests NAME: fails when the process uses CPU or wakes up within two seconds.
rests() {
	local before

	before="$(ticks "$1") $(wakeups "$1")"
	sleep 2
	[ "$(ticks "$1") $(wakeups "$1")" = "$before" ]
}

# start NAME ARGUMENTS...: start xdpfun-load on side a and wait until it has attached to all its interfaces.
start() {
	local name=$1

	begin "$name" "${A[@]}" "$XF" "${@:2}"
	started "$name" "${@:2}"
}

started() {
	local name=$1 word count=0

	for word in "${@:2}"; do
		[ "$word" != -i ] || count=$((count + 1))
	done
	wait_for at_work "$name" $((count ? count : 1))
}

at_work() {
	alive "$1" || return 0
	[ "$(grep -cE '(attached|adopted|following) program [0-9]+' "$T/$1.err")" -ge "$2" ]
}

# stop NAME [STATUS]: send SIGINT and wait; fails when the exit status is another one.
stop() {
	signal INT "$1"
	ends "$1" "${2:-0}"
}

said() {
	cat "$T/$1.err"
}

# says NAME REGEX: wait until the process has said so on stderr.
says() {
	wait_for grep -qE -- "$2" "$T/$1.err" || fail "$1 does not say '$2' but:" "$(said "$1")"
}

lines() {
	wc -l <"$T/$1.out"
}

has_lines() {
	[ "$(lines "$1")" -ge "$2" ]
}

# program NAME: print the id of the XDP program of a loader.
program() {
	sed -nE 's/.*(attached|adopted|following) program ([0-9]+).*/\2/p' "$T/$1.err" | tail -n 1
}

# program_on IFACE: print the id of the attached program, or nothing.
program_on() {
	"${A[@]}" ip -j link show "$1" | jq -r '.[0].xdp.prog.id // empty'
}

same_program() {
	same "program on $1" "$(program_on "$1")" "$2"
}

# count_of TEXT IFACE: read the counters in the last line about the interface; fails when they do not add up.
count_of() {
	local line

	line=$(grep "^$2: seen " <<<"$1" | tail -n 1) || fail "there are no counters of $2 in:" "$1" || return 1
	matches "line of counters" "$line" "^$2: seen ([0-9]+), logged ([0-9]+), filtered ([0-9]+), sampled out ([0-9]+), rate limited ([0-9]+), lost ([0-9]+), unread ([0-9]+)$" || return 1
	seen=${BASH_REMATCH[1]} logged=${BASH_REMATCH[2]} filtered=${BASH_REMATCH[3]}
	sampled=${BASH_REMATCH[4]} limited=${BASH_REMATCH[5]} lost=${BASH_REMATCH[6]} unread=${BASH_REMATCH[7]}
	same "sum of the counters" $((logged + filtered + sampled + limited + lost + unread)) "$seen"
}

# totals NAME [IFACE]: set seen, logged, filtered, sampled, limited, lost and unread from the counters of a loader.
totals() {
	count_of "$(said "$1")" "${2:-eth0}"
}

# sent [IFACE]: print the number of packets that side b has sent, by the kernel's counter of its interface.
sent() {
	"${B[@]}" ip -s -j link show "${1:-eth0}" | jq '.[0].stats64.tx.packets'
}

# frames COUNT [LEN [GAP_US [VLAN]]]: send frames from side b to eth0 of side a.
frames() {
	"${B[@]}" "$helpers/frames" eth0 "$@"
}

# raw BYTES: send a frame from side b, with the bytes that printf writes.
raw() {
	# shellcheck disable=SC2059 # it is a format
	printf "$1" | "${B[@]}" socat -u - INTERFACE:eth0
}

pings() {
	"${B[@]}" ping -q -n -c "$1" -i 0.01 -w 10 "${2:-10.9.0.1}" >/dev/null
}

udp_to() {
	"${B[@]}" bash -c 'echo x >"/dev/udp/$1/$2"' - "$1" "$2"
}

# second_pair [WORD...]: join both sides by eth1, with 10.9.1.1 and 10.9.1.2. The words are for `ip link add` of side a.
second_pair() {
	ip -n "$LAB-a" link add eth1 address 02:00:00:00:09:01 "$@" type veth peer name eth1 \
		address 02:00:00:00:09:02 netns "$LAB-b"
	link_config a eth1 10.9.1.1 10.9.1.2 02:00:00:00:09:02
	link_config b eth1 10.9.1.2 10.9.1.1 02:00:00:00:09:01
	"${A[@]}" ethtool -K eth1 rxvlan off txvlan off
}

# link_config SIDE IFACE ADDRESS PEER MAC: set the address of an interface and the MAC of its neighbour.
link_config() {
	ip -n "$LAB-$1" link set "$2" addrgenmode none
	ip -n "$LAB-$1" addr add "$3/24" dev "$2"
	ip -n "$LAB-$1" link set "$2" up
	ip -n "$LAB-$1" neigh add "$4" lladdr "$5" dev "$2" nud permanent
}

# Give the pair IPv6 addresses and permanent neighbours.
ipv6_up() {
	local side

	for side in a b; do
		nsenter --net="/run/netns/$LAB-$side" bash -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'
	done
	ip -n "$LAB-a" addr add fd00:9::1/64 dev eth0 nodad
	ip -n "$LAB-b" addr add fd00:9::2/64 dev eth0 nodad
	ip -n "$LAB-a" neigh add fd00:9::2 lladdr 02:00:00:00:09:02 dev eth0 nud permanent
	ip -n "$LAB-b" neigh add fd00:9::1 lladdr 02:00:00:00:09:01 dev eth0 nud permanent
}

# status_of IFACE FILTER: print what a jq filter finds in status --json about the interface.
status_of() {
	"${A[@]}" "$XF" status -i "$1" --json | jq -r ".interfaces[0] | $2"
}

# check_left: fails when a program of the test's loaders or a pin in the bpffs is left.
check_left() {
	local id pins

	# shellcheck disable=SC2013 # numbers
	for id in $(cat "$T"/*.err 2>/dev/null | sed -nE 's/.*attached program ([0-9]+).*/\1/p'); do
		wait_for no_program "$id" || { echo "program $id is left"; return 1; }
	done
	pins=$("${A[@]}" find /sys/fs/bpf -mindepth 1 ! -name '*.debug' ! -type d)
	same "what is pinned" "$pins" ""
}

no_program() {
	! bpftool prog show id "$1"
}

# Skip a test of attaching without a dispatcher on a kernel that has dispatchers. The virtual machines test those.
needs_no_chaining() {
	local chained

	start probe
	chained=$(status_of eth0 .dispatcher)
	stop probe
	[ "$chained" = false ] || skip "this kernel lets programs chain"
}

# attach_foreign [OBJECT]: attach a program of another project without libxdp, and set foreign to its id.
attach_foreign() {
	ip -n "$LAB-a" link set dev eth0 xdp object "$helpers/${1:-pass.bpf.o}" section xdp
	foreign=$(program_on eth0)
	[ -n "$foreign" ]
}

# owner_of IFACE: print "none", "alive" or "dead" for the owner of the xdpfun program.
owner_of() {
	status_of "$1" '.programs[] | select(.ours) | .owner | if . == null then "none" elif .alive then "alive" else "dead" end'
}

owner_is() {
	[ "$(owner_of "$1")" = "$2" ]
}

# counter IFACE NAME: print a counter of the xdpfun program, from status --json.
counter() {
	status_of "$1" ".programs[] | select(.ours) | .counters.$2"
}

# load_object [OBJECT [IFACE]]: attach it with xdp-loader, with or without a dispatcher, and set loaded to its id.
load_object() {
	"${A[@]}" xdp-loader load "${2:-eth0}" "${1:-$OBJ}"
	wait_for test -n "$(status_of "${2:-eth0}" '.programs[0].id')"
	# shellcheck disable=SC2034 # for the tests
	loaded=$(status_of "${2:-eth0}" '.programs[0].id')
}
