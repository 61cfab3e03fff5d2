// SPDX-License-Identifier: GPL-2.0-only
/* Messages, and connections to the server. */
#include "tests/bench/load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/* Returns the end of message @number, which is different for each. */
static uint64_t tail_of(uint64_t number)
{
	return (number + 1) * 0x9e3779b97f4a7c15ULL;
}

void load_stamp(uint8_t *message, enum load_kind kind, size_t size, uint64_t number)
{
	struct load_head head = { LOAD_MAGIC, kind, size, number };
	uint64_t tail = tail_of(number);

	memcpy(message, &head, sizeof(head));
	memcpy(message + size - sizeof(tail), &tail, sizeof(tail));
}

bool load_is(const uint8_t *message, enum load_kind kind, size_t size, uint64_t number)
{
	struct load_head head;
	uint64_t tail;

	memcpy(&head, message, sizeof(head));
	memcpy(&tail, message + size - sizeof(tail), sizeof(tail));
	return head.magic == LOAD_MAGIC && head.kind == kind && head.size == size &&
	       head.number == number && tail == tail_of(number);
}

void load_wipe(uint8_t *message, size_t size)
{
	memset(message, 0, sizeof(struct load_head));
	memset(message + size - sizeof(uint64_t), 0, sizeof(uint64_t));
}

void load_fail_if(bool failed, const char *what)
{
	bench_check(failed ? -errno : 0, what);
}

int load_connect(const struct load *load)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	load_fail_if(fd < 0, "make a socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof(int));
	load_fail_if(connect(fd, (const struct sockaddr *)&load->target, sizeof(load->target)),
		     "connect to the relay");
	return fd;
}
