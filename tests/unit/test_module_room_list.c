/*
 * The list of rooms: its layout, and which room an answer means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pam_oidc/module/printable.h"
#include "pam_oidc/module/room_list.h"

static struct room_list rooms;
static char text[ROOM_LIST_TEXT_MAX];

static void use_rooms(const char *const *names, size_t count)
{
	rooms.count = 0;
	for (size_t i = 0; i < count; i++)
		assert_true(room_list_add(&rooms, names[i]));
}

#define ROOMS(...)                                                     \
	do {                                                           \
		static const char *const names_[] = { __VA_ARGS__ };   \
		use_rooms(names_, sizeof(names_) / sizeof(names_[0])); \
	} while (0)

static void use_numbered_rooms(size_t count, const char *word)
{
	char name[ROOM_NAME_MAX + 1];

	rooms.count = 0;
	for (size_t i = 1; i <= count; i++) {
		(void)snprintf(name, sizeof(name), "%s %zu", word, i);
		assert_true(room_list_add(&rooms, name));
	}
}

/* ---- the list ---- */

static void few_rooms_stand_below_each_other(void **state)
{
	(void)state;
	ROOMS("Exam 1", "Exam 2", "Front desk");
	assert_true(room_list_text(&rooms, text, sizeof(text)));
	assert_string_equal(text, " 1  Exam 1\n 2  Exam 2\n 3  Front desk\n");
}

static void one_room_is_a_list_too(void **state)
{
	(void)state;
	ROOMS("Office");
	assert_true(room_list_text(&rooms, text, sizeof(text)));
	assert_string_equal(text, " 1  Office\n");
}

static void numbers_run_downwards(void **state)
{
	(void)state;
	use_numbered_rooms(13, "Examination room of building");
	assert_true(room_list_text(&rooms, text, sizeof(text)));
	assert_non_null(
		strstr(text, " 1  Examination room of building 1    13  Examination room of building 13\n 2  "));
	assert_non_null(strstr(text, "\n12  Examination room of building 12\n"));
}

/* Lines of at most 79 columns, and each room once. */
static void assert_tidy(void)
{
	char copy[ROOM_LIST_TEXT_MAX], shown[1024], *rest = NULL;
	size_t seen = 0;

	assert_true(room_list_text(&rooms, text, sizeof(text)));
	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		size_t columns = printable_copy_utf8(line, shown, sizeof(shown));

		if (columns > 79)
			fail_msg("%zu columns: %s", columns, line);
		assert_string_equal(shown, line);
		assert_int_not_equal(line[strlen(line) - 1], ' ');
	}
	for (size_t i = 1; i <= rooms.count; i++) {
		char number[8];

		(void)snprintf(number, sizeof(number), "%2zu  ", i);
		seen += strstr(text, number) != NULL;
	}
	assert_int_equal(seen, rooms.count);
}

static void every_list_fits_80_columns(void **state)
{
	static const char *const names[] = { "R",
					     "Exam",
					     "Behandlungszimmer",
					     "A room with a rather long name, upstairs",
					     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffffffff",
					     "B\u00fcro",
					     "\u8a3a\u5bdf\u5ba4\u306e\u96a3",
					     "Sala e\u0301" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (size_t count = 1; count <= ROOMS_MAX; count++) {
			use_numbered_rooms(count, names[i]);
			assert_tidy();
		}
	}
}

static void columns_are_counted_as_the_terminal_does(void **state)
{
	(void)state;
	ROOMS("B\u00fcro", "\u8a3a\u5bdf", "e\u0301", "Exam", "5", "6", "7", "8", "9", "10", "11", "12", "Lab", "14",
	      "15");
	assert_true(room_list_text(&rooms, text, sizeof(text)));
	assert_non_null(strstr(text, " 1  B\u00fcro   13  Lab\n 2  \u8a3a\u5bdf   14  14\n 3  e\u0301      15  15\n"));
}

static void nothing_in_a_name_reaches_the_terminal_but_characters(void **state)
{
	(void)state;
	ROOMS("\x1b[2J", "\u202egnp.exe",
	      "\xc2\x9b"
	      "2J",
	      "\xff", "a\nb", "\xc0\x80");
	assert_true(room_list_text(&rooms, text, sizeof(text)));
	assert_string_equal(text, " 1  ?[2J\n 2  ?gnp.exe\n 3  ?2J\n 4  ?\n 5  a?b\n 6  ??\n");
}

static void a_list_that_does_not_fit_says_so(void **state)
{
	(void)state;
	ROOMS("Exam 1", "Exam 2");
	assert_false(room_list_text(&rooms, text, 20));
}

static void the_room_for_a_list_is_enough(void **state)
{
	char name[ROOM_NAME_MAX + 1];

	(void)state;
	/* 64 bytes that take no column, or are of four bytes each. */
	for (int kind = 0; kind < 2; kind++) {
		name[0] = '\0';
		while (strlen(name) + 4 <= ROOM_NAME_MAX)
			(void)strcat(name, kind == 0 ? "\u0301\u0301" : "\U0001f600");
		rooms.count = 0;
		while (room_list_add(&rooms, name))
			;
		assert_int_equal(rooms.count, ROOMS_MAX);
		assert_true(room_list_text(&rooms, text, sizeof(text)));
	}
}

static void a_list_has_99_rooms_with_names_of_64_bytes(void **state)
{
	char name[ROOM_NAME_MAX + 2];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[ROOM_NAME_MAX + 1] = '\0';
	rooms.count = 0;
	assert_false(room_list_add(&rooms, ""));
	assert_false(room_list_add(&rooms, name));
	name[ROOM_NAME_MAX] = '\0';
	for (int i = 0; i < 99; i++)
		assert_true(room_list_add(&rooms, name));
	assert_false(room_list_add(&rooms, "x"));
	assert_int_equal(rooms.count, 99);
}

/* ---- the answer ---- */

static void assert_chosen(const char *typed, const char *expected)
{
	const char *room = room_list_choose(&rooms, typed);

	if ((room == NULL) != (expected == NULL) || (room && strcmp(room, expected) != 0))
		fail_msg("\"%s\" means %s", typed, room ? room : "nothing");
}

static void a_number_or_the_exact_name_chooses(void **state)
{
	(void)state;
	ROOMS("Exam 1", "Exam 2", "Front desk");
	assert_chosen("1", "Exam 1");
	assert_chosen("3", "Front desk");
	assert_chosen("03", "Front desk");
	assert_chosen(" 3\r\n", "Front desk");
	assert_chosen("Front desk", "Front desk");
	assert_chosen("  Front desk ", "Front desk");
}

static void nothing_else_chooses(void **state)
{
	static const char *const wrong[] = { "",
					     " ",
					     "0",
					     "00",
					     "4",
					     "99",
					     "-1",
					     "+1",
					     "1.",
					     "1 2",
					     "003",
					     "1e0",
					     "Exam",
					     "0x1",
					     "front desk",
					     "Front  desk",
					     "Exam 1Exam 2",
					     "4294967297",
					     "18446744073709551617",
					     "\xd9\xa1" };

	(void)state;
	ROOMS("Exam 1", "Exam 2", "Front desk");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_chosen(wrong[i], NULL);
}

static void a_name_that_is_a_number_comes_before_the_number(void **state)
{
	(void)state;
	ROOMS("2", "1", "101");
	assert_chosen("2", "2");
	assert_chosen("1", "1");
	assert_chosen("3", "101");
	assert_chosen("101", "101");
}

static void two_digits_choose_too(void **state)
{
	(void)state;
	use_numbered_rooms(99, "Exam");
	assert_chosen("10", "Exam 10");
	assert_chosen("99", "Exam 99");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_rooms_stand_below_each_other),
		cmocka_unit_test(one_room_is_a_list_too),
		cmocka_unit_test(numbers_run_downwards),
		cmocka_unit_test(every_list_fits_80_columns),
		cmocka_unit_test(columns_are_counted_as_the_terminal_does),
		cmocka_unit_test(nothing_in_a_name_reaches_the_terminal_but_characters),
		cmocka_unit_test(a_list_that_does_not_fit_says_so),
		cmocka_unit_test(the_room_for_a_list_is_enough),
		cmocka_unit_test(a_list_has_99_rooms_with_names_of_64_bytes),
		cmocka_unit_test(a_number_or_the_exact_name_chooses),
		cmocka_unit_test(nothing_else_chooses),
		cmocka_unit_test(a_name_that_is_a_number_comes_before_the_number),
		cmocka_unit_test(two_digits_choose_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
