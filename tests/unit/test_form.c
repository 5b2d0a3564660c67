/*
 * Form bodies: the encoding of RFC 6749, appendix B, and what happens to a form that failed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/secret.h"
#include "pam_oidc/form.h"

static void assert_encoded(const char *value, const char *expected)
{
	_cleanup_secret_text_ char *encoded = form_encode(value);

	assert_string_equal(encoded, expected);
}

static void the_example_of_the_standard_comes_out(void **state)
{
	(void)state;
	assert_encoded(" %&+\xc2\xa3\xe2\x82\xac", "+%25%26%2B%C2%A3%E2%82%AC");
}

static void unreserved_characters_stay_as_they_are(void **state)
{
	(void)state;
	assert_encoded("AZaz09*-._", "AZaz09*-._");
	assert_encoded("", "");
	assert_encoded("~:/@=\n", "%7E%3A%2F%40%3D%0A");
}

static void keys_and_values_are_joined(void **state)
{
	_cleanup_form_ struct form form = { 0 };

	(void)state;
	assert_string_equal(form_text(&form), "");
	form_add(&form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
	form_add(&form, "scope", "openid profile");
	form_add(&form, "a&b", "c=d");
	form_add(&form, "empty", "");
	assert_string_equal(form_text(&form), "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&"
					      "scope=openid+profile&a%26b=c%3Dd&empty=");
	assert_int_equal(form.length, strlen(form_text(&form)));
}

static void a_missing_value_adds_nothing(void **state)
{
	_cleanup_form_ struct form form = { 0 };

	(void)state;
	form_add(&form, "key", NULL);
	assert_string_equal(form_text(&form), "");
}

static void a_long_form_grows(void **state)
{
	_cleanup_form_ struct form form = { 0 };
	char value[1001] = "";

	(void)state;
	memset(value, '&', 1000);
	for (int i = 0; i < 50; i++)
		form_add(&form, "k", value);
	assert_int_equal(strlen(form_text(&form)), 50 * 3002 + 49);
}

static void a_form_that_failed_has_no_text(void **state)
{
	_cleanup_form_ struct form form = { 0 };

	(void)state;
	form_add(&form, "key", "value");
	form.failed = true;
	form_add(&form, "other", "value");
	assert_null(form_text(&form));
}

static void a_wiped_form_is_empty_and_can_be_used_again(void **state)
{
	_cleanup_form_ struct form form = { 0 };

	(void)state;
	form_add(&form, "key", "value");
	form_wipe(&form);
	assert_string_equal(form_text(&form), "");
	form_add(&form, "key", "other");
	assert_string_equal(form_text(&form), "key=other");
	form_wipe(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_standard_comes_out),
		cmocka_unit_test(unreserved_characters_stay_as_they_are),
		cmocka_unit_test(keys_and_values_are_joined),
		cmocka_unit_test(a_missing_value_adds_nothing),
		cmocka_unit_test(a_long_form_grows),
		cmocka_unit_test(a_form_that_failed_has_no_text),
		cmocka_unit_test(a_wiped_form_is_empty_and_can_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
