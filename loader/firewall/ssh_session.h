/* SPDX-License-Identifier: GPL-2.0-only */
/* The SSH session in which this process runs, if it does. */
#ifndef XF_SSH_SESSION_H
#define XF_SSH_SESSION_H

#include "firewall/rule/match.h"

/* Find it through SSH_CONNECTION in the environment of this process or of an ancestor, or the
 * connection of an ancestor that is an SSH server, which sudo does not hide. Returns whether there
 * is one, with its client's packets in *@packet. */
bool xf_fw_session_find(struct xf_match_packet *packet);

#endif
