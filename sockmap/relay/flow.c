// SPDX-License-Identifier: GPL-2.0-only
/* Bytes that were taken from one socket and that the other did not take yet. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sockmap/engine/engine.h"

int xf_flow__push(struct xf_flow *flow)
{
	struct xf_pending *pending = &flow->pending;
	ssize_t n;

	while (pending->len) {
		n = send(flow->to->watch.fd, pending->buf + pending->off, pending->len,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN)
				return -errno;
			flow->to->writable = false;
			return 0;
		}
		pending->off += n;
		pending->len -= n;
		xf_relay__moved(flow, 0, n);
	}
	free(pending->buf);
	*pending = (struct xf_pending) {};
	return 1;
}

int xf_flow__keep(struct xf_flow *flow, const void *data, size_t len)
{
	struct xf_pending *pending = &flow->pending;
	uint8_t *buf;

	if (!len)
		return 0;
	buf = malloc(pending->len + len);
	if (!buf)
		return -ENOMEM;
	if (pending->len)
		memcpy(buf, pending->buf + pending->off, pending->len);
	memcpy(buf + pending->len, data, len);
	free(pending->buf);
	*pending = (struct xf_pending) { .buf = buf, .len = pending->len + len };
	return 0;
}
