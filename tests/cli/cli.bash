# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Helpers of the tests of command lines.

bats_require_minimum_version 1.5.0
top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
XF=$top/xdpfun-load

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

fail() {
	printf '%s\n' "$@"
	return 1
}

# says TEXT...: fails when one of the texts is not in $stderr.
says() {
	local text

	for text; do
		[[ $stderr = *"$text"* ]] || fail "this is not said: $text" "but this: $stderr"
	done
}

# ends_with STATUS ARGUMENTS... -- TEXT...: run xdpfun-load; fails unless it ends with this status, says TEXT in three lines
# at most, and prints nothing on stdout.
ends_with() {
	local status=$1 arguments=()

	shift
	while [ "$1" != -- ]; do
		arguments+=("$1")
		shift
	done
	shift
	run "-$status" --separate-stderr timeout 90 "$XF" "${arguments[@]}" </dev/null
	[ -z "$output" ] || fail "${arguments[*]}: this went to stdout: $output"
	says "$@"
	[ "${#stderr_lines[@]}" -le 3 ] || fail "${arguments[*]}: that is a lot of text: $stderr"
}

# refuses ARGUMENTS... -- TEXT...: fails unless this is a usage error that says TEXT.
refuses() {
	ends_with 2 "$@"
}

# starts ARGUMENTS...: start a relay in a network namespace of its own, with the command in $as in front, end it when it
# listens, and set stderr; fails when it ends with an error.
as=()
starts() {
	# shellcheck disable=SC2016 # for the inner shell
	run -0 --separate-stderr timeout 90 unshare -n bash -c '
		ip link set lo up
		rm -f said
		"$0" "$@" 2>said &
		until grep -q "listening on" said || [ -z "$(jobs -r)" ]; do sleep 0.05; done
		kill -TERM $!
		wait $!' "${as[@]}" "$XF" "$@"
	stderr=$(<said)
}
