/*
 * What a server's answers say: how long its certificate is good, how far the clocks are apart, and what its refusals of
 * this machine's application mean.
 */
#include "pam_oidc/issuer_findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW ((int64_t)1900000000)
#define DAY ((int64_t)86400)

static char name[] = "clinic", issuer[] = "https://clinic.okta.example", client_id[] = "0oa1client";
static const struct tenant tenant = { .name = name, .issuer = issuer, .client_id = client_id };

static void a_certificate_of_less_than_14_days_is_a_warning(void **state)
{
	static const struct {
		int64_t left_s;
		enum finding_level level;
		int days;
	} rows[] = {
		{ 400 * DAY, FINDING_GOOD, 400 },
		{ 14 * DAY, FINDING_GOOD, 14 },
		{ 14 * DAY - 1, FINDING_WARNING, 13 },
		{ 2 * DAY - 1, FINDING_WARNING, 1 },
		{ 1, FINDING_WARNING, 0 },
		{ -DAY, FINDING_WARNING, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct server_seen server = { .status = 200, .certificate_until_s = NOW + rows[i].left_s };
		struct finding finding = find_certificate(&tenant, &server, NOW);

		assert_string_equal(finding.item, "tls");
		assert_int_equal(finding.level, rows[i].level);
		assert_int_equal(finding.days, rows[i].days);
		assert_int_equal(finding.remedy == NULL, rows[i].level == FINDING_GOOD);
	}
}

static void a_certificate_whose_end_is_not_known_says_so(void **state)
{
	const struct server_seen server = { .status = 200 };
	struct finding finding = find_certificate(&tenant, &server, NOW);

	(void)state;
	assert_int_equal(finding.level, FINDING_GOOD);
	assert_int_equal(finding.days, -1);
	assert_non_null(strstr(finding.text, "cannot be told"));
}

static void a_clock_beyond_what_tokens_tolerate_is_bad(void **state)
{
	static const struct {
		int64_t ahead_s;
		enum finding_level level;
	} rows[] = {
		{ 0, FINDING_GOOD },      { 60, FINDING_GOOD }, { 61, FINDING_WARNING },
		{ 120, FINDING_WARNING }, { 121, FINDING_BAD }, { 1 << 30, FINDING_BAD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct server_seen server = { .status = 200, .has_clock = true, .clock_ahead_s = rows[i].ahead_s };
		struct finding ahead = find_clock(&tenant, &server), behind;

		server.clock_ahead_s = -rows[i].ahead_s;
		behind = find_clock(&tenant, &server);
		assert_int_equal(ahead.level, rows[i].level);
		assert_int_equal(behind.level, rows[i].level);
		if (rows[i].level == FINDING_GOOD)
			continue;
		assert_non_null(strstr(ahead.text, "behind the issuer's"));
		assert_non_null(strstr(behind.text, "ahead of the issuer's"));
	}
}

static void a_server_without_a_date_proves_nothing(void **state)
{
	const struct server_seen server = { .status = 200 };
	struct finding finding = find_clock(&tenant, &server);

	(void)state;
	assert_int_equal(finding.level, FINDING_GOOD);
	assert_non_null(strstr(finding.text, "compared with nothing"));
}

static struct http_response answer(long status, const char *body)
{
	return (struct http_response){ .answered = true, .status = status, .body = body, .length = strlen(body) };
}

static void what_the_token_endpoint_says_of_nobodys_code_speaks_for_the_client(void **state)
{
	static const struct {
		long status;
		const char *body;
		enum finding_level level;
	} rows[] = {
		{ 400, "{\"error\":\"invalid_grant\"}", FINDING_GOOD },
		{ 400, "{\"error\":\"expired_token\"}", FINDING_GOOD },
		{ 400, "{\"error\":\"invalid_request\"}", FINDING_WARNING },
		{ 429, "{\"error\":\"invalid_grant\"}", FINDING_WARNING },
		{ 503, "{\"error\":\"invalid_grant\"}", FINDING_BAD },
		{ 401, "{\"error\":\"invalid_client\"}", FINDING_BAD },
		{ 400, "{\"error\":\"unauthorized_client\"}", FINDING_BAD },
		{ 400, "{\"error\":\"authorization_pending\"}", FINDING_BAD },
		{ 200, "{}", FINDING_BAD },
		{ 302, "", FINDING_BAD },
		{ 400, "<html>", FINDING_BAD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct http_response response = answer(rows[i].status, rows[i].body);
		struct finding finding = find_client_by_token_endpoint(&tenant, &response);

		assert_string_equal(finding.item, "client");
		if (finding.level != rows[i].level)
			fail_msg("%ld %s: %s", rows[i].status, rows[i].body, finding.text);
	}
}

static void no_answer_is_bad_and_says_why(void **state)
{
	const struct http_response response = { .error = "Connection refused", .trouble = HTTP_TROUBLE_CONNECT };
	struct finding finding = find_client_by_token_endpoint(&tenant, &response);

	(void)state;
	assert_int_equal(finding.level, FINDING_BAD);
	assert_non_null(strstr(finding.text, "Connection refused"));
	assert_non_null(strstr(finding.remedy, "firewall"));
	finding = find_refused_code(&tenant, &response);
	assert_string_equal(finding.item, "device_code");
	assert_int_equal(finding.level, FINDING_BAD);
}

static void a_refused_code_is_the_clients_fault_or_its_own(void **state)
{
	static const struct {
		const char *body, *item;
	} rows[] = {
		{ "{\"error\":\"invalid_client\"}", "client" },
		{ "{\"error\":\"unauthorized_client\"}", "client" },
		{ "{\"error\":\"invalid_scope\",\"error_description\":\"\\u001b[2J\"}", "device_code" },
		{ "{}", "device_code" },
		{ "", "device_code" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct http_response response = answer(400, rows[i].body);
		struct finding finding = find_refused_code(&tenant, &response);

		assert_string_equal(finding.item, rows[i].item);
		assert_int_equal(finding.level, FINDING_BAD);
		assert_null(strchr(finding.text, '\x1b'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_of_less_than_14_days_is_a_warning),
		cmocka_unit_test(a_certificate_whose_end_is_not_known_says_so),
		cmocka_unit_test(a_clock_beyond_what_tokens_tolerate_is_bad),
		cmocka_unit_test(a_server_without_a_date_proves_nothing),
		cmocka_unit_test(what_the_token_endpoint_says_of_nobodys_code_speaks_for_the_client),
		cmocka_unit_test(no_answer_is_bad_and_says_why),
		cmocka_unit_test(a_refused_code_is_the_clients_fault_or_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
