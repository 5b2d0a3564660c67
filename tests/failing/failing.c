/*
 * The calls that can be made to fail. See failing.h.
 */
#include "tests/failing/failing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <jansson.h>
#include <sqlite3.h>

#include "provisiond/sync_together.h"

static struct {
	unsigned kinds; /* 0: not armed */
	unsigned left;  /* until the one that fails; 0: none does */
	int error;
	enum failing_times times;
	bool failed;
	unsigned held;
	const char *call;
} state = { .call = "" };

void failing_arm(unsigned kinds, unsigned n, int error, enum failing_times times)
{
	state.left = n;
	state.error = error;
	state.times = times;
	state.failed = false;
	state.held = 0;
	state.call = "";
	state.kinds = kinds;
}

bool failing_disarm(void)
{
	state.kinds = 0;
	return state.failed;
}

void failing_hold(void)
{
	state.held++;
}

void failing_release(void)
{
	state.held--;
}

const char *failing_call(void)
{
	return state.call;
}

bool failing_fails(enum failing_kind kind, const char *call)
{
	if (!(state.kinds & kind) || state.held > 0 || state.left == 0)
		return false;
	if (state.left > 1) {
		state.left--;
		return false;
	}
	if (state.times == FAILING_ONCE)
		state.left = 0;
	state.failed = true;
	state.call = call;
	errno = kind & (FAILING_MEMORY | FAILING_LIBRARY) ? ENOMEM : state.error;
	return true;
}

/* Defines what stands before a function: TYPE NAME PARAMETERS, which returns BAD when it fails, of this kind. */
#define CALL(type, name, parameters, arguments, kind, bad)                         \
	type __real_##name parameters;                                             \
	type __wrap_##name parameters;                                             \
	type __wrap_##name parameters                                              \
	{                                                                          \
		return failing_fails(kind, #name) ? bad : __real_##name arguments; \
	}
#define MEMORY(type, name, parameters, arguments) CALL(type, name, parameters, arguments, FAILING_MEMORY, NULL)
#define READING(name, parameters, arguments) CALL(int, name, parameters, arguments, FAILING_READING, -1)
#define READING_BYTES(name, parameters, arguments) CALL(ssize_t, name, parameters, arguments, FAILING_READING, -1)
#define DISK(name, parameters, arguments) CALL(int, name, parameters, arguments, FAILING_DISK, -1)
#define DISK_BYTES(name, parameters, arguments) CALL(ssize_t, name, parameters, arguments, FAILING_DISK, -1)
#define MAKING(name, parameters, arguments) CALL(int, name, parameters, arguments, FAILING_MAKING, -1)
#define MAKING_BYTES(name, parameters, arguments) CALL(ssize_t, name, parameters, arguments, FAILING_MAKING, -1)

/* ---- memory ---- */

MEMORY(void *, malloc, (size_t size), (size))
MEMORY(void *, calloc, (size_t count, size_t size), (count, size))
MEMORY(void *, realloc, (void *old, size_t size), (old, size))
MEMORY(void *, reallocarray, (void *old, size_t count, size_t size), (old, count, size))
MEMORY(char *, strdup, (const char *text), (text))
MEMORY(char *, strndup, (const char *text, size_t size), (text, size))
MEMORY(FILE *, open_memstream, (char **text, size_t *size), (text, size))
MEMORY(DIR *, fdopendir, (int fd), (fd))

int __wrap_asprintf(char **ret_text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **ret_text, const char *format, ...)
{
	va_list arguments;
	int n;

	if (failing_fails(FAILING_MEMORY, "asprintf"))
		return -1;
	va_start(arguments, format);
	n = vasprintf(ret_text, format, arguments);
	va_end(arguments);
	return n;
}

int __wrap___asprintf_chk(char **ret_text, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));
int __wrap___asprintf_chk(char **ret_text, int flag, const char *format, ...)
{
	va_list arguments;
	int n;

	(void)flag;
	if (failing_fails(FAILING_MEMORY, "asprintf"))
		return -1;
	va_start(arguments, format);
	n = vasprintf(ret_text, format, arguments);
	va_end(arguments);
	return n;
}

/* ---- calls that change nothing ---- */

READING(fstat, (int fd, struct stat *st), (fd, st))
READING(stat, (const char *path, struct stat *st), (path, st))
READING(lstat, (const char *path, struct stat *st), (path, st))
READING(fstatat, (int at, const char *path, struct stat *st, int flags), (at, path, st, flags))
READING(statx, (int at, const char *path, int flags, unsigned mask, struct statx *st), (at, path, flags, mask, st))
READING(getsockopt, (int fd, int level, int name, void *value, socklen_t *size), (fd, level, name, value, size))
READING(getpeername, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
READING(poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
READING(__poll_chk, (struct pollfd * fds, nfds_t count, int timeout, size_t room), (fds, count, timeout, room))
READING(gethostname, (char *name, size_t size), (name, size))
READING_BYTES(read, (int fd, void *bytes, size_t size), (fd, bytes, size))
READING_BYTES(recv, (int fd, void *bytes, size_t size, int flags), (fd, bytes, size, flags))
READING_BYTES(recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
READING_BYTES(readlinkat, (int at, const char *path, char *target, size_t size), (at, path, target, size))
READING_BYTES(getrandom, (void *bytes, size_t size, unsigned flags), (bytes, size, flags))
READING_BYTES(flistxattr, (int fd, char *names, size_t size), (fd, names, size))
READING_BYTES(fgetxattr, (int fd, const char *name, void *value, size_t size), (fd, name, value, size))
CALL(DIR *, opendir, (const char *path), (path), FAILING_READING, NULL)
CALL(struct dirent *, readdir, (DIR * directory), (directory), FAILING_READING, NULL)

/* ---- calls that change something ---- */

DISK(mkdir, (const char *path, mode_t mode), (path, mode))
DISK(mkdirat, (int at, const char *path, mode_t mode), (at, path, mode))
DISK(unlink, (const char *path), (path))
DISK(unlinkat, (int at, const char *path, int flags), (at, path, flags))
DISK(linkat, (int from_at, const char *from, int at, const char *to, int flags), (from_at, from, at, to, flags))
DISK(symlinkat, (const char *target, int at, const char *path), (target, at, path))
DISK(renameat, (int from_at, const char *from, int at, const char *to), (from_at, from, at, to))
DISK(renameat2, (int from_at, const char *from, int at, const char *to, unsigned flags), (from_at, from, at, to, flags))
DISK(fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
DISK(fchownat, (int at, const char *path, uid_t uid, gid_t gid, int flags), (at, path, uid, gid, flags))
DISK(chown, (const char *path, uid_t uid, gid_t gid), (path, uid, gid))
DISK(fchmod, (int fd, mode_t mode), (fd, mode))
DISK(chmod, (const char *path, mode_t mode), (path, mode))
DISK(fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags), (fd, name, value, size, flags))
DISK(fsync, (int fd), (fd))

/* One after the other, so that each of them can fail. */
bool __wrap_sync_together(const int *fds, size_t count, int *ret_errors);
bool __wrap_sync_together(const int *fds, size_t count, int *ret_errors)
{
	(void)fds;
	(void)count;
	(void)ret_errors;
	return false;
}
MAKING(socket, (int domain, int type, int protocol), (domain, type, protocol))
MAKING(socketpair, (int domain, int type, int protocol, int pair[2]), (domain, type, protocol, pair))
MAKING(bind, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size))
MAKING(listen, (int fd, int backlog), (fd, backlog))
MAKING(connect, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size))
MAKING(accept4, (int fd, struct sockaddr *address, socklen_t *size, int flags), (fd, address, size, flags))
MAKING(epoll_create1, (int flags), (flags))
MAKING(epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event), (epoll, op, fd, event))
MAKING(signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
MAKING(sigprocmask, (int how, const sigset_t *set, sigset_t *old), (how, set, old))
MAKING(dup2, (int from, int to), (from, to))
MAKING(close_range, (unsigned first, unsigned last, int flags), (first, last, flags))
MAKING(setgroups, (size_t count, const gid_t *gids), (count, gids))
MAKING(setresgid, (gid_t real, gid_t effective, gid_t saved), (real, effective, saved))
MAKING(setresuid, (uid_t real, uid_t effective, uid_t saved), (real, effective, saved))
DISK_BYTES(write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
MAKING_BYTES(send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags))
MAKING_BYTES(sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
MAKING_BYTES(sendto,
	     (int fd, const void *bytes, size_t size, int flags, const struct sockaddr *address, socklen_t length),
	     (fd, bytes, size, flags, address, length))
CALL(void *, mmap, (void *at, size_t size, int protection, int flags, int fd, off_t offset),
     (at, size, protection, flags, fd, offset), FAILING_MAKING, MAP_FAILED)

pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __wrap_fork(void)
{
	pid_t child = failing_fails(FAILING_MAKING, "fork") ? -1 : __real_fork();

	if (child == 0 && !(state.kinds & FAILING_IN_CHILDREN))
		state.kinds = 0;
	return child;
}

/* What fails to close is closed all the same (close(2)). */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	int result = __real_close(fd);

	return result == 0 && failing_fails(FAILING_DISK, "close") ? -1 : result;
}

static mode_t mode_of(int flags, va_list arguments)
{
	return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

static bool open_fails(int flags, const char *call)
{
	return failing_fails(flags & O_CREAT ? FAILING_DISK : FAILING_READING, call);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	if (open_fails(flags, "open"))
		return -1;
	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return __real_open(path, flags, mode);
}

int __real_openat(int at, const char *path, int flags, ...);
int __wrap_openat(int at, const char *path, int flags, ...);
int __wrap_openat(int at, const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	if (open_fails(flags, "openat"))
		return -1;
	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return __real_openat(at, path, flags, mode);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	if (failing_fails(FAILING_MAKING, "fcntl"))
		return -1;
	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return __real_fcntl(fd, command, argument);
}

/* ---- the doors of libraries ---- */

static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int size)
{
	return failing_fails(FAILING_LIBRARY, "SQLite's malloc") ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *old, int size)
{
	return failing_fails(FAILING_LIBRARY, "SQLite's realloc") ? NULL : sqlite_memory.xRealloc(old, size);
}

static void *jansson_malloc(size_t size)
{
	return failing_fails(FAILING_LIBRARY, "jansson's malloc") ? NULL : __real_malloc(size);
}

/* SQLite's own system calls, each behind a function of the same shape. */
static sqlite3_syscall_ptr sqlite_calls[8];

#define SQLITE_CALL(at, type, name, parameters, arguments)              \
	static type sqlite_##name parameters                            \
	{                                                               \
		typedef type shape parameters;                          \
		if (failing_fails(FAILING_DATABASE, "SQLite's " #name)) \
			return -1;                                      \
		return ((shape *)sqlite_calls[at])arguments;            \
	}
SQLITE_CALL(0, int, open, (const char *path, int flags, int mode), (path, flags, mode))
SQLITE_CALL(1, int, fstat, (int fd, struct stat *st), (fd, st))
SQLITE_CALL(2, int, ftruncate, (int fd, off_t size), (fd, size))
SQLITE_CALL(3, ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size))
SQLITE_CALL(4, ssize_t, pread, (int fd, void *bytes, size_t size, off_t at), (fd, bytes, size, at))
SQLITE_CALL(5, ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
SQLITE_CALL(6, ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at))
SQLITE_CALL(7, int, unlink, (const char *path), (path))

/* libsqlite3 finds this one before libc's. */
int fdatasync(int fd)
{
	return failing_fails(FAILING_DATABASE, "SQLite's fdatasync") ? -1 : __real_fsync(fd);
}

static void open_sqlite_call(const char *name, sqlite3_syscall_ptr own, size_t at)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	sqlite3_syscall_ptr there = vfs->xGetSystemCall(vfs, name);

	if (!there)
		return;
	sqlite_calls[at] = there;
	(void)vfs->xSetSystemCall(vfs, name, own);
}

void failing_open_doors(void)
{
	static const struct {
		const char *name;
		sqlite3_syscall_ptr own;
		size_t at;
	} calls[] = {
		{ "open", (sqlite3_syscall_ptr)sqlite_open, 0 },
		{ "fstat", (sqlite3_syscall_ptr)sqlite_fstat, 1 },
		{ "ftruncate", (sqlite3_syscall_ptr)sqlite_ftruncate, 2 },
		{ "read", (sqlite3_syscall_ptr)sqlite_read, 3 },
		{ "pread", (sqlite3_syscall_ptr)sqlite_pread, 4 },
		{ "pread64", (sqlite3_syscall_ptr)sqlite_pread, 4 },
		{ "write", (sqlite3_syscall_ptr)sqlite_write, 5 },
		{ "pwrite", (sqlite3_syscall_ptr)sqlite_pwrite, 6 },
		{ "pwrite64", (sqlite3_syscall_ptr)sqlite_pwrite, 6 },
		{ "unlink", (sqlite3_syscall_ptr)sqlite_unlink, 7 },
	};
	sqlite3_mem_methods own;

	(void)sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory);
	own = sqlite_memory;
	own.xMalloc = sqlite_malloc;
	own.xRealloc = sqlite_realloc;
	(void)sqlite3_config(SQLITE_CONFIG_MALLOC, &own);
	(void)sqlite3_initialize();
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		open_sqlite_call(calls[i].name, calls[i].own, calls[i].at);
	json_set_alloc_funcs(jansson_malloc, free);
}
