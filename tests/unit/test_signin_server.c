/*
 * The sign-in server as its callers see it: sign-ins from the code to the ticket, who may ask what, what happens to
 * those who go away, come back, ask too often or talk nonsense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/reason.h"
#include "common/version.h"
#include "tests/daemon/stage.h"

#define POLL_MS 5100 /* the usual interval, and the jitter */
#define STRANGER 4242

static char code[64];

/* --- a sign-in --- */

static void a_code_is_shown_and_an_approval_admits(void **state)
{
	struct caller *caller = caller_signs_in("alice", "uid=2000200001");
	const struct wire_message *message = caller_hear_status(caller, "show");
	char expected[256], host[256] = "";
	long long number;
	uint32_t uid;

	(void)state;
	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(code, sizeof(code), "%s", wire_get(message, "code"));
	assert_int_equal(strlen(code), 8);
	(void)snprintf(expected, sizeof(expected), "%s/activate", stage.issuer);
	assert_string_equal(wire_get(message, "url"), expected);
	(void)snprintf(expected, sizeof(expected), "%s/activate?user_code=%s", stage.issuer, code);
	assert_string_equal(wire_get(message, "complete"), expected);
	assert_true(wire_get_number(message, "expires_in", 595, 600, &number));
	assert_string_equal(wire_get(message, "tenant"), "clinic");
	assert_string_equal(wire_get(message, "host"), host);
	assert_string_equal(wire_get(message, "resumed"), "0");
	assert_non_null(strstr(wire_get(message, "qr"), "\u2588"));

	stage_approve("alice", code);
	assert_int_equal(stage_requests("token"), 0);
	stage_advance(POLL_MS);
	message = caller_hear_status(caller, "admitted");
	assert_string_equal(wire_get(message, "account"), "alice");
	assert_true(wire_get_id(message, "uid", &uid));
	assert_int_equal(uid, 2000200001);
	assert_string_equal(wire_get(message, "ticket"), "0123456789abcdef");
	assert_string_equal(wire_get(message, "created"), "1");
	assert_string_equal(wire_get(message, "home"), "/home/alice");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
}

static void provisiond_is_told_all_that_was_verified(void **state)
{
	const char *lookup = stage.provisiond.lookup_asked, *admit = stage.provisiond.admit_asked;
	struct caller *caller = caller_shown("alice@clinic.example", "uid=2000200001", code, sizeof(code));

	(void)state;
	assert_string_equal(asked(lookup, "op"), "lookup");
	assert_string_equal(asked(lookup, "name"), "alice@clinic.example");
	assert_string_equal(asked(lookup, "purpose"), "login");
	assert_string_equal(asked(lookup, "service"), "sshd");
	assert_int_equal(stage.provisiond.admits, 0);
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	(void)caller_hear_status(caller, "admitted");
	assert_string_equal(asked(admit, "op"), "admit");
	assert_string_equal(asked(admit, "name"), "alice@clinic.example");
	assert_string_equal(asked(admit, "uid"), "2000200001");
	assert_string_equal(asked(admit, "tenant"), "clinic");
	assert_string_equal(asked(admit, "issuer"), stage.issuer);
	assert_string_equal(asked(admit, "client_id"), "clinic-app");
	assert_string_equal(asked(admit, "email"), "alice@clinic.example");
	assert_string_equal(asked(admit, "email_verified"), "true");
	assert_string_not_equal(asked(admit, "subject"), "");
	assert_string_not_equal(asked(admit, "full_name"), "");
	assert_string_not_equal(asked(admit, "auth_time"), "");
	assert_string_not_equal(asked(admit, "amr"), "");
	assert_non_null(strstr(admit, "\ngroup=Clinic IT\n"));
	assert_string_equal(asked(admit, "service"), "sshd");
	assert_string_equal(asked(admit, "rhost"), "198.51.100.7");
	assert_string_equal(asked(admit, "tty"), "ssh");
	assert_int_equal(stage.provisiond.lookups, 1);
	assert_int_equal(stage.provisiond.admits, 1);
	caller_hang_up(caller);
}

static void without_a_promised_uid_none_is_passed_on(void **state)
{
	struct caller *caller = caller_shown("alice", "", code, sizeof(code));

	(void)state;
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	(void)caller_hear_status(caller, "admitted");
	assert_string_equal(asked(stage.provisiond.admit_asked, "uid"), "");
	caller_hang_up(caller);
}

static void no_secret_and_no_code_is_logged(void **state)
{
	struct caller *caller = caller_shown("alice", "", code, sizeof(code));

	(void)state;
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	(void)caller_hear_status(caller, "admitted");
	assert_non_null(strstr(stage.log, "waiting for approval"));
	assert_non_null(strstr(stage.log, "admitted as alice"));
	assert_null(strstr(stage.log, code));
	assert_null(strstr(stage.log, "0123456789abcdef"));
	assert_null(strstr(stage.log, "eyJ"));
	caller_hang_up(caller);
}

static void the_screen_counts_the_applications_time_too(void **state)
{
	struct caller *caller = caller_connect(geteuid());
	const struct wire_message *message;
	long long number;

	(void)state;
	caller_say(caller, "op=login\nname=alice\nservice=login\ntty=tty1\nqr=none\ntimeout=55");
	message = caller_hear_status(caller, "show");
	assert_true(wire_get_number(message, "expires_in", 50, 55, &number));
	assert_string_equal(wire_get(message, "qr"), "");
	caller_hang_up(caller);
}

/* --- what the name stands for --- */

static void a_local_users_name_asks_nothing_of_the_issuer(void **state)
{
	struct caller *caller;

	(void)state;
	(void)strcpy(stage.provisiond.lookup, "status=not_ours");
	caller = caller_signs_in("carol", "");
	(void)caller_refused(caller, "not_ours");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
	assert_int_equal(stage_requests("device"), 0);
	assert_null(strstr(stage.log, "carol"));
}

static void a_refused_name_asks_nothing_of_the_issuer(void **state)
{
	struct caller *caller;

	(void)state;
	(void)strcpy(stage.provisiond.lookup, "status=refused\nreason=use_short_name\ntext=Sign in as alice.");
	caller = caller_signs_in("alice@clinic.example", "");
	assert_string_equal(caller_refused(caller, "use_short_name"), "Sign in as alice.");
	caller_hang_up(caller);
	(void)strcpy(stage.provisiond.lookup, "status=refused\nreason=deactivated");
	caller = caller_signs_in("alice", "");
	assert_string_equal(caller_refused(caller, "deactivated"), reason_sentence(REASON_DEACTIVATED));
	caller_hang_up(caller);
	assert_int_equal(stage_requests("device"), 0);
}

static void a_name_that_resolves_to_another_uid_is_refused(void **state)
{
	struct caller *caller = caller_signs_in("alice", "uid=1000");

	(void)state;
	(void)caller_refused(caller, "uid_changed");
	caller_hang_up(caller);
	(void)strcpy(stage.provisiond.lookup, "status=entry\nkind=active\naccount=alice\ntenant=clinic");
	caller = caller_signs_in("alice", "uid=1000");
	(void)caller_refused(caller, "uid_changed");
	caller_hang_up(caller);
	assert_int_equal(stage_requests("device"), 0);
}

static void a_tenant_that_is_not_configured_here_is_an_error(void **state)
{
	struct caller *caller;

	(void)state;
	(void)strcpy(stage.provisiond.lookup, "status=entry\naccount=alice\ntenant=lab\nuid=2000200001");
	caller = caller_signs_in("alice", "");
	(void)caller_refused(caller, "internal");
	caller_hang_up(caller);
}

static void a_provisiond_that_fails_is_said_to_be_down(void **state)
{
	static const enum provisiond_manner manners[] = { PROVISIOND_HANGS_UP, PROVISIOND_TALKS_GARBAGE,
							  PROVISIOND_SAYS_TOO_MUCH };
	struct caller *caller;

	(void)state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		stage.provisiond.lookup_manner = manners[i];
		caller = caller_signs_in("alice", "");
		(void)caller_refused(caller, "service_down");
		caller_hang_up(caller);
	}
	stage.provisiond.lookup_manner = PROVISIOND_ANSWERS;
	(void)strcpy(stage.provisiond.lookup, "status=unavailable");
	caller = caller_signs_in("alice", "");
	(void)caller_refused(caller, "service_down");
	caller_hang_up(caller);
	(void)unlink("provisiond.socket");
	caller = caller_signs_in("alice", "");
	(void)caller_refused(caller, "service_down");
	caller_hang_up(caller);
	assert_int_equal(stage_requests("device"), 0);
}

static void a_silent_provisiond_is_waited_for_two_seconds(void **state)
{
	struct caller *caller;

	(void)state;
	stage.provisiond.lookup_manner = PROVISIOND_IS_SILENT;
	caller = caller_signs_in("alice", "");
	stage_settle();
	stage_advance(1500);
	caller_hears_nothing(caller);
	stage_advance(600);
	(void)caller_refused(caller, "service_down");
	caller_hang_up(caller);
	stage_settle();
	assert_int_equal(stage.provisiond.open, 0);
}

static void a_name_that_must_resolve_and_does_not_is_a_mistake_in_the_configuration(void **state)
{
	struct caller *caller = caller_signs_in("alice", "must_resolve=1");

	(void)state;
	(void)caller_refused(caller, "misconfigured");
	caller_hang_up(caller);
	assert_non_null(strstr(stage.log, "/etc/nsswitch.conf"));
	assert_int_equal(stage_requests("device"), 0);
	caller = caller_shown("alice", "must_resolve=1\nuid=2000200001", NULL, 0);
	caller_hang_up(caller);
}

/* --- Okta or the password --- */

static const char choosing[] = "status=entry\nkind=active\naccount=alice\ntenant=clinic\nuid=2000200001\nfallback=1";

static struct caller *alice_chooses(void)
{
	struct caller *caller;

	(void)strcpy(stage.provisiond.lookup, choosing);
	caller = caller_signs_in("alice", "uid=2000200001");
	(void)caller_hear_status(caller, "choose");
	return caller;
}

static void who_may_use_the_password_is_asked_before_the_issuer_is(void **state)
{
	struct caller *caller = alice_chooses();

	(void)state;
	caller_hears_nothing(caller);
	assert_int_equal(stage_requests("device"), 0);
	caller_say(caller, "op=continue");
	(void)snprintf(code, sizeof(code), "%s", wire_get(caller_hear_status(caller, "show"), "code"));
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	(void)caller_hear_status(caller, "admitted");
	caller_hang_up(caller);
	assert_int_equal(stage_requests("device"), 1);
}

static void who_types_the_password_costs_no_code(void **state)
{
	struct caller *caller = alice_chooses();

	(void)state;
	caller_hang_up(caller);
	stage_settle();
	assert_int_equal(stage_requests("device"), 0);
	assert_non_null(strstr(stage.log, "did not choose Okta"));
	assert_null(strstr(stage.log, "went away"));
}

/* Both ends count the time; the module need not take an answer that comes when it has ended. */
static void who_hangs_up_when_the_answer_comes_did_no_wrong(void **state)
{
	struct caller *caller = alice_chooses();

	(void)state;
	caller_reads_no_more(caller);
	caller_say(caller, "op=continue");
	stage_settle();
	assert_int_equal(stage_requests("device"), 1);
	caller_hang_up(caller);
	stage_settle();
	assert_non_null(strstr(stage.log, "went away"));
	assert_null(strstr(stage.log, "disconnected"));
	/* The same, seen only when it sends. */
	caller = alice_chooses();
	caller_takes_no_more(caller);
	stage_advance(901 * 1000);
	stage_settle();
	assert_null(strstr(stage.log, "disconnected"));
	caller_hang_up(caller);
}

static void a_choice_that_is_not_made_ends_with_the_application_s_time(void **state)
{
	struct caller *caller = alice_chooses();

	(void)state;
	stage_advance(900 * 1000 - 1000);
	caller_hears_nothing(caller);
	stage_advance(1001);
	(void)caller_refused(caller, "not_answered");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
	assert_int_equal(stage_requests("device"), 0);
}

static void a_choice_holds_a_place_and_is_no_start(void **state)
{
	struct caller *callers[2], *caller, *root;

	(void)state;
	stage_restart("max_pending_per_account = 2\nmax_starts_per_minute = 1", "");
	for (int i = 0; i < 2; i++)
		callers[i] = alice_chooses();
	root = caller_connect(geteuid());
	caller_say(root, "op=pending");
	assert_string_equal(wire_get(caller_hear_status(root, "signin"), "state"), "choice");
	caller_hang_up(root);
	/* Who has no place has the password all the same. */
	caller = caller_signs_in("alice", "uid=2000200001");
	assert_string_equal(wire_get(caller_hear_status(caller, "refused"), "password_instead"), "1");
	caller_hang_up(caller);
	caller_say(callers[0], "op=continue");
	(void)caller_hear_status(callers[0], "show");
	caller_say(callers[1], "op=continue");
	(void)caller_refused(callers[1], "limit");
	caller_hang_up(callers[0]);
	caller_hang_up(callers[1]);
}

static void the_choice_comes_before_all_that_only_matters_to_okta(void **state)
{
	struct caller *caller;

	(void)state;
	stage_restart("", "remote_from = 203.0.113.0/24");
	caller = alice_chooses();
	caller_say(caller, "op=continue");
	(void)caller_refused(caller, "remote_from");
	caller_hang_up(caller);
	assert_int_equal(stage_requests("device"), 0);
}

static void an_email_has_no_local_password(void **state)
{
	struct caller *caller;

	(void)state;
	(void)strcpy(stage.provisiond.lookup, choosing);
	caller = caller_shown("alice@clinic.example", "", NULL, 0);
	caller_hang_up(caller);
	(void)strcpy(stage.provisiond.lookup, "status=entry\naccount=alice\ntenant=clinic\nuid=2000200001\nfallback=0");
	caller = caller_shown("alice", "", NULL, 0);
	caller_hang_up(caller);
}

static void to_go_on_where_there_was_no_choice_ends_the_connection(void **state)
{
	struct caller *caller = caller_shown("alice", "", NULL, 0);

	(void)state;
	caller_say(caller, "op=continue");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
	caller = caller_connect(geteuid());
	caller_say(caller, "op=continue");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
	/* Nor is a choice parked, or taken for Enter. */
	caller = alice_chooses();
	caller_say(caller, "op=ready");
	caller_hears_nothing(caller);
	caller_say(caller, "op=park");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
}

/* --- Enter --- */

static struct caller *alice_waits_for_enter(void)
{
	struct caller *caller = caller_connect(geteuid());

	caller_say(caller, "op=login\nname=alice\nservice=sshd\nqr=none\nwait=enter\ntimeout=100");
	(void)snprintf(code, sizeof(code), "%s", wire_get(caller_hear_status(caller, "show"), "code"));
	return caller;
}

static void with_wait_enter_an_approval_admits_nobody_before_enter(void **state)
{
	struct caller *caller = alice_waits_for_enter(), *root;

	(void)state;
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	stage_await_requests("token", 1);
	caller_hears_nothing(caller);
	assert_int_equal(stage.provisiond.admits, 0);
	root = caller_connect(geteuid());
	caller_say(root, "op=pending");
	assert_string_equal(wire_get(caller_hear_status(root, "signin"), "state"), "approved");
	caller_hang_up(root);
	caller_say(caller, "op=ready");
	(void)caller_hear_status(caller, "admitted");
	caller_hang_up(caller);
	assert_int_equal(stage_requests("token"), 1);
}

static void enter_may_come_before_the_approval(void **state)
{
	struct caller *caller = alice_waits_for_enter();

	(void)state;
	caller_say(caller, "op=ready");
	caller_hears_nothing(caller);
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	(void)caller_hear_status(caller, "admitted");
	caller_hang_up(caller);
}

static void without_enter_the_applications_time_runs_out(void **state)
{
	struct caller *caller = alice_waits_for_enter();

	(void)state;
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	stage_await_requests("token", 1);
	stage_advance(100000);
	(void)caller_refused(caller, "expired");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
	assert_int_equal(stage.provisiond.admits, 0);
}

static void who_hangs_up_instead_of_pressing_enter_is_not_admitted(void **state)
{
	struct caller *caller = alice_waits_for_enter();

	(void)state;
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	stage_await_requests("token", 1);
	caller_hang_up(caller);
	stage_settle();
	assert_int_equal(stage.provisiond.admits, 0);
	assert_int_equal(stage.provisiond.open, 0);
}

/* --- who may ask --- */

static struct caller *stranger_signs_in(void)
{
	struct caller *caller = caller_connect(STRANGER);

	caller_say(caller, "op=login\nname=alice\nservice=sudo\ntty=pts/0\nqr=none\ntimeout=60");
	return caller;
}

static void another_user_may_sign_in_to_its_own_account_only(void **state)
{
	struct caller *caller;

	(void)state;
	caller = stranger_signs_in();
	(void)caller_refused(caller, "not_ours");
	caller_hang_up(caller);
	(void)strcpy(stage.provisiond.lookup, "status=refused\nreason=deactivated\ntext=She has left.");
	caller = stranger_signs_in();
	assert_string_equal(caller_refused(caller, "not_ours"), "");
	caller_hang_up(caller);
	(void)strcpy(stage.provisiond.lookup, "status=entry\naccount=alice\ntenant=clinic");
	caller = stranger_signs_in();
	(void)caller_refused(caller, "not_ours");
	caller_hang_up(caller);
	assert_int_equal(stage_requests("device"), 0);
	(void)strcpy(stage.provisiond.lookup, "status=entry\naccount=alice\ntenant=clinic\nuid=4242");
	caller = stranger_signs_in();
	(void)caller_hear_status(caller, "show");
	caller_hang_up(caller);
}

static void roots_questions_are_for_root_alone(void **state)
{
	static const char *const questions[] = { "op=pending", "op=cancel\nid=1", "op=check", "op=park" };

	(void)state;
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		struct caller *caller = caller_connect(STRANGER);

		caller_say(caller, "%s", questions[i]);
		caller_hung_up_on(caller);
		caller_hang_up(caller);
	}
	assert_int_equal(stage_requests("device"), 0);
}

static void another_user_can_neither_park_nor_resume(void **state)
{
	struct caller *caller, *next;

	(void)state;
	(void)strcpy(stage.provisiond.lookup, "status=entry\naccount=alice\ntenant=clinic\nuid=4242");
	caller = caller_connect(STRANGER);
	caller_say(caller, "op=login\nname=alice\nservice=lock\nrhost=198.51.100.7\nqr=none\ntimeout=60\nparent=7:8");
	(void)caller_hear_status(caller, "show");
	caller_say(caller, "op=park");
	caller_hung_up_on(caller);
	caller_hang_up(caller);

	caller = caller_shown("alice", "parent=7:8", NULL, 0);
	caller_say(caller, "op=park");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
	next = caller_connect(STRANGER);
	caller_say(next, "op=login\nname=alice\nservice=lock\nrhost=198.51.100.7\nqr=none\ntimeout=60\nparent=7:8");
	assert_string_equal(wire_get(caller_hear_status(next, "show"), "resumed"), "0");
	caller_hang_up(next);
}

static void another_user_has_sixteen_connections_at_most(void **state)
{
	struct caller *callers[17], *root;

	(void)state;
	for (int i = 0; i < 17; i++)
		callers[i] = caller_connect(STRANGER);
	caller_hung_up_on(callers[16]);
	for (int i = 0; i < 16; i++)
		assert_false(callers[i]->closed);
	root = caller_connect(0);
	caller_say(root, "op=pending");
	(void)caller_hear_status(root, "end");
	caller_hang_up(root);
	for (int i = 0; i < 17; i++)
		caller_hang_up(callers[i]);
}

static void another_user_can_neither_name_a_host_nor_pose_as_sshd(void **state)
{
	static const char *const services[] = { "sshd", "", "a b", "x\x1b[2J", "(sshd from 192.0.2.1)" };
	struct caller *caller, *root;

	(void)state;
	(void)strcpy(stage.provisiond.lookup, "status=entry\naccount=alice\ntenant=clinic\nuid=4242");
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		caller = caller_connect(STRANGER);
		caller_say(caller, "op=login\nname=alice\nservice=%s\nqr=none\ntimeout=60", services[i]);
		caller_hung_up_on(caller);
		caller_hang_up(caller);
	}
	caller = caller_connect(STRANGER);
	caller_say(caller, "op=login\nname=alice\nservice=lock\nrhost=192.0.2.1\nqr=none\ntimeout=60");
	(void)caller_hear_status(caller, "show");
	root = caller_connect(0);
	caller_say(root, "op=pending");
	assert_string_equal(wire_get(caller_hear_status(root, "signin"), "rhost"), "");
	caller_hang_up(root);
	caller_hang_up(caller);
}

static void another_user_uses_up_neither_the_starts_of_a_host_nor_its_places(void **state)
{
	struct caller *callers[3], *caller;

	(void)state;
	stage_restart("max_pending_per_address = 2\nmax_pending_per_account = 2\nmax_starts_per_minute = 3", "");
	(void)strcpy(stage.provisiond.lookup, "status=entry\naccount=alice\ntenant=clinic\nuid=4242");
	for (int i = 0; i < 3; i++) {
		callers[i] = caller_connect(STRANGER);
		caller_say(callers[i], "op=login\nname=alice\nservice=lock\nrhost=198.51.100.7\nqr=none\ntimeout=60");
		if (i < 2)
			(void)caller_hear_status(callers[i], "show");
		else
			(void)caller_refused(callers[i], "limit");
	}
	/* The same name from the same host, over SSH. */
	caller = caller_shown("alice", "", NULL, 0);
	caller_hang_up(caller);
	for (int i = 0; i < 3; i++)
		caller_hang_up(callers[i]);
	stage_settle();
	caller = caller_connect(STRANGER);
	caller_say(caller, "op=login\nname=alice\nservice=lock\nqr=none\ntimeout=60");
	(void)caller_hear_status(caller, "show");
	caller_hang_up(caller);
	caller = caller_connect(STRANGER);
	caller_say(caller, "op=login\nname=alice\nservice=lock\nqr=none\ntimeout=60");
	(void)caller_refused(caller, "limit");
	caller_hang_up(caller);
	assert_int_equal(stage_requests("device"), 4);
}

static void whoever_calls_su_uses_up_their_own_places_and_not_the_consoles(void **state)
{
	static const char su[] = "op=login\nname=alice\nservice=su\ntty=pts/0\nqr=none\ntimeout=60\nstarted_by=%d";
	struct caller *callers[2], *caller;

	(void)state;
	stage_restart("max_pending_per_account = 2", "");
	for (int i = 0; i < 2; i++) {
		callers[i] = caller_connect(0);
		caller_say(callers[i], su, STRANGER);
		(void)caller_hear_status(callers[i], "show");
	}
	caller = caller_connect(0);
	caller_say(caller, su, STRANGER);
	(void)caller_refused(caller, "limit");
	caller_hang_up(caller);
	caller = caller_connect(0);
	caller_say(caller, su, STRANGER + 1);
	(void)caller_hear_status(caller, "show");
	caller_hang_up(caller);
	for (int i = 0; i < 3; i++) {
		caller = caller_connect(0);
		caller_say(caller, "op=login\nname=alice\nservice=login\ntty=tty1\nqr=none\ntimeout=60");
		(void)caller_hear_status(caller, "show");
		caller_hang_up(caller);
	}
	caller_hang_up(callers[0]);
	caller_hang_up(callers[1]);
}

static void provisiond_hears_on_whose_behalf_it_is_asked(void **state)
{
	struct caller *caller;

	(void)state;
	caller = stranger_signs_in();
	(void)caller_refused(caller, "not_ours");
	caller_hang_up(caller);
	assert_string_equal(asked(stage.provisiond.lookup_asked, "caller"), "4242");
	caller = caller_shown("alice", "", NULL, 0);
	caller_hang_up(caller);
	assert_string_equal(asked(stage.provisiond.lookup_asked, "caller"), "");
}

/* --- what is no request --- */

static void whatever_is_not_in_the_table_ends_the_connection(void **state)
{
	static const char *const bad[] = {
		"op=",
		"op=admit\nname=alice",
		"op=LOGIN\nname=alice\nservice=sshd\nqr=none\ntimeout=60",
		"status=admitted",
		"op=park",
		"op=ready",
		"op=login",
		"op=login\nservice=sshd\nqr=none\ntimeout=60",
		"op=login\nname=alice\nqr=none\ntimeout=60",
		"op=login\nname=alice\nservice=sshd\nqr=none",
		"op=login\nname=alice\nservice=sshd\ntimeout=60",
		"op=login\nname=alice\nservice=sshd\nqr=png\ntimeout=60",
		"op=login\nname=alice\nservice=sshd\nqr=none\ntimeout=0",
		"op=login\nname=alice\nservice=sshd\nqr=none\ntimeout=-1",
		"op=login\nname=alice\nservice=sshd\nqr=none\ntimeout=1801",
		"op=login\nname=alice\nservice=sshd\nqr=none\ntimeout=soon",
		"op=login\nname=alice\nname=bob\nservice=sshd\nqr=none\ntimeout=60",
		"op=login\nname=alice\nservice=sshd\nqr=none\ntimeout=60\nuid=-1",
		"op=login\nname=alice\nservice=sshd\nqr=none\ntimeout=60\nuid=alice",
		"op=login\nname=alice\nservice=sshd\nqr=none\ntimeout=60\nuid=7\nuid=2000200001",
		"op=login\nname=alice\nservice=sshd\nqr=none\ntimeout=60\nrhost=\nrhost=198.51.100.7",
		"op=login\nname=alice\nservice=sshd\nqr=none\ntimeout=60\nparent=7:8\nparent=7:8",
		"op=login\nname=alice\nservice=sshd\nqr=none\ntimeout=60\nwait=enter\nwait=enter",
		"op=login\nname=alice\nservice=sshd\nqr=none\ntimeout=60\nmust_resolve=1\nmust_resolve=1",
		"op=cancel",
		"op=cancel\nid=0",
		"op=cancel\nid=x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct caller *caller = caller_connect(geteuid());
		const struct wire_message *message;

		caller_say(caller, "%s", bad[i]);
		message = caller_hear(caller);
		if (message)
			fail_msg("'%s' was answered with %s", bad[i], message->bytes);
		caller_hang_up(caller);
	}
	assert_int_equal(stage.provisiond.lookups, 0);
}

static void garbage_and_floods_end_the_connection(void **state)
{
	static char flood[65536];
	static const size_t lengths[] = { 4097, 65536 };
	struct caller *caller = caller_connect(geteuid());

	(void)state;
	caller_say_bytes(caller, "op=pending", 10); /* without NUL */
	caller_hung_up_on(caller);
	caller_hang_up(caller);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memset(flood, 'a', lengths[i]);
		memcpy(flood, "op=login", 9);
		memcpy(flood + 9, "name=", 5);
		flood[lengths[i] - 1] = '\0';
		caller = caller_connect(geteuid());
		caller_say_bytes(caller, flood, lengths[i]);
		caller_hung_up_on(caller);
		caller_hang_up(caller);
	}
	assert_non_null(strstr(stage.log, "it sent what is no message"));
}

static void who_says_nothing_is_hung_up_on_after_five_seconds(void **state)
{
	struct caller *caller = caller_connect(geteuid());

	(void)state;
	caller_hears_nothing(caller);
	stage_advance(4000);
	caller_hears_nothing(caller);
	stage_advance(1100);
	caller_hung_up_on(caller);
	caller_hang_up(caller);
}

static void a_connection_is_one_sign_in(void **state)
{
	struct caller *caller = caller_shown("alice", "", NULL, 0);

	(void)state;
	caller_say(caller, "op=login\nname=bob\nservice=sshd\nqr=none\ntimeout=60");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
}

/* --- going away --- */

static long count_pending(void)
{
	struct caller *caller = caller_connect(geteuid());
	const struct wire_message *message;
	long count = 0;

	caller_say(caller, "op=pending");
	while ((message = caller_hear(caller)) && strcmp(wire_kind(message, "status"), "signin") == 0)
		count++;
	assert_non_null(message);
	assert_string_equal(wire_kind(message, "status"), "end");
	caller_hang_up(caller);
	return count;
}

static void who_hangs_up_is_polled_for_no_more(void **state)
{
	struct caller *caller = caller_shown("alice", "", code, sizeof(code));

	(void)state;
	stage_advance(POLL_MS);
	caller_hears_nothing(caller);
	assert_int_equal(stage_requests("token"), 1);
	assert_int_equal(count_pending(), 1);
	caller_hang_up(caller);
	stage_settle();
	assert_int_equal(count_pending(), 0);
	stage_approve("alice", code);
	for (int i = 0; i < 5; i++) {
		stage_advance(POLL_MS);
		stage_settle();
	}
	assert_int_equal(stage_requests("token"), 1);
	assert_int_equal(stage.provisiond.admits, 0);
	assert_non_null(strstr(stage.log, "the person went away"));
}

static void who_hangs_up_in_the_middle_of_anything_leaves_nothing(void **state)
{
	struct caller *caller;

	(void)state;
	/* while provisiond thinks */
	stage.provisiond.lookup_manner = PROVISIOND_IS_SILENT;
	caller = caller_signs_in("alice", "");
	stage_settle();
	assert_int_equal(stage.provisiond.open, 1);
	caller_hang_up(caller);
	stage_settle();
	assert_int_equal(stage.provisiond.open, 0);
	stage.provisiond.lookup_manner = PROVISIOND_ANSWERS;
	/* while the issuer makes the code */
	(void)stage_control("fault", "{'endpoint':'device','delay_ms':300}");
	caller = caller_signs_in("alice", "");
	stage_settle();
	caller_hang_up(caller);
	stage_settle();
	/* while a poll is under way */
	caller = caller_shown("alice", "", code, sizeof(code));
	stage_approve("alice", code);
	(void)stage_control("fault", "{'endpoint':'token','delay_ms':300}");
	stage_advance(POLL_MS);
	stage_settle();
	caller_hang_up(caller);
	for (int i = 0; i < 8; i++)
		stage_settle();
	assert_int_equal(stage.provisiond.admits, 0);
	/* while provisiond makes the account */
	stage.provisiond.admit_manner = PROVISIOND_IS_SILENT;
	caller = caller_shown("alice", "", code, sizeof(code));
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	caller_hears_nothing(caller);
	while (stage.provisiond.admits == 0)
		stage_settle();
	assert_int_equal(stage.provisiond.open, 1);
	caller_hang_up(caller);
	stage_settle();
	assert_int_equal(stage.provisiond.open, 0);
	assert_int_equal(count_pending(), 0);
}

static void the_applications_time_ends_the_sign_in(void **state)
{
	struct caller *caller = caller_connect(geteuid());
	long polls;

	(void)state;
	caller_say(caller, "op=login\nname=alice\nservice=login\nqr=none\ntimeout=30");
	(void)caller_hear_status(caller, "show");
	stage_advance(29000);
	caller_hears_nothing(caller);
	stage_advance(1100);
	(void)caller_refused(caller, "expired");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
	polls = stage_requests("token");
	stage_advance(POLL_MS);
	stage_settle();
	assert_int_equal(stage_requests("token"), polls);
}

static void the_codes_life_ends_the_sign_in(void **state)
{
	struct caller *caller;

	(void)state;
	(void)stage_control("settings", "{'expires_in':20}");
	caller = caller_shown("alice", "", NULL, 0);
	stage_advance(20100);
	(void)caller_refused(caller, "expired");
	caller_hang_up(caller);
}

/* --- parking --- */

static void park(struct caller *caller)
{
	caller_say(caller, "op=park");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
}

static void a_parked_sign_in_is_resumed_by_the_same_sshds_next_attempt(void **state)
{
	const struct wire_message *message;
	struct caller *caller = caller_shown("alice", "uid=2000200001\nparent=7:8", code, sizeof(code));

	(void)state;
	park(caller);
	stage_advance(POLL_MS);
	stage_settle();
	assert_int_equal(stage_requests("token"), 0);
	assert_int_equal(count_pending(), 1);
	caller = caller_signs_in("alice", "uid=2000200001\nparent=7:8");
	message = caller_hear_status(caller, "show");
	assert_string_equal(wire_get(message, "resumed"), "1");
	assert_string_equal(wire_get(message, "code"), code);
	assert_int_equal(count_pending(), 1);
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	(void)caller_hear_status(caller, "admitted");
	assert_int_equal(stage_requests("device"), 1);
	assert_int_equal(stage.provisiond.lookups, 1);
	caller_hang_up(caller);
}

static void nobody_else_resumes_it(void **state)
{
	static const char *const others[] = {
		"op=login\nname=bob\nservice=sshd\nrhost=198.51.100.7\nqr=none\ntimeout=60\nparent=7:8",
		"op=login\nname=alice\nservice=sshd\nrhost=198.51.100.8\nqr=none\ntimeout=60\nparent=7:8",
		"op=login\nname=alice\nservice=sshd\nrhost=198.51.100.7\nqr=none\ntimeout=60\nparent=7:9",
		"op=login\nname=alice\nservice=sshd\nrhost=198.51.100.7\nqr=none\ntimeout=60",
	};

	(void)state;
	stage_restart("max_pending_per_account = 9", "");
	park(caller_shown("alice", "parent=7:8", code, sizeof(code)));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct caller *caller = caller_connect(geteuid());
		const struct wire_message *message;

		caller_say(caller, "%s", others[i]);
		message = caller_hear_status(caller, "show");
		assert_string_equal(wire_get(message, "resumed"), "0");
		assert_string_not_equal(wire_get(message, "code"), code);
		caller_hang_up(caller);
	}
}

static void a_parked_sign_in_is_given_up_after_ten_seconds(void **state)
{
	struct caller *caller = caller_shown("alice", "parent=7:8", code, sizeof(code));

	(void)state;
	park(caller);
	stage_advance(9000);
	stage_settle();
	assert_int_equal(count_pending(), 1);
	stage_advance(1100);
	stage_settle();
	assert_int_equal(count_pending(), 0);
	caller = caller_signs_in("alice", "parent=7:8");
	assert_string_equal(wire_get(caller_hear_status(caller, "show"), "resumed"), "0");
	caller_hang_up(caller);
}

static void a_parked_sign_in_ends_with_its_code(void **state)
{
	(void)state;
	(void)stage_control("settings", "{'expires_in':5}");
	park(caller_shown("alice", "parent=7:8", NULL, 0));
	stage_advance(5100);
	stage_settle();
	assert_int_equal(count_pending(), 0);
}

static void without_a_parent_or_a_code_nothing_is_parked(void **state)
{
	struct caller *caller = caller_shown("alice", "", NULL, 0);

	(void)state;
	park(caller);
	assert_int_equal(count_pending(), 0);
	stage.provisiond.lookup_manner = PROVISIOND_IS_SILENT;
	caller = caller_signs_in("alice", "parent=7:8");
	stage_settle();
	park(caller);
	assert_int_equal(count_pending(), 0);
	stage.provisiond.lookup_manner = PROVISIOND_ANSWERS;
	caller = caller_shown("alice", "parent=0123456789012345678901234567890123456789012345678901234567890123", NULL,
			      0);
	park(caller);
	assert_int_equal(count_pending(), 0);
}

/* --- telling once --- */

static const char *quiet_of(const char *more)
{
	static char quiet[8];
	struct caller *caller = caller_signs_in("alice", more);
	const struct wire_message *message = caller_hear_status(caller, "refused");

	(void)snprintf(quiet, sizeof(quiet), "%s", wire_get(message, "quiet"));
	caller_hang_up(caller);
	return quiet;
}

static void an_sshd_is_told_a_reason_once(void **state)
{
	(void)state;
	(void)strcpy(stage.provisiond.lookup, "status=refused\nreason=deactivated");
	assert_string_equal(quiet_of("parent=7:8"), "0");
	assert_string_equal(quiet_of("parent=7:8"), "1");
	assert_string_equal(quiet_of("parent=7:8"), "1");
	assert_string_equal(quiet_of("parent=7:9"), "0");
	assert_string_equal(quiet_of(""), "0");
	assert_string_equal(quiet_of(""), "0");
	(void)strcpy(stage.provisiond.lookup, "status=refused\nreason=name_unfit");
	assert_string_equal(quiet_of("parent=7:8"), "0");
	assert_string_equal(quiet_of("parent=7:8"), "1");
}

/* --- limits --- */

static void an_account_has_three_places_from_one_address(void **state)
{
	struct caller *callers[3], *console, *extra;

	(void)state;
	for (int i = 0; i < 3; i++)
		callers[i] = caller_shown("alice", "", NULL, 0);
	extra = caller_signs_in("alice", "");
	(void)caller_refused(extra, "limit");
	caller_hang_up(extra);
	extra = caller_shown("bob", "", NULL, 0);
	caller_hang_up(extra);
	console = caller_connect(geteuid());
	caller_say(console, "op=login\nname=alice\nservice=login\ntty=tty1\nqr=none\ntimeout=60");
	(void)caller_hear_status(console, "show");
	caller_hang_up(console);
	caller_hang_up(callers[0]);
	stage_settle();
	extra = caller_shown("alice", "", NULL, 0);
	caller_hang_up(extra);
	caller_hang_up(callers[1]);
	caller_hang_up(callers[2]);
	assert_int_equal(stage_requests("device"), 6);
}

static void a_parked_sign_in_keeps_its_place(void **state)
{
	struct caller *caller;

	(void)state;
	stage_restart("max_pending_per_account = 1", "");
	park(caller_shown("alice", "parent=7:8", NULL, 0));
	caller = caller_signs_in("alice", "");
	(void)caller_refused(caller, "limit");
	caller_hang_up(caller);
	caller = caller_signs_in("alice", "parent=7:8");
	assert_string_equal(wire_get(caller_hear_status(caller, "show"), "resumed"), "1");
	caller_hang_up(caller);
}

static void an_address_has_its_places_and_its_starts(void **state)
{
	struct caller *one, *two, *three;

	(void)state;
	stage_restart("max_pending_per_address = 2\nmax_starts_per_minute = 3", "");
	one = caller_shown("alice", "", NULL, 0);
	two = caller_shown("bob", "", NULL, 0);
	three = caller_signs_in("carol", "");
	(void)caller_refused(three, "limit");
	caller_hang_up(three);
	caller_hang_up(one);
	caller_hang_up(two);
	stage_settle();
	three = caller_shown("carol", "", NULL, 0);
	caller_hang_up(three);
	stage_settle();
	/* Nobody waits any more, but three have started. */
	three = caller_signs_in("carol", "");
	(void)caller_refused(three, "limit");
	caller_hang_up(three);
	stage_advance(60000);
	three = caller_shown("carol", "", NULL, 0);
	caller_hang_up(three);
}

static void names_that_are_not_ours_count_for_nothing(void **state)
{
	struct caller *caller;

	(void)state;
	stage_restart("max_starts_per_minute = 1", "");
	(void)strcpy(stage.provisiond.lookup, "status=not_ours");
	for (int i = 0; i < 5; i++) {
		caller = caller_signs_in("carol", "");
		(void)caller_refused(caller, "not_ours");
		caller_hang_up(caller);
	}
	(void)strcpy(stage.provisiond.lookup, "status=entry\naccount=alice\ntenant=clinic\nuid=2000200001");
	caller = caller_shown("alice", "", NULL, 0);
	caller_hang_up(caller);
}

/* --- root's questions --- */

static void pending_tells_who_waits_and_cancel_ends_it(void **state)
{
	struct caller *caller = caller_shown("alice", "", code, sizeof(code)), *root = caller_connect(geteuid());
	const struct wire_message *message;
	long long id, number;

	(void)state;
	stage_advance(2000);
	caller_say(root, "op=pending");
	message = caller_hear_status(root, "signin");
	assert_true(wire_get_number(message, "id", 1, 1000000, &id));
	assert_string_equal(wire_get(message, "name"), "alice");
	assert_string_equal(wire_get(message, "service"), "sshd");
	assert_string_equal(wire_get(message, "rhost"), "198.51.100.7");
	assert_string_equal(wire_get(message, "tty"), "ssh");
	assert_string_equal(wire_get(message, "tenant"), "clinic");
	assert_string_equal(wire_get(message, "state"), "approval");
	assert_true(wire_get_number(message, "age", 2, 20, &number));
	assert_true(wire_get_number(message, "expires_in", 500, 598, &number));
	(void)caller_hear_status(root, "end");
	caller_say(root, "op=cancel\nid=%lld", id + 1);
	(void)caller_hear_status(root, "unknown");
	caller_say(root, "op=cancel\nid=%lld", id);
	(void)caller_hear_status(root, "done");
	assert_non_null(strstr(caller_refused(caller, "cancelled"), "administrator"));
	caller_hung_up_on(caller);
	caller_hang_up(caller);
	caller_say(root, "op=cancel\nid=%lld", id);
	(void)caller_hear_status(root, "unknown");
	caller_hang_up(root);
	stage_advance(POLL_MS);
	stage_settle();
	assert_int_equal(stage_requests("token"), 0);
}

static void a_parked_sign_in_can_be_seen_and_cancelled(void **state)
{
	struct caller *root;
	const struct wire_message *message;
	long long id;

	(void)state;
	park(caller_shown("alice", "parent=7:8", NULL, 0));
	root = caller_connect(geteuid());
	caller_say(root, "op=pending");
	message = caller_hear_status(root, "signin");
	assert_string_equal(wire_get(message, "state"), "parked");
	assert_true(wire_get_number(message, "id", 1, 1000000, &id));
	(void)caller_hear_status(root, "end");
	caller_say(root, "op=cancel\nid=%lld", id);
	(void)caller_hear_status(root, "done");
	caller_hang_up(root);
	assert_int_equal(count_pending(), 0);
}

/* The next finding's text; what to do about it, when it is bad. */
static const char *finding(struct caller *root, const char *item, bool good)
{
	const struct wire_message *message = caller_hear_status(root, "finding");

	assert_string_equal(wire_get(message, "tenant"), "clinic");
	assert_string_equal(wire_get(message, "item"), item);
	if (strcmp(wire_get(message, "ok"), good ? "1" : "0") != 0)
		fail_msg("%s: %s", item, wire_get(message, "text"));
	assert_string_equal(wire_get(message, "level"), good ? "good" : "bad");
	return good ? wire_get(message, "text") : wire_get(message, "remedy");
}

/* The issuer's documents are found good. */
static void good_documents(struct caller *root)
{
	assert_non_null(strstr(finding(root, "discovery", true), stage.issuer));
	assert_non_null(strstr(finding(root, "tls", true), "days"));
	assert_non_null(strstr(finding(root, "clock", true), "agree"));
	assert_non_null(strstr(finding(root, "keys", true), "1 key"));
}

static void check_finds_a_good_tenant_good(void **state)
{
	struct caller *root = caller_connect(geteuid());

	(void)state;
	caller_say(root, "op=check");
	good_documents(root);
	assert_non_null(strstr(finding(root, "client", true), "clinic-app"));
	assert_non_null(strstr(finding(root, "device_code", true), "/activate"));
	assert_string_equal(wire_get(caller_hear_status(root, "end"), "version"), PAM_OIDC_VERSION);
	caller_hang_up(root);
}

static void check_tries_the_client_without_a_code(void **state)
{
	static const struct {
		const char *fault; /* of the token endpoint */
		const char *level, *says;
	} rows[] = {
		{ NULL, "good", NULL },
		{ "'row':'expired_token'", "good", NULL },
		{ "'row':'invalid_client_id'", "bad", "General > Client Credentials" },
		{ "'row':'invalid_client_secret'", "bad", "client_auth" },
		{ "'row':'unauthorized_client'", "bad", "Tick Device Authorization" },
		{ "'row':'rate_limit'", "warning", "Rate Limits" },
		{ "'row':'server_error_500'", "bad", "status.okta.com" },
		{ "'status':400,'error':'invalid_request'", "warning", "--probe" },
	};
	const struct wire_message *message;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller *root = caller_connect(geteuid());

		if (rows[i].fault)
			(void)stage_control("fault", "{'endpoint':'token',%s}", rows[i].fault);
		caller_say(root, "op=check\ncode=0");
		good_documents(root);
		message = caller_hear_status(root, "finding");
		assert_string_equal(wire_get(message, "item"), "client");
		assert_string_equal(wire_get(message, "level"), rows[i].level);
		assert_string_equal(wire_get(message, "ok"), strcmp(rows[i].level, "bad") == 0 ? "0" : "1");
		if (rows[i].says)
			assert_non_null(strstr(wire_get(message, "remedy"), rows[i].says));
		else
			assert_false(wire_has(message, "remedy"));
		(void)caller_hear_status(root, "end");
		caller_hang_up(root);
	}
	assert_int_equal(stage_requests("device"), 0);
}

static void a_check_that_cannot_be_read_is_hung_up_on(void **state)
{
	static const char *const requests[] = { "op=check\ncode=2", "op=check\ncode=", "op=check\ncode=1\ncode=1" };

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct caller *root = caller_connect(geteuid());

		caller_say(root, "%s", requests[i]);
		caller_hung_up_on(root);
		caller_hang_up(root);
	}
}

static void check_says_what_to_do_in_okta(void **state)
{
	static const struct {
		const char *row, *item, *remedy;
	} rows[] = {
		{ "invalid_client_id", "client", "Copy Client ID into client_id" },
		{ "unauthorized_client", "client", "Tick Device Authorization" },
		{ "invalid_scope", "device_code", "Scopes" },
		{ "too_many_user_codes", "device_code", "Wait a minute" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller *root = caller_connect(geteuid());

		(void)stage_control("fault", "{'endpoint':'device','row':'%s'}", rows[i].row);
		caller_say(root, "op=check");
		good_documents(root);
		assert_non_null(strstr(finding(root, rows[i].item, false), rows[i].remedy));
		(void)caller_hear_status(root, "end");
		caller_hang_up(root);
	}
}

static void check_names_a_wrong_discovery_document(void **state)
{
	struct caller *root;

	(void)state;
	(void)stage_control("settings", "{'discovery':{'issuer':'https://evil.example'}}");
	stage_restart("", "");
	root = caller_connect(geteuid());
	caller_say(root, "op=check");
	assert_non_null(strstr(finding(root, "discovery", false), "Settings > Issuer"));
	(void)finding(root, "tls", true);
	(void)finding(root, "clock", true);
	(void)caller_hear_status(root, "end");
	caller_hang_up(root);
}

static void who_hangs_up_on_a_check_leaves_nothing(void **state)
{
	struct caller *root;

	(void)state;
	(void)stage_control("fault", "{'endpoint':'device','delay_ms':200}");
	root = caller_connect(geteuid());
	caller_say(root, "op=check");
	(void)finding(root, "discovery", true);
	caller_hang_up(root);
	for (int i = 0; i < 5; i++)
		stage_settle();
	root = caller_connect(geteuid());
	caller_say(root, "op=check");
	caller_say(root, "op=pending");
	while (caller_hear(root))
		;
	caller_hang_up(root);
}

/* --- reloading and stopping --- */

static void a_reload_keeps_those_who_wait(void **state)
{
	struct caller *before = caller_shown("alice", "", code, sizeof(code)), *after;
	char second[64];

	(void)state;
	stage_reconfigure("max_pending_per_account = 2", "scopes = openid profile email groups");
	after = caller_shown("alice", "", second, sizeof(second));
	stage_approve("alice", code);
	stage_approve("alice", second);
	stage_advance(POLL_MS);
	(void)caller_hear_status(before, "admitted");
	(void)caller_hear_status(after, "admitted");
	caller_hang_up(before);
	caller_hang_up(after);
}

static void after_a_reload_the_new_limits_hold(void **state)
{
	struct caller *one = caller_shown("alice", "", NULL, 0), *two;

	(void)state;
	stage_reconfigure("max_pending_per_account = 1", "");
	two = caller_signs_in("alice", "");
	(void)caller_refused(two, "limit");
	caller_hang_up(two);
	caller_hang_up(one);
}

static void a_reload_in_the_middle_of_anything_disturbs_nobody(void **state)
{
	struct caller *lookup, *device, *root;

	(void)state;
	stage_restart("max_pending_per_account = 9", "");
	(void)stage_control("fault", "{'endpoint':'device','delay_ms':100,'times':2}");
	device = caller_signs_in("alice", "");
	stage_settle();
	stage.provisiond.lookup_manner = PROVISIOND_IS_SILENT;
	lookup = caller_signs_in("bob", "");
	root = caller_connect(geteuid());
	caller_say(root, "op=check");
	(void)finding(root, "discovery", true);
	stage_reconfigure("", "");
	stage_reconfigure("", "");
	(void)finding(root, "tls", true);
	(void)finding(root, "clock", true);
	(void)finding(root, "keys", true);
	(void)finding(root, "client", true);
	(void)finding(root, "device_code", true);
	(void)caller_hear_status(root, "end");
	(void)caller_hear_status(device, "show");
	stage_advance(2100);
	(void)caller_refused(lookup, "service_down");
	caller_hang_up(lookup);
	caller_hang_up(device);
	caller_hang_up(root);
}

static void whoever_looks_at_a_code_is_told_to_start_again_when_the_daemon_stops(void **state)
{
	struct caller *waiting = caller_shown("alice", "", NULL, 0), *asking;

	(void)state;
	(void)stage_control("fault", "{'endpoint':'device','delay_ms':500}");
	asking = caller_signs_in("bob", "");
	stage_settle();
	signin_server_stop(stage.server);
	assert_string_equal(caller_refused(waiting, "restarted"), reason_sentence(REASON_RESTARTED));
	caller_hung_up_on(waiting);
	/* Bob has seen nothing: his application asks the next daemon, without a word. */
	caller_hears_nothing(asking);
	caller_hang_up(asking);
	caller_hang_up(waiting);
}

static void stopping_ends_whatever_is_under_way(void **state)
{
	struct caller *waiting = caller_shown("alice", "", NULL, 0), *asking, *root, *silent;

	(void)state;
	park(caller_shown("bob", "parent=7:8", NULL, 0));
	stage.provisiond.lookup_manner = PROVISIOND_IS_SILENT;
	asking = caller_signs_in("carol", "");
	root = caller_connect(geteuid());
	silent = caller_connect(geteuid());
	(void)stage_control("fault", "{'endpoint':'device','delay_ms':200}");
	caller_say(root, "op=check");
	(void)finding(root, "discovery", true);
	stage_restart("", "");
	caller_hung_up_on(waiting);
	caller_hung_up_on(asking);
	caller_hung_up_on(silent);
	caller_hang_up(waiting);
	caller_hang_up(asking);
	caller_hang_up(silent);
	caller_hang_up(root);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin_scene, stage_end_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_code_is_shown_and_an_approval_admits),
		TEST(provisiond_is_told_all_that_was_verified),
		TEST(without_a_promised_uid_none_is_passed_on),
		TEST(no_secret_and_no_code_is_logged),
		TEST(the_screen_counts_the_applications_time_too),
		TEST(a_local_users_name_asks_nothing_of_the_issuer),
		TEST(a_refused_name_asks_nothing_of_the_issuer),
		TEST(a_name_that_resolves_to_another_uid_is_refused),
		TEST(a_tenant_that_is_not_configured_here_is_an_error),
		TEST(a_provisiond_that_fails_is_said_to_be_down),
		TEST(a_silent_provisiond_is_waited_for_two_seconds),
		TEST(a_name_that_must_resolve_and_does_not_is_a_mistake_in_the_configuration),
		TEST(who_may_use_the_password_is_asked_before_the_issuer_is),
		TEST(who_types_the_password_costs_no_code),
		TEST(who_hangs_up_when_the_answer_comes_did_no_wrong),
		TEST(a_choice_that_is_not_made_ends_with_the_application_s_time),
		TEST(a_choice_holds_a_place_and_is_no_start),
		TEST(the_choice_comes_before_all_that_only_matters_to_okta),
		TEST(an_email_has_no_local_password),
		TEST(to_go_on_where_there_was_no_choice_ends_the_connection),
		TEST(with_wait_enter_an_approval_admits_nobody_before_enter),
		TEST(enter_may_come_before_the_approval),
		TEST(without_enter_the_applications_time_runs_out),
		TEST(who_hangs_up_instead_of_pressing_enter_is_not_admitted),
		TEST(another_user_may_sign_in_to_its_own_account_only),
		TEST(roots_questions_are_for_root_alone),
		TEST(another_user_can_neither_park_nor_resume),
		TEST(another_user_has_sixteen_connections_at_most),
		TEST(another_user_can_neither_name_a_host_nor_pose_as_sshd),
		TEST(another_user_uses_up_neither_the_starts_of_a_host_nor_its_places),
		TEST(whoever_calls_su_uses_up_their_own_places_and_not_the_consoles),
		TEST(provisiond_hears_on_whose_behalf_it_is_asked),
		TEST(whatever_is_not_in_the_table_ends_the_connection),
		TEST(garbage_and_floods_end_the_connection),
		TEST(who_says_nothing_is_hung_up_on_after_five_seconds),
		TEST(a_connection_is_one_sign_in),
		TEST(who_hangs_up_is_polled_for_no_more),
		TEST(who_hangs_up_in_the_middle_of_anything_leaves_nothing),
		TEST(the_applications_time_ends_the_sign_in),
		TEST(the_codes_life_ends_the_sign_in),
		TEST(a_parked_sign_in_is_resumed_by_the_same_sshds_next_attempt),
		TEST(nobody_else_resumes_it),
		TEST(a_parked_sign_in_is_given_up_after_ten_seconds),
		TEST(a_parked_sign_in_ends_with_its_code),
		TEST(without_a_parent_or_a_code_nothing_is_parked),
		TEST(an_sshd_is_told_a_reason_once),
		TEST(an_account_has_three_places_from_one_address),
		TEST(a_parked_sign_in_keeps_its_place),
		TEST(an_address_has_its_places_and_its_starts),
		TEST(names_that_are_not_ours_count_for_nothing),
		TEST(pending_tells_who_waits_and_cancel_ends_it),
		TEST(a_parked_sign_in_can_be_seen_and_cancelled),
		TEST(check_finds_a_good_tenant_good),
		TEST(check_tries_the_client_without_a_code),
		TEST(a_check_that_cannot_be_read_is_hung_up_on),
		TEST(check_says_what_to_do_in_okta),
		TEST(check_names_a_wrong_discovery_document),
		TEST(who_hangs_up_on_a_check_leaves_nothing),
		TEST(a_reload_keeps_those_who_wait),
		TEST(after_a_reload_the_new_limits_hold),
		TEST(a_reload_in_the_middle_of_anything_disturbs_nobody),
		TEST(whoever_looks_at_a_code_is_told_to_start_again_when_the_daemon_stops),
		TEST(stopping_ends_whatever_is_under_way),
	};

	return stage_here(true) ? cmocka_run_group_tests(tests, stage_open, stage_close) : 0;
}
