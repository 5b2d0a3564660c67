/*
 * The accounts on record, in a database in a temporary folder.
 */
#include "provisiond/store.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

struct place {
	char folder[64];
	char path[128];
	struct store *store;
};

static struct store *open_at(const struct place *place)
{
	char fault[512] = "";
	struct store *store = store_open(place->path, fault, sizeof(fault));

	if (!store)
		print_error("%s\n", fault);
	return store;
}

static int make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	(void)strcpy(place->folder, "/tmp/test_store.XXXXXX");
	if (!mkdtemp(place->folder))
		return -1;
	(void)snprintf(place->path, sizeof(place->path), "%s/accounts.db", place->folder);
	place->store = open_at(place);
	*state = place;
	return place->store ? 0 : -1;
}

static int unmake(void **state)
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

static struct store *store_of(void **state)
{
	return ((struct place *)*state)->store;
}

static struct account_record alice(void)
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
	};
}

static struct account_record bob(void)
{
	struct account_record record = alice();

	record.name = "bob";
	record.uid = record.gid = 2073203076;
	record.subject = "00ubob";
	record.email = "bob@clinic.example";
	return record;
}

static void add(struct store *store, const struct account_record *record)
{
	assert_int_equal(store_add(store, record), 0);
}

static void assert_same(const struct account_record *one, const struct account_record *other)
{
	assert_string_equal(one->name, other->name);
	assert_int_equal(one->uid, other->uid);
	assert_int_equal(one->gid, other->gid);
	assert_string_equal(one->tenant, other->tenant);
	assert_string_equal(one->issuer, other->issuer);
	assert_string_equal(one->subject, other->subject);
	assert_string_equal(one->email, other->email);
	assert_string_equal(one->full_name, other->full_name);
	assert_string_equal(one->home, other->home);
	assert_string_equal(one->shell, other->shell);
	assert_int_equal(one->state, other->state);
	assert_int_equal(one->created_at, other->created_at);
	assert_int_equal(one->last_signin_at, other->last_signin_at);
}

/* ---- rows ---- */

static void what_was_added_is_found_by_name_uid_subject_and_email(void **state)
{
	struct account_record expected = alice(), record = { 0 };
	struct store *store = store_of(state);

	add(store, &expected);
	assert_int_equal(store_account_by_name(store, "alice", &record), STORE_FOUND);
	assert_same(&record, &expected);
	account_record_clear(&record);
	assert_int_equal(store_account_by_uid(store, 2022975774, &record), STORE_FOUND);
	assert_same(&record, &expected);
	account_record_clear(&record);
	assert_int_equal(store_account_by_subject(store, "https://clinic.example", "00ualice", &record), STORE_FOUND);
	assert_same(&record, &expected);
	account_record_clear(&record);
	assert_int_equal(store_account_by_email(store, "clinic", "alice@CLINIC.example", &record), STORE_FOUND);
	assert_same(&record, &expected);
	account_record_clear(&record);
}

static void what_was_not_added_is_not_found(void **state)
{
	struct account_record record = alice();
	struct store *store = store_of(state);

	add(store, &record);
	record.storage = NULL;
	assert_int_equal(store_account_by_name(store, "Alice", &record), STORE_NONE);
	assert_int_equal(store_account_by_uid(store, 2022975775, &record), STORE_NONE);
	assert_int_equal(store_account_by_subject(store, "https://lab.example", "00ualice", &record), STORE_NONE);
	assert_int_equal(store_account_by_subject(store, "https://clinic.example", "00uAlice", &record), STORE_NONE);
	assert_int_equal(store_account_by_email(store, "lab", "alice@clinic.example", &record), STORE_NONE);
	assert_string_equal(record.name, "alice");
}

static void name_uid_and_subject_are_on_record_only_once(void **state)
{
	struct account_record record = alice();
	struct store *store = store_of(state);

	add(store, &record);
	record = bob();
	record.name = "alice";
	assert_int_equal(store_add(store, &record), -EEXIST);
	record = bob();
	record.uid = 2022975774;
	assert_int_equal(store_add(store, &record), -EEXIST);
	record = bob();
	record.subject = "00ualice";
	assert_int_equal(store_add(store, &record), -EEXIST);
	record = bob();
	add(store, &record);
}

static void uids_of_the_system_are_not_taken(void **state)
{
	struct account_record record = alice();

	record.uid = 999;
	assert_int_equal(store_add(store_of(state), &record), -EEXIST);
	record.uid = 0;
	assert_int_equal(store_add(store_of(state), &record), -EEXIST);
}

static void an_email_is_the_latest_persons_and_no_removed_ones(void **state)
{
	struct account_record old = alice(), new = bob(), record = { 0 };
	struct store *store = store_of(state);

	new.email = old.email;
	new.last_signin_at = old.last_signin_at + 1;
	add(store, &old);
	add(store, &new);
	assert_int_equal(store_account_by_email(store, "clinic", "alice@clinic.example", &record), STORE_FOUND);
	assert_string_equal(record.name, "bob");
	account_record_clear(&record);
	assert_int_equal(store_set_state(store, "bob", ACCOUNT_REMOVED), 0);
	assert_int_equal(store_account_by_email(store, "clinic", "alice@clinic.example", &record), STORE_FOUND);
	assert_string_equal(record.name, "alice");
	account_record_clear(&record);
}

static void all_accounts_are_listed_in_order(void **state)
{
	struct account_record one = bob(), other = alice(), record = { 0 };
	struct store *store = store_of(state);

	add(store, &one);
	add(store, &other);
	assert_int_equal(store_account_after(store, "", &record), STORE_FOUND);
	assert_string_equal(record.name, "alice");
	account_record_clear(&record);
	assert_int_equal(store_account_after(store, "alice", &record), STORE_FOUND);
	assert_string_equal(record.name, "bob");
	account_record_clear(&record);
	assert_int_equal(store_account_after(store, "bob", &record), STORE_NONE);
}

static void a_signin_brings_email_and_name_up_to_date(void **state)
{
	struct account_record one = alice(), record = { 0 };
	struct store *store = store_of(state);

	add(store, &one);
	assert_int_equal(store_note_signin(store, "alice", "alice.jones@clinic.example", "Alice Jones", 1800000000), 0);
	assert_int_equal(store_account_by_name(store, "alice", &record), STORE_FOUND);
	assert_string_equal(record.email, "alice.jones@clinic.example");
	assert_string_equal(record.full_name, "Alice Jones");
	assert_int_equal(record.last_signin_at, 1800000000);
	assert_int_equal(record.created_at, 1700000000);
	account_record_clear(&record);
}

static void only_accounts_being_made_can_be_forgotten(void **state)
{
	struct account_record one = alice(), other = bob(), record = { 0 };
	struct store *store = store_of(state);

	one.state = ACCOUNT_CREATING;
	add(store, &one);
	add(store, &other);
	assert_int_equal(store_account_creating_after(store, "", &record), STORE_FOUND);
	assert_string_equal(record.name, "alice");
	account_record_clear(&record);
	assert_int_equal(store_account_creating_after(store, "alice", &record), STORE_NONE);
	assert_int_equal(store_forget_creating(store, "alice"), 0);
	assert_int_equal(store_forget_creating(store, "bob"), 0);
	assert_int_equal(store_account_by_name(store, "alice", &record), STORE_NONE);
	assert_int_equal(store_account_by_name(store, "bob", &record), STORE_FOUND);
	account_record_clear(&record);
}

static void nothing_is_reserved_at_first(void **state)
{
	char name[ACCOUNT_NAME_MAX + 1] = "untouched";
	uid_t uid = 7;

	assert_int_equal(store_reserved_uid(store_of(state), "alice", &uid), STORE_NONE);
	assert_int_equal(store_uid_reserved_for(store_of(state), 5000, name, sizeof(name)), STORE_NONE);
	assert_int_equal(uid, 7);
	assert_string_equal(name, "untouched");
}

/* ---- transactions and crashes ---- */

static void what_is_rolled_back_was_never_there(void **state)
{
	struct account_record one = alice(), record = { 0 };
	struct store *store = store_of(state);

	assert_int_equal(store_begin(store), 0);
	add(store, &one);
	store_rollback(store);
	assert_int_equal(store_account_by_name(store, "alice", &record), STORE_NONE);
	store_rollback(store);
	assert_int_equal(store_begin(store), 0);
	add(store, &one);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(store_account_by_name(store, "alice", &record), STORE_FOUND);
	account_record_clear(&record);
}

/* Opens, adds Alice, and is killed; with `commit` after the commit, otherwise before. */
static void add_and_be_killed(const struct place *place, bool commit)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct account_record one = alice();
		struct store *store = open_at(place);

		if (store && store_begin(store) == 0 && store_add(store, &one) == 0 &&
		    (!commit || store_commit(store) == 0))
			(void)raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void a_kill_leaves_what_was_committed_and_nothing_else(void **state)
{
	struct place *place = *state;
	struct account_record record = { 0 };

	store_close(place->store);
	add_and_be_killed(place, false);
	place->store = open_at(place);
	assert_int_equal(store_account_by_name(place->store, "alice", &record), STORE_NONE);
	store_close(place->store);
	add_and_be_killed(place, true);
	place->store = open_at(place);
	assert_int_equal(store_account_by_name(place->store, "alice", &record), STORE_FOUND);
	account_record_clear(&record);
}

/* ---- opening ---- */

static void assert_does_not_open(struct place *place, const char *expected)
{
	char fault[512] = "";

	assert_null(store_open(place->path, fault, sizeof(fault)));
	if (!strstr(fault, expected))
		fail_msg("'%s' does not say '%s'", fault, expected);
}

static void the_file_is_made_closed_to_others(void **state)
{
	struct place *place = *state;
	struct stat st;

	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void a_file_open_to_others_is_refused(void **state)
{
	struct place *place = *state;

	store_close(take_pointer(place->store));
	assert_int_equal(chmod(place->path, 0640), 0);
	assert_does_not_open(place, "chmod 0600");
}

static void a_link_or_a_second_name_is_refused(void **state)
{
	struct place *place = *state;
	char other[128];

	store_close(take_pointer(place->store));
	(void)snprintf(other, sizeof(other), "%s/other", place->folder);
	assert_int_equal(link(place->path, other), 0);
	assert_does_not_open(place, "one name");
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(symlink(other, place->path), 0);
	assert_does_not_open(place, "cannot be opened");
}

static void a_folder_that_others_can_write_to_is_refused(void **state)
{
	struct place *place = *state;

	store_close(take_pointer(place->store));
	assert_int_equal(chmod(place->folder, 0770), 0);
	assert_does_not_open(place, "chmod 0700");
}

static void another_programs_file_is_refused(void **state)
{
	struct place *place = *state;
	static const char text[] = "this is no database, but a text that is long enough to hold the header of one: "
				   "a hundred bytes are what it takes, and here they are";
	int fd;

	store_close(take_pointer(place->store));
	fd = open(place->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, text, sizeof(text)), (ssize_t)sizeof(text));
	assert_int_equal(close(fd), 0);
	assert_does_not_open(place, "is damaged");
}

static void a_damaged_database_is_refused(void **state)
{
	struct place *place = *state;
	static const char rubbish[2000] = { 1, 2, 3 };
	struct account_record one = alice();
	int fd;

	add(place->store, &one);
	store_close(take_pointer(place->store));
	fd = open(place->path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, rubbish, sizeof(rubbish), 4096), (ssize_t)sizeof(rubbish));
	assert_int_equal(close(fd), 0);
	assert_does_not_open(place, "is damaged");
}

static void a_newer_versions_database_is_refused(void **state)
{
	struct place *place = *state;
	const unsigned char version[] = { 0, 0, 0, 3 };
	int fd;

	store_close(take_pointer(place->store));
	/* user_version, at offset 60 of the header (SQLite's file format, 1.3). */
	fd = open(place->path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, version, sizeof(version), 60), (ssize_t)sizeof(version));
	assert_int_equal(close(fd), 0);
	assert_does_not_open(place, "newer provisiond");
}

static void a_second_daemon_is_refused(void **state)
{
	struct place *place = *state;
	int status;
	pid_t child = fork();

	/* Locks are a process's: only another one can be kept out. */
	if (child == 0) {
		char fault[512] = "";
		struct store *store = store_open(place->path, fault, sizeof(fault));

		_exit(!store && strstr(fault, "in use") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_added_is_found_by_name_uid_subject_and_email),
		TEST(what_was_not_added_is_not_found),
		TEST(name_uid_and_subject_are_on_record_only_once),
		TEST(uids_of_the_system_are_not_taken),
		TEST(an_email_is_the_latest_persons_and_no_removed_ones),
		TEST(all_accounts_are_listed_in_order),
		TEST(a_signin_brings_email_and_name_up_to_date),
		TEST(only_accounts_being_made_can_be_forgotten),
		TEST(nothing_is_reserved_at_first),
		TEST(what_is_rolled_back_was_never_there),
		TEST(a_kill_leaves_what_was_committed_and_nothing_else),
		TEST(the_file_is_made_closed_to_others),
		TEST(a_file_open_to_others_is_refused),
		TEST(a_link_or_a_second_name_is_refused),
		TEST(a_folder_that_others_can_write_to_is_refused),
		TEST(another_programs_file_is_refused),
		TEST(a_damaged_database_is_refused),
		TEST(a_newer_versions_database_is_refused),
		TEST(a_second_daemon_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
