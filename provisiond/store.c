/*
 * Keeps the accounts in SQLite. Statements are prepared once, at opening.
 *
 * For power cuts: write-ahead logging with synchronous=FULL. A commit appends to the log and syncs it once; whatever a
 * cut leaves half-written at the log's end fails its checksum and is not there at the next start.
 * locking_mode=EXCLUSIVE keeps the log's index in this process's memory: there is no shared-memory file that a full
 * disk could tear from under a mapping, and no second daemon can write beside this one. The log is moved into the
 * database every 64 pages and then written from its start again, so that a small database stays small.
 */
#include "provisiond/store.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SCHEMA_VERSION 1
#define APPLICATION_ID 0x706f6964 /* "poid", so that file(1) and we know it for ours */
#define BUSY_TIMEOUT_MS 2000      /* for a daemon that is just ending */

static const char schema[] =
	"CREATE TABLE accounts ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" uid INTEGER NOT NULL UNIQUE CHECK (typeof(uid) = 'integer' AND uid BETWEEN 1000 AND 4294967294),"
	" gid INTEGER NOT NULL CHECK (typeof(gid) = 'integer' AND gid BETWEEN 1000 AND 4294967294),"
	" tenant TEXT NOT NULL,"
	" issuer TEXT NOT NULL,"
	" subject TEXT NOT NULL,"
	" email TEXT NOT NULL,"
	" full_name TEXT NOT NULL,"
	" home TEXT NOT NULL,"
	" shell TEXT NOT NULL,"
	" state TEXT NOT NULL CHECK (state IN ('creating', 'incomplete', 'active', 'deactivated', 'removed')),"
	" created_at INTEGER NOT NULL,"
	" last_signin_at INTEGER NOT NULL,"
	" UNIQUE (issuer, subject));"
	"CREATE INDEX accounts_email ON accounts (tenant, lower(email));"
	"CREATE INDEX accounts_creating ON accounts (name) WHERE state = 'creating';"
	"CREATE TABLE reservations ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" uid INTEGER NOT NULL UNIQUE CHECK (typeof(uid) = 'integer' AND uid BETWEEN 1000 AND 4294967294),"
	" reserved_at INTEGER NOT NULL);"
	"PRAGMA application_id = 1886349668;"
	"PRAGMA user_version = 1;";

_Static_assert(APPLICATION_ID == 1886349668 && SCHEMA_VERSION == 1, "the schema's last lines say the same");

#define COLUMNS \
	"name, uid, gid, tenant, issuer, subject, email, full_name, home, shell, state, created_at, last_signin_at"

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	BY_NAME,
	BY_UID,
	BY_SUBJECT,
	BY_EMAIL,
	AFTER,
	CREATING_AFTER,
	RESERVED_UID,
	UID_RESERVED_FOR,
	ADD,
	FORGET_CREATING,
	SET_STATE,
	NOTE_SIGNIN,
	STATEMENT_COUNT
};

static const char *const statement_texts[] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[BY_NAME] = "SELECT " COLUMNS " FROM accounts WHERE name = ?",
	[BY_UID] = "SELECT " COLUMNS " FROM accounts WHERE uid = ?",
	[BY_SUBJECT] = "SELECT " COLUMNS " FROM accounts WHERE issuer = ? AND subject = ?",
	[BY_EMAIL] =
		"SELECT " COLUMNS " FROM accounts WHERE tenant = ? AND lower(email) = lower(?) AND state != 'removed'"
		" ORDER BY last_signin_at DESC, name LIMIT 1",
	[AFTER] = "SELECT " COLUMNS " FROM accounts WHERE name > ? ORDER BY name LIMIT 1",
	[CREATING_AFTER] =
		"SELECT " COLUMNS " FROM accounts WHERE state = 'creating' AND name > ? ORDER BY name LIMIT 1",
	[RESERVED_UID] = "SELECT uid FROM reservations WHERE name = ?",
	[UID_RESERVED_FOR] = "SELECT name FROM reservations WHERE uid = ?",
	[ADD] = "INSERT INTO accounts (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[FORGET_CREATING] = "DELETE FROM accounts WHERE name = ? AND state = 'creating'",
	[SET_STATE] = "UPDATE accounts SET state = ? WHERE name = ?",
	[NOTE_SIGNIN] = "UPDATE accounts SET email = ?, full_name = ?, last_signin_at = ? WHERE name = ?",
};

_Static_assert(sizeof(statement_texts) / sizeof(statement_texts[0]) == STATEMENT_COUNT, "every statement has its text");

struct store {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	bool unbound; /* the statement in use lacks a value: there was no memory for it */
	char fault[256];
};

static void note_fault(struct store *store)
{
	(void)snprintf(store->fault, sizeof(store->fault), "%s",
		       store->unbound ? "out of memory" : sqlite3_errmsg(store->database));
}

const char *store_fault(const struct store *store)
{
	return store->fault;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (int i = 0; i < STATEMENT_COUNT; i++)
		(void)sqlite3_finalize(store->statements[i]);
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

static int read_number(sqlite3 *database, const char *query, long long *ret_number)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(database, query, -1, &statement, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		*ret_number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return result == SQLITE_ROW ? SQLITE_OK : result;
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
			    "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 64;",
			    NULL, NULL, NULL);
}

/* Makes the tables in an empty database, and knows older and newer ones by their version. */
static int adopt_schema(sqlite3 *database, bool *ret_foreign)
{
	long long version = 0, application = 0, tables = 0;
	int result = read_number(database, "PRAGMA user_version", &version);

	if (result == SQLITE_OK)
		result = read_number(database, "PRAGMA application_id", &application);
	if (result == SQLITE_OK)
		result = read_number(database, "SELECT count(*) FROM sqlite_master", &tables);
	if (result != SQLITE_OK)
		return result;
	if (version == 0 && application == 0 && tables == 0) {
		result = sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		if (result == SQLITE_OK)
			result = sqlite3_exec(database, schema, NULL, NULL, NULL);
		return result == SQLITE_OK ? sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) : result;
	}
	*ret_foreign = version != SCHEMA_VERSION || application != APPLICATION_ID;
	return SQLITE_OK;
}

static int prepare_all(struct store *store)
{
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		int result = sqlite3_prepare_v3(store->database, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
						&store->statements[i], NULL);

		if (result != SQLITE_OK)
			return result;
	}
	return SQLITE_OK;
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
	result = sqlite3_open_v2(path, &store->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (result == SQLITE_OK)
		result = set_up_connection(store->database);
	if (result == SQLITE_OK)
		result = adopt_schema(store->database, &foreign);
	if (result == SQLITE_OK && !foreign)
		result = check_whole(store->database);
	if (result == SQLITE_OK && !foreign)
		result = prepare_all(store);
	if (result != SQLITE_OK || foreign) {
		explain(store, path, result, foreign, fault, fault_size);
		return NULL;
	}
	return take_pointer(store);
}

/* ---- asking ---- */

static sqlite3_stmt *prepared(struct store *store, enum statement which)
{
	sqlite3_stmt *statement = store->statements[which];

	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	store->unbound = false;
	return statement;
}

/* Strings live until the statement's next use, and so do the callers': none is copied. */
static void bind_text(struct store *store, sqlite3_stmt *statement, int at, const char *text)
{
	store->unbound |= sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC) != SQLITE_OK;
}

static void bind_number(struct store *store, sqlite3_stmt *statement, int at, int64_t number)
{
	store->unbound |= sqlite3_bind_int64(statement, at, number) != SQLITE_OK;
}

/* No column may be NULL: this is NULL for want of memory only. */
static const char *column_text(sqlite3_stmt *statement, int at)
{
	return (const char *)sqlite3_column_text(statement, at);
}

/* A question with a value missing would be another question. */
static int step_bound(const struct store *store, sqlite3_stmt *statement)
{
	return store->unbound ? SQLITE_NOMEM : sqlite3_step(statement);
}

static void note_unreadable(struct store *store)
{
	(void)snprintf(store->fault, sizeof(store->fault), "a row could not be read");
}

/* Steps once. STORE_FOUND leaves the row to be read; the caller resets. */
static enum store_answer step(struct store *store, sqlite3_stmt *statement)
{
	int result = step_bound(store, statement);

	if (result == SQLITE_ROW)
		return STORE_FOUND;
	if (result != SQLITE_DONE)
		note_fault(store);
	(void)sqlite3_reset(statement);
	return result == SQLITE_DONE ? STORE_NONE : STORE_FAILED;
}

static bool texts_are_there(sqlite3_stmt *statement)
{
	static const int texts[] = { 0, 3, 4, 5, 6, 7, 8, 9, 10 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!column_text(statement, texts[i]))
			return false;
	return true;
}

static enum store_answer read_record(struct store *store, sqlite3_stmt *statement, struct account_record *ret_record)
{
	enum store_answer answer = step(store, statement);
	struct account_record row;

	if (answer != STORE_FOUND)
		return answer;
	if (!texts_are_there(statement)) {
		note_unreadable(store);
		(void)sqlite3_reset(statement);
		return STORE_FAILED;
	}
	row = (struct account_record){
		.name = column_text(statement, 0),
		.uid = (uid_t)sqlite3_column_int64(statement, 1),
		.gid = (gid_t)sqlite3_column_int64(statement, 2),
		.tenant = column_text(statement, 3),
		.issuer = column_text(statement, 4),
		.subject = column_text(statement, 5),
		.email = column_text(statement, 6),
		.full_name = column_text(statement, 7),
		.home = column_text(statement, 8),
		.shell = column_text(statement, 9),
		.created_at = sqlite3_column_int64(statement, 11),
		.last_signin_at = sqlite3_column_int64(statement, 12),
	};
	if (!account_state_from_name(column_text(statement, 10), &row.state) ||
	    account_record_copy(&row, ret_record) != 0) {
		note_unreadable(store);
		answer = STORE_FAILED;
	}
	(void)sqlite3_reset(statement);
	return answer;
}

enum store_answer store_account_by_name(struct store *store, const char *name, struct account_record *ret_record)
{
	sqlite3_stmt *statement = prepared(store, BY_NAME);

	bind_text(store, statement, 1, name);
	return read_record(store, statement, ret_record);
}

enum store_answer store_account_by_uid(struct store *store, uid_t uid, struct account_record *ret_record)
{
	sqlite3_stmt *statement = prepared(store, BY_UID);

	bind_number(store, statement, 1, uid);
	return read_record(store, statement, ret_record);
}

enum store_answer store_account_by_subject(struct store *store, const char *issuer, const char *subject,
					   struct account_record *ret_record)
{
	sqlite3_stmt *statement = prepared(store, BY_SUBJECT);

	bind_text(store, statement, 1, issuer);
	bind_text(store, statement, 2, subject);
	return read_record(store, statement, ret_record);
}

enum store_answer store_account_by_email(struct store *store, const char *tenant, const char *email,
					 struct account_record *ret_record)
{
	sqlite3_stmt *statement = prepared(store, BY_EMAIL);

	bind_text(store, statement, 1, tenant);
	bind_text(store, statement, 2, email);
	return read_record(store, statement, ret_record);
}

enum store_answer store_account_after(struct store *store, const char *name, struct account_record *ret_record)
{
	sqlite3_stmt *statement = prepared(store, AFTER);

	bind_text(store, statement, 1, name);
	return read_record(store, statement, ret_record);
}

enum store_answer store_account_creating_after(struct store *store, const char *name, struct account_record *ret_record)
{
	sqlite3_stmt *statement = prepared(store, CREATING_AFTER);

	bind_text(store, statement, 1, name);
	return read_record(store, statement, ret_record);
}

enum store_answer store_reserved_uid(struct store *store, const char *name, uid_t *ret_uid)
{
	sqlite3_stmt *statement = prepared(store, RESERVED_UID);
	enum store_answer answer;

	bind_text(store, statement, 1, name);
	answer = step(store, statement);
	if (answer == STORE_FOUND) {
		*ret_uid = (uid_t)sqlite3_column_int64(statement, 0);
		(void)sqlite3_reset(statement);
	}
	return answer;
}

enum store_answer store_uid_reserved_for(struct store *store, uid_t uid, char *ret_name, size_t size)
{
	sqlite3_stmt *statement = prepared(store, UID_RESERVED_FOR);
	enum store_answer answer;

	bind_number(store, statement, 1, uid);
	answer = step(store, statement);
	if (answer == STORE_FOUND) {
		const char *name = column_text(statement, 0);

		if (name)
			(void)snprintf(ret_name, size, "%s", name);
		else
			note_unreadable(store);
		(void)sqlite3_reset(statement);
		return name ? STORE_FOUND : STORE_FAILED;
	}
	return answer;
}

/* ---- changing ---- */

static int run(struct store *store, sqlite3_stmt *statement)
{
	int result = step_bound(store, statement);

	if (result != SQLITE_DONE)
		note_fault(store);
	(void)sqlite3_reset(statement);
	if (result == SQLITE_DONE)
		return 0;
	return (result & 0xff) == SQLITE_CONSTRAINT ? -EEXIST : -EIO;
}

int store_begin(struct store *store)
{
	return run(store, prepared(store, BEGIN)) == 0 ? 0 : -EIO;
}

int store_commit(struct store *store)
{
	char fault[sizeof(store->fault)];

	if (run(store, prepared(store, COMMIT)) == 0)
		return 0;
	(void)memcpy(fault, store->fault, sizeof(fault));
	store_rollback(store);
	(void)memcpy(store->fault, fault, sizeof(fault));
	return -EIO;
}

void store_rollback(struct store *store)
{
	/* SQLite has rolled back by itself after some errors. */
	if (!sqlite3_get_autocommit(store->database))
		(void)run(store, prepared(store, ROLLBACK));
}

int store_add(struct store *store, const struct account_record *record)
{
	sqlite3_stmt *statement = prepared(store, ADD);

	bind_text(store, statement, 1, record->name);
	bind_number(store, statement, 2, record->uid);
	bind_number(store, statement, 3, record->gid);
	bind_text(store, statement, 4, record->tenant);
	bind_text(store, statement, 5, record->issuer);
	bind_text(store, statement, 6, record->subject);
	bind_text(store, statement, 7, record->email);
	bind_text(store, statement, 8, record->full_name);
	bind_text(store, statement, 9, record->home);
	bind_text(store, statement, 10, record->shell);
	bind_text(store, statement, 11, account_state_name(record->state));
	bind_number(store, statement, 12, record->created_at);
	bind_number(store, statement, 13, record->last_signin_at);
	return run(store, statement);
}

int store_forget_creating(struct store *store, const char *name)
{
	sqlite3_stmt *statement = prepared(store, FORGET_CREATING);

	bind_text(store, statement, 1, name);
	return run(store, statement);
}

int store_set_state(struct store *store, const char *name, enum account_state state)
{
	sqlite3_stmt *statement = prepared(store, SET_STATE);

	bind_text(store, statement, 1, account_state_name(state));
	bind_text(store, statement, 2, name);
	return run(store, statement);
}

int store_note_signin(struct store *store, const char *name, const char *email, const char *full_name, int64_t now)
{
	sqlite3_stmt *statement = prepared(store, NOTE_SIGNIN);

	bind_text(store, statement, 1, email);
	bind_text(store, statement, 2, full_name);
	bind_number(store, statement, 3, now);
	bind_text(store, statement, 4, name);
	return run(store, statement);
}
