// SPDX-License-Identifier: GPL-2.0-only
/* frames IFACE COUNT [LEN [GAP_US [VLAN]]]: send COUNT UDP frames; the ports count them: the source
 * port is 10000 + N / 10000, the destination port 10000 + N % 10000. */
#include <time.h>
#include <unistd.h>

#include "frame.h"

static unsigned int number(int argc, char **argv, int i, unsigned int otherwise)
{
	return i < argc ? strtoul(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	unsigned int count = number(argc, argv, 2, 1), len = number(argc, argv, 3, 64);
	unsigned int gap = number(argc, argv, 4, 0), vlan = number(argc, argv, 5, 0);
	unsigned char frame[FRAME_MAX];
	struct timespec pause = { .tv_sec = gap / 1000000, .tv_nsec = gap % 1000000 * 1000L };
	int fd;

	if (argc < 3 || len > sizeof(frame) || len < 60) {
		fprintf(stderr, "usage: frames IFACE COUNT [LEN [GAP_US [VLAN]]]\n");
		return 2;
	}
	fd = frame_socket(argv[1]);
	for (unsigned int i = 0; i < count; i++) {
		frame_make(frame, len, 10000 + i / 10000, 10000 + i % 10000, vlan);
		if (send(fd, frame, len, 0) != (ssize_t)len) {
			perror("send");
			return 1;
		}
		if (gap)
			nanosleep(&pause, NULL);
	}
	close(fd);
	return 0;
}
