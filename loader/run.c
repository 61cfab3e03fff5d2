// SPDX-License-Identifier: GPL-2.0-only
/* One run of log or follow. */
#include "run.h"

#include "bpffs.h"
#include "caps.h"
#include "log_echo.h"

static int run_sources(struct xf_run *run, int (*start)(struct xf_run *run, const char *name))
{
	const struct xf_strs *names = &run->args->interfaces;
	int err = 0;

	for (unsigned int i = 0; !err && i < names->n; i++)
		err = start(run, names->at[i]);
	if (!err)
		return xf_session__run(run->session);
	/* One failed: leave none behind. */
	for (unsigned int i = 0; i < run->n; i++)
		if (run->sources[i].ours || run->sources[i].config)
			xf_source__end(&run->sources[i], run->sources[i].ours);
	return XF_EXIT_FAILED;
}

int xf_run(struct xf_run *run, const char *what, const struct xf_session_opts *opts,
	   int (*start)(struct xf_run *run, const char *name))
{
	int status = XF_EXIT_FAILED;

	if (xf_caps_check(what) || xf_locks__open(&run->locks))
		return XF_EXIT_FAILED;
	run->no_bpffs = xf_bpffs_prepare();
	if (!xf_session__open(&run->session, opts)) {
		if (!run->args->echo ||
		    !xf_log_echo__start(&run->echo, &run->args->echo_listen, run->session))
			status = run_sources(run, start);
		xf_log_echo__end(run->echo);
		for (unsigned int i = 0; i < run->n; i++)
			xf_source__close(&run->sources[i]);
		xf_session__free(run->session);
	}
	xf_locks__close(&run->locks);
	return status;
}
