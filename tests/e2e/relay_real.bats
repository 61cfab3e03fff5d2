#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086,SC2102,SC2119,SC2120,SC2125,SC2034,SC2012 # addresses are single words; variables are for helpers
#
# Common clients and servers through the forwarder: their data arrives unchanged, and none reports an error.

load relay.bash

TO=${LISTEN%:*}
TO_PORT=${LISTEN#*:}
AT=${SERVER%:*}
AT_PORT=${SERVER#*:}

sum() {
	sha256sum "$@" | cut -d' ' -f1
}

# random FILE MIB: write random bytes, so that no two pieces are equal.
random() {
	head -c $(($2 * 1048576)) /dev/urandom >"$1"
}

# serves NAME PORT COMMAND...: start a server on side b and wait until it listens.
serves() {
	local name=$1 port=$2

	shift 2
	begin "$name" "${B[@]}" "$@"
	wait_for listening "$port" || fail "$name does not listen at $port:" "$(tail -n 5 "$T/$name.err")"
}

listening() {
	[ -n "$("${B[@]}" ss -Hltn "sport = :$1")" ]
}

# to_end COMMAND...: run a client on side b with its output in $T/client.out; fails when it fails.
to_end() {
	"${B[@]}" timeout 120 "$@" >"$T/client.out" 2>"$T/client.err" || fail "status $? of: $*" \
		"$(tail -n 5 "$T/client.out" | cut -c1-300)" "$(tail -n 5 "$T/client.err")" \
		"the relay says:" "$(tail -n 5 "$T/relay.err")"
}

# closed_all [COUNT]: end the relay; fails when not every connection, COUNT of them, ended with a FIN both ways.
closed_all() {
	end_relay
	same "ends" "$(log_of .end | sort -u)" closed
	[ $# = 0 ] || same "connections" "$(log_of .end | wc -l)" "$1"
}

# moved_some: fails when the sockmap was chosen and moved nothing. Another engine may finish a connection that ends in the
# middle of a transfer.
moved_some() {
	[ "$engine" != sockmap ] || matches "its totals" "$(said relay)" "engine moves [1-9]"
}

# iperf3_run ARGUMENTS...: run iperf3 with 32 MiB in all, and set sent and received.
iperf3_run() {
	to_end iperf3 -c "$TO" -p "$TO_PORT" -n 32M -J "$@"
	same "what iperf3 complains about" "$(jq -r '.error // empty' "$T/client.out")" ""
	sent=$(jq .end.sum_sent.bytes "$T/client.out")
	received=$(jq .end.sum_received.bytes "$T/client.out")
	between "bytes received" "$received" 1 "$sent"
}

iperf3_all() {
	forward
	iperf3_run
	between "bytes up" "$sent" 33554432 57000000
	iperf3_run -R
	between "bytes down" "$received" 27000000 57000000
	iperf3_run --bidir
	between "bytes of the way back" "$(jq .end.sum_received_bidir_reverse.bytes "$T/client.out")" 1 200000000
	# The streams share the bytes by their speed, so that a slow one may get none, and the server ends when all are sent,
	# with much of them still under way.
	iperf3_run -P 8
	same "streams" "$(jq '.end.streams | length' "$T/client.out")" 8
	between "bytes of eight streams" "$sent" 33554432 57000000
	end_relay
	# Four control connections, and the streams of each run.
	same "connections" "$(log_of .end | wc -l)" $((4 + 1 + 1 + 2 + 8))
	moved_some
}

@test "iperf3: up, down, both and eight at once" {
	serves iperf3 "$AT_PORT" iperf3 -s -B "$AT" -p "$AT_PORT"
	each_engine iperf3_all
	finish TERM iperf3
}

nginx_up() {
	mkdir -p "$T/www" "$T/nginx"
	random "$T/www/big" 16
	random "$T/www/medium" 1
	echo "a small page" >"$T/www/small"
	cat >"$T/nginx/conf" <<-END
		daemon off;
		user root;
		worker_processes 1;
		error_log $T/nginx/error.log;
		pid $T/nginx/pid;
		events { worker_connections 512; }
		http {
			access_log off;
			sendfile on;
			keepalive_requests 1000000;
			client_body_temp_path $T/nginx/body;
			proxy_temp_path $T/nginx/proxy;
			fastcgi_temp_path $T/nginx/fastcgi;
			uwsgi_temp_path $T/nginx/uwsgi;
			scgi_temp_path $T/nginx/scgi;
			server { listen $SERVER; root $T/www; }
		}
	END
	serves nginx "$AT_PORT" nginx -c "$T/nginx/conf" -p "$T/nginx"
}

curl_all() {
	local i urls=()

	forward
	# One connection carries many requests with answers of very different sizes.
	for i in {1..20}; do
		urls+=(-o "$T/small.$i" "http://$LISTEN/small")
	done
	to_end curl -sS --fail -w '%{num_connects} %{http_code}\n' -o "$T/big.1" "http://$LISTEN/big" \
		"${urls[@]}" -o "$T/big.2" "http://$LISTEN/big"
	same "connections of curl" "$(awk '{ n += $1 } END { print n }' "$T/client.out")" 1
	same "answers" "$(cut -d' ' -f2 "$T/client.out" | sort | uniq -c | tr -s ' ')" " 22 200"
	for i in 1 2; do
		same "sum of what came" "$(sum "$T/big.$i")" "$(sum "$T/www/big")"
	done
	for i in {1..20}; do
		cmp "$T/small.$i" "$T/www/small"
	done
	to_end curl -sS --fail --limit-rate 24M -r 1000000-13000000 -o "$T/part" "http://$LISTEN/big"
	same "sum of a part" "$(sum "$T/part")" "$(tail -c +1000001 "$T/www/big" | head -c 12000001 | sum)"
	rm "$T/part" "$T"/big.*
	closed_all 2
}

@test "curl and nginx: a large file, and many answers over one connection" {
	nginx_up
	each_engine curl_all
	finish TERM nginx
}

# wrk_run SECONDS PATH: run wrk and set requests; fails when a request fails.
wrk_run() {
	to_end wrk -t 2 -c 40 -d "$1" --timeout 60s "http://$LISTEN/$2"
	no_match "what wrk says" "$(<"$T/client.out")" "Socket errors|Non-2xx"
	requests=$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' "$T/client.out")
}

wrk_all() {
	forward
	wrk_run 1 small
	between "requests for a small page" "$requests" 40 10000000
	# wrk begins with a single connection, and ends all when its time is up.
	wait_for log_has 40
	between "connections" "$(log_of .end | wc -l)" 40 41
	wrk_run 1 medium
	between "requests for a megabyte" "$requests" 1 100000
	# wrk resets connections with answers under way when its time is up.
	end_relay
	same "ends" "$(log_of 'select(.end != "closed" and .end != "reset by client") | .end' | wc -l)" 0
	moved_some
}

@test "wrk and nginx: forty connections without an error" {
	nginx_up
	each_engine wrk_all
	finish TERM nginx
}

# certificate NAME: make a self-signed certificate.
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
		-addext "subjectAltName=DNS:$1" -keyout "$T/$1.key" -out "$T/$1.pem" 2>/dev/null
}

# asks_tls NAME OWNER ARGUMENTS...: fails when a handshake for NAME does not get the certificate of OWNER.
asks_tls() {
	local name=$1 owner=$2

	shift 2
	to_end openssl s_client -connect "$LISTEN" -servername "$name" -CAfile "$T/$owner.pem" -verify_return_error "$@"
	matches "who answered" "$(<"$T/client.out")" "subject=CN *= *$owner"
}

sni_all() {
	local long

	relay "$LISTEN" forward -l "$LISTEN" --routes "$T/routes" --engine "$engine"
	asks_tls one.example.org one.example.org
	asks_tls ONE.example.ORG one.example.org -tls1_2
	asks_tls a.b.two.example.org two.example.org
	# The ClientHello has six segments or more, with the name in front of or behind its long extension.
	long=$(printf 'protocol-%03d,' {1..700})
	asks_tls two.example.org two.example.org -alpn "${long%,}"
	asks_tls one.example.org one.example.org -alpn "${long%,}"
	to_end curl -sS --fail --cacert "$T/one.example.org.pem" --resolve "one.example.org:$TO_PORT:$TO" \
		-o "$T/got" "https://one.example.org:$TO_PORT/big"
	same "sum of what came" "$(sum "$T/got")" "$(sum "$T/www/big")"
	run -1 --separate-stderr "${B[@]}" timeout 60 openssl s_client -connect "$LISTEN" -servername three.example.org
	end_relay
	same "routes" "$(log_of .route | sort | uniq -c | tr -s ' ' | tr '\n' ';')" \
		" 1 any; 1 sni *.two.example.org; 4 sni one.example.org; 1 sni two.example.org;"
}

@test "openssl reaches the server that its SNI names" {
	mkdir "$T/www"
	random "$T/www/big" 16
	certificate one.example.org
	certificate two.example.org
	serves one 7011 env -C "$T/www" openssl s_server -accept "$AT:7011" -cert "$T/one.example.org.pem" \
		-key "$T/one.example.org.key" -WWW -quiet
	serves two 7012 env -C "$T/www" openssl s_server -accept "$AT:7012" -cert "$T/two.example.org.pem" \
		-key "$T/two.example.org.key" -WWW -quiet
	cat >"$T/routes" <<-END
		sni one.example.org -> $AT:7011
		sni two.example.org -> $AT:7012
		sni *.two.example.org -> $AT:7012
		any -> reject
	END
	each_engine sni_all
	finish TERM one
	finish TERM two
}

sshd_up() {
	ssh-keygen -q -t ed25519 -N '' -f "$T/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$T/key"
	cp "$T/key.pub" "$T/authorized"
	cat >"$T/sshd_config" <<-END
		ListenAddress $AT
		Port $AT_PORT
		HostKey $T/host_key
		AuthorizedKeysFile $T/authorized
		PidFile none
		StrictModes no
		UsePAM no
		PermitRootLogin prohibit-password
		PasswordAuthentication no
		Subsystem sftp internal-sftp
		MaxStartups 100
	END
	# sshd needs /run/sshd, which must not stay behind.
	# shellcheck disable=SC2016 # for the inner shell
	serves sshd "$AT_PORT" unshare --mount --propagation private bash -c \
		'mount -t tmpfs none /run && mkdir -m 0755 /run/sshd && exec "$(type -P sshd)" -D -e -f "$1"' - "$T/sshd_config"
	ssh_options=(-F none -i "$T/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
		-o BatchMode=yes -o LogLevel=ERROR -o Ciphers=aes128-gcm@openssh.com)
}

scp_all() {
	forward
	to_end scp "${ssh_options[@]}" -P "$TO_PORT" "$T/file" "root@$TO:$T/uploaded"
	same "sum of the upload" "$(sum "$T/uploaded")" "$want"
	rm "$T/uploaded"
	to_end scp "${ssh_options[@]}" -P "$TO_PORT" "root@$TO:$T/part" "$T/downloaded"
	same "sum of the download" "$(sum "$T/downloaded")" "$want_part"
	rm "$T/downloaded"
	# Short messages go in both directions by turns.
	to_end ssh "${ssh_options[@]}" -p "$TO_PORT" "root@$TO" 'for i in 1 2 3; do echo $i; sleep 0.05; done'
	same "what ssh says" "$(tr '\n' ' ' <"$T/client.out")" "1 2 3 "
	closed_all 3
	moved_some
}

@test "scp: 64 MiB up, 16 MiB down" {
	# shellcheck disable=SC2034 # for each_engine
	ENGINES=(auto sockmap)
	sshd_up
	random "$T/file" 64
	random "$T/part" 16
	want=$(sum "$T/file")
	want_part=$(sum "$T/part")
	each_engine scp_all
	finish TERM sshd
	rm "$T/file" "$T/part"
}

# redis_run REQUESTS TESTS RESULTS: run redis-benchmark; fails when a request fails or a result is missing.
redis_run() {
	to_end redis-benchmark -h "$TO" -p "$TO_PORT" -P 16 -c 20 -n "$1" -t "$2" -d 200 -r 1000 --csv
	no_match "what redis-benchmark says" "$(cat "$T/client.out" "$T/client.err")" "[Ee]rror|failed|WARNING"
	same "tests with a result" "$(grep -cE '^"(SET|GET|LPUSH|LRANGE).*","[0-9.]+"' "$T/client.out")" "$3"
}

redis_all() {
	forward
	redis_run 60000 set,get 2
	# The answers are much longer than the requests.
	redis_run 3000 lrange_100 2
	# The value is four times as large as a socket buffer.
	"${B[@]}" redis-cli -h "$TO" -p "$TO_PORT" -x set value <"$T/value" >"$T/client.out"
	same "answer" "$(<"$T/client.out")" OK
	to_end redis-cli -h "$TO" -p "$TO_PORT" get value
	same "sum of the value" "$(head -c -1 "$T/client.out" | sum)" "$(sum "$T/value")"
	end_relay
	moved_some
}

@test "redis-benchmark: sixteen requests at a time without an error" {
	random "$T/value" 16
	serves redis "$AT_PORT" redis-server --bind "$AT" --port "$AT_PORT" --save '' --appendonly no \
		--protected-mode no --dir "$T"
	each_engine redis_all
	finish TERM redis
}

# Serve SMTP for one mail on stdin and stdout, and write the mail to $T/mail.
smtp() {
	local line

	printf '220 mail.example.org ready\r\n'
	while IFS= read -r line; do
		case $line in
		EHLO*) printf '250 mail.example.org\r\n' ;;
		DATA*)
			printf '354 go on\r\n'
			while IFS= read -r line && [ "$line" != $'.\r' ]; do
				printf '%s\n' "$line"
			done >"$T/mail"
			printf '250 taken\r\n'
			;;
		QUIT*)
			printf '221 bye\r\n'
			return
			;;
		*) printf '250 ok\r\n' ;;
		esac
	done
}

# shellcheck disable=SC2094 # two ends of one fifo
smtp_once() {
	rm -f "$T/answers"
	mkfifo "$T/answers"
	"${B[@]}" nc -N -l "$AT" "$AT_PORT" <"$T/answers" | smtp >"$T/answers"
}

smtp_all() {
	forward
	begin smtp smtp_once
	wait_for listening "$AT_PORT"
	to_end curl -sS "smtp://$LISTEN" --mail-from a@example.org --mail-rcpt b@example.org -T "$T/letter"
	ends smtp 0
	cmp "$T/mail" "$T/letter"
	closed_all 1
}

@test "curl delivers a mail to a server that speaks first" {
	{
		printf 'Subject: numbers\r\n\r\n'
		seq 1 1000 | sed 's/$/\r/'
	} >"$T/letter"
	each_engine smtp_all
}

# Start a server that answers a stream, after its end, with its checksum and a long file.
summing_server() {
	begin server "${B[@]}" socat -t 30 "TCP4-LISTEN:$AT_PORT,bind=$AT,reuseaddr" \
		"SYSTEM:'sha256sum && cat $T/reply'"
	wait_for listening "$AT_PORT"
}

half_close_all() {
	local size

	for size in 100 9000000; do
		head -c $size "$T/file" >"$T/question"
		summing_server
		"${B[@]}" timeout 120 nc -N "$TO" "$TO_PORT" <"$T/question" >"$T/got"
		ends server 0
		{ sha256sum <"$T/question" && cat "$T/reply"; } | cmp - "$T/got"
	done
}

half_close() {
	forward
	half_close_all
	closed_all 2
}

@test "nc -N gets the answer after the end of its stream" {
	random "$T/file" 9
	random "$T/reply" 24
	each_engine half_close
}
