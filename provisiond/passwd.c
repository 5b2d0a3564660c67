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
#include "provisiond/account_snapshot.h"
#include "provisiond/replacement.h"

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

static int take_snapshot(struct account_files *files, enum account_file file, struct account_snapshot *ret_snapshot)
{
	struct account_snapshot_source source = { .directory = files->directory,
						  .name = file_kinds[file].name,
						  .path = files->paths[file],
						  .owner = files->owner,
						  .columns = file_kinds[file].columns };

	return account_snapshot_read(&source, ret_snapshot, files->fault, sizeof(files->fault));
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
	struct account_snapshot snapshots[ACCOUNT_FILE_COUNT];
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
		account_snapshot_release(&work->snapshots[file]);
		if (work->texts[file])
			explicit_bzero(work->texts[file], work->lengths[file]);
		free(work->texts[file]);
	}
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
		struct account_snapshot *snapshot = &work->snapshots[file];
		int r = take_snapshot(files, file, snapshot);

		if (r == -ENOENT && file_kinds[file].may_be_missing) {
			files->fault[0] = '\0';
			continue;
		}
		if (r == 0)
			r = account_snapshot_replaceable(snapshot, files->paths[file], files->fault,
							 sizeof(files->fault));
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
		work->snapshots[file] = ACCOUNT_SNAPSHOT_NONE;
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
	const struct account_snapshot *snapshot = &work->snapshots[file];

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
			(void)snprintf(files->fault, sizeof(files->fault), "%s: cannot be changed: out of memory",
				       files->paths[order[i]]);
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
	_cleanup_(account_snapshot_release) struct account_snapshot snapshot = ACCOUNT_SNAPSHOT_NONE;
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
	cached->rows = account_snapshot_take(&snapshot).rows;
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
	    !account_snapshot_same_state(&cached->seen, &now))
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

	/* The largest number is no group's, and stands for those that are too large as well. */
	return group->has_fourth_field && group->has_number[0] && group->number[0] != UINT32_MAX &&
	       row_field_lists(account_row_rest(rows, row, 3), name);
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
