# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Helpers of the tests of readers that have stopped: senders push all they can while the observer counts the bytes that
# the relay holds.

# busy: start a loop on every processor. calm: end the loops.
busy() {
	local cpu

	spinners=()
	for cpu in $(seq 0 $(($(nproc) - 1))); do
		begin "spinner$cpu" "${B[@]}" taskset -c "$cpu" bash -c 'while :; do :; done'
		spinners+=("spinner$cpu")
	done
}

calm() {
	finish KILL "${spinners[@]}"
}

# has_all CONNECTIONS: whether the relay has accepted, and the server has got, so many connections.
has_all() {
	accepted "$1" || return
	[ ${#observe_args[@]} = 0 ] || [ "$(wc -l <"$T/sp")" = "$1" ]
}

# stalled CONNECTIONS BYTES_MAX SENDERS CLIENT_ARGUMENTS...: start a client; when the readers at the other side of the
# relay have stopped, let the senders (client, server) send all they can. Fails when the relay holds more than BYTES_MAX,
# or 16 MiB of one connection.
stalled() {
	local conns=$1 most=$2 senders=$3 sender

	shift 3
	observe "${observe_args[@]}"
	client_begins client --conns "$conns" --ports "$T/cp" --timeout-ms 120000 --hold-at 0 "$@"
	wait_for has_all "$conns"
	busy
	for sender in $senders; do
		signal USR2 "$sender"
	done
	settle $((conns * 2000))
	calm
	observed "$conns"
	between "bytes held by a connection" "$one" 1000 $((16 * MIB))
	between "bytes held by all" "$all" $((conns * 1000)) "$most"
	alive client || fail "nothing has stopped the senders"
	echo "$engine, $conns: one held $one, all $all of $most; $(result observer looks) looks, at most" \
		"$(result observer longest_ms) ms apart"
}

# upload, download and echo_stalled CONNECTIONS MEMORY BYTES_MAX BYTES_EACH [ARGUMENTS...]: the server, the client or the
# client of an echo stops reading; in the end all bytes arrive.
upload() {
	observe_args=(--upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp")
	rm -f "$T/sp"
	# --late-fin: the clients end when the server has read all bytes, and not when their kernel has taken them.
	server server --stall-at 64 --stall-ms forever --rcvbuf 32768 --ports "$T/sp" --late-fin
	forward --memory "$2" "${@:5}"
	stalled "$1" "$3" client --up "$4" --down 0
	signal USR1 server
	client_ends client
	server_ends server
	same "connections that got everything" "$(result server ok)" "$1"
	end_relay
}

download() {
	observe_args=(--upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp")
	rm -f "$T/sp"
	server server --ports "$T/sp" --hold-at 0
	forward --memory "$2" "${@:5}"
	# --late-fin: a FIN before the map keeps a connection out of it, and copy reserves more.
	stalled "$1" "$3" server --up 0 --late-fin --down "$4" --stall-at 64 --stall-ms forever --rcvbuf 32768
	signal USR1 client
	client_ends client
	server_ends server
	end_relay
}

echo_stalled() {
	observe_args=()
	echoes --memory "$2"
	# --late-fin: an early FIN would end the relay's part once the kernel has all bytes.
	stalled "$1" "$3" client --mode echo --up "$4" --late-fin --stall-at 64 --stall-ms forever --rcvbuf 32768
	signal USR1 client
	client_ends client
	end_relay
}

# both_stalled CONNECTIONS MEMORY BYTES_MAX BYTES_EACH: both ends stop reading; in the end all bytes arrive.
both_stalled() {
	observe_args=(--upstream 7001 --client-ports "$T/cp" --server-ports "$T/sp")
	rm -f "$T/sp"
	server server --stall-at 64 --stall-ms forever --rcvbuf 32768 --ports "$T/sp" --hold-at 0
	forward --memory "$2"
	stalled "$1" "$3" "client server" --up "$4" --down "$4" --stall-at 64 --stall-ms forever --rcvbuf 32768
	between "bytes that the clients got rid of" "$(taken_in "sport = :7000")" 100000 1000000000
	between "bytes that the server got rid of" "$(taken_in "dport = :7001")" 100000 1000000000
	signal USR1 server client
	client_ends client
	server_ends server
	end_relay
}
