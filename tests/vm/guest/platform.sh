#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The facts of tests/platform on this kernel: the programs print TAP themselves.
cd "$(dirname "$0")/.." || exit

out=$(mktemp)
for program in "${PLATFORM:-.}"/test_*; do
	[ -x "$program" ] || continue
	name=${program##*/test_}
	good=0
	CMOCKA_MESSAGE_OUTPUT=TAP "$program" >"$out" 2>&1 && good=1
	grep -q "^ok " "$out" || good=0
	while IFS= read -r line; do
		case $line in
		"not ok "*) echo "not ok platform: $name: ${line#* - }" ;;
		"ok "*) echo "ok platform: $name: ${line#* - }" ;;
		*) echo "# ${line#"# "}" ;;
		esac
	done <"$out"
	[ $good = 1 ] || grep -q "^not ok " "$out" || echo "not ok platform: $name: runs to its end"
done
rm "$out"
