# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Helpers of the tests of the firewall, which filters on side a the traffic from side b.

# fw ARGUMENTS...: run a firewall command on side a.
fw() {
	"${A[@]}" "$XF" firewall "$@"
}

# attach_fw [ARGUMENTS...]: attach the firewall to eth0.
attach_fw() {
	fw attach -i eth0 "$@" 2>>"$T/attach.err"
}

# Detach and remove every set.
purge() {
	local set

	for set in $("${A[@]}" ls /sys/fs/bpf/xdpfun/firewall); do
		fw detach --purge -q --set "${set//\~/.}"
	done
}

# ping_once [ADDRESS]: fails when side b gets no answer to a ping.
ping_once() {
	"${B[@]}" ping -q -n -c 1 -W 1 "${1:-10.9.0.1}" >/dev/null
}

answers() {
	wait_for ping_once "$@" || fail "no answer to a ping of ${1:-10.9.0.1}"
}

# silent [ADDRESS]: fails when side b gets an answer to one of two pings.
silent() {
	! "${B[@]}" ping -q -n -c 2 -i 0.05 -W 0.25 "${1:-10.9.0.1}" >/dev/null || fail "${1:-10.9.0.1} answers a ping"
}

# listener NAME PORT: start a server on side a that sends "hello" to each TCP client.
listener() {
	begin "$1" "${A[@]}" socat "TCP-LISTEN:$2,fork,reuseaddr" "SYSTEM:echo hello"
	wait_for listens_on "$2"
}

listens_on() {
	[ -n "$("${A[@]}" ss -Hltn "sport = $1")" ]
}

# tcp_from_b PORT SECONDS: print the first line that the listener sends to side b.
tcp_from_b() {
	"${B[@]}" timeout "$2" bash -c 'exec 3<>"/dev/tcp/10.9.0.1/$1" && head -n 1 <&3' - "$1" 2>/dev/null
}

reaches() {
	same "what port $1 says" "$(tcp_from_b "$1" 30)" hello
}

blocked() {
	same "what port $1 says" "$(tcp_from_b "$1" 1 || :)" ""
}

# total SET NAME: print a total of the set in packets, from stats --json.
total() {
	fw stats --set "$1" --json | jq ".counters.$2.packets"
}

# hits RULE: print how many packets the rule has decided.
hits() {
	fw list --json | jq --arg rule "$1" '.rules[] | select(.rule == $rule) | .packets'
}

# writes_to_pipe PID: whether the process waits in write(2), the system call 1 in the first word of the file.
writes_to_pipe() {
	[ "$(awk '{ print $1 }' "/proc/$1/syscall")" = 1 ]
}
