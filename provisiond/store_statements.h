/*
 * The store's inside: its statements, and how they are asked, run and made one change. Only the store's files include
 * this; SQLite is known to no others.
 */
#ifndef PROVISIOND_STORE_STATEMENTS_H
#define PROVISIOND_STORE_STATEMENTS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "provisiond/store.h"

enum store_statement {
	STORE_BEGIN,
	STORE_COMMIT,
	STORE_ROLLBACK,
	STORE_SAVE,
	STORE_RELEASE,
	STORE_BACK_TO_SAVED,

	ACCOUNT_BY_NAME,
	ACCOUNT_BY_UID,
	ACCOUNT_BY_SUBJECT,
	ACCOUNT_BY_EMAIL,
	ACCOUNT_AFTER,
	ACCOUNT_CREATING_AFTER,
	ACCOUNT_LINKED_AFTER,
	ACCOUNT_IDLE_AFTER,
	ACCOUNT_COUNT,
	ACCOUNT_ADD,
	ACCOUNT_ALTER,
	ACCOUNT_RESTORE,
	ACCOUNT_REVIVE,
	ACCOUNT_UNREVIVE,
	ACCOUNT_FORGET_CREATING,
	ACCOUNT_DELETE,
	ACCOUNT_SET_STATE,
	ACCOUNT_REACH_STATE,
	ACCOUNT_NOTE_SIGNIN,
	ACCOUNT_NOTE_REFUSAL,
	ACCOUNT_NOTE_SESSIONS_ENDED,

	CHANGE_OF,
	CHANGE_AFTER,
	CHANGE_ADD,
	CHANGE_END,
	CHANGE_DROP,

	EXPECTED_NAMED,
	EXPECTED_BY_EMAIL,
	EXPECTED_AFTER,
	EXPECTED_FORGET_OVER,
	EXPECTED_ADD_OR_REPLACE,
	EXPECTED_FORGET,
	EXPECTED_TAKE,
	EXPECTED_GIVE_BACK,
	EXPECTED_FORGET_TAKEN,

	RESERVED_UID,
	UID_RESERVED_FOR,
	UID_RESERVE,
	FORMER_ADD,
	FORMER_UID,
	FORMER_SUBJECT,
	HIGHEST_SUBID,

	STORE_STATEMENT_COUNT
};

struct store {
	sqlite3 *database;
	sqlite3_stmt *statements[STORE_STATEMENT_COUNT];
	bool begun;   /* between store_begin() and its end */
	bool lazy;    /* commits do not wait for the disk */
	bool unbound; /* the statement in use lacks a value: there was no memory for it */
	char fault[256];
};

/* Prepares all statements once. SQLITE_OK or SQLite's error. */
int store_prepare(struct store *store);
void store_finalize(struct store *store);

/* ---- one statement ---- */

/* The statement, ready for its values. Strings are not copied: they must live until it was run, or its row was read. */
sqlite3_stmt *store_statement(struct store *store, enum store_statement which);
/* NULL is bound as "". */
void store_bind_text(struct store *store, sqlite3_stmt *statement, int at, const char *text);
/* NULL is bound as NULL. */
void store_bind_text_or_null(struct store *store, sqlite3_stmt *statement, int at, const char *text);
void store_bind_number(struct store *store, sqlite3_stmt *statement, int at, int64_t number);

/* Asks. After STORE_FOUND the row is there to be read, and the caller resets the statement. */
enum store_answer store_step(struct store *store, sqlite3_stmt *statement);
/* NULL only for want of memory, in a column that is never NULL. */
const char *store_column_text(sqlite3_stmt *statement, int at);
/* Ends the reading of a row that lacked memory or made no sense. STORE_FAILED, with its fault. */
enum store_answer store_unreadable(struct store *store, sqlite3_stmt *statement);

/* Asks for one number or name, and reads it. */
enum store_answer store_ask_number(struct store *store, sqlite3_stmt *statement, int64_t *ret_number);
enum store_answer store_ask_name(struct store *store, sqlite3_stmt *statement, char *ret_name, size_t size);

/* Runs what gives no rows. 0, -EEXIST when a rule of the schema forbids it, or -EIO. */
int store_run(struct store *store, sqlite3_stmt *statement);
/* The same where no rule can forbid anything. 0 or -EIO. */
int store_run_freely(struct store *store, sqlite3_stmt *statement);
/* What store_fault() says from now on. */
void store_note(struct store *store, const char *fault);
/* Whether the statement that was run last changed a row. */
bool store_rows_changed(const struct store *store);
/* The name is the only value. */
int store_run_for(struct store *store, enum store_statement which, const char *name);

/* ---- several statements as one change, inside of store_begin() and store_commit() or not ---- */

/* 0 or -EIO. */
int store_enter(struct store *store);
/* With result 0, keeps what was done since (and commits it, unless within store_begin()): 0 or -EIO. Otherwise undoes
 * it, keeps the fault, and returns the result. What cannot be undone takes all that was done since store_begin() with
 * it. */
int store_leave(struct store *store, int result);

/* ---- what the store's files ask of each other ---- */

#define ACCOUNT_COLUMN_COUNT 28

/* Reads the account that a row of the statement begins with; the strings live until it is stepped or reset. False when
 * it cannot be read. */
bool store_read_account(sqlite3_stmt *statement, struct account_record *ret_record);
/* Binds the values 1 to ACCOUNT_COLUMN_COUNT. */
void store_bind_account(struct store *store, sqlite3_stmt *statement, const struct account_record *record);

#endif
