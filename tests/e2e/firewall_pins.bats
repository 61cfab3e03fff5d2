#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The pins of a rule set in bpffs: root alone reads them, and folders of other users are not used.

load lib.bash
load firewall.bash

@test "pins are readable by root alone" {
	fw add deny from 192.0.2.1
	folder=/sys/fs/bpf/xdpfun/firewall
	same modes "$("${A[@]}" stat -c %a /sys/fs/bpf/xdpfun $folder $folder/default | sort -u)" 700
	same "modes of the pins" "$("${A[@]}" find $folder/default -type f -printf '%m\n' | sort -u)" 600
	open=$(mktemp -d)
	chmod 755 "$open"
	cp "$XF" "$open/xdpfun-load"
	caps=+net_admin,+bpf,+perfmon,+sys_admin
	other=("${A[@]}" setpriv --reuid=65534 --regid=65534 --clear-groups)
	for mode in 0700 1777; do
		"${A[@]}" chmod $mode /sys/fs/bpf
		run -1 "${other[@]}" --inh-caps=$caps --ambient-caps=$caps "$open/xdpfun-load" firewall list
		matches "what it says" "$output" "cannot open the folder $folder/default: Permission denied"
	done
	caps+=,+dac_override
	run -0 "${other[@]}" --inh-caps=$caps --ambient-caps=$caps "$open/xdpfun-load" firewall list
	same rules "$output" "deny from 192.0.2.1"
	rm -r "$open"
	purge
}

# refused FOLDER: fails unless each command refuses to use this folder, at once.
refused() {
	local command

	for command in "attach -i eth0 --policy deny" "add deny from 192.0.2.1" "replace /dev/null" list stats "detach --purge"; do
		# shellcheck disable=SC2086 # words
		run -1 "${A[@]}" timeout 60 "$XF" firewall $command
		matches "what $command says" "$output" "error: $1 is not used"
	done
	same "what is attached" "$(program_on eth0)" ""
}

@test "a pin folder of another owner or mode is not used" {
	local folder

	for folder in /sys/fs/bpf/xdpfun /sys/fs/bpf/xdpfun/firewall; do
		"${A[@]}" mkdir -p /sys/fs/bpf/xdpfun/firewall
		"${A[@]}" chown 65534 "$folder"
		refused "$folder"
		"${A[@]}" chown 0 "$folder"
		"${A[@]}" chmod 0777 "$folder"
		refused "$folder"
		"${A[@]}" chmod 0700 "$folder"
	done
	"${A[@]}" "$XF" firewall add deny from 192.0.2.1
	purge
}

is_locked() {
	! "${A[@]}" flock -n "$1" true
}

# The other user makes everything here, in a bpffs that allows it.
@test "folders and links of another user in a world-writable bpffs are not used" {
	local folder=/sys/fs/bpf/xdpfun other=(setpriv --reuid=65534 --regid=65534 --clear-groups)

	"${A[@]}" chmod 1777 /sys/fs/bpf
	"${A[@]}" "${other[@]}" mkdir -p $folder/firewall/default
	refused $folder
	begin holder "${A[@]}" "${other[@]}" flock --no-fork $folder/firewall/default sleep 60
	wait_for is_locked $folder/firewall/default
	refused $folder
	signal TERM holder
	"${A[@]}" rm -r $folder
	"${A[@]}" "${other[@]}" mkdir -p /sys/fs/bpf/mine/firewall/default
	"${A[@]}" "${other[@]}" ln -s mine $folder
	refused $folder
	"${A[@]}" rm -r $folder /sys/fs/bpf/mine
}

@test "the folder of a set with another owner or mode is not used" {
	local folder=/sys/fs/bpf/xdpfun/firewall/default

	fw add --set mine deny from 192.0.2.1
	"${A[@]}" mkdir $folder
	"${A[@]}" chown 65534 $folder
	refused $folder
	run -1 --separate-stderr fw list --set none
	matches "what it says" "$stderr" "the sets are: mine;"
	begin holder "${A[@]}" flock --no-fork $folder setpriv --reuid=65534 --regid=65534 --clear-groups sleep 60
	wait_for is_locked $folder
	refused $folder
	signal TERM holder
	"${A[@]}" rmdir $folder
	"${A[@]}" ln -s mine $folder
	refused $folder
	"${A[@]}" rm $folder
	# The folder of a complete set changes its owner.
	fw add deny from 192.0.2.1
	"${A[@]}" chown -R 65534 $folder
	refused $folder
	"${A[@]}" chown -R 0 $folder
	"${A[@]}" chmod 0770 $folder
	refused $folder
	"${A[@]}" chmod 0700 $folder
	same rules "$(fw list)" "deny from 192.0.2.1"
	same "rules of mine" "$(fw list --set mine)" "deny from 192.0.2.1"
	purge
}
