/*
 * The account files: their lock, and the one way to change them. Which rows change is worked out in account_changes.c,
 * how several files are replaced together in replacement.c; looking up is in account_lookup.c.
 */
#include "provisiond/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "provisiond/account_files.h"
#include "provisiond/replacement.h"

#define DESCRIPTORS_MAX 4096 /* where the kernel cannot close them all at once */

const struct account_file_kind account_file_kinds[ACCOUNT_FILE_COUNT] = {
	[ACCOUNT_FILE_GROUP] = { .name = "group", .columns = { [BY_GID] = 2 } },
	[ACCOUNT_FILE_GSHADOW] = { .name = "gshadow", .has_hashes = true, .may_be_missing = true },
	[ACCOUNT_FILE_SUBUID] = { .name = "subuid",
				  .columns = { [BY_FIRST_SUBID] = 1, [BY_SUBID_COUNT] = 2 },
				  .may_be_missing = true },
	[ACCOUNT_FILE_SUBGID] = { .name = "subgid",
				  .columns = { [BY_FIRST_SUBID] = 1, [BY_SUBID_COUNT] = 2 },
				  .may_be_missing = true },
	[ACCOUNT_FILE_SHADOW] = { .name = "shadow", .has_hashes = true },
	[ACCOUNT_FILE_PASSWD] = { .name = "passwd", .columns = { [BY_UID] = 2, [BY_PRIMARY_GID] = 3 } },
};
_Static_assert((int)ACCOUNT_FILE_COUNT <= REPLACEMENT_FILES_MAX, "all of them can be replaced together");

int account_files_snapshot(struct account_files *files, enum account_file file, struct account_snapshot *ret_snapshot)
{
	struct account_snapshot_source source = { .directory = files->directory,
						  .name = account_file_kinds[file].name,
						  .path = files->paths[file],
						  .owner = files->owner,
						  .columns = account_file_kinds[file].columns };

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
		files->paths[file] = joined(files->path, account_file_kinds[file].name);
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
	files->directory = files->lock = files->waiting = -1;
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

/* -errno when there is none. */
static int open_lock(const struct account_files *files)
{
	_cleanup_fd_ int fd = openat(files->directory, ".pwd.lock",
				     O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return -errno;
	return S_ISREG(st.st_mode) ? take_fd(&fd) : -EPERM;
}

/* Another descriptor of the description that stands in line. */
static int dup_lock(int fd)
{
	int other = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return other < 0 ? -errno : other;
}

/* The process that waits in the kernel's own line, with nothing of ours but the lock's file: peers must not find their
 * connections open because of it. The lock belongs to the description, which it shares with us. */
_Noreturn static void wait_for_lock(int fd, pid_t parent)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || dup2(fd, STDIN_FILENO) < 0)
		_exit(1);
	if (close_range(STDIN_FILENO + 1, ~0u, 0) != 0)
		for (int other = STDIN_FILENO + 1; other < DESCRIPTORS_MAX; other++)
			(void)close(other);
	while (fcntl(STDIN_FILENO, F_OFD_SETLKW, &whole) != 0)
		if (errno != EINTR)
			_exit(1);
	_exit(0);
}

static void end_waiter(struct account_files *files)
{
	(void)kill(files->waiter, SIGKILL);
	while (waitpid(files->waiter, NULL, 0) < 0 && errno == EINTR)
		;
	files->waiter = 0;
}

static void leave_line(struct account_files *files)
{
	if (files->waiter > 0)
		end_waiter(files);
	cleanup_fd(&files->waiting);
	files->waiting = -1;
}

/*
 * Not lckpwdf(3): that waits up to 15 seconds in a SIGALRM handler, while nobody's lookup would be answered. The same
 * lock is asked for without waiting instead: a write lock on the whole of .pwd.lock. As an *open file description*
 * lock, since a POSIX lock would end as soon as any code in this process closes any descriptor of the file; the two
 * kinds keep each other out.
 *
 * It keeps all of them out, also those that make a file of their own for each of the files (/etc/passwd.lock,
 * /etc/subuid.lock, ...): useradd, usermod, passwd, vipw and the others of shadow-utils (commonio_lock()) take
 * lckpwdf(3) before the first of these and hold it until the last is gone, and so do libuser's tools and
 * systemd-sysusers take it. A file of that kind says nothing more, and one that a killed program left behind would keep
 * us waiting for nobody.
 */
int account_files_lock(struct account_files *files)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_fd_ int fd = -1;

	if (files->lock >= 0)
		return 0;
	fd = files->waiting >= 0 ? dup_lock(files->waiting) : open_lock(files);
	if (fd < 0)
		return fd;
	if (fcntl(fd, F_OFD_SETLK, &whole) != 0)
		return errno == EACCES ? -EAGAIN : -errno;
	files->lock = take_fd(&fd);
	leave_line(files);
	return 0;
}

int account_files_stand_in_line(struct account_files *files)
{
	pid_t parent = getpid(), child;
	int fd;

	if (files->lock >= 0 || files->waiting >= 0)
		return 0;
	fd = open_lock(files);
	if (fd < 0)
		return fd;
	files->waiting = fd;
	child = fork();
	if (child == 0)
		wait_for_lock(files->waiting, parent);
	if (child < 0) {
		int error = errno;

		leave_line(files);
		return -error;
	}
	files->waiter = child;
	return 0;
}

static void keep_displaced(struct account_files *files)
{
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++)
		if (files->displaced[file])
			replacement_keep_old(files->directory, account_file_kinds[file].name);
	memset(files->displaced, 0, sizeof(files->displaced));
}

void account_files_unlock(struct account_files *files)
{
	struct flock whole = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	/* Who waits may have got it meanwhile, for the description that both files are. */
	if (files->lock < 0 && files->waiting < 0)
		return;
	keep_displaced(files);
	if (files->waiter > 0)
		end_waiter(files);
	/* Said, not left to close(): a child that was forked meanwhile may hold the same description. */
	(void)fcntl(files->lock >= 0 ? files->lock : files->waiting, F_OFD_SETLK, &whole);
	cleanup_fd(&files->lock);
	files->lock = -1;
	leave_line(files);
}

int account_files_sweep(struct account_files *files)
{
	int result = 0;

	if (files->lock < 0)
		return -ENOLCK;
	keep_displaced(files);
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		int r = replacement_sweep(files->directory, account_file_kinds[file].name);

		result = result < 0 ? result : r;
	}
	return result;
}

/* ---- changing ---- */

/* The files as they are now, and what is to become of them. */
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
		int r = account_files_snapshot(files, file, snapshot);

		if (r == -ENOENT && account_file_kinds[file].may_be_missing) {
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
	/* Of all files, since not all of them may change this time. What cannot be removed shows when it is in the
	 * way. */
	(void)account_files_sweep(files);
	return read_files(files, work);
}

/* Adds a file to those that are replaced, if anything changes in it. */
static bool prepare(struct work *work, enum account_file file)
{
	const struct account_change *change = &work->changes.files[file];
	const struct account_snapshot *snapshot = &work->snapshots[file];
	struct rows_edit edit;

	if (account_change_is_empty(change))
		return true;
	edit = account_change_edit(change);
	if (account_rows_edit(&snapshot->rows, &edit, &work->texts[file], &work->lengths[file]) < 0)
		return false;
	work->replacements[work->count++] = (struct replacement){ .name = account_file_kinds[file].name,
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
		for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++)
			files->displaced[file] = work->texts[file] != NULL;
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
static const enum account_file order_of_adding[ACCOUNT_FILE_COUNT] = { ACCOUNT_FILE_GROUP,  ACCOUNT_FILE_GSHADOW,
								       ACCOUNT_FILE_SUBUID, ACCOUNT_FILE_SUBGID,
								       ACCOUNT_FILE_SHADOW, ACCOUNT_FILE_PASSWD };
static const enum account_file order_of_removing[ACCOUNT_FILE_COUNT] = { ACCOUNT_FILE_PASSWD,  ACCOUNT_FILE_SHADOW,
									 ACCOUNT_FILE_SUBGID,  ACCOUNT_FILE_SUBUID,
									 ACCOUNT_FILE_GSHADOW, ACCOUNT_FILE_GROUP };

enum account_files_result account_files_apply(struct account_files *files, const struct account_edits *edits,
					      int64_t now_s)
{
	_cleanup_(work_release) struct work work = { 0 };
	enum account_files_result result = begin(files, &work);

	if (result == ACCOUNT_FILES_DONE)
		result = account_changes_apply(&work.changes, edits, now_s);
	if (result == ACCOUNT_FILES_DONE)
		result = commit(files, &work, order_of_adding);
	if (result == ACCOUNT_FILES_DONE && work.changes.missing[0])
		(void)snprintf(files->fault, sizeof(files->fault), "%s: there is no group %s; nobody was made a member",
			       files->paths[ACCOUNT_FILE_GROUP], work.changes.missing);
	return result;
}

enum account_files_result account_files_add(struct account_files *files, const struct account_entry *entries,
					    size_t count, int64_t now_s)
{
	const struct account_edits edits = { .added = entries, .added_count = count };

	return account_files_apply(files, &edits, now_s);
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
