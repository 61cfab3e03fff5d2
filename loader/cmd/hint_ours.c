// SPDX-License-Identifier: GPL-2.0-only
/* Hints about a program of ours that runs without a dispatcher. */
#include "loader/cmd/hint_ours.h"

#include "lib/msg.h"
#include "loader/firewall/programs.h"
#include "loader/hook/owner.h"
#include "loader/hook/program.h"

static void hint_logger(const char *ifname, const struct xf_program *program)
{
	struct xf_owner owner;

	if (!xf_program__owner(program, &owner) && xf_owner_state(&owner) == XF_OWNER_ALIVE)
		xf_hint("process %u runs 'xdpfun-load log' there; end it first", owner.pid);
	else if (xf_program__is_blind(program, ifname))
		xf_hint("it is an xdpfun that was loaded for another kind of interface and reads "
			"nothing here: 'xdpfun-load unload -i %s' removes it",
			ifname);
	else
		xf_hint(
		    "it is an xdpfun that was loaded without a dispatcher: 'xdpfun-load follow "
		    "-i %s' shows its log as it is; to reload it in a chain: " XF_RELOAD_COMMANDS,
		    ifname, ifname, ifname);
}

bool xf_hint_ours(const char *ifname, __u32 prog_id)
{
	struct xf_fw_prog firewall;
	struct xf_program program;

	if (!xf_fw_prog__read(&firewall, prog_id)) {
		xf_hint(
		    "it is xdpfun's firewall, attached where no chain was possible; 'xdpfun-load "
		    "firewall detach -i %s' removes it, or 'xdpfun-load unload -i %s' when it has "
		    "no set",
		    ifname, ifname);
		return true;
	}
	if (xf_program__open(&program, &xf_abi_logger, prog_id))
		return false;
	hint_logger(ifname, &program);
	xf_program__close(&program);
	return true;
}
