/*
 * Identities: what a verified token says about a person, and what userinfo may and may not add to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pam_oidc/identity.h"
#include "tests/unit/forge.h"

#define ISSUER "https://clinic.okta.example"
#define CLIENT "0oa1client"
#define SUBJECT "00u1alice"
#define NOW ((int64_t)1900000000)

static struct {
	EVP_PKEY *key;
	struct jwks *keys;
} issuer;

static const struct identity_needs no_needs;

static int make_issuer(void **state)
{
	_cleanup_free_ char *text = NULL;
	json_t *document;
	char fault[128] = "";

	(void)state;
	issuer.key = EVP_EC_gen("P-256");
	document = json_pack("{s:[o]}", "keys", forge_jwk(issuer.key, "one"));
	text = json_dumps(document, 0);
	issuer.keys = jwks_parse(text, strlen(text), fault, sizeof(fault));
	json_decref(document);
	forge_must(issuer.keys);
	return 0;
}

static int free_issuer(void **state)
{
	(void)state;
	EVP_PKEY_free(issuer.key);
	jwks_free(issuer.keys);
	return 0;
}

/* A verified token with these members besides the necessary ones; they are the text within a JSON object. */
static struct verified_token *token_with(const char *members)
{
	static const char *const alg = "ES256";
	const struct id_token_expectations expected = {
		.issuer = ISSUER,
		.client_id = CLIENT,
		.algs = &alg,
		.alg_count = 1,
		.now = NOW,
	};
	_cleanup_free_ char *payload = NULL;
	_cleanup_free_ char *compact = NULL;
	struct verified_token *token = NULL;
	char fault[ID_TOKEN_FAULT_MAX] = "";

	forge_must(asprintf(&payload,
			    "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"%s\",\"iat\":%lld,\"exp\":%lld,"
			    "\"auth_time\":%lld,\"amr\":[\"mfa\",\"otp\"]%s%s}",
			    ISSUER, SUBJECT, CLIENT, (long long)NOW, (long long)NOW + 3600, (long long)NOW - 30,
			    *members ? "," : "", members) > 0);
	compact = forge_token(issuer.key, alg, "{\"alg\":\"ES256\",\"kid\":\"one\"}", payload);
	if (id_token_verify(compact, strlen(compact), issuer.keys, &expected, &token, fault, sizeof(fault)) !=
	    ID_TOKEN_OK)
		fail_msg("the token was refused: %s", fault);
	return token;
}

static struct identity *identity_claiming(const char *members, const char *username_claim)
{
	_cleanup_verified_token_ struct verified_token *token = token_with(members);
	struct identity *identity = NULL;
	char fault[128] = "untouched";

	if (!identity_from_token(token, username_claim, &identity, fault, sizeof(fault)))
		fail_msg("no identity: %s", fault);
	assert_string_equal(fault, "untouched");
	return identity;
}

static struct identity *identity_with(const char *members)
{
	return identity_claiming(members, NULL);
}

static void assert_no_identity(const char *members, const char *username_claim, const char *expected)
{
	_cleanup_verified_token_ struct verified_token *token = token_with(members);
	struct identity *identity = NULL;
	char fault[128] = "";

	assert_false(identity_from_token(token, username_claim, &identity, fault, sizeof(fault)));
	assert_null(identity);
	if (strncmp(fault, expected, strlen(expected)) != 0)
		fail_msg("fault \"%s\" instead of \"%s\"", fault, expected);
}

/* Userinfo about the same person with these members. */
static void complete(struct identity *identity, const char *members, const char *username_claim)
{
	_cleanup_free_ char *text = NULL;
	char fault[128] = "untouched";

	forge_must(asprintf(&text, "{\"sub\":\"%s\"%s%s}", SUBJECT, *members ? "," : "", members) > 0);
	if (!identity_complete(identity, text, strlen(text), username_claim, fault, sizeof(fault)))
		fail_msg("not completed: %s", fault);
	assert_string_equal(fault, "untouched");
}

static void assert_not_completed(struct identity *identity, const char *userinfo, const char *expected)
{
	char fault[128] = "";

	assert_false(identity_complete(identity, userinfo, strlen(userinfo), NULL, fault, sizeof(fault)));
	if (strncmp(fault, expected, strlen(expected)) != 0)
		fail_msg("fault \"%s\" instead of \"%s\"", fault, expected);
	assert_null(identity->email);
	assert_false(identity->groups_known);
}

static void assert_email(const struct identity *identity, const char *email, enum email_verification verified)
{
	if (email)
		assert_string_equal(identity->email, email);
	else
		assert_null(identity->email);
	assert_int_equal(identity->email_verified, verified);
}

/* --- From the token --- */

static void a_full_token_gives_a_full_identity(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_claiming(
		"\"email\":\"alice@clinic.example\",\"email_verified\":true,\"name\":\"Alice Liddell\","
		"\"groups\":[\"Everyone\",\"Radiology\"],\"linux_name\":\"aliddell\"",
		"linux_name");
	const struct identity_needs all = { .email_verified = true, .groups = true, .username_claim = "linux_name" };

	(void)state;
	assert_string_equal(identity->issuer, ISSUER);
	assert_string_equal(identity->client_id, CLIENT);
	assert_string_equal(identity->subject, SUBJECT);
	assert_email(identity, "alice@clinic.example", EMAIL_VERIFICATION_TRUE);
	assert_null(identity->email_fault);
	assert_string_equal(identity->full_name, "Alice Liddell");
	assert_string_equal(identity->username, "aliddell");
	assert_true(identity->groups_known);
	assert_int_equal(identity->groups.count, 2);
	assert_string_equal(identity->groups.items[0], "Everyone");
	assert_string_equal(identity->groups.items[1], "Radiology");
	assert_int_equal(identity->amr.count, 2);
	assert_string_equal(identity->amr.items[0], "mfa");
	assert_string_equal(identity->amr.items[1], "otp");
	assert_int_equal(identity->auth_time, NOW - 30);
	assert_false(identity_is_thin(identity, &all));
}

static void a_thin_token_gives_an_identity_without_a_profile(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_claiming("", "linux_name");

	(void)state;
	assert_email(identity, NULL, EMAIL_VERIFICATION_ABSENT);
	assert_null(identity->full_name);
	assert_null(identity->username);
	assert_false(identity->groups_known);
	assert_int_equal(identity->groups.count, 0);
	assert_true(identity_is_thin(identity, &no_needs));
}

static void null_and_empty_claims_count_as_absent(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_claiming(
		"\"email\":\"\",\"email_verified\":null,\"name\":\"\",\"groups\":null,\"linux_name\":null",
		"linux_name");

	(void)state;
	assert_email(identity, NULL, EMAIL_VERIFICATION_ABSENT);
	assert_null(identity->email_fault);
	assert_null(identity->full_name);
	assert_null(identity->username);
	assert_false(identity->groups_known);
}

static void only_the_boolean_true_verifies_an_email(void **state)
{
	static const struct {
		const char *value;
		enum email_verification expected;
	} cases[] = {
		{ "true", EMAIL_VERIFICATION_TRUE },      { "false", EMAIL_VERIFICATION_FALSE },
		{ "\"true\"", EMAIL_VERIFICATION_FALSE }, { "1", EMAIL_VERIFICATION_FALSE },
		{ "[true]", EMAIL_VERIFICATION_FALSE },   { "null", EMAIL_VERIFICATION_ABSENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *members = NULL;
		_cleanup_identity_ struct identity *identity = NULL;

		forge_must(asprintf(&members, "\"email\":\"alice@clinic.example\",\"email_verified\":%s",
				    cases[i].value) > 0);
		identity = identity_with(members);
		assert_email(identity, "alice@clinic.example", cases[i].expected);
	}
}

static void email_verified_without_an_email_says_nothing(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("\"email_verified\":true");

	(void)state;
	assert_email(identity, NULL, EMAIL_VERIFICATION_ABSENT);
}

static void assert_email_unusable(const char *email, const char *why)
{
	_cleanup_free_ char *members = NULL;
	_cleanup_identity_ struct identity *identity = NULL;

	forge_must(asprintf(&members, "\"email\":%s,\"email_verified\":true", email) > 0);
	identity = identity_with(members);
	assert_null(identity->email);
	assert_string_equal(identity->email_fault, why);
	assert_false(identity_is_thin(identity, &no_needs));
}

static void an_email_that_is_no_line_of_text_cannot_be_used(void **state)
{
	(void)state;
	assert_email_unusable("\"alice@clinic.example\\nuid=0\"", "has control characters in it");
	assert_email_unusable("\"alice@clinic.example\\u007f\"", "has control characters in it");
	assert_email_unusable("\"alice@clinic.example\\u0085\"", "has control characters in it");
	assert_email_unusable("\"\\u202ealice@clinic.example\"", "has control characters in it");
	assert_email_unusable("\"alice@clinic.example\\udb40\\udc41\"", "has control characters in it");
	assert_email_unusable("[\"alice@clinic.example\"]", "is no string");
	assert_email_unusable("7", "is no string");
}

static void an_email_of_more_than_320_bytes_cannot_be_used(void **state)
{
	char text[IDENTITY_EMAIL_MAX + 4] = "\"";
	_cleanup_free_ char *members = NULL;
	_cleanup_identity_ struct identity *identity = NULL;

	(void)state;
	memset(text + 1, 'a', IDENTITY_EMAIL_MAX);
	text[IDENTITY_EMAIL_MAX + 1] = '"';
	forge_must(asprintf(&members, "\"email\":%s", text) > 0);
	identity = identity_with(members);
	assert_int_equal(strlen(identity->email), IDENTITY_EMAIL_MAX);
	text[IDENTITY_EMAIL_MAX + 1] = 'a';
	text[IDENTITY_EMAIL_MAX + 2] = '"';
	assert_email_unusable(text, "is too long");
}

static void an_email_outside_ASCII_is_kept_for_admission_to_judge(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("\"email\":\"\xc3\xa4lice@clinic.example\"");

	(void)state;
	assert_email(identity, "\xc3\xa4lice@clinic.example", EMAIL_VERIFICATION_ABSENT);
}

static void assert_full_name(const char *json, const char *expected)
{
	_cleanup_free_ char *members = NULL;
	_cleanup_identity_ struct identity *identity = NULL;

	forge_must(asprintf(&members, "\"name\":%s", json) > 0);
	identity = identity_with(members);
	if (expected)
		assert_string_equal(identity->full_name, expected);
	else
		assert_null(identity->full_name);
}

static void a_full_name_becomes_one_clean_line(void **state)
{
	(void)state;
	assert_full_name("\"Alice Liddell\"", "Alice Liddell");
	assert_full_name("\"  Alice\\n\\t Liddell \"", "Alice Liddell");
	assert_full_name("\"Alice\\u001b[31m\"", "Alice [31m");
	assert_full_name("\"Al\\u009bice\"", "Al ice");
	assert_full_name("\"\\u202eecilA\\u2069\"", "ecilA");
	assert_full_name("\"Zo\xc3\xab \xe6\x84\x9b \xf0\x9f\x98\x80\"", "Zo\xc3\xab \xe6\x84\x9b \xf0\x9f\x98\x80");
	assert_full_name("\"\\n\\u2028 \"", NULL);
	assert_full_name("7", NULL);
}

static void a_long_name_is_cut_between_two_characters(void **state)
{
	char json[IDENTITY_NAME_MAX + 64] = "\"x";
	char expected[IDENTITY_NAME_MAX + 1] = "x";

	(void)state;
	/* 1 + 127 * 2 = 255 bytes; the next character would need two and there is room for one. */
	for (int i = 0; i < 140; i++)
		strcat(json, "\xc3\xab");
	strcat(json, "\"");
	for (int i = 0; i < 127; i++)
		strcat(expected, "\xc3\xab");
	assert_full_name(json, expected);
}

static void a_name_of_exactly_256_bytes_is_kept_whole(void **state)
{
	char json[IDENTITY_NAME_MAX + 4] = "\"";
	char expected[IDENTITY_NAME_MAX + 1] = "";

	(void)state;
	memset(expected, 'x', IDENTITY_NAME_MAX);
	memset(json + 1, 'x', IDENTITY_NAME_MAX);
	json[IDENTITY_NAME_MAX + 1] = '"';
	assert_full_name(json, expected);
	json[IDENTITY_NAME_MAX - 1] = ' ';
	expected[IDENTITY_NAME_MAX - 2] = ' ';
	assert_full_name(json, expected);
}

static void groups_absent_and_empty_are_different(void **state)
{
	_cleanup_identity_ struct identity *absent = identity_with("");
	_cleanup_identity_ struct identity *empty = identity_with("\"groups\":[]");
	const struct identity_needs groups = { .groups = true };

	(void)state;
	assert_false(absent->groups_known);
	assert_true(empty->groups_known);
	assert_int_equal(empty->groups.count, 0);
	complete(absent, "\"email\":\"alice@clinic.example\"", NULL);
	complete(empty, "\"email\":\"alice@clinic.example\"", NULL);
	assert_true(identity_is_thin(absent, &groups));
	assert_false(identity_is_thin(empty, &groups));
}

static void groups_that_are_no_strings_are_refused(void **state)
{
	(void)state;
	assert_no_identity("\"groups\":\"Everyone\"", NULL, "groups: is no array of at most 1000 strings");
	assert_no_identity("\"groups\":[\"Everyone\",1]", NULL, "groups: is no array of at most 1000 strings");
	assert_no_identity("\"groups\":{\"a\":1}", NULL, "groups: is no array of at most 1000 strings");
}

static void groups_that_no_configuration_can_name_are_left_out(void **state)
{
	char members[2 * IDENTITY_GROUP_MAX + 64] = "\"groups\":[\"\",\"a\\nb\",\"ok\",\"";
	_cleanup_identity_ struct identity *identity = NULL;
	size_t length = strlen(members);

	(void)state;
	memset(members + length, 'x', IDENTITY_GROUP_MAX + 1);
	strcat(members, "\"]");
	identity = identity_with(members);
	assert_true(identity->groups_known);
	assert_int_equal(identity->groups.count, 1);
	assert_string_equal(identity->groups.items[0], "ok");
}

/* "groups":[...] with this many names of this length; the caller frees it. */
static char *many_groups(size_t count, size_t length)
{
	char *members = malloc(count * (length + 3) + 16);
	char *end = members;

	forge_must(members);
	end = stpcpy(end, "\"groups\":[");
	for (size_t i = 0; i < count; i++) {
		*end++ = i > 0 ? ',' : ' ';
		*end++ = '"';
		memset(end, 'g', length);
		end += length;
		*end++ = '"';
	}
	strcpy(end, "]");
	return members;
}

static void five_hundred_groups_are_fine(void **state)
{
	_cleanup_free_ char *members = many_groups(500, 60);
	_cleanup_identity_ struct identity *identity = identity_with(members);

	(void)state;
	assert_int_equal(identity->groups.count, 500);
}

static void more_than_1000_groups_are_refused(void **state)
{
	_cleanup_free_ char *fitting = many_groups(IDENTITY_GROUPS_MAX, 10);
	_cleanup_free_ char *more = many_groups(IDENTITY_GROUPS_MAX + 1, 10);
	_cleanup_identity_ struct identity *identity = identity_with(fitting);

	(void)state;
	assert_int_equal(identity->groups.count, IDENTITY_GROUPS_MAX);
	assert_no_identity(more, NULL, "groups: is no array of at most 1000 strings");
}

static void groups_that_no_message_can_hold_are_refused(void **state)
{
	/* 192 names of 255 bytes and a separator are exactly 48 KiB, and too large for a token: userinfo brings them.
	 */
	_cleanup_free_ char *fitting = many_groups(192, 255);
	_cleanup_free_ char *more = many_groups(193, 255);
	_cleanup_free_ char *userinfo = NULL;
	_cleanup_identity_ struct identity *identity = identity_with("");

	(void)state;
	forge_must(asprintf(&userinfo, "{\"sub\":\"%s\",%s}", SUBJECT, more) > 0);
	assert_not_completed(identity, userinfo, "groups: the names are longer than 49152 bytes together");
	complete(identity, fitting, NULL);
	assert_int_equal(identity->groups.count, 192);
}

static void a_username_claim_that_is_no_line_of_text_is_refused(void **state)
{
	char members[IDENTITY_USERNAME_MAX + 32] = "\"linux_name\":\"";
	size_t length = strlen(members);
	_cleanup_identity_ struct identity *identity = NULL;

	(void)state;
	assert_no_identity("\"linux_name\":7", "linux_name", "linux_name: is no string of at most 255 bytes");
	assert_no_identity("\"linux_name\":\"a\\nb\"", "linux_name", "linux_name: is no string of at most 255 bytes");
	memset(members + length, 'x', IDENTITY_USERNAME_MAX);
	strcat(members, "\"");
	identity = identity_claiming(members, "linux_name");
	assert_int_equal(strlen(identity->username), IDENTITY_USERNAME_MAX);
	strcpy(members + strlen(members) - 1, "x\"");
	assert_no_identity(members, "linux_name", "linux_name: is no string of at most 255 bytes");
}

static void a_username_claim_is_read_only_where_it_is_configured(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("\"linux_name\":7");

	(void)state;
	assert_null(identity->username);
}

/* --- Thinness --- */

static void what_is_needed_and_missing_makes_an_identity_thin(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("\"email\":\"alice@clinic.example\"");
	const struct identity_needs verified = { .email_verified = true };
	const struct identity_needs groups = { .groups = true };
	const struct identity_needs claim = { .username_claim = "linux_name" };

	(void)state;
	assert_false(identity_is_thin(identity, &no_needs));
	assert_true(identity_is_thin(identity, &verified));
	assert_true(identity_is_thin(identity, &groups));
	assert_true(identity_is_thin(identity, &claim));
	identity->email_verified = EMAIL_VERIFICATION_FALSE;
	assert_false(identity_is_thin(identity, &verified));
}

/* --- Completing --- */

static void userinfo_fills_a_thin_token(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_claiming("", "linux_name");

	(void)state;
	complete(identity,
		 "\"email\":\"alice@clinic.example\",\"email_verified\":true,\"name\":\"Alice\",\"groups\":["
		 "\"Radiology\"],"
		 "\"linux_name\":\"aliddell\"",
		 "linux_name");
	assert_email(identity, "alice@clinic.example", EMAIL_VERIFICATION_TRUE);
	assert_string_equal(identity->full_name, "Alice");
	assert_string_equal(identity->username, "aliddell");
	assert_true(identity->groups_known);
	assert_int_equal(identity->groups.count, 1);
	assert_string_equal(identity->subject, SUBJECT);
	assert_int_equal(identity->amr.count, 2);
}

static void userinfo_does_not_replace_what_the_token_says(void **state)
{
	_cleanup_identity_ struct identity *identity =
		identity_claiming("\"email\":\"alice@clinic.example\",\"email_verified\":false,\"name\":\"Alice\","
				  "\"groups\":[\"Radiology\"],\"linux_name\":\"aliddell\"",
				  "linux_name");

	(void)state;
	complete(
		identity,
		"\"email\":\"mallory@evil.example\",\"email_verified\":true,\"name\":\"Mallory\",\"groups\":[\"sudo\"],"
		"\"linux_name\":\"root\",\"amr\":[\"hwk\"],\"auth_time\":1",
		"linux_name");
	assert_email(identity, "alice@clinic.example", EMAIL_VERIFICATION_FALSE);
	assert_string_equal(identity->full_name, "Alice");
	assert_string_equal(identity->username, "aliddell");
	assert_int_equal(identity->groups.count, 1);
	assert_string_equal(identity->groups.items[0], "Radiology");
	assert_int_equal(identity->amr.count, 2);
	assert_int_equal(identity->auth_time, NOW - 30);
}

static void an_empty_group_list_of_the_token_is_not_filled(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("\"groups\":[]");

	(void)state;
	complete(identity, "\"groups\":[\"sudo\"]", NULL);
	assert_int_equal(identity->groups.count, 0);
}

static void userinfo_without_a_verdict_does_not_lend_the_token_one(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("\"email\":\"alice@clinic.example\"");

	(void)state;
	complete(identity, "\"email_verified\":true", NULL);
	assert_email(identity, "alice@clinic.example", EMAIL_VERIFICATION_ABSENT);
	complete(identity, "\"email\":\"mallory@evil.example\"", NULL);
	assert_email(identity, "alice@clinic.example", EMAIL_VERIFICATION_ABSENT);
	complete(identity, "\"email\":\"a\\nb\",\"email_verified\":true", NULL);
	assert_email(identity, "alice@clinic.example", EMAIL_VERIFICATION_ABSENT);
	assert_null(identity->email_fault);
}

static void the_tokens_verdict_is_not_lent_to_userinfos_email(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("\"email_verified\":true");

	(void)state;
	complete(identity, "\"email\":\"mallory@evil.example\"", NULL);
	assert_email(identity, "mallory@evil.example", EMAIL_VERIFICATION_ABSENT);
}

static void a_whole_pair_of_userinfo_replaces_half_a_pair_of_the_token(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("\"email\":\"old@clinic.example\"");

	(void)state;
	complete(identity, "\"email\":\"new@clinic.example\",\"email_verified\":false", NULL);
	assert_email(identity, "new@clinic.example", EMAIL_VERIFICATION_FALSE);
}

static void an_unusable_email_of_the_token_is_not_replaced(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("\"email\":\"a\\nb\"");

	(void)state;
	complete(identity, "\"email\":\"alice@clinic.example\",\"email_verified\":true", NULL);
	assert_null(identity->email);
	assert_string_equal(identity->email_fault, "has control characters in it");
}

static void an_unusable_email_of_userinfo_is_reported(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("");

	(void)state;
	complete(identity, "\"email\":7", NULL);
	assert_null(identity->email);
	assert_string_equal(identity->email_fault, "is no string");
}

static void userinfo_about_somebody_else_is_refused(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("");

	(void)state;
	assert_not_completed(identity, "{\"sub\":\"00u2bob\",\"email\":\"bob@clinic.example\",\"groups\":[]}",
			     "userinfo's sub is not the ID token's");
	assert_not_completed(identity, "{\"sub\":\"" SUBJECT " \",\"email\":\"bob@clinic.example\"}",
			     "userinfo's sub is not the ID token's");
	assert_not_completed(identity, "{\"sub\":\"\",\"email\":\"bob@clinic.example\"}",
			     "userinfo's sub is not the ID token's");
}

static void userinfo_about_nobody_is_refused(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("");

	(void)state;
	assert_not_completed(identity, "{\"email\":\"bob@clinic.example\"}", "userinfo's sub is missing or no string");
	assert_not_completed(identity, "{\"sub\":1,\"email\":\"bob@clinic.example\"}",
			     "userinfo's sub is missing or no string");
}

static void userinfo_that_is_no_strict_JSON_is_refused(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("");

	(void)state;
	assert_not_completed(identity, "<html>", "userinfo is not JSON");
	assert_not_completed(identity, "{\"sub\":\"00u2bob\",\"sub\":\"" SUBJECT "\"}", "userinfo has a member twice");
	assert_not_completed(identity, "{\"sub\":\"" SUBJECT "\\u0000\"}", "userinfo has a NUL character in a string");
}

static void userinfo_that_is_too_large_is_refused(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("");
	_cleanup_free_ char *text = malloc(USERINFO_SIZE_MAX + 2);

	(void)state;
	forge_must(text);
	memset(text, ' ', USERINFO_SIZE_MAX + 1);
	text[USERINFO_SIZE_MAX + 1] = '\0';
	assert_not_completed(identity, text, "userinfo is larger than 262144 bytes");
	text[USERINFO_SIZE_MAX] = '\0';
	assert_not_completed(identity, text, "userinfo is cut off");
}

static void half_good_userinfo_changes_nothing(void **state)
{
	_cleanup_identity_ struct identity *identity = identity_with("");

	(void)state;
	assert_not_completed(identity,
			     "{\"sub\":\"" SUBJECT "\",\"email\":\"alice@clinic.example\",\"groups\":\"Everyone\"}",
			     "groups: is no array of at most 1000 strings");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_token_gives_a_full_identity),
		cmocka_unit_test(a_thin_token_gives_an_identity_without_a_profile),
		cmocka_unit_test(null_and_empty_claims_count_as_absent),
		cmocka_unit_test(only_the_boolean_true_verifies_an_email),
		cmocka_unit_test(email_verified_without_an_email_says_nothing),
		cmocka_unit_test(an_email_that_is_no_line_of_text_cannot_be_used),
		cmocka_unit_test(an_email_of_more_than_320_bytes_cannot_be_used),
		cmocka_unit_test(an_email_outside_ASCII_is_kept_for_admission_to_judge),
		cmocka_unit_test(a_full_name_becomes_one_clean_line),
		cmocka_unit_test(a_long_name_is_cut_between_two_characters),
		cmocka_unit_test(a_name_of_exactly_256_bytes_is_kept_whole),
		cmocka_unit_test(groups_absent_and_empty_are_different),
		cmocka_unit_test(groups_that_are_no_strings_are_refused),
		cmocka_unit_test(groups_that_no_configuration_can_name_are_left_out),
		cmocka_unit_test(five_hundred_groups_are_fine),
		cmocka_unit_test(more_than_1000_groups_are_refused),
		cmocka_unit_test(groups_that_no_message_can_hold_are_refused),
		cmocka_unit_test(a_username_claim_that_is_no_line_of_text_is_refused),
		cmocka_unit_test(a_username_claim_is_read_only_where_it_is_configured),
		cmocka_unit_test(what_is_needed_and_missing_makes_an_identity_thin),
		cmocka_unit_test(userinfo_fills_a_thin_token),
		cmocka_unit_test(userinfo_does_not_replace_what_the_token_says),
		cmocka_unit_test(an_empty_group_list_of_the_token_is_not_filled),
		cmocka_unit_test(userinfo_without_a_verdict_does_not_lend_the_token_one),
		cmocka_unit_test(the_tokens_verdict_is_not_lent_to_userinfos_email),
		cmocka_unit_test(a_whole_pair_of_userinfo_replaces_half_a_pair_of_the_token),
		cmocka_unit_test(an_unusable_email_of_the_token_is_not_replaced),
		cmocka_unit_test(an_unusable_email_of_userinfo_is_reported),
		cmocka_unit_test(userinfo_about_somebody_else_is_refused),
		cmocka_unit_test(userinfo_about_nobody_is_refused),
		cmocka_unit_test(userinfo_that_is_no_strict_JSON_is_refused),
		cmocka_unit_test(userinfo_that_is_too_large_is_refused),
		cmocka_unit_test(half_good_userinfo_changes_nothing),
	};

	return cmocka_run_group_tests(tests, make_issuer, free_issuer);
}
