/*
 * The device grant: every row of the error table as its status and body say it, when to poll next, and what of a device
 * authorization response is taken or refused.
 */
#include "pam_oidc/device_grant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pam_oidc/endpoint_response.h"

#define NOW_S 1700000000

/* --- the error table --- */

struct table_row {
	long status;
	const char *body;
	enum endpoint_verdict verdict;
	enum reason reason; /* for ENDPOINT_END */
};

#define OAUTH(error, description) "{\"error\":\"" error "\",\"error_description\":\"" description "\"}"

static const struct table_row table[] = {
	{ 400, OAUTH("authorization_pending", "The device authorization is pending. Please try again later."),
	  ENDPOINT_PENDING, REASON_NONE },
	{ 400, OAUTH("slow_down", "Slow down the polling frequency. Please try again later."), ENDPOINT_SLOW_DOWN,
	  REASON_NONE },
	{ 400, OAUTH("expired_token", "The device code has expired."), ENDPOINT_END, REASON_EXPIRED },
	{ 400, OAUTH("invalid_grant", "The device code is invalid or has expired."), ENDPOINT_END, REASON_EXPIRED },
	{ 400, OAUTH("access_denied", "User is not assigned to the client application."), ENDPOINT_END,
	  REASON_NOT_ASSIGNED },
	{ 401,
	  OAUTH("access_denied", "Policy evaluation failed for this request, please check the policy configurations."),
	  ENDPOINT_END, REASON_POLICY },
	{ 403, OAUTH("access_denied", "The resource owner or authorization server denied the request."), ENDPOINT_END,
	  REASON_DENIED },
	{ 403,
	  OAUTH("access_denied", "The request comes from an address outside the client's permitted network zones."),
	  ENDPOINT_END, REASON_NETWORK_ZONE },
	{ 401, OAUTH("invalid_client", "No client credentials found."), ENDPOINT_END, REASON_MISCONFIGURED },
	{ 401, OAUTH("invalid_client", "Invalid value for 'client_id' parameter."), ENDPOINT_END,
	  REASON_MISCONFIGURED },
	{ 400,
	  OAUTH("unauthorized_client", "The client is not authorized to use the provided grant type. Configured grant "
				       "types: [authorization_code]."),
	  ENDPOINT_END, REASON_MISCONFIGURED },
	{ 400, OAUTH("invalid_scope", "One or more scopes are not configured for the authorization server resource."),
	  ENDPOINT_END, REASON_MISCONFIGURED },
	{ 429, OAUTH("invalid_grant", "API call exceeded rate limit due to too many requests."), ENDPOINT_WAIT,
	  REASON_NONE },
	{ 429, OAUTH("too_many_user_codes", "Too many user codes generated. Please try again later."), ENDPOINT_END,
	  REASON_TOO_MANY_CODES },
	{ 400, OAUTH("server_error", "The groups claim matched too many groups (more than 100). Narrow its filter."),
	  ENDPOINT_END, REASON_MISCONFIGURED },
	{ 400, "{\"error\":\"temporarily_unavailable\"}", ENDPOINT_RETRY, REASON_NONE },
	{ 500, "{\"errorCode\":\"E0000009\",\"errorSummary\":\"Internal Server Error\"}", ENDPOINT_RETRY, REASON_NONE },
	{ 502, "<html><h1>502 Bad Gateway</h1></html>", ENDPOINT_RETRY, REASON_NONE },
	{ 503, "", ENDPOINT_RETRY, REASON_NONE },
	{ 504, "<html>", ENDPOINT_RETRY, REASON_NONE },
};

static enum endpoint_verdict judge(long status, const char *body, enum reason *ret_reason)
{
	struct http_response response = {
		.answered = true, .status = status, .body = body, .length = strlen(body), .max_age_s = -1
	};
	struct endpoint_response read;
	enum endpoint_verdict verdict;

	endpoint_response_read(&response, NOW_S, &read);
	verdict = endpoint_judge(&read.answer, ret_reason);
	endpoint_response_clear(&read);
	return verdict;
}

static void judged(long status, const char *body, enum endpoint_verdict verdict, enum reason reason)
{
	enum reason found = REASON_NONE;
	enum endpoint_verdict got = judge(status, body, &found);

	if (got != verdict || found != reason)
		fail_msg("HTTP %ld %s: verdict %d reason %s, expected %d %s", status, body, got, reason_name(found),
			 verdict, reason_name(reason));
}

static void every_row_of_the_error_table_has_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		judged(table[i].status, table[i].body, table[i].verdict, table[i].reason);
}

static void no_answer_at_all_is_tried_again(void **state)
{
	struct http_response response = { .error = "Connection reset by peer", .body = "", .status = 200 };
	enum reason reason = REASON_NONE;
	struct endpoint_response read;

	(void)state;
	endpoint_response_read(&response, NOW_S, &read);
	assert_int_equal(endpoint_judge(&read.answer, &reason), ENDPOINT_RETRY);
	assert_int_equal(reason, REASON_NONE);
	endpoint_response_clear(&read);
}

static void success_is_200_alone(void **state)
{
	(void)state;
	judged(200, "{}", ENDPOINT_SUCCESS, REASON_NONE);
	judged(201, "{}", ENDPOINT_END, REASON_MISCONFIGURED);
	judged(204, "", ENDPOINT_END, REASON_MISCONFIGURED);
	judged(302, "", ENDPOINT_END, REASON_MISCONFIGURED);
}

static void the_status_counts_before_the_body(void **state)
{
	(void)state;
	judged(429, OAUTH("expired_token", "x"), ENDPOINT_WAIT, REASON_NONE);
	judged(429, "no JSON", ENDPOINT_WAIT, REASON_NONE);
	judged(429, OAUTH("slow_down", "x"), ENDPOINT_SLOW_DOWN, REASON_NONE);
	judged(500, OAUTH("access_denied", "User is not assigned to the client application."), ENDPOINT_RETRY,
	       REASON_NONE);
	judged(503, OAUTH("invalid_client", "x"), ENDPOINT_RETRY, REASON_NONE);
	judged(200, OAUTH("access_denied", "x"), ENDPOINT_SUCCESS, REASON_NONE);
}

static void access_denied_without_a_description_is_told_by_its_status(void **state)
{
	(void)state;
	judged(401, "{\"error\":\"access_denied\"}", ENDPOINT_END, REASON_POLICY);
	judged(400, "{\"error\":\"access_denied\"}", ENDPOINT_END, REASON_DENIED);
	judged(403, "{\"error\":\"access_denied\"}", ENDPOINT_END, REASON_DENIED);
}

static void a_description_is_recognized_in_any_case(void **state)
{
	(void)state;
	judged(400, OAUTH("access_denied", "USER IS NOT ASSIGNED TO THE CLIENT APPLICATION"), ENDPOINT_END,
	       REASON_NOT_ASSIGNED);
}

static void an_error_is_compared_whole(void **state)
{
	(void)state;
	judged(400, OAUTH("authorization_pending_not", "x"), ENDPOINT_END, REASON_MISCONFIGURED);
	judged(400, OAUTH("slow", "x"), ENDPOINT_END, REASON_MISCONFIGURED);
	judged(400, "{\"error\":[\"authorization_pending\"]}", ENDPOINT_END, REASON_MISCONFIGURED);
	judged(400, "{\"error\":\"slow_down\",\"error\":\"access_denied\"}", ENDPOINT_END, REASON_MISCONFIGURED);
}

static void a_request_that_timed_out_at_the_issuer_is_tried_again(void **state)
{
	(void)state;
	judged(408, "", ENDPOINT_RETRY, REASON_NONE);
	judged(400, OAUTH("server_error", "Something else."), ENDPOINT_RETRY, REASON_NONE);
}

/* --- polling --- */

static const struct endpoint_answer *wishing(int64_t wait_ms)
{
	static struct endpoint_answer answer;

	answer = (struct endpoint_answer){ .answered = true, .wait_ms = wait_ms };
	return &answer;
}

static const struct endpoint_answer *loaded(int64_t load)
{
	static struct endpoint_answer answer;

	answer = (struct endpoint_answer){ .answered = true, .load = load };
	return &answer;
}

/* How long after an answer the next poll comes, at an interval of 5 s. */
static int64_t pause_of(enum endpoint_verdict verdict, const struct endpoint_answer *answer, unsigned chance)
{
	struct device_poll poll;

	device_poll_start(&poll, 5, 0, 0, 0);
	device_poll_next(&poll, verdict, answer, 0, chance);
	return poll.next_ms;
}

static int64_t first_pause(int64_t load, unsigned chance)
{
	struct device_poll poll;

	device_poll_start(&poll, 5, load, 0, chance);
	return poll.next_ms;
}

static void the_first_poll_comes_after_the_interval_and_the_jitter(void **state)
{
	struct device_poll poll;

	(void)state;
	device_poll_start(&poll, 5, 0, 1000, 0);
	assert_int_equal(poll.next_ms, 6000);
	device_poll_start(&poll, 5, 0, 1000, DEVICE_CHANCE_MAX);
	assert_int_equal(poll.next_ms, 6000 + DEVICE_POLL_JITTER_MAX_MS);
}

static void jitter_never_makes_a_poll_early(void **state)
{
	(void)state;
	for (unsigned chance = 0; chance <= DEVICE_CHANCE_MAX; chance++) {
		struct device_poll poll;

		device_poll_start(&poll, 5, 0, 0, chance);
		assert_in_range(poll.next_ms, 5000, 5000 + DEVICE_POLL_JITTER_MAX_MS);
		device_poll_next(&poll, ENDPOINT_PENDING, NULL, 10000, chance);
		assert_in_range(poll.next_ms, 15000, 15000 + DEVICE_POLL_JITTER_MAX_MS);
	}
}

static void slow_down_adds_five_seconds_from_now_on(void **state)
{
	struct device_poll poll;

	(void)state;
	device_poll_start(&poll, 5, 0, 0, 0);
	device_poll_next(&poll, ENDPOINT_SLOW_DOWN, NULL, 5000, 0);
	assert_int_equal(poll.next_ms, 15000);
	device_poll_next(&poll, ENDPOINT_PENDING, NULL, 15000, 0);
	assert_int_equal(poll.next_ms, 25000);
	device_poll_next(&poll, ENDPOINT_SLOW_DOWN, NULL, 25000, 0);
	assert_int_equal(poll.next_ms, 40000);
}

static void failures_in_a_row_double_the_pause_up_to_fifteen_seconds(void **state)
{
	static const int64_t pauses[] = { 2000, 4000, 8000, 15000, 15000, 15000 };
	struct device_poll poll;

	(void)state;
	device_poll_start(&poll, 2, 0, 0, 0);
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		device_poll_next(&poll, ENDPOINT_RETRY, NULL, 100000, 0);
		assert_int_equal(poll.next_ms, 100000 + pauses[i]);
	}
	device_poll_next(&poll, ENDPOINT_PENDING, NULL, 100000, 0);
	assert_int_equal(poll.next_ms, 102000);
	device_poll_next(&poll, ENDPOINT_RETRY, NULL, 100000, 0);
	assert_int_equal(poll.next_ms, 102000);
}

static void a_thousand_failures_overflow_nothing(void **state)
{
	struct device_poll poll;

	(void)state;
	device_poll_start(&poll, 1, 0, 0, 0);
	for (int i = 0; i < 1000; i++)
		device_poll_next(&poll, ENDPOINT_RETRY, NULL, 0, 0);
	assert_int_equal(poll.next_ms, 15000);
}

static void backing_off_never_polls_faster_than_the_interval(void **state)
{
	struct device_poll poll;

	(void)state;
	device_poll_start(&poll, 30, 0, 0, 0);
	for (int i = 0; i < 5; i++) {
		device_poll_next(&poll, ENDPOINT_RETRY, NULL, 0, 0);
		assert_int_equal(poll.next_ms, 30000);
	}
}

static void the_issuers_wish_to_wait_counts_when_it_is_longer(void **state)
{
	struct device_poll poll;

	(void)state;
	device_poll_start(&poll, 5, 0, 0, 0);
	device_poll_next(&poll, ENDPOINT_WAIT, wishing(20000), 0, 0);
	assert_int_equal(poll.next_ms, 20000);
	device_poll_next(&poll, ENDPOINT_WAIT, wishing(1000), 0, 0);
	assert_int_equal(poll.next_ms, 5000);
	device_poll_next(&poll, ENDPOINT_WAIT, wishing(INT64_MAX), 0, 0);
	assert_int_equal(poll.next_ms, 60000);
}

static void a_wish_to_wait_never_shortens_the_interval(void **state)
{
	struct device_poll poll;

	(void)state;
	device_poll_start(&poll, DEVICE_INTERVAL_MAX_S, 0, 0, 0);
	device_poll_next(&poll, ENDPOINT_SLOW_DOWN, NULL, 0, 0);
	device_poll_next(&poll, ENDPOINT_WAIT, wishing(70000), 0, 0);
	assert_int_equal(poll.next_ms, 65000);
}

/* --- sharing a rate limit --- */

static void while_plenty_is_left_nobody_waits_longer(void **state)
{
	(void)state;
	for (int64_t load = 0; load <= DEVICE_LOAD_EASY; load++) {
		assert_int_equal(pause_of(ENDPOINT_PENDING, loaded(load), 0), 5000);
		assert_int_equal(pause_of(ENDPOINT_PENDING, loaded(load), DEVICE_CHANCE_MAX),
				 5000 + DEVICE_POLL_JITTER_MAX_MS);
	}
}

static void the_higher_the_load_the_longer_the_pause_up_to_a_bound(void **state)
{
	static const unsigned chances[] = { 0, 1, DEVICE_CHANCE_MAX / 2, DEVICE_CHANCE_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(chances) / sizeof(chances[0]); i++) {
		int64_t before = 5000, first_before = 5000;

		for (int64_t load = 0; load <= RATE_LIMIT_LOAD_MAX; load++) {
			int64_t pause = pause_of(ENDPOINT_PENDING, loaded(load), chances[i]);
			int64_t first = first_pause(load, chances[i]);

			assert_true(pause >= before && first >= first_before);
			assert_true(pause <= 5000 + 2 * DEVICE_EASE_MAX_MS + DEVICE_POLL_JITTER_MAX_MS);
			assert_true(first <= 5000 + 2 * DEVICE_EASE_MAX_MS + DEVICE_POLL_JITTER_MAX_MS);
			before = pause;
			first_before = first;
		}
	}
	assert_int_equal(pause_of(ENDPOINT_PENDING, loaded(RATE_LIMIT_LOAD_MAX), 0), 5000 + DEVICE_EASE_MAX_MS);
	assert_int_equal(pause_of(ENDPOINT_PENDING, loaded(INT32_MAX), 0), 5000 + DEVICE_EASE_MAX_MS);
	assert_int_equal(first_pause(RATE_LIMIT_LOAD_MAX, 0), 5000 + DEVICE_EASE_MAX_MS);
}

static void chance_adds_as_much_as_the_load_does(void **state)
{
	int64_t least = pause_of(ENDPOINT_PENDING, loaded(700), 0);

	(void)state;
	assert_true(least > 5000);
	assert_int_equal(pause_of(ENDPOINT_PENDING, loaded(700), DEVICE_CHANCE_MAX) - least,
			 least - 5000 + DEVICE_POLL_JITTER_MAX_MS);
}

static void the_first_poll_waits_for_those_that_all_codes_will_cost(void **state)
{
	(void)state;
	assert_int_equal(first_pause(DEVICE_LOAD_EASY / 3, 0), 5000);
	assert_int_equal(first_pause(200, 0), pause_of(ENDPOINT_PENDING, loaded(600), 0));
}

static void a_load_adds_to_slow_down_and_to_no_other_wish(void **state)
{
	struct endpoint_answer full = *loaded(RATE_LIMIT_LOAD_MAX);

	(void)state;
	assert_int_equal(pause_of(ENDPOINT_SLOW_DOWN, &full, 0), 10000 + DEVICE_EASE_MAX_MS);
	assert_int_equal(pause_of(ENDPOINT_RETRY, &full, 0), 5000);
	full.wait_ms = 20000;
	assert_int_equal(pause_of(ENDPOINT_WAIT, &full, 0), 20000);
}

/* --- the device authorization response --- */

static char fault[256];

static struct device_authorization *parse(const char *json)
{
	struct device_authorization *authorization = NULL;

	fault[0] = '\0';
	if (!device_authorization_parse(json, strlen(json), &authorization, fault, sizeof(fault))) {
		assert_null(authorization);
		assert_string_not_equal(fault, "");
	}
	return authorization;
}

/* A response with these members after good codes and URIs. */
static struct device_authorization *parse_with(const char *rest)
{
	char json[2048];

	(void)snprintf(json, sizeof(json),
		       "{\"device_code\":\"1a521d9f-0922\",\"user_code\":\"RGTCFDTL\","
		       "\"verification_uri\":\"https://clinic.okta.com/activate\","
		       "\"verification_uri_complete\":\"https://clinic.okta.com/activate?user_code=RGTCFDTL\"%s}",
		       rest);
	return parse(json);
}

/* A response whose one member is replaced by this one (as JSON). */
static struct device_authorization *parse_replaced(const char *name, const char *value)
{
	static const char *const members[][2] = {
		{ "device_code", "\"1a521d9f-0922\"" },
		{ "user_code", "\"RGTCFDTL\"" },
		{ "verification_uri", "\"https://clinic.okta.com/activate\"" },
		{ "verification_uri_complete", "\"https://clinic.okta.com/activate?user_code=RGTCFDTL\"" },
		{ "expires_in", "600" },
	};
	char json[16384] = "{\"interval\":5";

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		size_t used = strlen(json);

		(void)snprintf(json + used, sizeof(json) - used, ",\"%s\":%s", members[i][0],
			       strcmp(members[i][0], name) == 0 ? value : members[i][1]);
	}
	strcat(json, "}");
	return parse(json);
}

static void refused(const char *name, const char *value, const char *complaint)
{
	struct device_authorization *authorization = parse_replaced(name, value);

	if (authorization || !strstr(fault, complaint))
		fail_msg("%s = %s: %s, fault: %s", name, value, authorization ? "taken" : "refused", fault);
}

static void oktas_response_is_taken(void **state)
{
	struct device_authorization *authorization = parse_with(",\"expires_in\":600,\"interval\":5");

	(void)state;
	assert_non_null(authorization);
	assert_string_equal(authorization->device_code.bytes, "1a521d9f-0922");
	assert_string_equal(authorization->user_code, "RGTCFDTL");
	assert_string_equal(authorization->verification_uri, "https://clinic.okta.com/activate");
	assert_string_equal(authorization->verification_uri_complete,
			    "https://clinic.okta.com/activate?user_code=RGTCFDTL");
	assert_int_equal(authorization->expires_in_s, 600);
	assert_int_equal(authorization->interval_s, 5);
	device_authorization_free(authorization);
	device_authorization_free(NULL);
}

static void interval_is(const char *rest, int64_t interval_s)
{
	struct device_authorization *authorization = parse_with(rest);

	assert_non_null(authorization);
	if (authorization->interval_s != interval_s)
		fail_msg("%s gives %lld, expected %lld", rest, (long long)authorization->interval_s,
			 (long long)interval_s);
	device_authorization_free(authorization);
}

static void an_absent_or_absurd_interval_is_the_default_or_the_maximum(void **state)
{
	(void)state;
	interval_is(",\"expires_in\":600", DEVICE_INTERVAL_DEFAULT_S);
	interval_is(",\"expires_in\":600,\"interval\":null", DEVICE_INTERVAL_DEFAULT_S);
	interval_is(",\"expires_in\":600,\"interval\":0", DEVICE_INTERVAL_DEFAULT_S);
	interval_is(",\"expires_in\":600,\"interval\":-1", DEVICE_INTERVAL_DEFAULT_S);
	interval_is(",\"expires_in\":600,\"interval\":\"5\"", DEVICE_INTERVAL_DEFAULT_S);
	interval_is(",\"expires_in\":600,\"interval\":1", 1);
	interval_is(",\"expires_in\":600,\"interval\":60", 60);
	interval_is(",\"expires_in\":600,\"interval\":1000000000", DEVICE_INTERVAL_MAX_S);
	interval_is(",\"expires_in\":600,\"interval\":9223372036854775807", DEVICE_INTERVAL_MAX_S);
}

static void expires_in_is_positive_and_bounded(void **state)
{
	static const char *const bad[] = { "0", "-1", "null", "\"600\"", "[600]", "true", "-9223372036854775808" };
	struct device_authorization *authorization;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused("expires_in", bad[i], "no usable expires_in");
	authorization = parse_replaced("expires_in", "1000000000000");
	assert_non_null(authorization);
	assert_int_equal(authorization->expires_in_s, DEVICE_CODE_LIFE_MAX_S);
	device_authorization_free(authorization);
	authorization = parse_replaced("expires_in", "1");
	assert_non_null(authorization);
	assert_int_equal(authorization->expires_in_s, 1);
	device_authorization_free(authorization);
}

static void a_number_beyond_64_bits_is_no_number(void **state)
{
	(void)state;
	assert_null(parse_with(",\"expires_in\":9223372036854775808"));
}

static void without_a_complete_uri_the_plain_one_stands_in(void **state)
{
	struct device_authorization *authorization = parse_replaced("verification_uri_complete", "null");

	(void)state;
	assert_non_null(authorization);
	assert_string_equal(authorization->verification_uri_complete, "https://clinic.okta.com/activate");
	device_authorization_free(authorization);
}

static void a_complete_uri_elsewhere_is_left_out(void **state)
{
	static const struct {
		const char *complete;
		bool taken;
	} rows[] = {
		{ "\"https://clinic.okta.com/activate?user_code=BDWDHQPK\"", true },
		{ "\"https://clinic.okta.com/other\"", true },
		{ "\"https://CLINIC.okta.com/activate\"", true },
		{ "\"https://clinic.okta.com:8443/activate\"", false },
		{ "\"https://clinic.okta.com.evil.example/activate\"", false },
		{ "\"https://evil.example/clinic.okta.com/activate\"", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct device_authorization *authorization =
			parse_replaced("verification_uri_complete", rows[i].complete);

		assert_non_null(authorization);
		if ((strcmp(authorization->verification_uri_complete, authorization->verification_uri) != 0) !=
		    rows[i].taken)
			fail_msg("%s: %s", rows[i].complete, authorization->verification_uri_complete);
		device_authorization_free(authorization);
	}
}

static void a_hostile_user_code_is_refused(void **state)
{
	static const char *const bad[] = {
		"\"\"",
		"null",
		"7",
		"\"\\u001b[2J\\u001b[31mABCD\"",
		"\"ABCD\\nType your password:\"",
		"\"ABCD\\rEFGH\"",
		"\" ABCD\"",
		"\"ABCD \"",
		"\"AB  CD\"",
		"\" \"",
		"\"AB\\u00a0CD\"",
		"\"\\tABCD\"",
		"\"ABCD\\u007f\"",
		"\"\\u009b2JABCD\"",
		"\"\\u0410\\u0412\\u0421D\"",
		"\"\\u202eDCBA\"",
		"\"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456\"", /* 33 bytes */
	};
	struct device_authorization *authorization;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused("user_code", bad[i], "no usable device_code and user_code");
	authorization = parse_replaced("user_code", "\"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345\"");
	assert_non_null(authorization);
	device_authorization_free(authorization);
}

static void a_user_code_in_groups_is_kept_as_it_is(void **state)
{
	struct device_authorization *authorization = parse_replaced("user_code", "\"123 456 789\"");

	(void)state;
	assert_non_null(authorization);
	assert_string_equal(authorization->user_code, "123 456 789");
	device_authorization_free(authorization);
}

static void a_hostile_device_code_is_refused(void **state)
{
	char code[4096 + 4];

	(void)state;
	refused("device_code", "\"\"", "no usable device_code");
	refused("device_code", "\"a b\"", "no usable device_code");
	refused("device_code", "\"a\\r\\nX: y\"", "no usable device_code");
	refused("device_code", "{}", "no usable device_code");
	memset(code, 'a', sizeof(code));
	code[0] = code[4098] = '"';
	code[4099] = '\0';
	refused("device_code", code, "no usable device_code");
}

static void a_hostile_verification_uri_is_refused(void **state)
{
	static const char *const bad[] = {
		"null",
		"\"\"",
		"\"http://clinic.okta.com/activate\"",
		"\"HTTPS://clinic.okta.com/activate\"",
		"\"javascript:alert(1)\"",
		"\"file:///etc/passwd\"",
		"\"//clinic.okta.com/activate\"",
		"\"https:/clinic.okta.com\"",
		"\"https://\"",
		"\"https:///activate\"",
		"\"https://?user_code=A\"",
		"\"https://clinic.okta.com@evil.example/activate\"",
		"\"https://a:b@evil.example/activate\"",
		"\"https://clinic.okta.com\\\\@evil.example/\"",
		"\"https://clinic.okta.com/#@evil.example\"",
		"\"https://clinic.okta.com/activate\\n\"",
		"\"https://clinic.okta.com/\\u001b]8;;https://evil.example\\u0007\"",
		"\"https://clinic.okta.com/a b\"",
		"\" https://clinic.okta.com/\"",
		"\"https://cl\\u0131nic.okta.com/activate\"",
		"\"https://clinic.okta.com/<script>\"",
		"\"https://clinic.okta.com/`id`\"",
		"\"https://clinic.okta.com/\\\"\"",
		"42",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		refused("verification_uri", bad[i], "no verification_uri that is an https URL");
		if (bad[i][0] == '"')
			refused("verification_uri_complete", bad[i], "no verification_uri that is an https URL");
	}
}

static void a_verification_uri_has_a_longest_length(void **state)
{
	char uri[DEVICE_URI_MAX + 8];
	size_t length;

	(void)state;
	for (int excess = 0; excess <= 1; excess++) {
		struct device_authorization *authorization;

		length = DEVICE_URI_MAX + (size_t)excess;
		memset(uri, 'a', sizeof(uri));
		memcpy(uri, "\"https://", strlen("\"https://"));
		uri[1 + length] = '"';
		uri[2 + length] = '\0';
		authorization = parse_replaced("verification_uri", uri);
		assert_int_equal(authorization != NULL, excess == 0);
		device_authorization_free(authorization);
	}
}

static void what_is_no_json_object_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "[]", "null", "{", "{} {}", "<html>", "{\"user_code\":\"A\",\"user_code\":\"B\"}"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(parse(bad[i]));
		assert_non_null(strstr(fault, "device authorization response"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_error_table_has_its_verdict),
		cmocka_unit_test(no_answer_at_all_is_tried_again),
		cmocka_unit_test(success_is_200_alone),
		cmocka_unit_test(the_status_counts_before_the_body),
		cmocka_unit_test(access_denied_without_a_description_is_told_by_its_status),
		cmocka_unit_test(a_description_is_recognized_in_any_case),
		cmocka_unit_test(an_error_is_compared_whole),
		cmocka_unit_test(a_request_that_timed_out_at_the_issuer_is_tried_again),
		cmocka_unit_test(the_first_poll_comes_after_the_interval_and_the_jitter),
		cmocka_unit_test(jitter_never_makes_a_poll_early),
		cmocka_unit_test(slow_down_adds_five_seconds_from_now_on),
		cmocka_unit_test(failures_in_a_row_double_the_pause_up_to_fifteen_seconds),
		cmocka_unit_test(a_thousand_failures_overflow_nothing),
		cmocka_unit_test(backing_off_never_polls_faster_than_the_interval),
		cmocka_unit_test(the_issuers_wish_to_wait_counts_when_it_is_longer),
		cmocka_unit_test(a_wish_to_wait_never_shortens_the_interval),
		cmocka_unit_test(while_plenty_is_left_nobody_waits_longer),
		cmocka_unit_test(the_higher_the_load_the_longer_the_pause_up_to_a_bound),
		cmocka_unit_test(chance_adds_as_much_as_the_load_does),
		cmocka_unit_test(the_first_poll_waits_for_those_that_all_codes_will_cost),
		cmocka_unit_test(a_load_adds_to_slow_down_and_to_no_other_wish),
		cmocka_unit_test(oktas_response_is_taken),
		cmocka_unit_test(an_absent_or_absurd_interval_is_the_default_or_the_maximum),
		cmocka_unit_test(expires_in_is_positive_and_bounded),
		cmocka_unit_test(a_number_beyond_64_bits_is_no_number),
		cmocka_unit_test(without_a_complete_uri_the_plain_one_stands_in),
		cmocka_unit_test(a_user_code_in_groups_is_kept_as_it_is),
		cmocka_unit_test(a_complete_uri_elsewhere_is_left_out),
		cmocka_unit_test(a_hostile_user_code_is_refused),
		cmocka_unit_test(a_hostile_device_code_is_refused),
		cmocka_unit_test(a_hostile_verification_uri_is_refused),
		cmocka_unit_test(a_verification_uri_has_a_longest_length),
		cmocka_unit_test(what_is_no_json_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
