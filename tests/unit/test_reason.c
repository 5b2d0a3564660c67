/*
 * Reasons: each has a name of its own that comes back as the same reason, and a sentence a person can act on.
 */
#include "common/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_are_unique_and_come_back(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_COUNT; i++) {
		const char *name = reason_name((enum reason)i);

		assert_non_null(name);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		assert_true(strlen(name) > 0);
		assert_int_equal(reason_from_name(name), i);
	}
}

static void an_unknown_name_is_an_internal_error(void **state)
{
	(void)state;
	assert_int_equal(reason_from_name(NULL), REASON_INTERNAL);
	assert_int_equal(reason_from_name(""), REASON_INTERNAL);
	assert_int_equal(reason_from_name("Denied"), REASON_INTERNAL);
	assert_int_equal(reason_from_name("denied "), REASON_INTERNAL);
}

static void a_number_that_is_no_reason_is_an_internal_error(void **state)
{
	(void)state;
	assert_string_equal(reason_name(REASON_COUNT), "internal");
	assert_string_equal(reason_name((enum reason)1000), "internal");
	assert_int_equal(reason_class((enum reason)1000), REASON_CLASS_UNAVAILABLE);
}

static void each_has_a_sentence_that_ends_with_a_period(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_COUNT; i++) {
		const char *sentence = reason_sentence((enum reason)i);
		size_t length = strlen(sentence);

		if (i == REASON_NONE || i == REASON_NOT_OURS) {
			assert_string_equal(sentence, "");
			continue;
		}
		assert_true(length > 10);
		assert_int_equal(sentence[length - 1], '.');
		assert_true(sentence[0] >= 'A' && sentence[0] <= 'Z');
		for (const char *c = sentence; *c; c++)
			assert_true(*c >= ' ' && *c < 0x7f);
	}
}

/* What lets the stack go on to a password must be decided on purpose. */
static void only_what_decided_nothing_falls_through(void **state)
{
	static const enum reason undecided[] = { REASON_NONE, REASON_MISCONFIGURED, REASON_ISSUER_UNREACHABLE,
						 REASON_SERVICE_DOWN, REASON_INTERNAL };
	static const enum reason failed[] = { REASON_EXPIRED, REASON_TOO_MANY_CODES, REASON_LIMIT, REASON_CANCELLED,
					      REASON_NOT_ANSWERED, REASON_RESTARTED };
	enum reason_class expected[REASON_COUNT];

	(void)state;
	for (int i = 0; i < REASON_COUNT; i++)
		expected[i] = REASON_CLASS_DENIED;
	for (size_t i = 0; i < sizeof(undecided) / sizeof(undecided[0]); i++)
		expected[undecided[i]] = REASON_CLASS_UNAVAILABLE;
	for (size_t i = 0; i < sizeof(failed) / sizeof(failed[0]); i++)
		expected[failed[i]] = REASON_CLASS_FAILED;
	expected[REASON_NOT_OURS] = REASON_CLASS_NOT_OURS;
	for (int i = 0; i < REASON_COUNT; i++)
		if (reason_class((enum reason)i) != expected[i])
			fail_msg("%s has class %d", reason_name((enum reason)i), (int)reason_class((enum reason)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_unique_and_come_back),
		cmocka_unit_test(an_unknown_name_is_an_internal_error),
		cmocka_unit_test(a_number_that_is_no_reason_is_an_internal_error),
		cmocka_unit_test(each_has_a_sentence_that_ends_with_a_period),
		cmocka_unit_test(only_what_decided_nothing_falls_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
