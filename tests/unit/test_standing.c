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

#define NOW_S (100 * DAY + 5)

static enum standing of(enum account_state state, const struct standing_rows *rows)
{
	const struct account_record record = { .name = "alice", .uid = 5000, .state = state, .expiry_given = "" };

	return standing_of(&record, rows, 0, NOW_S);
}

/* Whose person signed in so long ago, with an expiry in the shadow file (-1: none) and the one that was given. */
static enum standing of_idle(int64_t age_s, int64_t max_age_s, int64_t expires_day, const char *expiry_given)
{
	const struct account_record record = { .name = "alice",
					       .uid = 5000,
					       .state = ACCOUNT_ACTIVE,
					       .last_signin_at = NOW_S - age_s,
					       .expiry_given = expiry_given };
	const struct standing_rows rows = {
		.user = true, .uid = 5000, .expires = expires_day >= 0, .expires_day = expires_day
	};

	return standing_of(&record, &rows, max_age_s, NOW_S);
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

static void max_signin_age_counts_to_the_second(void **state)
{
	(void)state;
	assert_int_equal(of_idle(DAY - 1, DAY, 101, "101"), STANDING_ACTIVE);
	assert_int_equal(of_idle(DAY, DAY, 101, "101"), STANDING_LAPSED);
	assert_int_equal(of_idle(3 * DAY, 0, -1, ""), STANDING_ACTIVE);
	/* The clock was set back. */
	assert_int_equal(of_idle(-DAY, DAY, 101, "101"), STANDING_ACTIVE);
}

/* The next sign-in moves it, also when the limit was changed or taken out of the configuration since. */
static void an_expiry_of_ours_that_is_past_is_a_lapse(void **state)
{
	(void)state;
	assert_int_equal(of_idle(3 * DAY, DAY, 99, "99"), STANDING_LAPSED);
	assert_int_equal(of_idle(3 * DAY, 30 * DAY, 99, "99"), STANDING_LAPSED);
	assert_int_equal(of_idle(3 * DAY, 0, 99, "99"), STANDING_LAPSED);
}

static void somebody_elses_expiry_is_not_forgiven(void **state)
{
	(void)state;
	assert_int_equal(of_idle(3 * DAY, DAY, 98, "99"), STANDING_DEACTIVATED);
	assert_int_equal(of_idle(3 * DAY, DAY, 1, "99"), STANDING_DEACTIVATED);
	assert_int_equal(of_idle(5, DAY, 0, ""), STANDING_DEACTIVATED);
	assert_int_equal(of_idle(5, DAY, 0, NULL), STANDING_DEACTIVATED);
}

static void the_closed_rows_of_an_incomplete_account_are_ours(void **state)
{
	struct standing_rows rows = there;

	(void)state;
	rows.expires = true;
	rows.expires_day = 1;
	assert_int_equal(of(ACCOUNT_INCOMPLETE, &rows), STANDING_INCOMPLETE);
	assert_int_equal(of(ACCOUNT_DEACTIVATED, &rows), STANDING_DEACTIVATED);
	assert_int_equal(of(ACCOUNT_ACTIVE, &rows), STANDING_DEACTIVATED);
	rows.expires_day = 99;
	assert_int_equal(of(ACCOUNT_INCOMPLETE, &rows), STANDING_DEACTIVATED);
	rows.expires_day = 0;
	assert_int_equal(of(ACCOUNT_INCOMPLETE, &rows), STANDING_DEACTIVATED);
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
		cmocka_unit_test(max_signin_age_counts_to_the_second),
		cmocka_unit_test(an_expiry_of_ours_that_is_past_is_a_lapse),
		cmocka_unit_test(somebody_elses_expiry_is_not_forgiven),
		cmocka_unit_test(the_closed_rows_of_an_incomplete_account_are_ours),
		cmocka_unit_test(an_account_without_a_row_counts_as_removed),
		cmocka_unit_test(a_row_with_another_uid_is_another_user),
		cmocka_unit_test(nothing_is_known_without_the_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
