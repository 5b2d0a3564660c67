/*
 * Finds the processes of a uid and signals them. See processes.h.
 */
#include "provisiond/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/admission.h"
#include "provisiond/passwd.h"

#define STATUS_MAX 4096 /* what matters stands in its first lines */
#define UID_KINDS 4     /* real, effective, saved, of the file system */

static void cleanup_directory(DIR *const *directory)
{
	if (*directory)
		(void)closedir(*directory);
}

/* A process that is held; by its number alone (fd -1) where the kernel, or what stands in for it, cannot hold any. */
struct held {
	pid_t pid;
	int fd;
};

static void release(const struct held *held)
{
	cleanup_fd(&held->fd);
}

/* The C library has these from 2.36 on. */
static int hold(pid_t pid, struct held *ret_held)
{
	*ret_held = (struct held){ .pid = pid, .fd = (int)syscall(SYS_pidfd_open, pid, 0) };
	return ret_held->fd >= 0 || errno == ENOSYS ? 0 : -errno;
}

static int signal_held(const struct held *held, int signal_number)
{
	if (held->fd < 0)
		return kill(held->pid, signal_number);
	return (int)syscall(SYS_pidfd_send_signal, held->fd, signal_number, NULL, 0);
}

/* Whether the name is a process' number. */
static bool read_pid(const char *name, pid_t *ret_pid)
{
	char *end;
	long pid;

	if (name[0] < '1' || name[0] > '9')
		return false;
	errno = 0;
	pid = strtol(name, &end, 10);
	if (errno != 0 || *end != '\0' || pid > INT_MAX)
		return false;
	*ret_pid = (pid_t)pid;
	return true;
}

/* The text of /proc/PID/status. 0 when the process is gone. */
static size_t read_status(int proc, const char *name, char *buffer, size_t size)
{
	char path[32];
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/status", name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	n = fd < 0 ? 0 : read(fd, buffer, size - 1);
	buffer[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* What follows "\nKEY:" in the status. A process' own name cannot be taken for it: line feeds in it are escaped there.
 */
static const char *status_value(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? at + strlen(key) : NULL;
}

static bool has_ended(const char *status)
{
	const char *state = status_value(status, "\nState:");

	if (!state)
		return false;
	state += strspn(state, " \t");
	return *state == 'Z' || *state == 'X';
}

static bool is_among(unsigned long uid, uid_t wanted, uint32_t first_subid)
{
	return uid == wanted || (first_subid != 0 && uid >= first_subid && uid - first_subid < SUBID_COUNT);
}

static bool runs_as(const char *status, uid_t uid, uint32_t first_subid)
{
	const char *at = status_value(status, "\nUid:");

	for (int i = 0; at && i < UID_KINDS; i++) {
		char *end;
		unsigned long number = strtoul(at, &end, 10);

		if (end == at)
			return false;
		if (is_among(number, uid, first_subid))
			return true;
		at = end;
	}
	return false;
}

/* 1 when it was one of them and alive, 0 when not, or -errno. */
static int signal_one(int proc, const char *name, pid_t pid, uid_t uid, uint32_t first_subid, int signal_number)
{
	_cleanup_(release) struct held held = { .pid = pid, .fd = -1 };
	char status[STATUS_MAX];
	int r = hold(pid, &held);

	if (r < 0)
		return r == -ESRCH ? 0 : r;
	if (read_status(proc, name, status, sizeof(status)) == 0 || !runs_as(status, uid, first_subid) ||
	    has_ended(status))
		return 0;
	if (signal_held(&held, signal_number) == 0)
		return 1;
	return errno == ESRCH ? 0 : -errno;
}

int processes_signal(const char *proc, uid_t uid, uint32_t first_subid, int signal_number, size_t *ret_count)
{
	_cleanup_(cleanup_directory) DIR *directory = NULL;
	const struct dirent *entry;
	size_t count = 0;
	int result = 0;

	if (uid < FIRST_PERSONS_UID || uid == (uid_t)-1 || (first_subid != 0 && first_subid < FIRST_PERSONS_UID))
		return -EINVAL;
	directory = opendir(proc);
	if (!directory)
		return -errno;
	for (errno = 0; (entry = readdir(directory)) != NULL; errno = 0) {
		pid_t pid;
		int r;

		if (!read_pid(entry->d_name, &pid) || pid == getpid())
			continue;
		r = signal_one(dirfd(directory), entry->d_name, pid, uid, first_subid, signal_number);
		count += r != 0;
		result = r < 0 ? r : result;
	}
	if (errno != 0)
		result = -errno;
	*ret_count = count;
	return result;
}
