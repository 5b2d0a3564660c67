/*
 * The grammar of account names and of emails: what is one, to the byte, and what only looks like one.
 */
#include "common/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void account_names_are_taken(void **state)
{
	static const char *const good[] = { "alice", "a", "_pam_oidc", "a.b-c_d", "a1", "_", "a..", "o-", "a.b" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!account_name_ok(good[i]))
			fail_msg("%s: %s", good[i], account_name_fault(good[i]));
}

static void what_would_break_a_line_a_path_or_a_command_is_no_account_name(void **state)
{
	static const char *const bad[] = {
		"",        ".",     "..",    "-",     "-rf",     ".profile",     "1alice",       "../etc",
		"a/b",     "a:b",   "a\nb",  "a\n",   "a b",     " a",           "a ",           "a\tb",
		"a%u",     "%u",    "a@b",   "a$",    "a;b",     "a\\b",         "a'b",          "a\"b",
		"a\x1b[m", "a\x7f", "Alice", "aLice", "o'brien", "al\303\255ce", "\xd0\xb0lice", "alic\xd0\xb5",
		"a\xff",   "a,b",   "a=b",   "a!",    "a#",      "a+b",          "~a",           "*",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (account_name_ok(bad[i]))
			fail_msg("'%s' was taken for an account name", bad[i]);
}

static void an_account_name_has_32_bytes_at_most(void **state)
{
	char name[64];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[32] = '\0';
	assert_true(account_name_ok(name));
	name[32] = 'a';
	name[33] = '\0';
	assert_false(account_name_ok(name));
	assert_string_equal(account_name_fault(name), "is longer than 32 characters");
}

static void a_fault_says_what_is_wrong(void **state)
{
	(void)state;
	assert_null(account_name_fault("alice"));
	assert_string_equal(account_name_fault(""), "is empty");
	assert_non_null(strstr(account_name_fault("9lives"), "begin"));
	assert_non_null(strstr(account_name_fault("o'brien"), "character other than"));
}

static void a_long_name_is_not_read_past_what_counts(void **state)
{
	/* 33 bytes without a NUL: one byte more would be read past the end. */
	char *name = malloc(33);

	(void)state;
	assert_non_null(name);
	memset(name, 'a', 33);
	assert_false(account_name_ok(name));
	free(name);
}

static void an_email_comes_apart_at_its_at(void **state)
{
	struct email email;

	(void)state;
	assert_true(email_parse("Alice.Smith+x@Clinic.EXAMPLE", &email));
	assert_string_equal(email.local, "Alice.Smith+x");
	assert_string_equal(email.domain, "clinic.example");
	assert_true(email_parse("o'brien@sub.clinic.example", &email));
	assert_string_equal(email.local, "o'brien");
	assert_true(email_parse("a@1.example", &email));
	assert_true(email_parse("!#$%&'*+-/=?^_`{|}~@clinic.example", &email));
}

static void what_is_no_plain_email_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"alice",
		"@",
		"alice@",
		"@clinic.example",
		"alice@@clinic.example",
		"alice@evil.example@clinic.example",
		"\"alice\"@clinic.example",
		"\"a@evil.example\"@clinic.example",
		"alice <alice@clinic.example>",
		"alice@clinic",
		"alice@.example",
		"alice@clinic.",
		"alice@clinic.example.",
		"alice@clinic..example",
		"alice@-clinic.example",
		"alice@clinic-.example",
		"alice@clinic.example-",
		"alice@clin_ic.example",
		"alice@[192.0.2.1]",
		"alice@clinic.example ",
		" alice@clinic.example",
		"al ice@clinic.example",
		"alice@clinic.example\n",
		"alice\n@clinic.example",
		"alice\r\n@clinic.example",
		"al\tice@clinic.example",
		"al\x01ice@clinic.example",
		"alice\x7f@clinic.example",
		"alice@clinic.example\x1b[2J",
		".alice@clinic.example",
		"alice.@clinic.example",
		"a..b@clinic.example",
		"alice(x)@clinic.example",
		"alice,bob@clinic.example",
		"alice:x@clinic.example",
		"alice;x@clinic.example",
		"alice\\@clinic.example",
		"<alice@clinic.example>",
		"alice@clinic.example/x",
		"alice@clinic.example?x",
		"alice@clinic.example:25",
	};
	struct email email = { .local = "untouched" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (email_parse(bad[i], &email))
			fail_msg("'%s' was taken for an email", bad[i]);
	assert_string_equal(email.local, "untouched");
}

static void look_alike_letters_are_refused(void **state)
{
	static const char *const bad[] = {
		"\xd0\xb0lice@clinic.example",                                          /* Cyrillic a */
		"alice@clini\xd1\x81.example",                                          /* Cyrillic es */
		"alice@c\xc4\xb1inic.example",                                          /* dotless i */
		"alice@clinic\343\200\202example",                                      /* ideographic full stop */
		"alice\357\274\240clinic.example",                                      /* fullwidth @ */
		"alic\xc3\xa9@clinic.example",      "alice\xe2\x80\x8b@clinic.example", /* zero width space */
		"\342\200\256alice@clinic.example",                                     /* right-to-left override */
		"alice@clinic.example\xc2\xa0",     "\xff\xfe@clinic.example",
	};
	struct email email;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (email_parse(bad[i], &email))
			fail_msg("look-alike %zu was taken for an email", i);
}

/* Writes `local` letters, an @ and a domain of `domain` bytes whose labels have 63 at most. */
static void email_of(size_t local, size_t domain, char *ret_text)
{
	memset(ret_text, 'a', local);
	ret_text[local] = '@';
	for (size_t i = 0; i < domain; i++)
		ret_text[local + 1 + i] = i % 64 == 63 ? '.' : 'b';
	ret_text[local + 1 + domain] = '\0';
}

static void an_email_has_64_and_253_bytes_at_most(void **state)
{
	char text[512];
	struct email email;

	(void)state;
	email_of(64, 253, text);
	assert_true(email_parse(text, &email));
	assert_int_equal(strlen(email.local), 64);
	assert_int_equal(strlen(email.domain), 253);
	email_of(65, 253, text);
	assert_false(email_parse(text, &email));
	email_of(64, 254, text);
	assert_false(email_parse(text, &email));
	email_of(400, 20, text);
	assert_false(email_parse(text, &email));
}

static void a_label_has_63_bytes_at_most(void **state)
{
	char domain[80];

	(void)state;
	memset(domain, 'a', sizeof(domain));
	(void)snprintf(domain + 63, sizeof(domain) - 63, ".example");
	assert_true(domain_ok(domain));
	memset(domain, 'a', 64);
	(void)snprintf(domain + 64, sizeof(domain) - 64, ".example");
	assert_false(domain_ok(domain));
}

static void domains_are_equal_exactly_or_not(void **state)
{
	(void)state;
	assert_true(domain_equal("clinic.example", "Clinic.Example"));
	assert_false(domain_equal("clinic.example", "sub.clinic.example"));
	assert_false(domain_equal("clinic.example", "xclinic.example"));
	assert_false(domain_equal("clinic.example", "clinic.example."));
	assert_false(domain_equal("clinic.example", "clinic.exampl"));
	assert_false(domain_equal("", "clinic.example"));
	assert_true(domain_equal("", ""));
	/* Folding touches letters alone: @ and ` differ by the same bit, as do [ and {. */
	assert_false(domain_equal("a@b", "a`b"));
	assert_false(domain_equal("a[b", "a{b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(account_names_are_taken),
		cmocka_unit_test(what_would_break_a_line_a_path_or_a_command_is_no_account_name),
		cmocka_unit_test(an_account_name_has_32_bytes_at_most),
		cmocka_unit_test(a_fault_says_what_is_wrong),
		cmocka_unit_test(a_long_name_is_not_read_past_what_counts),
		cmocka_unit_test(an_email_comes_apart_at_its_at),
		cmocka_unit_test(what_is_no_plain_email_is_refused),
		cmocka_unit_test(look_alike_letters_are_refused),
		cmocka_unit_test(an_email_has_64_and_253_bytes_at_most),
		cmocka_unit_test(a_label_has_63_bytes_at_most),
		cmocka_unit_test(domains_are_equal_exactly_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
