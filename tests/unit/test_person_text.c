/*
 * What becomes of a person's name on its way into /etc/passwd.
 */
#include "provisiond/person_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_gecos(const char *full_name, const char *expected)
{
	char gecos[GECOS_MAX];

	gecos_from_full_name(full_name, "alice", gecos);
	assert_string_equal(gecos, expected);
}

static void names_stay_as_they_are(void **state)
{
	(void)state;
	assert_gecos("Alice Example", "Alice Example");
	assert_gecos("Zoë Ångström-O'Brien", "Zoë Ångström-O'Brien");
	assert_gecos("山田 花子", "山田 花子");
}

static void what_parts_fields_and_lines_is_left_out(void **state)
{
	(void)state;
	assert_gecos("Alice:0:0:root:/root:/bin/sh", "Alice00root/root/bin/sh");
	assert_gecos("Example, Alice", "Example Alice");
	assert_gecos("Alice\nmallory::0:0", "Alicemallory00");
	assert_gecos("A&B = C", "AB C");
}

static void what_turns_or_hides_text_is_left_out(void **state)
{
	(void)state;
	assert_gecos("\033[2JAlice", "[2JAlice");
	assert_gecos("\302\233Alice\342\200\256 Example\342\200\213\357\273\277", "Alice Example");
	assert_gecos("Al\377ice\300\257", "Alice");
	assert_gecos("\355\240\200Alice\360\202\202\254\364\220\200\200", "Alice");
}

static void spaces_are_trimmed_and_joined(void **state)
{
	(void)state;
	assert_gecos("  Alice \t\302\240 Example  ", "Alice Example");
}

static void the_accounts_name_stands_where_nothing_is_left(void **state)
{
	(void)state;
	assert_gecos("", "alice");
	assert_gecos(" ::: ", "alice");
}

static void assert_gecos_with(const char *gecos, const char *full_name, const char *room, const char *expected)
{
	char written[GECOS_FIELD_MAX];

	assert_true(gecos_with(gecos, full_name, room, written));
	assert_string_equal(written, expected);
}

static void name_and_room_are_put_in_front_of_whatever_else_there_is(void **state)
{
	(void)state;
	assert_gecos_with("", "Alice Example", NULL, "Alice Example");
	assert_gecos_with("", "Alice Example", "Exam 1", "Alice Example,Exam 1");
	assert_gecos_with("alice", "Alice Example", "Exam 1", "Alice Example,Exam 1");
	assert_gecos_with("A. E.,Old,555-0100,555-0199,other,more", "Alice Example", "Exam 1",
			  "Alice Example,Exam 1,555-0100,555-0199,other,more");
	assert_gecos_with("A. E.,,,", "Alice Example", NULL, "Alice Example,,,");
	assert_gecos_with("A. E.,,,", "Alice Example", "Exam 1", "Alice Example,Exam 1,,");
	assert_gecos_with("A. E.,Old", NULL, "Exam 1", "A. E.,Exam 1");
	assert_gecos_with("A. E.,Old", NULL, "", "A. E.");
	assert_gecos_with("A. E.,Old,555-0100", NULL, "", "A. E.,,555-0100");
	assert_gecos_with("A. E.,Old,555-0100", NULL, NULL, "A. E.,Old,555-0100");
}

static void a_field_that_does_not_fit_is_not_written(void **state)
{
	char gecos[GECOS_FIELD_MAX + 1], written[GECOS_FIELD_MAX] = "untouched";

	(void)state;
	memset(gecos, 'x', sizeof(gecos));
	gecos[GECOS_FIELD_MAX] = '\0';
	assert_false(gecos_with(gecos, "Alice", NULL, written));
	gecos[GECOS_FIELD_MAX - 1] = '\0';
	assert_true(gecos_with(gecos, NULL, NULL, written));
	assert_string_equal(written, gecos);
	assert_true(gecos_with(gecos, "Alice", NULL, written));
	assert_string_equal(written, "Alice");
	gecos[1] = gecos[2] = ',';
	assert_false(gecos_with(gecos, "Alice", NULL, written));
	assert_string_equal(written, "Alice");
}

static void assert_given_back(const char *gecos, const char *before, const char *room, const char *expected)
{
	char written[GECOS_FIELD_MAX];

	assert_true(gecos_given_back(gecos, before, "Alice Example", room, written));
	assert_string_equal(written, expected);
}

static void a_field_is_given_back_save_for_what_was_changed_since(void **state)
{
	(void)state;
	assert_given_back("Alice Example,Exam 1", "A. E.", "Exam 1", "A. E.");
	assert_given_back("Alice Example,Exam 1,,", "A. E.,,,", "Exam 1", "A. E.,,,");
	assert_given_back("Alice Example", "", "", "");
	assert_given_back("Alice Example,Old", "A. E.,Old", "", "A. E.,Old");
	/* Changed by others: the name, the room, the rest. */
	assert_given_back("Dr. Alice,Exam 1", "A. E.,Old", "Exam 1", "Dr. Alice,Old");
	assert_given_back("Alice Example,Ward 9", "A. E.,Old", "Exam 1", "A. E.,Ward 9");
	assert_given_back("Alice Example,Exam 1,555-0177", "A. E.", "Exam 1", "A. E.,,555-0177");
	assert_given_back("Alice Example,Exam 1,555-0177", "A. E.,Old,555-0100", "Exam 1", "A. E.,Old,555-0177");
	assert_given_back("Alice", "A. E.,Old,555-0100", "Exam 1", "Alice");
}

static void long_names_are_cut_between_characters(void **state)
{
	char name[3 * GECOS_MAX] = "", gecos[GECOS_MAX];

	(void)state;
	for (int i = 0; i < GECOS_MAX; i++)
		(void)strcat(name, "ö");
	gecos_from_full_name(name, "alice", gecos);
	assert_int_equal(strlen(gecos), 126);
	assert_true(person_text_ok(gecos, GECOS_MAX));
}

static void text_must_be_utf8_without_controls(void **state)
{
	static const char *const bad[] = { "a\nb",         "\177",         "\302\200",
					   "\300\200",     "\355\240\200", "\364\220\200\200",
					   "\360\237\230", "\200" };

	(void)state;
	assert_true(person_text_ok("", 0));
	assert_true(person_text_ok("Zoë 😀", 9));
	assert_false(person_text_ok("Zoë 😀", 8));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(person_text_ok(bad[i], 64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_stay_as_they_are),
		cmocka_unit_test(what_parts_fields_and_lines_is_left_out),
		cmocka_unit_test(what_turns_or_hides_text_is_left_out),
		cmocka_unit_test(spaces_are_trimmed_and_joined),
		cmocka_unit_test(the_accounts_name_stands_where_nothing_is_left),
		cmocka_unit_test(name_and_room_are_put_in_front_of_whatever_else_there_is),
		cmocka_unit_test(a_field_that_does_not_fit_is_not_written),
		cmocka_unit_test(a_field_is_given_back_save_for_what_was_changed_since),
		cmocka_unit_test(long_names_are_cut_between_characters),
		cmocka_unit_test(text_must_be_utf8_without_controls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
