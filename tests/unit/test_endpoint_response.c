/*
 * Answers of the issuer's endpoints: where error and description are found, when the wish to wait counts, and which
 * token responses are taken.
 */
#include "pam_oidc/endpoint_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pam_oidc/id_token.h"

#define NOW_S 1700000000

static struct http_response answer(long status, const char *body)
{
	return (struct http_response){
		.answered = true, .status = status, .body = body, .length = strlen(body), .max_age_s = -1
	};
}

static int64_t wait_of(const struct http_response *response)
{
	struct endpoint_response read;
	int64_t wait_ms;

	endpoint_response_read(response, NOW_S, &read);
	wait_ms = read.answer.wait_ms;
	endpoint_response_clear(&read);
	return wait_ms;
}

static void error_and_description_are_read(void **state)
{
	struct http_response response = answer(400, "{\"error\":\"access_denied\",\"error_description\":\"No.\"}");
	struct endpoint_response read;

	(void)state;
	endpoint_response_read(&response, NOW_S, &read);
	assert_true(read.answer.answered);
	assert_int_equal(read.answer.status, 400);
	assert_string_equal(read.answer.error, "access_denied");
	assert_string_equal(read.answer.description, "No.");
	endpoint_response_clear(&read);
	assert_null(read.body);
	assert_null(read.answer.error);
}

static void oktas_general_error_body_is_read_too(void **state)
{
	struct http_response response = answer(
		429,
		"{\"errorCode\":\"E0000047\",\"errorSummary\":\"API call exceeded rate limit\",\"errorCauses\":[]}");
	struct endpoint_response read;

	(void)state;
	endpoint_response_read(&response, NOW_S, &read);
	assert_string_equal(read.answer.error, "E0000047");
	assert_string_equal(read.answer.description, "API call exceeded rate limit");
	endpoint_response_clear(&read);
}

static void a_body_that_is_no_json_object_says_nothing(void **state)
{
	static const char *const bodies[] = { "", "<html>", "[]", "{\"error\":", "{\"error\":null}", "{\"error\":1}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct http_response response = answer(400, bodies[i]);
		struct endpoint_response read;

		endpoint_response_read(&response, NOW_S, &read);
		assert_true(read.answer.answered);
		assert_null(read.answer.error);
		assert_null(read.answer.description);
		endpoint_response_clear(&read);
	}
}

static void half_an_answer_says_nothing(void **state)
{
	struct http_response response = answer(429, "{\"error\":\"access_denied\"}");
	struct endpoint_response read;

	(void)state;
	response.answered = false;
	response.retry_after_s = 9;
	endpoint_response_read(&response, NOW_S, &read);
	assert_false(read.answer.answered);
	assert_null(read.answer.error);
	assert_int_equal(read.answer.wait_ms, 0);
	endpoint_response_clear(&read);
}

static void a_429_waits_until_the_bucket_is_full_again(void **state)
{
	struct http_response response = answer(429, "{}");

	(void)state;
	response.rate_limit.reset_s = NOW_S + 17;
	assert_int_equal(wait_of(&response), 17000);
	response.rate_limit.reset_s = NOW_S - 17;
	assert_int_equal(wait_of(&response), 0);
	response.rate_limit.reset_s = 0;
	assert_int_equal(wait_of(&response), 0);
}

static void the_reset_is_told_by_the_issuers_own_clock(void **state)
{
	struct http_response response = answer(429, "{}");

	(void)state;
	response.date_s = NOW_S - 3600;
	response.rate_limit.reset_s = NOW_S - 3600 + 17;
	assert_int_equal(wait_of(&response), 17000);
	response.date_s = NOW_S + 3600;
	assert_int_equal(wait_of(&response), 0);
}

static int64_t load_of(const struct http_response *response)
{
	struct endpoint_response read;
	int64_t load;

	endpoint_response_read(response, NOW_S, &read);
	load = read.answer.load;
	endpoint_response_clear(&read);
	return load;
}

static void every_whole_answer_tells_the_load(void **state)
{
	static const long statuses[] = { 200, 400, 429 };

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct http_response response = answer(statuses[i], "{}");

		assert_int_equal(load_of(&response), 0);
		response.rate_limit = (struct rate_limit){ .limit = 2000, .remaining = 999, .reset_s = NOW_S };
		assert_int_equal(load_of(&response), 500);
		response.answered = false;
		assert_int_equal(load_of(&response), 0);
	}
}

static void the_load_is_told_by_the_issuers_own_clock_too(void **state)
{
	struct http_response response = answer(400, "{}");

	(void)state;
	response.rate_limit = (struct rate_limit){ .limit = 2000, .remaining = 1599, .reset_s = NOW_S + 30 };
	assert_int_equal(load_of(&response), rate_limit_load(&response.rate_limit, NOW_S));
	response.date_s = NOW_S + 30;
	assert_int_equal(load_of(&response), 200);
}

static void retry_after_counts_before_the_reset(void **state)
{
	struct http_response response = answer(429, "{}");

	(void)state;
	response.rate_limit.reset_s = NOW_S + 17;
	response.retry_after_s = 3;
	assert_int_equal(wait_of(&response), 3000);
	response.status = 503;
	assert_int_equal(wait_of(&response), 3000);
}

static void nobody_waits_longer_than_ten_minutes(void **state)
{
	struct http_response response = answer(429, "{}");

	(void)state;
	response.rate_limit.reset_s = INT64_MAX;
	assert_int_equal(wait_of(&response), 600000);
	response.retry_after_s = INT64_MAX;
	assert_int_equal(wait_of(&response), 600000);
}

static void the_reset_header_of_an_ordinary_answer_means_nothing(void **state)
{
	struct http_response response = answer(400, "{\"error\":\"authorization_pending\"}");

	(void)state;
	response.rate_limit.reset_s = NOW_S + 17;
	response.retry_after_s = 17;
	assert_int_equal(wait_of(&response), 0);
}

static void an_outage_is_not_waited_out_like_an_empty_bucket(void **state)
{
	struct http_response response = answer(503, "<html>");

	(void)state;
	response.rate_limit.reset_s = NOW_S + 17;
	assert_int_equal(wait_of(&response), 0);
}

/* --- tokens --- */

static char fault[256];

static bool parse(const char *json, struct tokens *ret_tokens)
{
	fault[0] = '\0';
	return tokens_parse(json, strlen(json), ret_tokens, fault, sizeof(fault));
}

static void refused(const char *json, const char *complaint)
{
	struct tokens tokens = { 0 };

	if (parse(json, &tokens) || !strstr(fault, complaint))
		fail_msg("%s: fault %s, expected %s", json, fault, complaint);
	assert_null(tokens.id_token.bytes);
	assert_null(tokens.access_token.bytes);
}

static void both_tokens_are_taken(void **state)
{
	struct tokens tokens = { 0 };

	(void)state;
	assert_true(parse("{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"aa.bb\",\"id_token\":\"x."
			  "y.z\",\"scope\":\"openid\"}",
			  &tokens));
	assert_string_equal(tokens.id_token.bytes, "x.y.z");
	assert_int_equal(tokens.id_token.length, 5);
	assert_string_equal(tokens.access_token.bytes, "aa.bb");
	tokens_wipe(&tokens);
	assert_null(tokens.id_token.bytes);
	assert_null(tokens.access_token.bytes);
	tokens_wipe(&tokens);
}

static void the_token_type_is_compared_without_case(void **state)
{
	struct tokens tokens = { 0 };

	(void)state;
	assert_true(parse("{\"token_type\":\"bearer\",\"access_token\":\"a\",\"id_token\":\"x\"}", &tokens));
	tokens_wipe(&tokens);
}

static void an_id_token_alone_is_enough(void **state)
{
	struct tokens tokens = { 0 };

	(void)state;
	assert_true(parse("{\"id_token\":\"x.y.z\"}", &tokens));
	assert_null(tokens.access_token.bytes);
	tokens_wipe(&tokens);
}

static void without_an_id_token_nothing_is_taken(void **state)
{
	(void)state;
	refused("{\"token_type\":\"Bearer\",\"access_token\":\"a\"}", "openid among the scopes");
	refused("{\"id_token\":null}", "no ID token");
	refused("{\"id_token\":\"\"}", "no ID token");
	refused("{\"id_token\":{}}", "no ID token");
	refused("{\"id_token\":\"a b\"}", "no ID token");
	refused("{\"id_token\":\"a\\u0000b\"}", "the token response");
	refused("{\"id_token\":\"a\",\"id_token\":\"b\"}", "the token response");
	refused("", "the token response");
}

static void an_access_token_that_is_no_bearer_token_is_refused(void **state)
{
	(void)state;
	refused("{\"access_token\":\"a\",\"id_token\":\"x\"}", "no bearer token");
	refused("{\"token_type\":\"DPoP\",\"access_token\":\"a\",\"id_token\":\"x\"}", "no bearer token");
	refused("{\"token_type\":\"Bearer\",\"access_token\":\"a\\r\\nX: y\",\"id_token\":\"x\"}", "no bearer token");
	refused("{\"token_type\":\"Bearer\",\"access_token\":\"\",\"id_token\":\"x\"}", "no bearer token");
	refused("{\"token_type\":\"Bearer\",\"access_token\":\"\\u00e4\",\"id_token\":\"x\"}", "no bearer token");
}

static void tokens_have_a_longest_length(void **state)
{
	size_t size = ID_TOKEN_SIZE_MAX + 64;
	char *json = malloc(size), *id_token = malloc(size);
	struct tokens tokens = { 0 };

	(void)state;
	assert_non_null(json);
	assert_non_null(id_token);
	for (size_t length = ID_TOKEN_SIZE_MAX; length <= ID_TOKEN_SIZE_MAX + 1; length++) {
		memset(id_token, 'x', length);
		id_token[length] = '\0';
		(void)snprintf(json, size, "{\"id_token\":\"%s\"}", id_token);
		assert_int_equal(parse(json, &tokens), length == ID_TOKEN_SIZE_MAX);
		tokens_wipe(&tokens);
	}
	free(json);
	free(id_token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_and_description_are_read),
		cmocka_unit_test(oktas_general_error_body_is_read_too),
		cmocka_unit_test(a_body_that_is_no_json_object_says_nothing),
		cmocka_unit_test(half_an_answer_says_nothing),
		cmocka_unit_test(a_429_waits_until_the_bucket_is_full_again),
		cmocka_unit_test(the_reset_is_told_by_the_issuers_own_clock),
		cmocka_unit_test(every_whole_answer_tells_the_load),
		cmocka_unit_test(the_load_is_told_by_the_issuers_own_clock_too),
		cmocka_unit_test(retry_after_counts_before_the_reset),
		cmocka_unit_test(nobody_waits_longer_than_ten_minutes),
		cmocka_unit_test(the_reset_header_of_an_ordinary_answer_means_nothing),
		cmocka_unit_test(an_outage_is_not_waited_out_like_an_empty_bucket),
		cmocka_unit_test(both_tokens_are_taken),
		cmocka_unit_test(the_token_type_is_compared_without_case),
		cmocka_unit_test(an_id_token_alone_is_enough),
		cmocka_unit_test(without_an_id_token_nothing_is_taken),
		cmocka_unit_test(an_access_token_that_is_no_bearer_token_is_refused),
		cmocka_unit_test(tokens_have_a_longest_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
