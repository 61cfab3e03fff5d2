#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests before have left nothing behind.
. "$(dirname "$0")/lib.sh"

no_programs() {
	[ "${XF_VM:-0}" = 1 ] || skip "this machine may have XDP programs of others"
	# The kernel frees programs and maps a little later.
	wait_for none_left || fail "$(bpftool prog show)"
}

none_left() {
	! bpftool prog show | grep -qE '^[0-9]+: (xdp|ext) '
}

quiet_kernel() {
	[ "${XF_VM:-0}" = 1 ] || skip "the kernel log of this machine is not only ours"
	same "complaints of the kernel" "$(dmesg | grep -E 'WARNING:|BUG:|Oops|general protection|rcu.*stall' || :)" ""
}

t "no pins in bpffs" no_pins
t "no programs in the kernel" no_programs
t "no complaints in the kernel log" quiet_kernel
finish
