/*
 * Every fault between this machine and Okta leads to a page, a field or a key.
 */
#include "pam_oidc/okta_remedy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_remedy_is_one_line_of_plain_text(void **state)
{
	(void)state;
	assert_null(okta_remedy(REMEDY_NONE));
	for (enum remedy remedy = REMEDY_NONE + 1; remedy < REMEDY_COUNT; remedy++) {
		const char *sentence = okta_remedy(remedy);

		assert_non_null(sentence);
		assert_in_range(strlen(sentence), 20, 500);
		assert_int_equal(sentence[strlen(sentence) - 1], '.');
		for (size_t i = 0; sentence[i]; i++)
			assert_true(sentence[i] >= ' ' && sentence[i] < 0x7f);
		for (enum remedy other = remedy + 1; other < REMEDY_COUNT; other++)
			assert_string_not_equal(sentence, okta_remedy(other));
	}
}

static void every_trouble_on_the_way_has_one(void **state)
{
	(void)state;
	assert_int_equal(remedy_for_trouble(HTTP_TROUBLE_NONE), REMEDY_NONE);
	for (enum http_trouble trouble = HTTP_TROUBLE_NONE + 1; trouble < HTTP_TROUBLE_COUNT; trouble++)
		assert_int_not_equal(remedy_for_trouble(trouble), REMEDY_NONE);
}

static void an_answer_is_judged_by_its_status_first(void **state)
{
	static const struct {
		struct endpoint_answer answer;
		enum remedy remedy;
	} rows[] = {
		/* Okta's rate limit says invalid_grant. */
		{ { true, 429, "invalid_grant", "API call exceeded rate limit due to too many requests.", 0, 0 },
		  REMEDY_RATE_LIMIT },
		{ { true, 400, "too_many_user_codes", NULL, 0, 0 }, REMEDY_RATE_LIMIT },
		{ { true, 401, "invalid_client", "Invalid value for 'client_id' parameter.", 0, 0 }, REMEDY_CLIENT_ID },
		{ { true, 401, "invalid_client", "No client credentials found.", 0, 0 }, REMEDY_CLIENT_SECRET },
		{ { true, 401, "invalid_client", NULL, 0, 0 }, REMEDY_CLIENT_SECRET },
		{ { true, 400, "unauthorized_client", "The client is not authorized to use the provided grant type.", 0,
		    0 },
		  REMEDY_DEVICE_GRANT },
		{ { true, 400, "unsupported_grant_type", NULL, 0, 0 }, REMEDY_DEVICE_GRANT },
		{ { true, 400, "invalid_scope", NULL, 0, 0 }, REMEDY_SCOPE },
		{ { true, 400, "access_denied", "User is not assigned to the client application.", 0, 0 },
		  REMEDY_NOT_ASSIGNED },
		{ { true, 401, "access_denied", "Policy evaluation failed for this request", 0, 0 }, REMEDY_POLICY },
		{ { true, 403, "access_denied", "outside the client's permitted network zones.", 0, 0 },
		  REMEDY_NETWORK_ZONE },
		{ { true, 403, "access_denied", "The resource owner or authorization server denied the request.", 0,
		    0 },
		  REMEDY_DENIED },
		{ { true, 400, "expired_token", NULL, 0, 0 }, REMEDY_TOO_LATE },
		{ { true, 400, "server_error", "The groups claim matched too many groups", 0, 0 },
		  REMEDY_TOO_MANY_GROUPS },
		{ { true, 400, "server_error", NULL, 0, 0 }, REMEDY_SERVER_DOWN },
		{ { true, 503, NULL, NULL, 0, 0 }, REMEDY_SERVER_DOWN },
		{ { true, 418, "teapot", NULL, 0, 0 }, REMEDY_REFUSED },
		{ { true, 302, NULL, NULL, 0, 0 }, REMEDY_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (remedy_for_answer(&rows[i].answer) != rows[i].remedy)
			fail_msg("%ld %s: %d instead of %d", rows[i].answer.status,
				 rows[i].answer.error ? rows[i].answer.error : "none",
				 remedy_for_answer(&rows[i].answer), rows[i].remedy);
}

static void a_discovery_document_is_judged_by_what_is_wrong_with_it(void **state)
{
	(void)state;
	assert_int_equal(remedy_for_discovery(404, DISCOVERY_GOOD), REMEDY_NO_SUCH_ISSUER);
	assert_int_equal(remedy_for_discovery(429, DISCOVERY_GOOD), REMEDY_RATE_LIMIT);
	assert_int_equal(remedy_for_discovery(502, DISCOVERY_OTHER_ISSUER), REMEDY_SERVER_DOWN);
	assert_int_equal(remedy_for_discovery(302, DISCOVERY_GOOD), REMEDY_NOT_A_PROVIDER);
	assert_int_equal(remedy_for_discovery(200, DISCOVERY_NOT_JSON), REMEDY_NOT_A_PROVIDER);
	assert_int_equal(remedy_for_discovery(200, DISCOVERY_OTHER_ISSUER), REMEDY_OTHER_ISSUER);
	assert_int_equal(remedy_for_discovery(200, DISCOVERY_NO_DEVICE_ENDPOINT), REMEDY_NO_DEVICE_ENDPOINT);
	assert_int_equal(remedy_for_discovery(200, DISCOVERY_BAD_ENDPOINT), REMEDY_NOT_A_PROVIDER);
	assert_int_equal(remedy_for_discovery(200, DISCOVERY_NO_MEMORY), REMEDY_MEMORY);
}

static void a_token_is_judged_by_the_claim_that_its_fault_names(void **state)
{
	static const struct {
		enum id_token_result result;
		const char *fault;
		enum remedy remedy;
	} rows[] = {
		{ ID_TOKEN_INVALID, "alg: is not an algorithm with a public key that we know", REMEDY_TOKEN_ALGORITHM },
		{ ID_TOKEN_UNKNOWN_KID, "kid: the issuer publishes no usable key of this name", REMEDY_TOKEN_KEY },
		{ ID_TOKEN_INVALID, "kid: is missing or no string", REMEDY_TOKEN_KEY },
		{ ID_TOKEN_INVALID, "the signature is wrong", REMEDY_TOKEN_KEY },
		{ ID_TOKEN_INVALID, "iss: is not the configured issuer", REMEDY_TOKEN_ISSUER },
		{ ID_TOKEN_INVALID, "aud: is another client", REMEDY_TOKEN_AUDIENCE },
		{ ID_TOKEN_INVALID, "exp: expired 300 s ago by this machine's clock", REMEDY_CLOCK },
		{ ID_TOKEN_INVALID, "iat: issued 300 s in the future by this machine's clock", REMEDY_CLOCK },
		{ ID_TOKEN_INVALID, "exp: is missing or no time in whole seconds", REMEDY_TOKEN_OTHER },
		{ ID_TOKEN_INVALID, "at_hash: is missing", REMEDY_TOKEN_OTHER },
		{ ID_TOKEN_AMR_MISSING, "amr: the person signed in without the required method hwk", REMEDY_AMR },
		{ ID_TOKEN_AUTH_TOO_OLD, "auth_time: the person signed in 90 s ago, and 60 s are allowed",
		  REMEDY_AUTH_AGE },
		{ ID_TOKEN_INVALID, "", REMEDY_TOKEN_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(remedy_for_token(rows[i].result, rows[i].fault), rows[i].remedy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_remedy_is_one_line_of_plain_text),
		cmocka_unit_test(every_trouble_on_the_way_has_one),
		cmocka_unit_test(an_answer_is_judged_by_its_status_first),
		cmocka_unit_test(a_discovery_document_is_judged_by_what_is_wrong_with_it),
		cmocka_unit_test(a_token_is_judged_by_the_claim_that_its_fault_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
