/*
 * The issuer's rate limit: which headers are believed, and what load they tell of.
 */
#include "pam_oidc/rate_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_S 1700000000

/* --- the headers --- */

static struct rate_limit said_by(const char *const lines[])
{
	struct rate_limit_headers headers = { 0 };

	for (; *lines; lines++)
		assert_true(rate_limit_read(&headers, *lines));
	return rate_limit_said(&headers);
}

static void is(const struct rate_limit *said, int64_t limit, int64_t remaining, int64_t reset_s, const char *what)
{
	if (said->limit != limit || said->remaining != remaining || said->reset_s != reset_s)
		fail_msg("%s: %lld %lld %lld", what, (long long)said->limit, (long long)said->remaining,
			 (long long)said->reset_s);
}

static void oktas_three_headers_are_read(void **state)
{
	static const char *const lines[] = { "X-Rate-Limit-Limit: 2000\r\n", "X-Rate-Limit-Remaining: 1999\r\n",
					     "X-Rate-Limit-Reset: 1700000040\r\n", NULL };
	static const char *const bare[] = { "x-rate-limit-reset:7", "x-RATE-limit-limit:\t5 ",
					    "x-rate-limit-remaining:0", NULL };
	struct rate_limit said = said_by(lines);

	(void)state;
	is(&said, 2000, 1999, 1700000040, lines[0]);
	said = said_by(bare);
	is(&said, 5, 0, 7, bare[0]);
}

static void other_headers_are_not_taken(void **state)
{
	static const char *const lines[] = { "X-Rate-Limit-Limits: 5\r\n",
					     "X-Rate-Limit: 5\r\n",
					     "Date: 5\r\n",
					     "\r\n",
					     "X-Rate-Limit-Limit 5\r\n",
					     " X-Rate-Limit-Limit: 5",
					     "" };
	struct rate_limit_headers headers = { 0 };
	struct rate_limit said;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (rate_limit_read(&headers, lines[i]))
			fail_msg("%s was taken", lines[i]);
	said = rate_limit_said(&headers);
	is(&said, 0, 0, 0, "nothing");
}

static void what_is_no_plain_number_says_nothing(void **state)
{
	static const char *const values[] = {
		"",    "-1",  "+1",     "soon",       "1.5",        "0x10",          "1,2",
		"1 2", "1e3", "1;w=60", "2000, 2000", "10\xc2\xa0", "1000000000000", "99999999999999999999"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char limit[64], remaining[64], reset[64];
		const char *const lines[] = { "X-Rate-Limit-Limit: 10", "X-Rate-Limit-Remaining: 1", reset, NULL };
		const char *const odd_limit[] = { limit, "X-Rate-Limit-Remaining: 1", "X-Rate-Limit-Reset: 9", NULL };
		const char *const odd_remaining[] = { "X-Rate-Limit-Limit: 10", remaining, "X-Rate-Limit-Reset: 9",
						      NULL };
		struct rate_limit said;

		(void)snprintf(limit, sizeof(limit), "X-Rate-Limit-Limit: %s\r\n", values[i]);
		(void)snprintf(remaining, sizeof(remaining), "X-Rate-Limit-Remaining: %s\r\n", values[i]);
		(void)snprintf(reset, sizeof(reset), "X-Rate-Limit-Reset: %s\r\n", values[i]);
		said = said_by(lines);
		is(&said, 10, 1, 0, reset);
		said = said_by(odd_limit);
		is(&said, 0, 0, 9, limit);
		said = said_by(odd_remaining);
		is(&said, 0, 0, 9, remaining);
	}
}

static void what_is_said_twice_says_nothing(void **state)
{
	static const char *const lines[] = { "X-Rate-Limit-Limit: 10", "X-Rate-Limit-Remaining: 1",
					     "X-Rate-Limit-Reset: 9",  "x-rate-limit-limit: 10",
					     "X-Rate-Limit-Reset: 9",  NULL };
	struct rate_limit said = said_by(lines);

	(void)state;
	is(&said, 0, 0, 0, "limit and reset twice");
	said = said_by(lines + 1);
	is(&said, 10, 1, 0, "reset twice");
	said = said_by((const char *const[]){ lines[0], lines[1], lines[1], lines[2], NULL });
	is(&said, 0, 0, 9, "remaining twice");
}

static void what_contradicts_itself_says_nothing(void **state)
{
	struct rate_limit said =
		said_by((const char *const[]){ "X-Rate-Limit-Limit: 10", "X-Rate-Limit-Remaining: 11", NULL });

	(void)state;
	is(&said, 0, 0, 0, "more remain than there are");
	said = said_by((const char *const[]){ "X-Rate-Limit-Limit: 0", "X-Rate-Limit-Remaining: 0", NULL });
	is(&said, 0, 0, 0, "a limit of nothing");
	said = said_by((const char *const[]){ "X-Rate-Limit-Limit: 10", NULL });
	is(&said, 0, 0, 0, "not how many remain");
	said = said_by((const char *const[]){ "X-Rate-Limit-Remaining: 10", NULL });
	is(&said, 0, 0, 0, "not of how many");
}

/* --- the load --- */

static int64_t load(int64_t limit, int64_t remaining, int64_t left_s)
{
	const struct rate_limit said = { .limit = limit, .remaining = remaining, .reset_s = NOW_S + left_s };

	return rate_limit_load(&said, NOW_S);
}

static void without_headers_there_is_no_load(void **state)
{
	const struct rate_limit nothing = { 0 }, reset_alone = { .reset_s = NOW_S + 10 };

	(void)state;
	assert_int_equal(rate_limit_load(&nothing, NOW_S), 0);
	assert_int_equal(rate_limit_load(&reset_alone, NOW_S), 0);
}

static void at_the_windows_end_it_is_what_was_used(void **state)
{
	(void)state;
	assert_int_equal(load(2000, 1999, 0), 0);
	assert_int_equal(load(2000, 999, 0), 500);
	assert_int_equal(load(2000, 0, 0), 999);
}

static void before_the_windows_end_it_is_what_will_be_used(void **state)
{
	(void)state;
	/* A sixth of the limit in the first half of the window. */
	assert_in_range(load(3000, 2500, 30), 300, 333);
	assert_int_equal(load(3000, 1000, 50), RATE_LIMIT_LOAD_MAX);
}

static void one_alone_is_no_load_whenever_it_asks(void **state)
{
	(void)state;
	for (int64_t left_s = 0; left_s <= RATE_LIMIT_WINDOW_S; left_s++)
		assert_int_equal(load(300, 299, left_s), 0);
}

static void a_few_in_a_windows_first_second_are_no_crowd(void **state)
{
	(void)state;
	assert_true(load(2000, 1980, RATE_LIMIT_WINDOW_S) < 150);
}

static void it_grows_with_what_is_used_and_with_how_soon(void **state)
{
	(void)state;
	for (int64_t left_s = 0; left_s <= RATE_LIMIT_WINDOW_S; left_s++)
		for (int64_t remaining = 0; remaining < 300; remaining++) {
			assert_true(load(300, remaining, left_s) >= load(300, remaining + 1, left_s));
			if (left_s > 0)
				assert_true(load(300, remaining, left_s) >= load(300, remaining, left_s - 1));
		}
}

static void an_end_that_cannot_be_counts_as_now(void **state)
{
	static const int64_t ends[] = { -1, -3600, RATE_LIMIT_WINDOW_S + 1, 3600, 999999999999 - NOW_S, -NOW_S };

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		assert_int_equal(load(2000, 999, ends[i]), 500);
}

static void the_largest_numbers_stay_within_bounds(void **state)
{
	const int64_t most = 999999999999;

	(void)state;
	for (int64_t left_s = -1; left_s <= RATE_LIMIT_WINDOW_S + 1; left_s++) {
		assert_in_range(load(most, 0, left_s), 0, RATE_LIMIT_LOAD_MAX);
		assert_in_range(load(most, most / 2, left_s), 0, RATE_LIMIT_LOAD_MAX);
		assert_int_equal(load(most, most, left_s), 0);
		assert_in_range(load(1, 0, left_s), 0, RATE_LIMIT_LOAD_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oktas_three_headers_are_read),
		cmocka_unit_test(other_headers_are_not_taken),
		cmocka_unit_test(what_is_no_plain_number_says_nothing),
		cmocka_unit_test(what_is_said_twice_says_nothing),
		cmocka_unit_test(what_contradicts_itself_says_nothing),
		cmocka_unit_test(without_headers_there_is_no_load),
		cmocka_unit_test(at_the_windows_end_it_is_what_was_used),
		cmocka_unit_test(before_the_windows_end_it_is_what_will_be_used),
		cmocka_unit_test(one_alone_is_no_load_whenever_it_asks),
		cmocka_unit_test(a_few_in_a_windows_first_second_are_no_crowd),
		cmocka_unit_test(it_grows_with_what_is_used_and_with_how_soon),
		cmocka_unit_test(an_end_that_cannot_be_counts_as_now),
		cmocka_unit_test(the_largest_numbers_stay_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
