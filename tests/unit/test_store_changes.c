/*
 * Changes on record from their beginning to their end, the people whom an admin expects, and the uids that are kept.
 */
#include "provisiond/store.h"

#include <errno.h>

#include "store_place.h"

#define NOW 1800000000

static struct planned_change full_change(const struct account_record *record)
{
	struct planned_change change = planned_change_none(CHANGE_REASSIGN, record);

	change.state_after = ACCOUNT_REMOVED;
	change.gecos = "Alice Example,Exam 1";
	change.locks = 2;
	change.ageing = "19000::::";
	change.expiry = "";
	change.groups_in = "radiology";
	change.groups_out = "*";
	change.end_sessions = true;
	change.home = HOME_IS_MOVED;
	change.home_to = "/home/alice.2022975774";
	change.next_uid = 2000300003;
	return change;
}

static void assert_same_or_null(const char *one, const char *other)
{
	if (one && other)
		assert_string_equal(one, other);
	else
		assert_ptr_equal(one, other);
}

static void assert_same_change(const struct planned_change *one, const struct planned_change *other)
{
	assert_int_equal(one->kind, other->kind);
	assert_same(&one->record, &other->record);
	assert_int_equal(one->state_after, other->state_after);
	assert_same_or_null(one->gecos, other->gecos);
	assert_int_equal(one->locks, other->locks);
	assert_same_or_null(one->ageing, other->ageing);
	assert_same_or_null(one->expiry, other->expiry);
	assert_same_or_null(one->groups_in, other->groups_in);
	assert_same_or_null(one->groups_out, other->groups_out);
	assert_int_equal(one->end_sessions, other->end_sessions);
	assert_int_equal(one->home, other->home);
	assert_same_or_null(one->home_to, other->home_to);
	assert_int_equal(one->next_uid, other->next_uid);
}

static void assert_begun(struct store *store, const struct planned_change *expected)
{
	_cleanup_planned_change_ struct planned_change change = { 0 };

	assert_int_equal(store_change_of(store, expected->record.name, &change), STORE_FOUND);
	assert_same_change(&change, expected);
}

static void assert_nothing_begun(struct store *store)
{
	struct planned_change change = { 0 };

	assert_int_equal(store_change_after(store, "", &change), STORE_NONE);
}

static void must(struct store *store, int result)
{
	if (result != 0)
		fail_msg("%d: %s", result, store_fault(store));
}

static void begin(struct store *store, const struct planned_change *change)
{
	must(store, store_begin_change(store, change));
}

static void end(struct store *store, const struct planned_change *change)
{
	must(store, store_end_change(store, change, NOW));
}

/* ---- values ---- */

static void a_copied_change_has_strings_of_its_own(void **state)
{
	char gecos[] = "Alice", name[] = "alice";
	struct account_record record = alice();
	struct planned_change change, copy = { 0 }, expected;

	(void)state;
	record.name = name;
	change = full_change(&record);
	change.gecos = gecos;
	change.ageing = NULL;
	assert_int_equal(planned_change_copy(&change, &copy), 0);
	expected = change;
	expected.gecos = "Alice";
	expected.record.name = "alice";
	memset(gecos, 'x', sizeof(gecos) - 1);
	memset(name, 'x', sizeof(name) - 1);
	assert_same_change(&copy, &expected);
	planned_change_clear(&copy);
	planned_change_clear(&copy);
	assert_null(copy.record.name);
}

static void a_change_that_leaves_all_as_it_is_can_be_cleared(void **state)
{
	struct account_record record = { 0 }, one = alice();
	struct planned_change change;

	(void)state;
	assert_int_equal(account_record_copy(&one, &record), 0);
	change = planned_change_none(CHANGE_UPDATE, &record);
	assert_int_equal(change.state_after, ACCOUNT_ACTIVE);
	assert_true(change.locks < 0);
	assert_null(change.gecos);
	assert_null(change.groups_out);
	assert_int_equal(change.home, HOME_STAYS);
	planned_change_clear(&change);
	assert_same(&record, &one);
	account_record_clear(&record);
}

static void every_kind_has_a_name_that_leads_back_to_it(void **state)
{
	enum change_kind kind = CHANGE_REASSIGN;

	(void)state;
	for (int i = 0; i < CHANGE_KIND_COUNT; i++) {
		assert_true(change_kind_from_name(change_kind_name((enum change_kind)i), &kind));
		assert_int_equal(kind, i);
	}
	assert_false(change_kind_from_name("rename", &kind));
	assert_int_equal(kind, CHANGE_REASSIGN);
}

/* ---- beginning ---- */

static void a_begun_change_is_on_record_with_the_accounts_new_row(void **state)
{
	struct account_record record = alice();
	struct store *store = store_of(state);
	struct planned_change change, found = { 0 };

	add(store, &record);
	assert_nothing_begun(store);
	record.email = "alice.jones@clinic.example";
	record.state = ACCOUNT_DEACTIVATED;
	record.room = NULL;
	record.state_at = NOW;
	change = full_change(&record);
	begin(store, &change);
	assert_begun(store, &change);
	assert_on_record(store, &record);
	assert_int_equal(store_change_after(store, "", &found), STORE_FOUND);
	assert_same_change(&found, &change);
	planned_change_clear(&found);
	assert_int_equal(store_change_after(store, "alice", &found), STORE_NONE);
	assert_int_equal(store_change_of(store, "bob", &found), STORE_NONE);
}

static void a_change_that_leaves_rows_alone_says_so_afterwards(void **state)
{
	struct account_record record = bob();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_UPDATE, &record);

	add(store, &record);
	change.home_to = "/not/moved";
	begin(store, &change);
	change.home_to = NULL;
	assert_begun(store, &change);
}

static void changes_are_found_in_order_after_a_restart(void **state)
{
	struct account_record one = alice(), other = bob();
	struct planned_change removal = planned_change_none(CHANGE_REMOVE, &other), found = { 0 };
	struct planned_change deactivation = planned_change_none(CHANGE_DEACTIVATE, &one);
	struct store *store = store_of(state);

	add(store, &one);
	add(store, &other);
	removal.home = HOME_IS_REMOVED;
	begin(store, &removal);
	begin(store, &deactivation);
	open_place(*state);
	store = store_of(state);
	assert_int_equal(store_change_after(store, "", &found), STORE_FOUND);
	assert_same_change(&found, &deactivation);
	planned_change_clear(&found);
	assert_int_equal(store_change_after(store, "alice", &found), STORE_FOUND);
	assert_same_change(&found, &removal);
	planned_change_clear(&found);
}

static void an_account_has_one_unfinished_change(void **state)
{
	struct account_record record = alice();
	struct store *store = store_of(state);
	struct planned_change first, second;

	add(store, &record);
	first = full_change(&record);
	begin(store, &first);
	second = planned_change_none(CHANGE_UPDATE, &record);
	second.record.email = "other@clinic.example";
	assert_int_equal(store_begin_change(store, &second), -EEXIST);
	assert_begun(store, &first);
	assert_on_record(store, &record);
}

static void a_change_of_another_account_under_the_name_is_refused(void **state)
{
	struct account_record record = alice();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_UPDATE, &record);

	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	add(store, &record);
	change.record.uid++;
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	change.record = record;
	change.record.subject = "00umallory";
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	change.record = record;
	change.record.issuer = "https://evil.example";
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	assert_string_equal(store_fault(store), "the account on record is another one");
	assert_on_record(store, &record);
	assert_nothing_begun(store);
}

static void what_is_being_created_is_not_changed(void **state)
{
	struct account_record record = bob();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_UPDATE, &record);

	record.state = ACCOUNT_CREATING;
	add(store, &record);
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	assert_on_record(store, &record);
}

static void who_was_removed_does_not_come_back_before_that_has_ended(void **state)
{
	struct account_record record = bob();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_REMOVE, &record);

	add(store, &record);
	change.state_after = change.record.state = record.state = ACCOUNT_REMOVED;
	begin(store, &change);
	assert_int_equal(store_revive(store, &record), -EEXIST);
	end(store, &change);
	assert_int_equal(store_revive(store, &record), 0);
}

/* ---- ending ---- */

static void an_ended_changes_state_follows(void **state)
{
	static const enum change_kind kinds[] = { CHANGE_UPDATE, CHANGE_DEACTIVATE, CHANGE_REACTIVATE, CHANGE_REMOVE };
	struct account_record record = alice();
	struct store *store = store_of(state);

	add(store, &record);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct planned_change change = planned_change_none(kinds[i], &record);

		change.record.state = ACCOUNT_DEACTIVATED;
		change.state_after = ACCOUNT_ACTIVE;
		begin(store, &change);
		end(store, &change);
		record.state_at = NOW;
		assert_on_record(store, &record);
		assert_nothing_begun(store);
	}
}

static void a_state_that_does_not_change_keeps_its_time(void **state)
{
	struct account_record record = alice();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_UPDATE, &record);

	add(store, &record);
	begin(store, &change);
	end(store, &change);
	assert_on_record(store, &record);
}

static void an_unlinked_account_is_off_the_record(void **state)
{
	struct account_record record = alice();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_UNLINK, &record);
	char name[64];

	add(store, &record);
	begin(store, &change);
	end(store, &change);
	assert_not_on_record(store, "alice");
	assert_nothing_begun(store);
	assert_int_equal(store_former_uid(store, record.uid, name, sizeof(name)), STORE_NONE);
	/* So it can be linked again. */
	change = planned_change_none(CHANGE_LINK, &record);
	begin(store, &change);
	end(store, &change);
	assert_on_record(store, &record);
}

static void a_reassigned_name_is_free_and_its_former_uid_nobodys(void **state)
{
	struct account_record record = alice(), next = bob();
	struct store *store = store_of(state);
	struct planned_change change;
	char name[ACCOUNT_NAME_MAX + 1];
	uint32_t first = 0;
	uid_t uid;

	add(store, &record);
	must(store, store_reserve(store, "alice", record.uid, NOW));
	assert_int_equal(store_former_uid(store, record.uid, name, sizeof(name)), STORE_NONE);
	change = full_change(&record);
	begin(store, &change);
	end(store, &change);
	assert_not_on_record(store, "alice");
	assert_nothing_begun(store);
	assert_int_equal(store_former_uid(store, record.uid, name, sizeof(name)), STORE_FOUND);
	assert_string_equal(name, "alice");
	assert_int_equal(store_former_subject(store, record.issuer, record.subject, name, sizeof(name)), STORE_FOUND);
	assert_int_equal(store_former_subject(store, "https://evil.example", record.subject, name, sizeof(name)),
			 STORE_NONE);
	assert_int_equal(store_reserved_uid(store, "alice", &uid), STORE_FOUND);
	assert_int_equal(uid, change.next_uid);
	assert_int_equal(store_highest_subid(store, &first), STORE_FOUND);
	assert_int_equal(first, record.first_subid);
	/* The uid is never given again: by no creation, link, reservation or reassignment. */
	next.uid = record.uid;
	assert_int_equal(store_add(store, &next), -EEXIST);
	change = planned_change_none(CHANGE_LINK, &next);
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	assert_int_equal(store_reserve(store, "bob", record.uid, NOW), -EEXIST);
	assert_int_equal(store_reserve(store, "alice", record.uid, NOW), -EEXIST);
	next = bob();
	add(store, &next);
	change = full_change(&next);
	change.next_uid = record.uid;
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	/* Nor are its subordinate ids. */
	next.name = "carol";
	next.subject = "00ucarol";
	next.uid++;
	next.first_subid = record.first_subid;
	assert_int_equal(store_add(store, &next), -EEXIST);
	/* The successor has the name and the reserved uid. */
	record.subject = "00unextalice";
	record.uid = record.gid = 2000300003;
	add(store, &record);
	assert_on_record(store, &record);
}

static void a_name_can_be_reassigned_again_and_again(void **state)
{
	struct account_record record = alice();
	struct store *store = store_of(state);
	char name[ACCOUNT_NAME_MAX + 1];

	for (uid_t i = 0; i < 3; i++) {
		struct planned_change change;

		record.uid = 2000300000 + i;
		record.first_subid = 200000 + i * 65536;
		add(store, &record);
		change = full_change(&record);
		change.next_uid = record.uid + 1;
		begin(store, &change);
		end(store, &change);
	}
	for (uid_t i = 0; i < 3; i++)
		assert_int_equal(store_former_uid(store, 2000300000 + i, name, sizeof(name)), STORE_FOUND);
	assert_int_equal(store_former_subject(store, record.issuer, record.subject, name, sizeof(name)), STORE_FOUND);
}

static void a_next_uid_is_kept_from_the_beginning_of_a_reassignment(void **state)
{
	struct account_record record = alice(), other = bob();
	struct store *store = store_of(state);
	struct planned_change change, second;
	char name[ACCOUNT_NAME_MAX + 1];

	add(store, &record);
	add(store, &other);
	change = full_change(&record);
	begin(store, &change);
	assert_int_equal(store_uid_reserved_for(store, change.next_uid, name, sizeof(name)), STORE_FOUND);
	assert_string_equal(name, "alice");
	assert_int_equal(store_reserve(store, "bob", change.next_uid, NOW), -EEXIST);
	second = full_change(&other);
	assert_int_equal(store_begin_change(store, &second), -EEXIST);
	other.name = "carol";
	other.subject = "00ucarol";
	other.uid = change.next_uid;
	assert_int_equal(store_add(store, &other), -EEXIST);
	end(store, &change);
	assert_int_equal(store_add(store, &other), -EEXIST);
}

static void a_next_uid_that_is_not_free_is_refused(void **state)
{
	struct account_record record = alice(), other = bob();
	struct store *store = store_of(state);
	struct planned_change change;

	add(store, &record);
	add(store, &other);
	must(store, store_reserve(store, "carol", 5000, NOW));
	must(store, store_reserve(store, "alice", 6000, NOW));
	change = full_change(&record);
	change.next_uid = other.uid;
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	change.next_uid = record.uid;
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	change.next_uid = 5000;
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	change.next_uid = 999;
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	change.next_uid = 0;
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	assert_nothing_begun(store);
	change.next_uid = 6000;
	begin(store, &change);
}

static void what_was_not_begun_does_not_end(void **state)
{
	struct account_record record = alice(), successor;
	struct store *store = store_of(state);
	struct planned_change change, update;

	add(store, &record);
	change = full_change(&record);
	update = planned_change_none(CHANGE_UPDATE, &record);
	assert_int_equal(store_end_change(store, &change, NOW), -EIO);
	assert_string_equal(store_fault(store), "no such change was begun");
	assert_int_equal(store_drop_change(store, "alice", &record), -EIO);
	assert_int_equal(store_drop_change(store, "alice", NULL), -EIO);
	assert_on_record(store, &record);
	begin(store, &update);
	assert_int_equal(store_end_change(store, &change, NOW), -EIO);
	assert_on_record(store, &record);
	assert_begun(store, &update);
	end(store, &update);
	begin(store, &change);
	end(store, &change);
	/* Not a second time, when the name is the successor's. */
	successor = record;
	successor.uid = successor.gid = change.next_uid;
	successor.subject = "00unextalice";
	add(store, &successor);
	assert_int_equal(store_end_change(store, &change, NOW), -EIO);
	assert_on_record(store, &successor);
}

static void a_dropped_change_leaves_the_account_as_it_was(void **state)
{
	struct account_record before = alice();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_DEACTIVATE, &before);

	add(store, &before);
	change.record.state = ACCOUNT_DEACTIVATED;
	change.record.email = "new@clinic.example";
	change.record.linked = false;
	begin(store, &change);
	/* Only a link's row may go with its plan. */
	assert_int_equal(store_drop_change(store, "alice", NULL), -EIO);
	assert_begun(store, &change);
	must(store, store_drop_change(store, "alice", &before));
	assert_on_record(store, &before);
	assert_nothing_begun(store);
}

static void a_change_is_not_dropped_onto_another_account(void **state)
{
	struct account_record before = alice();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_UPDATE, &before);

	add(store, &before);
	begin(store, &change);
	before.uid++;
	assert_int_equal(store_drop_change(store, "alice", &before), -EIO);
	assert_begun(store, &change);
}

/* ---- expected people ---- */

static struct expected expect_alice(void)
{
	return (struct expected){
		.kind = EXPECTED_LINK,
		.name = "alice",
		.tenant = "clinic",
		.email = "Alice@clinic.example",
		.subject = "00ualice",
		.uid = 2022975774,
		.made_at = 1700000000,
		.expires_at = 1700000000 + EXPECTED_LINK_LIFE_S,
	};
}

static struct expected expect_bob(void)
{
	return (struct expected){
		.kind = EXPECTED_ADD,
		.name = "bob",
		.tenant = "clinic",
		.email = "b.o'brien@clinic.example",
		.made_at = 1700000000,
	};
}

static void assert_expected(struct store *store, const struct expected *expected)
{
	_cleanup_expected_ struct expected found = { 0 };

	assert_int_equal(store_expected_named(store, expected->name, &found), STORE_FOUND);
	assert_int_equal(found.kind, expected->kind);
	assert_string_equal(found.name, expected->name);
	assert_string_equal(found.tenant, expected->tenant);
	assert_string_equal(found.email, expected->email);
	assert_same_text(found.subject, expected->subject);
	assert_int_equal(found.uid, expected->uid);
	assert_int_equal(found.made_at, expected->made_at);
	assert_int_equal(found.expires_at, expected->expires_at);
}

static void assert_not_expected(struct store *store, const char *name)
{
	struct expected found = { 0 };

	assert_int_equal(store_expected_named(store, name, &found), STORE_NONE);
}

static void expected_people_are_found_by_name_email_and_in_order(void **state)
{
	struct expected one = expect_alice(), other = expect_bob(), found = { 0 };
	struct store *store = store_of(state);

	must(store, store_expect(store, &other));
	must(store, store_expect(store, &one));
	assert_expected(store, &one);
	assert_expected(store, &other);
	assert_int_equal(store_expected_by_email(store, "clinic", "aLICE@clinic.example", &found), STORE_FOUND);
	assert_string_equal(found.name, "alice");
	expected_clear(&found);
	expected_clear(&found);
	assert_int_equal(store_expected_by_email(store, "lab", "alice@clinic.example", &found), STORE_NONE);
	assert_int_equal(store_expected_after(store, "", &found), STORE_FOUND);
	assert_string_equal(found.name, "alice");
	expected_clear(&found);
	assert_int_equal(store_expected_after(store, "alice", &found), STORE_FOUND);
	assert_string_equal(found.name, "bob");
	assert_string_equal(found.subject, "");
	expected_clear(&found);
	assert_int_equal(store_expected_after(store, "bob", &found), STORE_NONE);
}

static void what_was_expected_under_the_name_is_replaced(void **state)
{
	struct expected one = expect_alice(), other = expect_bob();
	struct store *store = store_of(state);

	must(store, store_expect(store, &one));
	other.name = "alice";
	must(store, store_expect(store, &other));
	assert_expected(store, &other);
	must(store, store_expect(store, &one));
	one.expires_at++;
	must(store, store_expect(store, &one));
	assert_expected(store, &one);
}

static void an_email_is_expected_under_one_name(void **state)
{
	struct expected one = expect_alice(), other = expect_alice();
	struct store *store = store_of(state);

	must(store, store_expect(store, &one));
	other.name = "carol";
	other.email = "alice@CLINIC.example";
	assert_int_equal(store_expect(store, &other), -EEXIST);
	assert_expected(store, &one);
	assert_not_expected(store, "carol");
	/* Another tenant's is another one. */
	other.tenant = "lab";
	must(store, store_expect(store, &other));
	must(store, store_forget_expected(store, "alice"));
	must(store, store_forget_expected(store, "alice"));
	assert_not_expected(store, "alice");
	other.tenant = "clinic";
	must(store, store_expect(store, &other));
}

static void whose_time_is_over_stands_in_nobodys_way(void **state)
{
	struct expected one = expect_alice(), other = expect_alice();
	struct store *store = store_of(state);

	must(store, store_expect(store, &one));
	other.name = "carol";
	other.made_at = one.expires_at - 1;
	assert_int_equal(store_expect(store, &other), -EEXIST);
	other.made_at = one.expires_at;
	must(store, store_expect(store, &other));
	assert_not_expected(store, "alice");
	/* One without an end is never over. */
	other.expires_at = 0;
	must(store, store_expect(store, &other));
	one.made_at = INT64_MAX;
	assert_int_equal(store_expect(store, &one), -EEXIST);
}

static void who_was_expected_is_not_any_more_once_linked(void **state)
{
	struct expected one = expect_alice(), other = expect_bob();
	struct account_record record = alice();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_LINK, &record);
	struct expected found = { 0 };

	must(store, store_expect(store, &one));
	must(store, store_expect(store, &other));
	begin(store, &change);
	assert_on_record(store, &record);
	assert_not_expected(store, "alice");
	assert_int_equal(store_expected_by_email(store, "clinic", "alice@clinic.example", &found), STORE_NONE);
	end(store, &change);
	assert_not_expected(store, "alice");
	assert_expected(store, &other);
	one.name = "carol";
	must(store, store_expect(store, &one));
}

static void who_was_expected_is_again_when_the_link_is_dropped(void **state)
{
	struct expected one = expect_alice();
	struct account_record record = alice();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_LINK, &record);

	must(store, store_expect(store, &one));
	begin(store, &change);
	must(store, store_drop_change(store, "alice", NULL));
	assert_not_on_record(store, "alice");
	assert_nothing_begun(store);
	assert_expected(store, &one);
	/* Unless the admin does not want it any more. */
	begin(store, &change);
	must(store, store_forget_expected(store, "alice"));
	must(store, store_drop_change(store, "alice", NULL));
	assert_not_expected(store, "alice");
}

static void whom_the_admin_expects_meanwhile_stays_expected(void **state)
{
	struct expected one = expect_alice();
	struct account_record record = alice();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_LINK, &record);

	must(store, store_expect(store, &one));
	begin(store, &change);
	one.email = "other@clinic.example";
	must(store, store_expect(store, &one));
	end(store, &change);
	assert_expected(store, &one);
}

static void a_link_that_contradicts_the_record_is_refused(void **state)
{
	struct expected one = expect_alice();
	struct account_record record = alice(), other = bob();
	struct store *store = store_of(state);
	struct planned_change change = planned_change_none(CHANGE_LINK, &record);

	add(store, &other);
	must(store, store_expect(store, &one));
	change.record.subject = other.subject;
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	change.record.subject = record.subject;
	change.record.uid = other.uid;
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	assert_not_on_record(store, "alice");
	assert_expected(store, &one);
	assert_nothing_begun(store);
}

/* ---- kept uids ---- */

static void nothing_is_reserved_at_first(void **state)
{
	char name[ACCOUNT_NAME_MAX + 1] = "untouched";
	uid_t uid = 7;

	assert_int_equal(store_reserved_uid(store_of(state), "alice", &uid), STORE_NONE);
	assert_int_equal(store_uid_reserved_for(store_of(state), 5000, name, sizeof(name)), STORE_NONE);
	assert_int_equal(uid, 7);
	assert_string_equal(name, "untouched");
}

static void a_uid_is_reserved_for_one_name(void **state)
{
	struct store *store = store_of(state);
	char name[ACCOUNT_NAME_MAX + 1];
	uid_t uid;

	must(store, store_reserve(store, "alice", 5000, NOW));
	assert_int_equal(store_reserve(store, "bob", 5000, NOW), -EEXIST);
	must(store, store_reserve(store, "alice", 5000, NOW));
	must(store, store_reserve(store, "alice", 4294967294, NOW));
	assert_int_equal(store_reserved_uid(store, "alice", &uid), STORE_FOUND);
	assert_int_equal(uid, 4294967294);
	assert_int_equal(store_uid_reserved_for(store, 4294967294, name, sizeof(name)), STORE_FOUND);
	assert_string_equal(name, "alice");
	assert_int_equal(store_uid_reserved_for(store, 5000, name, sizeof(name)), STORE_NONE);
	must(store, store_reserve(store, "bob", 5000, NOW));
	assert_int_equal(store_reserve(store, "alice", 5000, NOW), -EEXIST);
	assert_int_equal(store_reserve(store, "carol", 999, NOW), -EEXIST);
	assert_int_equal(store_reserve(store, "carol", 4294967295, NOW), -EEXIST);
}

static void a_uid_in_use_is_reserved_for_its_owner_only(void **state)
{
	struct account_record record = alice();
	struct store *store = store_of(state);

	record.state = ACCOUNT_REMOVED;
	add(store, &record);
	assert_int_equal(store_reserve(store, "bob", record.uid, NOW), -EEXIST);
	must(store, store_reserve(store, "alice", record.uid, NOW));
	must(store, store_reserve(store, "bob", 5000, NOW));
	assert_int_equal(store_reserve(store, "bob", record.uid, NOW), -EEXIST);
}

static void a_reserved_uid_is_given_to_its_name_only(void **state)
{
	struct account_record one = alice(), other = bob();
	struct store *store = store_of(state);

	must(store, store_reserve(store, "alice", one.uid, NOW));
	other.uid = one.uid;
	assert_int_equal(store_add(store, &other), -EEXIST);
	add(store, &one);
}

/* ---- one change, whatever is around it ---- */

static void a_refused_change_leaves_nothing_behind_inside_a_transaction(void **state)
{
	struct account_record one = alice(), other = bob();
	struct store *store = store_of(state);
	struct expected expected = expect_alice();
	struct planned_change change = full_change(&one);

	must(store, store_expect(store, &expected));
	assert_int_equal(store_begin(store), 0);
	add(store, &other);
	/* Its row is added before the plan is refused: a home is moved somewhere. */
	change.kind = CHANGE_LINK;
	change.home_to = NULL;
	assert_int_equal(store_begin_change(store, &change), -EEXIST);
	assert_int_equal(store_commit(store), 0);
	assert_not_on_record(store, "alice");
	assert_expected(store, &expected);
	assert_on_record(store, &other);
	assert_nothing_begun(store);
}

static void a_change_inside_a_transaction_is_rolled_back_with_it(void **state)
{
	struct account_record one = alice(), other = bob();
	struct store *store = store_of(state);
	struct planned_change change = full_change(&one);

	add(store, &one);
	begin(store, &change);
	assert_int_equal(store_begin(store), 0);
	end(store, &change);
	add(store, &other);
	store_rollback(store);
	assert_begun(store, &change);
	assert_on_record(store, &one);
	assert_not_on_record(store, "bob");
	assert_int_equal(store_begin(store), 0);
	end(store, &change);
	add(store, &other);
	assert_int_equal(store_commit(store), 0);
	assert_not_on_record(store, "alice");
	assert_on_record(store, &other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copied_change_has_strings_of_its_own),
		cmocka_unit_test(a_change_that_leaves_all_as_it_is_can_be_cleared),
		cmocka_unit_test(every_kind_has_a_name_that_leads_back_to_it),
		TEST(a_begun_change_is_on_record_with_the_accounts_new_row),
		TEST(a_change_that_leaves_rows_alone_says_so_afterwards),
		TEST(changes_are_found_in_order_after_a_restart),
		TEST(an_account_has_one_unfinished_change),
		TEST(a_change_of_another_account_under_the_name_is_refused),
		TEST(what_is_being_created_is_not_changed),
		TEST(who_was_removed_does_not_come_back_before_that_has_ended),
		TEST(an_ended_changes_state_follows),
		TEST(a_state_that_does_not_change_keeps_its_time),
		TEST(an_unlinked_account_is_off_the_record),
		TEST(a_reassigned_name_is_free_and_its_former_uid_nobodys),
		TEST(a_name_can_be_reassigned_again_and_again),
		TEST(a_next_uid_is_kept_from_the_beginning_of_a_reassignment),
		TEST(a_next_uid_that_is_not_free_is_refused),
		TEST(what_was_not_begun_does_not_end),
		TEST(a_dropped_change_leaves_the_account_as_it_was),
		TEST(a_change_is_not_dropped_onto_another_account),
		TEST(expected_people_are_found_by_name_email_and_in_order),
		TEST(what_was_expected_under_the_name_is_replaced),
		TEST(an_email_is_expected_under_one_name),
		TEST(whose_time_is_over_stands_in_nobodys_way),
		TEST(who_was_expected_is_not_any_more_once_linked),
		TEST(who_was_expected_is_again_when_the_link_is_dropped),
		TEST(whom_the_admin_expects_meanwhile_stays_expected),
		TEST(a_link_that_contradicts_the_record_is_refused),
		TEST(nothing_is_reserved_at_first),
		TEST(a_uid_is_reserved_for_one_name),
		TEST(a_uid_in_use_is_reserved_for_its_owner_only),
		TEST(a_reserved_uid_is_given_to_its_name_only),
		TEST(a_refused_change_leaves_nothing_behind_inside_a_transaction),
		TEST(a_change_inside_a_transaction_is_rolled_back_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
