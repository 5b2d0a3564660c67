/*
 * The HTTP client: https alone and to nobody but the right host, within its bounds, and without a word from the
 * environment.
 */
#include "pam_oidc/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "tests/daemon/stage.h"

static struct http_response last;
static char body[4096], error[256];
static bool told;

static void note_answer(void *context, const struct http_response *response)
{
	(void)context;
	assert_false(told);
	told = true;
	last = *response;
	assert_int_equal(response->body[response->length], '\0');
	(void)snprintf(body, sizeof(body), "%s", response->body);
	(void)snprintf(error, sizeof(error), "%s", response->error);
}

static bool is_told(void *context)
{
	(void)context;
	return told;
}

/* Gets a path of the issuer, or a whole URL; the request's other parts as given. */
static bool get(struct http_request request, const char *where)
{
	_cleanup_free_ char *url = NULL;

	assert_true(asprintf(&url, "%s%s", where[0] == '/' ? stage.issuer : "", where) >= 0);
	request.url = url;
	if (!request.max_bytes)
		request.max_bytes = 100000;
	told = false;
	if (!http_start(stage.http, &request, note_answer, NULL)) {
		(void)snprintf(error, sizeof(error), "not started");
		return false;
	}
	assert_true(stage_run_until(is_told, NULL));
	return last.answered;
}

#define DISCOVERY "/.well-known/openid-configuration?client_id=clinic-app"

static struct http_request trusting(void)
{
	return (struct http_request){ .ca_file = stage.ca_file };
}

static void an_answer_comes_whole(void **state)
{
	(void)state;
	assert_true(get(trusting(), DISCOVERY));
	assert_int_equal(last.status, 200);
	assert_int_equal(last.length, strlen(body));
	assert_non_null(strstr(body, "device_authorization_endpoint"));
	assert_int_equal(last.max_age_s, 86400);
	assert_false(last.cache_forbidden);
}

static void an_answer_tells_the_time_and_how_long_the_certificate_is_good(void **state)
{
	int64_t now = (int64_t)time(NULL), days;

	(void)state;
	/* The second one comes over the connection that is there. */
	for (int i = 0; i < 2; i++) {
		assert_true(get(trusting(), DISCOVERY));
		assert_true(last.date_s >= now - 60 && last.date_s <= now + 60);
		days = (last.certificate_until_s - now) / 86400;
		assert_in_range(days, 29, 30);
	}
	(void)stage_control("fault", "{'endpoint':'discovery','headers':{'Date':'yesterday'}}");
	assert_true(get(trusting(), DISCOVERY));
	assert_int_equal(last.date_s, 0);
}

static void what_kept_an_answer_from_coming_is_told_apart(void **state)
{
	struct http_request missing_ca = { .ca_file = "/nonexistent/ca.pem" };
	char url[256];

	(void)state;
	assert_false(get((struct http_request){ .ca_file = NULL }, DISCOVERY));
	assert_int_equal(last.trouble, HTTP_TROUBLE_UNTRUSTED);
	assert_false(get(missing_ca, DISCOVERY));
	assert_int_equal(last.trouble, HTTP_TROUBLE_CA_FILE);
	(void)snprintf(url, sizeof(url), "https://evil.localhost%s" DISCOVERY, strrchr(stage.issuer, ':'));
	assert_false(get(trusting(), url));
	assert_int_equal(last.trouble, HTTP_TROUBLE_HOST);
	assert_false(get(trusting(), "https://localhost:1/"));
	assert_int_equal(last.trouble, HTTP_TROUBLE_CONNECT);
	(void)stage_control("fault", "{'endpoint':'discovery','oversize':200000}");
	assert_false(get(trusting(), DISCOVERY));
	assert_int_equal(last.trouble, HTTP_TROUBLE_ANSWER);
	assert_true(get(trusting(), DISCOVERY));
	assert_int_equal(last.trouble, HTTP_TROUBLE_NONE);
}

static void an_unknown_authority_is_not_trusted(void **state)
{
	(void)state;
	assert_false(get((struct http_request){ .ca_file = NULL }, DISCOVERY));
	assert_string_not_equal(error, "");
}

static void a_certificate_for_another_name_is_not_trusted(void **state)
{
	char url[256];
	const char *port = strrchr(stage.issuer, ':');

	(void)state;
	assert_non_null(port);
	/* The same server: libcurl takes whatever ends with .localhost for this machine. */
	(void)snprintf(url, sizeof(url), "https://evil.localhost%s" DISCOVERY, port);
	assert_false(get(trusting(), url));
	assert_non_null(strstr(error, "certificate"));
}

static void nothing_but_https_is_spoken(void **state)
{
	char url[256];
	const char *const others[] = { "file:///etc/passwd",  "http://localhost:1/", "ftp://localhost/",
				       "gopher://localhost/", "dict://localhost/",   "localhost" };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)snprintf(url, sizeof(url), "%s", others[i]);
		if (get(trusting(), url))
			fail_msg("%s was answered", others[i]);
		assert_string_equal(body, "");
	}
}

static void a_redirect_is_not_followed(void **state)
{
	(void)state;
	(void)stage_control(
		"fault", "{'endpoint':'discovery','status':302,'body':'','headers':{'Location':'%s/oauth2/v1/keys'}}",
		stage.issuer);
	assert_true(get(trusting(), DISCOVERY));
	assert_int_equal(last.status, 302);
	assert_string_equal(body, "");
	stage_settle();
}

static void too_large_an_answer_is_no_answer(void **state)
{
	struct http_request request = trusting();
	size_t length;

	(void)state;
	assert_true(get(trusting(), DISCOVERY));
	length = last.length;
	request.max_bytes = length;
	assert_true(get(request, DISCOVERY));
	request.max_bytes = length - 1;
	assert_false(get(request, DISCOVERY));
	assert_string_equal(error, "the answer is too large");
	(void)stage_control("fault", "{'endpoint':'discovery','oversize':3000000}");
	assert_false(get(trusting(), DISCOVERY));
	assert_string_equal(error, "the answer is too large");
}

/* It was not asked for, and is not undone: what is decompressed has no size of its own. */
static void an_encoded_answer_is_left_as_it_is(void **state)
{
	(void)state;
	(void)stage_control("fault", "{'endpoint':'discovery','headers':{'Content-Encoding':'gzip'}}");
	assert_true(get(trusting(), DISCOVERY));
	assert_int_equal(body[0], '{');
}

static void half_an_answer_is_no_answer(void **state)
{
	(void)state;
	(void)stage_control("fault", "{'endpoint':'discovery','truncate':40}");
	assert_false(get(trusting(), DISCOVERY));
	assert_string_not_equal(error, "");
}

static void a_reset_is_no_answer(void **state)
{
	(void)state;
	(void)stage_control("fault", "{'endpoint':'discovery','reset':true,'times':-1}");
	assert_false(get(trusting(), DISCOVERY));
	assert_string_not_equal(error, "");
}

static void the_environments_proxies_are_not_asked(void **state)
{
	(void)state;
	(void)setenv("https_proxy", "http://127.0.0.1:1", 1);
	(void)setenv("HTTPS_PROXY", "http://127.0.0.1:1", 1);
	(void)setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	assert_true(get(trusting(), DISCOVERY));
	(void)unsetenv("https_proxy");
	(void)unsetenv("HTTPS_PROXY");
	(void)unsetenv("ALL_PROXY");
}

static void a_configured_proxy_is_asked_even_against_no_proxy(void **state)
{
	struct http_request request = trusting();

	(void)state;
	(void)setenv("no_proxy", "localhost", 1);
	request.proxy = "http://127.0.0.1:1";
	assert_false(get(request, DISCOVERY));
	(void)unsetenv("no_proxy");
}

#define NO_RESET "'X-Rate-Limit-Reset':null,"

static void headers_about_time_are_read(void **state)
{
	static const struct {
		const char *headers;
		bool forbidden;
		int64_t max_age_s, reset, retry_after_s;
	} rows[] = {
		{ NO_RESET "'Cache-Control':'max-age=60'", false, 60, 0, 0 },
		{ NO_RESET "'Cache-Control':'public, Max-Age=7, must-revalidate'", false, 7, 0, 0 },
		{ NO_RESET "'Cache-Control':'no-store, max-age=60'", true, 60, 0, 0 },
		{ NO_RESET "'Cache-Control':'no-cache'", true, -1, 0, 0 },
		{ NO_RESET "'Cache-Control':'max-age=-5'", false, -1, 0, 0 },
		{ NO_RESET "'Cache-Control':'max-age=99999999999999999999'", false, -1, 0, 0 },
		{ NO_RESET "'Cache-Control':'s-maxage=5'", false, -1, 0, 0 },
		{ NO_RESET "'Cache-Control':null", false, -1, 0, 0 },
		{ "'Cache-Control':null,'X-Rate-Limit-Reset':'1700000000'", false, -1, 1700000000, 0 },
		{ NO_RESET "'Cache-Control':null,'Retry-After':'120'", false, -1, 0, 120 },
		{ NO_RESET "'Cache-Control':null,'Retry-After':'Fri, 31 Dec 1999 23:59:59 GMT'", false, -1, 0, 0 },
		{ "'Cache-Control':null,'Retry-After':'-1','X-Rate-Limit-Reset':'soon'", false, -1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)stage_control("fault", "{'endpoint':'discovery','headers':{%s}}", rows[i].headers);
		assert_true(get(trusting(), DISCOVERY));
		if (last.cache_forbidden != rows[i].forbidden || last.max_age_s != rows[i].max_age_s ||
		    last.rate_limit.reset_s != rows[i].reset || last.retry_after_s != rows[i].retry_after_s)
			fail_msg("%s: %d %lld %lld %lld", rows[i].headers, last.cache_forbidden,
				 (long long)last.max_age_s, (long long)last.rate_limit.reset_s,
				 (long long)last.retry_after_s);
	}
}

static void the_issuers_rate_limit_is_read(void **state)
{
	(void)state;
	(void)stage_control("fault", "{'endpoint':'discovery','headers':{'X-Rate-Limit-Limit':'2000',"
				     "'X-Rate-Limit-Remaining':'1990','X-Rate-Limit-Reset':'1700000000'}}");
	assert_true(get(trusting(), DISCOVERY));
	assert_int_equal(last.rate_limit.limit, 2000);
	assert_int_equal(last.rate_limit.remaining, 1990);
	assert_int_equal(last.rate_limit.reset_s, 1700000000);
	/* The next answer over the same connection begins anew. */
	assert_true(get(trusting(), DISCOVERY));
	assert_int_equal(last.rate_limit.limit, 0);
	assert_int_equal(last.rate_limit.reset_s, 0);
	(void)stage_control("fault", "{'endpoint':'discovery','headers':{'X-Rate-Limit-Limit':'2000',"
				     "'X-Rate-Limit-Remaining':'2001'}}");
	assert_true(get(trusting(), DISCOVERY));
	assert_int_equal(last.rate_limit.limit, 0);
}

/* The issuer's last request at that endpoint; the server on the stage makes some of its own. */
static const json_t *last_request_to(const char *endpoint)
{
	const json_t *requests = json_object_get(stage_control("state", "{}"), "last_requests");

	for (size_t i = json_array_size(requests); i > 0; i--) {
		const json_t *seen = json_array_get(requests, i - 1);

		if (strcmp(json_string_value(json_object_get(seen, "endpoint")), endpoint) == 0)
			return seen;
	}
	return NULL;
}

static void a_form_is_posted_with_its_authorization(void **state)
{
	struct http_request request = trusting();
	const json_t *seen;

	(void)state;
	request.form = "client_id=clinic-app&scope=openid";
	assert_true(get(request, "/oauth2/v1/device/authorize"));
	assert_int_equal(last.status, 200);
	request.form = NULL;
	request.authorization = "Bearer made-up";
	assert_true(get(request, "/oauth2/v1/userinfo"));
	assert_int_equal(last.status, 401);
	seen = last_request_to("userinfo");
	assert_non_null(seen);
	assert_string_equal(json_string_value(json_object_get(seen, "method")), "GET");
}

static void connections_are_kept_for_the_next_request(void **state)
{
	json_int_t before, after;

	(void)state;
	assert_true(get(trusting(), DISCOVERY));
	before = json_integer_value(json_object_get(stage_control("state", "{}"), "connections"));
	for (int i = 0; i < 5; i++)
		assert_true(get(trusting(), DISCOVERY));
	after = json_integer_value(json_object_get(stage_control("state", "{}"), "connections"));
	assert_int_equal(before, after);
}

static void nobody_is_called_once_it_is_cancelled(void **state)
{
	struct http_request request = trusting();
	struct http_transfer *transfer;
	char url[512];

	(void)state;
	(void)stage_control("fault", "{'endpoint':'discovery','delay_ms':50,'times':2}");
	(void)snprintf(url, sizeof(url), "%s" DISCOVERY, stage.issuer);
	request.url = url;
	request.max_bytes = 100000;
	told = false;
	transfer = http_start(stage.http, &request, note_answer, NULL);
	http_cancel(transfer);
	transfer = http_start(stage.http, &request, note_answer, NULL);
	stage_settle();
	http_cancel(told ? NULL : transfer);
	told = false;
	http_cancel(NULL);
	stage_settle();
	stage_settle();
	assert_false(told);
}

static struct http_transfer *others[2];

static void cancel_the_other(void *context, const struct http_response *response)
{
	int own = *(int *)context;

	(void)response;
	others[own] = NULL;
	http_cancel(others[1 - own]);
	others[1 - own] = NULL;
	told = true;
}

static void a_callback_may_cancel_another_that_is_done_as_well(void **state)
{
	static int numbers[] = { 0, 1 };
	struct http_request request = { .url = "http://localhost/", .max_bytes = 10 };

	(void)state;
	told = false;
	/* Both end at once, because http is not spoken. */
	for (int i = 0; i < 2; i++) {
		others[i] = http_start(stage.http, &request, cancel_the_other, &numbers[i]);
		assert_non_null(others[i]);
	}
	assert_true(stage_run_until(is_told, NULL));
	stage_settle();
	assert_null(others[0]);
	assert_null(others[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin_scene, stage_end_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_whole),
		TEST(an_answer_tells_the_time_and_how_long_the_certificate_is_good),
		TEST(what_kept_an_answer_from_coming_is_told_apart),
		TEST(an_unknown_authority_is_not_trusted),
		TEST(a_certificate_for_another_name_is_not_trusted),
		TEST(nothing_but_https_is_spoken),
		TEST(a_redirect_is_not_followed),
		TEST(too_large_an_answer_is_no_answer),
		TEST(an_encoded_answer_is_left_as_it_is),
		TEST(half_an_answer_is_no_answer),
		TEST(a_reset_is_no_answer),
		TEST(the_environments_proxies_are_not_asked),
		TEST(a_configured_proxy_is_asked_even_against_no_proxy),
		TEST(headers_about_time_are_read),
		TEST(the_issuers_rate_limit_is_read),
		TEST(a_form_is_posted_with_its_authorization),
		TEST(connections_are_kept_for_the_next_request),
		TEST(nobody_is_called_once_it_is_cancelled),
		TEST(a_callback_may_cancel_another_that_is_done_as_well),
	};

	return stage_here(false) ? cmocka_run_group_tests(tests, stage_open, stage_close) : 0;
}
