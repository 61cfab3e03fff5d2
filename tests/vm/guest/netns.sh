#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# log in another network namespace: entered with nsenter, which keeps bpffs in sight, and with
# ip netns exec, which hides it.
# shellcheck disable=SC2154 # totals sets variables
. "$(dirname "$0")/lib.sh"

# through COMMAND...: run log on v1 behind the command that enters; the chain is the one that every process
# sees from the initial mount namespace.
through() {
	blank log
	"$@" "$XF" log -i v1 >"$tmp/t/log.out" 2>"$tmp/t/log.err" &
	pid=$!
	wait_for is_in_peer xdpfun
	peer xdp-loader load v1 "$SECOND"
	same "chain as nsenter sees it" "$(peer_chain)" "native: 50 second, 100 xdpfun"
	wait_for ping_shows
	stop "$pid"
	totals log v1
	same "chain after our exit" "$(peer_chain)" "native: 50 second"
	ping -q -n -c 1 -w 5 10.9.0.2
	peer xdp-loader unload v1 --all
}

peer_chain() {
	chain v1 peer
}

is_in_peer() {
	[[ $(peer_chain) = *$1* ]]
}

ping_shows() {
	ping -q -n -c 1 -W 1 10.9.0.2
	nap 0.1
	has_line log 'v1 10.9.0.1 > 10.9.0.2 icmp 8/0 len 98'
}

# Behind ip netns exec xdp-loader finds no bpffs and attaches without dispatcher, without a word.
bare() {
	local status=0

	ip netns exec peer xdp-loader load v1 "$OBJ"
	same chain "$(peer_chain)" "bare: native xdpfun"
	peer timeout 200 "$XF" status -i v1 --json >"$tmp/t/status.out" 2>"$tmp/t/status.err"
	same "dispatcher in status" "$(jq '.interfaces[0].dispatcher' "$tmp/t/status.out")" false
	peer timeout 200 "$XF" log -i v1 >"$tmp/t/log.out" 2>"$tmp/t/log.err" || status=$?
	same status "$status" 1
	matches "its message" "$(<"$tmp/t/log.err")" "dispatcher"
	peer xdp-loader unload v1 --all
}

require_chain() {
	local status=0

	# A mount namespace without any bpffs that will outlive it, and pid 1's hidden as well: no chain.
	unshare -m --propagation private bash -c 'umount /sys/fs/bpf && mount -t tmpfs none /sys/fs/bpf &&
		mount -t tmpfs none /proc/1 && exec timeout 200 "$@"' - \
		"$XF" log -i v0 --require-chain >"$tmp/t/log.out" 2>"$tmp/t/log.err" || status=$?
	same status "$status" 1
	same chain "$(chain v0)" none
}

lab_up
t "nsenter" through "${in_peer[@]}"
t "ip netns exec" through ip netns exec peer
t "a program without dispatcher in a namespace is reported" bare
t "--require-chain without bpffs" require_chain
t "no pins left" no_pins
lab_down
finish
