/*
 * A database in a temporary folder, and people to put in it.
 */
#ifndef TESTS_UNIT_STORE_PLACE_H
#define TESTS_UNIT_STORE_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "provisiond/store.h"

struct place {
	char folder[64];
	char path[128];
	struct store *store;
};

static inline struct store *open_at(const struct place *place)
{
	char fault[512] = "";
	struct store *store = store_open(place->path, fault, sizeof(fault));

	if (!store)
		print_error("%s\n", fault);
	return store;
}

static inline void close_place(struct place *place)
{
	store_close(take_pointer(place->store));
}

static inline void open_place(struct place *place)
{
	store_close(place->store);
	place->store = open_at(place);
	assert_non_null(place->store);
}

/* A folder without a database. */
static inline int make_folder(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	/* In memory where that is possible: thousands of commits wait for a disk long. */
	(void)strcpy(place->folder, "/dev/shm/test_store.XXXXXX");
	if (!mkdtemp(place->folder)) {
		(void)strcpy(place->folder, "/tmp/test_store.XXXXXX");
		if (!mkdtemp(place->folder))
			return -1;
	}
	(void)snprintf(place->path, sizeof(place->path), "%s/accounts.db", place->folder);
	*state = place;
	return 0;
}

static inline int make(void **state)
{
	struct place *place;

	if (make_folder(state) != 0)
		return -1;
	place = *state;
	place->store = open_at(place);
	return place->store ? 0 : -1;
}

static inline int unmake(void **state)
{
	static const char *const names[] = { "accounts.db", "accounts.db-wal", "accounts.db-shm", "other" };
	struct place *place = *state;
	char path[128];

	store_close(place->store);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", place->folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(place->folder);
	free(place);
	return 0;
}

static inline struct store *store_of(void **state)
{
	return ((struct place *)*state)->store;
}

static inline struct account_record alice(void)
{
	return (struct account_record){
		.name = "alice",
		.uid = 2022975774,
		.gid = 2022975774,
		.tenant = "clinic",
		.issuer = "https://clinic.example",
		.subject = "00ualice",
		.email = "Alice@clinic.example",
		.full_name = "Zoë \"Alice\" 'Example'; DROP TABLE accounts",
		.home = "/home/alice",
		.shell = "/bin/bash",
		.state = ACCOUNT_ACTIVE,
		.created_at = 1700000000,
		.last_signin_at = 1700000001,
		.room = "Exam 1",
		.groups_given = "radiology,clinic",
		.groups_taken = "lab",
		.first_subid = 165536,
		.linked = true,
		.gecos_before = "Alice,,",
		.ageing_before = "19000:0:99999:7:",
		.expiry_before = "20000",
		.expiry_given = "20100",
		.locked = true,
		.state_at = 1700000002,
		.sessions_ended_at = 1700000003,
		.refusal = "not_assigned",
		.refused_at = 1700000004,
	};
}

/* With as little as a record can have: all else is NULL or 0. */
static inline struct account_record bob(void)
{
	return (struct account_record){
		.name = "bob",
		.uid = 2073203076,
		.gid = 2073203076,
		.tenant = "clinic",
		.issuer = "https://clinic.example",
		.subject = "00ubob",
		.email = "bob@clinic.example",
		.full_name = "Bob",
		.home = "/home/bob",
		.shell = "/bin/bash",
		.state = ACCOUNT_ACTIVE,
		.created_at = 1700000000,
		.last_signin_at = 1700000001,
	};
}

static inline void add(struct store *store, const struct account_record *record)
{
	int r = store_add(store, record);

	if (r != 0)
		fail_msg("%s: %d: %s", record->name, r, store_fault(store));
}

static inline void assert_same_text(const char *one, const char *other)
{
	assert_string_equal(one ? one : "", other ? other : "");
}

static inline void assert_same(const struct account_record *one, const struct account_record *other)
{
	assert_same_text(one->name, other->name);
	assert_int_equal(one->uid, other->uid);
	assert_int_equal(one->gid, other->gid);
	assert_same_text(one->tenant, other->tenant);
	assert_same_text(one->issuer, other->issuer);
	assert_same_text(one->subject, other->subject);
	assert_same_text(one->email, other->email);
	assert_same_text(one->full_name, other->full_name);
	assert_same_text(one->home, other->home);
	assert_same_text(one->shell, other->shell);
	assert_int_equal(one->state, other->state);
	assert_int_equal(one->created_at, other->created_at);
	assert_int_equal(one->last_signin_at, other->last_signin_at);
	assert_same_text(one->room, other->room);
	assert_same_text(one->groups_given, other->groups_given);
	assert_same_text(one->groups_taken, other->groups_taken);
	assert_int_equal(one->first_subid, other->first_subid);
	assert_int_equal(one->linked, other->linked);
	assert_same_text(one->gecos_before, other->gecos_before);
	assert_same_text(one->ageing_before, other->ageing_before);
	assert_same_text(one->expiry_before, other->expiry_before);
	assert_same_text(one->expiry_given, other->expiry_given);
	assert_int_equal(one->locked, other->locked);
	assert_int_equal(one->revived, other->revived);
	assert_int_equal(one->state_at, other->state_at);
	assert_int_equal(one->sessions_ended_at, other->sessions_ended_at);
	assert_same_text(one->refusal, other->refusal);
	assert_int_equal(one->refused_at, other->refused_at);
}

/* What is on record under that name. */
static inline void assert_on_record(struct store *store, const struct account_record *expected)
{
	struct account_record record = { 0 };

	assert_int_equal(store_account_by_name(store, expected->name, &record), STORE_FOUND);
	assert_same(&record, expected);
	account_record_clear(&record);
}

static inline void assert_not_on_record(struct store *store, const char *name)
{
	struct account_record record = { 0 };

	assert_int_equal(store_account_by_name(store, name, &record), STORE_NONE);
}

static inline void dump_table(sqlite3 *database, const char *table, FILE *to)
{
	sqlite3_stmt *statement;
	char query[128];

	(void)snprintf(query, sizeof(query), "SELECT * FROM %s ORDER BY 1", table);
	assert_int_equal(sqlite3_prepare_v2(database, query, -1, &statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		(void)fputs(table, to);
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			const unsigned char *text = sqlite3_column_text(statement, i);

			(void)fprintf(to, "|%s", text ? (const char *)text : "NULL");
		}
		(void)fputc('\n', to);
	}
	(void)sqlite3_finalize(statement);
}

/* All that the database holds, as text; the caller frees it. The store must be closed. */
static inline char *dump(const struct place *place)
{
	static const char *const tables[] = { "accounts", "changes", "expected", "reservations", "formers" };
	sqlite3 *database;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_int_equal(sqlite3_open_v2(place->path, &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		dump_table(database, tables[i], to);
	(void)sqlite3_close(database);
	(void)fclose(to);
	return text;
}

#endif
