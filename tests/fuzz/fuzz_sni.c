// SPDX-License-Identifier: GPL-2.0-only
/* The server name and the protocols of a ClientHello are the same for every prefix, and in records
 * of every size. */
#include "tests/fuzz/fuzz.h"

struct found {
	struct answers answers, protocols;
	char name[XF_NAME_MAX + 1];
};

static void ask(const uint8_t *data, size_t len, void *arg)
{
	struct found *found = arg;
	bool again = found->answers.known;
	char name[XF_NAME_MAX + 1];

	note_answer(&found->protocols, xf_first_alpn(data, len, name));
	must((found->protocols.answer == XF_FIRST_YES) == !!name[0]);
	must(strspn(name, "\"\\") == 0 && !memchr(name, ' ', strlen(name)));
	note_answer(&found->answers, xf_first_sni(data, len, name));
	if (found->answers.answer != XF_FIRST_YES) {
		must(!name[0]);
		return;
	}
	must_be_name(name);
	must(!again || !strcmp(name, found->name));
	strcpy(found->name, name);
}

/* Ask for the same handshake bytes in records of @most bytes. The input has had an answer. */
static void ask_again(const uint8_t *data, size_t len, size_t most, const struct found *found)
{
	uint8_t *out = malloc(len * 6);
	size_t n = 0, left = 0;
	char name[XF_NAME_MAX + 1];

	must(out);
	while (len) {
		size_t record, part;

		if (len < 5 || data[0] != 22) /* behind the ClientHello */
			break;
		record = data[3] << 8 | data[4];
		data += 5;
		len -= 5;
		if (record > len)
			record = len;
		for (left = record; left; left -= part) {
			part = left < most ? left : most;
			memcpy(out + n, "\x16\x03\x03", 3);
			out[n + 3] = part >> 8;
			out[n + 4] = part;
			memcpy(out + n + 5, data, part);
			n += 5 + part;
			data += part;
			len -= part;
		}
	}
	must(xf_first_sni(out, n, name) == XF_FIRST_YES);
	must(!strcmp(name, found->name));
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct found found = { .name = "" };

	for_prefixes(data, len, ask, &found);
	if (found.answers.answer == XF_FIRST_YES) {
		ask_again(data, len, 1, &found);
		ask_again(data, len, 1 + data[len - 1], &found);
	}
	return 0;
}
