/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF object, carried inside each program, which then runs wherever it is copied to. */
	.section .rodata
	.balign 8
	.global xf_verdict_object_start
xf_verdict_object_start:
	.incbin "tests/platform/verdict.bpf.o"
	.global xf_verdict_object_end
xf_verdict_object_end:
	.section .note.GNU-stack,"",%progbits
