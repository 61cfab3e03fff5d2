// SPDX-License-Identifier: GPL-2.0-only
/* latency IFACE PAUSE_MS...: after each pause send a frame, and print how many microseconds later
 * its line comes out of the log that is read from stdin. */
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

#define FIRST_PORT 40000
#define WAIT_MS 5000

static char text[1 << 16]; /* all that was read */
static size_t text_len;

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

/* Read until @word was seen. Returns 0, or -1 when it does not come. */
static int wait_for(const char *word)
{
	long until = now_us() + WAIT_MS * 1000L;
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	while (!strstr(text, word)) {
		long left = (until - now_us()) / 1000;
		ssize_t n;

		if (left <= 0 || poll(&in, 1, left) <= 0)
			return -1;
		n = read(STDIN_FILENO, text + text_len, sizeof(text) - 1 - text_len);
		if (n <= 0)
			return -1;
		text_len += n;
		text[text_len] = '\0';
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned char frame[64];
	int fd;

	if (argc < 3) {
		fprintf(stderr, "usage: latency IFACE PAUSE_MS...\n");
		return 2;
	}
	fd = frame_socket(argv[1]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 2; i < argc; i++) {
		long ms = strtol(argv[i], NULL, 10), sent;
		struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
		char word[32];

		nanosleep(&pause, NULL);
		snprintf(word, sizeof(word), ":%d udp", FIRST_PORT + i);
		frame_make(frame, sizeof(frame), FIRST_PORT, FIRST_PORT + i, 0);
		sent = now_us();
		if (send(fd, frame, sizeof(frame), 0) != sizeof(frame)) {
			perror("send");
			return 1;
		}
		if (wait_for(word)) {
			fprintf(stderr, "the line of packet %d never came\n", i - 1);
			return 1;
		}
		printf("%ld\n", now_us() - sent);
	}
	return 0;
}
