#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The manual pages and --help: each command has a page, and on it the options that --help lists, with the same values,
# and no others. The NAME section says to which command a page belongs. Its options are the tags behind .TP in the section
# OPTIONS, or in subsections whose headings name the command or say "every command".

bats_require_minimum_version 1.5.0
top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
XF=$top/xdpfun-load
pages=$top/docs/man

fail() {
	printf '%s\n' "$@"
	return 1
}

# commands_of [firewall]: print the commands that --help lists.
commands_of() {
	"$XF" "$@" --help | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p'
}

# helped COMMAND...: print the options that --help lists, with their values and alternative names.
helped() {
	local help

	help=$("$XF" "$@" --help)
	sed -nE 's/^  (    )?(-.*)/\2/p' <<<"$help" | sed 's/  .*//'
	tr -s '\n ' ' ' <<<"$help" | grep -oE '\(also --[a-z-]+\)' || :
}

# page_of COMMAND: print the page whose NAME section has the command.
page_of() {
	grep -lE "^xdpfun-([a-z]+, xdpfun-)*$1[ ,]" "$pages"/*.8
}

# documented FILE WORD: print the options in the sections for that word.
documented() {
	awk -v word="$2" '
		/^\.S[HS] / {
			heading = $0
			gsub(/^\.S[HS] |[",]/, "", heading)
			here = heading == "OPTIONS" || heading ~ /every command$/ || (" " heading " ") ~ (" " word " ")
		}
		tag && here && /^\\fB-/ { print }
		{ tag = /^\.TP/ }
		here { text = text " " $0 }
		END {
			gsub(/\\f[A-Z]/, "", text)
			while (match(text, /\([Aa]lso --[a-z-]+/)) {
				print tolower(substr(text, RSTART, RLENGTH)) ")"
				text = substr(text, RSTART + RLENGTH)
			}
		}' "$1" | sed -E 's/\\f[A-Z]//g'
}

# agree FILE COMMAND...: whether the page and --help have the same options.
agree() {
	local file=$1 differences

	shift
	[ -n "$(helped "$@")" ] || fail "$* --help lists no options"
	differences=$(diff --label "$* --help" --label "$file" -U0 <(helped "$@" | sort) <(documented "$file" "${*: -1}" | sort)) ||
		fail "$differences"
}

@test "each command has a page, and each page's command exists" {
	local command commands

	mapfile -t commands < <(commands_of)
	[ ${#commands[@]} -ge 7 ] || fail "too few commands: ${commands[*]}"
	for command in "${commands[@]}"; do
		[ "$(page_of "$command" | wc -l)" = 1 ] || fail "xdpfun-$command has not one page: $(page_of "$command")"
		grep -q "^\.BR $command \", see \" xdpfun-" "$pages/xdpfun-load.8" || fail "xdpfun-load(8) does not name $command"
	done
	diff <(printf '%s\n' load "${commands[@]}" | sort) \
		<(sed -nE '/^\.SH NAME/{n;s/ \\-.*//;s/, /\n/g;s/xdpfun-//g;p;}' "$pages"/*.8 | sort)
	diff <(commands_of firewall | sort) \
		<(sed -nE '/^\.SH COMMANDS/,/^\.SH RULES/s/^\.SS ([a-z]+)$/\1/p' "$pages/xdpfun-firewall.8" | sort)
}

@test "each option of each command is on its page, and the other way round" {
	local command

	for command in $(commands_of); do
		[ "$command" != firewall ] || continue
		agree "$(page_of "$command")" "$command"
	done
	for command in $(commands_of firewall); do
		agree "$pages/xdpfun-firewall.8" firewall "$command"
	done
}

@test "an option that is missing on a page, is one too many or has other values is found" {
	local page=$BATS_TEST_TMPDIR/page.8

	sed '/^\\fB--drain/d' "$pages/xdpfun-echo.8" >"$page"
	run ! agree "$page" echo
	[[ $output = *"---drain SECONDS"* ]] || fail "$output"
	sed 's/^\.SS flush/&\n.TP\n\\fB--hard\\fR/' "$pages/xdpfun-firewall.8" >"$page"
	run ! agree "$page" firewall flush
	[[ $output = *"+--hard"* ]] || fail "$output"
	run -0 agree "$page" firewall policy
	sed 's/^\(\\fB--idle.*\)SECONDS/\1MINUTES/' "$pages/xdpfun-forward.8" >"$page"
	run ! agree "$page" forward
	[[ $output = *"+--idle MINUTES"* ]] || fail "$output"
	sed 's/Also \\fB--chain-actions/Also \\fB--chains/' "$pages/xdpfun-log.8" >"$page"
	run ! agree "$page" log
	[[ $output = *"+(also --chains)"* ]] || fail "$output"
	run -0 agree "$page" follow
}

@test "each page has the sections from NAME to SEE ALSO" {
	local page section

	for page in "$pages"/*.8; do
		for section in NAME SYNOPSIS DESCRIPTION EXAMPLES 'EXIT STATUS' 'SEE ALSO'; do
			grep -q "^\.SH $section\$" "$page" || fail "$page has no section $section"
		done
	done
}

@test "README, manual and --help say that XDP sees received packets only" {
	local file word

	for word in "" log follow firewall; do
		# shellcheck disable=SC2086 # no word, or one
		"$XF" $word --help | grep -q "XDP sees the packets that an interface receives, none that this machine sends" ||
			fail "'$word --help' does not say it"
	done
	for file in "$top/README.md" "$pages"/xdpfun-{load,log,firewall}.8; do
		tr -s '\n ' ' ' <"$file" | grep -qE "(an interface receives|that an interface receives).*[Ww]hat this machine sends|that an interface receives\. Those that this machine sends" ||
			fail "$file does not say it"
	done
}
