/*
 * The accounts on record: a SQLite database in one file. The only place that knows SQLite.
 *
 * Every change is on disk when its function returns, or, inside store_begin() and store_commit(), when the latter does.
 * Rows are never deleted once an account was usable: a removed account keeps its uid from being given to anybody else.
 */
#ifndef PROVISIOND_STORE_H
#define PROVISIOND_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "provisiond/account_record.h"

struct store;

/* What a look-up found. */
enum store_answer {
	STORE_FOUND,
	STORE_NONE,
	STORE_FAILED, /* the database cannot be read just now; store_fault() says why */
};

/* Opens the database, making it when there is none, and checks it whole. The file must be a regular one with a single
 * name, belong to this process's user and be closed to others; the same for the folder. NULL on failure, and fault says
 * in one sentence what is wrong and what to do. The database stays locked for this process: a second daemon is refused.
 */
struct store *store_open(const char *path, char *fault, size_t fault_size);
/* Takes NULL. */
void store_close(struct store *store);
/* What the last failure was, as the end of a sentence. Lives until the next call. */
const char *store_fault(const struct store *store);

/* Each fills *ret_record only when it answers STORE_FOUND; the caller clears it. */
enum store_answer store_account_by_name(struct store *store, const char *name, struct account_record *ret_record);
enum store_answer store_account_by_uid(struct store *store, uid_t uid, struct account_record *ret_record);
enum store_answer store_account_by_subject(struct store *store, const char *issuer, const char *subject,
					   struct account_record *ret_record);
/* The account of the tenant whose person had this email (compared in lower case) at the latest sign-in. Removed
 * accounts do not count. */
enum store_answer store_account_by_email(struct store *store, const char *tenant, const char *email,
					 struct account_record *ret_record);
/* The first account whose name sorts behind `name` ("" for the very first). */
enum store_answer store_account_after(struct store *store, const char *name, struct account_record *ret_record);
/* The same among the accounts whose creation was begun and not ended. */
enum store_answer store_account_creating_after(struct store *store, const char *name,
					       struct account_record *ret_record);
/* The uid that the admin has reserved for a name; and the name that a uid is reserved for. */
enum store_answer store_reserved_uid(struct store *store, const char *name, uid_t *ret_uid);
enum store_answer store_uid_reserved_for(struct store *store, uid_t uid, char *ret_name, size_t size);

/* Several changes as one: begin, change, and commit or roll back. 0 or -EIO; after a failed commit all of them are
 * undone. */
int store_begin(struct store *store);
int store_commit(struct store *store);
void store_rollback(struct store *store);

/* Adds a row. 0, -EEXIST when the name, the uid or (issuer, subject) is on record already, or -EIO. */
int store_add(struct store *store, const struct account_record *record);
/* Takes back a row whose account is still being created. 0 or -EIO. */
int store_forget_creating(struct store *store, const char *name);
/* 0 or -EIO. */
int store_set_state(struct store *store, const char *name, enum account_state state);
/* Notes a sign-in, and what the person is called now. 0 or -EIO. */
int store_note_signin(struct store *store, const char *name, const char *email, const char *full_name, int64_t now);

#endif
