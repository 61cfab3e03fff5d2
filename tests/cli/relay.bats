#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034 # variables are for helpers
#
# The command line of echo, forward and log --echo: usage errors, --check, --help and messages. No connection is relayed.

load cli.bash

# as_nobody COMMAND...: run a command without root, on a copy of the loader that others may execute.
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

@test "keepalive times that are not whole or out of range are refused" {
	for value in x "" -1 1.5 32768 1,2 1,2,3,4 1,0,3 1,1,0 1,1,128 1,32768,1 "1, 2,3" "1,2," 99999999999999999999999999999999999; do
		refuses echo --keepalive "$value" -- --keepalive "\"$value\""
	done
	starts echo --keepalive 0
	starts echo --keepalive 32767,32767,127
}

@test "forward needs --listen and either --to or --routes" {
	echo 'any -> 192.0.2.1:1' >routes
	refuses forward -- --to --routes
	refuses forward -l 127.0.0.1:0 -- --to --routes
	refuses forward --to 192.0.2.1:1 -- --listen
	refuses forward --routes routes -- --listen
	refuses forward -l 127.0.0.1:0 --to 192.0.2.1:1 --routes routes -- --to --routes exclude
	refuses forward --check -- --check --routes
	refuses forward --check --to 192.0.2.1:1 -- --check --routes
	refuses forward --check --to 192.0.2.1:1 --routes routes -- --to --routes exclude
}

@test "numbers, sizes and seconds out of range are refused" {
	for value in 80abc "" -1 1e3 99999999999999999999999; do
		refuses echo --idle "$value" -- --idle "\"$value\"" seconds
		refuses echo --drain "$value" -- --drain "\"$value\"" seconds
		refuses echo "--stats=$value" -- --stats "\"$value\"" seconds
		refuses echo --memory "$value" -- --memory "\"$value\"" size
		refuses echo --threads "$value" -- --threads "\"$value\""
		refuses echo --max-connections "$value" -- --max-connections "\"$value\""
		refuses echo --busy-poll "$value" -- --busy-poll "\"$value\"" "from 0 to 1000"
		refuses forward --first-timeout "$value" -- --first-timeout "\"$value\"" seconds
		refuses forward --dial-timeout "$value" -- --dial-timeout "\"$value\"" seconds
		refuses forward --max-waiting "$value" -- --max-waiting "\"$value\""
	done
	refuses echo --memory 1048575 -- --memory '"1048575"' "from 1M"
	refuses echo --threads 0 -- --threads '"0"' "from 1 to 256"
	refuses echo --threads 257 -- --threads '"257"' "from 1 to 256"
	refuses echo --max-connections 0 -- --max-connections '"0"' "from 1"
	for command in echo forward; do
		refuses $command --busy-poll 1001 -- --busy-poll '"1001"' "from 0 to 1000"
		refuses $command --busy-poll 50us -- --busy-poll '"50us"' "from 0 to 1000"
		refuses $command --busy-poll 0.5 -- --busy-poll '"0.5"' "from 0 to 1000"
	done
	refuses forward --max-waiting 0 -- --max-waiting '"0"' "from 1"
	refuses forward --first-timeout 0 -- --first-timeout '"0"'
	refuses forward --dial-timeout 0 -- --dial-timeout '"0"'
}

@test "a choice that --help does not list is refused" {
	refuses echo --engine fast -- --engine '"fast"' "auto, sockmap, splice or copy"
	refuses forward --engine "" -- --engine '""'
	refuses echo -f pcapng -- -f '"pcapng"' "text or json"
}

@test "options of one command are unknown to others" {
	for option in --to --routes --check --send-proxy-v2 --first-timeout --dial-timeout --max-waiting; do
		refuses echo $option 1 -- "$option"
	done
	refuses follow --echo -- --echo
	refuses forward --echo -- --echo
	refuses echo --engin copy -- --engin "mean --engine?"
	refuses forward --send-proxy -- --send-proxy "mean --send-proxy-v2?"
}

@test "words that are no options are refused" {
	refuses echo 127.0.0.1:80 -- "'127.0.0.1:80'" -l
	refuses forward -l 127.0.0.1:0 --to 192.0.2.1:1 192.0.2.2:1 -- "'192.0.2.2:1'"
	refuses log --echo 127.0.0.1:80 -i lo -- "'127.0.0.1:80'"
	refuses echoo -- "'echoo'" "xdpfun-load echo"
	refuses foward -- "'foward'" "xdpfun-load forward"
	refuses frobnicate -- "'frobnicate'" echo forward
}

@test "--rotate-bytes goes with --engine auto" {
	refuses echo --engine splice --rotate-bytes 1M -- --rotate-bytes "--engine auto"
}

@test "--help lists every option and ends with 0" {
	run -0 --separate-stderr "$XF" --help
	[[ $output = *"  echo "* && $output = *"  forward "* ]] || fail "$output"
	for word in echo forward; do
		run -0 --separate-stderr "$XF" $word --help
		[ -z "$stderr" ] || fail "on stderr: $stderr"
		[[ $output = "Usage: xdpfun-load $word "* ]] || fail "$word --help says: $output"
		options=(-l -f -q -v -h --listen --engine --idle --memory --max-connections --threads
			--busy-poll --drain --user --format --stats --quiet --verbose --help)
		[ $word = echo ] || options+=(--to --routes --check --send-proxy-v2 --first-timeout
			--dial-timeout --max-waiting)
		for option in "${options[@]}"; do
			grep -qE -- " $option([] ,=[)]|\$)" <<<"$output" || fail "$word --help does not know $option"
		done
		[[ $output != *rotate-bytes* ]] || fail "$word --help shows an option for tests"
		while IFS= read -r line; do
			[ ${#line} -le 100 ] || fail "a long line: $line"
		done <<<"$output"
	done
	run -0 "$XF" log --help
	[[ $output = *"--echo[=ADDR:PORT]"* ]] || fail "$output"
}

without_caps=(setpriv --bounding-set=-all --inh-caps=-all)

@test "root without capabilities, or alone in its namespace, goes on and says what is missing" {
	as=("${without_caps[@]}")
	starts echo
	says "going on as user 0 instead of nobody: CAP_SETUID and CAP_SETGID are missing" "capabilities kept: none"
	starts echo --user root
	[[ $stderr != *"warning"* ]] || fail "$stderr"
	as=(setpriv --bounding-set=-setuid --inh-caps=-all)
	starts echo
	says "instead of nobody: CAP_SETUID is missing"
	as=(unshare -Ur)
	starts echo
	says "going on as user 0 instead of nobody: this user namespace has no such user"
	as=()
	for user in nobody 1 1:7; do
		run -1 --separate-stderr "${without_caps[@]}" "$XF" echo -l 127.0.0.1:0 --user $user
		says "--user $user" "CAP_SETUID and CAP_SETGID are missing"
		run -1 --separate-stderr unshare -Ur "$XF" echo -l 127.0.0.1:0 --user $user
		says "--user $user" "this user namespace has no such user"
	done
	run -1 --separate-stderr "${without_caps[@]}" "$XF" echo -l 127.0.0.1:0 --user 0:7
	says "--user 0:7" "CAP_SETGID is missing"
}

@test "a numeric user needs no entry in /etc/passwd, nor does the default" {
	echo "any -> 192.0.2.1:1" >routes
	# shellcheck disable=SC2016 # for the inner shell
	as=(unshare -m bash -c 'mount -t tmpfs none /etc && exec "$0" "$@"')
	for user in 65533 65533:7; do
		starts forward -l 127.0.0.1:0 --routes routes --user $user
		says "going on as user $user," "capabilities kept: none"
	done
	starts echo
	says "going on as user "
	[[ $stderr != *"warning"* ]] || fail "$stderr"
	as=()
	ends_with 1 echo -l 127.0.0.1:0 --user 1:nosuchgroup -- nosuchgroup
}

@test "too few open files for 100 connections are said" {
	as=(prlimit --nofile=400:400)
	starts echo
	[[ $stderr != *"warning"* ]] || fail "$stderr"
	as=(prlimit --nofile=200:200)
	for command in "echo" "forward -l 127.0.0.1:0 --to 192.0.2.1:1"; do
		# shellcheck disable=SC2086 # words
		starts $command
		says "200 open files is enough for about" "ulimit -Hn"
	done
	as=()
}

@test "the defaults are those that --help names" {
	for word in echo forward; do
		run -0 "$XF" $word --help
		help=$(tr -s ' \n' ' ' <<<"$output")
		for default in "--memory SIZE [^()]* (default: 256M)" "--threads N [^()]* (default: 1)" \
			"--busy-poll MICROSECONDS [^()]* (default: 50; 0: never)" \
			"--keepalive [^()]* (default: 30,10,3; 0: never)" "--drain SECONDS [^()]* (default: 30)" "--engine [^()]* auto (the default)" \
			"--user NAME|UID\[:GROUP\] [^()]* (default: xdpfun, or nobody)"; do
			grep -q -- "$default" <<<"$help" || fail "$word --help does not say $default"
		done
		[ $word = forward ] || grep -q -- "--listen [^()]* (default: 127.0.0.1:10000)" <<<"$help" ||
			fail "$help"
	done
	starts echo
	says "listening on 127.0.0.1:10000, engine auto, memory 256M, at most " " connections, 1 thread" \
		"running connections have 30 s to finish"
	[ "$(id -u)" != 0 ] || says "going on as user nobody"
	starts forward -l 127.0.0.1:0 --to 192.0.2.1:1
	says "engine auto, memory 256M, at most " " connections, 1 thread" \
		"running connections have 30 s to finish"
	# The messages follow the options.
	starts echo -l 127.0.0.2:10001 --engine copy --memory 5M --max-connections 7 --threads 2 --drain 3 \
		--busy-poll 0
	says "listening on 127.0.0.2:10001, engine copy, memory 5M, at most 7 connections, 2 threads" \
		"running connections have 3 s to finish"
	starts echo --busy-poll 1000
}

@test "--check accepts a file of every kind of rule" {
	printf 'secret\n' >token
	cat >routes <<-'END'
		# comments and empty lines

		accept-proxy from 10.0.0.0/8 2001:db8::/32
		proxy-destinations 192.0.2.0/24:443 [2001:db8::/32]:443
		sni example.org -> 192.0.2.1:443,[2001:db8::1]:443   # and behind a rule
		sni *.example.org -> reject
		host www.example.org -> 192.0.2.2:80
		token @token -> 192.0.2.3:22
	END
	ends_with 0 forward --check --routes routes -- "routes is fine"
	ends_with 0 forward --check --routes routes -q --
	[ -z "$stderr" ] || fail "with -q: $stderr"
	ends_with 0 forward --check --routes "$PWD/routes" --
	# --check neither binds the address nor looks up the user.
	ends_with 0 forward --check --routes routes -l 192.0.2.77:1 --user nosuchuser --
	printf ' -> 192.0.2.1:1' >routes
	ends_with 0 forward --check --routes routes --
	printf 'any -> 192.0.2.1:1\r\n' >routes
	ends_with 0 forward --check --routes routes --
}

@test "--check needs no root" {
	open=$(mktemp -d)
	chmod 755 "$open"
	cp "$XF" "$open/xdpfun-load"
	echo 'any -> 192.0.2.1:1' >"$open/routes"
	echo 'any -> foo' >"$open/bad"
	run -0 --separate-stderr as_nobody "$open/xdpfun-load" forward --check --routes "$open/routes"
	run -1 --separate-stderr as_nobody "$open/xdpfun-load" forward --check --routes "$open/bad"
	says "bad:1:8: "
	chmod 600 "$open/routes"
	run -1 --separate-stderr as_nobody "$open/xdpfun-load" forward --check --routes "$open/routes"
	says "$open/routes" "Permission denied"
	rm -r "$open"
}

# mistake LINE:COLUMN TEXT...: fails unless the routes file on stdin has an error there, with and without --check.
mistake() {
	local at=$1

	shift
	cat >routes
	ends_with 1 forward --check --routes routes -- "error: routes:$at: expected" "$@"
	ends_with 1 forward -l 127.0.0.1:0 --routes routes -- "error: routes:$at: expected" "$@"
}

@test "--check names the line, the column and the expected words of every mistake" {
	mistake 1:1 sni host token "'foo'" <<<'foo -> 192.0.2.1:1'
	mistake 1:1 "'SNI'" <<<'SNI example.org -> 192.0.2.1:1'
	mistake 3:1 "'foo'" <<<$'# one\n\nfoo'
	mistake 1:3 "'foo'" <<<$' \tfoo'
	mistake 1:4 "host name" "end of the line" <<<'sni'
	mistake 1:5 "host name" <<<'sni exa/mple.org -> 192.0.2.1:1'
	mistake 1:5 "host name" <<<'sni *.* -> 192.0.2.1:1'
	mistake 1:6 "host name" <<<'host -> 192.0.2.1:1'
	mistake 1:6 "IPv6" <<<'host example.org:80 -> 192.0.2.1:1'
	mistake 1:5 "expected ->" "'192.0.2.1:1'" <<<'any 192.0.2.1:1'
	mistake 1:17 "expected ->" "end of the line" <<<'sni example.org # -> 192.0.2.1:1'
	mistake 1:7 "ADDR:PORT or reject" <<<'any ->'
	mistake 1:8 ADDR:PORT "'foo'" <<<'any -> foo'
	mistake 1:8 ADDR:PORT "'Reject'" <<<'any -> Reject'
	mistake 1:8 "1 to 65535" <<<'any -> 192.0.2.1:0'
	mistake 1:8 brackets <<<'any -> 2001:db8::1:80'
	mistake 1:20 ADDR:PORT "'foo'" <<<'any -> 192.0.2.1:1,foo'
	mistake 1:20 ADDR:PORT <<<'any -> 192.0.2.1:1,'
	mistake 1:20 "end of the line" "'foo'" <<<'any -> 192.0.2.1:1 foo'
	mistake 1:15 "end of the line" "'192.0.2.1:1'" <<<'any -> reject 192.0.2.1:1'
	mistake 2:1 "line 1" <<<$'any -> 192.0.2.1:1\nsni example.org -> 192.0.2.2:1'
	mistake 1:7 @FILE <<<'token secret -> 192.0.2.1:1'
	mistake 1:7 @FILE <<<'token @ -> 192.0.2.1:1'
	mistake 1:14 from <<<'accept-proxy 10.0.0.0/8'
	mistake 1:18 "end of the line" <<<'accept-proxy from'
	mistake 1:19 "'10.0.0.0/33'" <<<'accept-proxy from 10.0.0.0/33'
	mistake 1:19 "'10.0.0.1/8'" <<<'accept-proxy from 10.0.0.1/8'
	mistake 1:19 "'10.0.0.0/8:80'" <<<'accept-proxy from 10.0.0.0/8:80'
	mistake 2:20 "'192.0.2.0/24:0'" <<<$'accept-proxy from ::1\nproxy-destinations 192.0.2.0/24:0'
	mistake 1:1 "accept-proxy from" <<<'proxy-destinations 192.0.2.0/24'
	mistake 1:4 control 0x01 <<<$'any\x01 -> 192.0.2.1:1'
}

@test "--check reads token files and names mistakes in them" {
	echo 'any -> 192.0.2.9:1' >routes
	mistake 1:7 "'nope'" "No such file" <<<'token @nope -> 192.0.2.1:1'
	: >token
	mistake 1:7 "'token'" empty <<<'token @token -> 192.0.2.1:1'
	printf 'a\nb\n' >token
	mistake 1:7 "'token'" "more than one line" <<<'token @token -> 192.0.2.1:1'
	printf 'a\0b' >token
	mistake 1:7 "'token'" NUL <<<'token @token -> 192.0.2.1:1'
	head -c 2000 /dev/zero | tr '\0' x >token
	mistake 1:7 "'token'" 1024 <<<'token @token -> 192.0.2.1:1'
	head -c 5000 /dev/zero | tr '\0' x >token
	mistake 1:7 "'token'" 4096 <<<'token @token -> 192.0.2.1:1'
	rm token
	mkdir token
	mistake 1:7 "'token'" directory <<<'token @token -> 192.0.2.1:1'
	# A relative name of a token file starts at the folder of the routes file.
	mkdir -p etc/tokens
	echo secret >etc/tokens/one
	echo 'token @tokens/one -> 192.0.2.1:1' >etc/routes
	ends_with 0 forward --check --routes etc/routes --
	echo "token @$PWD/etc/tokens/one -> 192.0.2.1:1" >routes
	ends_with 0 forward --check --routes routes --
}

@test "--check refuses missing, empty, too large and binary files" {
	ends_with 1 forward --check --routes nope -- nope "No such file"
	ends_with 1 forward --check --routes . -- "directory"
	: >routes
	ends_with 1 forward --check --routes routes -- "error: routes: expected at least one rule"
	head -c 1048577 /dev/zero | tr '\0' '#' >routes
	ends_with 1 forward --check --routes routes -- routes 1048576
	printf '\xef\xbb\xbfany -> 192.0.2.1:1' >routes
	ends_with 1 forward --check --routes routes -- "routes:1:1: " BOM
	printf 'any -> \033[31m\n' >routes
	ends_with 1 forward --check --routes routes -- "routes:1:8: "
	[[ $stderr != *$'\033'* ]] || fail "an escape sequence got through"
}

@test "a port in use is an error before a program is attached" {
	# shellcheck disable=SC2016 # for the inner shell
	run -1 --separate-stderr timeout 90 unshare -n bash -c '
		ip link set lo up
		"$0" echo -l 127.0.0.1:0 --threads 2 2>first &
		until port=$(grep -o "listening on 127.0.0.1:[0-9]*" first); do sleep 0.05; done
		port=${port##*:}
		"$0" echo -l "127.0.0.1:$port"; a=$?
		"$0" forward -l "127.0.0.1:$port" --to 192.0.2.1:1; b=$?
		"$0" log -i lo -m skb "--echo=127.0.0.1:$port"; c=$?
		"$0" status -i lo
		"$0" echo -l "127.0.0.1:$port" --threads 2; d=$?
		kill -INT $!; wait $!
		exit $((a == 1 && b == 1 && c == 1 && d == 1 ? 1 : 100 + a + b + c + d))' "$XF"
	[ "$(grep -c "127.0.0.1:[0-9]*: Address already in use" <<<"$stderr")" = 4 ] || fail "$stderr"
	[[ $stderr != *"attached program"* && $output != *xdpfun* ]] || fail "$output" "$stderr"
}

@test "--user with an unknown user, and without the capability to become root, is an error" {
	ends_with 1 echo -l 127.0.0.1:0 --user nosuchuser -- nosuchuser --user
	ends_with 1 forward -l 127.0.0.1:0 --to 192.0.2.1:1 --user nosuchuser -- nosuchuser --user
	refuses echo --user "" -- --user '""'
	open=$(mktemp -d)
	chmod 755 "$open"
	cp "$XF" "$open/xdpfun-load"
	run -1 --separate-stderr as_nobody "$open/xdpfun-load" echo -l 127.0.0.1:0 --user root
	says "--user root" 65534
	run -1 --separate-stderr as_nobody "$open/xdpfun-load" echo -l 127.0.0.1:0 --engine sockmap
	says CAP_BPF
	rm -r "$open"
}

@test "a closed standard output is an error" {
	# shellcheck disable=SC2016 # for the inner shell
	run -1 --separate-stderr bash -c '"$0" echo -l 127.0.0.1:0 >&-' "$XF"
	says "standard output is not open"
	[[ $stderr != *--write* ]] || fail "a hint at an option that echo does not have: $stderr"
}

@test "a full standard error delays no connection, and lost messages are counted" {
	mkfifo talk
	# shellcheck disable=SC2016 # for the inner shell
	run -0 --separate-stderr timeout 90 unshare -n bash -c '
		ip link set lo up
		exec 7<>talk
		"$0" forward -l 127.0.0.1:0 --to 127.0.0.1:9 --engine copy --stats=0.1 2>talk 7<&- &
		until [[ $line = *"listening on"* ]]; do read -r line <&7; done
		port=${line#*127.0.0.1:}
		dd if=/dev/zero of=talk bs=4096 oflag=nonblock
		for _ in 1 2 3; do
			exec 8<>"/dev/tcp/127.0.0.1/${port%%,*}"
			timeout 90 cat <&8
			[ $? != 124 ] || echo "a connection hangs"
			sleep 0.2
		done
		dd if=talk bs=4096 iflag=nonblock >said
		kill -TERM $!
		wait $!
		status=$?
		dd if=talk bs=4096 iflag=nonblock >>said
		exit $status' "$XF"
	[ "$(grep -c "upstream refused" <<<"$output")" = 3 ] || fail "$output" "$stderr"
	[[ $output != *hangs* ]] || fail "$output"
	stderr=$(tr -d '\0' <said)
	says "dropped: standard error took no more" "accepting no more" "accepted 3, upstream refused 3"
	grep -qE "warning: [0-9]+ messages were dropped" <<<"$stderr" || fail "$stderr"
}
