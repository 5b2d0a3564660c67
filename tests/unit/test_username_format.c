/*
 * The `username` formats: which are formats, what they make, and when two could make the same name.
 */
#include "common/username_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct username_format format(const char *text, const char *tenant)
{
	struct username_format read;

	if (!username_format_parse(text, tenant, &read))
		fail_msg("'%s' is no format", text);
	return read;
}

static void a_format_has_one_local_part_and_no_other_percent_than_the_tenants(void **state)
{
	static const char *const bad[] = { "",    "alice", "%t", "%l%l", "%l.%l", "%",
					   "%l%", "%%l",   "%u", "%l%d", "%L",    "% l" };
	struct username_format read = { .prefix = "untouched" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (username_format_parse(bad[i], "clinic", &read))
			fail_msg("'%s' was taken for a format", bad[i]);
	assert_string_equal(read.prefix, "untouched");
}

static void a_format_makes_names(void **state)
{
	static const struct {
		const char *format, *local, *name;
	} rows[] = {
		{ "%l", "Alice", "alice" },
		{ "%l.%t", "ALICE.Smith", "alice.smith.clinic" },
		{ "%t-%l", "bob", "clinic-bob" },
		{ "x%l", "Zo\xc3\x89", "xzo\xc3\x89" }, /* letters of ASCII alone are folded */
	};
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct username_format read = format(rows[i].format, "clinic");

		assert_true(username_format_expand(&read, rows[i].local, name, sizeof(name)));
		assert_string_equal(name, rows[i].name);
		assert_true(username_format_matches(&read, name));
	}
}

static void a_name_that_does_not_fit_is_not_made(void **state)
{
	struct username_format read = format("a%lb", "clinic");
	char name[6] = "";

	(void)state;
	assert_true(username_format_expand(&read, "123", name, sizeof(name)));
	assert_string_equal(name, "a123b");
	assert_false(username_format_expand(&read, "1234", name, sizeof(name)));
}

static void a_format_too_long_for_its_room_is_refused(void **state)
{
	char tenant[USERNAME_FORMAT_MAX + 1], text[2 * USERNAME_FORMAT_MAX];
	struct username_format read;

	(void)state;
	memset(tenant, 't', sizeof(tenant));
	tenant[USERNAME_FORMAT_MAX - 1] = '\0';
	assert_true(username_format_parse("%t%l", tenant, &read));
	tenant[USERNAME_FORMAT_MAX - 1] = 't';
	tenant[USERNAME_FORMAT_MAX] = '\0';
	assert_false(username_format_parse("%t%l", tenant, &read));
	assert_false(username_format_parse("%l%t", tenant, &read));
	(void)snprintf(text, sizeof(text), "%%l%s", tenant);
	assert_false(username_format_parse(text, "clinic", &read));
}

static void only_what_it_could_have_made_matches(void **state)
{
	struct username_format suffixed = format("%l.%t", "clinic"), framed = format("ab%lba", "clinic");

	(void)state;
	assert_true(username_format_matches(&suffixed, "a.clinic"));
	assert_false(username_format_matches(&suffixed, ".clinic"));
	assert_false(username_format_matches(&suffixed, "a.clinics"));
	assert_false(username_format_matches(&suffixed, "aclinic"));
	assert_true(username_format_matches(&framed, "abxba"));
	assert_false(username_format_matches(&framed, "aba"));
	assert_false(username_format_matches(&framed, "abba"));
}

static bool overlap(const char *one, const char *other)
{
	struct username_format a = format(one, "lab"), b = format(other, "clinic");
	bool result = username_formats_overlap(&a, &b);

	assert_int_equal(username_formats_overlap(&b, &a), result);
	return result;
}

static void formats_that_could_make_one_name_overlap(void **state)
{
	(void)state;
	assert_true(overlap("%l", "%l"));
	assert_true(overlap("%l", "%l.%t"));
	assert_true(overlap("x%l", "%ly"));
	assert_true(overlap("a%l", "ab%l"));
	assert_false(overlap("%l.%t", "%l.%t"));
	assert_false(overlap("a%l", "b%l"));
	assert_false(overlap("ax%l", "ay%lz"));
}

/* Whatever two formats say of each other, a name that both match must have been foreseen. */
static void no_two_formats_that_do_not_overlap_match_one_name(void **state)
{
	static const char *const formats[] = { "%l",  "a%l",  "b%l",  "ab%l", "%la",
					       "%lb", "%lab", "a%lb", "b%la", "ab%lab" };
	static const char letters[] = "ab";
	const size_t count = sizeof(formats) / sizeof(formats[0]);

	(void)state;
	for (unsigned bits = 0; bits < 1U << 8; bits++) {
		char name[9];
		size_t length = bits % 8 + 1;

		for (size_t i = 0; i < length; i++)
			name[i] = letters[bits >> i & 1];
		name[length] = '\0';
		for (size_t i = 0; i < count; i++)
			for (size_t j = 0; j < count; j++) {
				struct username_format one = format(formats[i], "t"), other = format(formats[j], "t");

				if (username_format_matches(&one, name) && username_format_matches(&other, name))
					assert_true(username_formats_overlap(&one, &other));
			}
	}
}

static void the_plain_format_is_known(void **state)
{
	struct username_format plain = format("%l", "clinic"), other = format("%l.%t", "clinic");

	(void)state;
	assert_true(username_format_is_plain(&plain));
	assert_false(username_format_is_plain(&other));
	other = format("x%l", "clinic");
	assert_false(username_format_is_plain(&other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_format_has_one_local_part_and_no_other_percent_than_the_tenants),
		cmocka_unit_test(a_format_makes_names),
		cmocka_unit_test(a_name_that_does_not_fit_is_not_made),
		cmocka_unit_test(a_format_too_long_for_its_room_is_refused),
		cmocka_unit_test(only_what_it_could_have_made_matches),
		cmocka_unit_test(formats_that_could_make_one_name_overlap),
		cmocka_unit_test(no_two_formats_that_do_not_overlap_match_one_name),
		cmocka_unit_test(the_plain_format_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
