# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The relays that rows/relay.sh measures, and the network namespaces in which they run. Uses
# relay_ours, relay_peers and RELAY_IDLE.

### namespaces

# relay_link NAMESPACE NAME ADDRESS NAMESPACE NAME ADDRESS
relay_link() {
	ip -n "$1" link add "$2" type veth peer name "$5" netns "$4" &&
		ip -n "$1" addr add "$3/24" dev "$2" && ip -n "$4" addr add "$6/24" dev "$5" &&
		ip -n "$1" link set "$2" up && ip -n "$4" link set "$5" up
}

# Ports must not run out while connections are made in a row. BBR, which may be the machine's default, would
# measure its own pacing; cubic may not be allowed in a namespace.
relay_netns() {
	ip netns add "$1" && ip -n "$1" link set lo up && relay_netnses+=("$1") &&
		ip netns exec "$1" sysctl -qw net.ipv4.tcp_tw_reuse=1 \
			net.ipv4.ip_local_port_range='25000 65535' net.ipv4.ip_forward=1 \
			net.core.somaxconn=4096 net.ipv6.conf.default.disable_ipv6=1 &&
		{ ip netns exec "$1" sysctl -qw net.ipv4.tcp_congestion_control=cubic 2>/dev/null ||
			ip netns exec "$1" sysctl -qw net.ipv4.tcp_congestion_control=reno; }
}

# relay_open TOPOLOGY: make the namespaces. Sets relay_client, relay_middle and relay_server, the
# namespaces, and the addresses of the relay and the server.
relay_open() {
	local base=xdpfun-relay-$$-$1

	[ -n "${relay_tmp:-}" ] || {
		relay_tmp=$(mktemp -d) || return 1
		on_exit relay_close
	}
	if [ "$1" != veth ]; then
		relay_client=$base relay_middle=$base relay_server=$base
		relay_addr=127.0.0.1 server_addr=127.0.0.1
		[ -n "${relay_is_open[$1]:-}" ] || relay_netns "$base"
		return
	fi
	relay_client=$base-client relay_middle=$base-relay relay_server=$base-server
	relay_addr=10.11.1.2 server_addr=10.11.2.2
	[ -z "${relay_is_open[$1]:-}" ] || return 0
	relay_netns "$relay_client" && relay_netns "$relay_middle" && relay_netns "$relay_server" &&
		relay_link "$relay_client" xbc 10.11.1.1 "$relay_middle" xbr1 10.11.1.2 &&
		relay_link "$relay_middle" xbr2 10.11.2.1 "$relay_server" xbs 10.11.2.2 &&
		ip -n "$relay_client" route add default via 10.11.1.2 &&
		ip -n "$relay_server" route add default via 10.11.2.1
}

relay_close() {
	local name

	for name in "${!relay_pids[@]}"; do
		relay_stop "$name"
	done
	for name in "${relay_netnses[@]}"; do
		ip netns del "$name"
	done
	rm -rf "$relay_tmp"
}

declare -gA relay_pids=() relay_is_open=()
relay_netnses=()

### relays

relay_port() {
	local -a all=(direct "${relay_ours[@]}" "${relay_peers[@]}")
	local i

	for i in "${!all[@]}"; do
		[ "${all[i]}" != "$1" ] || echo "$i"
	done
}

# relay_haproxy FILE LINE...
relay_haproxy() {
	local file=$1

	shift
	cat >"$file" <<-EOT
		global
			nbthread 1
			maxconn $((RELAY_IDLE + 20))
			$(printf '%s\n' "$@")
		defaults
			mode tcp
			maxconn $((RELAY_IDLE + 20))
			timeout connect 10s
			timeout client 1h
			timeout server 1h
			$relay_haproxy_option
		listen relay
			bind $listen backlog 4096
			server upstream $to
	EOT
}

relay_nginx() {
	local dir module=

	for dir in /usr/lib/nginx/modules /usr/lib64/nginx/modules; do
		[ ! -e "$dir/ngx_stream_module.so" ] ||
			module="load_module $dir/ngx_stream_module.so;"
	done
	cat >"$1" <<-EOT
		$module
		daemon off;
		master_process off;
		worker_processes 1;
		worker_rlimit_nofile $((RELAY_IDLE * 2 + 150));
		pid $1.pid;
		error_log $1.log crit;
		events {
			worker_connections $((RELAY_IDLE * 2 + 100));
		}
		stream {
			server {
				listen $listen backlog=4096;
				proxy_pass $to;
				proxy_buffer_size 256k;
				proxy_timeout 1h;
			}
		}
	EOT
}

# relay_command NAME: sets command. Uses listen and to, ADDRESS:PORT.
relay_command() {
	local file=$relay_tmp/$1.$listen.conf relay_haproxy_option='' options

	case $1 in
	auto | sockmap | splice | copy)
		# By itself it keeps descriptors for more pipes than idle connections need.
		command=(./xdpfun-load forward -l "$listen" --to "$to" --engine "$1" -q
			--max-connections "$((RELAY_IDLE + 20))")
		;;
	rw) command=("$BENCH_DIR/relay_rw" "${listen%:*}" "${listen#*:}" "${to%:*}" "${to#*:}") ;;
	spl)
		command=("$BENCH_DIR/relay_splice" "${listen%:*}" "${listen#*:}" "${to%:*}"
			"${to#*:}")
		;;
	haproxy)
		relay_haproxy_option='option splice-auto'
		# By itself it counts on more pipes than descriptors are left for.
		relay_haproxy "$file" 'tune.pipesize 262144' 'maxpipes 40'
		command=(haproxy -db -q -f "$file")
		;;
	haproxy256)
		relay_haproxy "$file" 'tune.bufsize 262144'
		command=(haproxy -db -q -f "$file")
		;;
	nginx)
		relay_nginx "$file"
		command=(nginx -c "$file" -e "$file.log")
		;;
	socat)
		options=fork,reuseaddr,nodelay,backlog=4096
		command=(socat -b 262144 "TCP-LISTEN:${listen#*:},bind=${listen%:*},$options"
			"TCP:$to,nodelay")
		;;
	esac
}

# relay_start TOPOLOGY NAME
relay_start() {
	local listen to command index

	index=$(relay_port "$2")
	listen=$relay_addr:$((10000 + index))
	to=$server_addr:$((20000 + index))
	relay_command "$2"
	nsenter --net="/run/netns/$relay_middle" "${command[@]}" >/dev/null \
		2>"$relay_tmp/$1.$2.log" &
	relay_pids[$1.$2]=$!
	for ((index = 0; index < 100; index++)); do
		[ -z "$(ip netns exec "$relay_middle" ss -Hltn "src $listen")" ] || return 0
		kill -0 "${relay_pids[$1.$2]}" 2>/dev/null || break
		sleep 0.1
	done
	printf 'bench: %s did not start to listen at %s\n' "$2" "$listen" >&2
	cat "$relay_tmp/$1.$2.log" >&2
	relay_stop "$1.$2"
	return 1
}

# relay_stop TOPOLOGY.NAME
relay_stop() {
	local pid=${relay_pids[$1]}
	local -a children

	# socat has children.
	mapfile -t children < <(ps -o pid= --ppid "$pid")
	# shellcheck disable=SC2206 # there is blank space around them
	children=(${children[@]})
	kill "$pid" "${children[@]}" 2>/dev/null
	wait "$pid" 2>/dev/null
	unset "relay_pids[$1]"
}
