#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Names of interfaces: alternative names, missing names, and names with control characters.

load lib.bash
load firewall.bash

# The kernel takes names of up to 127 bytes.
long=uplink-$(printf '%0120d' 7)

altname() {
	ip -n "$LAB-a" link property add dev eth0 altname "$1"
}

@test "alternative names of any length resolve, and the kernel's name is shown" {
	for name in wan0 "$long"; do
		altname "$name"
		start log -i "$name"
		says log "^xdpfun-load: eth0: attached program"
		frames 3
		wait_for has_lines log 3
		same "lines with the kernel's name" "$(grep -c ' eth0 ' "$T/log.out")" 3
		same "name in status" "$(status_of "$name" .iface)" eth0
		run -1 "${A[@]}" "$XF" follow -i "$name"
		matches "what follow says" "$output" "eth0: program [0-9]+ is being read by process ${pid[log]}"
		stop log
		totals log eth0
		same logged "$logged" 3
	done
}

@test "alternative names of any length are for the firewall, follow and unload too" {
	altname "$long"
	fw attach -i "$long" 2>>"$T/attach.err"
	matches "what attach says" "$(said attach)" "eth0: attached program"
	fw detach -i "$long" --purge
	same "what is attached" "$(program_on eth0)" ""
	"${A[@]}" xdp-loader load eth0 "$OBJ"
	start follow follow -i "$long"
	frames 2
	wait_for has_lines follow 2
	stop follow
	totals follow eth0
	run -0 "${A[@]}" "$XF" unload -i "$long"
	matches "what unload says" "$output" "eth0: removed program"
}

@test "two names of one interface are noticed, and the interface is used once" {
	altname "$long"
	begin log "${A[@]}" "$XF" -i "$long" -i eth0
	started log
	says log "'$long' and 'eth0' are one interface, eth0: it is used once"
	frames 4
	wait_for has_lines log 4
	stop log
	same lines "$(lines log)" 4
	same "lines of counters" "$(grep -c '^eth0: seen 4, logged 4,' "$T/log.err")" 1
	same "interfaces in status" "$("${A[@]}" "$XF" status -i eth0 -i "$long" --json | jq '.interfaces | length')" 1
}

@test "a name of any length that no interface has is an error" {
	for name in nowhere "$long" "${long}x" "$long$long"; do
		run -1 "${A[@]}" "$XF" -i "$name"
		matches "what it says" "$output" "no interface is called '$name'.*these are up:.* eth0"
	done
}

# not_raw FILE...: fails when a file has a character that a terminal obeys, or that turns the direction of text.
not_raw() {
	local file

	for file; do
		! LC_ALL=C grep -n $'[\x01-\x08\x0b-\x1f\x7f]\|\xc2[\x80-\x9f]\|\xe2\x80[\xaa-\xae]' "$file" | cat -v || [ "${PIPESTATUS[0]}" != 0 ] ||
			fail "a raw byte got into ${file##*/}"
	done
}

# asks NAME ARGUMENTS...: run xdpfun-load with stdout in NAME.out and stderr in NAME.err, whatever its status.
asks() {
	"${A[@]}" "$XF" "${@:2}" >"$T/$1.out" 2>"$T/$1.err" </dev/null || :
}

@test "names from outside never reach a terminal raw: interfaces" {
	local red=$'r\e[31mä\x9b\u202eb'

	ip -n "$LAB-a" link set eth0 down
	ip -n "$LAB-a" link set eth0 name "$red"
	ip -n "$LAB-a" link set "$red" up
	ip -n "$LAB-a" neigh replace 10.9.0.2 lladdr 02:00:00:00:09:02 dev "$red" nud permanent
	start log -i "$red"
	frames 2
	wait_for has_lines log 2
	asks status status
	asks status-v status -v
	asks status-json status --json
	asks second log -i "$red"
	asks follow follow -i "$red"
	stop log
	asks nowhere log -i $'no\e[31m'
	asks attach firewall attach -i "$red"
	asks stats firewall stats
	asks json firewall stats --json
	asks list-json firewall list --json
	asks twice log -i "$red" -i "$red"
	asks detach firewall detach --purge
	for file in status-json json; do
		grep -qF 'r\u001b[31mä\u009b\u202eb' "$T/$file.out" || fail "$file does not name it: $(cat -v "$T/$file.out")"
	done
	for file in log status attach stats; do
		grep -qF 'r\x1b[31mä\x9b\xe2\x80\xaeb' "$T/$file.out" "$T/$file.err" || fail "$file does not name it: $(cat -v "$T/$file.err")"
	done
	not_raw "$T"/*.out "$T"/*.err
}

@test "names from outside never reach a terminal raw: files, rules, options and messages" {
	local red=$'\e[31m'

	asks write log -w "$T/no$red/file"
	asks object log --object "$T/no$red.o"
	asks option log "--$red"
	asks value log --count "$red"
	asks word log "$red"
	asks command "$red"
	asks set firewall stats --set "$red"
	asks rule firewall add deny from "$red"
	printf 'deny from 192.0.2.1\nde\e[31mny from 192.0.2.1\n' >"$T/rules"
	asks replace firewall replace "$T/rules"
	mv "$T/rules" "$T/rules$red"
	asks file firewall replace "$T/rules$red"
	asks routes forward --check --routes "$T/no$red"
	asks listen echo -l "$red"
	for file in write object option value word command set rule replace file routes listen; do
		grep -qF '\x1b[31m' "$T/$file.err" || fail "$file does not name it: $(cat -v "$T/$file.err")"
	done
	not_raw "$T"/*.out "$T"/*.err
}
