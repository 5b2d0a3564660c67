/*
 * The store's statements, prepared once, at opening, and the ways to ask and run them.
 */
#include "provisiond/store_statements.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */

/* In the order of the values 1 to ACCOUNT_COLUMN_COUNT. */
#define ACCOUNT_COLUMNS \
	"name, uid, gid, tenant, issuer, subject, email, full_name, home, shell, state, created_at, last_signin_at," \
	" room, groups_given, first_subid, linked, gecos_before, ageing_before, expiry_before, expiry_given, locked," \
	" revived, state_at, sessions_ended_at, refusal, refused_at, groups_taken"
#define ACCOUNT_VALUES \
	"?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23," \
	" ?24, ?25, ?26, ?27, ?28"
/* All but who it is: name, uid, issuer and subject. */
#define SET_ALTERABLE \
	"gid = ?3, tenant = ?4, email = ?7, full_name = ?8, home = ?9, shell = ?10, state = ?11, created_at = ?12," \
	" last_signin_at = ?13, room = ?14, groups_given = ?15, first_subid = ?16, linked = ?17, gecos_before = ?18," \
	" ageing_before = ?19, expiry_before = ?20, expiry_given = ?21, locked = ?22, revived = ?23, state_at = ?24," \
	" sessions_ended_at = ?25, refusal = ?26, refused_at = ?27, groups_taken = ?28"
#define FROM_ACCOUNTS "SELECT " ACCOUNT_COLUMNS " FROM accounts "

/* The changes lead: there are few. */
#define FROM_CHANGES \
	"SELECT " ACCOUNT_COLUMNS ", kind, state_after, gecos, locks, ageing, expiry, groups_in, groups_out," \
	" end_sessions, home_fate, home_to, next_uid FROM changes CROSS JOIN accounts ON accounts.name = account "

#define FROM_EXPECTED \
	"SELECT name, kind, tenant, email, subject, uid, made_at, expires_at FROM expected WHERE taken = 0 AND "

/* clang-format on */

static const char *const texts[] = {
	[STORE_BEGIN] = "BEGIN IMMEDIATE",
	[STORE_COMMIT] = "COMMIT",
	[STORE_ROLLBACK] = "ROLLBACK",
	[STORE_SAVE] = "SAVEPOINT change",
	[STORE_RELEASE] = "RELEASE change",
	[STORE_BACK_TO_SAVED] = "ROLLBACK TO change",

	[ACCOUNT_BY_NAME] = FROM_ACCOUNTS "WHERE name = ?",
	[ACCOUNT_BY_UID] = FROM_ACCOUNTS "WHERE uid = ?",
	[ACCOUNT_BY_SUBJECT] = FROM_ACCOUNTS "WHERE issuer = ? AND subject = ?",
	[ACCOUNT_BY_EMAIL] = FROM_ACCOUNTS "WHERE tenant = ? AND lower(email) = lower(?) AND state != 'removed'"
					   " ORDER BY last_signin_at DESC, name LIMIT 1",
	[ACCOUNT_AFTER] = FROM_ACCOUNTS "WHERE name > ? ORDER BY name LIMIT 1",
	[ACCOUNT_CREATING_AFTER] = FROM_ACCOUNTS "INDEXED BY accounts_creating"
						 " WHERE state = 'creating' AND name > ? ORDER BY name LIMIT 1",
	[ACCOUNT_LINKED_AFTER] = FROM_ACCOUNTS "INDEXED BY accounts_linked"
					       " WHERE linked = 1 AND name > ? ORDER BY name LIMIT 1",
	[ACCOUNT_IDLE_AFTER] = FROM_ACCOUNTS "INDEXED BY accounts_idle WHERE state = 'active' AND name > ?"
					     " AND last_signin_at < ? AND sessions_ended_at <= last_signin_at"
					     " ORDER BY name LIMIT 1",
	[ACCOUNT_ADD] = "INSERT INTO accounts (" ACCOUNT_COLUMNS ") VALUES (" ACCOUNT_VALUES ")",
	/* In the order of enum account_state, and then who is expected. */
	[ACCOUNT_COUNT] = "SELECT count(*) FILTER (WHERE state = 'creating'),"
			  " count(*) FILTER (WHERE state = 'incomplete'), count(*) FILTER (WHERE state = 'active'),"
			  " count(*) FILTER (WHERE state = 'deactivated'), count(*) FILTER (WHERE state = 'removed'),"
			  " (SELECT count(*) FROM expected WHERE taken = 0) FROM accounts",
	[ACCOUNT_ALTER] = "UPDATE accounts SET " SET_ALTERABLE
			  " WHERE name = ?1 AND uid = ?2 AND issuer = ?5 AND subject = ?6 AND state != 'creating'",
	[ACCOUNT_RESTORE] =
		"UPDATE accounts SET " SET_ALTERABLE " WHERE name = ?1 AND uid = ?2 AND issuer = ?5 AND subject = ?6",
	[ACCOUNT_REVIVE] = "UPDATE accounts SET name = ?1, " SET_ALTERABLE
			   " WHERE uid = ?2 AND issuer = ?5 AND subject = ?6 AND state = 'removed'"
			   " AND NOT EXISTS (SELECT 1 FROM changes WHERE account = accounts.name)",
	[ACCOUNT_UNREVIVE] = "UPDATE accounts SET state = 'removed', revived = 0"
			     " WHERE name = ? AND state = 'creating' AND revived = 1",
	[ACCOUNT_FORGET_CREATING] = "DELETE FROM accounts WHERE name = ? AND state = 'creating' AND revived = 0",
	[ACCOUNT_DELETE] = "DELETE FROM accounts WHERE name = ?",
	[ACCOUNT_SET_STATE] = "UPDATE accounts SET state = ?2, revived = revived AND ?2 = 'creating' WHERE name = ?1",
	[ACCOUNT_REACH_STATE] =
		"UPDATE accounts SET state_at = CASE state WHEN ?2 THEN state_at ELSE ?3 END, state = ?2"
		" WHERE name = ?1",
	[ACCOUNT_NOTE_SIGNIN] = "UPDATE accounts SET email = ?2, full_name = ?3, last_signin_at = ?4 WHERE name = ?1",
	[ACCOUNT_NOTE_REFUSAL] = "UPDATE accounts SET refusal = ?2, refused_at = ?3 WHERE name = ?1",
	[ACCOUNT_NOTE_SESSIONS_ENDED] = "UPDATE accounts SET sessions_ended_at = ?2 WHERE name = ?1",

	[CHANGE_OF] = FROM_CHANGES "WHERE account = ?",
	[CHANGE_AFTER] = FROM_CHANGES "WHERE account > ? ORDER BY account LIMIT 1",
	[CHANGE_ADD] = "INSERT INTO changes (account, kind, state_after, gecos, locks, ageing, expiry, groups_in,"
		       " groups_out, end_sessions, home_fate, home_to, next_uid)"
		       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[CHANGE_END] = "DELETE FROM changes WHERE account = ? AND kind = ?",
	/* Only the account that a link has brought may go with it. */
	[CHANGE_DROP] = "DELETE FROM changes WHERE account = ? AND (kind = 'link') = ?",

	[EXPECTED_NAMED] = FROM_EXPECTED "name = ?",
	[EXPECTED_BY_EMAIL] = FROM_EXPECTED "tenant = ? AND lower(email) = lower(?)",
	[EXPECTED_AFTER] = FROM_EXPECTED "name > ? ORDER BY name LIMIT 1",
	[EXPECTED_FORGET_OVER] = "DELETE FROM expected WHERE tenant = ? AND lower(email) = lower(?)"
				 " AND expires_at BETWEEN 1 AND ? AND taken = 0",
	[EXPECTED_ADD_OR_REPLACE] =
		"INSERT INTO expected (name, kind, tenant, email, subject, uid, made_at, expires_at, taken)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)"
		" ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, tenant = excluded.tenant,"
		" email = excluded.email, subject = excluded.subject, uid = excluded.uid, made_at = excluded.made_at,"
		" expires_at = excluded.expires_at, taken = 0",
	[EXPECTED_FORGET] = "DELETE FROM expected WHERE name = ?",
	[EXPECTED_TAKE] = "UPDATE expected SET taken = 1 WHERE name = ?",
	[EXPECTED_GIVE_BACK] = "UPDATE expected SET taken = 0 WHERE name = ?",
	[EXPECTED_FORGET_TAKEN] = "DELETE FROM expected WHERE name = ? AND taken = 1",

	[RESERVED_UID] = "SELECT uid FROM reservations WHERE name = ?",
	/* A name's next uid is its from the moment that its reassignment is begun. */
	[UID_RESERVED_FOR] = "SELECT name FROM reservations WHERE uid = ?1"
			     " UNION ALL SELECT account FROM changes WHERE next_uid = ?1 LIMIT 1",
	[UID_RESERVE] = "INSERT INTO reservations (name, uid, reserved_at) VALUES (?, ?, ?)"
			" ON CONFLICT (name) DO UPDATE SET uid = excluded.uid, reserved_at = excluded.reserved_at",
	[FORMER_ADD] = "INSERT INTO formers (uid, name, tenant, issuer, subject, email, full_name, home, first_subid,"
		       " created_at, ended_at)"
		       " SELECT uid, name, tenant, issuer, subject, email, full_name, coalesce(?2, home), first_subid,"
		       " created_at, ?3 FROM accounts WHERE name = ?1",
	[FORMER_UID] = "SELECT name FROM formers WHERE uid = ?",
	[FORMER_SUBJECT] =
		"SELECT name FROM formers WHERE issuer = ? AND subject = ? ORDER BY ended_at DESC, uid LIMIT 1",
	[HIGHEST_SUBID] = "SELECT max(coalesce((SELECT max(first_subid) FROM accounts), 0),"
			  " coalesce((SELECT max(first_subid) FROM formers), 0))",
};

_Static_assert(sizeof(texts) / sizeof(texts[0]) == STORE_STATEMENT_COUNT, "every statement has its text");

int store_prepare(struct store *store)
{
	for (int i = 0; i < STORE_STATEMENT_COUNT; i++) {
		int result = sqlite3_prepare_v3(store->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
						&store->statements[i], NULL);

		if (result != SQLITE_OK)
			return result;
	}
	return SQLITE_OK;
}

void store_finalize(struct store *store)
{
	for (int i = 0; i < STORE_STATEMENT_COUNT; i++)
		(void)sqlite3_finalize(store->statements[i]);
}

/* ---- values ---- */

sqlite3_stmt *store_statement(struct store *store, enum store_statement which)
{
	sqlite3_stmt *statement = store->statements[which];

	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	store->unbound = false;
	return statement;
}

void store_bind_text_or_null(struct store *store, sqlite3_stmt *statement, int at, const char *text)
{
	if (text)
		store->unbound |= sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC) != SQLITE_OK;
	else
		store->unbound |= sqlite3_bind_null(statement, at) != SQLITE_OK;
}

void store_bind_text(struct store *store, sqlite3_stmt *statement, int at, const char *text)
{
	store_bind_text_or_null(store, statement, at, text ? text : "");
}

void store_bind_number(struct store *store, sqlite3_stmt *statement, int at, int64_t number)
{
	store->unbound |= sqlite3_bind_int64(statement, at, number) != SQLITE_OK;
}

/* ---- asking ---- */

/* A statement with a value missing would be another one. */
static int step_bound(const struct store *store, sqlite3_stmt *statement)
{
	return store->unbound ? SQLITE_NOMEM : sqlite3_step(statement);
}

void store_note(struct store *store, const char *fault)
{
	(void)snprintf(store->fault, sizeof(store->fault), "%s", fault);
}

static void note_error(struct store *store)
{
	store_note(store, store->unbound ? "out of memory" : sqlite3_errmsg(store->database));
}

enum store_answer store_step(struct store *store, sqlite3_stmt *statement)
{
	int result = step_bound(store, statement);

	if (result == SQLITE_ROW)
		return STORE_FOUND;
	if (result != SQLITE_DONE)
		note_error(store);
	(void)sqlite3_reset(statement);
	return result == SQLITE_DONE ? STORE_NONE : STORE_FAILED;
}

const char *store_column_text(sqlite3_stmt *statement, int at)
{
	return (const char *)sqlite3_column_text(statement, at);
}

enum store_answer store_unreadable(struct store *store, sqlite3_stmt *statement)
{
	store_note(store, "a row could not be read");
	(void)sqlite3_reset(statement);
	return STORE_FAILED;
}

enum store_answer store_ask_number(struct store *store, sqlite3_stmt *statement, int64_t *ret_number)
{
	enum store_answer answer = store_step(store, statement);

	if (answer == STORE_FOUND) {
		*ret_number = sqlite3_column_int64(statement, 0);
		(void)sqlite3_reset(statement);
	}
	return answer;
}

enum store_answer store_ask_name(struct store *store, sqlite3_stmt *statement, char *ret_name, size_t size)
{
	enum store_answer answer = store_step(store, statement);
	const char *name;

	if (answer != STORE_FOUND)
		return answer;
	name = store_column_text(statement, 0);
	if (!name)
		return store_unreadable(store, statement);
	(void)snprintf(ret_name, size, "%s", name);
	(void)sqlite3_reset(statement);
	return STORE_FOUND;
}

/* ---- changing ---- */

/* After some errors (a full disk, no memory) SQLite rolls the whole transaction back by itself. What came after that
 * would be on the disk although store_commit() fails. */
static bool transaction_is_lost(const struct store *store)
{
	return store->begun && sqlite3_get_autocommit(store->database);
}

/* Not a prepared statement: SQLite carries this out while it is prepared. */
static int be_lazy(struct store *store, bool lazy)
{
	if (lazy == store->lazy)
		return 0;
	if (sqlite3_exec(store->database, lazy ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", NULL,
			 NULL, NULL) != SQLITE_OK) {
		store_note(store, sqlite3_errmsg(store->database));
		return -EIO;
	}
	store->lazy = lazy;
	return 0;
}

static int run(struct store *store, sqlite3_stmt *statement)
{
	int result;

	if (transaction_is_lost(store)) {
		store_note(store, "all was rolled back after an earlier error");
		return -EIO;
	}
	result = step_bound(store, statement);
	if (result != SQLITE_DONE)
		note_error(store);
	(void)sqlite3_reset(statement);
	if (result == SQLITE_DONE)
		return 0;
	return (result & 0xff) == SQLITE_CONSTRAINT ? -EEXIST : -EIO;
}

/* A change by itself is a promise, even if it could not be said to SQLite after a lazy one. */
int store_run(struct store *store, sqlite3_stmt *statement)
{
	return store->begun || be_lazy(store, false) == 0 ? run(store, statement) : -EIO;
}

int store_run_freely(struct store *store, sqlite3_stmt *statement)
{
	return store_run(store, statement) == 0 ? 0 : -EIO;
}

bool store_rows_changed(const struct store *store)
{
	return sqlite3_changes(store->database) > 0;
}

int store_run_for(struct store *store, enum store_statement which, const char *name)
{
	sqlite3_stmt *statement = store_statement(store, which);

	store_bind_text(store, statement, 1, name);
	return store_run_freely(store, statement);
}

/* ---- transactions ---- */

static int run_bare(struct store *store, enum store_statement which)
{
	return run(store, store_statement(store, which)) == 0 ? 0 : -EIO;
}

static int begin(struct store *store, bool lazy)
{
	int r = be_lazy(store, lazy);

	if (r == 0)
		r = run_bare(store, STORE_BEGIN);
	if (r == 0)
		store->begun = true;
	return r;
}

int store_begin(struct store *store)
{
	return begin(store, false);
}

int store_begin_lazily(struct store *store)
{
	return begin(store, true);
}

int store_commit(struct store *store)
{
	char fault[sizeof(store->fault)];
	int r = run_bare(store, STORE_COMMIT);

	if (r == 0) {
		store->begun = false;
		(void)be_lazy(store, false);
		return 0;
	}
	(void)memcpy(fault, store->fault, sizeof(fault));
	store_rollback(store);
	(void)memcpy(store->fault, fault, sizeof(fault));
	return r;
}

void store_rollback(struct store *store)
{
	if (!sqlite3_get_autocommit(store->database))
		(void)run_bare(store, STORE_ROLLBACK);
	store->begun = false;
	(void)be_lazy(store, false);
}

int store_enter(struct store *store)
{
	if (!store->begun && be_lazy(store, false) != 0)
		return -EIO;
	return run_bare(store, STORE_SAVE);
}

static void undo(struct store *store)
{
	if (sqlite3_get_autocommit(store->database))
		return; /* SQLite has, all of it */
	if (store->begun && run_bare(store, STORE_BACK_TO_SAVED) == 0 && run_bare(store, STORE_RELEASE) == 0)
		return;
	(void)run_bare(store, STORE_ROLLBACK);
}

int store_leave(struct store *store, int result)
{
	char fault[sizeof(store->fault)];

	if (result == 0) {
		result = run_bare(store, STORE_RELEASE);
		if (result == 0)
			return 0;
	}
	(void)memcpy(fault, store->fault, sizeof(fault));
	undo(store);
	(void)memcpy(store->fault, fault, sizeof(fault));
	return result;
}
