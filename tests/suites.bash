# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034 # variables are for the scripts that read this
#
# The suites, and the words of a command line that name them, for tests/run and scripts/test.

all_suites=(lint unit fuzz prog platform cli e2e vm)
suites=()
name=

# suite_word WORD: append it to suites, or take it as the name of a test when one suite is named. Fails when it is neither.
suite_word() {
	if [[ " ${all_suites[*]} " = *" $1 "* ]]; then
		suites+=("$1")
	elif [ -z "$name" ] && [[ $1 != -* ]]; then
		name=$1
	else
		return 1
	fi
	[ -z "$name" ] || [ ${#suites[@]} = 1 ]
}
