/*
 * The four account files: their lock, their reading and judging, and the one way to change them. Which rows change is
 * worked out in account_changes.c, how several files are replaced together in replacement.c.
 */
#include "provisiond/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "provisiond/account_changes.h"
#include "provisiond/account_rows.h"
#include "provisiond/replacement.h"

#define FILE_SIZE_MAX ((off_t)64 * 1024 * 1024)
#define READ_ATTEMPTS 5
/* Two changes within one tick of the kernel's file clock (at most 10 ms) can leave the same times: what was read so
 * soon after a change is read again. */
#define SETTLED_NS INT64_C(50000000)

/* What is read of each file, and how. */
static const struct {
	const char *name;
	unsigned columns[ROW_NUMBERS];
	bool has_hashes; /* in the second field */
	bool may_be_missing;
} file_kinds[] = {
	[ACCOUNT_FILE_GROUP] = { .name = "group", .columns = { 2 } },
	[ACCOUNT_FILE_GSHADOW] = { .name = "gshadow", .has_hashes = true, .may_be_missing = true },
	[ACCOUNT_FILE_SHADOW] = { .name = "shadow", .has_hashes = true },
	[ACCOUNT_FILE_PASSWD] = { .name = "passwd", .columns = { 2, 3 } },
};
_Static_assert(sizeof(file_kinds) / sizeof(file_kinds[0]) == ACCOUNT_FILE_COUNT, "one row for each file");

/* A file as it was when it was last looked at. */
struct snapshot {
	int fd; /* -1: none */
	struct stat seen;
	struct account_rows rows;
};

#define SNAPSHOT_NONE ((struct snapshot){ .fd = -1 })

/* What the reading side remembers of a file. */
struct cached {
	bool valid;
	struct stat seen;
	struct account_rows rows;
};

struct account_files {
	int directory;
	uid_t owner;
	int lock;   /* -1: not held */
	char *path; /* of the directory, for people */
	char *paths[ACCOUNT_FILE_COUNT];
	struct cached cache[ACCOUNT_FILE_COUNT];
	char *answer; /* the text that the last lookup's pointers lead to */
	gid_t *gids;
	char fault[512];
};

/* Hands the snapshot on; the variable no longer owns anything. */
static struct snapshot snapshot_take(struct snapshot *snapshot)
{
	struct snapshot taken = *snapshot;

	*snapshot = SNAPSHOT_NONE;
	return taken;
}

static void snapshot_release(struct snapshot *snapshot)
{
	cleanup_fd(&snapshot->fd);
	account_rows_wipe(&snapshot->rows);
	*snapshot = SNAPSHOT_NONE;
}

__attribute__((format(printf, 4, 5))) static int fail(struct account_files *files, enum account_file file, int error,
						      const char *format, ...)
{
	char what[160];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	(void)snprintf(files->fault, sizeof(files->fault), "%s: %s", files->paths[file], what);
	return -error;
}

static int fail_errno(struct account_files *files, enum account_file file, const char *what, int error)
{
	return fail(files, file, error, "%s: %s", what, strerror(error));
}

/* 0, or -EPERM for a file that others than `owner` could have made or changed. */
static int judge(struct account_files *files, enum account_file file, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return fail(files, file, EPERM, "is not a regular file");
	if (st->st_uid != files->owner)
		return fail(files, file, EPERM, "must belong to uid %u (chown)", files->owner);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return fail(files, file, EPERM, "must not be writable by group or others (chmod go-w)");
	if (st->st_size > FILE_SIZE_MAX)
		return fail(files, file, EFBIG, "is too large to be right");
	return 0;
}

static int open_judged(struct account_files *files, enum account_file file, int *ret_fd, struct stat *ret_st)
{
	_cleanup_fd_ int fd = openat(files->directory, file_kinds[file].name,
				     O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0 && errno == ELOOP)
		return fail(files, file, EPERM, "is a symbolic link; put the file itself there");
	if (fd < 0)
		return fail_errno(files, file, "cannot be opened", errno);
	if (fstat(fd, ret_st) != 0)
		return fail_errno(files, file, "cannot be examined", errno);
	r = judge(files, file, ret_st);
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

static bool same_state(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino && one->st_size == other->st_size &&
	       one->st_mode == other->st_mode && one->st_uid == other->st_uid && one->st_gid == other->st_gid &&
	       one->st_mtim.tv_sec == other->st_mtim.tv_sec && one->st_mtim.tv_nsec == other->st_mtim.tv_nsec &&
	       one->st_ctim.tv_sec == other->st_ctim.tv_sec && one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

/* One attempt to read a file that holds still. */
static int take_snapshot_once(struct account_files *files, enum account_file file, struct snapshot *ret_snapshot)
{
	_cleanup_(snapshot_release) struct snapshot snapshot = SNAPSHOT_NONE;
	_cleanup_free_ char *text = NULL;
	struct stat after;
	size_t size;
	int r = open_judged(files, file, &snapshot.fd, &snapshot.seen);

	if (r < 0)
		return r;
	size = (size_t)snapshot.seen.st_size;
	text = malloc(size + 2);
	if (!text)
		return fail_errno(files, file, "cannot be read", ENOMEM);
	r = read_whole(snapshot.fd, text, size);
	if (r == 0 && (fstat(snapshot.fd, &after) != 0 || !same_state(&snapshot.seen, &after)))
		r = -EAGAIN;
	if (r < 0) {
		explicit_bzero(text, size + 1);
		return fail_errno(files, file, r == -EAGAIN ? "is being changed" : "cannot be read", -r);
	}
	text[size] = '\0';
	r = account_rows_parse(take_pointer(text), size, file_kinds[file].columns, &snapshot.rows);
	if (r < 0)
		return fail_errno(files, file, "cannot be read", -r);
	*ret_snapshot = snapshot_take(&snapshot);
	return 0;
}

static int take_snapshot(struct account_files *files, enum account_file file, struct snapshot *ret_snapshot)
{
	int r = -EAGAIN;

	for (unsigned i = 0; i < READ_ATTEMPTS && r == -EAGAIN; i++)
		r = take_snapshot_once(files, file, ret_snapshot);
	if (r == 0)
		files->fault[0] = '\0';
	return r;
}

/* ---- opening, locking ---- */

static int judge_directory(const struct stat *st, uid_t owner)
{
	return st->st_uid != owner || (st->st_mode & (S_IWGRP | S_IWOTH)) ? -EPERM : 0;
}

static char *joined(const char *one, const char *other)
{
	char *path;

	return asprintf(&path, "%s/%s", one, other) < 0 ? NULL : path;
}

static int set_paths(struct account_files *files, const char *root)
{
	files->path = joined(strcmp(root, "/") == 0 ? "" : root, "etc");
	if (!files->path)
		return -ENOMEM;
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		files->paths[file] = joined(files->path, file_kinds[file].name);
		if (!files->paths[file])
			return -ENOMEM;
	}
	return 0;
}

static int open_directory(struct account_files *files)
{
	struct stat st;

	files->directory = open(files->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (files->directory < 0 || fstat(files->directory, &st) != 0)
		return -errno;
	return judge_directory(&st, files->owner);
}

int account_files_open(const char *root, uid_t owner, struct account_files **ret_files)
{
	struct account_files *files = calloc(1, sizeof(*files));
	int r;

	if (!files)
		return -ENOMEM;
	files->directory = files->lock = -1;
	files->owner = owner;
	r = set_paths(files, root);
	if (r == 0)
		r = open_directory(files);
	if (r < 0) {
		account_files_close(files);
		return r;
	}
	*ret_files = files;
	return 0;
}

void account_files_close(struct account_files *files)
{
	if (!files)
		return;
	account_files_unlock(files);
	cleanup_fd(&files->directory);
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		account_rows_wipe(&files->cache[file].rows);
		free(files->paths[file]);
	}
	free(files->path);
	free(files->answer);
	free(files->gids);
	free(files);
}

/*
 * Not lckpwdf(3): that waits up to 15 seconds in a SIGALRM handler, while nobody's lookup would be answered. The same
 * lock is asked for without waiting instead: a write lock on the whole of .pwd.lock. As an *open file description*
 * lock, since a POSIX lock would end as soon as any code in this process closes any descriptor of the file; the two
 * kinds keep each other out.
 */
int account_files_lock(struct account_files *files)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (files->lock >= 0)
		return 0;
	fd = openat(files->directory, ".pwd.lock", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		    0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EPERM;
	if (fcntl(fd, F_OFD_SETLK, &whole) != 0)
		return errno == EACCES ? -EAGAIN : -errno;
	files->lock = take_fd(&fd);
	return 0;
}

void account_files_unlock(struct account_files *files)
{
	struct flock whole = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	if (files->lock < 0)
		return;
	/* Said, not left to close(): a child that was forked meanwhile may hold the same description. */
	(void)fcntl(files->lock, F_OFD_SETLK, &whole);
	(void)close(files->lock);
	files->lock = -1;
}

int account_files_sweep(struct account_files *files)
{
	int result = 0;

	if (files->lock < 0)
		return -ENOLCK;
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		int r = replacement_sweep(files->directory, file_kinds[file].name);

		result = result < 0 ? result : r;
	}
	return result;
}

/* ---- changing ---- */

/* The four files as they are now, and what is to become of them. */
struct work {
	struct snapshot snapshots[ACCOUNT_FILE_COUNT];
	struct account_changes changes;
	struct replacement replacements[ACCOUNT_FILE_COUNT];
	char *texts[ACCOUNT_FILE_COUNT];
	size_t lengths[ACCOUNT_FILE_COUNT];
	size_t count;
};

static void work_release(struct work *work)
{
	account_changes_free(&work->changes);
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		snapshot_release(&work->snapshots[file]);
		if (work->texts[file])
			explicit_bzero(work->texts[file], work->lengths[file]);
		free(work->texts[file]);
	}
}

/* Refuses at the start what would fail in the middle: a file that is pinned by an attribute or a mount cannot be
 * renamed. */
static int judge_replaceable(struct account_files *files, enum account_file file, int fd)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) != 0)
		return fail_errno(files, file, "cannot be examined", errno);
	if (stx.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
		return fail(files, file, EPERM, "is immutable or append-only (chattr -i -a)");
	if (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return fail(files, file, EPERM,
			    "is mounted by itself and cannot be replaced; mount its directory instead");
	return 0;
}

static enum account_files_result result_of(int error)
{
	switch (-error) {
	case EPERM:
	case EFBIG:
	case ENOENT:
		return ACCOUNT_FILES_UNTRUSTED;
	case EAGAIN:
		return ACCOUNT_FILES_CHANGED;
	default:
		return ACCOUNT_FILES_STORAGE;
	}
}

static enum account_files_result read_files(struct account_files *files, struct work *work)
{
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		struct snapshot *snapshot = &work->snapshots[file];
		int r = take_snapshot(files, file, snapshot);

		if (r == -ENOENT && file_kinds[file].may_be_missing) {
			files->fault[0] = '\0';
			continue;
		}
		if (r == 0)
			r = judge_replaceable(files, file, snapshot->fd);
		if (r < 0)
			return result_of(r);
		work->changes.rows[file] = &snapshot->rows;
	}
	return ACCOUNT_FILES_DONE;
}

static enum account_files_result begin(struct account_files *files, struct work *work)
{
	files->fault[0] = '\0';
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		work->snapshots[file] = SNAPSHOT_NONE;
		work->changes.paths[file] = files->paths[file];
	}
	work->changes.fault = files->fault;
	work->changes.fault_size = sizeof(files->fault);
	if (files->lock < 0) {
		(void)snprintf(files->fault, sizeof(files->fault), "%s/.pwd.lock is not held", files->path);
		return ACCOUNT_FILES_NOT_LOCKED;
	}
	/* Of all four files, since not all of them may change this time. What cannot be removed shows when it is in the
	 * way. */
	(void)account_files_sweep(files);
	return read_files(files, work);
}

/* Adds a file to those that are replaced, if anything changes in it. */
static bool prepare(struct work *work, enum account_file file)
{
	const struct account_change *change = &work->changes.files[file];
	const struct snapshot *snapshot = &work->snapshots[file];

	if (account_change_is_empty(change))
		return true;
	if (account_rows_edit(&snapshot->rows, change->dropped, change->added, change->added_length, &work->texts[file],
			      &work->lengths[file]) < 0)
		return false;
	work->replacements[work->count++] = (struct replacement){ .name = file_kinds[file].name,
								  .original = snapshot->fd,
								  .seen = snapshot->seen,
								  .text = work->texts[file],
								  .length = work->lengths[file] };
	return true;
}

/* The directory is synced even when nothing changes: what a killed attempt renamed may not be on the disk yet. */
static enum account_files_result commit(struct account_files *files, struct work *work, const enum account_file *order)
{
	for (size_t i = 0; i < ACCOUNT_FILE_COUNT; i++)
		if (!prepare(work, order[i])) {
			(void)fail(files, order[i], ENOMEM, "cannot be changed: out of memory");
			return ACCOUNT_FILES_STORAGE;
		}
	switch (replace_files(files->directory, files->path, work->replacements, work->count, files->fault,
			      sizeof(files->fault))) {
	case REPLACEMENT_DONE:
		return ACCOUNT_FILES_DONE;
	case REPLACEMENT_CHANGED:
		return ACCOUNT_FILES_CHANGED;
	case REPLACEMENT_PARTIAL:
		return ACCOUNT_FILES_PARTIAL;
	case REPLACEMENT_FAILED:
	default:
		return ACCOUNT_FILES_STORAGE;
	}
}

/* An account exists once it is in passwd: that file comes last, and when an account goes, first. */
static const enum account_file order_of_adding[ACCOUNT_FILE_COUNT] = { ACCOUNT_FILE_GROUP, ACCOUNT_FILE_GSHADOW,
								       ACCOUNT_FILE_SHADOW, ACCOUNT_FILE_PASSWD };
static const enum account_file order_of_removing[ACCOUNT_FILE_COUNT] = { ACCOUNT_FILE_PASSWD, ACCOUNT_FILE_SHADOW,
									 ACCOUNT_FILE_GSHADOW, ACCOUNT_FILE_GROUP };

enum account_files_result account_files_add(struct account_files *files, const struct account_entry *entries,
					    size_t count, int64_t now_s)
{
	_cleanup_(work_release) struct work work = { 0 };
	enum account_files_result result = begin(files, &work);

	if (result == ACCOUNT_FILES_DONE)
		result = account_changes_add(&work.changes, entries, count, now_s);
	return result == ACCOUNT_FILES_DONE ? commit(files, &work, order_of_adding) : result;
}

enum account_files_result account_files_remove(struct account_files *files, const struct account_identity *accounts,
					       size_t count)
{
	_cleanup_(work_release) struct work work = { 0 };
	enum account_files_result result = begin(files, &work);

	if (result == ACCOUNT_FILES_DONE)
		result = account_changes_remove(&work.changes, accounts, count);
	return result == ACCOUNT_FILES_DONE ? commit(files, &work, order_of_removing) : result;
}

const char *account_files_result_text(enum account_files_result result)
{
	static const char *const texts[] = {
		[ACCOUNT_FILES_DONE] = "The account files are as asked.",
		[ACCOUNT_FILES_NOT_LOCKED] = "The account files are not locked.",
		[ACCOUNT_FILES_INVALID] = "The account has a field that cannot be written to the account files.",
		[ACCOUNT_FILES_TAKEN] =
			"The account's name or number stands in the account files already, with other content.",
		[ACCOUNT_FILES_UNTRUSTED] =
			"An account file is not what it should be: a regular file of root's that only root can write.",
		[ACCOUNT_FILES_CHANGED] = "An account file was changed meanwhile; try again.",
		[ACCOUNT_FILES_STORAGE] = "The account files could not be written; nothing was changed.",
		[ACCOUNT_FILES_PARTIAL] =
			"Only some of the account files could be written, and they could not be put back.",
	};
	_Static_assert(sizeof(texts) / sizeof(texts[0]) == ACCOUNT_FILES_RESULT_COUNT, "one text for each result");

	return result < ACCOUNT_FILES_RESULT_COUNT ? texts[result] : "The account files are in an unknown state.";
}

const char *account_files_fault(const struct account_files *files)
{
	return files->fault;
}

/* ---- looking up ---- */

/* Password hashes are of no use to lookups: they do not stay in memory. The first byte tells whether the password is
 * locked. */
static void forget_hashes(struct account_rows *rows)
{
	for (uint32_t row = 0; row < rows->count; row++) {
		struct row_field hash = account_row_field(rows, row, 1);

		if (hash.length > 1)
			explicit_bzero(rows->text + (hash.text - rows->text) + 1, hash.length - 1);
	}
}

static int64_t nanoseconds(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Whether a later change is sure to show in the file's times. A clock that was set back only makes us read more often.
 */
static bool settled(const struct stat *seen, int64_t read_at)
{
	int64_t changed = nanoseconds(seen->st_mtim), touched = nanoseconds(seen->st_ctim);

	return (changed > touched ? changed : touched) + SETTLED_NS < read_at;
}

static int refresh(struct account_files *files, enum account_file file)
{
	_cleanup_(snapshot_release) struct snapshot snapshot = SNAPSHOT_NONE;
	struct cached *cached = &files->cache[file];
	struct timespec now;
	int r;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	r = take_snapshot(files, file, &snapshot);
	if (r < 0)
		return r;
	if (file_kinds[file].has_hashes)
		forget_hashes(&snapshot.rows);
	account_rows_wipe(&cached->rows);
	cleanup_fd(&snapshot.fd);
	cached->seen = snapshot.seen;
	cached->valid = settled(&snapshot.seen, nanoseconds(now));
	cached->rows = snapshot_take(&snapshot).rows;
	return 0;
}

/* The file's rows as they are now. */
static int current(struct account_files *files, enum account_file file, const struct account_rows **ret_rows)
{
	struct cached *cached = &files->cache[file];
	struct stat now;
	int r = 0;

	files->fault[0] = '\0';
	if (!cached->valid || fstatat(files->directory, file_kinds[file].name, &now, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !same_state(&cached->seen, &now))
		r = refresh(files, file);
	if (r == 0)
		*ret_rows = &cached->rows;
	return r;
}

/* Copies a row into the answer, its colons turned into NULs; fields behind the last are empty. */
static int answer_row(struct account_files *files, const struct account_rows *rows, uint32_t row,
		      const char **ret_fields, unsigned count)
{
	size_t length = rows->rows[row].length;
	char *text = malloc(length + 1);
	unsigned field = 0;

	if (!text)
		return -ENOMEM;
	memcpy(text, rows->text + rows->rows[row].begin, length);
	text[length] = '\0';
	for (unsigned i = 0; i < count; i++)
		ret_fields[i] = text + length;
	for (char *at = text; at && field < count; field++) {
		char *colon = memchr(at, ':', (size_t)(text + length - at));

		if (colon)
			*colon = '\0';
		ret_fields[field] = at;
		at = colon ? colon + 1 : NULL;
	}
	ret_fields[0] += strspn(ret_fields[0], " \t\v\f\r");
	free(files->answer);
	files->answer = text;
	return 0;
}

static bool is_user(const struct account_rows *rows, uint32_t row)
{
	return rows->rows[row].has_number[0] && rows->rows[row].has_number[1];
}

static int answer_user(struct account_files *files, const struct account_rows *rows, uint32_t row,
		       struct account_user *ret_user)
{
	const char *fields[7];
	int r = answer_row(files, rows, row, fields, 7);

	if (r < 0)
		return r;
	*ret_user = (struct account_user){ .name = fields[0],
					   .uid = rows->rows[row].number[0],
					   .gid = rows->rows[row].number[1],
					   .gecos = fields[4],
					   .home = fields[5],
					   .shell = fields[6],
					   .line = row + 1 };
	return 1;
}

int account_files_user_named(struct account_files *files, const char *name, struct account_user *ret_user)
{
	const struct account_rows *rows;
	int r = current(files, ACCOUNT_FILE_PASSWD, &rows);
	uint32_t row;

	if (r < 0)
		return r;
	for (row = account_rows_named(rows, name, ROW_END); row != ROW_END && !is_user(rows, row);)
		row = account_rows_named(rows, name, row);
	return row == ROW_END ? 0 : answer_user(files, rows, row, ret_user);
}

static int user_numbered(struct account_files *files, unsigned column, uint32_t number, struct account_user *ret_user)
{
	const struct account_rows *rows;
	int r = current(files, ACCOUNT_FILE_PASSWD, &rows);
	uint32_t row;

	if (r < 0)
		return r;
	for (row = account_rows_numbered(rows, column, number, ROW_END); row != ROW_END && !is_user(rows, row);)
		row = account_rows_numbered(rows, column, number, row);
	return row == ROW_END ? 0 : answer_user(files, rows, row, ret_user);
}

int account_files_user_with_uid(struct account_files *files, uid_t uid, struct account_user *ret_user)
{
	return user_numbered(files, 0, uid, ret_user);
}

int account_files_user_with_gid(struct account_files *files, gid_t gid, struct account_user *ret_user)
{
	return user_numbered(files, 1, gid, ret_user);
}

static int answer_group(struct account_files *files, const struct account_rows *rows, uint32_t row,
			struct account_group *ret_group)
{
	const char *name;
	int r = answer_row(files, rows, row, &name, 1);

	if (r < 0)
		return r;
	*ret_group = (struct account_group){ .name = name, .gid = rows->rows[row].number[0], .line = row + 1 };
	return 1;
}

int account_files_group_named(struct account_files *files, const char *name, struct account_group *ret_group)
{
	const struct account_rows *rows;
	int r = current(files, ACCOUNT_FILE_GROUP, &rows);
	uint32_t row;

	if (r < 0)
		return r;
	for (row = account_rows_named(rows, name, ROW_END); row != ROW_END && !rows->rows[row].has_number[0];)
		row = account_rows_named(rows, name, row);
	return row == ROW_END ? 0 : answer_group(files, rows, row, ret_group);
}

int account_files_group_with_gid(struct account_files *files, gid_t gid, struct account_group *ret_group)
{
	const struct account_rows *rows;
	int r = current(files, ACCOUNT_FILE_GROUP, &rows);
	uint32_t row;

	if (r < 0)
		return r;
	row = account_rows_numbered(rows, 0, gid, ROW_END);
	return row == ROW_END ? 0 : answer_group(files, rows, row, ret_group);
}

static bool parse_day(const char *text, int64_t *ret_day)
{
	char *end;
	long long day;

	errno = 0;
	day = strtoll(text, &end, 10);
	if (end == text || *end || errno || day < 0) /* as chage -E -1 means it: never */
		return false;
	*ret_day = day;
	return true;
}

int account_files_shadow_named(struct account_files *files, const char *name, struct account_shadow *ret_shadow)
{
	const struct account_rows *rows;
	const char *fields[9];
	struct account_shadow shadow = { 0 };
	int r = current(files, ACCOUNT_FILE_SHADOW, &rows);
	uint32_t row;

	if (r < 0)
		return r;
	row = account_rows_named(rows, name, ROW_END);
	if (row == ROW_END)
		return 0;
	r = answer_row(files, rows, row, fields, 9);
	if (r < 0)
		return r;
	shadow.locked = fields[1][0] == '!' || fields[1][0] == '*';
	shadow.has_expiry = parse_day(fields[7], &shadow.expires_day);
	shadow.line = row + 1;
	*ret_shadow = shadow;
	return 1;
}

static bool has_gid(const gid_t *gids, size_t count, gid_t gid)
{
	for (size_t i = 0; i < count; i++)
		if (gids[i] == gid)
			return true;
	return false;
}

static bool lists_member(const struct account_rows *rows, uint32_t row, const char *name)
{
	const struct account_row *group = &rows->rows[row];

	return group->has_fourth_field && group->has_number[0] &&
	       row_field_lists(account_row_field(rows, row, 3), name);
}

int account_files_groups_of(struct account_files *files, const char *name, const gid_t **ret_gids, size_t *ret_count)
{
	const struct account_rows *rows;
	size_t count = 0;
	int r = current(files, ACCOUNT_FILE_GROUP, &rows);

	if (r < 0)
		return r;
	for (uint32_t row = 0; row < rows->count; row++) {
		gid_t *larger;

		if (!lists_member(rows, row, name) || has_gid(files->gids, count, rows->rows[row].number[0]))
			continue;
		larger = realloc(files->gids, (count + 1) * sizeof(files->gids[0]));
		if (!larger)
			return -ENOMEM;
		files->gids = larger;
		files->gids[count++] = rows->rows[row].number[0];
	}
	*ret_gids = files->gids;
	*ret_count = count;
	return 0;
}
