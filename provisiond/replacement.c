/*
 * Stages new files beside old ones, exchanges them in order, and exchanges back when something fails.
 */
#include "provisiond/replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "provisiond/file_attributes.h"
#include "provisiond/sync_files.h"

#define NAME_SIZE 64

enum stage {
	STAGE_NONE,      /* no temporary file */
	STAGE_WRITTEN,   /* the new content stands under `new_name` */
	STAGE_EXCHANGED, /* the name is new, `new_name` is the old file */
	STAGE_LINKED,    /* the name is new, `old_name` is the old file */
};

struct staged {
	const struct replacement *file;
	char new_name[NAME_SIZE];
	char old_name[NAME_SIZE];
	enum stage stage;
	int fd; /* of the new file while it is being written; -1 otherwise */
};

struct transaction {
	int directory;
	const char *path;
	struct staged files[REPLACEMENT_FILES_MAX];
	size_t count;
	char *fault;
	size_t fault_size;
};

/* Notes the first failure, whose consequences the others are. */
__attribute__((format(printf, 4, 5))) static void note(struct transaction *transaction, const char *name, int error,
						       const char *format, ...)
{
	char what[128];
	va_list arguments;

	if (transaction->fault[0])
		return;
	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	(void)snprintf(transaction->fault, transaction->fault_size, "%s%s%s: %s%s%s", transaction->path,
		       *name ? "/" : "", name, what, error ? ": " : "", error ? strerror(error) : "");
}

static void note_also(struct transaction *transaction, const char *name, int error)
{
	size_t length = strlen(transaction->fault);

	(void)snprintf(transaction->fault + length, transaction->fault_size - length, "; %s/%s cannot be put back: %s",
		       transaction->path, name, strerror(error));
}

/* Fixed names: only the holder of the lock makes them, so what is found under them is a leftover. */
static int temporary_names(const char *name, char new_name[NAME_SIZE], char old_name[NAME_SIZE])
{
	int n = snprintf(new_name, NAME_SIZE, ".%s.provisiond-new", name);
	int o = snprintf(old_name, NAME_SIZE, ".%s.provisiond-old", name);

	return n < 0 || o < 0 || n >= NAME_SIZE || o >= NAME_SIZE ? -ENAMETOOLONG : 0;
}

static int remove_if_there(int directory, const char *name)
{
	return unlinkat(directory, name, 0) != 0 && errno != ENOENT ? -errno : 0;
}

int replacement_sweep(int directory, const char *name)
{
	char new_name[NAME_SIZE], old_name[NAME_SIZE];
	int r = temporary_names(name, new_name, old_name);
	int n = r == 0 ? remove_if_there(directory, new_name) : r;
	int o = r == 0 ? remove_if_there(directory, old_name) : r;

	return n < 0 ? n : o;
}

/* The mode after the ACL, which it would change, and both before the content. */
static int dress(int fd, const struct replacement *file)
{
	int r;

	if (fchown(fd, file->seen.st_uid, file->seen.st_gid) != 0)
		return -errno;
	r = file_attributes_copy(file->original, fd);
	if (r < 0)
		return r;
	return fchmod(fd, file->seen.st_mode & 07777) != 0 ? -errno : 0;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

static int fill(int fd, const struct replacement *file)
{
	int r = dress(fd, file);

	return r == 0 ? write_all(fd, file->text, file->length) : r;
}

/* Writes the new file beside the old one. It is on its way to the disk then. */
static int stage(struct transaction *transaction, struct staged *staged)
{
	const struct replacement *file = staged->file;
	int r = temporary_names(file->name, staged->new_name, staged->old_name);

	if (r == 0)
		r = replacement_sweep(transaction->directory, file->name);
	if (r < 0) {
		note(transaction, file->name, -r, "cannot make room for a new file beside it");
		return r;
	}
	staged->fd = openat(transaction->directory, staged->new_name,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (staged->fd < 0) {
		r = -errno;
		note(transaction, file->name, -r, "cannot create a new file beside it");
		return r;
	}
	staged->stage = STAGE_WRITTEN;
	r = fill(staged->fd, file);
	if (r < 0)
		note(transaction, file->name, -r, "cannot write a new file beside it");
	else
		sync_files_begin(staged->fd);
	return r;
}

static int finish(struct transaction *transaction, struct staged *staged, int sync_error)
{
	int r = -sync_error;

	if (close(staged->fd) != 0 && r == 0)
		r = -errno;
	staged->fd = -1;
	if (r < 0)
		note(transaction, staged->file->name, -r, "cannot write a new file beside it");
	return r;
}

static int sync_all(struct transaction *transaction)
{
	int fds[REPLACEMENT_FILES_MAX], errors[REPLACEMENT_FILES_MAX];
	int r = 0;

	for (size_t i = 0; i < transaction->count; i++)
		fds[i] = transaction->files[i].fd;
	sync_files(fds, transaction->count, errors);
	for (size_t i = 0; i < transaction->count && r == 0; i++)
		r = finish(transaction, &transaction->files[i], errors[i]);
	return r;
}

static int stage_all(struct transaction *transaction)
{
	int r = 0;

	for (size_t i = 0; i < transaction->count && r == 0; i++)
		r = stage(transaction, &transaction->files[i]);
	return r == 0 ? sync_all(transaction) : r;
}

/* Whether that name is the file that was read, and unchanged. The exchange itself changes ctime, so that does not
 * count. */
static bool is_as_seen(int directory, const char *name, const struct stat *seen)
{
	struct stat now;

	return fstatat(directory, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_dev == seen->st_dev &&
	       now.st_ino == seen->st_ino && now.st_size == seen->st_size &&
	       now.st_mtim.tv_sec == seen->st_mtim.tv_sec && now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec &&
	       now.st_uid == seen->st_uid && now.st_gid == seen->st_gid && now.st_mode == seen->st_mode;
}

/* For file systems that cannot exchange. The link comes first: without it there would be no way back. */
static int replace_by_link(const struct transaction *transaction, struct staged *staged)
{
	int directory = transaction->directory;

	if (linkat(directory, staged->file->name, directory, staged->old_name, 0) != 0)
		return -errno;
	if (renameat(directory, staged->new_name, directory, staged->file->name) != 0) {
		int error = errno;

		(void)unlinkat(directory, staged->old_name, 0);
		return -error;
	}
	staged->stage = STAGE_LINKED;
	return 0;
}

static int exchange(const struct transaction *transaction, struct staged *staged)
{
	int directory = transaction->directory;

	if (renameat2(directory, staged->new_name, directory, staged->file->name, RENAME_EXCHANGE) == 0) {
		staged->stage = STAGE_EXCHANGED;
		return 0;
	}
	return errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP ? replace_by_link(transaction, staged)
									 : -errno;
}

static const char *displaced_name(const struct staged *staged)
{
	return staged->stage == STAGE_EXCHANGED ? staged->new_name : staged->old_name;
}

/* Gives the name back to the file that had it. */
static int put_back(const struct transaction *transaction, struct staged *staged)
{
	int directory = transaction->directory;
	const char *displaced = displaced_name(staged), *name = staged->file->name;

	if (renameat2(directory, displaced, directory, name, staged->stage == STAGE_EXCHANGED ? RENAME_EXCHANGE : 0) !=
	    0)
		return -errno;
	staged->stage = staged->stage == STAGE_EXCHANGED ? STAGE_WRITTEN : STAGE_NONE;
	return 0;
}

/* Where nothing was done yet, or after an undoing that failed, `from` may not be there. */
static bool keep_as_backup(int directory, const char *from, const char *name)
{
	char backup[NAME_SIZE];
	int n = snprintf(backup, sizeof(backup), "%s-", name);

	return n > 0 && n < NAME_SIZE && renameat(directory, from, directory, backup) == 0;
}

void replacement_keep_old(int directory, const char *name)
{
	char new_name[NAME_SIZE], old_name[NAME_SIZE];

	/* An exchange has left it under the first name, a link under the second. */
	if (temporary_names(name, new_name, old_name) == 0 && !keep_as_backup(directory, new_name, name))
		(void)keep_as_backup(directory, old_name, name);
	(void)replacement_sweep(directory, name);
}

/* Undoes everything, the last file first. Leaves no temporary file, unless a file cannot be put back. */
static enum replacement_result roll_back(struct transaction *transaction, enum replacement_result why)
{
	bool moved = false;

	for (size_t i = transaction->count; i-- > 0;) {
		struct staged *staged = &transaction->files[i];
		bool in_place = staged->stage == STAGE_EXCHANGED || staged->stage == STAGE_LINKED;
		int r = in_place ? put_back(transaction, staged) : 0;

		cleanup_fd(&staged->fd);
		moved = moved || in_place;
		if (r < 0) {
			note_also(transaction, staged->file->name, -r);
			/* The displaced file is the only copy of what somebody else may have written. */
			(void)keep_as_backup(transaction->directory, displaced_name(staged), staged->file->name);
			why = REPLACEMENT_PARTIAL;
		} else {
			(void)replacement_sweep(transaction->directory, staged->file->name);
		}
	}
	if (moved)
		(void)fsync(transaction->directory);
	return why;
}

static enum replacement_result put_in_place(struct transaction *transaction, struct staged *staged)
{
	const struct replacement *file = staged->file;
	bool as_seen = is_as_seen(transaction->directory, file->name, &file->seen);
	int r = as_seen ? exchange(transaction, staged) : 0;

	if (r < 0) {
		note(transaction, file->name, -r, "cannot be replaced");
		return REPLACEMENT_FAILED;
	}
	if (!as_seen || !is_as_seen(transaction->directory, displaced_name(staged), &file->seen)) {
		note(transaction, file->name, 0, "was changed meanwhile by a program that does not take the lock");
		return REPLACEMENT_CHANGED;
	}
	return REPLACEMENT_DONE;
}

static enum replacement_result replace_staged(struct transaction *transaction)
{
	for (size_t i = 0; i < transaction->count; i++) {
		enum replacement_result result = put_in_place(transaction, &transaction->files[i]);

		if (result != REPLACEMENT_DONE)
			return result;
	}
	if (fsync(transaction->directory) != 0) {
		note(transaction, "", errno, "cannot be synced to the disk");
		return REPLACEMENT_FAILED;
	}
	return REPLACEMENT_DONE;
}

enum replacement_result replace_files(int directory, const char *path, const struct replacement *files, size_t count,
				      char *fault, size_t fault_size)
{
	struct transaction transaction = {
		.directory = directory, .path = path, .count = count, .fault = fault, .fault_size = fault_size
	};
	enum replacement_result result;

	fault[0] = '\0';
	if (count > REPLACEMENT_FILES_MAX)
		return REPLACEMENT_FAILED;
	for (size_t i = 0; i < count; i++)
		transaction.files[i] = (struct staged){ .file = &files[i], .fd = -1 };
	if (stage_all(&transaction) < 0)
		return roll_back(&transaction, REPLACEMENT_FAILED);
	result = replace_staged(&transaction);
	return result == REPLACEMENT_DONE ? result : roll_back(&transaction, result);
}
