/*
 * The database while memory or the disk fails under it: an answer is the right one or says that there is none. "Nobody
 * of that name" or a record with a field missing would let somebody else have an account.
 */
#include "provisiond/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "failing_each.h"

static const struct failing_manner manners[] = {
	{ "no memory for SQLite, once", FAILING_LIBRARY, ENOMEM, FAILING_ONCE },
	{ "no memory for SQLite any more", FAILING_LIBRARY, ENOMEM, FAILING_FOREVER },
	{ "no memory for us", FAILING_MEMORY, ENOMEM, FAILING_ONCE },
	{ "an I/O error, once", FAILING_DATABASE, EIO, FAILING_ONCE },
	{ "I/O errors", FAILING_DATABASE, EIO, FAILING_FOREVER },
	{ "a full disk", FAILING_DATABASE, ENOSPC, FAILING_FOREVER },
};

/* Longer than what fits into a page, so that its text has to be put together in memory. */
static char long_name[9000];

static const struct account_record alice = {
	.name = "alice",
	.uid = 2022975774,
	.gid = 2022975774,
	.tenant = "clinic",
	.issuer = "https://clinic.example",
	.subject = "00ualice",
	.email = "alice@clinic.example",
	.full_name = long_name,
	.home = "/home/alice",
	.shell = "/bin/bash",
	.state = ACCOUNT_ACTIVE,
	.created_at = 1700000000,
	.last_signin_at = 1700000001,
};

struct place {
	char folder[64];
	char path[128];
	struct store *store;
};

static void open_place(struct place *place)
{
	char fault[512] = "";

	place->store = store_open(place->path, fault, sizeof(fault));
	if (!place->store)
		fail_msg("%s", fault);
}

static int make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	memset(long_name, 'a', sizeof(long_name) - 1);
	(void)strcpy(place->folder, "/tmp/test_failing_store.XXXXXX");
	if (!mkdtemp(place->folder))
		return -1;
	(void)snprintf(place->path, sizeof(place->path), "%s/accounts.db", place->folder);
	open_place(place);
	*state = place;
	return store_add(place->store, &alice);
}

static int unmake(void **state)
{
	struct place *place = *state;
	char path[160];

	failing_say_where();
	store_close(place->store);
	(void)unlink(place->path);
	(void)snprintf(path, sizeof(path), "%s-wal", place->path);
	(void)unlink(path);
	(void)rmdir(place->folder);
	free(place);
	return 0;
}

static void assert_alice(const struct account_record *record)
{
	assert_string_equal(record->name, alice.name);
	assert_int_equal(record->uid, alice.uid);
	assert_int_equal(record->gid, alice.gid);
	assert_string_equal(record->tenant, alice.tenant);
	assert_string_equal(record->issuer, alice.issuer);
	assert_string_equal(record->subject, alice.subject);
	assert_string_equal(record->email, alice.email);
	assert_string_equal(record->full_name, alice.full_name);
	assert_string_equal(record->home, alice.home);
	assert_string_equal(record->shell, alice.shell);
	assert_int_equal(record->state, alice.state);
	assert_int_equal(record->created_at, alice.created_at);
	assert_int_equal(record->last_signin_at, alice.last_signin_at);
}

/* ---- asking ---- */

enum asked { BY_NAME, BY_UID, BY_SUBJECT, BY_EMAIL, AFTER, CREATING_AFTER, RESERVED, RESERVED_FOR, ASKED_COUNT };

static enum store_answer ask(struct store *store, enum asked asked, struct account_record *record)
{
	char name[64];
	uid_t uid;

	switch (asked) {
	case BY_NAME:
		return store_account_by_name(store, "alice", record);
	case BY_UID:
		return store_account_by_uid(store, alice.uid, record);
	case BY_SUBJECT:
		return store_account_by_subject(store, alice.issuer, alice.subject, record);
	case BY_EMAIL:
		return store_account_by_email(store, "clinic", "Alice@Clinic.example", record);
	case AFTER:
		return store_account_after(store, "", record);
	case CREATING_AFTER:
		return store_account_creating_after(store, "", record);
	case RESERVED:
		return store_reserved_uid(store, "bob", &uid);
	case RESERVED_FOR:
		return store_uid_reserved_for(store, 2000200002, name, sizeof(name));
	case ASKED_COUNT:
	default:
		return STORE_FAILED;
	}
}

struct asking {
	struct place *place;
	enum asked asked;
	unsigned right, none;
};

static bool ask_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	struct asking *asking = context;
	struct account_record record = { 0 };
	enum store_answer answer;
	bool failed;

	/* From a cold start, so that nothing is in SQLite's cache. */
	store_close(asking->place->store);
	open_place(asking->place);
	failing_arm(manner->kinds, n, manner->error, manner->times);
	answer = ask(asking->place->store, asking->asked, &record);
	failed = failing_disarm();
	if (answer == STORE_FAILED) {
		assert_string_not_equal(store_fault(asking->place->store), "");
		assert_null(record.storage);
	} else if (asking->asked >= CREATING_AFTER) {
		assert_int_equal(answer, STORE_NONE);
	} else {
		assert_int_equal(answer, STORE_FOUND);
		assert_alice(&record);
	}
	account_record_clear(&record);
	assert_int_equal(ask(asking->place->store, asking->asked, &record),
			 asking->asked >= CREATING_AFTER ? STORE_NONE : STORE_FOUND);
	account_record_clear(&record);
	return failed;
}

static void a_question_is_answered_rightly_or_not_at_all(void **state)
{
	for (enum asked asked = 0; asked < ASKED_COUNT; asked++)
		for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
			struct asking asking = { .place = *state, .asked = asked };

			(void)failing_each(ask_while_failing, &asking, &manners[i]);
		}
}

/* ---- changing ---- */

static bool change_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	struct place *place = context;
	struct account_record bob = alice, there = { 0 };
	int begun, added = -1, committed = -1;
	bool failed;

	bob.name = "bob";
	bob.subject = "00ubob";
	bob.uid = bob.gid = 2000200002;
	bob.state = ACCOUNT_CREATING;
	store_close(place->store);
	open_place(place);
	failing_arm(manner->kinds, n, manner->error, manner->times);
	begun = store_begin(place->store);
	if (begun == 0)
		added = store_add(place->store, &bob);
	if (added == 0)
		committed = store_commit(place->store);
	else
		store_rollback(place->store);
	failed = failing_disarm();
	assert_true(begun == 0 || begun == -EIO);
	assert_true(added == 0 || added == -1 || added == -EIO);
	/* What was said holds now, and after the next start. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_account_by_name(place->store, "bob", &there),
				 committed == 0 ? STORE_FOUND : STORE_NONE);
		account_record_clear(&there);
		store_close(place->store);
		open_place(place);
	}
	if (committed == 0)
		assert_int_equal(store_forget_creating(place->store, "bob"), 0);
	assert_int_equal(store_add(place->store, &bob), 0);
	assert_int_equal(store_forget_creating(place->store, "bob"), 0);
	return failed;
}

static void a_change_is_whole_or_did_not_happen(void **state)
{
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		(void)failing_each(change_while_failing, *state, &manners[i]);
}

/* Changes of one row each, without a transaction around them. */
static bool note_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	struct place *place = context;
	struct account_record there = { 0 };
	int noted, set;
	bool failed;

	store_close(place->store);
	open_place(place);
	failing_arm(manner->kinds, n, manner->error, manner->times);
	noted = store_note_signin(place->store, "alice", "new@clinic.example", long_name, 1800000000);
	set = store_set_state(place->store, "alice", ACCOUNT_DEACTIVATED);
	failed = failing_disarm();
	assert_int_equal(store_account_by_name(place->store, "alice", &there), STORE_FOUND);
	assert_string_equal(there.email, noted == 0 ? "new@clinic.example" : alice.email);
	assert_int_equal(there.last_signin_at, noted == 0 ? 1800000000 : alice.last_signin_at);
	assert_int_equal(there.state, set == 0 ? ACCOUNT_DEACTIVATED : ACCOUNT_ACTIVE);
	assert_string_equal(there.subject, alice.subject);
	account_record_clear(&there);
	assert_int_equal(store_note_signin(place->store, "alice", alice.email, long_name, alice.last_signin_at), 0);
	assert_int_equal(store_set_state(place->store, "alice", ACCOUNT_ACTIVE), 0);
	return failed;
}

static void a_note_is_taken_or_refused(void **state)
{
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		(void)failing_each(note_while_failing, *state, &manners[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_question_is_answered_rightly_or_not_at_all, make, unmake),
		cmocka_unit_test_setup_teardown(a_change_is_whole_or_did_not_happen, make, unmake),
		cmocka_unit_test_setup_teardown(a_note_is_taken_or_refused, make, unmake),
	};

	failing_open_doors();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
