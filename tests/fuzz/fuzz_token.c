// SPDX-License-Identifier: GPL-2.0-only
/* The token line, against a second parser. Input: a byte that is the length of the secret, the
 * secret, and the client's bytes. */
#include "tests/fuzz/fuzz.h"

struct asked {
	struct answers answers;
	const uint8_t *secret;
	size_t secret_len;
};

static bool is_line(const uint8_t *data, size_t len, const struct asked *asked, const char *end,
		    size_t *skip)
{
	size_t end_len = strlen(end);

	*skip = asked->secret_len + end_len;
	return len >= *skip && !memcmp(data, asked->secret, asked->secret_len) &&
	       !memcmp(data + asked->secret_len, end, end_len);
}

static void ask(const uint8_t *data, size_t len, void *arg)
{
	struct asked *asked = arg;
	size_t skip = 0, want;
	enum xf_first answer = xf_first_token(data, len, asked->secret, asked->secret_len, &skip);
	bool right =
	    is_line(data, len, asked, "\n", &want) || is_line(data, len, asked, "\r\n", &want);

	note_answer(&asked->answers, answer);
	must(answer != XF_FIRST_BAD);
	must((answer == XF_FIRST_YES) == right);
	must(!right || skip == want);
	if (answer == XF_FIRST_MORE)
		must(len <= asked->secret_len + 1 && !memchr(data, '\n', len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct asked asked = { .secret_len = 0 };
	uint8_t *secret;

	if (len < 2 || !data[0] || data[0] > len - 1)
		return 0;
	asked.secret_len = data[0];
	data++;
	len--;
	/* The parser of routes accepts no secret with an end of line. */
	if (memchr(data, '\n', asked.secret_len) || memchr(data, '\r', asked.secret_len))
		return 0;
	secret = exactly(data, asked.secret_len);
	asked.secret = secret;
	for_prefixes(data + asked.secret_len, len - asked.secret_len, ask, &asked);
	free(secret);
	return 0;
}
