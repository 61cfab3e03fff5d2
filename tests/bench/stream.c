// SPDX-License-Identifier: GPL-2.0-only
/* One run of traffic into a reader: stream [options] -- COMMAND... starts the reader on one CPU,
 * sends from another, waits until the reader has nothing more to do, stops it with SIGINT, and
 * prints
 *
 *     sent N delivered N seconds S cpu_ns N status N
 *
 * cpu_ns is what the reader used, user and system, from the moment when it was ready until it had
 * read everything. Delivering a packet up to the buffer is work of the sending CPU and not in it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/source.h"

#define NS_PER_MS 1000000ULL
#define READY_MS 10000 /* at most for the reader to start */
#define SETTLE_MS 300  /* from its message to the first packet */
#define REST_MS 30000  /* at most for it to read the rest */
#define REST_STEP_MS 100
#define RECYCLE_MS 20
#define RECYCLE_MIN (1 << 20) /* bytes */
/* Less CPU time than this in a step is rest. */
#define REST_BUSY_NS (REST_STEP_MS * NS_PER_MS / 50)

struct stream {
	const char *to, *at; /* interfaces: where packets are sent, and where they arrive */
	uint64_t rate;	     /* packets a second; 0: as many as possible */
	uint64_t ms;
	uint64_t rest_ms;      /* so long without work, and the reader has read everything */
	const char *out, *log; /* files for the reader's stdout and stderr */
	const char *file;      /* what the reader writes */
	const char *ready;     /* what is in the log when it reads */
	bool pass; /* attach a program at the receiving end, because the reader has none */
	bool idle; /* send nothing */
	char **command;
	pid_t pid;
};

static void sleep_ms(uint64_t ms)
{
	usleep(ms * 1000);
}

static int source_cpu(void)
{
	return bench_cpu(1) < 0 ? bench_cpu(0) : bench_cpu(1);
}

static void redirect(const char *path, int fd)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	bench_check(file < 0 || dup2(file, fd) < 0 ? -errno : 0, path);
}

static void start_reader(struct stream *s)
{
	int cpu = bench_cpu(0);

	s->pid = fork();
	bench_check(s->pid < 0 ? -errno : 0, "start the reader");
	if (s->pid)
		return;
	bench_pin(cpu);
	/* The reader ends with this program. */
	prctl(PR_SET_PDEATHSIG, SIGINT);
	redirect(s->out, STDOUT_FILENO);
	redirect(s->log, STDERR_FILENO);
	execvp(s->command[0], s->command);
	bench_check(-errno, s->command[0]);
}

static void stop_reader(pid_t pid, int *status)
{
	kill(pid, SIGINT);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
}

static bool log_has(const struct stream *s)
{
	char text[4096];
	ssize_t len;
	int fd = open(s->log, O_RDONLY);

	if (fd < 0)
		return false;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return strstr(text, s->ready);
}

static void wait_ready(const struct stream *s)
{
	for (int ms = 0; !log_has(s); ms += 10) {
		if (ms >= READY_MS || waitpid(s->pid, NULL, WNOHANG)) {
			kill(s->pid, SIGKILL);
			bench_fail("the reader did not start; see its log");
		}
		sleep_ms(10);
	}
	sleep_ms(SETTLE_MS);
}

/* Of all its threads, in nanoseconds. */
static uint64_t cpu_ns(pid_t pid)
{
	unsigned long long ns, sum = 0;
	struct dirent *entry;
	char path[512];
	FILE *file;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, entry->d_name);
		file = *entry->d_name == '.' ? NULL : fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "%llu", &ns) == 1)
			sum += ns;
		fclose(file);
	}
	if (dir)
		closedir(dir);
	return sum;
}

/* Until the reader has rested for rest_ms. Returns its CPU time. */
static uint64_t wait_rest(const struct stream *s)
{
	uint64_t now, last = cpu_ns(s->pid);

	for (uint64_t ms = 0, rested = 0; ms < REST_MS && rested < s->rest_ms; ms += REST_STEP_MS) {
		sleep_ms(REST_STEP_MS);
		now = cpu_ns(s->pid);
		rested = now - last < REST_BUSY_NS ? rested + REST_STEP_MS : 0;
		last = now;
	}
	return last;
}

/* Give back the memory of what the reader has written, while it goes on writing. Otherwise each
 * byte takes a page that was not in use lately, which a virtual machine first has to get from its
 * host: that costs more than all else and says nothing about the reader. */
static void *recycle(void *arg)
{
	const struct stream *s = arg;
	int fd = open(s->file, O_WRONLY | O_CREAT, 0644);
	off_t done = 0;
	struct stat st;

	bench_check(fd < 0 ? -errno : 0, s->file);
	bench_pin(bench_cpu(2) < 0 ? bench_cpu(0) : bench_cpu(2));
	for (;; sleep_ms(RECYCLE_MS)) {
		if (fstat(fd, &st) || st.st_size - done < RECYCLE_MIN)
			continue;
		st.st_size -= st.st_size % RECYCLE_MIN;
		bench_check(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, done,
				      st.st_size - done)
				? -errno
				: 0,
			    "give memory back");
		done = st.st_size;
	}
	return NULL;
}

/* Packets that an interface of this namespace has received. */
static uint64_t received(const char *name)
{
	FILE *file = fopen("/proc/self/net/dev", "r");
	unsigned long long bytes, packets;
	char line[512], *at;

	while (file && fgets(line, sizeof(line), file)) {
		at = strchr(line, ':');
		if (!at)
			continue;
		*at = '\0';
		if (strcmp(line + strspn(line, " "), name))
			continue;
		if (sscanf(at + 1, "%llu %llu", &bytes, &packets) == 2) {
			fclose(file);
			return packets;
		}
	}
	bench_fail("no statistics of the receiving interface");
}

static void attach_pass(const struct stream *s, struct bpf_object *object)
{
	struct bpf_program *pass = bpf_object__find_program_by_name(object, "pass");

	/* A link: it goes when this process does. */
	bench_check(pass && bpf_program__attach_xdp(pass, if_nametoindex(s->at)) ? 0 : -errno,
		    "attach to the receiving end");
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* The kernel ends a test run at a signal. */
static void set_alarm(uint64_t ms)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { { 0, 10000 }, { ms / 1000, ms % 1000 * 1000 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static struct bench_source *map_source(const struct stream *s, struct bpf_object *object)
{
	struct bench_source *source;

	source = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bench_map_fd(object, "source"), 0);
	bench_check(source == MAP_FAILED ? -errno : 0, "map the source's map");
	source->ifindex = if_nametoindex(s->to);
	source->gap = s->rate ? (1000000000ULL << BENCH_GAP_SHIFT) / s->rate : 0;
	return source;
}

/* Send for as long as asked. Returns how many packets were sent. */
static uint64_t send_all(const struct stream *s, struct bpf_object *object)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bench_frame, .data_size_in = BENCH_FRAME,
		    .repeat = 1 << 30, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	struct bench_source *source = map_source(s, object);
	int err, prog_fd = bench_prog_fd(object, "send");

	source->start_ns = bench_now_ns();
	source->end_ns = source->start_ns + s->ms * NS_PER_MS;
	/* The program stops by itself when there is a rate; the alarm ends the call. */
	set_alarm(s->ms + 1);
	while (bench_now_ns() < source->end_ns) {
		err = bpf_prog_test_run_opts(prog_fd, &opts);
		bench_check(err == -EINTR ? 0 : err, "send live frames");
	}
	setitimer(ITIMER_REAL, &(struct itimerval) {}, NULL);
	return source->sent;
}

static void run(struct stream *s)
{
	struct bpf_object *object = bench_open("source.bpf.o");
	uint64_t sent = 0, before, cpu, start_ns;
	pthread_t recycler;
	int status = 0;
	double seconds;

	bench_check(bpf_object__load(object), "load source.bpf.o");
	if (s->pass)
		attach_pass(s, object);
	start_reader(s);
	wait_ready(s);
	if (s->file)
		bench_check(-pthread_create(&recycler, NULL, recycle, s), "start a thread");
	bench_pin(source_cpu());
	if (s->idle)
		wait_rest(s);
	before = received(s->at);
	cpu = cpu_ns(s->pid);
	if (!cpu) /* it has started, which takes some */
		bench_fail("the kernel does not say in schedstat what CPU time the reader used");
	start_ns = bench_now_ns();
	if (s->idle)
		sleep_ms(s->ms);
	else
		sent = send_all(s, object);
	seconds = (bench_now_ns() - start_ns) / 1e9;
	cpu = (s->idle ? cpu_ns(s->pid) : wait_rest(s)) - cpu;
	stop_reader(s->pid, &status);
	printf("sent %llu delivered %llu seconds %.3f cpu_ns %llu status %d\n",
	       (unsigned long long)sent, (unsigned long long)(received(s->at) - before), seconds,
	       (unsigned long long)cpu,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static const char usage[] = "usage: stream -t IFACE -a IFACE -m MS [-r RATE] [-w MS] [-o FILE] [-l "
			    "FILE] [-f FILE] [-y TEXT] [-p] "
			    "[-i] -- COMMAND...";

static void parse(struct stream *s, int argc, char **argv)
{
	const struct {
		char letter;
		const char **text;
		uint64_t *number;
		bool *flag;
	} options[] = {
		{ 't', &s->to, NULL, NULL },	  { 'a', &s->at, NULL, NULL },
		{ 'o', &s->out, NULL, NULL },	  { 'l', &s->log, NULL, NULL },
		{ 'f', &s->file, NULL, NULL },	  { 'y', &s->ready, NULL, NULL },
		{ 'r', NULL, &s->rate, NULL },	  { 'm', NULL, &s->ms, NULL },
		{ 'w', NULL, &s->rest_ms, NULL }, { 'p', NULL, NULL, &s->pass },
		{ 'i', NULL, NULL, &s->idle },	  { '\0', NULL, NULL, NULL },
	};
	int i, letter;

	while ((letter = getopt(argc, argv, "+t:a:r:m:w:o:l:f:y:pi")) >= 0) {
		for (i = 0; options[i].letter && options[i].letter != letter; i++)
			;
		if (!options[i].letter)
			bench_fail(usage);
		if (options[i].text)
			*options[i].text = optarg;
		else if (options[i].number)
			*options[i].number = bench_number(optarg);
		else
			*options[i].flag = true;
	}
	s->command = argv + optind;
	if (!s->to || !s->at || !s->ms || !*s->command)
		bench_fail(usage);
}

int main(int argc, char **argv)
{
	struct stream s = { .rest_ms = 1000, .out = "/dev/null", .log = "/dev/null", .ready = "" };

	parse(&s, argc, argv);
	run(&s);
	return 0;
}
