/*
 * Tests the module's arguments: defaults by application, every key, and what is said of a wrong one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "pam_oidc/module/arguments.h"

static struct arguments parsed_in(enum application_kind application, const char *one, const char *other)
{
	const char *argv[] = { one, other };
	const char *wrong = NULL, *expected = NULL;
	struct arguments arguments;

	assert_true(arguments_parse(!!one + !!other, argv, application, &arguments, &wrong, &expected));
	return arguments;
}

/* What is expected instead of the second of two arguments. */
static const char *fault_of(const char *one, const char *other)
{
	const char *argv[] = { one, other };
	const char *wrong = NULL, *expected = NULL;
	struct arguments arguments;

	assert_false(arguments_parse(2, argv, APPLICATION_SSHD, &arguments, &wrong, &expected));
	assert_ptr_equal(wrong, other);
	return expected;
}

static void sshd_waits_for_enter_below_its_grace_time(void **state)
{
	struct arguments arguments = parsed_in(APPLICATION_SSHD, NULL, NULL);

	(void)state;
	assert_int_equal(arguments.wait, WAIT_ENTER);
	assert_int_equal(arguments.timeout_s, 110);
	assert_string_equal(arguments.qr, "utf8");
	assert_false(arguments.debug);
}

static void login_waits_without_a_prompt_below_its_timeout(void **state)
{
	struct arguments arguments = parsed_in(APPLICATION_LOGIN, NULL, NULL);

	(void)state;
	assert_int_equal(arguments.wait, WAIT_INFO);
	assert_int_equal(arguments.timeout_s, 55);
}

static void others_wait_for_five_minutes(void **state)
{
	struct arguments arguments = parsed_in(APPLICATION_OTHER, NULL, NULL);

	(void)state;
	assert_int_equal(arguments.wait, WAIT_INFO);
	assert_int_equal(arguments.timeout_s, 300);
}

static void every_argument_is_taken(void **state)
{
	(void)state;
	assert_string_equal(parsed_in(APPLICATION_SSHD, "qr=utf8", NULL).qr, "utf8");
	assert_string_equal(parsed_in(APPLICATION_SSHD, "qr=dual", NULL).qr, "dual");
	assert_string_equal(parsed_in(APPLICATION_SSHD, "qr=ascii", NULL).qr, "ascii");
	assert_string_equal(parsed_in(APPLICATION_SSHD, "qr=none", NULL).qr, "none");
	assert_int_equal(parsed_in(APPLICATION_OTHER, "wait=enter", NULL).wait, WAIT_ENTER);
	assert_int_equal(parsed_in(APPLICATION_SSHD, "wait=info", NULL).wait, WAIT_INFO);
	assert_int_equal(parsed_in(APPLICATION_SSHD, "wait=retry", NULL).wait, WAIT_RETRY);
	assert_int_equal(parsed_in(APPLICATION_SSHD, "timeout=5", NULL).timeout_s, 5);
	assert_int_equal(parsed_in(APPLICATION_SSHD, "timeout=1800", NULL).timeout_s, 1800);
	assert_true(parsed_in(APPLICATION_SSHD, "debug", NULL).debug);
}

static void retry_outside_sshd_is_info(void **state)
{
	(void)state;
	assert_int_equal(parsed_in(APPLICATION_LOGIN, "wait=retry", NULL).wait, WAIT_INFO);
	assert_int_equal(parsed_in(APPLICATION_OTHER, "wait=retry", NULL).wait, WAIT_INFO);
}

static void retry_has_no_qr_unless_asked_for(void **state)
{
	(void)state;
	assert_string_equal(parsed_in(APPLICATION_SSHD, "wait=retry", NULL).qr, "none");
	assert_string_equal(parsed_in(APPLICATION_SSHD, "qr=utf8", "wait=retry").qr, "utf8");
	assert_string_equal(parsed_in(APPLICATION_LOGIN, "wait=retry", NULL).qr, "utf8");
}

static void a_wrong_value_is_told_the_right_ones(void **state)
{
	(void)state;
	assert_string_equal(fault_of("debug", "qr=png"), "qr is utf8, dual, ascii or none");
	assert_string_equal(fault_of("debug", "qr="), "qr is utf8, dual, ascii or none");
	assert_string_equal(fault_of("debug", "qr"), "qr is utf8, dual, ascii or none");
	assert_string_equal(fault_of("debug", "qr=UTF8"), "qr is utf8, dual, ascii or none");
	assert_string_equal(fault_of("debug", "wait=forever"), "wait is enter, info or retry");
	assert_string_equal(fault_of("qr=none", "debug=yes"), "debug takes no value");
}

static void a_timeout_out_of_bounds_is_told_the_bounds(void **state)
{
	static const char *const wrong[] = {
		"timeout=4",    "timeout=1801", "timeout=",    "timeout=-10", "timeout=10s",
		"timeout=0x20", "timeout= 20",  "timeout=+20", "timeout",     "timeout=99999999999999999999999999999999"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_string_equal(fault_of("debug", wrong[i]), "timeout is a number of seconds from 5 to 1800");
}

static void an_unknown_argument_is_an_error(void **state)
{
	static const char *const unknown[] = {
		"try_first_pass", "Qr=none", "qrs=none", "q=none", "=none", "", "debug "
	};

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_string_equal(fault_of("debug", unknown[i]), "the arguments are qr=, wait=, timeout= and debug");
}

static void an_argument_given_twice_is_an_error(void **state)
{
	(void)state;
	assert_string_equal(fault_of("qr=none", "qr=none"), "an argument stands only once");
	assert_string_equal(fault_of("timeout=50", "timeout=60"), "an argument stands only once");
}

static void a_wrong_argument_leaves_the_result_alone(void **state)
{
	const char *argv[] = { "timeout=50", "what" };
	const char *wrong = NULL, *expected = NULL;
	struct arguments arguments = { .timeout_s = 7 };

	(void)state;
	assert_false(arguments_parse(2, argv, APPLICATION_SSHD, &arguments, &wrong, &expected));
	assert_int_equal(arguments.timeout_s, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sshd_waits_for_enter_below_its_grace_time),
		cmocka_unit_test(login_waits_without_a_prompt_below_its_timeout),
		cmocka_unit_test(others_wait_for_five_minutes),
		cmocka_unit_test(every_argument_is_taken),
		cmocka_unit_test(retry_outside_sshd_is_info),
		cmocka_unit_test(retry_has_no_qr_unless_asked_for),
		cmocka_unit_test(a_wrong_value_is_told_the_right_ones),
		cmocka_unit_test(a_timeout_out_of_bounds_is_told_the_bounds),
		cmocka_unit_test(an_unknown_argument_is_an_error),
		cmocka_unit_test(an_argument_given_twice_is_an_error),
		cmocka_unit_test(a_wrong_argument_leaves_the_result_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
