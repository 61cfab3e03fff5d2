// SPDX-License-Identifier: GPL-2.0-only
/* qexit STATUS: end the virtual machine with this status, through QEMU's isa-debug-exit device.
 *
 * The device turns a byte b into QEMU's exit status 2b+1, and 1 also means that QEMU did not start:
 * hence the 33 that keeps the two apart. Cloud kernels have no /dev/port, so ioperm it is. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>

#define XF_EXIT_PORT 0xf4
#define XF_EXIT_BASE 33

int main(int argc, char **argv)
{
	int status = argc > 1 ? atoi(argv[1]) : 1;

	if (ioperm(XF_EXIT_PORT, 1, 1)) {
		perror("qexit: ioperm");
		return 1;
	}
	outb(XF_EXIT_BASE + status, XF_EXIT_PORT);
	fprintf(stderr, "qexit: still here, the machine has no isa-debug-exit\n");
	return 1;
}
