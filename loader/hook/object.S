/* SPDX-License-Identifier: GPL-2.0-only */
/* xdpfun.o and xdpfun-fw.o, carried inside the loader. */
	.section .rodata
	.balign 8
	.global xf_object_start
xf_object_start:
	.incbin "xdpfun.o"
	.global xf_object_end
xf_object_end:
	.balign 8
	.global xf_fw_object_start
xf_fw_object_start:
	.incbin "xdpfun-fw.o"
	.global xf_fw_object_end
xf_fw_object_end:
	.section .note.GNU-stack,"",%progbits
