// SPDX-License-Identifier: GPL-2.0-only
/* Connections are refused when no descriptor is left, while other threads take each one that gets
 * free. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sockmap/relay/fds.h"

#define THREADS 3
#define ROUNDS 5000
#define LIMIT 64

static atomic_bool over;
static atomic_uint made;

/* The table is full, so that a dup() succeeds only with a descriptor that was given up. */
static void *take(void *arg)
{
	int pipe[2], fd;

	(void)arg;
	while (!over) {
		fd = xf_fds__socket(AF_INET, 0);
		if (fd >= 0) {
			made++;
			close(fd);
		}
		if (!xf_fds__pipe(pipe)) {
			made++;
			close(pipe[0]);
			close(pipe[1]);
		}
		fd = xf_fds__spare();
		if (fd >= 0) {
			made++;
			close(fd);
		}
	}
	return NULL;
}

static int listener(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = xf_fds__socket(AF_INET, IPPROTO_TCP);

	*addr = (struct sockaddr_in) { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)addr, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	return fd;
}

/* A small table of descriptors without a free place. */
static struct {
	struct rlimit was;
	unsigned int n;
	int fd[LIMIT];
} full;

static void fill(void)
{
	struct rlimit few;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &full.was), 0);
	few = (struct rlimit) { LIMIT, full.was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int fd; (fd = dup(STDIN_FILENO)) >= 0;)
		full.fd[full.n++] = fd;
	assert_int_equal(errno, EMFILE);
}

static void empty(void)
{
	while (full.n)
		close(full.fd[--full.n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &full.was), 0);
}

/* Another thread would soon get a spare descriptor that is given up without the lock. */
static void test_spare_stays(void **state)
{
	struct sockaddr_in addr;
	pthread_t threads[THREADS];
	int listen_fd = listener(&addr), spare = xf_fds__spare();

	(void)state;
	assert_true(spare >= 0);
	fill();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(xf_fds__refuse(listen_fd, &spare), -EAGAIN);
		assert_true(spare >= 0);
	}
	over = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(made, 0);
	empty();
	close(spare);
	close(listen_fd);
}

/* A refused client gets an end at once, and the next one is accepted as soon as there is a
 * descriptor. */
static void test_refused(void **state)
{
	struct sockaddr_in addr;
	int listen_fd = listener(&addr), spare = xf_fds__spare();
	int client[2] = { socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_STREAM, 0) };
	char byte;
	int fd;

	(void)state;
	fill();
	for (int i = 0; i < 2; i++)
		assert_int_equal(connect(client[i], (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(xf_fds__accept(listen_fd, NULL, NULL), -EMFILE);
	assert_int_equal(xf_fds__refuse(listen_fd, &spare), 0);
	assert_int_equal(read(client[0], &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	close(full.fd[--full.n]);
	fd = xf_fds__accept(listen_fd, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(xf_fds__refuse(listen_fd, &spare), -EAGAIN);
	assert_true(spare >= 0);
	empty();
	close(fd);
	close(spare);
	close(listen_fd);
	close(client[0]);
	close(client[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spare_stays),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
