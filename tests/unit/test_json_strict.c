/*
 * Strict JSON: one object that can be read in one way, or a fault that repeats nothing of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pam_oidc/json_strict.h"

static void assert_accepted(const char *text)
{
	char fault[96] = "untouched";
	json_t *object = json_strict_object(text, strlen(text), fault, sizeof(fault));

	assert_non_null(object);
	assert_string_equal(fault, "untouched");
	json_decref(object);
}

static void assert_bytes_refused(const char *text, size_t length, const char *fault_start)
{
	char fault[96] = "";

	assert_null(json_strict_object(text, length, fault, sizeof(fault)));
	if (strncmp(fault, fault_start, strlen(fault_start)) != 0)
		fail_msg("fault \"%s\" instead of \"%s\"", fault, fault_start);
}

static void assert_refused(const char *text, const char *fault_start)
{
	assert_bytes_refused(text, strlen(text), fault_start);
}

static void an_object_is_accepted(void **state)
{
	(void)state;
	assert_accepted("{}");
	assert_accepted(" {\"a\":[1,-2.5e3,true,false,null,\"\\u00fc \\ud83d\\ude00 \xf0\x9f\x98\x80\"]}\n");
}

static void other_values_are_refused(void **state)
{
	(void)state;
	assert_refused("[]", "is not a JSON object");
	assert_refused("\"text\"", "is not JSON");
	assert_refused("null", "is not JSON");
	assert_refused("", "is cut off");
}

static void what_is_almost_JSON_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"a\":1,}", "is not JSON");
	assert_refused("{a:1}", "is not JSON");
	assert_refused("{'a':1}", "is not JSON");
	assert_refused("{\"a\":01}", "is not JSON");
	assert_refused("{\"a\":NaN}", "is not JSON");
	assert_refused("{\"a\":1}//", "goes on after its end");
	assert_refused("{\"a\":\"\n\"}", "is not JSON");
	assert_refused("\xef\xbb\xbf{}", "is not JSON");
}

static void a_text_that_goes_on_is_refused(void **state)
{
	(void)state;
	assert_refused("{}{}", "goes on after its end");
	assert_bytes_refused("{}\0", 3, "goes on after its end");
}

static void a_text_that_is_cut_off_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"a\":", "is cut off");
	assert_refused("{\"a\":\"b", "is cut off");
}

static void a_member_twice_is_refused_at_any_depth(void **state)
{
	(void)state;
	assert_refused("{\"a\":1,\"a\":1}", "has a member twice");
	assert_refused("{\"a\":1,\"\\u0061\":1}", "has a member twice");
	assert_refused("{\"x\":[{\"a\":1,\"a\":1}]}", "has a member twice");
	assert_accepted("{\"a\":1,\"A\":1,\"x\":{\"a\":1}}");
}

static void NUL_is_refused_in_values_and_names(void **state)
{
	(void)state;
	assert_refused("{\"a\":\"b\\u0000c\"}", "has a NUL character in a string");
	assert_refused("{\"a\\u0000b\":1}", "has a NUL character in a string");
}

static void broken_UTF8_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"a\":\"\xff\"}", "is not valid UTF-8");
	assert_refused("{\"a\":\"\xc0\x80\"}", "is not valid UTF-8");
	assert_refused("{\"a\":\"\xed\xa0\x80\"}", "is not valid UTF-8");
	assert_refused("{\"a\":\"\xf4\x90\x80\x80\"}", "is not valid UTF-8");
	assert_refused("{\"a\":\"\\ud800\"}", "is not JSON");
}

static void numbers_beyond_64_bits_are_refused(void **state)
{
	(void)state;
	assert_accepted("{\"a\":9223372036854775807,\"b\":-9223372036854775808}");
	assert_refused("{\"a\":9223372036854775808}", "has a number that is too large");
	assert_refused("{\"a\":1e400}", "has a number that is too large");
}

static void the_depth_is_limited(void **state)
{
	(void)state;
	assert_accepted("{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}");
	assert_refused("{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", "is nested deeper than 16");
	assert_refused("{\"a\":[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]}", "is nested deeper than 16");
}

static void brackets_side_by_side_or_in_strings_are_not_depth(void **state)
{
	(void)state;
	assert_accepted("{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}");
	assert_accepted("{\"a\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}");
	assert_accepted("{\"a\":\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[\\\\\",\"{{{{{{{{{{{{{{{{{{{{\":1}");
}

static void brackets_after_a_string_count_again(void **state)
{
	(void)state;
	assert_refused("{\"\\\"\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", "is nested deeper than 16");
	assert_refused("{\"\\\\\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", "is nested deeper than 16");
}

static void closing_brackets_alone_do_not_hide_depth(void **state)
{
	(void)state;
	assert_refused("]]]]]]]]]]]]]]]]]]]]]][[[[[[[[[[[[[[[[[", "is nested deeper than 16");
}

static void a_string_array_holds_strings_only_and_not_too_many(void **state)
{
	json_t *two = json_pack("[s, s]", "a", "b");
	json_t *mixed = json_pack("[s, i]", "a", 1);
	json_t *text = json_string("a");

	(void)state;
	assert_true(json_strict_is_string_array(two, 2));
	assert_false(json_strict_is_string_array(two, 1));
	assert_false(json_strict_is_string_array(mixed, 2));
	assert_false(json_strict_is_string_array(text, 2));
	assert_false(json_strict_is_string_array(NULL, 2));
	json_decref(two);
	json_decref(mixed);
	json_decref(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_accepted),
		cmocka_unit_test(other_values_are_refused),
		cmocka_unit_test(what_is_almost_JSON_is_refused),
		cmocka_unit_test(a_text_that_goes_on_is_refused),
		cmocka_unit_test(a_text_that_is_cut_off_is_refused),
		cmocka_unit_test(a_member_twice_is_refused_at_any_depth),
		cmocka_unit_test(NUL_is_refused_in_values_and_names),
		cmocka_unit_test(broken_UTF8_is_refused),
		cmocka_unit_test(numbers_beyond_64_bits_are_refused),
		cmocka_unit_test(the_depth_is_limited),
		cmocka_unit_test(brackets_side_by_side_or_in_strings_are_not_depth),
		cmocka_unit_test(brackets_after_a_string_count_again),
		cmocka_unit_test(closing_brackets_alone_do_not_hide_depth),
		cmocka_unit_test(a_string_array_holds_strings_only_and_not_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
