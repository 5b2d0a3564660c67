/*
 * The accounts on record, in a database in a temporary folder.
 */
#include "provisiond/store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_place.h"

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

static void what_a_record_leaves_out_is_empty(void **state)
{
	struct account_record expected = bob(), record = { 0 };
	struct store *store = store_of(state);

	add(store, &expected);
	assert_int_equal(store_account_by_name(store, "bob", &record), STORE_FOUND);
	assert_same(&record, &expected);
	assert_string_equal(record.room, "");
	assert_string_equal(record.refusal, "");
	account_record_clear(&record);
}

static void every_state_is_kept(void **state)
{
	struct store *store = store_of(state);

	for (int i = 0; i < ACCOUNT_STATE_COUNT; i++) {
		struct account_record record = bob();
		char name[16], subject[16];

		(void)snprintf(name, sizeof(name), "bob%d", i);
		(void)snprintf(subject, sizeof(subject), "00ubob%d", i);
		record.name = name;
		record.subject = subject;
		record.uid += (uid_t)i;
		record.state = (enum account_state)i;
		add(store, &record);
		assert_on_record(store, &record);
	}
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

static void a_group_of_the_system_is_a_linked_accounts_only(void **state)
{
	struct account_record one = alice(), other = bob();
	struct store *store = store_of(state);

	one.gid = 100;
	add(store, &one);
	assert_on_record(store, &one);
	other.gid = 100;
	assert_int_equal(store_add(store, &other), -EEXIST);
	one = alice();
	one.name = "carol";
	one.subject = "00ucarol";
	one.uid = 5000;
	one.gid = 0;
	assert_int_equal(store_add(store, &one), -EEXIST);
}

static void ranges_of_subordinate_ids_never_overlap(void **state)
{
	struct account_record one = bob(), other = bob();
	struct store *store = store_of(state);
	struct planned_change change;
	uint32_t first = 7;

	assert_int_equal(store_highest_subid(store, &first), STORE_FOUND);
	assert_int_equal(first, 0);
	one.first_subid = 200000;
	add(store, &one);
	other.name = "carol";
	other.subject = "00ucarol";
	other.uid++;
	other.first_subid = 200000 - 65535;
	assert_int_equal(store_add(store, &other), -EEXIST);
	other.first_subid = 200000 + 65535;
	assert_int_equal(store_add(store, &other), -EEXIST);
	other.first_subid = 200000 + 65536;
	add(store, &other);
	/* Nor by a change. */
	other.first_subid = 200000;
	change = planned_change_none(CHANGE_UPDATE, &other);
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	/* An admin may have given two local users the same one. */
	other = alice();
	other.first_subid = 200000;
	add(store, &other);
	assert_int_equal(store_set_state(store, "carol", ACCOUNT_REMOVED), 0);
	assert_int_equal(store_highest_subid(store, &first), STORE_FOUND);
	assert_int_equal(first, 200000 + 65536);
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
	assert_not_on_record(store, "alice");
	assert_on_record(store, &other);
}

static void a_refusal_is_noted_with_the_account(void **state)
{
	struct account_record one = alice(), other = bob();
	struct store *store = store_of(state);

	add(store, &one);
	add(store, &other);
	assert_int_equal(store_note_refusal(store, "bob", "denied", 1800000000), 0);
	assert_int_equal(store_note_refusal(store, "carol", "denied", 1800000000), 0);
	other.refusal = "denied";
	other.refused_at = 1800000000;
	assert_on_record(store, &one);
	assert_on_record(store, &other);
}

static void linked_accounts_are_found_in_order(void **state)
{
	struct account_record one = alice(), other = bob(), record = { 0 };
	struct store *store = store_of(state);

	add(store, &one);
	add(store, &other);
	one.name = "carol";
	one.subject = "00ucarol";
	one.uid++;
	add(store, &one);
	assert_int_equal(store_linked_after(store, "", &record), STORE_FOUND);
	assert_string_equal(record.name, "alice");
	account_record_clear(&record);
	assert_int_equal(store_linked_after(store, "alice", &record), STORE_FOUND);
	assert_string_equal(record.name, "carol");
	account_record_clear(&record);
	assert_int_equal(store_linked_after(store, "carol", &record), STORE_NONE);
}

static void assert_idle(struct store *store, const char *after, int64_t before, const char *expected)
{
	struct account_record record = { 0 };

	assert_int_equal(store_idle_after(store, after, before, &record), expected ? STORE_FOUND : STORE_NONE);
	if (expected)
		assert_string_equal(record.name, expected);
	account_record_clear(&record);
}

static void idle_people_are_found_until_their_sessions_were_ended(void **state)
{
	struct account_record one = alice(), other = bob();
	struct store *store = store_of(state);

	one.sessions_ended_at = 0;
	one.last_signin_at = 1000;
	add(store, &one);
	other.last_signin_at = 2000;
	add(store, &other);
	assert_idle(store, "", 1000, NULL);
	assert_idle(store, "", 1001, "alice");
	assert_idle(store, "alice", 1001, NULL);
	assert_idle(store, "alice", 3000, "bob");
	assert_int_equal(store_note_sessions_ended(store, "alice", 5000), 0);
	assert_idle(store, "", 9000, "bob");
	assert_int_equal(store_note_signin(store, "alice", "alice@clinic.example", "Alice", 6000), 0);
	assert_idle(store, "", 9000, "alice");
	assert_int_equal(store_set_state(store, "alice", ACCOUNT_DEACTIVATED), 0);
	assert_idle(store, "", 9000, "bob");
	assert_int_equal(store_set_state(store, "bob", ACCOUNT_INCOMPLETE), 0);
	assert_idle(store, "", 9000, NULL);
}

static void accounts_are_counted_by_their_state(void **state)
{
	struct expected expected = { .kind = EXPECTED_ADD, .name = "dave", .tenant = "clinic", .email = "dave" };
	struct account_record one = alice(), other = bob();
	struct store *store = store_of(state);
	struct store_counts counts;

	assert_int_equal(store_count(store, &counts), 0);
	assert_int_equal(counts.accounts[ACCOUNT_ACTIVE], 0);
	assert_int_equal(counts.expected, 0);
	add(store, &one);
	add(store, &other);
	assert_int_equal(store_set_state(store, "bob", ACCOUNT_REMOVED), 0);
	assert_int_equal(store_expect(store, &expected), 0);
	assert_int_equal(store_count(store, &counts), 0);
	assert_int_equal(counts.accounts[ACCOUNT_CREATING], 0);
	assert_int_equal(counts.accounts[ACCOUNT_INCOMPLETE], 0);
	assert_int_equal(counts.accounts[ACCOUNT_ACTIVE], 1);
	assert_int_equal(counts.accounts[ACCOUNT_DEACTIVATED], 0);
	assert_int_equal(counts.accounts[ACCOUNT_REMOVED], 1);
	assert_int_equal(counts.expected, 1);
}

/* ---- those who come back ---- */

static struct account_record removed_bob(struct store *store)
{
	struct account_record record = bob();

	record.state = ACCOUNT_REMOVED;
	add(store, &record);
	return record;
}

static void who_was_removed_comes_back_with_the_same_uid(void **state)
{
	struct store *store = store_of(state);
	struct account_record record = removed_bob(store);

	record.email = "bob.jones@clinic.example";
	record.home = "/srv/home/bob";
	record.state = ACCOUNT_ACTIVE;
	assert_int_equal(store_revive(store, &record), 0);
	record.state = ACCOUNT_CREATING;
	record.revived = true;
	assert_on_record(store, &record);
	assert_int_equal(store_set_state(store, "bob", ACCOUNT_ACTIVE), 0);
	record.state = ACCOUNT_ACTIVE;
	record.revived = false;
	assert_on_record(store, &record);
	assert_int_equal(store_forget_creating(store, "bob"), 0);
	assert_on_record(store, &record);
}

static void who_does_not_come_to_be_again_is_a_removed_one_again(void **state)
{
	struct store *store = store_of(state);
	struct account_record record = removed_bob(store);

	assert_int_equal(store_revive(store, &record), 0);
	assert_int_equal(store_forget_creating(store, "bob"), 0);
	assert_on_record(store, &record);
	assert_int_equal(store_forget_creating(store, "bob"), 0);
	assert_on_record(store, &record);
	assert_int_equal(store_revive(store, &record), 0);
}

static void nobody_else_comes_back_as_a_removed_person(void **state)
{
	struct store *store = store_of(state);
	struct account_record there = removed_bob(store), record;

	record = there;
	record.subject = "00umallory";
	assert_int_equal(store_revive(store, &record), -EEXIST);
	record = there;
	record.issuer = "https://evil.example";
	assert_int_equal(store_revive(store, &record), -EEXIST);
	record = there;
	record.uid++;
	assert_int_equal(store_revive(store, &record), -EEXIST);
	assert_string_equal(store_fault(store), "there is no such removed account");
	assert_on_record(store, &there);
	assert_int_equal(store_set_state(store, "bob", ACCOUNT_ACTIVE), 0);
	assert_int_equal(store_revive(store, &there), -EEXIST);
	assert_int_equal(store_set_state(store, "bob", ACCOUNT_CREATING), 0);
	assert_int_equal(store_revive(store, &there), -EEXIST);
}

static void who_comes_back_under_another_name_takes_nobodys(void **state)
{
	struct store *store = store_of(state);
	struct account_record record = removed_bob(store), other = alice();

	add(store, &other);
	record.name = "alice";
	assert_int_equal(store_revive(store, &record), -EEXIST);
	record.name = "robert";
	assert_int_equal(store_revive(store, &record), 0);
	assert_not_on_record(store, "bob");
	record.state = ACCOUNT_CREATING;
	record.revived = true;
	assert_on_record(store, &record);
	assert_on_record(store, &other);
}

static void a_new_account_was_not_there_before(void **state)
{
	struct account_record record = bob();
	struct store *store = store_of(state);

	record.state = ACCOUNT_CREATING;
	record.revived = true;
	add(store, &record);
	assert_int_equal(store_forget_creating(store, "bob"), 0);
	assert_not_on_record(store, "bob");
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

static void one_change_that_is_refused_does_not_hinder_the_others(void **state)
{
	struct account_record one = alice(), other = bob();
	struct store *store = store_of(state);

	assert_int_equal(store_begin(store), 0);
	add(store, &one);
	assert_int_equal(store_add(store, &one), -EEXIST);
	assert_int_equal(store_revive(store, &one), -EEXIST);
	add(store, &other);
	assert_int_equal(store_commit(store), 0);
	assert_on_record(store, &one);
	assert_on_record(store, &other);
}

static void a_commit_without_a_beginning_fails(void **state)
{
	struct account_record one = alice();
	struct store *store = store_of(state);

	assert_int_equal(store_commit(store), -EIO);
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_begin(store), -EIO);
	add(store, &one);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(store_commit(store), -EIO);
	assert_on_record(store, &one);
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
		TEST(what_a_record_leaves_out_is_empty),
		TEST(every_state_is_kept),
		TEST(name_uid_and_subject_are_on_record_only_once),
		TEST(uids_of_the_system_are_not_taken),
		TEST(a_group_of_the_system_is_a_linked_accounts_only),
		TEST(ranges_of_subordinate_ids_never_overlap),
		TEST(an_email_is_the_latest_persons_and_no_removed_ones),
		TEST(all_accounts_are_listed_in_order),
		TEST(a_signin_brings_email_and_name_up_to_date),
		TEST(only_accounts_being_made_can_be_forgotten),
		TEST(a_refusal_is_noted_with_the_account),
		TEST(linked_accounts_are_found_in_order),
		TEST(idle_people_are_found_until_their_sessions_were_ended),
		TEST(accounts_are_counted_by_their_state),
		TEST(who_was_removed_comes_back_with_the_same_uid),
		TEST(who_does_not_come_to_be_again_is_a_removed_one_again),
		TEST(nobody_else_comes_back_as_a_removed_person),
		TEST(who_comes_back_under_another_name_takes_nobodys),
		TEST(a_new_account_was_not_there_before),
		TEST(what_is_rolled_back_was_never_there),
		TEST(one_change_that_is_refused_does_not_hinder_the_others),
		TEST(a_commit_without_a_beginning_fails),
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
