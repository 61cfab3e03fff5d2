#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The test suite of xdp-loader (Debian: xdp-tests) passes while our program runs on another interface.
. "$(dirname "$0")/lib.sh"

suite=/usr/libexec/xdp-tools

loader_suite() {
	local tool

	[ -e "$suite/test_runner.sh" ] || skip "package xdp-tests is not installed"
	start log log -i v0
	reads log
	# The runner asks for tools that this suite does not use.
	mkdir "$tmp/t/bin"
	for tool in capinfos tshark nc; do
		ln -s /bin/false "$tmp/t/bin/$tool"
	done
	PATH=$tmp/t/bin:$PATH TEST_PROG_DIR=$suite \
		"$suite/test_runner.sh" "$suite/tests/xdp-loader/test-xdp-loader.sh" >"$tmp/t/suite.err" 2>&1
	same "tests that passed" "$(grep -c '\[PASS\]\|PASS' "$tmp/t/suite.err")" 6
	pings 2
	stop "$pid"
	same "pings logged" "$(count_lines log 'icmp 8/0 len 98')" 2
}

lab_up
t "xdp-loader's own tests" loader_suite
lab_down
finish
