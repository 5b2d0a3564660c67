/*
 * The back-off after the issuer said that too many codes were asked for: it grows, is bounded, lets one through at its
 * end, and ends by a success.
 */
#include "pam_oidc/back_off.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW_MS 1000000

static void without_a_refusal_nobody_waits(void **state)
{
	struct back_off back_off = { 0 };

	(void)state;
	for (int64_t i = 0; i < 100; i++)
		assert_int_equal(back_off_take_turn(&back_off, NOW_MS + i), 0);
	assert_int_equal(back_off_left_ms(&back_off, NOW_MS), 0);
	assert_false(back_off_succeeded(&back_off, NOW_MS));
}

static void it_doubles_with_each_refusal_and_is_bounded(void **state)
{
	struct back_off back_off = { 0 };
	int64_t now = NOW_MS, expected = BACK_OFF_FIRST_MS;

	(void)state;
	for (int i = 0; i < 200; i++) {
		back_off_refused(&back_off, 0, now);
		assert_int_equal(back_off_left_ms(&back_off, now), expected);
		assert_int_equal(back_off_take_turn(&back_off, now + expected - 1), 1);
		now += expected;
		assert_int_equal(back_off_take_turn(&back_off, now), 0);
		expected = expected * 2 < BACK_OFF_LONGEST_MS ? expected * 2 : BACK_OFF_LONGEST_MS;
	}
	assert_int_equal(expected, BACK_OFF_LONGEST_MS);
}

static void the_issuers_wish_counts_when_it_is_longer_and_not_absurd(void **state)
{
	struct back_off back_off = { 0 };

	(void)state;
	back_off_refused(&back_off, 1000, NOW_MS);
	assert_int_equal(back_off_left_ms(&back_off, NOW_MS), BACK_OFF_FIRST_MS);
	back_off = (struct back_off){ 0 };
	back_off_refused(&back_off, 47000, NOW_MS);
	assert_int_equal(back_off_left_ms(&back_off, NOW_MS), 47000);
	back_off = (struct back_off){ 0 };
	back_off_refused(&back_off, INT64_MAX, NOW_MS);
	assert_int_equal(back_off_left_ms(&back_off, NOW_MS), BACK_OFF_LONGEST_MS);
	back_off = (struct back_off){ 0 };
	back_off_refused(&back_off, -1, NOW_MS);
	assert_int_equal(back_off_left_ms(&back_off, NOW_MS), BACK_OFF_FIRST_MS);
}

static void refusals_of_what_was_sent_together_count_once(void **state)
{
	struct back_off back_off = { 0 };

	(void)state;
	for (int64_t i = 0; i < 50; i++)
		back_off_refused(&back_off, 0, NOW_MS + i);
	assert_int_equal(back_off_left_ms(&back_off, NOW_MS), BACK_OFF_FIRST_MS);
	back_off_refused(&back_off, 60000, NOW_MS + 50);
	assert_int_equal(back_off_left_ms(&back_off, NOW_MS + 50), 60000);
	assert_int_equal(back_off.refusals, 1);
}

static void at_its_end_one_tries_and_the_others_wait(void **state)
{
	struct back_off back_off = { 0 };
	int64_t now = NOW_MS + BACK_OFF_FIRST_MS;

	(void)state;
	back_off_refused(&back_off, 0, NOW_MS);
	assert_int_equal(back_off_take_turn(&back_off, now), 0);
	for (int64_t i = 0; i < 100; i++)
		assert_int_equal(back_off_take_turn(&back_off, now + i), BACK_OFF_TRIAL_MS - i);
	/* Nothing came of it, not even an answer: the next one tries. */
	assert_int_equal(back_off_take_turn(&back_off, now + BACK_OFF_TRIAL_MS), 0);
	assert_true(back_off_take_turn(&back_off, now + BACK_OFF_TRIAL_MS) > 0);
	back_off_refused(&back_off, 0, now + BACK_OFF_TRIAL_MS);
	assert_int_equal(back_off_left_ms(&back_off, now + BACK_OFF_TRIAL_MS), 2 * BACK_OFF_FIRST_MS);
}

static void a_success_ends_it_and_the_next_one_begins_anew(void **state)
{
	struct back_off back_off = { 0 };
	int64_t now = NOW_MS + BACK_OFF_FIRST_MS;

	(void)state;
	back_off_refused(&back_off, 0, NOW_MS);
	/* An answer that was on its way before. */
	assert_false(back_off_succeeded(&back_off, NOW_MS + 1));
	assert_true(back_off_left_ms(&back_off, NOW_MS + 1) > 0);
	assert_int_equal(back_off_take_turn(&back_off, now), 0);
	assert_true(back_off_succeeded(&back_off, now + 10));
	assert_int_equal(back_off_take_turn(&back_off, now + 10), 0);
	assert_int_equal(back_off_take_turn(&back_off, now + 10), 0);
	back_off_refused(&back_off, 0, now);
	assert_int_equal(back_off_left_ms(&back_off, now), BACK_OFF_FIRST_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_refusal_nobody_waits),
		cmocka_unit_test(it_doubles_with_each_refusal_and_is_bounded),
		cmocka_unit_test(the_issuers_wish_counts_when_it_is_longer_and_not_absurd),
		cmocka_unit_test(refusals_of_what_was_sent_together_count_once),
		cmocka_unit_test(at_its_end_one_tries_and_the_others_wait),
		cmocka_unit_test(a_success_ends_it_and_the_next_one_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
