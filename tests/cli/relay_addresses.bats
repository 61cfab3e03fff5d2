#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The addresses on the command lines of echo, forward and log --echo. No connection is relayed.

load cli.bash

@test "a listen address without a valid address or port is refused" {
	for value in foo 127.0.0.1 127.0.0.1: : 127.0.0.1:http 127.0.0.1:65536 127.0.0.1:+1 \
		"127.0.0.1:80 " ::1:80 "[::1]" "[::1:80" 1.2.3:80 256.0.0.1:80 \
		unix: unix:x unix:/ unix:/a\ b unix:@ "unix:/$(printf 'x%.0s' {1..107})"; do
		refuses echo -l "$value" -- --listen "\"$value\"" expected
		refuses echo "--listen=$value" -- --listen "\"$value\"" expected
		refuses forward --to 192.0.2.1:1 -l "$value" -- --listen "\"$value\"" expected
		refuses forward -l 127.0.0.1:0 --to "$value" -- --to "\"$value\"" expected
		refuses forward -l 127.0.0.1:0 --to "192.0.2.1:1,$value" -- --to "\"$value\"" expected
		refuses log -i lo "--echo=$value" -- --echo "\"$value\"" expected
	done
	refuses echo -l localhost:80 -- --listen '"localhost:80"' expected
	refuses echo -l "" -- -l '""'
	refuses log -i lo --echo= -- --echo '""'
}

@test "an upstream has an address, and the mode of a socket is octal" {
	refuses forward -l 127.0.0.1:0 --to :80 -- --to '":80"' expected
	for value in 0 66 8 668 07777 1660 rw; do
		refuses echo --socket-mode "$value" -- --socket-mode "\"$value\""
	done
	refuses echo -l unix:@x -l unix:@x -- --listen '"unix:@x" is given twice'
	starts echo -l :0
	says "listening on [::]:"
	starts forward -l unix:@xdpfun-test --to unix:@other
	says "listening on unix:@xdpfun-test,"
	run -1 --separate-stderr "$XF" forward -l unix:@x --to unix:@x
	says "--to: this relay listens on its upstream unix:@x itself"
}

@test "an upstream that is a name is looked up at the start" {
	starts forward -l 127.0.0.1:0 --to localhost:80,LOCALHOST.:81
	says "listening on"
	# shellcheck disable=SC2016 # for the inner shell
	run -1 --separate-stderr unshare -n bash -c 'ip link set lo up; exec "$0" "$@"' \
		"$XF" forward -l 127.0.0.1:7 --to localhost:7
	says "--to: this relay listens on its upstream 127.0.0.1:7 itself"
	echo "any -> nosuch.invalid:80" >routes
	run -0 "$XF" forward --check --routes routes
	refuses forward -l 127.0.0.1:0 --to localhost:80 --resolve 0.5 -- --resolve '"0.5"'
}

@test "an upstream with port 0, an empty upstream and a 65th are refused" {
	refuses forward -l 127.0.0.1:0 --to 192.0.2.1:0 -- --to '"192.0.2.1:0"' "from 1 to 65535"
	refuses forward -l 127.0.0.1:0 --to 192.0.2.1:1, -- --to '""' ADDR:PORT
	refuses forward -l 127.0.0.1:0 --to ,192.0.2.1:1 -- --to '""' ADDR:PORT
	many=192.0.2.1:1
	for _ in {1..64}; do many+=,192.0.2.1:2; done
	refuses forward -l 127.0.0.1:0 --to $many -- --to "one too many" 64
}

@test "an address to listen on that is given twice is refused" {
	refuses echo -l 127.0.0.1:7 -l 127.0.0.2:7 --listen 127.0.0.1:7 -- --listen '"127.0.0.1:7" is given twice'
	refuses forward --to 192.0.2.1:1 -l "[::1]:7" -l "[0::1]:7" -- --listen '"[0::1]:7" is given twice'
}

@test "a relay whose upstream is itself is refused" {
	for case in "127.0.0.1:7 127.0.0.1:7" "0.0.0.0:7 127.0.0.3:7" "[::]:7 127.0.0.1:7" "[::]:7 [::1]:7" \
		"0.0.0.0:7 0.0.0.0:7" "127.0.0.1:7 0.0.0.0:7" "[::1]:7 [::]:7" "127.0.0.1:7 [::ffff:127.0.0.1]:7" \
		"[::ffff:127.0.0.1]:7 0.0.0.0:7" "[::]:7 0.0.0.0:7"; do
		# shellcheck disable=SC2016 # for the inner shell
		run -1 --separate-stderr unshare -n bash -c 'ip link set lo up; exec "$0" "$@"' \
			"$XF" forward -l 127.0.0.1:8 -l "${case% *}" --to "192.0.2.1:7,${case#* }"
		says "--to: this relay listens on its upstream ${case#* } itself"
	done
	echo "any -> 127.0.0.1:8" >routes
	# shellcheck disable=SC2016 # for the inner shell
	run -1 --separate-stderr unshare -n bash -c 'ip link set lo up; exec "$0" "$@"' \
		"$XF" forward -l 127.0.0.1:8 --routes routes
	says "routes: this relay listens on its upstream 127.0.0.1:8 itself"
	starts forward -l 127.0.0.1:7 --to 127.0.0.2:7
	starts forward -l 0.0.0.0:7 --to 192.0.2.1:7
	starts forward -l 127.0.0.2:7 --to 0.0.0.0:7
	starts forward -l 127.0.0.1:7 --to "[::]:7"
	starts forward -l 0.0.0.0:7 --to 127.0.0.1:8
}
