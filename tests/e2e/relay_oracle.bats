#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086,SC2102,SC2119,SC2120,SC2125,SC2034,SC2012 # addresses are single words; variables are for helpers
#
# A client and a server see the same through the forwarder as through HAProxy (mode tcp). A test gives the reason of each
# difference, and fails when the difference is gone.

load relay.bash

# The steps of the client, and the configuration of HAProxy and of the forwarder beyond a plain one.
client=()
frontend=
backends=
routes=
listen_options=
warns= # the warning that the forwarder prints

setup() {
	command -v haproxy >/dev/null || skip "haproxy is not installed"
	lab_up --quiet
	backends="backend one
		server s $SERVER"
}

haproxy_up() {
	# The probes wait longer than the timeouts. There is no second attempt to reach a server.
	cat >"$T/haproxy.cfg" <<-END
		global
			maxconn 500
		defaults
			mode tcp
			option splice-auto
			retries 0
			timeout connect 1s
			timeout client 30s
			timeout server 30s
		frontend in
			bind $LISTEN $listen_options
			$frontend
			default_backend one
		$backends
	END
	begin relay "${A[@]}" haproxy -db -q -f "$T/haproxy.cfg"
	wait_for haproxy_listens
	alive relay || fail "haproxy has ended:" "$(said relay)"
}

haproxy_listens() {
	[ -n "$("${A[@]}" ss -Hltn "src $LISTEN")" ] || gone relay
}

haproxy_down() {
	finish TERM relay
}

ours_up() {
	if [ -n "$routes" ]; then
		printf '%s\n' "$routes" >"$T/routes"
		relay "$LISTEN" forward -l "$LISTEN" --routes "$T/routes" --engine "$engine" --dial-timeout 1
	else
		forward --dial-timeout 1
	fi
}

# server ADDRESS STEP...: start a server with these steps.
probes=()
server() {
	local name=server$((${#probes[@]} + 1))

	begin "$name" "${B[@]}" "$helpers/probe" listen-briefly "$@"
	probes+=("$name")
	wait_for has_lines "$name" 1
}

# look NAME: connect client and servers through the relay that runs, and write the results of their steps to NAME.seen,
# as lines "END STEP BYTES RESULT", and the times to NAME.times.
look() {
	local name

	probes=()
	serve
	begin client "${B[@]}" "$helpers/probe" connect "$LISTEN" "${client[@]}"
	ends client 0
	for name in ${probes[@]+"${probes[@]}"}; do
		ends "$name" 0
	done
	for name in client ${probes[@]+"${probes[@]}"}; do
		sed "s/^/$name /" "$T/$name.out"
	done >"$T/$1.times"
	# The number of bytes before a reset is a matter of luck.
	cut -d' ' -f1,3- "$T/$1.times" | sed -E 's/ [0-9]+ (reset|timeout)$/ \1/' >"$T/$1.seen"
}

# at NAME END STEP: print the time at which the step ended.
at() {
	awk -v end="$2" -v step="$3" '$1 == end && $3 == step { print $2 }' "$T/$1.times" | tail -n 1
}

# lag END STEP END STEP MOST: fails when the second step ended more than MOST ms after the first, in any run.
lag() {
	local who late

	for who in haproxy "${ENGINES[@]}"; do
		late=$(($(at "$who" "$3" "$4") - $(at "$who" "$1" "$2")))
		between "ms from $1's $2 to $3's $4 with $who" $late -5 1000000
		soon "us from $1's $2 to $3's $4 with $who" $(((late + 5) * 1000)) $(($5 * 1000))
	done
}

# compare [DIFFERENCE...]: look through HAProxy and through each engine; fails when the results differ. A difference is a
# script for sed that turns HAProxy's results into those of the forwarder. It must change something, unless it begins with
# "?", for things that HAProxy does at times.
compare() {
	local script

	control
	haproxy_up
	look haproxy
	haproxy_down
	cp "$T/haproxy.seen" "$T/wanted.seen"
	for script; do
		sed -E "${script#\?}" "$T/wanted.seen" >"$T/next"
		[[ $script = \?* ]] || ! cmp -s "$T/next" "$T/wanted.seen" || fail "HAProxy no longer does what '$script' changes:" "$(<"$T/haproxy.seen")"
		mv "$T/next" "$T/wanted.seen"
	done
	each_engine compare_one
	control_ends
}

compare_one() {
	ours_up
	look "$engine"
	if [ -n "$warns" ]; then
		says relay "$warns"
		signal TERM relay
		ends relay 0
	else
		end_relay
	fi
	diff "$T/wanted.seen" "$T/$engine.seen" || fail "through HAProxy (<) it is not as through us (>)"
}

@test "a large reply after the client's end" {
	client=(send=100000 fin end close)
	serve() { server "$SERVER" read=100000 end send=8000000 fin close; }
	compare
	same "what the client got" "$(grep 'client end' "$T/auto.seen")" "client end 8000000 eof"
}

@test "an end with a backlog behind it" {
	client=(send=6000000 fin end close)
	serve() { server "$SERVER" rcvbuf=8192 sleep=500 end fin close; }
	compare
	same "what the server got" "$(grep 'server1 end' "$T/auto.seen")" "server1 end 6000000 eof"
}

@test "the server ends first, the client goes on" {
	client=(end send=3000000 fin close)
	serve() { server "$SERVER" send=70000 fin read=3000000 end close; }
	compare
}

@test "RST from the client" {
	client=(send=1000 sleep=100 rst)
	serve() { server "$SERVER" read=1000 end close; }
	# HAProxy passes the reset on, but not when it learns of the end in another way.
	compare '?s/^server1 end 0 eof$/server1 end reset/'
	lag client rst server1 end 1000
}

@test "RST from the server" {
	client=(send=1000 end close)
	serve() { server "$SERVER" read=1000 sleep=100 rst; }
	# HAProxy often turns the reset into a FIN, so that a client takes half a stream for the whole.
	compare '?s/^client end 0 eof$/client end reset/'
	lag server1 rst client end 1000
}

@test "RST from the client in the middle of a transfer" {
	client=(fill rst)
	serve() { server "$SERVER" read=100000 sleep=1200 end close; }
	compare
}

@test "the connection to the server is refused" {
	client=(sleep=50 end close)
	serve() { :; }
	warns="warning: cannot connect to upstream $SERVER: Connection refused"
	# HAProxy sends a FIN; a reset cannot be mistaken for an empty answer.
	compare 's/^client end 0 eof$/client end reset/'
	lag client connect client end 1000
}

@test "the server is silent" {
	client=(send=1000 sleep=50 end close)
	serve() { :; }
	# The SYNs go to a neighbour that does not exist.
	ip -n "$LAB-a" neigh add 10.9.0.77 lladdr 02:00:00:00:09:77 dev eth0 nud permanent
	backends="backend one
		server s 10.9.0.77:7001"
	routes="any -> 10.9.0.77:7001"
	warns="warning: cannot connect to upstream 10.9.0.77:7001 .*timed out"
	compare 's/^client end 0 eof$/client end reset/'
	lag client connect client end 2000
}

@test "the client is gone at once" {
	client=(send=10 close)
	serve() { server "$SERVER" read=10 end send=100 fin close; }
	compare
}

@test "a reader that stops and goes on" {
	client=(send=6000000 fin end close)
	serve() { server "$SERVER" rcvbuf=8192 read=1000 sleep=500 end send=10 fin close; }
	compare
	client=(rcvbuf=8192 sleep=500 end fin close)
	serve() { server "$SERVER" send=6000000 fin end close; }
	compare
}

@test "the server speaks first" {
	client=(read=5000 send=10 fin end close)
	serve() { server "$SERVER" send=5000 read=10 end fin close; }
	compare
}

@test "byte by byte" {
	client=(dribble=200 fin end close)
	serve() { server "$SERVER" read=200 dribble=100 fin end close; }
	compare
}

# A PROXY header of version 2: TCP over IPv4 from 192.0.2.1:40000 to 192.0.2.2:443.
PROXY_V2=0d0a0d0a000d0a515549540a2111000cc0000201c00002029c4001bb

@test "a PROXY header is taken off" {
	listen_options=accept-proxy
	routes="accept-proxy from 10.9.0.0/24
any -> $SERVER"
	client=("hex=$PROXY_V2" send=3000 fin end close)
	serve() { server "$SERVER" read=3000 end send=500 fin close; }
	compare
}

@test "a PROXY header in pieces" {
	listen_options=accept-proxy
	routes="accept-proxy from 10.9.0.0/24
any -> $SERVER"
	client=("hex=${PROXY_V2:0:20}" sleep=30 "hex=${PROXY_V2:20}" sleep=30 end close)
	serve() { server "$SERVER" send=500 fin end close; }
	# HAProxy drops a connection whose header comes in pieces; a sender cannot promise one piece.
	compare 's/^client hex reset$/client hex 18 ok/' 's/^client end (0 eof|reset)$/client end 500 eof/' \
		's/^server1 accept timeout$/server1 accept 0 ok\nserver1 send 500 ok\nserver1 fin 0 ok\nserver1 end 0 eof\nserver1 close 0 ok/'
}

@test "a connection without the PROXY header that is required" {
	listen_options=accept-proxy
	routes="accept-proxy from 10.9.0.0/24
any -> $SERVER"
	client=(send=3000 end close)
	serve() { :; }
	compare
	lag client send client end 1000
}

sni_both() {
	frontend="tcp-request inspect-delay 5s
			tcp-request content accept if { req_ssl_hello_type 1 }
			tcp-request content reject
			use_backend two if { req_ssl_sni -i pq.example.org }"
	backends+="
		backend two
		server s ${SERVER%:*}:7002"
	routes="sni pq.example.org -> ${SERVER%:*}:7002
any -> $SERVER"
	hello=$top/tests/unit/fixtures
}

@test "the SNI of a ClientHello names the server" {
	local size

	sni_both
	size=$(stat -c %s "$hello/openssl-3.5-pq.bin")
	client=("file=$hello/openssl-3.5-pq.bin" skip=3 fin end close)
	serve() { server "${SERVER%:*}:7002" skip="$size" text=two end fin close; }
	compare
	# The ClientHello comes in two segments with a pause between them.
	head -c 900 "$hello/openssl-3.5-pq.bin" >"$T/first"
	tail -c +901 "$hello/openssl-3.5-pq.bin" >"$T/second"
	client=("file=$T/first" sleep=100 "file=$T/second" skip=3 fin end close)
	compare
	size=$(stat -c %s "$hello/gnutls-3.8.bin")
	client=("file=$hello/gnutls-3.8.bin" skip=3 fin end close)
	serve() { server "$SERVER" skip="$size" text=one end fin close; }
	compare
}

@test "the server closes early, with bytes unread" {
	client=(send=50000 sleep=300 end close)
	serve() { server "$SERVER" read=100 sleep=100 close; }
	# The server's kernel sends a RST, which HAProxy turns into a FIN.
	compare 's/^client end 0 eof$/client end reset/'
}

@test "the server answers and closes with bytes unread" {
	client=(send=5000 read=2000 end close)
	serve() { server "$SERVER" read=100 send=2000 sleep=100 close; }
	compare 's/^client end 0 eof$/client end reset/'
}
