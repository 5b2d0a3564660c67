/*
 * Tests what setup makes of answers: which are taken, and what people read about the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "provisiond/ctl/setup/company.h"

static void takes(judge_answer *judge, const char *text, const char *expected)
{
	char value[COMPANY_VALUE_MAX] = "untouched", fault[COMPANY_FAULT_MAX] = "";

	if (!judge(text, value, fault))
		fail_msg("\"%s\" was refused: %s", text, fault);
	assert_string_equal(value, expected);
}

static void refuses(judge_answer *judge, const char *text, const char *saying)
{
	char value[COMPANY_VALUE_MAX] = "untouched", fault[COMPANY_FAULT_MAX] = "";

	if (judge(text, value, fault))
		fail_msg("\"%s\" was taken", text);
	if (!strstr(fault, saying))
		fail_msg("\"%s\" was refused with: %s", text, fault);
	assert_string_equal(value, "untouched");
}

static void issuers_and_domains_of_okta_are_taken_as_they_are_shown(void **state)
{
	(void)state;
	takes(judge_issuer, "https://clinic.okta.com", "https://clinic.okta.com");
	takes(judge_issuer, "https://clinic.okta.com/oauth2/default", "https://clinic.okta.com/oauth2/default");
	takes(judge_issuer, "https://login.clinic.example:8443/tenant/", "https://login.clinic.example:8443/tenant/");
	takes(judge_issuer, "https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443");
	takes(judge_org, "clinic.okta.com", "clinic.okta.com");
	takes(judge_org, "clinic.okta.com:8443", "clinic.okta.com:8443");
	takes(judge_org, "localhost:8443", "localhost:8443");
	takes(judge_either, "clinic.okta.com", "clinic.okta.com");
	takes(judge_either, "https://clinic.okta.com", "https://clinic.okta.com");
}

static void what_is_copied_from_the_wrong_place_is_named(void **state)
{
	(void)state;
	refuses(judge_either, "clinic-admin.okta.com", "without \"-admin\": clinic.okta.com");
	refuses(judge_either, "https://clinic-admin.oktapreview.com", "without \"-admin\": clinic.oktapreview.com");
	refuses(judge_either, "https://clinic.okta.com/.well-known/openid-configuration",
		"the issuer is https://clinic.okta.com");
	refuses(judge_either, "https://clinic.okta.com/", "do not end with a slash: https://clinic.okta.com");
	refuses(judge_either, "http://clinic.okta.com", "begins with https://");
	refuses(judge_either, "alice@clinic.example", "is an email address");
	refuses(judge_either, "clinic.okta.com/oauth2/default", "begins with https://");
	refuses(judge_org, "https://clinic.okta.com", "is a URL");
	refuses(judge_org, "clinic", "looks like clinic.okta.com");
	refuses(judge_issuer, "clinic.okta.com", "--org");
	refuses(judge_client_id, "https://clinic.okta.com/app/0oa1", "that is a URL");
}

static void no_host_name_is_no_issuer(void **state)
{
	static const char *const bad[] = { "https://",         "https:///oauth2", "https://-x.example",
					   "https://.example", "https://a b",     "https://a:",
					   "https://a:123456", "https://a:12x",   "https://user@a.example",
					   "https://a?b",      "https://a#b",     "https://[::1",
					   "https://[]",       "https://a\\b" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses(judge_issuer, bad[i], "");
	refuses(judge_org, "a_b.example", "no host name");
	refuses(judge_org, "[::1", "no host name");
}

static void placeholders_and_invisible_bytes_are_no_answer(void **state)
{
	char too_long[COMPANY_VALUE_MAX + 64];

	(void)state;
	refuses(judge_org, "${yourOktaDomain}", "documentation");
	refuses(judge_client_id, "<Client ID>", "documentation");
	refuses(judge_client_id, "", "is missing");
	refuses(judge_client_id,
		"0oa1\xe2\x80\x8b"
		"23",
		"copied along");
	refuses(judge_client_id, "0oa1\x1b[31m", "copied along");
	refuses(judge_client_id, "\"0oa1\"", "quotation marks");
	memset(too_long, 'a', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	refuses(judge_client_id, too_long, "too long");
	refuses(judge_domains, too_long, "too long");
	refuses(judge_tenant, too_long, "1 to 32");
	takes(judge_client_id, "0oa1abcdefGHIJKLM2p7", "0oa1abcdefGHIJKLM2p7");
	takes(judge_client_id, "clinic basic:2+", "clinic basic:2+");
}

static void domains_are_a_list_in_lower_case(void **state)
{
	(void)state;
	takes(judge_domains, "clinic.example", "clinic.example");
	takes(judge_domains, " Clinic.Example,  lab.example ward.clinic.example,",
	      "clinic.example, lab.example, ward.clinic.example");
	refuses(judge_domains, "alice@clinic.example", "behind the @: clinic.example");
	refuses(judge_domains, "@clinic.example", "behind the @: clinic.example");
	refuses(judge_domains, "*.clinic.example", "pattern");
	refuses(judge_domains, "clinic.okta.com", "domain at Okta");
	refuses(judge_domains, "clinic", "no email domain");
	refuses(judge_domains, "clinic.example CLINIC.example", "twice");
	refuses(judge_domains, " , ", "missing");
}

static void a_long_list_of_domains_is_cut_nowhere(void **state)
{
	char list[COMPANY_VALUE_MAX] = "";

	(void)state;
	for (int i = 0; i < 63; i++)
		(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%sd%03d.clinic.exa", i ? "," : "", i);
	/* With a blank behind each comma it is longer than what fits. */
	refuses(judge_domains, list, "too long");
}

static void other_values_are_judged_by_their_words(void **state)
{
	enum client_auth auth = CLIENT_AUTH_NONE;

	(void)state;
	takes(judge_scopes, "openid profile email groups", "openid profile email groups");
	refuses(judge_scopes, "profile email", "openid must be among them");
	refuses(judge_scopes, "openid,email", "separated by blanks");
	refuses(judge_scopes, "openidx", "openid must be among them");
	takes(judge_ca_file, "/etc/ssl/ca.pem", "/etc/ssl/ca.pem");
	refuses(judge_ca_file, "ca.pem", "absolute");
	takes(judge_email_verified, "if-present", "if-present");
	refuses(judge_email_verified, "yes", "none of");
	takes(judge_tenant, "clinic", "clinic");
	refuses(judge_tenant, "Clinic", "cannot be");
	refuses(judge_tenant, "3m", "cannot be");
	refuses(judge_tenant, "a.b", "cannot be");
	assert_true(client_auth_from_word("private_key_jwt", &auth));
	assert_int_equal(auth, CLIENT_AUTH_PRIVATE_KEY_JWT);
	assert_false(client_auth_from_word("secret", &auth));
	assert_string_equal(client_auth_word(CLIENT_AUTH_POST), "post");
	assert_string_equal(client_auth_needs(CLIENT_AUTH_POST), "secret");
	assert_null(client_auth_needs(CLIENT_AUTH_NONE));
}

static void a_tenant_is_called_like_its_first_domain(void **state)
{
	char name[COMPANY_VALUE_MAX];

	(void)state;
	tenant_name_for("Clinic.example, lab.example", name);
	assert_string_equal(name, "clinic");
	tenant_name_for("3m.example", name);
	assert_string_equal(name, "company");
	tenant_name_for("a-very-long-name-that-no-tenant-can-have.example", name);
	assert_string_equal(name, "company");
	first_domain("clinic.example, lab.example", name);
	assert_string_equal(name, "clinic.example");
}

static void judge_bytes(bool (*judge)(const struct secret *, char *), const char *bytes, size_t length,
			const char *saying)
{
	_cleanup_secret_ struct secret secret = { 0 };
	char fault[COMPANY_FAULT_MAX] = "";
	bool good;

	assert_int_equal(secret_from_bytes(bytes, length, &secret), 0);
	good = judge(&secret, fault);
	if (good != (saying == NULL) || (saying && !strstr(fault, saying)))
		fail_msg("%s: %s", good ? "taken" : "refused", fault);
	if (strlen(bytes) > 10 && strstr(fault, bytes))
		fail_msg("the sentence shows the secret: %s", fault);
}

static void secrets_and_keys_are_told_apart_and_never_shown(void **state)
{
	static const char key[] = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n";

	(void)state;
	judge_bytes(judge_client_secret, "basic-secret-0123456789", 23, NULL);
	judge_bytes(judge_client_secret, "a+b c%d:e/f=g&h?i~\xc3\xbc", 20, NULL);
	judge_bytes(judge_client_secret, "", 0, "empty");
	judge_bytes(judge_client_secret, "first-line-of-it-01234\nsecond", 29, "one line");
	judge_bytes(judge_client_secret, "with\0nul", 8, "one line");
	judge_bytes(judge_client_secret, key, strlen(key), "one line");
	judge_bytes(judge_client_secret, "<client secret>", 15, "placeholder");
	judge_bytes(judge_private_key, key, strlen(key), NULL);
	judge_bytes(judge_private_key, "basic-secret-0123456789", 23, "no private key");
	judge_bytes(judge_private_key, "{\"kty\":\"RSA\"}", 13, "choose PEM");
	judge_bytes(judge_private_key, "-----BEGIN PUBLIC KEY-----\n", 27, "public half");
	judge_bytes(judge_private_key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", 38, "passphrase");
	judge_bytes(judge_private_key, "x\0-----BEGIN PRIVATE KEY-----", 29, "no text");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issuers_and_domains_of_okta_are_taken_as_they_are_shown),
		cmocka_unit_test(what_is_copied_from_the_wrong_place_is_named),
		cmocka_unit_test(no_host_name_is_no_issuer),
		cmocka_unit_test(placeholders_and_invisible_bytes_are_no_answer),
		cmocka_unit_test(domains_are_a_list_in_lower_case),
		cmocka_unit_test(a_long_list_of_domains_is_cut_nowhere),
		cmocka_unit_test(other_values_are_judged_by_their_words),
		cmocka_unit_test(a_tenant_is_called_like_its_first_domain),
		cmocka_unit_test(secrets_and_keys_are_told_apart_and_never_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
