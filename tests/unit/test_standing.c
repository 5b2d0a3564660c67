/*
 * How accounts stand, by their record and their rows.
 */
#include "provisiond/standing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DAY 86400

static const struct standing_rows there = { .user = true, .uid = 5000 };

static enum standing of(enum account_state state, const struct standing_rows *rows)
{
	const struct account_record record = { .name = "alice", .uid = 5000, .state = state };

	return standing_of(&record, rows, 100 * DAY + 5);
}

static void the_state_on_record_counts(void **state)
{
	(void)state;
	assert_int_equal(of(ACCOUNT_ACTIVE, &there), STANDING_ACTIVE);
	assert_int_equal(of(ACCOUNT_INCOMPLETE, &there), STANDING_INCOMPLETE);
	assert_int_equal(of(ACCOUNT_DEACTIVATED, &there), STANDING_DEACTIVATED);
	assert_int_equal(of(ACCOUNT_CREATING, &(struct standing_rows){ 0 }), STANDING_CREATING);
	assert_int_equal(of(ACCOUNT_REMOVED, &there), STANDING_REMOVED);
}

static void an_account_is_dead_from_its_expiry_day_on(void **state)
{
	struct standing_rows rows = there;

	(void)state;
	rows.expires = true;
	rows.expires_day = 101;
	assert_int_equal(of(ACCOUNT_ACTIVE, &rows), STANDING_ACTIVE);
	rows.expires_day = 100;
	assert_int_equal(of(ACCOUNT_ACTIVE, &rows), STANDING_DEACTIVATED);
	rows.expires_day = 0;
	assert_int_equal(of(ACCOUNT_ACTIVE, &rows), STANDING_DEACTIVATED);
}

static void an_account_without_a_row_counts_as_removed(void **state)
{
	(void)state;
	assert_int_equal(of(ACCOUNT_ACTIVE, &(struct standing_rows){ 0 }), STANDING_REMOVED);
}

static void a_row_with_another_uid_is_another_user(void **state)
{
	struct standing_rows rows = there;

	(void)state;
	rows.uid = 1000;
	assert_int_equal(of(ACCOUNT_ACTIVE, &rows), STANDING_FOREIGN);
	assert_int_equal(of(ACCOUNT_REMOVED, &rows), STANDING_FOREIGN);
}

static void nothing_is_known_without_the_files(void **state)
{
	(void)state;
	assert_int_equal(of(ACCOUNT_ACTIVE, &(struct standing_rows){ .unreadable = true }), STANDING_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_state_on_record_counts),
		cmocka_unit_test(an_account_is_dead_from_its_expiry_day_on),
		cmocka_unit_test(an_account_without_a_row_counts_as_removed),
		cmocka_unit_test(a_row_with_another_uid_is_another_user),
		cmocka_unit_test(nothing_is_known_without_the_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
