/*
 * The accounts in the database: finding, adding and altering their rows.
 */
#include "provisiond/store_statements.h"

#include <errno.h>

/* ---- rows and records ---- */

/* As in store_statements.c. */
enum column {
	NAME,
	UID,
	GID,
	TENANT,
	ISSUER,
	SUBJECT,
	EMAIL,
	FULL_NAME,
	HOME,
	SHELL,
	STATE,
	CREATED_AT,
	LAST_SIGNIN_AT,
	ROOM,
	GROUPS_GIVEN,
	FIRST_SUBID,
	LINKED,
	GECOS_BEFORE,
	AGEING_BEFORE,
	EXPIRY_BEFORE,
	EXPIRY_GIVEN,
	LOCKED,
	REVIVED,
	STATE_AT,
	SESSIONS_ENDED_AT,
	REFUSAL,
	REFUSED_AT,
	GROUPS_TAKEN,
	COLUMN_COUNT
};

_Static_assert(COLUMN_COUNT == ACCOUNT_COLUMN_COUNT, "changes read what stands behind an account's columns");

static const enum column texts[] = {
	NAME, TENANT,       ISSUER,       SUBJECT,       EMAIL,         FULL_NAME,    HOME,    SHELL,        STATE,
	ROOM, GROUPS_GIVEN, GECOS_BEFORE, AGEING_BEFORE, EXPIRY_BEFORE, EXPIRY_GIVEN, REFUSAL, GROUPS_TAKEN,
};

static bool texts_are_there(sqlite3_stmt *statement)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!store_column_text(statement, (int)texts[i]))
			return false;
	return true;
}

bool store_read_account(sqlite3_stmt *statement, struct account_record *ret_record)
{
	struct account_record record;

	if (!texts_are_there(statement))
		return false;
	record = (struct account_record){
		.name = store_column_text(statement, NAME),
		.uid = (uid_t)sqlite3_column_int64(statement, UID),
		.gid = (gid_t)sqlite3_column_int64(statement, GID),
		.tenant = store_column_text(statement, TENANT),
		.issuer = store_column_text(statement, ISSUER),
		.subject = store_column_text(statement, SUBJECT),
		.email = store_column_text(statement, EMAIL),
		.full_name = store_column_text(statement, FULL_NAME),
		.home = store_column_text(statement, HOME),
		.shell = store_column_text(statement, SHELL),
		.created_at = sqlite3_column_int64(statement, CREATED_AT),
		.last_signin_at = sqlite3_column_int64(statement, LAST_SIGNIN_AT),
		.room = store_column_text(statement, ROOM),
		.groups_given = store_column_text(statement, GROUPS_GIVEN),
		.first_subid = (uint32_t)sqlite3_column_int64(statement, FIRST_SUBID),
		.linked = sqlite3_column_int(statement, LINKED) != 0,
		.gecos_before = store_column_text(statement, GECOS_BEFORE),
		.ageing_before = store_column_text(statement, AGEING_BEFORE),
		.expiry_before = store_column_text(statement, EXPIRY_BEFORE),
		.expiry_given = store_column_text(statement, EXPIRY_GIVEN),
		.locked = sqlite3_column_int(statement, LOCKED) != 0,
		.revived = sqlite3_column_int(statement, REVIVED) != 0,
		.state_at = sqlite3_column_int64(statement, STATE_AT),
		.sessions_ended_at = sqlite3_column_int64(statement, SESSIONS_ENDED_AT),
		.refusal = store_column_text(statement, REFUSAL),
		.refused_at = sqlite3_column_int64(statement, REFUSED_AT),
		.groups_taken = store_column_text(statement, GROUPS_TAKEN),
	};
	if (!account_state_from_name(store_column_text(statement, STATE), &record.state))
		return false;
	*ret_record = record;
	return true;
}

void store_bind_account(struct store *store, sqlite3_stmt *statement, const struct account_record *record)
{
	store_bind_text(store, statement, 1 + NAME, record->name);
	store_bind_number(store, statement, 1 + UID, record->uid);
	store_bind_number(store, statement, 1 + GID, record->gid);
	store_bind_text(store, statement, 1 + TENANT, record->tenant);
	store_bind_text(store, statement, 1 + ISSUER, record->issuer);
	store_bind_text(store, statement, 1 + SUBJECT, record->subject);
	store_bind_text(store, statement, 1 + EMAIL, record->email);
	store_bind_text(store, statement, 1 + FULL_NAME, record->full_name);
	store_bind_text(store, statement, 1 + HOME, record->home);
	store_bind_text(store, statement, 1 + SHELL, record->shell);
	store_bind_text(store, statement, 1 + STATE, account_state_name(record->state));
	store_bind_number(store, statement, 1 + CREATED_AT, record->created_at);
	store_bind_number(store, statement, 1 + LAST_SIGNIN_AT, record->last_signin_at);
	store_bind_text(store, statement, 1 + ROOM, record->room);
	store_bind_text(store, statement, 1 + GROUPS_GIVEN, record->groups_given);
	store_bind_number(store, statement, 1 + FIRST_SUBID, record->first_subid);
	store_bind_number(store, statement, 1 + LINKED, record->linked);
	store_bind_text(store, statement, 1 + GECOS_BEFORE, record->gecos_before);
	store_bind_text(store, statement, 1 + AGEING_BEFORE, record->ageing_before);
	store_bind_text(store, statement, 1 + EXPIRY_BEFORE, record->expiry_before);
	store_bind_text(store, statement, 1 + EXPIRY_GIVEN, record->expiry_given);
	store_bind_number(store, statement, 1 + LOCKED, record->locked);
	store_bind_number(store, statement, 1 + REVIVED, record->revived && record->state == ACCOUNT_CREATING);
	store_bind_number(store, statement, 1 + STATE_AT, record->state_at);
	store_bind_number(store, statement, 1 + SESSIONS_ENDED_AT, record->sessions_ended_at);
	store_bind_text(store, statement, 1 + REFUSAL, record->refusal);
	store_bind_number(store, statement, 1 + REFUSED_AT, record->refused_at);
	store_bind_text(store, statement, 1 + GROUPS_TAKEN, record->groups_taken);
}

/* ---- finding ---- */

static enum store_answer read_record(struct store *store, sqlite3_stmt *statement, struct account_record *ret_record)
{
	enum store_answer answer = store_step(store, statement);
	struct account_record row;

	if (answer != STORE_FOUND)
		return answer;
	if (!store_read_account(statement, &row) || account_record_copy(&row, ret_record) != 0)
		return store_unreadable(store, statement);
	(void)sqlite3_reset(statement);
	return STORE_FOUND;
}

static enum store_answer read_record_for(struct store *store, enum store_statement which, const char *name,
					 struct account_record *ret_record)
{
	sqlite3_stmt *statement = store_statement(store, which);

	store_bind_text(store, statement, 1, name);
	return read_record(store, statement, ret_record);
}

enum store_answer store_account_by_name(struct store *store, const char *name, struct account_record *ret_record)
{
	return read_record_for(store, ACCOUNT_BY_NAME, name, ret_record);
}

enum store_answer store_account_by_uid(struct store *store, uid_t uid, struct account_record *ret_record)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_BY_UID);

	store_bind_number(store, statement, 1, uid);
	return read_record(store, statement, ret_record);
}

enum store_answer store_account_by_subject(struct store *store, const char *issuer, const char *subject,
					   struct account_record *ret_record)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_BY_SUBJECT);

	store_bind_text(store, statement, 1, issuer);
	store_bind_text(store, statement, 2, subject);
	return read_record(store, statement, ret_record);
}

enum store_answer store_account_by_email(struct store *store, const char *tenant, const char *email,
					 struct account_record *ret_record)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_BY_EMAIL);

	store_bind_text(store, statement, 1, tenant);
	store_bind_text(store, statement, 2, email);
	return read_record(store, statement, ret_record);
}

enum store_answer store_account_after(struct store *store, const char *name, struct account_record *ret_record)
{
	return read_record_for(store, ACCOUNT_AFTER, name, ret_record);
}

int store_count(struct store *store, struct store_counts *ret_counts)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_COUNT);

	if (store_step(store, statement) != STORE_FOUND)
		return -EIO;
	for (int i = 0; i < ACCOUNT_STATE_COUNT; i++)
		ret_counts->accounts[i] = sqlite3_column_int64(statement, i);
	ret_counts->expected = sqlite3_column_int64(statement, ACCOUNT_STATE_COUNT);
	(void)sqlite3_reset(statement);
	return 0;
}

enum store_answer store_account_creating_after(struct store *store, const char *name, struct account_record *ret_record)
{
	return read_record_for(store, ACCOUNT_CREATING_AFTER, name, ret_record);
}

enum store_answer store_linked_after(struct store *store, const char *name, struct account_record *ret_record)
{
	return read_record_for(store, ACCOUNT_LINKED_AFTER, name, ret_record);
}

enum store_answer store_idle_after(struct store *store, const char *name, int64_t signin_before,
				   struct account_record *ret_record)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_IDLE_AFTER);

	store_bind_text(store, statement, 1, name);
	store_bind_number(store, statement, 2, signin_before);
	return read_record(store, statement, ret_record);
}

/* ---- creating ---- */

int store_add(struct store *store, const struct account_record *record)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_ADD);

	store_bind_account(store, statement, record);
	/* What is new was not there before, whatever the record says. */
	store_bind_number(store, statement, 1 + REVIVED, 0);
	return store_run(store, statement);
}

int store_revive(struct store *store, const struct account_record *record)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_REVIVE);
	int r;

	store_bind_account(store, statement, record);
	store_bind_text(store, statement, 1 + STATE, account_state_name(ACCOUNT_CREATING));
	store_bind_number(store, statement, 1 + REVIVED, 1);
	r = store_run(store, statement);
	if (r != 0 || store_rows_changed(store))
		return r;
	store_note(store, "there is no such removed account");
	return -EEXIST;
}

static int forget_creating(struct store *store, const char *name)
{
	int r = store_run_for(store, ACCOUNT_UNREVIVE, name);

	return r == 0 ? store_run_for(store, ACCOUNT_FORGET_CREATING, name) : r;
}

int store_forget_creating(struct store *store, const char *name)
{
	int r = store_enter(store);

	return r == 0 ? store_leave(store, forget_creating(store, name)) : r;
}

int store_set_state(struct store *store, const char *name, enum account_state state)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_SET_STATE);

	store_bind_text(store, statement, 1, name);
	store_bind_text(store, statement, 2, account_state_name(state));
	return store_run_freely(store, statement);
}

/* ---- noting ---- */

int store_note_signin(struct store *store, const char *name, const char *email, const char *full_name, int64_t now)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_NOTE_SIGNIN);

	store_bind_text(store, statement, 1, name);
	store_bind_text(store, statement, 2, email);
	store_bind_text(store, statement, 3, full_name);
	store_bind_number(store, statement, 4, now);
	return store_run_freely(store, statement);
}

int store_note_refusal(struct store *store, const char *name, const char *reason, int64_t now_s)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_NOTE_REFUSAL);

	store_bind_text(store, statement, 1, name);
	store_bind_text(store, statement, 2, reason);
	store_bind_number(store, statement, 3, now_s);
	return store_run_freely(store, statement);
}

int store_note_sessions_ended(struct store *store, const char *name, int64_t now_s)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_NOTE_SESSIONS_ENDED);

	store_bind_text(store, statement, 1, name);
	store_bind_number(store, statement, 2, now_s);
	return store_run_freely(store, statement);
}
