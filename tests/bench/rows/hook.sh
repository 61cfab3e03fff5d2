# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The cost of a packet at the hook, with one CPU and with two. Programs run by BPF_PROG_TEST_RUN on
# a TCP packet of 64 bytes, interleaved, in one process on one CPU.

row no-reader from=hook unit=ns better=lower target=10 \
	value='over(.hook_unread; .hook_empty)' ratio='.hook_unread' to='.hook_empty' \
	title='no reader, over empty' \
	means='what each packet pays while the logger is attached and nobody reads: unread'

row logging from=hook unit=ns better=lower target=100 \
	value='over(.hook_logger; .hook_empty)' \
	title='logging, over empty' \
	means='parse, record, ring, counters, and wake-ups as the loader sets them up'

row logging-to-minimal from=hook unit=x better=lower target=1.3 \
	value='over(.hook_logger; .hook_empty)' to='over(.hook_minimal; .hook_empty)' \
	title='logging, to hand-minimal' \
	means='to the least code for this record: IPv4, TCP; one static ring; no wake-up'

row perf-each from=hook unit=x better=higher target=20 \
	value='over(.hook_perf_each; .hook_empty)' to='over(.hook_logger; .hook_empty)' \
	title='perf buffer, woken each time, to us' \
	means='minimal with a perf buffer, a wake-up for each event: so often our cost'

row perf-batch from=hook unit=x better=higher target=3 \
	value='over(.hook_perf_batch; .hook_empty)' to='over(.hook_logger; .hook_empty)' \
	title='perf buffer, woken by 512, to us' \
	means='the same, with a wake-up for each 512th event, as xdpdump does it'

row two-cpus from=scale unit=x better=higher target=0.9 \
	value='.scale_logger_one * .scale_empty_both' \
	to='.scale_logger_both * .scale_empty_one' \
	title='two CPUs, to one' \
	means='rate of a CPU while both log, to one alone; over the same of an empty program'

measure_hook() {
	"$BENCH_DIR/hook" "$((BENCH_SECONDS * 40))"
}

measure_scale() {
	"$BENCH_DIR/scale" "$((BENCH_SECONDS * 4))"
}
