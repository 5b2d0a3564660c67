/*
 * Which text is harmless for a terminal, and how many columns it takes.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pam_oidc/module/printable.h"

static char shown[256];

static void every_byte_that_is_not_printable_ascii_is_replaced(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char text[2] = { (char)byte, '\0' };

		printable_copy(text, shown, sizeof(shown));
		assert_int_equal(shown[0], byte >= ' ' && byte <= '~' ? byte : '?');
		assert_int_equal(printable_utf8(text), byte >= ' ' && byte <= '~');
	}
	printable_copy("long text", shown, 5);
	assert_string_equal(shown, "long");
}

static void letters_of_all_languages_stay(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
	} rows[] = {
		{ "", 0 },
		{ "Exam 1", 6 },
		{ "B\u00fcro", 4 },
		{ "\u0391\u03af\u03b8\u03bf\u03c5\u03c3\u03b1", 7 },
		{ "\u041f\u0440\u0438\u0451\u043c", 5 },
		{ "\u05d7\u05d3\u05e8", 3 },
		{ "\u8a3a\u5bdf\u5ba4", 6 },
		{ "e\u0301", 1 },
		{ "\U0001f600", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(printable_utf8(rows[i].text));
		assert_int_equal(printable_copy_utf8(rows[i].text, shown, sizeof(shown)), rows[i].columns);
		assert_string_equal(shown, rows[i].text);
	}
}

static void what_cannot_be_seen_or_turns_the_text_is_replaced(void **state)
{
	static const char *const texts[] = {
		"\xc2\x80", "\xc2\x9b", "\u00a0", "\u00ad", "\u061c",     "\u200b",     "\u200e", "\u202e", "\u2028",
		"\u2066",   "\ufeff",   "\ufffd", "\ue000", "\U000e0041", "\U0001fffe", "\u3000", "\u3164",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(printable_utf8(texts[i]));
		(void)printable_copy_utf8(texts[i], shown, sizeof(shown));
		for (const char *at = shown; *at; at++)
			assert_int_equal(*at, '?');
	}
}

/* RFC 3629, 3: overlong forms, surrogates, what is beyond the end, cut ones. */
static void what_is_not_utf8_is_replaced_byte_by_byte(void **state)
{
	static const char *const texts[] = {
		"\xc0\x80", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
		"\x80",     "\xc3",     "\xe2\x82",     "\xf0\x9f\x98", "\xff\xfe",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char expected[16];

		memset(expected, '?', sizeof(expected));
		expected[strlen(texts[i])] = '\0';
		assert_false(printable_utf8(texts[i]));
		assert_int_equal(printable_copy_utf8(texts[i], shown, sizeof(shown)), strlen(texts[i]));
		assert_string_equal(shown, expected);
	}
	(void)printable_copy_utf8("\xc3(", shown, sizeof(shown));
	assert_string_equal(shown, "?(");
}

static void a_character_is_copied_whole_or_not_at_all(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 8; size++) {
		memset(shown, 'x', sizeof(shown));
		(void)printable_copy_utf8("a\u00fc\U0001f600", shown, size);
		assert_true(strlen(shown) < size);
		assert_true(printable_utf8(shown));
		assert_int_equal(shown[size], 'x');
	}
	assert_string_equal(shown, "a\u00fc\U0001f600");
}

static void the_locale_changes_nothing(void **state)
{
	(void)state;
	(void)setlocale(LC_ALL, "C");
	assert_int_equal(printable_copy_utf8("B\u00fcro", shown, sizeof(shown)), 4);
	assert_string_equal(shown, "B\u00fcro");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_that_is_not_printable_ascii_is_replaced),
		cmocka_unit_test(letters_of_all_languages_stay),
		cmocka_unit_test(what_cannot_be_seen_or_turns_the_text_is_replaced),
		cmocka_unit_test(what_is_not_utf8_is_replaced_byte_by_byte),
		cmocka_unit_test(a_character_is_copied_whole_or_not_at_all),
		cmocka_unit_test(the_locale_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
