#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The tarball of the sources, and the Debian package.

bats_require_minimum_version 1.5.0
load ../lib/process.bash
top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
version=$(sed -n 's/^VERSION := //p' "$top/Makefile")

fail() {
	printf '%s\n' "$@"
	return 1
}

setup() {
	T=$BATS_TEST_TMPDIR
}

long() {
	[ -n "${XDPFUN_LONG:-}" ] || skip "builds the package and installs it in a tree of its own: scripts/test --long"
}

@test "dist: the tarball has all sources, and a tree that was unpacked from it makes the same one" {
	BUILD=$T/one run -0 "$top/scripts/dist"
	[ "$output" = "$T/one/xdpfun-$version.tar.gz" ] || fail "$output"
	tar -xf "$output" -C "$T"
	[ -x "$T/xdpfun-$version/scripts/test" ]
	[ -e "$T/xdpfun-$version/.ci/run" ]
	for name in xdp-prog firewall sockmap loader lib; do
		diff -r "$top/$name" "$T/xdpfun-$version/$name"
	done
	[ ! -e "$T/xdpfun-$version/xdpfun-load" ]
	date=$(tar -tvf "$output" --full-time --utc "xdpfun-$version/Makefile" | awk '{ print $4, $5 }')
	SOURCE_DATE_EPOCH=$(date -u -d "$date" +%s) BUILD=$T/two run -0 "$T/xdpfun-$version/scripts/dist"
	cmp "$T/one/xdpfun-$version.tar.gz" "$T/two/xdpfun-$version.tar.gz"
}

@test "deb: without the tools that it needs it names the packages" {
	mkdir "$T/bin"
	for tool in bash dirname sed git stat; do
		ln -s "$(type -P "$tool")" "$T/bin/"
	done
	PATH=$T/bin run -1 "$top/scripts/dist" --deb
	[[ $output = *debhelper* ]] || fail "$output"
}

# in_tree COMMAND...: in the Debian 12 tree.
in_tree() {
	chroot "$T/tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
}

# The tree installs from the archive that the system's own apt configuration names.
debian_12_tree() {
	local mirror

	# shellcheck disable=SC2016 # apt fills in $(REPO_URI)
	mirror=$(apt-get indextargets --format '$(REPO_URI)' | sed 's:/*$::' | grep -m1 '/debian$')
	debootstrap --variant=minbase bookworm "$T/tree" "$mirror" >"$T/debootstrap" || fail "$(tail -n 5 "$T/debootstrap")"
	cp /etc/apt/apt.conf.d/* "$T/tree/etc/apt/apt.conf.d/"
	cp /etc/resolv.conf "$T/tree/etc/"
}

@test "deb: lintian finds nothing; installed, upgraded and purged in a clean Debian 12" {
	long
	type -P debootstrap lintian dh || skip "no debhelper, lintian or debootstrap here"
	for lower in "$version" 0.0.1; do
		tar -xf "$(BUILD=$T/dist "$top/scripts/dist")" -C "$T"
		sed -i "s/^VERSION := .*/VERSION := $lower/" "$T/xdpfun-$version/Makefile"
		(cd "$T/xdpfun-$version" && DEB_BUILD_OPTIONS=nocheck BUILD=build scripts/dist --deb) >"$T/deb" 2>&1 ||
			fail "$(tail -n 20 "$T/deb")"
		mv "$T/xdpfun-$version"/build/xdpfun{,-dbgsym}_* "$T/"
		rm -r "${T:?}/xdpfun-$version"
	done
	run --separate-stderr lintian "$T/xdpfun_$version-1_amd64.changes"
	[ "$status" = 0 ] && [ -z "$output" ] || fail "$output" "$stderr"
	debian_12_tree
	cp "$T"/*.deb "$T/tree/root/"
	in_tree apt-get install -y --no-install-recommends "/root/xdpfun_0.0.1-1_amd64.deb"
	[ "$(in_tree xdpfun-load --version | head -n 1)" = "xdpfun-load 0.0.1" ]
	in_tree getent passwd xdpfun
	in_tree apt-get install -y "/root/xdpfun_$version-1_amd64.deb"
	[ "$(in_tree xdpfun-load --version | head -n 1)" = "xdpfun-load $version" ]
	in_tree apt-get purge -y xdpfun
	run -0 find "$T/tree/usr" "$T/tree/etc" "$T/tree/var/lib/dpkg/info" -name '*xdpfun*'
	[ -z "$output" ] || fail "left behind:" "$output"
}
