/*
 * Whom the admin expects, and which uids are kept: reserved for a name, or a former account's.
 */
#include "provisiond/store_statements.h"

#include <errno.h>
#include <string.h>

/* ---- expected people ---- */

enum column { NAME, KIND, TENANT, EMAIL, SUBJECT, UID, MADE_AT, EXPIRES_AT };

static const char *const kind_names[] = {
	[EXPECTED_LINK] = "link",
	[EXPECTED_ADD] = "add",
};

/* The strings live in the row. */
static bool read_row(sqlite3_stmt *statement, struct expected *ret_expected)
{
	const char *kind = store_column_text(statement, KIND);
	struct expected expected = {
		.name = store_column_text(statement, NAME),
		.tenant = store_column_text(statement, TENANT),
		.email = store_column_text(statement, EMAIL),
		.subject = store_column_text(statement, SUBJECT),
		.uid = (uid_t)sqlite3_column_int64(statement, UID),
		.made_at = sqlite3_column_int64(statement, MADE_AT),
		.expires_at = sqlite3_column_int64(statement, EXPIRES_AT),
	};

	if (!kind || !expected.name || !expected.tenant || !expected.email || !expected.subject)
		return false;
	expected.kind = strcmp(kind, kind_names[EXPECTED_LINK]) == 0 ? EXPECTED_LINK : EXPECTED_ADD;
	*ret_expected = expected;
	return true;
}

static enum store_answer read_expected(struct store *store, sqlite3_stmt *statement, struct expected *ret_expected)
{
	enum store_answer answer = store_step(store, statement);
	struct expected row;

	if (answer != STORE_FOUND)
		return answer;
	if (!read_row(statement, &row) || expected_copy(&row, ret_expected) != 0)
		return store_unreadable(store, statement);
	(void)sqlite3_reset(statement);
	return STORE_FOUND;
}

enum store_answer store_expected_named(struct store *store, const char *name, struct expected *ret_expected)
{
	sqlite3_stmt *statement = store_statement(store, EXPECTED_NAMED);

	store_bind_text(store, statement, 1, name);
	return read_expected(store, statement, ret_expected);
}

enum store_answer store_expected_by_email(struct store *store, const char *tenant, const char *email,
					  struct expected *ret_expected)
{
	sqlite3_stmt *statement = store_statement(store, EXPECTED_BY_EMAIL);

	store_bind_text(store, statement, 1, tenant);
	store_bind_text(store, statement, 2, email);
	return read_expected(store, statement, ret_expected);
}

enum store_answer store_expected_after(struct store *store, const char *name, struct expected *ret_expected)
{
	sqlite3_stmt *statement = store_statement(store, EXPECTED_AFTER);

	store_bind_text(store, statement, 1, name);
	return read_expected(store, statement, ret_expected);
}

/* Whose time was over when this one was made stands in nobody's way. */
static int forget_over(struct store *store, const struct expected *expected)
{
	sqlite3_stmt *statement = store_statement(store, EXPECTED_FORGET_OVER);

	store_bind_text(store, statement, 1, expected->tenant);
	store_bind_text(store, statement, 2, expected->email);
	store_bind_number(store, statement, 3, expected->made_at);
	return store_run_freely(store, statement);
}

static int add_or_replace(struct store *store, const struct expected *expected)
{
	sqlite3_stmt *statement = store_statement(store, EXPECTED_ADD_OR_REPLACE);

	store_bind_text(store, statement, 1, expected->name);
	store_bind_text(store, statement, 2, kind_names[expected->kind]);
	store_bind_text(store, statement, 3, expected->tenant);
	store_bind_text(store, statement, 4, expected->email);
	store_bind_text(store, statement, 5, expected->subject);
	store_bind_number(store, statement, 6, expected->uid);
	store_bind_number(store, statement, 7, expected->made_at);
	store_bind_number(store, statement, 8, expected->expires_at);
	return store_run(store, statement);
}

static int expect(struct store *store, const struct expected *expected)
{
	int r = forget_over(store, expected);

	return r == 0 ? add_or_replace(store, expected) : r;
}

int store_expect(struct store *store, const struct expected *expected)
{
	int r = store_enter(store);

	return r == 0 ? store_leave(store, expect(store, expected)) : r;
}

int store_forget_expected(struct store *store, const char *name)
{
	return store_run_for(store, EXPECTED_FORGET, name);
}

/* ---- kept uids ---- */

enum store_answer store_reserved_uid(struct store *store, const char *name, uid_t *ret_uid)
{
	sqlite3_stmt *statement = store_statement(store, RESERVED_UID);
	enum store_answer answer;
	int64_t uid;

	store_bind_text(store, statement, 1, name);
	answer = store_ask_number(store, statement, &uid);
	if (answer == STORE_FOUND)
		*ret_uid = (uid_t)uid;
	return answer;
}

enum store_answer store_uid_reserved_for(struct store *store, uid_t uid, char *ret_name, size_t size)
{
	sqlite3_stmt *statement = store_statement(store, UID_RESERVED_FOR);

	store_bind_number(store, statement, 1, uid);
	return store_ask_name(store, statement, ret_name, size);
}

int store_reserve(struct store *store, const char *name, uid_t uid, int64_t now_s)
{
	sqlite3_stmt *statement = store_statement(store, UID_RESERVE);

	store_bind_text(store, statement, 1, name);
	store_bind_number(store, statement, 2, uid);
	store_bind_number(store, statement, 3, now_s);
	return store_run(store, statement);
}

enum store_answer store_former_uid(struct store *store, uid_t uid, char *ret_name, size_t size)
{
	sqlite3_stmt *statement = store_statement(store, FORMER_UID);

	store_bind_number(store, statement, 1, uid);
	return store_ask_name(store, statement, ret_name, size);
}

enum store_answer store_former_subject(struct store *store, const char *issuer, const char *subject, char *ret_name,
				       size_t size)
{
	sqlite3_stmt *statement = store_statement(store, FORMER_SUBJECT);

	store_bind_text(store, statement, 1, issuer);
	store_bind_text(store, statement, 2, subject);
	return store_ask_name(store, statement, ret_name, size);
}

enum store_answer store_highest_subid(struct store *store, uint32_t *ret_first)
{
	enum store_answer answer;
	int64_t first;

	answer = store_ask_number(store, store_statement(store, HIGHEST_SUBID), &first);
	if (answer == STORE_FOUND)
		*ret_first = (uint32_t)first;
	return answer;
}
