/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF objects that are linked into the loader. */
#ifndef XF_EMBEDDED_H
#define XF_EMBEDDED_H

struct bpf_object;
struct xf_abi_mark;

struct xf_embedded {
	const char *file; /* its name as a file of its own */
	const char *prog_name;
	const struct xf_abi_mark *abi;
	const char *start, *end;
};

extern const struct xf_embedded xf_embedded_logger, xf_embedded_firewall;

/* The object's name in messages: @path, or for NULL "the built-in xdpfun.o". */
const char *xf_embedded_name(const struct xf_embedded *embedded, const char *path);

/* Open the embedded object, or the file @path. Returns NULL with errno set on failure, no message.
 */
struct bpf_object *xf_embedded_open(const struct xf_embedded *embedded, const char *path);

/* Check that an opened object is of this kind and of our ABI version. Returns 0, or -errno after a
 * message. */
int xf_embedded_check(const struct xf_embedded *embedded, const char *path, struct bpf_object *obj);

#endif
