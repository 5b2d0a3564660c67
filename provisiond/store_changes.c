/*
 * The changes of accounts that were begun and not ended, each with the row of its account.
 */
#include "provisiond/store_statements.h"

#include <errno.h>
#include <string.h>

/* Behind the account's columns. */
enum column {
	KIND = ACCOUNT_COLUMN_COUNT,
	STATE_AFTER,
	GECOS,
	LOCKS,
	AGEING,
	EXPIRY,
	GROUPS_IN,
	GROUPS_OUT,
	END_SESSIONS,
	HOME_FATE,
	HOME_TO,
	NEXT_UID,
};

static const char *const fate_names[] = {
	[HOME_STAYS] = "stays",
	[HOME_IS_REMOVED] = "removed",
	[HOME_IS_MOVED] = "moved",
};

_Static_assert(sizeof(fate_names) / sizeof(fate_names[0]) == HOME_FATE_COUNT, "every fate has its name");

/* ---- finding ---- */

static bool fate_from_name(const char *name, enum home_fate *ret_fate)
{
	for (int i = 0; i < HOME_FATE_COUNT; i++) {
		if (strcmp(fate_names[i], name) == 0) {
			*ret_fate = (enum home_fate)i;
			return true;
		}
	}
	return false;
}

/* False without memory. */
static bool read_text_or_null(sqlite3_stmt *statement, int at, const char **ret_text)
{
	*ret_text = NULL;
	if (sqlite3_column_type(statement, at) == SQLITE_NULL)
		return true;
	*ret_text = store_column_text(statement, at);
	return *ret_text;
}

static bool read_names(sqlite3_stmt *statement, struct planned_change *change)
{
	const char *kind = store_column_text(statement, KIND);
	const char *state = store_column_text(statement, STATE_AFTER);
	const char *fate = store_column_text(statement, HOME_FATE);

	return kind && state && fate && change_kind_from_name(kind, &change->kind) &&
	       account_state_from_name(state, &change->state_after) && fate_from_name(fate, &change->home);
}

/* The strings live in the row. */
static bool read_row(sqlite3_stmt *statement, struct planned_change *ret_change)
{
	struct planned_change change = {
		.locks = sqlite3_column_int(statement, LOCKS),
		.end_sessions = sqlite3_column_int(statement, END_SESSIONS) != 0,
		.next_uid = (uid_t)sqlite3_column_int64(statement, NEXT_UID),
	};

	if (!store_read_account(statement, &change.record) || !read_names(statement, &change) ||
	    !read_text_or_null(statement, GECOS, &change.gecos) ||
	    !read_text_or_null(statement, AGEING, &change.ageing) ||
	    !read_text_or_null(statement, EXPIRY, &change.expiry) ||
	    !read_text_or_null(statement, GROUPS_IN, &change.groups_in) ||
	    !read_text_or_null(statement, GROUPS_OUT, &change.groups_out) ||
	    !read_text_or_null(statement, HOME_TO, &change.home_to))
		return false;
	*ret_change = change;
	return true;
}

static enum store_answer read_change(struct store *store, enum store_statement which, const char *name,
				     struct planned_change *ret_change)
{
	sqlite3_stmt *statement = store_statement(store, which);
	struct planned_change row;
	enum store_answer answer;

	store_bind_text(store, statement, 1, name);
	answer = store_step(store, statement);
	if (answer != STORE_FOUND)
		return answer;
	if (!read_row(statement, &row) || planned_change_copy(&row, ret_change) != 0)
		return store_unreadable(store, statement);
	(void)sqlite3_reset(statement);
	return STORE_FOUND;
}

enum store_answer store_change_of(struct store *store, const char *name, struct planned_change *ret_change)
{
	return read_change(store, CHANGE_OF, name, ret_change);
}

enum store_answer store_change_after(struct store *store, const char *name, struct planned_change *ret_change)
{
	return read_change(store, CHANGE_AFTER, name, ret_change);
}

/* ---- beginning ---- */

/* Gives the account on record what this record says. -EEXIST, with `none` as the fault, when it is another one. */
static int put_record(struct store *store, enum store_statement which, const struct account_record *record,
		      const char *none)
{
	sqlite3_stmt *statement = store_statement(store, which);
	int r;

	store_bind_account(store, statement, record);
	r = store_run(store, statement);
	if (r != 0 || store_rows_changed(store))
		return r;
	store_note(store, none);
	return -EEXIST;
}

static int add_plan(struct store *store, const struct planned_change *change)
{
	sqlite3_stmt *statement = store_statement(store, CHANGE_ADD);
	bool moved = change->home == HOME_IS_MOVED;

	store_bind_text(store, statement, 1, change->record.name);
	store_bind_text(store, statement, 2, change_kind_name(change->kind));
	store_bind_text(store, statement, 3, account_state_name(change->state_after));
	store_bind_text_or_null(store, statement, 4, change->gecos);
	store_bind_number(store, statement, 5, change->locks);
	store_bind_text_or_null(store, statement, 6, change->ageing);
	store_bind_text_or_null(store, statement, 7, change->expiry);
	store_bind_text_or_null(store, statement, 8, change->groups_in);
	store_bind_text_or_null(store, statement, 9, change->groups_out);
	store_bind_number(store, statement, 10, change->end_sessions);
	store_bind_text(store, statement, 11, fate_names[change->home]);
	store_bind_text_or_null(store, statement, 12, moved ? change->home_to : NULL);
	if (change->kind == CHANGE_REASSIGN)
		store_bind_number(store, statement, 13, change->next_uid);
	return store_run(store, statement);
}

static int begin_change(struct store *store, const struct planned_change *change)
{
	int r;

	if (change->kind == CHANGE_LINK)
		r = store_add(store, &change->record);
	else
		r = put_record(store, ACCOUNT_ALTER, &change->record, "the account on record is another one");
	if (r == 0 && change->kind == CHANGE_LINK)
		r = store_run_for(store, EXPECTED_TAKE, change->record.name);
	return r == 0 ? add_plan(store, change) : r;
}

int store_begin_change(struct store *store, const struct planned_change *change)
{
	int r = store_enter(store);

	return r == 0 ? store_leave(store, begin_change(store, change)) : r;
}

/* ---- ending ---- */

/* -EIO for a change that is not on record: it must not touch the account that has the name now. */
static int take_plan_off(struct store *store, sqlite3_stmt *statement)
{
	int r = store_run_freely(store, statement);

	if (r != 0 || store_rows_changed(store))
		return r;
	store_note(store, "no such change was begun");
	return -EIO;
}

static int reach_state(struct store *store, const struct planned_change *change, int64_t now_s)
{
	sqlite3_stmt *statement = store_statement(store, ACCOUNT_REACH_STATE);

	store_bind_text(store, statement, 1, change->record.name);
	store_bind_text(store, statement, 2, account_state_name(change->state_after));
	store_bind_number(store, statement, 3, now_s);
	return store_run_freely(store, statement);
}

static int give_name_on(struct store *store, const struct planned_change *change, int64_t now_s)
{
	sqlite3_stmt *statement = store_statement(store, FORMER_ADD);
	int r;

	store_bind_text(store, statement, 1, change->record.name);
	store_bind_text_or_null(store, statement, 2, change->home == HOME_IS_MOVED ? change->home_to : NULL);
	store_bind_number(store, statement, 3, now_s);
	r = store_run_freely(store, statement);
	if (r == 0)
		r = store_run_for(store, ACCOUNT_DELETE, change->record.name);
	return r == 0 ? store_reserve(store, change->record.name, change->next_uid, now_s) : r;
}

static int end_change(struct store *store, const struct planned_change *change, int64_t now_s)
{
	sqlite3_stmt *statement = store_statement(store, CHANGE_END);
	const char *name = change->record.name;
	int r;

	store_bind_text(store, statement, 1, name);
	store_bind_text(store, statement, 2, change_kind_name(change->kind));
	r = take_plan_off(store, statement);
	if (r != 0)
		return r;
	switch (change->kind) {
	case CHANGE_UNLINK:
		return store_run_for(store, ACCOUNT_DELETE, name);
	case CHANGE_REASSIGN:
		return give_name_on(store, change, now_s) == 0 ? 0 : -EIO;
	case CHANGE_LINK:
		r = store_run_for(store, EXPECTED_FORGET_TAKEN, name);
		return r == 0 ? reach_state(store, change, now_s) : r;
	case CHANGE_UPDATE:
	case CHANGE_DEACTIVATE:
	case CHANGE_REACTIVATE:
	case CHANGE_REMOVE:
	case CHANGE_KIND_COUNT:
	default:
		return reach_state(store, change, now_s);
	}
}

int store_end_change(struct store *store, const struct planned_change *change, int64_t now_s)
{
	int r = store_enter(store);

	return r == 0 ? store_leave(store, end_change(store, change, now_s)) : r;
}

static int drop_change(struct store *store, const char *name, const struct account_record *before)
{
	sqlite3_stmt *statement = store_statement(store, CHANGE_DROP);
	int r;

	store_bind_text(store, statement, 1, name);
	store_bind_number(store, statement, 2, !before);
	r = take_plan_off(store, statement);
	if (r != 0)
		return r;
	if (before)
		return put_record(store, ACCOUNT_RESTORE, before, "the account on record is another one") == 0 ? 0
													       : -EIO;
	r = store_run_for(store, ACCOUNT_DELETE, name);
	return r == 0 ? store_run_for(store, EXPECTED_GIVE_BACK, name) : r;
}

int store_drop_change(struct store *store, const char *name, const struct account_record *before)
{
	int r = store_enter(store);

	return r == 0 ? store_leave(store, drop_change(store, name, before)) : r;
}
