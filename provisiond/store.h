/*
 * The accounts on record: a SQLite database in one file. Only the store's files know SQLite.
 *
 * Every change is whole, and on disk, when its function returns, or, inside store_begin() and store_commit(), when the
 * latter does. A function that fails has changed nothing. A uid is never forgotten once an account was usable: a
 * removed or former account keeps it from being given to anybody else.
 *
 * Strings of a record may be NULL, which is on record as "".
 */
#ifndef PROVISIOND_STORE_H
#define PROVISIOND_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "provisiond/account_record.h"
#include "provisiond/expected.h"
#include "provisiond/planned_change.h"

struct store;

/* What a look-up found. */
enum store_answer {
	STORE_FOUND,
	STORE_NONE,
	STORE_FAILED, /* the database cannot be read just now; store_fault() says why */
};

/* Opens the database, making it when there is none, checks it whole, and brings one of an earlier version up to date.
 * The file must be a regular one with a single
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
/* The uid that is reserved for a name; and the name that a uid is reserved for, or will be when the reassignment ends
 * that was begun. */
enum store_answer store_reserved_uid(struct store *store, const char *name, uid_t *ret_uid);
enum store_answer store_uid_reserved_for(struct store *store, uid_t uid, char *ret_name, size_t size);

/* The first account, of those that were linked, whose name sorts behind `name`. */
enum store_answer store_linked_after(struct store *store, const char *name, struct account_record *ret_record);
/* The first active account behind `name` whose person signed in last before `signin_before` (epoch seconds), and whose
 * sessions were not ended since. For max_signin_age. */
enum store_answer store_idle_after(struct store *store, const char *name, int64_t signin_before,
				   struct account_record *ret_record);
/* The change of that account which was begun and not ended; the first such behind `name`. The caller clears it. */
enum store_answer store_change_of(struct store *store, const char *name, struct planned_change *ret_change);
enum store_answer store_change_after(struct store *store, const char *name, struct planned_change *ret_change);
/* Who is expected, under a name; with an email (of a tenant, compared in lower case); behind a name. Those whose time
 * is over are found as well. The caller clears *ret_expected. */
enum store_answer store_expected_named(struct store *store, const char *name, struct expected *ret_expected);
enum store_answer store_expected_by_email(struct store *store, const char *tenant, const char *email,
					  struct expected *ret_expected);
enum store_answer store_expected_after(struct store *store, const char *name, struct expected *ret_expected);
/* Whether a uid was that of an account that was reassigned: whose name it was then. And whether a subject once had an
 * account that was given to a successor, and its name. */
enum store_answer store_former_uid(struct store *store, uid_t uid, char *ret_name, size_t size);
enum store_answer store_former_subject(struct store *store, const char *issuer, const char *subject, char *ret_name,
				       size_t size);
/* The highest first_subid on record, removed and former accounts included; STORE_FOUND with 0 for none. */
enum store_answer store_highest_subid(struct store *store, uint32_t *ret_first);

/* How many there are of each. */
struct store_counts {
	int64_t accounts[ACCOUNT_STATE_COUNT];
	int64_t expected;
};

/* Counts them, in the time that it takes to read them all. 0 or -EIO. */
int store_count(struct store *store, struct store_counts *ret_counts);

/* Several changes as one: begin, change, and commit or roll back. 0 or -EIO; after a failed commit all of them are
 * undone. After one that failed the others may go on, but for those errors after which all is undone at once: then
 * every change, and the commit, fail too. */
int store_begin(struct store *store);
/* For what would be found out again: after a power cut, all that was committed so may be missing, until something else
 * was committed behind it. The way to the disk is not waited for. */
int store_begin_lazily(struct store *store);
int store_commit(struct store *store);
void store_rollback(struct store *store);

/* Adds a row. 0, -EEXIST when the name, the uid or (issuer, subject) is on record already, when the uid is a former
 * account's or reserved for another name, or the subordinate ids overlap somebody else's, or -EIO. */
int store_add(struct store *store, const struct account_record *record);
/* Puts a removed account back as one that is being created (`revived`, whatever the record says of its state), with
 * what the record says now; its uid stays. 0, -EEXIST when there is no such removed account with this uid and this
 * (issuer, subject), or -EIO. */
int store_revive(struct store *store, const struct account_record *record);
/* Takes back a row whose account is still being created; one that was revived is a removed one again. 0 or -EIO. */
int store_forget_creating(struct store *store, const char *name);
/* How a creation ends. 0 or -EIO. */
int store_set_state(struct store *store, const char *name, enum account_state state);
/* Begins a change: its plan and the account's row (change->record) are on record together. CHANGE_LINK adds the row,
 * and nobody is expected under this name any more. 0, -EEXIST when the account has an unfinished change or is still
 * being created, when a row contradicts (another uid, issuer or subject under the name), or next_uid is not free; or
 * -EIO. */
int store_begin_change(struct store *store, const struct planned_change *change);
/* Ends it: the state follows, and the plan is gone. UNLINK deletes the account's row; REASSIGN makes it a former one
 * and reserves its name for next_uid. 0, or -EIO, also when no such change was begun. */
int store_end_change(struct store *store, const struct planned_change *change, int64_t now_s);
/* Drops a plan that was not begun in the files, and puts the account's row back to `before`; NULL, for a CHANGE_LINK
 * and nothing else, deletes it, and who was expected is expected again. 0, or -EIO, also when no such change was
 * begun. */
int store_drop_change(struct store *store, const char *name, const struct account_record *before);
/* Expects somebody; what was expected under this name is replaced. 0, -EEXIST when the email is expected under another
 * name (unless that was over at expected->made_at: then it is forgotten), or -EIO. */
int store_expect(struct store *store, const struct expected *expected);
/* 0 (also when nobody was) or -EIO. */
int store_forget_expected(struct store *store, const char *name);
/* Reserves a uid for a name, which had another one before or none. 0, -EEXIST when the uid is another name's or was a
 * former account's, or -EIO. */
int store_reserve(struct store *store, const char *name, uid_t uid, int64_t now_s);
/* Notes that the issuer refused somebody who typed the name of this account; and that max_signin_age ended its
 * sessions. 0 or -EIO. */
int store_note_refusal(struct store *store, const char *name, const char *reason, int64_t now_s);
int store_note_sessions_ended(struct store *store, const char *name, int64_t now_s);
/* Notes a sign-in, and what the person is called now. 0 or -EIO. */
int store_note_signin(struct store *store, const char *name, const char *email, const char *full_name, int64_t now);

#endif
