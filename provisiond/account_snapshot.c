/*
 * Reads an account file and judges what was opened, never its path.
 */
#include "provisiond/account_snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define FILE_SIZE_MAX ((off_t)64 * 1024 * 1024)
#define READ_ATTEMPTS 5

/* What reading works on, and where it complains. */
struct reading {
	const struct account_snapshot_source *source;
	char *fault;
	size_t fault_size;
};

void account_snapshot_release(struct account_snapshot *snapshot)
{
	cleanup_fd(&snapshot->fd);
	account_rows_wipe(&snapshot->rows);
	*snapshot = ACCOUNT_SNAPSHOT_NONE;
}

struct account_snapshot account_snapshot_take(struct account_snapshot *snapshot)
{
	struct account_snapshot taken = *snapshot;

	*snapshot = ACCOUNT_SNAPSHOT_NONE;
	return taken;
}

__attribute__((format(printf, 3, 4))) static int fail(const struct reading *reading, int error, const char *format, ...)
{
	char what[160];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	(void)snprintf(reading->fault, reading->fault_size, "%s: %s", reading->source->path, what);
	return -error;
}

static int fail_errno(const struct reading *reading, const char *what, int error)
{
	return fail(reading, error, "%s: %s", what, strerror(error));
}

/* 0, or -EPERM for a file that others than `owner` could have made or changed. */
static int judge(const struct reading *reading, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return fail(reading, EPERM, "is not a regular file");
	if (st->st_uid != reading->source->owner)
		return fail(reading, EPERM, "must belong to uid %u (chown)", reading->source->owner);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return fail(reading, EPERM, "must not be writable by group or others (chmod go-w)");
	if (st->st_size > FILE_SIZE_MAX)
		return fail(reading, EFBIG, "is too large to be right");
	return 0;
}

static int open_judged(const struct reading *reading, int *ret_fd, struct stat *ret_st)
{
	_cleanup_fd_ int fd = openat(reading->source->directory, reading->source->name,
				     O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0 && errno == ELOOP)
		return fail(reading, EPERM, "is a symbolic link; put the file itself there");
	if (fd < 0)
		return fail_errno(reading, "cannot be opened", errno);
	if (fstat(fd, ret_st) != 0)
		return fail_errno(reading, "cannot be examined", errno);
	r = judge(reading, ret_st);
	if (r == 0)
		*ret_fd = take_fd(&fd);
	return r;
}

/* Reads to the end. A file that is longer than it was when it was examined is a changed one: -EAGAIN. */
static int read_whole(int fd, char *buffer, size_t size)
{
	size_t length = 0;

	while (length <= size) {
		ssize_t n = read(fd, buffer + length, size + 1 - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return length == size ? 0 : -EAGAIN;
}

bool account_snapshot_same_state(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino && one->st_size == other->st_size &&
	       one->st_mode == other->st_mode && one->st_uid == other->st_uid && one->st_gid == other->st_gid &&
	       one->st_mtim.tv_sec == other->st_mtim.tv_sec && one->st_mtim.tv_nsec == other->st_mtim.tv_nsec &&
	       one->st_ctim.tv_sec == other->st_ctim.tv_sec && one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

/* One attempt to read a file that holds still. */
static int read_once(const struct reading *reading, struct account_snapshot *ret_snapshot)
{
	_cleanup_(account_snapshot_release) struct account_snapshot snapshot = ACCOUNT_SNAPSHOT_NONE;
	_cleanup_free_ char *text = NULL;
	struct stat after;
	size_t size;
	int r = open_judged(reading, &snapshot.fd, &snapshot.seen);

	if (r < 0)
		return r;
	size = (size_t)snapshot.seen.st_size;
	text = malloc(size + 2);
	if (!text)
		return fail_errno(reading, "cannot be read", ENOMEM);
	r = read_whole(snapshot.fd, text, size);
	if (r == 0 && (fstat(snapshot.fd, &after) != 0 || !account_snapshot_same_state(&snapshot.seen, &after)))
		r = -EAGAIN;
	if (r < 0) {
		explicit_bzero(text, size + 1);
		return fail_errno(reading, r == -EAGAIN ? "is being changed" : "cannot be read", -r);
	}
	text[size] = '\0';
	r = account_rows_parse(take_pointer(text), size, reading->source->columns, &snapshot.rows);
	if (r < 0)
		return fail_errno(reading, "cannot be read", -r);
	*ret_snapshot = account_snapshot_take(&snapshot);
	return 0;
}

int account_snapshot_read(const struct account_snapshot_source *source, struct account_snapshot *ret_snapshot,
			  char *fault, size_t fault_size)
{
	struct reading reading = { .source = source, .fault = fault, .fault_size = fault_size };
	int r = -EAGAIN;

	for (unsigned i = 0; i < READ_ATTEMPTS && r == -EAGAIN; i++)
		r = read_once(&reading, ret_snapshot);
	if (r == 0)
		fault[0] = '\0';
	return r;
}

int account_snapshot_replaceable(const struct account_snapshot *snapshot, const char *path, char *fault,
				 size_t fault_size)
{
	const struct account_snapshot_source source = { .path = path };
	const struct reading reading = { .source = &source, .fault = fault, .fault_size = fault_size };
	struct statx stx;

	if (statx(snapshot->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) != 0)
		return fail_errno(&reading, "cannot be examined", errno);
	if (stx.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
		return fail(&reading, EPERM, "is immutable or append-only (chattr -i -a)");
	if (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return fail(&reading, EPERM,
			    "is mounted by itself and cannot be replaced; mount its directory instead");
	return 0;
}
