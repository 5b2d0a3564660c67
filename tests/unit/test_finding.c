/*
 * Findings: their text is safe wherever it comes from, and one finding is one line or one message.
 */
#include "pam_oidc/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"

static void what_moves_hides_or_ends_text_becomes_a_question_mark(void **state)
{
	static const struct {
		const char *said, *kept;
	} rows[] = {
		{ "plain", "plain" },
		{ "R\xc3\xb6ntgen", "R\xc3\xb6ntgen" },
		{ "a\x1b[31mb", "a?[31mb" },
		{ "a\nb\rc\td", "a?b?c?d" },
		{ "a\x7f"
		  "b\xc2\x9b"
		  "c",
		  "a?b?c" },
		{ "a\xe2\x80\xae"
		  "b\xe2\x80\xa8"
		  "c",
		  "a?b?c" }, /* turned round; a line's end */
		{ "a\xff\xc3"
		  "b",
		  "a?\?b" },                                /* no UTF-8 */
		{ "a\xed\xa0\x80", "a?\?\?" },              /* half of a surrogate pair */
		{ "\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91" }, /* a key */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct finding finding = finding_say("clinic", "email", FINDING_GOOD, NULL, "%s", rows[i].said);

		assert_string_equal(finding.text, rows[i].kept);
	}
}

static void what_is_too_long_is_cut_between_characters(void **state)
{
	char said[4 * FINDING_TEXT_MAX];
	struct finding finding;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(said); i += 2)
		memcpy(said + i, "\xc3\xb6", 3);
	finding = finding_say("clinic", "email", FINDING_GOOD, NULL, "%s", said);
	assert_true(strlen(finding.text) >= FINDING_TEXT_MAX - 2);
	assert_true(strspn(finding.text, "\xc3\xb6?") == strlen(finding.text));
}

static void what_is_good_needs_no_remedy(void **state)
{
	(void)state;
	assert_null(finding_say("clinic", "email", FINDING_GOOD, "do this", "good").remedy);
	assert_string_equal(finding_say("clinic", "email", FINDING_WARNING, "do this", "so so").remedy, "do this");
	assert_string_equal(finding_say("clinic", "email", FINDING_BAD, "do this", "bad").remedy, "do this");
}

static void a_message_has_the_level_and_what_readers_of_old_look_for(void **state)
{
	static const char *const oks[] = { [FINDING_GOOD] = "1", [FINDING_WARNING] = "1", [FINDING_BAD] = "0" };
	char buffer[4096];
	struct wire_writer writer;
	struct wire_message message;
	long long days;

	(void)state;
	for (enum finding_level level = FINDING_GOOD; level <= FINDING_BAD; level++) {
		struct finding finding = finding_say("clinic", "tls", level, "renew", "soon");

		finding_write(&finding, buffer, sizeof(buffer), &writer);
		assert_false(writer.failed);
		assert_true(wire_parse(buffer, writer.length, &message));
		assert_string_equal(wire_kind(&message, "status"), "finding");
		assert_string_equal(wire_get(&message, "tenant"), "clinic");
		assert_string_equal(wire_get(&message, "item"), "tls");
		assert_string_equal(wire_get(&message, "level"), finding_level_name(level));
		assert_string_equal(wire_get(&message, "ok"), oks[level]);
		assert_string_equal(wire_get(&message, "text"), "soon");
		assert_int_equal(wire_has(&message, "remedy"), level != FINDING_GOOD);
		assert_false(wire_has(&message, "days"));
		finding.days = 0;
		finding_write(&finding, buffer, sizeof(buffer), &writer);
		assert_true(wire_parse(buffer, writer.length, &message));
		assert_true(wire_get_number(&message, "days", 0, 0, &days));
	}
}

static char *printed(const struct finding *finding, bool utf8)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	finding_print(finding, utf8, out);
	(void)fclose(out);
	return text;
}

static void a_line_is_ascii_where_the_terminal_shows_no_more(void **state)
{
	struct finding finding = finding_say("clinic", "groups", FINDING_BAD, "ask R\xc3\xb6ntgen", "R\xc3\xb6ntgen");
	_cleanup_free_ char *plain = printed(&finding, false), *whole = printed(&finding, true);

	(void)state;
	assert_string_equal(plain, "FAIL  clinic       groups         R?ntgen\n      what to do: ask R?ntgen\n");
	assert_string_equal(whole, "FAIL  clinic       groups         R\xc3\xb6ntgen\n"
				   "      what to do: ask R\xc3\xb6ntgen\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_moves_hides_or_ends_text_becomes_a_question_mark),
		cmocka_unit_test(what_is_too_long_is_cut_between_characters),
		cmocka_unit_test(what_is_good_needs_no_remedy),
		cmocka_unit_test(a_message_has_the_level_and_what_readers_of_old_look_for),
		cmocka_unit_test(a_line_is_ascii_where_the_terminal_shows_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
