#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The capabilities that log needs, each of which is taken away in turn, and the limit of locked memory,
# which matters before 5.11.
. "$(dirname "$0")/lib.sh"

# with_caps LIST COMMAND...: root with these capabilities only, e.g. bpf,net_admin.
with_caps() {
	local list=$1

	shift
	setpriv --bounding-set "-all,+${list//,/,+}" --inh-caps "-all" "$@"
}

all=bpf,net_admin,perfmon,sys_admin,sys_resource

# Send until a packet is logged, or the log has ended.
ping_it() {
	until [ -s "$tmp/t/log.out" ] || gone "$pid"; do
		peer ping -q -n -c 1 -W 1 10.9.0.1 >/dev/null || :
		nap 0.1
	done
}

# log with these capabilities logs one packet and ends with 0.
works_with() {
	blank log
	with_caps "$1" timeout 200 "$XF" log -i v0 -c 1 >"$tmp/t/log.out" 2>"$tmp/t/log.err" &
	pid=$!
	ping_it
	ends "$pid" 0
}

needs() {
	local without status=0

	without=${all//$1,/}
	without=${without//,$1/}
	with_caps "$without" timeout 200 "$XF" log -i v0 -c 1 --require-chain \
		>"$tmp/t/log.out" 2>"$tmp/t/log.err" || status=$?
	same "status without $1" "$status" 1
	matches "the message" "$(<"$tmp/t/log.err")" "CAP_${1^^}"
	same chain "$(chain v0)" none
}

memlock() {
	blank log
	(
		ulimit -l 64
		with_caps bpf,net_admin,perfmon,sys_admin timeout 200 "$XF" log -i v0 -c 1
	) >"$tmp/t/log.out" 2>"$tmp/t/log.err" &
	pid=$!
	ping_it
	if kernel_is_at_least 5.11; then
		ends "$pid" 0
	else
		ends "$pid" 1
		matches "the message" "$(<"$tmp/t/log.err")" "memlock|MEMLOCK|ulimit -l|locked memory"
	fi
}

lab_up
t "CAP_NET_ADMIN and CAP_SYS_ADMIN suffice" works_with net_admin,sys_admin,sys_resource
t "CAP_NET_ADMIN is needed" needs net_admin
t "CAP_SYS_ADMIN is needed for a chain" needs sys_admin
t "a low limit of locked memory" memlock
t "no pins left" no_pins
lab_down
finish
