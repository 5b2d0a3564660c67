/*
 * Copies a database that is in use. See store_copy.h. SQLite itself could not read it: the daemon holds its lock for as
 * long as it runs. A copy is whole when neither the database nor its write-ahead log changed meanwhile; SQLite's own
 * check of the copy has the last word.
 */
#include "provisiond/store_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

#define TRIES 20
#define PAUSE_MS 25 /* a daemon that is busy writes for longer than that only when its disk is full of work */
#define NAME "accounts.db"

/* The folder, the database in it, and the files that SQLite may make beside it. */
struct place {
	char folder[PATH_MAX - 64];
	char database[PATH_MAX];
};

static bool make_place(const char *below, struct place *ret_place)
{
	struct place place = { 0 };
	int n = snprintf(place.folder, sizeof(place.folder), "%s/provisiond-copy-XXXXXX", below);

	if (n < 0 || (size_t)n >= sizeof(place.folder) || !mkdtemp(place.folder))
		return false;
	(void)snprintf(place.database, sizeof(place.database), "%s/" NAME, place.folder);
	*ret_place = place;
	return true;
}

static void remove_place(const struct place *place)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char path[PATH_MAX + 16];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", place->database, ends[i]);
		(void)unlink(path);
	}
	(void)rmdir(place->folder);
}

/* 0 or -errno. */
static int copy_bytes(int from, int to)
{
	char buffer[64 * 1024];

	for (;;) {
		ssize_t n = read(from, buffer, sizeof(buffer)), written = 0;

		if (n == 0)
			return 0;
		while (n > 0 && written < n) {
			ssize_t more = write(to, buffer + written, (size_t)(n - written));

			if (more < 0 && errno != EINTR)
				return -errno;
			written += more > 0 ? more : 0;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/* A missing file is copied by removing what an earlier try left. 0 or -errno. */
static int copy_file(const char *from_path, const char *to_path)
{
	_cleanup_fd_ int from = open(from_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_fd_ int to = -1;

	if (from < 0 && errno == ENOENT)
		return unlink(to_path) == 0 || errno == ENOENT ? 0 : -errno;
	if (from < 0)
		return -errno;
	to = open(to_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	return to < 0 ? -errno : copy_bytes(from, to);
}

/* What would be different had the file been written to. */
struct version {
	bool there;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

static struct version version_of(const char *path)
{
	struct version version;
	struct stat st;

	memset(&version, 0, sizeof(version));
	if (lstat(path, &st) != 0)
		return version;
	version.there = true;
	version.inode = st.st_ino;
	version.size = st.st_size;
	version.modified = st.st_mtim;
	return version;
}

static bool same_version(const struct version *one, const struct version *other)
{
	return one->there == other->there && one->inode == other->inode && one->size == other->size &&
	       one->modified.tv_sec == other->modified.tv_sec && one->modified.tv_nsec == other->modified.tv_nsec;
}

/* 0, -EAGAIN when it was written to meanwhile, or -errno. */
static int copy_once(const char *database, const char *log, const struct place *place)
{
	const struct version database_before = version_of(database), log_before = version_of(log);
	char copied_log[PATH_MAX + 16];
	struct version database_after, log_after;
	int copied = copy_file(database, place->database);

	(void)snprintf(copied_log, sizeof(copied_log), "%s-wal", place->database);
	if (copied == 0)
		copied = copy_file(log, copied_log);
	database_after = version_of(database);
	log_after = version_of(log);
	if (copied == 0 && (!same_version(&database_before, &database_after) || !same_version(&log_before, &log_after)))
		return -EAGAIN;
	return copied;
}

static int copy_whole(const char *database, const struct place *place)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	char log[PATH_MAX + 16];
	int copied = -EAGAIN;

	(void)snprintf(log, sizeof(log), "%s-wal", database);
	for (int i = 0; i < TRIES && copied == -EAGAIN; i++) {
		if (i > 0)
			(void)nanosleep(&pause, NULL);
		copied = copy_once(database, log, place);
	}
	return copied;
}

struct store *store_open_copy(const char *path, const char *place_path, char *fault, size_t fault_size)
{
	struct store *store = NULL;
	struct place place = { 0 };
	int copied;

	if (!make_place(place_path, &place)) {
		(void)snprintf(fault, fault_size, "no folder for a copy of the database can be made in %s: %s",
			       place_path, strerror(errno));
		return NULL;
	}
	copied = copy_whole(path, &place);
	if (copied == 0)
		store = store_open(place.database, fault, fault_size);
	else
		(void)snprintf(fault, fault_size, "the database %s cannot be copied to be read: %s", path,
			       copied == -EAGAIN ? "it is being written to all the time; try again"
						 : strerror(-copied));
	/* What is open stays so. */
	remove_place(&place);
	return store;
}
