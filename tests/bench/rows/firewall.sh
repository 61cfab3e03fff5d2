# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The cost of a packet in the firewall, with few rules and with a million, beside xdp-filter and the
# kernel's LPM trie, and the cost of changes. Packets have 1,048,576 sources drawn from the rules:
# evenly, or by Zipf, where the nth rule gets 1/n of what the first gets.

for firewall_filter in /usr/lib/*/bpf /usr/lib64/bpf /usr/lib/bpf /usr/local/lib/bpf ''; do
	firewall_filter=${firewall_filter:+$firewall_filter/xdpfilt_alw_ip.o}
	[ ! -e "$firewall_filter" ] || break
done

# firewall_over SERIES FAMILY: the cost of a program over an empty one
firewall_over() {
	printf 'over(.firewall_%s; .firewall_empty_%s)' "$1" "$2"
}

# firewall_ratio NAME TARGET FAMILY SERIES BASE TITLE MEANS
firewall_ratio() {
	row "firewall-$1" from=firewall unit=x better=lower ${2:+target="$2"} \
		value="$(firewall_over "$4" "$3")" to="$(firewall_over "$5" "$3")" \
		title="firewall, $6" \
		means="$7"
}

firewall_ratio to-xdp-filter 1 ip4 addresses filter \
	'10 addresses, to xdp-filter' 'cost over an empty program; xdp-filter for IPv4 has the same ones'

firewall_family_rows() {
	local family=$1 name=$2

	row "firewall-$family" from=firewall unit=ns better=lower \
		value="$(firewall_over "many_${family}_uniform" "$family")" \
		title="firewall, a million, $name" \
		means='over an empty program, every rule drawn alike'
	row "firewall-$family-zipf" from=firewall unit=ns better=lower \
		value="$(firewall_over "many_${family}_zipf" "$family")" \
		title="firewall, a million, $name, Zipf" \
		means='over an empty program'
	firewall_ratio "$family-to-few" '' "$family" "many_${family}_uniform" \
		"few_${family}_uniform" "a million to 10, $name" \
		'half IPv4 of /8 to /32, half IPv6 of /32 to /128; every rule drawn alike'
	firewall_ratio "$family-to-few-zipf" 2 "$family" "many_${family}_zipf" \
		"few_${family}_zipf" "a million to 10, $name, Zipf" 'the same'
	firewall_ratio "$family-to-trie" 0.4 "$family" "many_${family}_uniform" \
		"trie_${family}_uniform" "to LPM trie, $name" \
		'a program that asks a trie with the same half million prefixes and does no more'
	firewall_ratio "$family-to-trie-zipf" 0.4 "$family" "many_${family}_zipf" \
		"trie_${family}_zipf" "to LPM trie, $name, Zipf" 'the same'
}

firewall_family_rows ip4 IPv4
firewall_family_rows ip6 IPv6

firewall_ratio others 4 ip4 others others_few '10,000 with several fields, to 10' \
	'ports, ranges of them, protocols and two prefixes, four kinds alike in both'

row firewall-load from=firewall unit=s better=lower target=5 \
	value='.firewall_load' \
	title='firewall, load of a million' \
	means='replace all rules by 1,000,000 with one prefix each; in the library'

row firewall-adds from=firewall unit=rules/s better=higher target=100000 \
	value='.firewall_adds' \
	title='firewall, adds to a million' \
	means='one at a time; in the library'

row firewall-pipe from=firewall_pipe unit=rules/s better=higher target=100000 \
	value='.firewall_pipe' \
	title='firewall, adds through a pipe' \
	means="xdpfun-load firewall add -, 300,000 addresses; with its start"

row firewall-memory from=firewall unit=B better=lower target=314572800 \
	value='.firewall_memory' \
	title='firewall, memory of a million' \
	means='all maps, in the kernel'

row firewall-replace-memory from=firewall unit=B better=lower target=734003200 \
	value='.firewall_replace_memory' \
	title='firewall, memory while replacing' \
	means='a million by a million'

prepare_firewall() {
	[ -n "$firewall_filter" ] || die 'xdpfilt_alw_ip.o not found: install xdp-tools'
}

measure_firewall() {
	"$BENCH_DIR/firewall" "$(((BENCH_SECONDS + 2) / 3))" 1000000 "$firewall_filter"
}

# The pins go with the file system, which is the bench's own.
firewall_unmount() {
	umount "$firewall_bpffs" 2>/dev/null
}

measure_firewall_pipe() {
	local start end

	# shellcheck disable=SC2154 # the harness sets work
	firewall_bpffs=$work/bpffs
	awk 'BEGIN {
		for (n = 0; n < 150000; n++)
			printf "deny from %d.%d.%d.1\ndeny from 2001:db8:%x::%x\n",
				10 + n / 65536, n / 256 % 256, n % 256, n / 65536, n % 65536
	}' >"$work/rules"
	on_exit firewall_unmount
	mkdir -p "$firewall_bpffs" && mount -t bpf bpf "$firewall_bpffs" || return 1
	start=${EPOCHREALTIME/./}
	# shellcheck disable=SC2002 # through a pipe it is
	cat "$work/rules" | LIBXDP_BPFFS=$firewall_bpffs ./xdpfun-load firewall add -q - || return 1
	end=${EPOCHREALTIME/./}
	firewall_unmount
	sample firewall_pipe $((300000 * 1000000 / (end - start))) 0
}
