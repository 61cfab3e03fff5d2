# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Packets to lines, end to end: a source on one CPU, a reader on another, output to memory, the
# highest rate at which nothing is lost; and the loader without any traffic.

sent_note='64-byte TCP frames of 4,096 flows into a veth with native XDP'

row json from=stream unit=lines/s better=higher target=1000000 \
	value='.stream_json_rate' \
	title='JSON, highest rate without loss' \
	means="$sent_note; one line for each"

row json-to-tcpdump from=stream unit=x better=higher target=3 \
	value='.stream_json_rate' to='.stream_tcpdump_rate' \
	title="JSON, to tcpdump's text" \
	means='to tcpdump -B 65536 -nn on the same interface; both have 64 MiB of buffers'

row text from=stream unit=lines/s better=higher \
	value='.stream_text_rate' \
	title='text, highest rate without loss' \
	means='as above, with lines of text'

row text-to-tcpdump from=stream unit=x better=higher target=3 \
	value='.stream_text_rate' to='.stream_tcpdump_rate' \
	title="text, to tcpdump's text" \
	means='the same, to tcpdump -B 65536 -nn'

row tcpdump-text from=stream unit=lines/s better=higher \
	value='.stream_tcpdump_rate' \
	title='tcpdump -nn, without loss' \
	means='for comparison'

row tcpdump-write from=stream unit=packets/s better=higher \
	value='.stream_write_rate' \
	title='tcpdump -w, without loss' \
	means='for comparison: packets copied to a capture file, nothing parsed'

row json-cpu from=stream unit=s better=lower \
	value='.stream_json_cpu' \
	title='JSON, CPU of a million packets' \
	means='user and system time of the reader; not what delivery costs the sending CPU'

row text-cpu from=stream unit=s better=lower \
	value='.stream_text_cpu' to='.stream_tcpdump_cpu' \
	title='text, CPU of a million packets' \
	means='the same'

row tcpdump-text-cpu from=stream unit=s better=lower \
	value='.stream_tcpdump_cpu' \
	title='tcpdump -nn, CPU of a million' \
	means='for comparison'

row tcpdump-write-cpu from=stream unit=s better=lower \
	value='.stream_write_cpu' \
	title='tcpdump -w, CPU of a million' \
	means='for comparison'

row idle from=idle unit=% better=lower target=0.1 \
	value='.idle_percent' \
	title='idle, CPU of the loader' \
	means='share of one core while no packet comes, a second after the last one'

STREAM_STEPS=4

# A namespace with a veth pair through which only the bench sends: into xbtx, out of xbrx.
stream_open() {
	stream_ns=xdpfun-bench-$$
	stream_tmp=$(mktemp -d "${XDPFUN_BENCH_TMP:-/dev/shm}/xdpfun-bench.XXXXXX") ||
		return 1
	on_exit stream_close
	ip netns add "$stream_ns" &&
		ip netns exec "$stream_ns" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 &&
		ip -n "$stream_ns" link add xbtx type veth peer name xbrx &&
		ip -n "$stream_ns" link set xbtx up &&
		ip -n "$stream_ns" link set xbrx up
}

stream_close() {
	ip netns del "$stream_ns" 2>/dev/null
	rm -rf "$stream_tmp"
}

# stream_run OPTION... -- COMMAND...: sets sent, delivered, seconds and cpu_ns. The reader's stderr is
# in $stream_tmp/log.
stream_run() {
	local result status

	rm -f "$stream_tmp"/*
	result=$(nsenter --net="/run/netns/$stream_ns" "$BENCH_DIR/stream" -t xbtx -a xbrx \
		-o "$stream_tmp/stdout" -l "$stream_tmp/log" "$@") || {
		cat "$stream_tmp/log" >&2
		return 1
	}
	read -r _ sent _ delivered _ seconds _ cpu_ns _ status <<<"$result"
	[ "$status" -eq 0 ] && return
	cat "$stream_tmp/log" >&2
	return 1
}

# Set taken and missed to the reader's counts.
loader_says() {
	local number='\([0-9]*\)' said unread

	said=$(sed -n "s/^xbrx: .* logged $number,.* lost $number, unread $number\$/\1 \2 \3/p" \
		"$stream_tmp/log")
	[ -n "$said" ] || return 1
	read -r taken missed unread <<<"$said"
	missed=$((missed + unread))
}

tcpdump_says() {
	taken=$(sed -n 's/^\([0-9]*\) packets* captured$/\1/p' "$stream_tmp/log")
	missed=$(sed -n 's/^\([0-9]*\) packets* dropped by kernel$/\1/p' "$stream_tmp/log")
	[ -n "$taken" ] && [ -n "$missed" ] || return 1
}

# stream_probe KIND RATE: status 1 when that failed; else sets what stream_run and the above set,
# and lost: the worst of what the reader says and of the difference to what was sent.
stream_probe() {
	local ms=$((BENCH_SECONDS * 1000)) out=$stream_tmp/out

	case $1 in
	json | text)
		stream_run -r "$2" -m "$ms" -w 300 -y 'attached program' -f "$out" -- \
			./xdpfun-load -i xbrx -m native -f "$1" --buffer 64M --append -w "$out" &&
			loader_says
		;;
	tcpdump) # it may sit on a half-full block for a second
		stream_run -r "$2" -m "$ms" -w 1300 -y 'listening on' -f "$stream_tmp/stdout" -p -- \
			tcpdump -B 65536 -nn -i xbrx && tcpdump_says
		;;
	write)
		stream_run -r "$2" -m "$ms" -w 1300 -y 'listening on' -f "$out" -p -- \
			tcpdump -B 65536 -i xbrx -Z root -w "$out" && tcpdump_says
		;;
	esac || return 1
	lost=$((sent > taken ? sent - taken : 0))
	[ "$missed" -le "$lost" ] || lost=$missed
	rate=$(awk "BEGIN { printf \"%d\", $sent / $seconds }")
	progress "$1: offered $rate/s, lost $lost of $sent ($delivered arrived)"
}

# The best lossless probe so far.
stream_keep() {
	best_rate=$rate
	best_cpu=$(awk "BEGIN { print $cpu_ns / 1e3 / $taken }")
}

# stream_start KIND: sets low and high, in packets a second, around where the rate must be. Status 2
# when even the source's full speed loses nothing.
stream_start() {
	local guess=${stream_guess[$1]:-}

	if [ -n "$guess" ]; then
		low=$((guess * 2 / 3)) high=$((guess * 3 / 2))
		return
	fi
	stream_probe "$1" 0 || return 1
	if [ "$lost" -eq 0 ]; then
		stream_keep
		return 2
	fi
	# The work of the reader under overload.
	high=$(awk "BEGIN { c = $taken * 1e9 / $cpu_ns * 1.1; print int(c < $rate ? c : $rate) }")
	low=$((high / 2))
}

# Halve the interval, in terms of ratios, until it is a few percent wide; go below it as long as
# nothing has passed.
stream_bisect() {
	local step try

	for ((step = 0; step < 3 * STREAM_STEPS; step++)); do
		[ "$step" -lt "$STREAM_STEPS" ] || [ "$best_rate" -eq 0 ] || break
		[ "$step" -lt "$STREAM_STEPS" ] || low=$((low / 2))
		try=$(awk "BEGIN { printf \"%d\", sqrt($low * $high) }")
		stream_probe "$1" "$try" "$((BENCH_SECONDS * 1000))" || return 1
		if [ "$lost" -gt 0 ]; then
			high=$try
			continue
		fi
		low=$try
		[ "$rate" -le "$best_rate" ] || stream_keep
	done
}

# stream_search KIND: print the samples of one search.
stream_search() {
	local err=0

	best_rate=0 best_cpu=
	stream_start "$1" || err=$?
	if [ "$err" -eq 0 ]; then
		stream_bisect "$1" || err=$?
	fi
	[ "$err" -ne 1 ] && [ "$best_rate" -gt 0 ] || return 1
	if [ "$err" -eq 2 ]; then
		note "$1: all that the source can send, without loss; the reader may do more"
	else
		stream_guess[$1]=$best_rate
	fi
	# A lower bound of another program is no rate to compare with.
	[ "$err $1" = '2 tcpdump' ] || sample "stream_$1_rate" "$best_rate" 0
	sample "stream_$1_cpu" "$best_cpu" 0
}

prepare_stream() {
	need tcpdump tcpdump
}

measure_stream() {
	local kind

	declare -gA stream_guess
	[ -n "${stream_ns:-}" ] || stream_open || return 1
	for kind in json tcpdump text write; do
		! wanted "stream_${kind}_" || stream_search "$kind" || return 1
	done
}

measure_idle() {
	# Values that are the same each time are measured once.
	[ "$1" -eq 1 ] || return 0
	[ -n "${stream_ns:-}" ] || stream_open || return 1
	stream_run -i -w 2000 -m "$((BENCH_SECONDS * 2000))" -y 'attached program' -- \
		./xdpfun-load -i xbrx -m native -w "$stream_tmp/out" && loader_says || return 1
	sample idle_percent "$(awk "BEGIN { print $cpu_ns / ($seconds * 1e7) }")" "$missed"
}
