// SPDX-License-Identifier: GPL-2.0-only
/* One interface of a session. */
#include "loader/log/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/msg.h"
#include "loader/hook/refusal.h"

static const struct xf_program no_program = {
	.prog_fd = -1,
	.rings_fd = -1,
	.counters_fd = -1,
	.config_fd = -1,
	.owner_fd = -1,
	.alive_fd = -1,
};

void xf_source__init(struct xf_source *src, const struct xf_abi_mark *abi, const char *given_name)
{
	*src = (struct xf_source) {
		.abi = abi, .given_name = given_name, .alive_fd = -1, .program = no_program
	};
}

void xf_source__close(struct xf_source *src)
{
	xf_reader__close(&src->reader);
	xf_reader__close(&src->left);
	xf_program__config_unmap(src->config);
	src->config = NULL;
	if (src->alive_fd >= 0)
		close(src->alive_fd);
	src->alive_fd = -1;
	xf_program__close(&src->program);
	src->program = no_program;
	src->ours = false;
}

/* Sum up all programs that the source has had. */
static int sum_counters(const struct xf_source *src, struct xf_counters *sum)
{
	struct xf_counters now;
	int err;

	*sum = src->past;
	if (src->program.counters_fd < 0)
		return 0;
	err = xf_program__counters(&src->program, &now);
	if (!err)
		xf_counters_add(sum, &src->base, &now);
	return err;
}

int xf_source__leave(struct xf_source *src)
{
	struct xf_counters sum;
	int err = sum_counters(src, &sum);

	if (!err)
		src->past = sum;
	src->own_taken += xf_reader__taken(&src->reader);
	src->left_taken += xf_reader__taken(&src->left);
	xf_source__close(src);
	memset(&src->base, 0, sizeof(src->base));
	return err;
}

static int open_program(struct xf_source *src)
{
	int err = xf_program__open(&src->program, src->abi, src->at.prog_id);

	if (err) {
		xf_err("%s: cannot open the maps of program %u: %s", src->name, src->at.prog_id,
		       strerror(-err));
		return err;
	}
	src->config = xf_program__config_map(&src->program);
	if (!src->config) {
		err = -errno;
		xf_err("%s: cannot map the configuration of program %u: %s", src->name,
		       src->at.prog_id, strerror(-err));
	}
	return err;
}

static void announce_reader(struct xf_source *src)
{
	src->alive_fd = xf_reader_alive(src->program.alive_fd);
	if (src->alive_fd < 0)
		xf_warn("%s: cannot tell the program that this reader lives (perf_event_open: %s): "
			"packets that find a full ring count as unread, not as lost",
			src->name, strerror(-src->alive_fd));
}

int xf_source__begin(struct xf_source *src)
{
	int err = open_program(src);

	if (!err)
		announce_reader(src);
	return err;
}

int xf_source__take_over(struct xf_source *src, const struct xf_config *config)
{
	int err = open_program(src);

	if (err)
		return err;
	/* The counters are read first, so that all later packets are counted by this session.
	 * Records that go to the old rings before ours replace them are read from there. */
	err = xf_program__counters(&src->program, &src->base);
	if (!err)
		err = xf_reader__open_left(&src->left, src->program.rings_fd);
	if (!err) {
		*src->config = *config;
		announce_reader(src);
		err = xf_reader__install(&src->reader, src->program.rings_fd);
	}
	if (err)
		xf_err("%s: cannot take over program %u: %s", src->name, src->at.prog_id,
		       strerror(-err));
	return err;
}

bool xf_source__is_attached(const struct xf_source *src)
{
	struct xf_chain chain;
	int err = xf_chain__read(src->ifindex, &chain);

	/* A dispatcher that cannot be read does not tell whether our program is in it. */
	if (err || chain.kind == XF_CHAIN_PINS || chain.kind == XF_CHAIN_VERSION)
		return err != -ENODEV;
	return xf_chain__find(&chain, src->at.prog_id) != NULL;
}

int xf_source__end(struct xf_source *src, bool detach)
{
	int err = detach ? xf_detach(src->ifindex, src->at.prog_id) : 0;

	if (err == -ENOENT || err == -ENODEV)
		err = 0; /* another process was faster */
	if (err) {
		xf_refusal_detach(src->name, src->at.prog_id, err);
		xf_hint("it passes everything and logs nothing now; 'xdpfun-load unload -i %s' "
			"removes it",
			src->name);
	}
	if (detach && !err)
		xf_reader__settle(src->program.rings_fd);
	else
		xf_reader__uninstall(&src->reader, src->program.rings_fd);
	src->state = XF_SOURCE_ENDED;
	return err;
}

static bool is_empty(const struct xf_reader *reader)
{
	for (unsigned int i = 0; i < reader->n; i++) {
		xf_ring__look(&reader->rings[i]);
		if (xf_ring__peek(&reader->rings[i]))
			return false;
	}
	return true;
}

bool xf_source__is_drained(const struct xf_source *src)
{
	return is_empty(&src->reader) && is_empty(&src->left);
}

int xf_source__tally(const struct xf_source *src, const struct xf_line_counts *lines, bool final,
		     struct xf_tally *tally, bool *exact)
{
	static const struct xf_counters none;
	struct xf_line_counts taken = {
		.logged = lines->logged,
		.lost = lines->lost + src->unwritable,
		.unread = lines->unread + src->unwanted_records,
	};
	struct xf_counters sum;
	int err = sum_counters(src, &sum);

	if (err)
		return err;
	xf_tally_make(tally, &none, &sum, &taken);
	*exact = !final || xf_tally_check(tally, &taken, sum.submitted,
					  src->own_taken + xf_reader__taken(&src->reader),
					  src->left_taken + xf_reader__taken(&src->left));
	return 0;
}
