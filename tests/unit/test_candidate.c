/*
 * Identities as pam_oidcd sends them.
 */
#include "provisiond/candidate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct mail {
	char bytes[WIRE_MAX];
	struct wire_writer writer;
	struct wire_message message;
};

static struct mail mail;

static void begin(const char *subject)
{
	wire_begin(&mail.writer, mail.bytes, sizeof(mail.bytes), "op", "admit");
	wire_put(&mail.writer, "issuer", "https://clinic.example");
	wire_put(&mail.writer, "client_id", "clinic-client");
	wire_put(&mail.writer, "subject", subject);
}

static bool take(struct candidate *ret_candidate)
{
	assert_false(mail.writer.failed);
	assert_true(wire_parse(mail.bytes, mail.writer.length, &mail.message));
	return candidate_from_message(&mail.message, ret_candidate);
}

static void assert_malformed(void)
{
	struct candidate candidate;

	assert_false(take(&candidate));
}

static void a_whole_identity_is_read(void **state)
{
	struct candidate candidate;

	(void)state;
	begin("00ualice");
	wire_put(&mail.writer, "email", "alice@clinic.example");
	wire_put(&mail.writer, "email_verified", "true");
	wire_put(&mail.writer, "full_name", "Zoë Example");
	wire_put(&mail.writer, "username", "alice");
	wire_put(&mail.writer, "group", "Everyone");
	wire_put(&mail.writer, "group", "Clinic, IT");
	assert_true(take(&candidate));
	assert_string_equal(candidate.issuer, "https://clinic.example");
	assert_string_equal(candidate.client_id, "clinic-client");
	assert_string_equal(candidate.subject, "00ualice");
	assert_string_equal(candidate.email, "alice@clinic.example");
	assert_int_equal(candidate.email_verified, EMAIL_VERIFIED);
	assert_string_equal(candidate.full_name, "Zoë Example");
	assert_string_equal(candidate.username, "alice");
	assert_int_equal(candidate.group_count, 2);
	assert_string_equal(candidate.groups[1], "Clinic, IT");
	candidate_clear(&candidate);
}

static void what_may_be_missing_may_be_missing_or_empty(void **state)
{
	struct candidate candidate;

	(void)state;
	begin("00ualice");
	wire_put(&mail.writer, "email", "");
	wire_put(&mail.writer, "username", "");
	assert_true(take(&candidate));
	assert_null(candidate.email);
	assert_int_equal(candidate.email_verified, EMAIL_UNSAID);
	assert_string_equal(candidate.full_name, "");
	assert_null(candidate.username);
	assert_int_equal(candidate.group_count, 0);
	candidate_clear(&candidate);
}

static void a_subject_must_be_there_once(void **state)
{
	(void)state;
	begin(NULL);
	assert_malformed();
	begin("");
	assert_malformed();
	begin("00ualice");
	wire_put(&mail.writer, "subject", "00ubob");
	assert_malformed();
}

static void an_email_must_not_stand_twice(void **state)
{
	(void)state;
	begin("00ualice");
	wire_put(&mail.writer, "email", "alice@clinic.example");
	wire_put(&mail.writer, "email", "bob@clinic.example");
	assert_malformed();
	begin("00ualice");
	wire_put(&mail.writer, "email", "");
	wire_put(&mail.writer, "email", "bob@clinic.example");
	assert_malformed();
}

static void email_verified_is_true_or_false(void **state)
{
	static const char *const bad[] = { "yes", "1", "TRUE", "truefalse" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin("00ualice");
		wire_put(&mail.writer, "email_verified", bad[i]);
		assert_malformed();
	}
}

static void text_must_be_within_its_limits_and_without_controls(void **state)
{
	static char long_text[1100];

	(void)state;
	memset(long_text, 'a', 256);
	begin(long_text);
	assert_malformed();
	begin("00u\nalice");
	assert_malformed();
	begin("00ualice");
	wire_put(&mail.writer, "full_name", "Alice\377");
	assert_malformed();
	begin("00ualice");
	memset(long_text, 'a', 257);
	wire_put(&mail.writer, "full_name", long_text);
	assert_malformed();
	begin("00ualice");
	memset(long_text, 'a', 321);
	wire_put(&mail.writer, "email", long_text);
	assert_malformed();
	begin("00ualice");
	wire_put(&mail.writer, "group", "a\033[2Jb");
	assert_malformed();
}

static void groups_are_bounded(void **state)
{
	struct candidate candidate;

	(void)state;
	begin("00ualice");
	for (int i = 0; i < 1000; i++)
		wire_put(&mail.writer, "group", "g");
	assert_true(take(&candidate));
	assert_int_equal(candidate.group_count, 1000);
	candidate_clear(&candidate);
	wire_put(&mail.writer, "group", "g");
	assert_malformed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_identity_is_read),
		cmocka_unit_test(what_may_be_missing_may_be_missing_or_empty),
		cmocka_unit_test(a_subject_must_be_there_once),
		cmocka_unit_test(an_email_must_not_stand_twice),
		cmocka_unit_test(email_verified_is_true_or_false),
		cmocka_unit_test(text_must_be_within_its_limits_and_without_controls),
		cmocka_unit_test(groups_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
