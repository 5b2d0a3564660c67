/*
 * A database as version 1 made it, with rows: the text is that version's, and stays as it is.
 */
#ifndef TESTS_UNIT_STORE_VERSION_1_H
#define TESTS_UNIT_STORE_VERSION_1_H

#include <sys/stat.h>

#include "store_place.h"

static const char version_1_schema[] =
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

static const char version_1_rows[] =
	"INSERT INTO accounts VALUES ('bob', 2073203076, 2073203076, 'clinic', 'https://clinic.example', '00ubob',"
	"  'bob@clinic.example', 'Bob', '/home/bob', '/bin/bash', 'active', 1700000000, 1700000001);"
	"INSERT INTO accounts VALUES ('carol', 2000200002, 2000200002, 'clinic', 'https://clinic.example', '00ucarol',"
	"  'Carol@clinic.example', 'Zoë O''Brien', '/home/carol', '/bin/zsh', 'creating', 1700000005, 0);"
	"INSERT INTO accounts VALUES ('dave', 2000200003, 2000200003, 'clinic', 'https://clinic.example', '00udave',"
	"  'dave@clinic.example', '', '/home/dave', '/bin/bash', 'removed', 1700000006, 1700000007);"
	"INSERT INTO reservations VALUES ('erin', 2000200004, 1700000008);";

static inline void run_script(sqlite3 *database, const char *script)
{
	if (sqlite3_exec(database, script, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(database));
}

/* With the same connection as that version's: its log and its locks. */
static inline sqlite3 *open_version_1(const struct place *place)
{
	sqlite3 *database;

	assert_int_equal(sqlite3_open(place->path, &database), SQLITE_OK);
	assert_int_equal(chmod(place->path, 0600), 0);
	run_script(database, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
	return database;
}

static inline void make_version_1(const struct place *place)
{
	sqlite3 *database = open_version_1(place);

	run_script(database, "BEGIN IMMEDIATE");
	run_script(database, version_1_schema);
	run_script(database, "COMMIT");
	run_script(database, version_1_rows);
	(void)sqlite3_close(database);
}

/* Carol and Dave, as they are on record from version 1. Bob is as bob() says. */
static inline struct account_record version_1_carol(void)
{
	struct account_record record = bob();

	record.name = "carol";
	record.uid = record.gid = 2000200002;
	record.subject = "00ucarol";
	record.email = "Carol@clinic.example";
	record.full_name = "Zoë O'Brien";
	record.home = "/home/carol";
	record.shell = "/bin/zsh";
	record.state = ACCOUNT_CREATING;
	record.created_at = record.state_at = 1700000005;
	record.last_signin_at = 0;
	return record;
}

static inline struct account_record version_1_dave(void)
{
	struct account_record record = bob();

	record.name = "dave";
	record.uid = record.gid = 2000200003;
	record.subject = "00udave";
	record.email = "dave@clinic.example";
	record.full_name = "";
	record.home = "/home/dave";
	record.state = ACCOUNT_REMOVED;
	record.created_at = record.state_at = 1700000006;
	record.last_signin_at = 1700000007;
	return record;
}

static inline void assert_version_1_rows(struct store *store)
{
	struct account_record one = bob(), other = version_1_carol(), third = version_1_dave();
	uid_t uid = 0;

	one.state_at = one.created_at;
	assert_on_record(store, &one);
	assert_on_record(store, &other);
	assert_on_record(store, &third);
	assert_int_equal(store_reserved_uid(store, "erin", &uid), STORE_FOUND);
	assert_int_equal(uid, 2000200004);
}

#endif
