/*
 * System calls that fail, or kill the process, at the n-th call: this program's own definitions stand before libc's.
 * Only calls that change something count. Include it in one test program's file only.
 */
#ifndef TESTS_UNIT_FAILING_CALLS_H
#define TESTS_UNIT_FAILING_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "unsynced.h"

enum calls_mode {
	CALLS_WORK,
	CALLS_FAIL_ONCE,    /* the n-th */
	CALLS_FAIL_FOREVER, /* the n-th and all after it */
	CALLS_KILL,         /* the process dies before the n-th */
};

static struct {
	enum calls_mode mode;
	unsigned n; /* counted down to 0 */
	int error;
	unsigned made;
	bool no_exchange; /* renameat2 knows no flags */
	bool no_noreplace;
	void (*before_rename)(void); /* a race */
	unsigned opens;              /* without O_CREAT */
	unsigned fsyncs;
	unsigned fsyncs_before_rename; /* before the first one */
	bool renamed;
	double fsync_ms; /* spent in fsync */
} calls;

__attribute__((unused)) static void calls_arm(enum calls_mode mode, unsigned n, int error)
{
	calls.mode = mode;
	calls.n = n;
	calls.error = error;
	calls.made = 0;
}

static bool calls_fail(void)
{
	calls.made++;
	if (calls.mode == CALLS_WORK)
		return false;
	if (calls.n > 1) {
		calls.n--;
		return false;
	}
	if (calls.mode == CALLS_KILL)
		(void)kill(getpid(), SIGKILL);
	if (calls.mode == CALLS_FAIL_ONCE)
		calls.mode = CALLS_WORK;
	errno = calls.error;
	return true;
}

int openat(int directory, const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list arguments;

		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		va_end(arguments);
		if (calls_fail())
			return -1;
	}
	calls.opens += !(flags & O_CREAT);
	return (int)syscall(SYS_openat, directory, path, flags, mode);
}

int mkdirat(int directory, const char *path, mode_t mode)
{
	return calls_fail() ? -1 : (int)syscall(SYS_mkdirat, directory, path, mode);
}

int symlinkat(const char *target, int directory, const char *path)
{
	return calls_fail() ? -1 : (int)syscall(SYS_symlinkat, target, directory, path);
}

int fchown(int fd, uid_t uid, gid_t gid)
{
	return calls_fail() ? -1 : (int)syscall(SYS_fchown, fd, uid, gid);
}

int fchmod(int fd, mode_t mode)
{
	return calls_fail() ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	return calls_fail() ? -1 : (ssize_t)syscall(SYS_write, fd, bytes, length);
}

int fsync(int fd)
{
	struct timespec begin, end;
	int r;

	if (calls_fail())
		return -1;
	calls.fsyncs++;
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	r = (int)syscall(SYS_fsync, fd);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	calls.fsync_ms += (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
	return r;
}

int unlinkat(int directory, const char *path, int flags)
{
	return calls_fail() ? -1 : (int)syscall(SYS_unlinkat, directory, path, flags);
}

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
	return calls_fail() ? -1 : (int)syscall(SYS_linkat, from_directory, from, to_directory, to, flags);
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags)
{
	if (!calls.renamed)
		calls.fsyncs_before_rename = calls.fsyncs;
	calls.renamed = true;
	if (calls.before_rename)
		calls.before_rename();
	if (((flags & RENAME_EXCHANGE) && calls.no_exchange) || ((flags & RENAME_NOREPLACE) && calls.no_noreplace)) {
		errno = EINVAL;
		return -1;
	}
	return calls_fail() ? -1 : (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
	return calls_fail() ? -1 : (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, 0);
}

#endif
