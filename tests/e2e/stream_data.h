/* SPDX-License-Identifier: GPL-2.0-only */
/* The data of stream: a header, then bytes that are a function of the connection, the direction and
 * the position, so that each wrong, missing, doubled or foreign byte is found. */
#ifndef XF_E2E_STREAM_DATA_H
#define XF_E2E_STREAM_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define STREAM_MAGIC 0x78667374726d3031ULL

enum stream_mode {
	STREAM_DUPLEX,	  /* both sides send without waiting */
	STREAM_AFTER_FIN, /* the server sends when it has seen the client's FIN */
	STREAM_REQUEST,	  /* a reply for each request */
	STREAM_ECHO,	  /* the other side is an echo, not a stream server */
};

struct stream_header {
	uint64_t magic;
	uint64_t id;	 /* of the connection; from a server that speaks first, its own number */
	uint64_t peer;	 /* server: the id that the client sent; 0 when it spoke first */
	uint64_t length; /* bytes in this direction, with the header */
	uint64_t reply;	 /* client: bytes wanted in the other direction, with its header */
	uint32_t mode;
	uint32_t server; /* server: its --name */
	uint32_t request_size, reply_size;
	uint64_t check; /* of all above */
};

#define STREAM_HEADER sizeof(struct stream_header)

static inline uint64_t stream_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static inline uint64_t stream_seed(uint64_t id, bool from_server)
{
	return stream_mix(id * 2 + from_server + 0x9e3779b97f4a7c15ULL);
}

static inline uint64_t stream_word(uint64_t seed, uint64_t index)
{
	return stream_mix(seed + index * 0x9e3779b97f4a7c15ULL);
}

static inline uint8_t stream_byte(uint64_t seed, uint64_t pos)
{
	return stream_word(seed, pos / 8) >> pos % 8 * 8;
}

/* Fill @buf with the bytes from @pos on. */
static inline void stream_fill(uint8_t *buf, uint64_t seed, uint64_t pos, size_t len)
{
	size_t i = 0;

	for (; i < len && (pos + i) % 8; i++)
		buf[i] = stream_byte(seed, pos + i);
	for (; i + 8 <= len; i += 8) {
		uint64_t word = stream_word(seed, (pos + i) / 8);

		memcpy(buf + i, &word, 8);
	}
	for (; i < len; i++)
		buf[i] = stream_byte(seed, pos + i);
}

/* Returns how many of the @len bytes are right in front of the first wrong one. */
static inline size_t stream_check(const uint8_t *buf, uint64_t seed, uint64_t pos, size_t len)
{
	size_t i = 0;

	for (; i < len && (pos + i) % 8; i++)
		if (buf[i] != stream_byte(seed, pos + i))
			return i;
	for (; i + 8 <= len; i += 8) {
		uint64_t word = stream_word(seed, (pos + i) / 8);

		if (memcmp(buf + i, &word, 8))
			break;
	}
	for (; i < len; i++)
		if (buf[i] != stream_byte(seed, pos + i))
			return i;
	return len;
}

/* Returns the position of the 16 bytes at @buf in the same stream, less than @range from @pos, or
 * UINT64_MAX. */
static inline uint64_t stream_find(const uint8_t *buf, uint64_t seed, uint64_t pos, uint64_t range)
{
	uint64_t at = pos > range ? pos - range : 0;

	for (; at < pos + range; at++)
		if (stream_byte(seed, at) == buf[0] && stream_check(buf, seed, at, 16) == 16)
			return at;
	return UINT64_MAX;
}

static inline uint64_t stream_header_check(const struct stream_header *head)
{
	const uint64_t *word = (const void *)head;
	uint64_t sum = 0;

	for (size_t i = 0; i < offsetof(struct stream_header, check) / 8; i++)
		sum = stream_mix(sum + word[i]);
	return sum;
}

#endif
