/* SPDX-License-Identifier: GPL-2.0-only */
/* The two ends of a measured connection: messages, and what both processes share.
 *
 * Round trips: the client sends messages of one size, each with a head and a tail that depend on
 * its number, and the server sends each back when all of it has come. Bulk: blocks of 4 KiB, each
 * with a head and a tail that depend on its number; the last one is answered with how many came and
 * how many of them were not what was due. */
#ifndef XF_LOAD_H
#define XF_LOAD_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOAD_BLOCK 4096
#define LOAD_BUFFER (256 << 10)
#define LOAD_SIZE_MIN 64 /* of a message: what the server reads first */
#define LOAD_MAGIC 0x6c6f6164

enum load_kind {
	LOAD_ECHO = 1,
	LOAD_BULK,
	LOAD_END, /* the last block, and the answer to it */
};

struct load_head {
	uint32_t magic;
	uint32_t kind;
	uint64_t size;	 /* of the message; in the answer: how many blocks came */
	uint64_t number; /* of the message or block; in the answer: how many were wrong */
};

void load_stamp(uint8_t *message, enum load_kind kind, size_t size, uint64_t number);
/* Whether it is what load_stamp() made of the kind, size and number. */
bool load_is(const uint8_t *message, enum load_kind kind, size_t size, uint64_t number);
/* Make the memory of a message look like none, so that what is read into it is seen. */
void load_wipe(uint8_t *message, size_t size);

/* Mapped by client and server. */
struct load_shared {
	_Atomic bool ready;	/* the server listens */
	_Atomic uint64_t bytes; /* of bulk that the server has received */
};

/* In the server's process: serve until killed. */
void load_serve(const struct sockaddr_in *addr, struct load_shared *shared)
    __attribute__((noreturn));

struct load {
	struct sockaddr_in target;
	struct load_shared *shared;
	unsigned int connections;
	size_t size;
	bool beside;	     /* round trips with a bulk transfer beside them */
	uint64_t warm, time; /* ns */
	pid_t relay;	     /* whose CPU time and memory are looked at; 0: none */
};

/* The measurements. Each prints one line of "name value" pairs that ends with "lost BYTES". */
void load_round_trips(const struct load *load);
void load_bulk(const struct load *load);
void load_connects(const struct load *load);
void load_idle(const struct load *load);

/* End the process with what errno says, if it failed. */
void load_fail_if(bool failed, const char *what);
/* A connected socket with TCP_NODELAY. */
int load_connect(const struct load *load);
/* After so long without a byte the rest counts as lost. */
#define LOAD_PATIENCE_MS 5000

#endif
