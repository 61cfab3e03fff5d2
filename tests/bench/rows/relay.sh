# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The sockmap path beside other relays: round trips, bulk, connections in a row, and idle ones. In
# two topologies: "lo", all on the loopback of one network namespace; and "veth", where the relay is
# between client and server and each has a namespace. All relays run from the start to the end, each
# between ports of its own, and are measured one after another, each time beginning with another.

# shellcheck source=tests/bench/relays.sh
. tests/bench/relays.sh

# Ours by engine, then those to compare with; no "_" in a name. All have one thread. Each takes up
# to 256 KiB at a time; spl and haproxy splice, with pipes of 1 MiB and 256 KiB.
relay_ours=(auto sockmap splice copy)
relay_peers=(rw spl haproxy haproxy256 nginx socat)
# The other engines of ours are there to explain the figures of auto: one round of a pass does.
relay_seldom='sockmap splice copy'

# NAME MODE: what one run measures
relay_runs=(
	'64b_1c trips 64 1'
	'16k_1c trips 16384 1'
	'64b_64c trips 64 64'
	'16k_64c trips 16384 64'
	'64b_bulk beside 64 1'
	'16k_bulk beside 16384 1'
	'bulk_1c bulk 1'
	'bulk_16c bulk 16'
	'connects connects'
)

# In all passes together.
RELAY_ROUNDS=${XDPFUN_BENCH_ROUNDS:-7}

# As many as fit into the usual limit of 20,000 descriptors, with two for each in a relay.
RELAY_IDLE=9900

declare -gA relay_topologies=([lo]='loopback' [veth]='veth')

# relay_rivals EXPRESSION: an object of it for each of the others; @ is the relay.
relay_rivals() {
	local peer text=

	for peer in "${relay_peers[@]}"; do
		text+="${text:+, }$peer: ${1//@/$peer}"
	done
	echo "{ $text }"
}

# relay_row TOPOLOGY NAME TARGET lower|higher EXPRESSION TITLE MEANS
relay_row() {
	local value=${5//%/.relay_$1}

	row "relay-$1-$2" from="relay_$1" unit=x better="$4" ${3:+target="$3"} \
		value="${value//@/auto}" to="$4_rival(\$rounds; $(relay_rivals "$value"))" \
		title="${relay_topologies[$1]}, $6" \
		means="$7"
}

relay_trip_rows() {
	local topology=$1 name title

	while read -r name title; do
		relay_row "$topology" "p50-${name//_/-}" 0.85 lower "%_@_${name}_p50" \
			"$title: p50" 'round trip, to the best of the others'
		relay_row "$topology" "p99-${name//_/-}" 1.1 lower "%_@_${name}_p99" \
			"$title: p99" 'round trip, to the best of the others'
	done <<-EOT
		64b_1c 64 B x 1
		16k_1c 16 KiB x 1
		64b_64c 64 B x 64
		16k_64c 16 KiB x 64
	EOT
	while read -r name title; do
		relay_row "$topology" "p50-$name-bulk" '' lower "%_@_${name}_bulk_p50" \
			"$title beside bulk: p50" 'round trip while another connection sends all it can'
		relay_row "$topology" "p99-$name-bulk" 1.1 lower "%_@_${name}_bulk_p99" \
			"$title beside bulk: p99" 'round trip while another connection sends all it can'
	done <<-EOT
		64b 64 B
		16k 16 KiB
	EOT
}

relay_bulk_rows() {
	local topology=$1 n

	for n in 1 16; do
		relay_row "$topology" "bulk-${n}c" 0.95 higher "%_@_bulk_${n}c_gbit" \
			"bulk x $n" 'rate at which the server receives'
		relay_row "$topology" "cpu-${n}c" 0.9 lower \
			"over(%_@_bulk_${n}c_cpu; %_direct_bulk_${n}c_cpu)" "bulk x $n: CPU per GB" \
			'of the whole machine, less that without a relay'
	done
}

for topology in lo veth; do
	relay_trip_rows "$topology"
	relay_bulk_rows "$topology"
	row "relay-$topology-connects" from="relay_$topology" unit=x better=higher target=0.95 \
		value=".relay_${topology}_auto_connects_rate" to="higher_rival(\$rounds; {
			haproxy: .relay_${topology}_haproxy_connects_rate,
			haproxy256: .relay_${topology}_haproxy256_connects_rate })" \
		title="${relay_topologies[$topology]}, connections a second" \
		means="connect, 64 B there and back, close; 16 at a time; to HAProxy's"
done
unset topology

row relay-idle-cpu from=relay_idle unit=% better=lower target=0.1 \
	value='.relay_idle_auto_percent' \
	title="$RELAY_IDLE idle connections, CPU" \
	means='share of one core that the process uses'

row relay-idle-user from=relay_idle unit=B better=lower \
	value='.relay_idle_auto_user' \
	title='idle connection, user memory' \
	means='growth of the resident size, for each'

row relay-idle-kernel from=relay_idle unit=B better=lower \
	value='over(.relay_idle_auto_kernel; .relay_idle_direct_kernel)' \
	title='idle connection, kernel memory' \
	means='slab, per-CPU memory and socket buffers; less those of client and server'

### measuring

# The relays run with the usual priority, because the bench's would be unfair to a relay whose work is
# done by the kernel's threads.
relay_fair() {
	renice -n 0 -p $$ >/dev/null
}

relay_unfair() {
	renice -n -15 -p $$ >/dev/null
}

# relay_load NAME OPTION...: sets result to what was printed. Uses the topology that is open.
relay_load() {
	local index target

	index=$(relay_port "$1")
	target=$relay_addr:$((10000 + index))
	[ "$1" != direct ] || target=$server_addr:$((20000 + index))
	shift
	result=$("$BENCH_DIR/relay_load" -C "$relay_client" -S "$relay_server" \
		-s "$server_addr:$((20000 + index))" -t "$target" "$@")
}

# relay_samples ROUND PREFIX: from result, "NAME VALUE ... lost BYTES".
relay_samples() {
	local -a pairs
	local i

	read -r -a pairs <<<"$result"
	for ((i = 0; i < ${#pairs[@]} - 2; i += 2)); do
		printf '%s %s_%s %s %s\n' "$1" "$2" "${pairs[i]}" "${pairs[i + 1]}" "${pairs[-1]}"
	done
}

# relay_measure ROUND TOPOLOGY NAME: all runs that rows need.
relay_measure() {
	local run what mode

	for run in "${relay_runs[@]}"; do
		read -r what mode <<<"$run"
		wanted "relay_$2_auto_${what}_" || continue
		# socat forks for each connection, which is another kind of server.
		[ "$3 $what" != 'socat connects' ] || continue
		progress "$2, round $1: $3, $mode"
		# shellcheck disable=SC2086 # words of the mode
		relay_load "$3" -w 200 -m "$((BENCH_SECONDS * 60))" $mode || {
			note "$2: $3: '$mode' failed in a round"
			continue
		}
		relay_samples "$1" "relay_$2_$3_$what"
	done
}

# relay_prepare TOPOLOGY: make it.
relay_prepare() {
	need haproxy haproxy
	need nginx 'nginx with its stream module'
	need socat socat
	need ss iproute2
	relay_open "$1" || return 1
	relay_is_open[$1]=1
}

# relay_try TOPOLOGY NAME: start it, and see that what is sent through it comes back.
relay_try() {
	progress "$1: does $2 work?"
	relay_start "$1" "$2" || return 1
	relay_load "$2" -w 0 -m 50 trips 64 1 && [[ $result == *' lost 0' ]] && return
	printf 'bench: %s: %s started, but relays nothing\n' "$1" "$2" >&2
	return 1
}

# relay_start_all TOPOLOGY: start what is needed. Where one does not work there are no rivals.
relay_start_all() {
	local name err=0

	relay_prepare "$1" || return 1
	relay_fair
	for name in "${relay_ours[@]}" "${relay_peers[@]}"; do
		wanted "relay_$1_${name}_" || [[ " $relay_seldom " == *" $name "* ]] || continue
		relay_try "$1" "$name" || err=1
	done
	relay_unfair
	return $err
}

# relay_topology PASS TOPOLOGY
relay_topology() {
	# shellcheck disable=SC2154 # the harness sets passes
	local round rounds=$((RELAY_ROUNDS / passes + ($1 <= RELAY_ROUNDS % passes))) i name
	local -a relay_names=(direct)

	relay_open "$2" || return 1
	relay_fair
	for name in "${relay_ours[@]}" "${relay_peers[@]}"; do
		[ -z "${relay_pids[$2.$name]:-}" ] || relay_names+=("$name")
	done
	for ((round = 1; round <= rounds; round++)); do
		for ((i = 0; i < ${#relay_names[@]}; i++)); do
			name=${relay_names[(i + round) % ${#relay_names[@]}]}
			[[ $round -eq 1 || " $relay_seldom " != *" $name "* ]] || continue
			relay_measure "$round" "$2" "$name"
		done
	done
	relay_unfair
}

prepare_relay_lo() {
	relay_start_all lo
}

prepare_relay_veth() {
	relay_start_all veth
}

measure_relay_lo() {
	relay_topology "$1" lo
}

measure_relay_veth() {
	relay_topology "$1" veth
}

relay_idle_names=(auto rw haproxy nginx)

prepare_relay_idle() {
	local name err=0

	relay_prepare idle || return 1
	for name in "${relay_idle_names[@]}"; do
		relay_try idle "$name" && relay_stop "idle.$name" || err=1
	done
	return $err
}

# Each relay is started anew, so that no memory is left from before.
measure_relay_idle() {
	local name err=0
	local -a options

	relay_open idle || return 1
	relay_fair
	for name in direct "${relay_idle_names[@]}"; do
		progress "idle connections: $name"
		options=()
		if [ "$name" != direct ]; then
			relay_start idle "$name" || {
				err=1
				continue
			}
			options=(-p "${relay_pids[idle.$name]}")
		fi
		relay_load "$name" "${options[@]}" -w 1000 -m "$((BENCH_SECONDS * 200))" \
			idle "$RELAY_IDLE" && relay_samples 1 "relay_idle_$name" || err=1
		[ "$name" = direct ] || relay_stop "idle.$name"
	done
	relay_unfair
	return $err
}

### the report behind the table

# relay_report TOPOLOGY UNITS: a line for each relay, medians and half the distance of quartiles.
relay_report() {
	printf '\n%s: %s\n' "${relay_topologies[$1]:-$1}" "$2"
	# shellcheck disable=SC2154 # the harness sets work
	jq -n -r -L tests/bench --rawfile text "$work/samples" --arg prefix "relay_$1_" \
		'include "stats"; $text | samples | matrix($prefix) | aligned'
}

report_relay_lo() {
	relay_report lo 'microseconds, Gbit/s, CPU seconds per GB, connections a second'
}

report_relay_veth() {
	relay_report veth 'microseconds, Gbit/s, CPU seconds per GB, connections a second'
}

report_relay_idle() {
	relay_report idle 'CPU of the relay and of the machine with all that runs on it;
bytes for each connection, those in the kernel with its client and server'
}
