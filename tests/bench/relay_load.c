// SPDX-License-Identifier: GPL-2.0-only
/* Client and server around a relay, each a process, each in its network namespace:
 *
 *	relay_load [-C NAMESPACE] [-S NAMESPACE] -s SERVER:PORT -t TARGET:PORT [-p RELAY-PID]
 *		[-w MS] [-m MS] trips SIZE CONNECTIONS | beside SIZE CONNECTIONS |
 *		bulk CONNECTIONS | connects | idle CONNECTIONS
 *
 * Prints one line: "p50 US p99 US lost BYTES", "gbit N cpu SECONDS-PER-GB lost BYTES", "rate N lost
 * BYTES", or "connections N percent CPU machine CPU user BYTES kernel BYTES lost BYTES". The target
 * is a relay to the server, or the server itself. What is lost is what was sent and did not come,
 *or came wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/load.h"

#define NS_PER_MS 1000000ULL
#define READY_MS 5000

static const struct mode {
	const char *name;
	void (*run)(const struct load *load);
	bool has_size, has_connections, beside;
} modes[] = {
	{ "trips", load_round_trips, .has_size = true, .has_connections = true },
	{ "beside", load_round_trips, .has_size = true, .has_connections = true, .beside = true },
	{ "bulk", load_bulk, .has_connections = true },
	{ .name = "connects", .run = load_connects },
	{ "idle", load_idle, .has_connections = true },
	{ .name = NULL },
};

struct args {
	struct load load;
	const char *client_ns, *server_ns;
	struct sockaddr_in server;
	const struct mode *mode;
};

static void usage_error(void)
{
	bench_fail("usage: relay_load [-C NS] [-S NS] -s ADDR:PORT -t ADDR:PORT [-p PID] [-w MS] "
		   "[-m MS] MODE [SIZE] [CONNECTIONS]; the modes are at the top of its source");
}

static struct sockaddr_in address(char *text)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char *colon = strchr(text, ':');

	if (!colon)
		usage_error();
	*colon = '\0';
	addr.sin_port = htons(bench_number(colon + 1));
	if (inet_pton(AF_INET, text, &addr.sin_addr) != 1)
		usage_error();
	return addr;
}

static const char *next_arg(char **argv, int *at)
{
	if (!argv[*at])
		usage_error();
	return argv[(*at)++];
}

static void parse_mode(struct args *args, char **argv)
{
	const struct mode *mode = modes;
	int at = 0;
	const char *name = next_arg(argv, &at);

	while (mode->name && strcmp(mode->name, name))
		mode++;
	if (!mode->name)
		usage_error();
	args->mode = mode;
	args->load.beside = mode->beside;
	if (mode->has_size)
		args->load.size = bench_number(next_arg(argv, &at));
	if (mode->has_connections)
		args->load.connections = bench_number(next_arg(argv, &at));
	if (argv[at] || (mode->has_connections && !args->load.connections) ||
	    (mode->has_size && (args->load.size < LOAD_SIZE_MIN || args->load.size > LOAD_BUFFER)))
		usage_error();
}

static void parse(struct args *args, int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "+C:S:s:t:p:w:m:")) >= 0) {
		switch (letter) {
		case 'C':
			args->client_ns = optarg;
			break;
		case 'S':
			args->server_ns = optarg;
			break;
		case 's':
			args->server = address(optarg);
			break;
		case 't':
			args->load.target = address(optarg);
			break;
		case 'p':
			args->load.relay = bench_number(optarg);
			break;
		case 'w':
			args->load.warm = bench_number(optarg) * NS_PER_MS;
			break;
		case 'm':
			args->load.time = bench_number(optarg) * NS_PER_MS;
			break;
		default:
			usage_error();
		}
	}
	if (!args->server.sin_port || !args->load.target.sin_port)
		usage_error();
	parse_mode(args, argv + optind);
}

static void enter(const char *namespace)
{
	char path[256];
	int fd;

	if (!namespace)
		return;
	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	bench_check(fd < 0 || setns(fd, CLONE_NEWNET) ? -errno : 0, path);
	close(fd);
}

static pid_t start_server(const struct args *args)
{
	pid_t parent = getpid(), pid = fork();

	bench_check(pid < 0 ? -errno : 0, "start the server");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	enter(args->server_ns);
	load_serve(&args->server, args->load.shared);
}

static void wait_ready(const struct args *args, pid_t server)
{
	for (int ms = 0; !atomic_load(&args->load.shared->ready); ms++) {
		if (ms >= READY_MS || waitpid(server, NULL, WNOHANG))
			bench_fail("the server did not start");
		usleep(1000);
	}
}

static void allow_files(void)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv)
{
	struct args args = {
		.load = { .connections = 1, .warm = 200 * NS_PER_MS, .time = 400 * NS_PER_MS }
	};
	pid_t server;

	parse(&args, argc, argv);
	allow_files();
	args.load.shared = mmap(NULL, sizeof(*args.load.shared), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bench_check(args.load.shared == MAP_FAILED ? -errno : 0, "share memory with the server");
	server = start_server(&args);
	wait_ready(&args, server);
	enter(args.client_ns);
	args.mode->run(&args.load);
	fflush(stdout);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return 0;
}
