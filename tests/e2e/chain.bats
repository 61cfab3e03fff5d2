#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Hooks that hold another program, and kernels and objects that cannot attach.

load lib.bash

# refused ARGUMENTS...: fails unless log ends with 1, and leaves the hook as it was.
refused() {
	local before

	before=$(program_on eth0)
	begin log "${A[@]}" "$XF" "$@"
	ends log 1
	same_program eth0 "$before"
	same "lines of counters" "$(grep -c 'seen' "$T/log.err")" 0
}

@test "another program without a dispatcher is left alone, and named" {
	attach_foreign
	refused
	says log "foreign_pass \(id $foreign, native mode\)"
	says log "xdp-loader load"
	pings 2
	same "programs in status" "$(status_of eth0 '[.programs[] | "\(.name) \(.id) \(.ours)"] | join(",")')" \
		"foreign_pass $foreign false"
	same "dispatcher in status" "$(status_of eth0 .dispatcher)" false
}

@test "xdp-filter without a dispatcher is left alone" {
	needs_no_chaining
	"${A[@]}" xdp-filter load eth0
	refused
	says log "program xdp[a-z_]* \(id $(program_on eth0)"
	"${A[@]}" xdp-filter unload eth0
}

@test "follow refuses an interface that has other programs only" {
	attach_foreign
	run -1 "${A[@]}" "$XF" follow
	[[ $output = *"eth0 has no xdpfun program"* ]] || fail "$output"
	same_program eth0 "$foreign"
}

@test "a dispatcher of another protocol version: both versions are named" {
	attach_foreign dispatcher.bpf.o
	refused
	says log "version 99.* version [1-9]"
	run -1 "${A[@]}" "$XF" unload -i eth0
	[[ $output = *"another protocol version"* ]] || fail "$output"
	run -0 "${A[@]}" "$XF" status -i eth0
	same_program eth0 "$foreign"
}

@test "without a dispatcher log warns once and says why" {
	needs_no_chaining
	start log
	same "number of warnings" "$(grep -c 'warning:' "$T/log.err")" 1
	says log 'eth0: attached without a dispatcher, the next XDP program there will be refused: .*freplace'
	stop log
}

@test "without a dispatcher log warns about each of two interfaces" {
	needs_no_chaining
	second_pair
	start log -i eth0 -i eth1
	says log 'eth0: attached without a dispatcher.*freplace'
	says log 'eth1: attached without a dispatcher.*freplace'
	stop log
}

@test "--require-chain fails without a dispatcher, and leaves nothing attached" {
	needs_no_chaining
	refused --require-chain
	says log "eth0.*--require-chain.*freplace"
	same "number of warnings" "$(grep -c 'warning:' "$T/log.err")" 0
}

@test "--require-chain that fails on the second interface leaves nothing on the first" {
	needs_no_chaining
	second_pair
	ip -n "$LAB-a" link set dev eth1 xdp object "$helpers/pass.bpf.o" section xdp
	refused -i eth0 -i eth1
	same "program on eth0" "$(program_on eth0)" ""
}

@test "an error names the BTF that the kernel lacks" {
	needs_no_chaining
	begin log "${A[@]}" unshare --mount --propagation private bash -c '
		mount -t tmpfs none /sys/kernel/btf && exec "$@"' - "$XF"
	ends log 1
	says log 'this kernel has no BTF \(/sys/kernel/btf/vmlinux is missing\)'
	same "what is attached" "$(program_on eth0)" ""
}

@test "an error about an object that the verifier refuses shows the verifier's last lines" {
	refused --object "$helpers/unverifiable.bpf.o"
	says log "cannot load $helpers/unverifiable.bpf.o for eth0"
	says log "invalid access to packet"
	says log "verifier's last lines"
	between "lines of it all" "$(said log | wc -l)" 4 18
}

@test "an object of another project is refused" {
	refused --object "$helpers/pass.bpf.o"
	says log "$helpers/pass.bpf.o is not an xdpfun object"
	refused --object "$T/nowhere.o"
	says log "$T/nowhere.o: No such file"
	echo nonsense >"$T/nonsense.o"
	refused --object "$T/nonsense.o"
	says log "$T/nonsense.o"
}

@test "log refuses an object of another ABI version" {
	begin log "${A[@]}" "$XF" --object "$helpers/otherabi.bpf.o" -d 1
	ends log 1
	says log "$helpers/otherabi.bpf.o|ABI"
	same "what is attached" "$(program_on eth0)" ""
}

@test "log loads the object of this release from a file" {
	start log --object "$OBJ"
	frames 3
	stop log
	same lines "$(lines log)" 3
}

@test "LIBXDP_BPFFS outside of a bpffs is named as the reason" {
	begin log "${A[@]}" env LIBXDP_BPFFS="$T" "$XF"
	started log
	says log "LIBXDP_BPFFS=$T is not a mounted bpffs"
	stop log
}

@test "under ip netns exec, which hides bpffs, log attaches and status sees it" {
	begin log ip netns exec "$LAB-a" "$XF" -v
	started log
	says log "using /proc/1/root/sys/fs/bpf|no bpffs is mounted"
	frames 4
	same "programs that status sees there" \
		"$(ip netns exec "$LAB-a" "$XF" status -i eth0 --json | jq -r '.interfaces[0].programs[0].name')" xdpfun
	stop log
	same lines "$(lines log)" 4
}

@test "a program that xdp-loader left without a dispatcher is named, with the way out" {
	needs_no_chaining
	# xdp-loader fails while another xdp-loader runs.
	wait_for ip netns exec "$LAB-a" xdp-loader load eth0 "$OBJ"
	refused
	says log "xdpfun \(id $(program_on eth0).*without a libxdp dispatcher"
	says log "xdpfun-load follow -i eth0.*xdpfun-load unload -i eth0.*xdp-loader load eth0"
	"${A[@]}" "$XF" unload -i eth0
	same "what is attached" "$(program_on eth0)" ""
}
