// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/cap_sets.h"
#include "lib/msg.h"
#include "sockmap/engine/sockmap_impl.h"

extern const char xf_relay_object_start[], xf_relay_object_end[];

/* Indexes beyond those that can be in use: so many connections end before one comes back. */
#define SPARE 1024

/* Messages of a flow until it is asked how many are busy; a power of two. */
#define BUSY_MESSAGES 128

static int map_fd(const struct xf_sockmap *sm, const char *name)
{
	return bpf_object__find_map_fd_by_name(sm->obj, name);
}

static void resize(struct xf_sockmap *sm, const char *name, uint32_t entries)
{
	bpf_map__set_max_entries(bpf_object__find_map_by_name(sm->obj, name), entries);
}

/* Every flow can have one event waiting and one that is looked at; 24 bytes each in the ring. */
static uint32_t ring_size(uint32_t flows)
{
	uint32_t size = 64 * 1024;

	while (size < flows * 2 * 24)
		size *= 2;
	return size;
}

static int load(struct xf_sockmap *sm)
{
	uint32_t flows = 2 * sm->mover->opts.max_relays;
	struct bpf_program *verdict;
	int err;

	sm->obj = bpf_object__open_mem(xf_relay_object_start,
				       xf_relay_object_end - xf_relay_object_start, NULL);
	if (!sm->obj)
		return -errno;
	resize(sm, "src", flows);
	resize(sm, "dst", flows);
	resize(sm, "by_cookie", flows);
	resize(sm, "flows", flows + SPARE);
	resize(sm, "events", ring_size(flows + SPARE));
	err = bpf_object__load(sm->obj);
	if (err)
		return err;
	sm->src = map_fd(sm, "src");
	sm->dst = map_fd(sm, "dst");
	sm->by_cookie = map_fd(sm, "by_cookie");
	sm->indexes = flows + SPARE;
	sm->gate = bpf_program__fd(bpf_object__find_program_by_name(sm->obj, "xf_relay_gate"));
	verdict = bpf_object__find_program_by_name(sm->obj, "xf_relay_verdict");
	return bpf_prog_attach(bpf_program__fd(verdict), sm->src, BPF_SK_SKB_STREAM_VERDICT, 0);
}

static void *map_memory(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

static int on_event(void *arg, void *data, size_t len)
{
	struct xf_sockmap *sm = arg;
	const struct xf_relay_event *event = data;
	struct xf_mapped *mapped;

	(void)len;
	mapped = event->index < sm->indexes ? sm->by_index[event->index] : NULL;
	if (mapped && !mapped->relay->ended)
		xf_sockmap__told(sm, mapped, event);
	return 0;
}

static void on_ring(struct xf_watch *watch, uint32_t events)
{
	struct xf_sockmap *sm = xf_container_of(watch, struct xf_sockmap, watch);

	(void)events;
	ring_buffer__consume(sm->ring);
}

static int share(struct xf_sockmap *sm)
{
	size_t page = sysconf(_SC_PAGESIZE);

	sm->flows_size = (sm->indexes * sizeof(*sm->flows) + page - 1) / page * page;
	sm->flows = map_memory(map_fd(sm, "flows"), sm->flows_size);
	sm->totals = map_memory(map_fd(sm, "totals"), page);
	sm->by_index = calloc(sm->indexes, sizeof(*sm->by_index));
	sm->spare = calloc(sm->indexes, sizeof(*sm->spare));
	if (!sm->flows || !sm->totals || !sm->by_index || !sm->spare)
		return -ENOMEM;
	for (uint32_t i = 0; i < sm->indexes; i++)
		sm->spare[i] = i;
	sm->spares = sm->indexes;
	sm->ring = ring_buffer__new(map_fd(sm, "events"), on_event, sm, NULL);
	if (!sm->ring)
		return -errno;
	sm->watch.fn = on_ring;
	return xf_loop__add(sm->mover->loop, &sm->watch, ring_buffer__epoll_fd(sm->ring), EPOLLIN);
}

/* Without CAP_PERFMON the verifier says EINVAL: it does not know bpf_skc_to_tcp_sock() then. */
static bool is_privileged(void)
{
	const uint64_t needed = 1ULL << CAP_NET_ADMIN | 1ULL << XF_CAP_BPF | 1ULL << XF_CAP_PERFMON;
	uint64_t implied = 0;
	struct xf_cap_sets sets;

	xf_cap_sets_get(&sets);
	if (sets.effective & 1ULL << CAP_SYS_ADMIN)
		implied = 1ULL << XF_CAP_BPF | 1ULL << XF_CAP_PERFMON;
	return ((sets.effective | implied) & needed) == needed;
}

static void explain(struct xf_mover *mover, int err)
{
	const char *why = strerror(-err);

	if (err == -EPERM || err == -EACCES || !is_privileged())
		why = "it needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON (root)";
	else if (err == -EOPNOTSUPP || err == -EINVAL)
		why = "this kernel cannot do it (CONFIG_BPF_STREAM_PARSER and BTF are needed)";
	snprintf(mover->unavailable_reason, sizeof(mover->unavailable_reason), "%s", why);
}

/* Programs and maps for mover->opts.max_relays. -errno with mover->unavailable_reason filled. */
static int set_up(struct xf_sockmap *sm)
{
	int err = load(sm);

	if (!err)
		err = share(sm);
	if (err)
		explain(sm->mover, err);
	return err;
}

static void unload(struct xf_sockmap *sm)
{
	xf_loop__disarm(sm->mover->loop, &sm->crowd);
	if (sm->watch.fd >= 0)
		xf_loop__del(sm->mover->loop, &sm->watch);
	ring_buffer__free(sm->ring);
	if (sm->flows)
		munmap(sm->flows, sm->flows_size);
	if (sm->totals)
		munmap(sm->totals, sysconf(_SC_PAGESIZE));
	free(sm->by_index);
	free(sm->spare);
	bpf_object__close(sm->obj);
}

struct xf_relay_flow *xf_sockmap__get(struct xf_sockmap *sm, struct xf_mapped *mapped)
{
	struct xf_relay_flow *flow;
	uint32_t index;

	if (sm->spares <= SPARE)
		return NULL;
	index = sm->spare[sm->spare_at];
	sm->spare_at = (sm->spare_at + 1) % sm->indexes;
	sm->spares--;
	sm->by_index[index] = mapped;
	flow = &sm->flows[index];
	*flow = (struct xf_relay_flow) { .index = index };
	return flow;
}

void xf_sockmap__put(struct xf_sockmap *sm, uint32_t index)
{
	sm->by_index[index] = NULL;
	sm->spare[(sm->spare_at + sm->spares) % sm->indexes] = index;
	sm->spares++;
}

int xf_sockmap__add(int map, uint64_t cookie, uint32_t value)
{
	return bpf_map_update_elem(map, &cookie, &value, BPF_NOEXIST);
}

void xf_sockmap__remove(int map, uint64_t cookie)
{
	bpf_map_delete_elem(map, &cookie);
}

static void set_totals(struct xf_sockmap *sm)
{
	const struct xf_mover_opts *opts = &sm->mover->opts;
	bool choose = opts->engine == XF_ENGINE_AUTO;

	sm->totals->bulk = choose ? XF_BULK_RUN : UINT64_MAX;
	sm->totals->busy = choose ? BUSY_MESSAGES - 1 : UINT64_MAX;
	if (opts->rotate_bytes && opts->rotate_bytes < XF_BULK_RUN)
		sm->totals->bulk = opts->rotate_bytes;
}

static int refused(const struct xf_mover *mover, int err)
{
	if (mover->opts.engine == XF_ENGINE_SOCKMAP)
		xf_err("cannot use --engine sockmap: %s", mover->unavailable_reason);
	return err;
}

int xf_sockmap__new(struct xf_mover *mover)
{
	struct xf_sockmap *sm;
	int err;

	if (xf_kernel_has_data_bug(mover->unavailable_reason, sizeof(mover->unavailable_reason)))
		return refused(mover, -EOPNOTSUPP);
	sm = calloc(1, sizeof(*sm));
	if (!sm)
		return -ENOMEM;
	sm->mover = mover;
	sm->watch.fd = -1;
	err = set_up(sm);
	if (!err) {
		set_totals(sm);
		mover->sockmap = sm;
		return 0;
	}
	unload(sm);
	free(sm);
	return refused(mover, err);
}

void xf_sockmap__free(struct xf_sockmap *sm)
{
	if (!sm)
		return;
	unload(sm);
	free(sm);
}
