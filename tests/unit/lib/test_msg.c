// SPDX-License-Identifier: GPL-2.0-only
/* Messages: their levels and prefixes, and that they do not wait for a full stderr when told not
 * to. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "lib/msg.h"
#include "lib/stream.h"
#include "tests/unit/capture.h"

#define ALWAYS                                                                                     \
	"xdpfun-load: error: e 1\n"                                                                \
	"xdpfun-load: warning: w 2\n"                                                              \
	"xdpfun-load: hint: h 3\n"                                                                 \
	"r 4\n"

static void check_level(enum xf_level level, const char *want)
{
	struct capture cap;

	xf_msg_level_set(level);
	assert_int_equal(xf_msg_level(), level);
	capture_begin(&cap);
	xf_err("e %d", 1);
	xf_warn("w %d", 2);
	xf_hint("h %d", 3);
	xf_result("r %d", 4);
	xf_info("i %d", 5);
	xf_debug("d %d", 6);
	assert_string_equal(capture_end(&cap), want);
}

static void test_levels(void **state)
{
	(void)state;
	assert_int_equal(xf_msg_level(), XF_NORMAL);
	check_level(XF_QUIET, ALWAYS);
	check_level(XF_NORMAL, ALWAYS "xdpfun-load: i 5\n");
	check_level(XF_VERBOSE, ALWAYS "xdpfun-load: i 5\nxdpfun-load: d 6\n");
}

/* The lengths are around and beyond the size of the buffer that keeps a message in one piece. */
static void test_long_messages(void **state)
{
	static const char prefix[] = "xdpfun-load: error: ";
	static char text[6000];

	(void)state;
	for (size_t len = 4050; len < sizeof(text); len += len < 4110 ? 1 : 1000) {
		struct capture cap;
		const char *got;

		memset(text, 'x', len);
		text[len] = '\0';
		capture_begin(&cap);
		xf_err("%s", text);
		got = capture_end(&cap);
		assert_int_equal(strlen(got), strlen(prefix) + len + 1);
		assert_memory_equal(got, prefix, strlen(prefix));
		assert_int_equal(strspn(got + strlen(prefix), "x"), len);
		assert_int_equal(got[strlen(got) - 1], '\n');
	}
}

/* ---- a full stderr ---- */

/* A pipe in place of stderr. */
struct plug {
	int saved, in, out;
};

static int set_up_plug(struct plug *plug, int out, int in)
{
	plug->saved = dup(STDERR_FILENO);
	plug->out = out;
	plug->in = in;
	alarm(60); /* end a test that hangs */
	return plug->saved < 0 || dup2(in, STDERR_FILENO) < 0 ||
	       fcntl(out, F_SETFL, O_NONBLOCK) < 0;
}

static struct plug the_plug;

static int set_up_pipe(void **state)
{
	int ends[2];

	*state = &the_plug;
	return pipe(ends) || set_up_plug(&the_plug, ends[0], ends[1]);
}

static int set_up_socket(void **state)
{
	int ends[2];

	*state = &the_plug;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) ||
	       set_up_plug(&the_plug, ends[0], ends[1]);
}

static int tear_down(void **state)
{
	struct plug *plug = *state;

	xf_msg_timeout(-1);
	dup2(plug->saved, STDERR_FILENO);
	close(plug->saved);
	close(plug->in);
	close(plug->out);
	alarm(0);
	return 0;
}

/* Write until @fd takes no more. */
static void fill(int fd)
{
	static const char zeros[PIPE_BUF];
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	for (size_t size = sizeof(zeros); size; size /= 2)
		while (write(fd, zeros, size) > 0)
			;
	assert_int_equal(errno, EAGAIN);
	fcntl(fd, F_SETFL, flags);
}

/* Empty the pipe. Returns its bytes without those of fill(). */
static const char *drain(int fd)
{
	static char text[64 * 1024];
	char piece[4096];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0)
		for (ssize_t i = 0; i < n && len < sizeof(text) - 1; i++)
			if (piece[i])
				text[len++] = piece[i];
	text[len] = '\0';
	return text;
}

static void test_dropped(void **state)
{
	const struct plug *plug = *state;

	fill(plug->in);
	xf_msg_timeout(0);
	xf_warn("one");
	xf_result("two");
	xf_info("three");
	assert_string_equal(drain(plug->out), "");
	xf_warn("four");
	xf_warn("five");
	assert_string_equal(drain(plug->out),
			    "xdpfun-load: warning: 3 messages were dropped: standard error took no "
			    "more\n"
			    "xdpfun-load: warning: four\n"
			    "xdpfun-load: warning: five\n");
	fill(plug->in);
	xf_err("six");
	drain(plug->out);
	xf_info("seven");
	assert_string_equal(drain(plug->out),
			    "xdpfun-load: warning: 1 message was dropped: standard error took no "
			    "more\n"
			    "xdpfun-load: seven\n");
	/* The shared open file description stays as it was. */
	assert_false(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK);
}

/* A message of any length comes in one piece, with its end of line. */
static void test_cut_off(void **state)
{
	const struct plug *plug = *state;
	static char text[2 * PIPE_BUF];
	const char *got;

	memset(text, 'x', sizeof(text) - 1);
	xf_msg_timeout(0);
	xf_err("%s", text);
	got = drain(plug->out);
	assert_int_equal(strlen(got), PIPE_BUF);
	assert_memory_equal(got, "xdpfun-load: error: x", 21);
	assert_string_equal(got + PIPE_BUF - 2, "x\n");
}

static void *drain_soon(void *arg)
{
	const struct plug *plug = arg;

	usleep(50000);
	drain(plug->out);
	return NULL;
}

static void test_patience(void **state)
{
	struct plug *plug = *state;
	pthread_t thread;

	fill(plug->in);
	xf_msg_timeout(10);
	xf_warn("one");
	xf_msg_timeout(30000);
	assert_int_equal(pthread_create(&thread, NULL, drain_soon, plug), 0);
	xf_warn("two");
	pthread_join(thread, NULL);
	xf_warn("three");
	assert_non_null(strstr(drain(plug->out), "xdpfun-load: warning: three\n"));
	xf_warn("four");
	assert_string_equal(drain(plug->out), "xdpfun-load: warning: four\n");
}

/* ---- several threads ---- */

#define WRITERS 4
#define LINES 2000

static void *write_lines(void *arg)
{
	(void)arg;
	for (int i = 0; i < LINES; i++)
		xf_result("a line of thirty-two characters.");
	return NULL;
}

/* Returns the number of lines in @text, and adds to *@dropped the numbers that they report as
 * dropped. */
static unsigned int count_lines(char *text, unsigned int *dropped)
{
	unsigned int lines = 0, n;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if (!strcmp(line, "a line of thirty-two characters."))
			lines++;
		else if (sscanf(line, "xdpfun-load: warning: %u message", &n) == 1)
			*dropped += n;
		else
			assert_string_equal(line, "");
	}
	return lines;
}

/* Each message is written or counted as dropped, and no line is in pieces. */
static void test_threads(void **state)
{
	static char text[WRITERS * LINES * 80];
	const struct plug *plug = *state;
	unsigned int lines, dropped = 0;
	pthread_t threads[WRITERS];
	size_t len = 0;

	fcntl(plug->in, F_SETPIPE_SZ, PIPE_BUF);
	xf_msg_timeout(0);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
	for (int i = 0; i < 200; i++) { /* the reader is too slow */
		ssize_t n = read(plug->out, text + len, sizeof(text) - 1 - len);

		len += n > 0 ? n : 0;
		usleep(100);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	len += snprintf(text + len, sizeof(text) - len, "%s", drain(plug->out));
	xf_msg_timeout(10000);
	xf_result("%s", ""); /* reports the last dropped ones */
	snprintf(text + len, sizeof(text) - len, "%s", drain(plug->out));
	lines = count_lines(text, &dropped);
	assert_int_equal(lines + dropped, WRITERS * LINES);
	assert_true(lines >= 1);
}

/* stderr cannot be opened anew, and its open file description is shared. */
static void test_shared(void **state)
{
	static const char line[2 * PIPE_BUF] = "x";
	const struct plug *plug = *state;

	fill(plug->in);
	errno = 0;
	assert_int_equal(xf_stream_write(plug->in, XF_STREAM_SHARED, line, 10), -1);
	assert_int_equal(errno, EAGAIN);
	drain(plug->out);
	assert_int_equal(xf_stream_write(plug->in, XF_STREAM_SHARED, line, 10), 10);
	assert_int_equal(xf_stream_write(plug->in, XF_STREAM_SHARED, line, sizeof(line)), PIPE_BUF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_long_messages),
		cmocka_unit_test_setup_teardown(test_dropped, set_up_pipe, tear_down),
		cmocka_unit_test_setup_teardown(test_dropped, set_up_socket, tear_down),
		cmocka_unit_test_setup_teardown(test_cut_off, set_up_pipe, tear_down),
		cmocka_unit_test_setup_teardown(test_patience, set_up_pipe, tear_down),
		cmocka_unit_test_setup_teardown(test_threads, set_up_pipe, tear_down),
		cmocka_unit_test_setup_teardown(test_shared, set_up_pipe, tear_down),
	};

	return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
