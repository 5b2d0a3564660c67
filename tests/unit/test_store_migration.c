/*
 * Databases of other versions: an earlier one is brought up to date with all that it holds, a newer one and another
 * program's are left alone.
 */
#include "provisiond/store.h"

#include <errno.h>

#include "store_version_1.h"

#define NOW 1800000000

static int make_old(void **state)
{
	if (make_folder(state) != 0)
		return -1;
	make_version_1(*state);
	return 0;
}

static sqlite3 *look_into(const struct place *place)
{
	sqlite3 *database;

	assert_int_equal(sqlite3_open(place->path, &database), SQLITE_OK);
	return database;
}

/* The caller frees the answer's text. */
static char *ask(sqlite3 *database, const char *query)
{
	sqlite3_stmt *statement;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_int_equal(sqlite3_prepare_v2(database, query, -1, &statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW)
		(void)fprintf(to, "%s\n", (const char *)sqlite3_column_text(statement, 0));
	(void)sqlite3_finalize(statement);
	(void)fclose(to);
	return text;
}

static void assert_answer(const struct place *place, const char *query, const char *expected)
{
	sqlite3 *database = look_into(place);
	char *answer = ask(database, query);

	assert_string_equal(answer, expected);
	free(answer);
	(void)sqlite3_close(database);
}

static void all_that_version_1_knew_is_kept(void **state)
{
	struct place *place = *state;

	for (int i = 0; i < 3; i++) {
		open_place(place);
		assert_version_1_rows(place->store);
	}
	close_place(place);
	assert_answer(place, "SELECT count(*) FROM accounts", "3\n");
	assert_answer(place, "SELECT count(*) FROM reservations", "1\n");
	assert_answer(place, "PRAGMA user_version", "2\n");
	assert_answer(place, "PRAGMA integrity_check", "ok\n");
	assert_answer(place, "PRAGMA foreign_key_check", "");
}

/* What a crash of version 1 had left in its log, too. */
static void what_version_1_left_in_its_log_is_kept(void **state)
{
	struct place *place = *state;
	sqlite3 *database = open_version_1(place);
	struct account_record record = bob();
	char to[160], wal[160], wal_to[160], command[1024];

	run_script(database, "UPDATE accounts SET full_name = 'Robert' WHERE name = 'bob'");
	/* As they are now, not as closing leaves them. */
	(void)snprintf(to, sizeof(to), "%s/other", place->folder);
	(void)snprintf(wal, sizeof(wal), "%s-wal", place->path);
	(void)snprintf(wal_to, sizeof(wal_to), "%s/other-wal", place->folder);
	(void)snprintf(command, sizeof(command), "cp -p %s %s && cp -p %s %s", place->path, to, wal, wal_to);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): names of our own */
	(void)sqlite3_close(database);
	assert_int_equal(rename(to, place->path), 0);
	assert_int_equal(rename(wal_to, wal), 0);
	open_place(place);
	record.full_name = "Robert";
	record.state_at = record.created_at;
	assert_on_record(place->store, &record);
}

static void the_tables_are_those_of_a_new_database(void **state)
{
	static const char query[] = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name";
	struct place *place = *state, *fresh;
	void *fresh_state = NULL;
	sqlite3 *database;
	char *expected;

	assert_int_equal(make(&fresh_state), 0);
	fresh = fresh_state;
	close_place(fresh);
	database = look_into(fresh);
	expected = ask(database, query);
	(void)sqlite3_close(database);
	assert_non_null(strstr(expected, "CREATE TABLE accounts"));
	open_place(place);
	close_place(place);
	assert_answer(place, query, expected);
	free(expected);
	(void)unmake(&fresh_state);
}

static void the_rules_hold_for_the_old_rows(void **state)
{
	struct place *place = *state;
	struct account_record record = bob();
	struct planned_change change = planned_change_none(CHANGE_REASSIGN, &record);
	struct account_record dave = version_1_dave();

	open_place(place);
	record.name = "robert";
	assert_int_equal(store_add(place->store, &record), -EEXIST);
	assert_int_equal(store_reserve(place->store, "alice", record.uid, NOW), -EEXIST);
	assert_int_equal(store_reserve(place->store, "alice", 2000200004, NOW), -EEXIST);
	record.subject = "00urobert";
	record.uid = 2000200004;
	assert_int_equal(store_add(place->store, &record), -EEXIST);
	change.next_uid = 2000200005;
	assert_int_equal(store_begin_change(place->store, &change), 0);
	assert_int_equal(store_end_change(place->store, &change, NOW), 0);
	assert_int_equal(store_revive(place->store, &dave), 0);
	assert_int_equal(store_forget_creating(place->store, "carol"), 0);
	assert_not_on_record(place->store, "carol");
}

static void ten_thousand_accounts_are_brought_up_to_date(void **state)
{
	struct place *place = *state;
	sqlite3 *database = open_version_1(place);

	run_script(database,
		   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
		   " INSERT INTO accounts SELECT 'person' || i, 2100000000 + i, 2100000000 + i, 'clinic',"
		   " 'https://clinic.example', '00u' || i, 'person' || i || '@clinic.example', 'Person ' || i,"
		   " '/home/person' || i, '/bin/bash', 'active', 1700000000, 1700000001 FROM n");
	(void)sqlite3_close(database);
	open_place(place);
	assert_version_1_rows(place->store);
	close_place(place);
	assert_answer(place,
		      "SELECT count(*) FROM accounts WHERE name LIKE 'person%' AND uid = 2100000000"
		      " + substr(name, 7) AND subject = '00u' || substr(name, 7)",
		      "10000\n");
	assert_answer(place, "PRAGMA integrity_check", "ok\n");
}

static void assert_left_alone(struct place *place, const char *script)
{
	char fault[512] = "", *before, *after;
	sqlite3 *database = open_version_1(place);

	run_script(database, script);
	(void)sqlite3_close(database);
	database = look_into(place);
	before = ask(database, "SELECT sql FROM sqlite_master");
	(void)sqlite3_close(database);
	assert_null(store_open(place->path, fault, sizeof(fault)));
	if (!strstr(fault, "written by another program or a newer provisiond"))
		fail_msg("%s", fault);
	database = look_into(place);
	after = ask(database, "SELECT sql FROM sqlite_master");
	assert_string_equal(before, after);
	free(before);
	free(after);
	(void)sqlite3_close(database);
}

static void a_newer_versions_database_is_left_alone(void **state)
{
	assert_left_alone(*state, "PRAGMA user_version = 3");
	assert_left_alone(*state, "PRAGMA user_version = 2147483647");
}

static void another_programs_database_is_left_alone(void **state)
{
	assert_left_alone(*state, "PRAGMA application_id = 7");
	assert_left_alone(*state, "PRAGMA user_version = 2");
	assert_left_alone(*state, "PRAGMA user_version = 0");
	assert_left_alone(*state, "PRAGMA application_id = 0");
}

/* A version 1 that somebody has edited by hand: nothing of it is lost, and the admin is told. */
static void what_cannot_be_brought_up_to_date_stays_as_it_was(void **state)
{
	struct place *place = *state;
	sqlite3 *database = open_version_1(place);
	char fault[512] = "";

	run_script(database, "CREATE TABLE formers (name TEXT)");
	(void)sqlite3_close(database);
	assert_null(store_open(place->path, fault, sizeof(fault)));
	assert_non_null(strstr(fault, "cannot be used: "));
	assert_answer(place, "PRAGMA user_version", "1\n");
	database = look_into(place);
	run_script(database, "DROP TABLE formers");
	(void)sqlite3_close(database);
	open_place(place);
	assert_version_1_rows(place->store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_old, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_that_version_1_knew_is_kept),
		TEST(what_version_1_left_in_its_log_is_kept),
		TEST(the_tables_are_those_of_a_new_database),
		TEST(the_rules_hold_for_the_old_rows),
		TEST(ten_thousand_accounts_are_brought_up_to_date),
		TEST(a_newer_versions_database_is_left_alone),
		TEST(another_programs_database_is_left_alone),
		TEST(what_cannot_be_brought_up_to_date_stays_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
