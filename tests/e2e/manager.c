// SPDX-License-Identifier: GPL-2.0-only
/* manager ADDR PORT NOTIFY COMMAND...: a service manager that restarts without a gap.
 *
 * It listens at ADDR:PORT, runs the command with that socket (LISTEN_FDS) and prints the states
 * that its services report to the socket NOTIFY, as "N STATE". At SIGUSR1 it runs the command once
 * more, and ends the service before that one with SIGTERM when the new one is ready. SIGHUP goes to
 * the newest service. At SIGTERM it ends all; its exit status is 1 when a service ended with
 * another status than 0. */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVICES 64

static pid_t services[SERVICES];
static int n, running, failed;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static int listen_at(const char *host, const char *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	inet_pton(AF_INET, host, &in.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 4096))
		die("listen");
	return fd;
}

static int notified_at(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	un.sun_path[0] = '\0';
	strncpy(un.sun_path + 1, path + 1, sizeof(un.sun_path) - 2);
	if (path[0] != '@' || fd < 0 ||
	    bind(fd, (struct sockaddr *)&un, sizeof(sa_family_t) + strlen(path)))
		die("notify");
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	return fd;
}

static void start(int fd, char **command, const sigset_t *mask)
{
	char pid[16];

	if (n == SERVICES)
		die("too many services");
	services[n] = fork();
	if (services[n] < 0)
		die("fork");
	if (services[n]) {
		n++;
		running++;
		return;
	}
	sigprocmask(SIG_UNBLOCK, mask, NULL);
	if (fd != 3)
		dup2(fd, 3);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	execvp(command[0], command);
	_exit(2);
}

/* Print what a service says, one line for each. */
static void hear(int fd)
{
	union {
		struct cmsghdr aligned;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char text[512];
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(fd, &msg, 0);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	struct ucred cred;
	int i = 0;

	if (len < 0 || !cmsg)
		return;
	text[len] = '\0';
	memcpy(&cred, CMSG_DATA(cmsg), sizeof(cred));
	while (i < n && services[i] != cred.pid)
		i++;
	printf("%d %.*s\n", i + 1, (int)strcspn(text, "\n"), text);
	fflush(stdout);
	if (!strncmp(text, "READY=1", 7) && i > 0 && services[i - 1])
		kill(services[i - 1], SIGTERM);
}

static void reap(void)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < n; i++) {
			if (services[i] != pid)
				continue;
			services[i] = 0;
			printf("%d ended %d\n", i + 1, status);
		}
		failed |= status;
		running--;
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct signalfd_siginfo info;
	struct pollfd fds[2];
	bool ending = false;
	sigset_t mask;
	int fd;

	if (argc < 5)
		return 2;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fd = listen_at(argv[1], argv[2]);
	fds[0] = (struct pollfd) { notified_at(argv[3]), POLLIN, 0 };
	fds[1] = (struct pollfd) { signalfd(-1, &mask, SFD_CLOEXEC), POLLIN, 0 };
	setenv("NOTIFY_SOCKET", argv[3], 1);
	start(fd, argv + 4, &mask);
	while (running && poll(fds, 2, -1) > 0) {
		if (fds[0].revents)
			hear(fds[0].fd);
		if (!fds[1].revents || read(fds[1].fd, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo == SIGCHLD)
			reap();
		else if (info.ssi_signo == SIGUSR1)
			start(fd, argv + 4, &mask);
		else if (info.ssi_signo == SIGHUP)
			kill(services[n - 1], SIGHUP);
		else
			ending = true;
		for (int i = 0; ending && i < n; i++)
			if (services[i] && info.ssi_signo == SIGTERM)
				kill(services[i], SIGTERM);
	}
	return failed ? 1 : 0;
}
