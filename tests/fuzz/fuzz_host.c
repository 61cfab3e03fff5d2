// SPDX-License-Identifier: GPL-2.0-only
/* The host of an HTTP request. */
#include <arpa/inet.h>

#include "tests/fuzz/fuzz.h"

struct found {
	struct answers answers;
	char name[XF_NAME_MAX + 1];
};

static void ask(const uint8_t *data, size_t len, void *arg)
{
	struct found *found = arg;
	bool again = found->answers.known;
	char name[XF_NAME_MAX + 1];
	struct in6_addr addr;
	enum xf_first ended;

	/* At the end of the stream the answer is the same, or there is one. */
	ended = xf_first_host(data, len, true, name);
	must(ended != XF_FIRST_MORE);
	note_answer(&found->answers, xf_first_host(data, len, false, name));
	must(found->answers.answer == ended || found->answers.answer == XF_FIRST_MORE);
	if (found->answers.answer != XF_FIRST_YES) {
		must(!name[0]);
		return;
	}
	if (!memchr(name, ':', strnlen(name, sizeof(name))))
		must_be_name(name);
	else
		must(inet_pton(AF_INET6, name, &addr) == 1);
	must(!again || !strcmp(name, found->name));
	strcpy(found->name, name);
	/* The answer comes behind the end of the header. */
	must(memmem(data, len, "\n\r\n", 3) || memmem(data, len, "\n\n", 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct found found = { .name = "" };

	for_prefixes(data, len, ask, &found);
	return 0;
}
