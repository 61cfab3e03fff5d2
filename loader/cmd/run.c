// SPDX-License-Identifier: GPL-2.0-only
/* One run of log, follow or firewall log. */
#include "loader/cmd/run.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "loader/hook/bpffs.h"
#include "loader/hook/fd_reserve.h"
#include "loader/hook/hints.h"
#include "loader/cmd/caps.h"
#include "lib/fd_limit.h"
#include "lib/msg.h"
#include "loader/cmd/log_echo.h"

/* Descriptors of a source without its rings, and of everything else without the reserve. */
#define OF_SOURCE 16
#define OF_PROCESS 16
#define OF_ANY 8 /* sources to expect at least with '-i any' */

static int become_reader(struct xf_run *run, const struct xf_source *src)
{
	pid_t holder;
	int err = xf_locks__read_program(&run->locks, src->at.prog_id, &holder);

	if (err != -EBUSY)
		return err;
	if (holder)
		xf_err("%s: program %u is being read by process %d", src->name, src->at.prog_id,
		       holder);
	else
		xf_err("%s: program %u is being read by a process in another pid namespace",
		       src->name, src->at.prog_id);
	return err;
}

/* With '-i any' nobody knows how many interfaces will come: each takes an eighth of what is left.
 */
int xf_run__open_rings(struct xf_run *run, struct xf_source *src)
{
	uint64_t used = xf_session__ring_bytes(run->session), bytes = run->args->buffer;

	if (run->args->any)
		bytes = bytes > used ? (bytes - used) / 8 : 0;
	else
		bytes /= run->args->interfaces.n;
	return xf_reader__open(&src->reader, bytes);
}

int xf_run__read(struct xf_run *run, struct xf_source *src)
{
	struct xf_config config;
	int err = become_reader(run, src);

	if (!err)
		err = xf_run__open_rings(run, src);
	if (err)
		return err;
	config = xf_log_args__config(run->args, src->reader.wake_mask);
	err = xf_source__take_over(src, &config);
	if (err)
		return err;
	xf_info("%s: following program %u in %s mode", src->name, src->at.prog_id,
		xf_mode_name(src->at.mode));
	return 0;
}

static int start_source(void *arg, struct xf_source *src, bool waiting)
{
	struct xf_run *run = arg;

	return run->start(run, src, waiting);
}

static void stop_source(void *arg, const struct xf_source *src)
{
	struct xf_run *run = arg;

	xf_locks__release_program(&run->locks, src->at.prog_id);
}

static int run_sources(struct xf_run *run)
{
	const struct xf_strs *names = &run->args->interfaces;
	int err = xf_session__start(run->session, names->at, names->n);

	if (!err)
		return xf_session__run(run->session);
	if (err == -EMFILE || err == -ENFILE)
		xf_hint_open_files();
	return XF_EXIT_FAILED;
}

/* How many descriptors the run needs without --echo: a ring for each CPU, maps, the reserve. */
static unsigned int fds_needed(const struct xf_run *run)
{
	int cpus = xf_possible_cpus();

	return OF_PROCESS + XF_FD_RESERVE +
	       (run->args->interfaces.n ?: OF_ANY) * (OF_SOURCE + (cpus > 0 ? cpus : 1));
}

static int check_fds(const struct xf_run *run, const char *command)
{
	unsigned int needed = fds_needed(run);

	if (needed <= xf_fd_limit_raise())
		return 0;
	xf_err("'xdpfun-load %s' needs about %u open files here: %s", command, needed,
	       strerror(EMFILE));
	xf_hint_open_files();
	return -EMFILE;
}

static int run_session(struct xf_run *run)
{
	int status = XF_EXIT_FAILED;

	if (!run->args->echo ||
	    !xf_log_echo__start(&run->echo, &run->args->echo_listen, run->session, fds_needed(run)))
		status = run_sources(run);
	xf_log_echo__end(run->echo);
	return status;
}

int xf_run(struct xf_run *run, const char *command, const struct xf_session_opts *opts)
{
	struct xf_session_opts session = *opts;
	int status = XF_EXIT_FAILED;

	session.start = start_source;
	session.stop = stop_source;
	session.arg = run;
	if (xf_caps_check(command) || check_fds(run, command) || xf_locks__open(&run->locks))
		return XF_EXIT_FAILED;
	run->no_bpffs = xf_bpffs_prepare();
	if (!xf_fd_reserve__open() && !xf_session__open(&run->session, &session))
		status = run_session(run);
	xf_session__free(run->session);
	xf_fd_reserve__close();
	xf_locks__close(&run->locks);
	return status;
}
