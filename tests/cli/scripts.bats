#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The scripts: the faults that they find, and their errors about wrong arguments and without root.

bats_require_minimum_version 1.5.0
load ../lib/process.bash
top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

fail() {
	printf '%s\n' "$@"
	return 1
}

# lint_tree: make a small tree without a fault for lint, except for warnings.
lint_tree() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/scripts" "$tree/lib" "$tree/loader/cmd" "$tree/docs"
	cp "$top/scripts/lint" "$top/scripts/rooms" "$tree/scripts/"
	cp "$top/.clang-format" "$top/.codespellrc" "$tree/"
	printf '// SPDX-License-Identifier: GPL-2.0-only\n#include "b.h"\n' >"$tree/lib/a.c"
	printf '/* SPDX-License-Identifier: GPL-2.0-only */\n' >"$tree/lib/b.h"
	cp "$tree/lib/b.h" "$tree/loader/cmd/c.h"
	printf '.TH A 8 "2026-11-30"\n.SH NAME\na \\- b\n' >"$tree/docs/a.8"
}

# lint_finds CHECK TEXT: fails unless lint finds a fault in the tree and says TEXT.
lint_finds() {
	run -1 "$tree/scripts/lint" "$1"
	[[ $output = *"not ok - $1"*"$2"* ]] || fail "lint $1 does not say '$2':" "$output"
}

@test "lint finds each kind of fault, and names the place" {
	lint_tree
	run -0 "$tree/scripts/lint" licence format functions length shell signals manual spelling names rooms
	echo '#include "../loader/cmd/c.h"' >>"$tree/lib/a.c"
	lint_finds rooms "lib/a.c:3: may not include loader/cmd/c.h"
	lint_tree
	echo '#include <xdp/libxdp.h>' >>"$tree/loader/cmd/c.h"
	lint_finds rooms "loader/cmd/c.h:2: may not include <xdp/libxdp.h>"
	for hidden in '<loader/cmd/c.h>' '"lib/../loader/cmd/c.h"' LOADER "\\"; do
		lint_tree
		printf '#include %s\n' "$hidden" >>"$tree/lib/a.c"
		lint_finds rooms "lib/a.c:3: "
	done
	lint_tree
	mkdir -p "$tree/sockmap/server"
	cp "$tree/lib/b.h" "$tree/sockmap/server/conn.h"
	for phase in waiting first_read dial upstream; do
		{ cat "$tree/lib/b.h"; echo '#include "sockmap/server/conn.h"'; } >"$tree/sockmap/server/$phase.c"
		lint_finds rooms "sockmap/server/$phase.c:2: may not include sockmap/server/conn.h"
	done
	rm -r "$tree/sockmap"
	lint_tree
	echo '/* */ #include "b.h"' >>"$tree/lib/a.c"
	lint_finds rooms "lib/a.c:3: "
	lint_tree
	mkdir "$tree/new"
	cp "$tree/lib/b.h" "$tree/new/"
	lint_finds rooms "new/b.h:1: no line of scripts/rooms"
	rm -r "$tree/new"
	lint_tree
	for i in {1..19}; do
		cp "$tree/lib/b.h" "$tree/lib/$i.c"
	done
	run -0 "$tree/scripts/lint" rooms
	cp "$tree/lib/b.h" "$tree/lib/20.c"
	lint_finds rooms "lib: 21 C files in one folder"
	rm "$tree"/lib/[0-9]*.c
	lint_tree
	echo 'int  a;' >>"$tree/lib/a.c"
	lint_finds format "lib/a.c:3"
	echo '/* t''eh */' >>"$tree/lib/a.c"
	lint_finds spelling "==> the"
	printf 'int f(void)\n{\n%s\n}\n' "$(printf ';\n%.0s' {1..60})" >"$tree/lib/b.h"
	run -0 "$tree/scripts/lint" functions
	printf 'int f(void)\n{\n%s\n}\n' "$(printf ';\n%.0s' {1..61})" >"$tree/lib/b.h"
	lint_finds functions "lib/b.h:2: a function of 61 lines"
	yes '//' | head -n 450 >"$tree/lib/b.h"
	run -0 "$tree/scripts/lint" length
	echo '//' >>"$tree/lib/b.h"
	lint_finds length "lib/b.h: 451 lines"
	mkdir -p "$tree/sockmap/relay"
	mv "$tree/lib/b.h" "$tree/sockmap/relay/room.c"
	run -0 "$tree/scripts/lint" length
	echo '//' >"$tree/sockmap/relay/room.c"
	lint_finds length "sockmap/relay/room.c: 1 lines are no more than 450"
	rm -r "$tree/sockmap"
	{ echo '#!/bin/bash' && yes '#' | head -n 450; } >"$tree/scripts/d"
	lint_finds length "scripts/d: 451 lines"
	echo 'int b;' >"$tree/lib/b.h"
	lint_finds licence "lib/b.h"
	# shellcheck disable=SC2016 # backticks are meant
	printf '%s\n' '`lib/`, `lib/*.c`, `b.h`, `lib/NAME.c`, `f()`' >"$tree/README.md"
	echo 'int f(void);' >"$tree/lib/b.h"
	run -0 "$tree/scripts/lint" names
	for name in lib/d.c 'lib/*.d' d.h 'g()' docs/lib/; do
		echo "\`$name\`" >"$tree/README.md"
		lint_finds names "README.md:1: there is no $name"
	done
	printf '#!/bin/bash\n# SPDX-License-Identifier: GPL-2.0-only\ncat $%s\n' 1 >"$tree/scripts/d"
	lint_finds shell SC2086
	mkdir -p "$tree/tests"
	printf 'kill -TERM "$%s"\n' '{pid[a]}' >"$tree/tests/a.bats"
	lint_finds signals "tests/a.bats:1"
	rm -r "$tree/tests"
	mkdir -p "$tree/.ci"
	mv "$tree/scripts/d" "$tree/.ci/run"
	lint_finds shell SC2086
	echo '.XY' >>"$tree/docs/a.8"
	lint_finds manual "a.8:4"
	printf 'objects:\n\tcc -Wall -Werror -c lib/e.c -o /dev/null\n' >"$tree/Makefile"
	printf '// SPDX-License-Identifier: GPL-2.0-only\nstatic int f(void)\n{\n}\n' >"$tree/lib/e.c"
	lint_finds warnings "lib/e.c:2"
	run -2 "$tree/scripts/lint" nothing
}

@test "wrong arguments are usage errors" {
	for script in scripts/test tests/run; do
		run -2 "$top/$script" unit rule nonsense
		run -2 "$top/$script" unit prog rule
		run -2 "$top/$script" unit rule prog
		run -2 "$top/$script" rule
		run -2 "$top/$script" --vm
		[[ $output = usage:* ]] || fail "$script says: $output"
	done
	for script in install-deps netns-lab demo test; do
		run -2 "$top/scripts/$script" --frobnicate
		[[ $output = *[uU]sage:* || $output = *"netns-lab up"* ]] || fail "$script says: $output"
		run -0 "$top/scripts/$script" --help
	done
}

@test "scripts that need root say so" {
	open=$(mktemp -d)
	chmod 755 "$open"
	mkdir "$open/tests"
	cp -r "$top/scripts" "$open/"
	cp "$top/tests/suites.bash" "$open/tests/"
	for script in "demo" "test" "netns-lab up"; do
		# shellcheck disable=SC2086 # a word each
		run -1 setpriv --reuid=65534 --regid=65534 --clear-groups "$open/scripts/"$script
		[[ $output = *root*sudo* ]] || fail "$script says: $output"
	done
	rm -r "$open"
}

@test "install-deps has nothing to do where everything is installed" {
	"$top/scripts/install-deps" --build --test
	run -0 setpriv --reuid=65534 --regid=65534 --clear-groups bash -s -- --build --test <"$top/scripts/install-deps"
	[ -z "$output" ] || fail "$output"
}

# lab_left NAME: print what is left of a lab.
lab_left() {
	ip netns list | grep -E "^$1-[ab]( |\$)" || :
	ls "/run/xdpfun-lab/$1" 2>/dev/null || :
}

@test "netns-lab joins two namespaces and leaves nothing behind" {
	lab=$("$top/scripts/netns-lab" up 3>&-)
	began holder "$(<"/run/xdpfun-lab/$lab")"
	alive holder
	"$top/scripts/netns-lab" exec "$lab" a ping -q -c 1 -W 2 10.9.0.2
	"$top/scripts/netns-lab" exec "$lab" b ping -q -c 1 -W 5 fd00:9::1
	[ "$("$top/scripts/netns-lab" exec "$lab" a pwd)" = "$PWD" ]
	"$top/scripts/netns-lab" exec "$lab" a mkdir /sys/fs/bpf/mine
	[ ! -e /sys/fs/bpf/mine ]
	"$top/scripts/netns-lab" exec "$lab" b sleep 1000 3>&- &
	sleeper=$!
	"$top/scripts/netns-lab" down "$lab"
	[ -z "$(lab_left "$lab")" ]
	gone holder
	! wait $sleeper || fail "what ran in the lab ended well"
	"$top/scripts/netns-lab" down "$lab"
}

# fake_tests <PROGRAM: make a copy of scripts/test and tests/run with this program as the only test.
fake_tests() {
	fake=$BATS_TEST_TMPDIR/fake
	mkdir -p "$fake/scripts" "$fake/tests/unit" "$fake/build/tests/unit"
	cp "$top/scripts/test" "$fake/scripts/test"
	cp "$top/tests/run" "$top/tests/suites.bash" "$fake/tests/"
	printf '#!/bin/sh\n' >"$fake/scripts/install-deps"
	printf 'all tests-unit:\n' >"$fake/Makefile"
	cat >"$fake/build/tests/unit/test_one"
	touch "$fake/tests/unit/test_one.c"
	chmod +x "$fake"/scripts/* "$fake/build/tests/unit/test_one"
}

# verdict STATUS LAST-LINE: run the copy; fails when it ends otherwise.
verdict() {
	run env -u BUILD "$fake/scripts/test" unit
	[ "$status" = "$1" ] && [ "${lines[-1]}" = "$2" ] || fail "status $status, not $1; last line not '$2':" "$output"
}

@test "netns-lab leaves a lab alone that has the name of the next one" {
	# shellcheck disable=SC2016 # for the inner shell; exec keeps its process id
	lab=$(bash -c 'ip netns add "xdpfun-$$-a"
		ip netns exec "xdpfun-$$-a" sleep 1000 >/dev/null &
		echo "$! xdpfun-$$" >"$1"
		exec "$0" up' "$top/scripts/netns-lab" "$BATS_TEST_TMPDIR/other" 3>&-) || lab=
	read -r sleeper other <"$BATS_TEST_TMPDIR/other"
	[ -d "/proc/$sleeper" ] && [ -e "/run/netns/$other-a" ] || fail "the other lab is gone"
	"$top/scripts/netns-lab" down "$other"
	[ -n "$lab" ] && [ "$lab" != "$other" ] || fail "the lab is called '$lab'"
	"$top/scripts/netns-lab" exec "$lab" a true
	"$top/scripts/netns-lab" down "$lab"
	[ -z "$(lab_left "$lab")" ]
}

@test "netns-lab removes all of a lab although signals interrupt it" {
	lab=$("$top/scripts/netns-lab" up 3>&-)
	set -m
	"$top/scripts/netns-lab" down "$lab" 3>&- &
	downer=$!
	set +m
	sleep 0.05
	for _ in {1..20}; do
		kill -INT -- "-$downer" 2>/dev/null || :
		kill -TERM -- "-$downer" 2>/dev/null || :
		sleep 0.01
	done
	wait $downer || :
	[ -z "$(lab_left "$lab")" ] || fail "left: $(lab_left "$lab")"
}

@test "scripts/test counts what passed, failed and was skipped" {
	fake_tests <<-'END'
		#!/bin/sh
		echo "TAP version 13"
		echo "1..5"
		echo "ok 1 - one"
		echo "ok 2 three # skip no reason"
		echo "ok 3 - four # SKIP for a reason"
		echo "not ok 4 # SKIP five"
		echo "ok two, without a number"
	END
	verdict 0 "2 passed, 0 failed, 3 skipped"
	[[ $output = *"for a reason"* ]] || fail "$output"
	fake_tests <<-'END'
		#!/bin/sh
		echo "ok 1 - one"
		echo "not ok 2 - two"
		echo "# the diagnostics"
		echo "1..2"
		exit 1
	END
	verdict 1 "1 passed, 1 failed, 0 skipped"
	[[ $output = *"FAILED: 2 - two"*"the diagnostics"* ]] || fail "$output"
}

@test "scripts/test notices a crash, a suite without tests, and tests that did not run" {
	fake_tests <<-'END'
		#!/bin/sh
		echo "ok 1 - one"
		kill -SEGV $$
	END
	verdict 1 "1 passed, 1 failed, 0 skipped"
	fake_tests <<-'END'
		#!/bin/sh
	END
	verdict 1 "0 passed, 1 failed, 0 skipped"
	fake_tests <<-'END'
		#!/bin/sh
		echo "1..3"
		echo "ok 1 - one"
		echo "ok 2 - two"
	END
	verdict 1 "2 passed, 1 failed, 0 skipped"
	[[ $output = *"test_one: 3 tests were planned and 2 ran"* ]] || fail "$output"
	fake_tests <<-'END'
		#!/bin/sh
		echo "ok 1 - one"
		echo "a leak"
		exit 1
	END
	verdict 1 "1 passed, 1 failed, 0 skipped"
	[[ $output = *"a leak"* ]] || fail "$output"
	fake_tests <<-'END'
		#!/bin/sh
		echo "ok 1 - one"
		echo "Bail out! no more"
	END
	verdict 1 "1 passed, 1 failed, 0 skipped"
	rm "$fake/build/tests/unit/test_one"
	verdict 1 "0 passed, 1 failed, 0 skipped"
	rm "$fake/tests/unit/test_one.c"
	verdict 1 "0 passed, 1 failed, 0 skipped"
	printf 'all tests-unit:\n\tfalse\n' >"$fake/Makefile"
	verdict 1 "0 passed, 1 failed, 0 skipped"
}

@test "scripts/test runs one file, or one test of it" {
	run -0 "$top/tests/run" unit rule
	[[ ${lines[-1]} =~ ^[2-9]\ passed,\ 0\ failed ]] || fail "$output"
	run -0 "$top/tests/run" unit canonical_text
	[ "${lines[-1]}" = "1 passed, 0 failed, 0 skipped" ] || fail "$output"
	run -0 "$top/tests/run" unit test_pipe_never_read
	[ "${lines[-1]}" = "1 passed, 0 failed, 0 skipped" ] || fail "$output"
	run -0 "$top/tests/run" cli "lint finds each kind of fault"
	[ "${lines[-1]}" = "1 passed, 0 failed, 0 skipped" ] || fail "$output"
	for suite in unit prog cli e2e fuzz lint vm; do
		run -2 "$top/tests/run" $suite no_such_test
	done
	[[ $output = *"vm has no test 'no_such_test'"* ]] || fail "$output"
	[ "$("$top/tests/run" --list e2e relay_limits)" = tests/e2e/relay_limits.bats ]
}

@test "the selftest of the bench passes" {
	run "$top/scripts/bench" --selftest
	[ "$status" = 0 ]
	[[ ${lines[-1]} == *" passed, 0 failed, "* ]]
}

@test "scripts/test counts a program that is skipped as a whole as a skip" {
	fake_tests <<-'END'
		#!/bin/sh
		echo "1..0 # SKIP needs root"
	END
	verdict 0 "0 passed, 0 failed, 1 skipped"
	[[ $output == *"needs root"* ]]
}

@test "a big-endian machine is refused by the build, with the reason" {
	local source

	cd "$top"
	for source in xdp-prog/xdpfun.bpf.c xdp-prog/xdpfun-fw.bpf.c; do
		run -1 "${CLANG:-clang}" -target bpfeb -fsyntax-only -I"/usr/include/$("${CC:-cc}" -print-multiarch)" "$source"
		[[ ${lines[*]} = *"xdpfun is for little-endian machines only"* ]] || fail "$source: $output"
	done
}
