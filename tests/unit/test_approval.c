/*
 * The wait for an approval in a dry run: as a sign-in would go, up to an identity, with a finding for whatever comes of
 * it. What the answers mean is tested with real programs too (tests/e2e/test_probe.py).
 */
#include "pam_oidc/approval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "pam_oidc/dry_run.h"
#include "tests/daemon/stage.h"

static struct {
	struct dry_run *run;
	char findings[4096]; /* "item level" in lines, from the approval on */
	char last[FINDING_TEXT_MAX];
	char code[64], email[64];
	int shown, over;
	bool all_good;
} seen;

static void note_finding(void *context, const struct finding *finding)
{
	size_t used = strlen(seen.findings);

	(void)context;
	(void)snprintf(seen.last, sizeof(seen.last), "%s", finding->text);
	if (seen.shown > 0)
		(void)snprintf(seen.findings + used, sizeof(seen.findings) - used, "%s %s\n", finding->item,
			       finding_level_name(finding->level));
}

static void note_code(void *context, const struct tenant *tenant, const struct device_authorization *authorization)
{
	(void)context;
	assert_string_equal(tenant->name, "clinic");
	(void)snprintf(seen.code, sizeof(seen.code), "%s", authorization->user_code);
	seen.shown++;
}

static void note_identity(void *context, const struct tenant *tenant, const struct identity *identity)
{
	(void)context;
	assert_string_equal(tenant->name, "clinic");
	(void)snprintf(seen.email, sizeof(seen.email), "%s", identity->email ? identity->email : "none");
}

static void note_end(void *context, bool all_good)
{
	(void)context;
	seen.over++;
	seen.run = NULL;
	seen.all_good = all_good;
}

static bool is_shown_or_over(void *context)
{
	(void)context;
	return seen.shown > 0 || seen.over > 0;
}

static bool is_over(void *context)
{
	(void)context;
	return seen.over > 0;
}

/* Up to the code. */
static void begin(void)
{
	static const struct dry_run_options options = { .code = true };
	const struct dry_run_events events = {
		.found = note_finding, .show = note_code, .identified = note_identity, .done = note_end
	};

	memset(&seen, 0, sizeof(seen));
	seen.run = dry_run_start(stage.loop, stage.realm, &options, &events);
	assert_non_null(seen.run);
	assert_true(stage_run_until(is_shown_or_over, NULL));
	assert_int_equal(seen.shown, 1);
}

/* Puts the clock forward by polls and pauses until it is over. */
static void until_over(void)
{
	for (int i = 0; i < 20 && seen.over == 0; i++) {
		stage_advance(5100);
		stage_settle();
	}
	assert_true(stage_run_until(is_over, NULL));
	assert_int_equal(seen.over, 1);
}

#define ALL_GOOD "approval good\ntoken good\nemail good\nemail_verified good\ngroups good\namr good\n"

static void an_approval_ends_with_who_it_was(void **state)
{
	(void)state;
	begin();
	stage_settle();
	assert_int_equal(seen.over, 0);
	stage_approve("alice", seen.code);
	until_over();
	assert_true(seen.all_good);
	assert_string_equal(seen.findings, ALL_GOOD);
	assert_string_equal(seen.email, "alice@clinic.example");
}

static void a_poll_is_not_sent_before_its_time(void **state)
{
	(void)state;
	begin();
	stage_settle();
	assert_int_equal(stage_requests("token"), 0);
	stage_advance(5100);
	stage_await_requests("token", 1);
	stage_settle();
	assert_int_equal(stage_requests("token"), 1);
	dry_run_cancel(seen.run);
}

static void keys_that_were_rotated_meanwhile_are_fetched_once_more(void **state)
{
	(void)state;
	begin();
	(void)stage_control("rotate_keys", "{'keep_old':false}");
	stage_approve("alice", seen.code);
	until_over();
	assert_true(seen.all_good);
	assert_string_equal(seen.findings, ALL_GOOD);
}

static void an_issuer_that_stumbles_is_asked_again(void **state)
{
	(void)state;
	begin();
	(void)stage_control("settings", "{'thin':true}");
	(void)stage_control("fault", "{'endpoint':'token','row':'server_error_500','times':2}");
	(void)stage_control("fault", "{'endpoint':'userinfo','row':'unavailable_503','times':2}");
	stage_approve("alice", seen.code);
	until_over();
	assert_true(seen.all_good);
	assert_string_equal(seen.findings, "approval good\ntoken good\nuserinfo good\nemail good\nemail_verified good\n"
					   "groups good\namr good\n");
}

static void one_that_never_answers_is_given_up(void **state)
{
	(void)state;
	begin();
	(void)stage_control("settings", "{'thin':true}");
	(void)stage_control("fault", "{'endpoint':'userinfo','row':'unavailable_503','times':-1}");
	stage_approve("alice", seen.code);
	until_over();
	assert_false(seen.all_good);
	assert_string_equal(seen.findings, "approval good\ntoken good\nuserinfo bad\n");
	assert_string_equal(seen.email, "");
}

static void a_code_that_nobody_approves_expires(void **state)
{
	(void)state;
	begin();
	stage_advance(601 * 1000);
	assert_true(stage_run_until(is_over, NULL));
	assert_false(seen.all_good);
	assert_string_equal(seen.findings, "approval bad\n");
	assert_non_null(strstr(seen.last, "expired"));
}

static void one_that_is_skipped_leaves_the_rest_good(void **state)
{
	(void)state;
	begin();
	dry_run_skip_approval(seen.run);
	assert_int_equal(seen.over, 1);
	assert_true(seen.all_good);
	assert_string_equal(seen.findings, "approval warning\n");
}

static void one_that_is_cancelled_tells_nobody_and_asks_no_more(void **state)
{
	long polls;

	(void)state;
	begin();
	stage_advance(5100);
	stage_await_requests("token", 1);
	stage_settle();
	polls = stage_requests("token");
	dry_run_cancel(seen.run);
	stage_approve("alice", seen.code);
	for (int i = 0; i < 3; i++) {
		stage_advance(5100);
		stage_settle();
	}
	assert_int_equal(stage_requests("token"), polls);
	assert_int_equal(seen.over, 0);
	assert_string_equal(seen.findings, "");
}

static void nothing_is_skipped_where_nothing_is_waited_for(void **state)
{
	static const struct dry_run_options options = { .code = true };
	const struct dry_run_events events = { .found = note_finding, .done = note_end };

	(void)state;
	memset(&seen, 0, sizeof(seen));
	seen.run = dry_run_start(stage.loop, stage.realm, &options, &events);
	dry_run_skip_approval(seen.run);
	assert_int_equal(seen.over, 0);
	assert_true(stage_run_until(is_over, NULL));
	assert_true(seen.all_good);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin_scene, stage_end_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_approval_ends_with_who_it_was),
		TEST(a_poll_is_not_sent_before_its_time),
		TEST(keys_that_were_rotated_meanwhile_are_fetched_once_more),
		TEST(an_issuer_that_stumbles_is_asked_again),
		TEST(one_that_never_answers_is_given_up),
		TEST(a_code_that_nobody_approves_expires),
		TEST(one_that_is_skipped_leaves_the_rest_good),
		TEST(one_that_is_cancelled_tells_nobody_and_asks_no_more),
		TEST(nothing_is_skipped_where_nothing_is_waited_for),
	};

	return stage_here(true) ? cmocka_run_group_tests(tests, stage_open, stage_close) : 0;
}
