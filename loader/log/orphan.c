// SPDX-License-Identifier: GPL-2.0-only
/* Finds and removes orphans: programs of ours whose loader died. */
#include "loader/log/orphan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "loader/hook/program.h"
#include "lib/msg.h"
#include "loader/hook/owner.h"
#include "loader/log/reader.h"

/* The tag of our object, computed at most once and only if there is an orphan to compare it with.
 */
struct own_tag {
	unsigned char tag[XF_TAG_LEN];
	bool known, failed;
};

static bool same_object(const struct xf_program *program, const char *object, struct own_tag *own)
{
	if (!own->known) {
		own->failed = xf_object_tag(object, own->tag) != 0;
		own->known = true;
	}
	return !own->failed && !memcmp(own->tag, program->tag, XF_TAG_LEN);
}

static bool fits(const struct xf_program *program, const struct xf_attach_opts *opts,
		 const struct xf_chain *chain, const struct xf_chain_prog *prog,
		 struct own_tag *own)
{
	bool chained = chain->kind == XF_CHAIN_DISPATCHER;

	if (opts->mode != XF_MODE_AUTO && opts->mode != chain->mode)
		return false;
	/* For a program alone on the hook libxdp reports the priority and actions of its object,
	 * not those of its loader; without a chain they have no effect. */
	if (chained && (prog->prio != opts->prio || prog->actions != opts->actions))
		return false;
	if (!chained && opts->require_chain)
		return false;
	return same_object(program, opts->object, own);
}

/* Returns 1 with *@orphan set when the program is an orphan of ours, 0 when not, -errno when it
 * could not be read. */
static int read_orphan(const struct xf_chain_prog *prog, const struct xf_attach_opts *opts,
		       const struct xf_chain *chain, struct xf_locks *locks, struct own_tag *own,
		       struct xf_orphan *orphan)
{
	struct xf_owner owner = {};
	struct xf_program program;
	bool is_orphan;
	int err = xf_program__open(&program, &xf_abi_logger, prog->id);

	if (err && err != -EPROTO)
		return err == -ENOENT ? 0 : err;
	is_orphan = !xf_program__owner(&program, &owner) &&
		    xf_owner_state(&owner) == XF_OWNER_DEAD && !xf_locks__reader(locks, prog->id);
	if (is_orphan)
		*orphan = (struct xf_orphan) {
			.id = prog->id,
			.fits = !err && fits(&program, opts, chain, prog, own),
		};
	xf_program__close(&program);
	return is_orphan;
}

int xf_orphans_find(struct xf_orphans *orphans, const struct xf_attach_opts *opts,
		    struct xf_locks *locks)
{
	struct xf_chain *chain = &orphans->chain;
	struct own_tag own = {};
	int err;

	memset(orphans, 0, sizeof(*orphans));
	err = xf_chain__read(opts->ifindex, chain);
	if (err) {
		xf_err("cannot read what is attached to %s: %s", opts->ifname, strerror(-err));
		return err;
	}
	for (unsigned int i = 0; i < chain->n; i++) {
		err = read_orphan(&chain->prog[i], opts, chain, locks, &own,
				  &orphans->at[orphans->n]);
		if (err < 0) {
			xf_err("%s: cannot read program %u: %s", opts->ifname, chain->prog[i].id,
			       strerror(-err));
			return err;
		}
		orphans->n += err;
	}
	orphans->full = chain->kind == XF_CHAIN_BARE || chain->n == XF_CHAIN_MAX;
	return 0;
}

/* Detach the program. *@unread is the number of records in its rings, which are lost with them. */
static int remove_one(unsigned int ifindex, __u32 id, uint64_t *unread)
{
	struct xf_reader left = {};
	struct xf_program program;
	int opened = xf_program__open(&program, &xf_abi_logger, id);
	bool open = opened == 0;
	int err = xf_detach(ifindex, id);

	*unread = 0;
	if (opened == -EPROTO)
		xf_program__close(&program); /* another ABI may have other rings */
	if (open && !err) {
		xf_reader__open_left(&left, program.rings_fd);
		xf_reader__settle(program.rings_fd);
	}
	for (unsigned int i = 0; i < left.n; i++)
		*unread += xf_ring__skip_all(&left.rings[i]);
	xf_reader__close(&left);
	if (open)
		xf_program__close(&program);
	return err;
}

int xf_orphans_remove(const struct xf_orphans *orphans, const char *ifname, unsigned int ifindex,
		      __u32 keep)
{
	int failed = 0;

	for (unsigned int i = 0; i < orphans->n; i++) {
		__u32 id = orphans->at[i].id;
		uint64_t unread = 0;
		int err = id == keep ? 0 : remove_one(ifindex, id, &unread);

		if (id == keep || err == -ENOENT)
			continue;
		if (err) {
			xf_warn("%s: cannot remove program %u, whose loader died: %s", ifname, id,
				strerror(-err));
			failed++;
		} else {
			xf_info("%s: removed program %u, whose loader died, with %" PRIu64
				" unread packets in its rings",
				ifname, id, unread);
		}
	}
	return failed;
}
