/*
 * A sign-in with a real issuer while memory or system calls fail in pam_oidcd: it ends in an account that provisiond
 * has confirmed, in a refusal with a sentence, or in a hang-up. pam_oidcd goes on, and the next sign-in succeeds. And a
 * dry run, which comes to its end.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "failing_each.h"
#include "pam_oidc/dry_run.h"
#include "common/listen.h"
#include "tests/daemon/stage.h"

#define POLL_MS 5100 /* the usual interval, and the jitter */
#define STEP_MS 120000
#define STEPS 10 /* longer than any sign-in may wait */
#define STRIDE 5
#define NEXT_EVERY 4 /* after how many of them it is tried whether the next sign-in succeeds */

static const struct failing_manner manners[] = {
	{ "no memory, once", FAILING_MEMORY, ENOMEM, FAILING_ONCE },
	{ "no memory for JSON, once", FAILING_LIBRARY, ENOMEM, FAILING_ONCE },
	{ "an I/O error, once", FAILING_CALLS, EIO, FAILING_ONCE },
	{ "an interruption, once", FAILING_CALLS, EINTR, FAILING_ONCE },
	{ "no descriptors, once", FAILING_MAKING, EMFILE, FAILING_ONCE },
};

static bool has_something(void *context)
{
	const struct caller *caller = context;

	return caller->heard < caller->count || caller->closed;
}

/* The next message, NULL when the server hung up. However long it takes by the clock of the daemon. */
static const struct wire_message *hear_in_the_end(struct caller *caller)
{
	for (unsigned i = 0; i < STEPS && !has_something(caller); i++) {
		stage_settle();
		if (!has_something(caller))
			stage_advance(STEP_MS);
	}
	return caller_hear(caller);
}

static bool status_is(const struct wire_message *message, const char *status)
{
	const char *got = message ? wire_kind(message, "status") : NULL;

	return got && strcmp(got, status) == 0;
}

static void assert_ended_well(const struct wire_message *message)
{
	if (status_is(message, "admitted")) {
		assert_int_equal(stage.provisiond.admits, 1);
		assert_string_equal(wire_get(message, "ticket"), "0123456789abcdef");
		assert_string_equal(wire_get(message, "account"), "alice");
	} else if (message) {
		assert_true(status_is(message, "refused"));
		assert_non_null(wire_get(message, "reason"));
		assert_non_null(wire_get(message, "text"));
		assert_string_not_equal(wire_get(message, "reason"), "not_ours");
	}
	assert_in_range(stage.provisiond.admits, 0, 1);
}

/* Waits for the next word with calls failing, and approves and waits again when it is a code. True when a call failed.
 */
static bool sign_in(const struct failing_manner *manner, unsigned n)
{
	char code[64] = "";
	struct caller *caller = caller_signs_in("alice", "uid=2000200001");
	const struct wire_message *message;
	bool failed;

	stage.provisiond.admits = 0;
	if (manner)
		failing_arm(manner->kinds, n, manner->error, manner->times);
	message = hear_in_the_end(caller);
	if (status_is(message, "show")) {
		(void)snprintf(code, sizeof(code), "%s", wire_get(message, "code"));
		failing_hold();
		stage_approve("alice", code);
		stage_advance(POLL_MS);
		failing_release();
		message = hear_in_the_end(caller);
	}
	failed = failing_disarm();
	assert_ended_well(message);
	if (!manner)
		assert_true(status_is(message, "admitted"));
	caller_hang_up(caller);
	return failed;
}

static bool sign_in_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	bool failed;

	(void)context;
	(void)stage_begin_scene(NULL);
	failed = sign_in(manner, n);
	if (n / STRIDE % NEXT_EVERY == 0) {
		stage_advance(STEP_MS);
		(void)sign_in(NULL, 0);
	}
	(void)stage_end_scene(NULL);
	return failed;
}

static void a_sign_in_ends_rightly_or_in_a_refusal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		print_message("%s: %u calls\n", manners[i].name,
			      failing_some(sign_in_while_failing, NULL, &manners[i], STRIDE));
}

static void a_connection_that_cannot_be_waited_for_is_closed_and_the_log_says_why(void **state)
{
	struct caller *caller;

	(void)state;
	(void)stage_begin_scene(NULL);
	caller = caller_signs_in("alice", "uid=2000200001");
	failing_arm(FAILING_MAKING, 2, ENOSPC, FAILING_ONCE); /* the first accepts */
	assert_null(hear_in_the_end(caller));
	assert_true(failing_disarm());
	assert_string_equal(failing_call(), "epoll_ctl");
	assert_non_null(
		strstr(stage.log, "cannot wait for what a connection asks: fs.epoll.max_user_watches is reached"));
	caller_hang_up(caller);
	(void)sign_in(NULL, 0);
	(void)stage_end_scene(NULL);
}

/* Whoever connects must not be able to fill the log. */
static void of_many_such_connections_the_log_tells_some(void **state)
{
	unsigned lines = 0;

	(void)state;
	(void)stage_begin_scene(NULL);
	for (int i = 0; i < 2 * COMPLAINTS_PER_MINUTE; i++) {
		struct caller *caller = caller_signs_in("alice", "uid=2000200001");

		failing_arm(FAILING_MAKING, 2, ENOSPC, FAILING_ONCE);
		assert_null(hear_in_the_end(caller));
		assert_true(failing_disarm());
		caller_hang_up(caller);
	}
	for (const char *at = stage.log; (at = strstr(at, "cannot wait for what")); at++)
		lines++;
	assert_in_range(lines, 1, COMPLAINTS_PER_MINUTE);
	(void)stage_end_scene(NULL);
}

static void unexpected(void *context, const char *path, unsigned line, const char *message)
{
	(void)context;
	fail_msg("%s:%u: %s", path, line, message);
}

/* As at the start and at each reload. */
static bool make_realm_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	char text[1024];
	struct config *config = NULL;
	struct realm *realm;
	bool failed;

	(void)context;
	(void)snprintf(text, sizeof(text),
		       "[login]\nca_file = %s\n[tenant clinic]\nissuer = %s\ndomains = clinic.example\n"
		       "client_id = clinic-app\n",
		       stage.ca_file, stage.issuer);
	assert_true(config_parse("pam_oidc.conf", text, unexpected, NULL, &config));
	failing_arm(manner->kinds, n, manner->error, manner->times);
	realm = realm_create(stage.loop, stage.http, config, geteuid(), getegid());
	failed = failing_disarm();
	if (realm)
		assert_non_null(realm_provider(realm, "clinic"));
	realm_unref(realm);
	return failed;
}

static void a_configuration_is_in_force_whole_or_not_at_all(void **state)
{
	(void)state;
	(void)stage_begin_scene(NULL);
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		(void)failing_each(make_realm_while_failing, NULL, &manners[i]);
	(void)stage_end_scene(NULL);
}

/* --- a dry run with an approval --- */

static struct {
	char code[64];
	unsigned identified, over;
} probed;

static void ignore_finding(void *context, const struct finding *finding)
{
	(void)context;
	assert_string_not_equal(finding->item, "");
}

static void note_code(void *context, const struct tenant *tenant, const struct device_authorization *authorization)
{
	(void)context;
	(void)tenant;
	(void)snprintf(probed.code, sizeof(probed.code), "%s", authorization->user_code);
}

static void note_identity(void *context, const struct tenant *tenant, const struct identity *identity)
{
	(void)context;
	(void)tenant;
	assert_string_equal(identity->subject, "00u1alice0000000Clin");
	assert_string_not_equal(probed.code, "");
	probed.identified++;
}

static void note_end(void *context, bool all_good)
{
	(void)context;
	/* Good is only what was seen to its end. */
	assert_true(!all_good || probed.identified == 1);
	probed.over++;
}

static bool is_shown_or_over(void *context)
{
	(void)context;
	return probed.code[0] != '\0' || probed.over > 0;
}

static bool is_over(void *context)
{
	(void)context;
	return probed.over > 0;
}

static void run_for_long_until(bool (*holds)(void *context))
{
	for (unsigned i = 0; i < STEPS && !holds(NULL); i++) {
		stage_settle();
		if (!holds(NULL))
			stage_advance(STEP_MS);
	}
}

/* Approves when there is a code, as soon as a poll may come. */
static void approve_and_wait(void)
{
	run_for_long_until(is_shown_or_over);
	if (probed.code[0] != '\0' && probed.over == 0) {
		failing_hold();
		stage_approve("alice", probed.code);
		stage_advance(POLL_MS);
		failing_release();
	}
	run_for_long_until(is_over);
}

static bool probe_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	static const struct dry_run_options options = { .code = true };
	const struct dry_run_events events = {
		.found = ignore_finding, .show = note_code, .identified = note_identity, .done = note_end
	};
	bool failed, started;

	(void)context;
	(void)stage_begin_scene(NULL);
	memset(&probed, 0, sizeof(probed));
	failing_arm(manner->kinds, n, manner->error, manner->times);
	started = dry_run_start(stage.loop, stage.realm, &options, &events) != NULL;
	if (started)
		approve_and_wait();
	failed = failing_disarm();
	assert_int_equal(probed.over, started ? 1 : 0);
	assert_in_range(probed.identified, 0, 1);
	(void)stage_end_scene(NULL);
	return failed;
}

static void a_dry_run_comes_to_an_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		print_message("%s: %u calls\n", manners[i].name,
			      failing_some(probe_while_failing, NULL, &manners[i], STRIDE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_configuration_is_in_force_whole_or_not_at_all, say_where),
		cmocka_unit_test_teardown(a_sign_in_ends_rightly_or_in_a_refusal, say_where),
		cmocka_unit_test_teardown(a_connection_that_cannot_be_waited_for_is_closed_and_the_log_says_why,
					  say_where),
		cmocka_unit_test_teardown(of_many_such_connections_the_log_tells_some, say_where),
		cmocka_unit_test_teardown(a_dry_run_comes_to_an_end, say_where),
	};

	if (!stage_here(true))
		return 0;
	failing_open_doors();
	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
