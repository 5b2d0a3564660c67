/*
 * What the database holds, with the rules that its rows keep whoever writes them: a uid is one person's for ever, in
 * use, reserved or given up; an account has one unfinished change; an email is expected once.
 */
#include "provisiond/store_schema.h"

#include <stddef.h>

#define SCHEMA_VERSION 2
#define APPLICATION_ID 0x706f6964 /* "poid", so that file(1) and we know it for ours */

/* clang-format off */

#define IS_PERSONS_UID(column) "typeof(" column ") = 'integer' AND " column " BETWEEN 1000 AND 4294967294"
#define NUMBER(column) " " column " INTEGER NOT NULL CHECK (typeof(" column ") = 'integer')"
#define FLAG(column) " " column " INTEGER NOT NULL CHECK (" column " IN (0, 1))"
#define STATES "('creating', 'incomplete', 'active', 'deactivated', 'removed')"

/* A local account may have had a group of the system's, such as users, before it was linked. The index of idle people
 * holds all that their search compares: it reads no rows but those that it finds. */
#define ACCOUNTS \
	"CREATE TABLE accounts (" \
	" name TEXT NOT NULL PRIMARY KEY," \
	" uid INTEGER NOT NULL UNIQUE CHECK (" IS_PERSONS_UID("uid") ")," \
	" gid INTEGER NOT NULL" \
	"  CHECK (typeof(gid) = 'integer' AND gid BETWEEN 1 AND 4294967294 AND (gid >= 1000 OR linked))," \
	" tenant TEXT NOT NULL," \
	" issuer TEXT NOT NULL," \
	" subject TEXT NOT NULL," \
	" email TEXT NOT NULL," \
	" full_name TEXT NOT NULL," \
	" home TEXT NOT NULL," \
	" shell TEXT NOT NULL," \
	" state TEXT NOT NULL CHECK (state IN " STATES ")," \
	NUMBER("created_at") "," \
	NUMBER("last_signin_at") "," \
	" room TEXT NOT NULL," \
	" groups_given TEXT NOT NULL," \
	" first_subid INTEGER NOT NULL" \
	"  CHECK (typeof(first_subid) = 'integer' AND first_subid BETWEEN 0 AND 4294967295)," \
	FLAG("linked") "," \
	" gecos_before TEXT NOT NULL," \
	" ageing_before TEXT NOT NULL," \
	" expiry_before TEXT NOT NULL," \
	" expiry_given TEXT NOT NULL," \
	FLAG("locked") "," \
	FLAG("revived") " CHECK (NOT revived OR state = 'creating')," \
	NUMBER("state_at") "," \
	NUMBER("sessions_ended_at") "," \
	" refusal TEXT NOT NULL," \
	NUMBER("refused_at") "," \
	" groups_taken TEXT NOT NULL," \
	" UNIQUE (issuer, subject));" \
	"CREATE INDEX accounts_email ON accounts (tenant, lower(email));" \
	"CREATE INDEX accounts_creating ON accounts (name) WHERE state = 'creating';" \
	"CREATE INDEX accounts_linked ON accounts (name) WHERE linked = 1;" \
	"CREATE INDEX accounts_idle ON accounts (name, last_signin_at, sessions_ended_at) WHERE state = 'active';" \
	"CREATE INDEX accounts_subids ON accounts (first_subid);"

/* As in version 1. */
#define RESERVATIONS \
	"CREATE TABLE reservations (" \
	" name TEXT NOT NULL PRIMARY KEY," \
	" uid INTEGER NOT NULL UNIQUE CHECK (typeof(uid) = 'integer' AND uid BETWEEN 1000 AND 4294967294)," \
	" reserved_at INTEGER NOT NULL);"

/* Accounts whose name was given to a successor; `home` says where it is kept. */
#define FORMERS \
	"CREATE TABLE formers (" \
	" uid INTEGER NOT NULL PRIMARY KEY CHECK (" IS_PERSONS_UID("uid") ")," \
	" name TEXT NOT NULL," \
	" tenant TEXT NOT NULL," \
	" issuer TEXT NOT NULL," \
	" subject TEXT NOT NULL," \
	" email TEXT NOT NULL," \
	" full_name TEXT NOT NULL," \
	" home TEXT NOT NULL," \
	NUMBER("first_subid") "," \
	NUMBER("created_at") "," \
	NUMBER("ended_at") ");" \
	"CREATE INDEX formers_subject ON formers (issuer, subject);"

/* Changes that were begun and not ended; their records are the accounts' rows. */
#define CHANGES \
	"CREATE TABLE changes (" \
	" account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (name)," \
	" kind TEXT NOT NULL" \
	"  CHECK (kind IN ('update', 'link', 'unlink', 'deactivate', 'reactivate', 'remove', 'reassign'))," \
	" state_after TEXT NOT NULL CHECK (state_after IN " STATES ")," \
	" gecos TEXT," \
	NUMBER("locks") "," \
	" ageing TEXT," \
	" expiry TEXT," \
	" groups_in TEXT," \
	" groups_out TEXT," \
	FLAG("end_sessions") "," \
	" home_fate TEXT NOT NULL CHECK (home_fate IN ('stays', 'removed', 'moved'))," \
	" home_to TEXT CHECK ((home_to IS NOT NULL) = (home_fate = 'moved'))," \
	" next_uid INTEGER UNIQUE" \
	"  CHECK (CASE kind WHEN 'reassign' THEN " IS_PERSONS_UID("next_uid") " ELSE next_uid IS NULL END));"

/* `taken`: a change has begun that makes the expected person the account's owner; the row comes back when that change
 * is dropped. */
#define EXPECTED \
	"CREATE TABLE expected (" \
	" name TEXT NOT NULL PRIMARY KEY," \
	" kind TEXT NOT NULL CHECK (kind IN ('link', 'add'))," \
	" tenant TEXT NOT NULL," \
	" email TEXT NOT NULL," \
	" subject TEXT NOT NULL," \
	NUMBER("uid") "," \
	NUMBER("made_at") "," \
	NUMBER("expires_at") "," \
	FLAG("taken") ");" \
	"CREATE UNIQUE INDEX expected_email ON expected (tenant, lower(email));"

#define REFUSE(why, where) " SELECT RAISE(ABORT, '" why "') WHERE EXISTS (SELECT 1 FROM " where ");"

#define RULES_OF_RESERVATIONS \
	" BEGIN" \
	REFUSE("the uid is an account''s", "accounts WHERE uid = NEW.uid AND name != NEW.name") \
	REFUSE("the uid was a former account''s", "formers WHERE uid = NEW.uid") \
	REFUSE("the uid is kept for another name", "changes WHERE next_uid = NEW.uid AND account != NEW.name") \
	" END;"

/* SUBID_COUNT ids each. A linked account has what the admin gave it. */
#define OVERLAPS \
	"WHERE first_subid BETWEEN max(NEW.first_subid - 65535, 1) AND NEW.first_subid + 65535 AND uid != NEW.uid"
#define RULES_OF_SUBIDS \
	" WHEN NEW.first_subid > 0 AND NOT NEW.linked BEGIN" \
	REFUSE("the subordinate ids are another account''s", "accounts " OVERLAPS) \
	REFUSE("the subordinate ids were a former account''s", "formers " OVERLAPS) \
	" END;"

/* What concerns several tables. */
#define RULES \
	"CREATE TRIGGER accounts_added BEFORE INSERT ON accounts BEGIN" \
	REFUSE("the uid was a former account''s", "formers WHERE uid = NEW.uid") \
	REFUSE("the uid is reserved for another name", "reservations WHERE uid = NEW.uid AND name != NEW.name") \
	REFUSE("the uid is kept for another name", "changes WHERE next_uid = NEW.uid") \
	" END;" \
	"CREATE TRIGGER accounts_uid BEFORE UPDATE OF uid ON accounts BEGIN" \
	" SELECT RAISE(ABORT, 'an account keeps its uid');" \
	" END;" \
	"CREATE TRIGGER accounts_subids_added BEFORE INSERT ON accounts" RULES_OF_SUBIDS \
	"CREATE TRIGGER accounts_subids_changed BEFORE UPDATE OF first_subid ON accounts" RULES_OF_SUBIDS \
	"CREATE TRIGGER reservations_added BEFORE INSERT ON reservations" RULES_OF_RESERVATIONS \
	"CREATE TRIGGER reservations_changed BEFORE UPDATE ON reservations" RULES_OF_RESERVATIONS \
	"CREATE TRIGGER changes_added BEFORE INSERT ON changes WHEN NEW.next_uid IS NOT NULL BEGIN" \
	REFUSE("the next uid is an account''s", "accounts WHERE uid = NEW.next_uid") \
	REFUSE("the next uid was a former account''s", "formers WHERE uid = NEW.next_uid") \
	REFUSE("the next uid is reserved for another name", \
		"reservations WHERE uid = NEW.next_uid AND name != NEW.account") \
	" END;"

#define MARKS \
	"PRAGMA application_id = 1886349668;" \
	"PRAGMA user_version = 2;"

_Static_assert(APPLICATION_ID == 1886349668 && SCHEMA_VERSION == 2, "the marks say the same");

static const char make_all[] = ACCOUNTS RESERVATIONS FORMERS CHANGES EXPECTED RULES MARKS;

/* Version 1 knew of no rooms, groups, links, leaving or successors. As far as it knew, its accounts have been in their
 * states since they were made. */
static const char from_version_1[] =
	"ALTER TABLE accounts RENAME TO accounts_1;"
	"DROP INDEX accounts_email;"
	"DROP INDEX accounts_creating;"
	ACCOUNTS
	"INSERT INTO accounts (name, uid, gid, tenant, issuer, subject, email, full_name, home, shell, state, created_at,"
	"  last_signin_at, room, groups_given, first_subid, linked, gecos_before, ageing_before, expiry_before,"
	"  expiry_given, locked, revived, state_at, sessions_ended_at, refusal, refused_at, groups_taken)"
	" SELECT name, uid, gid, tenant, issuer, subject, email, full_name, home, shell, state, created_at,"
	"  last_signin_at, '', '', 0, 0, '', '', '', '', 0, 0, created_at, 0, '', 0, '' FROM accounts_1;"
	"DROP TABLE accounts_1;"
	FORMERS CHANGES EXPECTED RULES MARKS;

/* clang-format on */

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

/* What is not committed is undone when the database is closed. */
static int run_as_one(sqlite3 *database, const char *script)
{
	int result = sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_exec(database, script, NULL, NULL, NULL);
	return result == SQLITE_OK ? sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) : result;
}

int store_adopt_schema(sqlite3 *database, bool *ret_foreign)
{
	long long version = 0, application = 0, tables = 0;
	int result = read_number(database, "PRAGMA user_version", &version);

	if (result == SQLITE_OK)
		result = read_number(database, "PRAGMA application_id", &application);
	if (result == SQLITE_OK)
		result = read_number(database, "SELECT count(*) FROM sqlite_master", &tables);
	if (result != SQLITE_OK)
		return result;
	*ret_foreign = false;
	if (version == 0 && application == 0 && tables == 0)
		return run_as_one(database, make_all);
	if (version == 1 && application == APPLICATION_ID)
		return run_as_one(database, from_version_1);
	*ret_foreign = version != SCHEMA_VERSION || application != APPLICATION_ID;
	return SQLITE_OK;
}
