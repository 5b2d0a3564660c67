/*
 * Starts programs of ours.
 */
#include "provisiond/ctl/setup/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/wire.h"

#define PATIENCE_MS 10000
#define STEP_MS 10

static int set_up_descriptors(posix_spawn_file_actions_t *actions, int socket, int said)
{
	int error = posix_spawn_file_actions_adddup2(actions, socket, STDIN_FILENO);

	if (error == 0)
		error = posix_spawn_file_actions_adddup2(actions, socket, STDOUT_FILENO);
	return error == 0 ? posix_spawn_file_actions_adddup2(actions, said, STDERR_FILENO) : error;
}

/* No signal is blocked or ignored, and Ctrl-C at the terminal is for us alone. */
static int set_up_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int error;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	error = posix_spawnattr_setsigmask(attributes, &none);
	if (error == 0)
		error = posix_spawnattr_setsigdefault(attributes, &all);
	if (error == 0)
		error = posix_spawnattr_setpgroup(attributes, 0);
	return error == 0 ? posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
									 POSIX_SPAWN_SETPGROUP)
			  : error;
}

static int spawn(const char *const argv[], int socket, int said, pid_t *ret_pid)
{
	static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0)
		return error;
	error = posix_spawnattr_init(&attributes);
	if (error == 0) {
		error = set_up_descriptors(&actions, socket, said);
		if (error == 0)
			error = set_up_attributes(&attributes);
		/* posix_spawn() writes to neither, and has no const for it. */
		if (error == 0)
			error = posix_spawn(ret_pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv,
					    (char *const *)(uintptr_t)environment);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

int child_start(const char *const argv[], struct child *ret_child)
{
	_cleanup_fd_ int ours = -1;
	_cleanup_fd_ int its = -1;
	_cleanup_fd_ int said = memfd_create("said", MFD_CLOEXEC);
	int sockets[2], error;
	pid_t pid = -1;

	if (said < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
		return errno;
	ours = sockets[0];
	its = sockets[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) != 0)
		return errno;
	error = spawn(argv, its, said, &pid);
	if (error != 0)
		return error;
	*ret_child = (struct child){ .pid = pid, .socket = take_fd(&ours), .said = take_fd(&said) };
	return 0;
}

/* Its wait status; when the time is up, it is killed. */
static int wait_for_end(pid_t pid)
{
	int64_t deadline_ms = wire_now_ms() + PATIENCE_MS;
	int status = 0;

	for (;;) {
		pid_t ended = waitpid(pid, &status, WNOHANG);

		if (ended == pid)
			return status;
		if (ended < 0 && errno != EINTR)
			return 0;
		if (wire_now_ms() > deadline_ms)
			(void)kill(pid, SIGKILL);
		(void)poll(NULL, 0, STEP_MS);
	}
}

int child_end(struct child *child)
{
	int status;

	if (child->socket >= 0)
		(void)close(child->socket);
	child->socket = -1;
	if (child->pid < 0)
		return -1;
	status = wait_for_end(child->pid);
	child->pid = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void child_said(const struct child *child, char ret_text[static CHILD_SAID_MAX])
{
	off_t end = child->said >= 0 ? lseek(child->said, 0, SEEK_END) : 0;
	off_t from = end > CHILD_SAID_MAX - 1 ? end - (CHILD_SAID_MAX - 1) : 0;
	ssize_t n = child->said >= 0 ? pread(child->said, ret_text, CHILD_SAID_MAX - 1, from) : 0;

	if (n < 0)
		n = 0;
	while (n > 0 && strchr(" \t\n", ret_text[n - 1]))
		n--;
	ret_text[n] = '\0';
}

void child_release(struct child *child)
{
	(void)child_end(child);
	cleanup_fd(&child->said);
	*child = NO_CHILD;
}
