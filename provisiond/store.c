/*
 * Opens and closes the database.
 *
 * For power cuts: write-ahead logging with synchronous=FULL. A commit appends to the log and syncs it once; whatever a
 * cut leaves half-written at the log's end fails its checksum and is not there at the next start.
 * locking_mode=EXCLUSIVE keeps the log's index in this process's memory: there is no shared-memory file that a full
 * disk could tear from under a mapping, and no second daemon can write beside this one. The log is moved into the
 * database every 256 pages and then written from its start again, so that a small database stays small.
 */
#include "provisiond/store_statements.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "provisiond/store_schema.h"

#define BUSY_TIMEOUT_MS 2000 /* for a daemon that is just ending */

const char *store_fault(const struct store *store)
{
	return store->fault;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_finalize(store);
	(void)sqlite3_close(store->database);
	free(store);
}

static void cleanup_store(struct store *const *store)
{
	store_close(*store);
}

/* ---- opening ---- */

static bool folder_is_kept(const char *path, char *fault, size_t size)
{
	char copy[PATH_MAX];
	struct stat st;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy)) {
		(void)snprintf(fault, size, "the database's path is too long");
		return false;
	}
	if (lstat(dirname(copy), &st) != 0) {
		(void)snprintf(fault, size, "the folder of %s cannot be examined: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		(void)snprintf(
			fault, size,
			"the folder of %s must be a real one that only root can write to (chown root, chmod 0700)",
			path);
		return false;
	}
	return true;
}

/* Makes the file when it is missing, and judges what was opened. SQLite opens it again by its name: nobody else can
 * write to the folder. */
static bool file_is_kept(const char *path, char *fault, size_t size)
{
	_cleanup_fd_ int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	const char *wrong = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)snprintf(fault, size, "the database %s cannot be opened: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		wrong = "must be a regular file with one name";
	else if (st.st_uid != geteuid())
		wrong = "must belong to root (chown root)";
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		wrong = "must be closed to group and others (chmod 0600)";
	if (wrong)
		(void)snprintf(fault, size, "the database %s %s", path, wrong);
	return !wrong;
}

static int check_whole(sqlite3 *database)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(database, "PRAGMA integrity_check(1)", -1, &statement, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	if (result == SQLITE_ROW) {
		const unsigned char *verdict = sqlite3_column_text(statement, 0);

		result = verdict && strcmp((const char *)verdict, "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
	}
	(void)sqlite3_finalize(statement);
	return result;
}

static int set_up_connection(sqlite3 *database)
{
	(void)sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS);
	(void)sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
	return sqlite3_exec(database,
			    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
			    "PRAGMA cache_size = -512; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
			    "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 256; PRAGMA foreign_keys = ON;",
			    NULL, NULL, NULL);
}

/* One sentence for the admin about why the database did not open. */
static void explain(const struct store *store, const char *path, int result, bool foreign, char *fault, size_t size)
{
	if (foreign)
		(void)snprintf(fault, size,
			       "the database %s was written by another program or a newer provisiond; install that "
			       "one, or put the right file in its place",
			       path);
	else if ((result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB)
		(void)snprintf(fault, size,
			       "the database %s is damaged (%s); restore it from a backup, and do not delete it: it "
			       "says which uid is whose",
			       path, sqlite3_errstr(result));
	else if ((result & 0xff) == SQLITE_BUSY || (result & 0xff) == SQLITE_LOCKED)
		(void)snprintf(fault, size,
			       "the database %s is in use by another provisiond or by a person with a database tool; "
			       "end that first",
			       path);
	else
		(void)snprintf(fault, size, "the database %s cannot be used: %s", path,
			       store->database ? sqlite3_errmsg(store->database) : sqlite3_errstr(result));
}

struct store *store_open(const char *path, char *fault, size_t fault_size)
{
	_cleanup_(cleanup_store) struct store *store = calloc(1, sizeof(*store));
	bool foreign = false;
	int result;

	if (!store) {
		(void)snprintf(fault, fault_size, "out of memory");
		return NULL;
	}
	if (!folder_is_kept(path, fault, fault_size) || !file_is_kept(path, fault, fault_size))
		return NULL;
	/* Only one thread ever uses it. Too late after the first time, which is as good. */
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	result = sqlite3_open_v2(path, &store->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (result == SQLITE_OK)
		result = set_up_connection(store->database);
	if (result == SQLITE_OK)
		result = check_whole(store->database);
	if (result == SQLITE_OK)
		result = store_adopt_schema(store->database, &foreign);
	if (result == SQLITE_OK && !foreign)
		result = store_prepare(store);
	if (result != SQLITE_OK || foreign) {
		explain(store, path, result, foreign, fault, fault_size);
		return NULL;
	}
	return take_pointer(store);
}
