/* SPDX-License-Identifier: GPL-2.0-only */
/* The relay's BPF object, carried inside the loader. */
	.section .rodata
	.balign 8
	.global xf_relay_object_start
xf_relay_object_start:
	.incbin "sockmap/engine/relay.bpf.o"
	.global xf_relay_object_end
xf_relay_object_end:
	.section .note.GNU-stack,"",%progbits
