/*
 * Discovery documents: the issuer must be the configured one to the letter, and nothing but https is ever followed.
 */
#include "pam_oidc/discovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ISSUER "https://clinic.okta.com/oauth2/default"

static char fault[512];

static struct discovery *parse(const char *json)
{
	struct discovery *discovery = NULL;

	fault[0] = '\0';
	if (discovery_parse(json, strlen(json), ISSUER, &discovery, fault, sizeof(fault)) != DISCOVERY_GOOD) {
		assert_null(discovery);
		assert_string_not_equal(fault, "");
	}
	return discovery;
}

/* A good document in which one member is this JSON instead; a NULL value leaves it out. */
static struct discovery *parse_replaced(const char *name, const char *value)
{
	static const char *const members[][2] = {
		{ "issuer", "\"" ISSUER "\"" },
		{ "device_authorization_endpoint", "\"" ISSUER "/v1/device/authorize\"" },
		{ "token_endpoint", "\"" ISSUER "/v1/token\"" },
		{ "jwks_uri", "\"" ISSUER "/v1/keys\"" },
		{ "userinfo_endpoint", "\"" ISSUER "/v1/userinfo\"" },
	};
	char json[8192] = "{\"extra\":[1]";

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *text = strcmp(members[i][0], name) == 0 ? value : members[i][1];
		size_t used = strlen(json);

		if (text)
			(void)snprintf(json + used, sizeof(json) - used, ",\"%s\":%s", members[i][0], text);
	}
	strcat(json, "}");
	return parse(json);
}

static void refused(const char *name, const char *value, const char *complaint)
{
	struct discovery *discovery = parse_replaced(name, value);

	if (discovery || !strstr(fault, complaint))
		fail_msg("%s = %s: %s, fault: %s", name, value ? value : "(absent)", discovery ? "taken" : "refused",
			 fault);
}

static void endpoints_are_taken_as_they_stand(void **state)
{
	struct discovery *discovery =
		parse_replaced("token_endpoint", "\"https://elsewhere.example//oauth2//token?x=y\"");

	(void)state;
	assert_non_null(discovery);
	assert_string_equal(discovery->device_authorization_endpoint, ISSUER "/v1/device/authorize");
	assert_string_equal(discovery->token_endpoint, "https://elsewhere.example//oauth2//token?x=y");
	assert_string_equal(discovery->jwks_uri, ISSUER "/v1/keys");
	assert_string_equal(discovery->userinfo_endpoint, ISSUER "/v1/userinfo");
	discovery_free(discovery);
	discovery_free(NULL);
}

static void the_issuer_must_be_the_same_to_the_letter(void **state)
{
	static const char *const bad[] = {
		"\"https://clinic.okta.com/oauth2/default/\"",
		"\"https://clinic.okta.com\"",
		"\"https://clinic.okta.com/oauth2/Default\"",
		"\"https://Clinic.okta.com/oauth2/default\"",
		"\"http://clinic.okta.com/oauth2/default\"",
		"\"https://clinic.okta.com:443/oauth2/default\"",
		"\"https://evil.example/oauth2/default\"",
		"\"\"",
		"null",
		"[\"https://clinic.okta.com/oauth2/default\"]",
		NULL,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused("issuer", bad[i], "must say the same, letter for letter");
}

static void an_endpoint_that_is_not_https_is_refused(void **state)
{
	static const char *const names[] = { "device_authorization_endpoint", "token_endpoint", "jwks_uri",
					     "userinfo_endpoint" };
	static const char *const bad[] = {
		"\"http://clinic.okta.com/x\"",
		"\"file:///etc/shadow\"",
		"\"ftp://clinic.okta.com/x\"",
		"\"gopher://127.0.0.1:25/x\"",
		"\"/oauth2/v1/keys\"",
		"\"clinic.okta.com/x\"",
		"\"\"",
		"\"https://\"",
		"\"https:///x\"",
		"\"https://u@clinic.okta.com/\"",
		"\"https://u:p@evil.example/\"",
		"\"https://clinic.okta.com/#x\"",
		"\"https://clinic.okta.com/\\n\"",
		"\"https://clinic.okta.com/a b\"",
		"\"https://cl\\u00efnic.okta.com/\"",
		"\"https://clinic.okta.com/{a,b}\"",
		"\"https://clinic.okta.com\\\\@evil.example\"",
	};

	(void)state;
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			refused(names[n], bad[i], "is no https URL");
}

static void an_endpoint_that_is_missing_is_named(void **state)
{
	(void)state;
	refused("device_authorization_endpoint", NULL, "Device Authorization");
	refused("token_endpoint", NULL, "lacks token_endpoint");
	refused("jwks_uri", NULL, "lacks jwks_uri");
	refused("jwks_uri", "null", "lacks jwks_uri");
	refused("jwks_uri", "[\"" ISSUER "/v1/keys\"]", "lacks jwks_uri");
	refused("userinfo_endpoint", "7", "lacks userinfo_endpoint");
}

static void userinfo_may_be_missing(void **state)
{
	struct discovery *discovery = parse_replaced("userinfo_endpoint", NULL);

	(void)state;
	assert_non_null(discovery);
	assert_null(discovery->userinfo_endpoint);
	discovery_free(discovery);
}

static void a_host_is_read_in_one_way_only(void **state)
{
	static const char *const good[] = { "https://a",       "https://a.b-c_d.example:443/x", "https://127.0.0.1:1",
					    "https://[::1]/x", "https://[2001:db8::1]:65535?x", "https://a?x=@:%41",
					    "https://a/%41@:" };
	static const char *const bad[] = { "https://a%2eb/", "https://a%00.b/", "https://a:1:2/", "https://a:/",
					   "https://a:0/",   "https://a:65536", "https://a:x/",   "https://a:000443/",
					   "https://:443/",  "https://[::1/",   "https://[::1]x", "https://[::1]:",
					   "https://[a@b]/", "https://a,b/",    "https://a;b/",   "https://a&b/",
					   "https://a=b/",   "https://a!b/",    "https://$a/",    "https://(a)/",
					   "https://a*/",    "https://'a'/",    "https://a+b/",   "https://a~b/",
					   "https://[]@b/",  "https://[",       "https://]/" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!https_url_ok(good[i], 100))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (https_url_ok(bad[i], 100))
			fail_msg("%s is taken", bad[i]);
}

static void origins_are_host_and_port(void **state)
{
	(void)state;
	assert_true(https_url_same_origin("https://a.example/x", "https://A.example?y"));
	assert_true(https_url_same_origin("https://a.example:8443", "https://a.example:8443/"));
	assert_false(https_url_same_origin("https://a.example/", "https://a.example.evil/"));
	assert_false(https_url_same_origin("https://a.example/", "https://a.example:8443/"));
	assert_false(https_url_same_origin("https://a.example/", "https://b.example/a.example"));
}

static void a_url_has_a_longest_length(void **state)
{
	(void)state;
	assert_true(https_url_ok("https://a/b", 11));
	assert_false(https_url_ok("https://a/b", 10));
	assert_true(https_url_ok("https://[2001:db8::1]:8443/x", 100));
	assert_true(https_url_ok("https://a/@b", 100));
	assert_false(https_url_ok("", 100));
}

static void what_is_no_json_object_is_refused(void **state)
{
	static const char *const bad[] = {
		"",       "null", "[]",
		"<html>", "{",    "{\"issuer\":\"a\",\"issuer\":\"https://clinic.okta.com/oauth2/default\"}"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(parse(bad[i]));
		assert_non_null(strstr(fault, "discovery document"));
	}
}

static void the_documents_place_is_built_from_issuer_and_client(void **state)
{
	static const struct {
		const char *issuer, *client_id, *url;
	} rows[] = {
		{ "https://clinic.okta.com", "0oa1b2c3",
		  "https://clinic.okta.com/.well-known/openid-configuration?client_id=0oa1b2c3" },
		{ ISSUER, "0oa1b2c3", ISSUER "/.well-known/openid-configuration?client_id=0oa1b2c3" },
		{ "https://clinic.example/", "a",
		  "https://clinic.example/.well-known/openid-configuration?client_id=a" },
		{ "https://clinic.example", "a&b=c#d",
		  "https://clinic.example/.well-known/openid-configuration?client_id=a%26b%3Dc%23d" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *url = discovery_url(rows[i].issuer, rows[i].client_id);

		assert_non_null(url);
		assert_string_equal(url, rows[i].url);
		free(url);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_are_taken_as_they_stand),
		cmocka_unit_test(the_issuer_must_be_the_same_to_the_letter),
		cmocka_unit_test(an_endpoint_that_is_not_https_is_refused),
		cmocka_unit_test(an_endpoint_that_is_missing_is_named),
		cmocka_unit_test(userinfo_may_be_missing),
		cmocka_unit_test(a_host_is_read_in_one_way_only),
		cmocka_unit_test(origins_are_host_and_port),
		cmocka_unit_test(a_url_has_a_longest_length),
		cmocka_unit_test(what_is_no_json_object_is_refused),
		cmocka_unit_test(the_documents_place_is_built_from_issuer_and_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
