/*
 * One sign-in against everything that an issuer can do to it: every row of the error table, outages and resets while it
 * waits, tokens that are wrong, thin, replayed or signed with new keys, and a provisiond that refuses or is silent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/reason.h"
#include "tests/daemon/stage.h"

#define POLL_MS 5100 /* the usual interval, and the jitter */

static char code[64];

static struct caller *alice_waits(void)
{
	return caller_shown("alice", "uid=2000200001", code, sizeof(code));
}

static void poll_soon(void)
{
	stage_settle();
	stage_advance(POLL_MS);
	stage_settle();
}

static void admitted(struct caller *caller)
{
	(void)caller_hear_status(caller, "admitted");
	caller_hang_up(caller);
}

static void refused(struct caller *caller, const char *reason)
{
	(void)caller_refused(caller, reason);
	caller_hung_up_on(caller);
	caller_hang_up(caller);
	assert_int_equal(stage.provisiond.admits, 0);
}

/* A sign-in that alice approves at once, up to the poll that fetches the token. */
static struct caller *alice_approved(void)
{
	struct caller *caller = alice_waits();

	stage_approve("alice", code);
	stage_advance(POLL_MS);
	return caller;
}

/* --- the error table --- */

static void each_final_row_ends_the_sign_in_for_its_reason(void **state)
{
	static const struct {
		const char *row, *reason;
	} rows[] = {
		{ "expired_token", "expired" },
		{ "invalid_grant", "expired" },
		{ "not_assigned", "not_assigned" },
		{ "policy", "policy" },
		{ "denied", "denied" },
		{ "network_zone", "network_zone" },
		{ "invalid_client", "misconfigured" },
		{ "invalid_client_id", "misconfigured" },
		{ "unauthorized_client", "misconfigured" },
		{ "invalid_scope", "misconfigured" },
		{ "too_many_user_codes", "too_many_codes" },
		{ "groups_claim", "misconfigured" },
		{ "not_found", "misconfigured" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller *caller = alice_waits();

		(void)stage_control("fault", "{'endpoint':'token','row':'%s'}", rows[i].row);
		stage_advance(POLL_MS);
		assert_string_equal(caller_refused(caller, rows[i].reason),
				    reason_sentence(reason_from_name(rows[i].reason)));
		caller_hung_up_on(caller);
		caller_hang_up(caller);
	}
	assert_int_equal(stage_requests("token"), sizeof(rows) / sizeof(rows[0]));
	assert_int_equal(stage.provisiond.admits, 0);
}

static void what_the_issuer_said_is_in_the_log_in_full(void **state)
{
	struct caller *caller = alice_waits();

	(void)state;
	(void)stage_control("fault", "{'endpoint':'token','row':'invalid_client'}");
	stage_advance(POLL_MS);
	refused(caller, "misconfigured");
	assert_non_null(strstr(stage.log, "3 alice (sshd from 198.51.100.7), tenant clinic"));
	assert_non_null(strstr(stage.log, "HTTP 401 invalid_client: No client credentials found."));
}

static void each_passing_row_and_outage_is_waited_out(void **state)
{
	static const char *const faults[] = {
		"'row':'authorization_pending'",
		"'row':'temporarily_unavailable'",
		"'row':'rate_limit','headers':{'X-Rate-Limit-Reset':null}",
		"'row':'server_error_500'",
		"'row':'bad_gateway_502'",
		"'row':'unavailable_503'",
		"'row':'gateway_timeout_504'",
		"'reset':true,'times':2", /* libcurl itself tries once more */
		"'truncate':10",
		"'oversize':300000",
	};
	long polls = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct caller *caller = alice_waits();

		(void)stage_control("fault", "{'endpoint':'token',%s}", faults[i]);
		stage_advance(POLL_MS);
		stage_await_requests("token", polls + 1);
		caller_hears_nothing(caller);
		(void)stage_control("clear_faults", "{}");
		stage_approve("alice", code);
		caller_waits(caller, 30000);
		admitted(caller);
		polls = stage_requests("token");
	}
}

static void an_outage_of_minutes_is_waited_out_and_logged_once(void **state)
{
	struct caller *caller = alice_waits();
	const char *line;
	int lines = 0;

	(void)state;
	(void)stage_control("fault", "{'endpoint':'token','row':'unavailable_503','times':-1}");
	for (int i = 0; i < 20; i++)
		poll_soon();
	caller_hears_nothing(caller);
	(void)stage_control("clear_faults", "{}");
	stage_approve("alice", code);
	caller_waits(caller, 40000);
	admitted(caller);
	for (line = stage.log; (line = strstr(line, "the issuer does not answer")); line++)
		lines++;
	assert_int_equal(lines, 1);
}

static void an_outage_does_not_outlast_the_code(void **state)
{
	struct caller *caller;

	(void)state;
	(void)stage_control("settings", "{'expires_in':30}");
	caller = alice_waits();
	(void)stage_control("fault", "{'endpoint':'token','reset':true,'times':-1}");
	caller_waits(caller, 40000);
	refused(caller, "expired");
}

static void slow_down_is_obeyed(void **state)
{
	struct caller *caller = alice_waits();

	(void)state;
	(void)stage_control("fault", "{'endpoint':'token','row':'slow_down'}");
	poll_soon();
	assert_int_equal(stage_requests("token"), 1);
	poll_soon();
	assert_int_equal(stage_requests("token"), 1);
	poll_soon();
	assert_int_equal(stage_requests("token"), 2);
	poll_soon();
	assert_int_equal(stage_requests("token"), 2);
	stage_approve("alice", code);
	caller_waits(caller, 20000);
	admitted(caller);
}

static void a_rate_limit_is_waited_out(void **state)
{
	struct caller *caller = alice_waits();

	(void)state;
	(void)stage_control("fault", "{'endpoint':'token','row':'rate_limit','reset_in':22}");
	poll_soon();
	assert_int_equal(stage_requests("token"), 1);
	stage_approve("alice", code);
	for (int i = 0; i < 3; i++)
		poll_soon();
	assert_int_equal(stage_requests("token"), 1);
	caller_waits(caller, 20000);
	admitted(caller);
}

static void slow_down_with_status_429_is_obeyed(void **state)
{
	struct caller *caller = alice_waits();

	(void)state;
	(void)stage_control("fault", "{'endpoint':'token','status':429,'error':'slow_down',"
				     "'headers':{'X-Rate-Limit-Reset':null}}");
	for (long polls = 1; polls <= 2; polls++) {
		poll_soon();
		assert_int_equal(stage_requests("token"), polls);
		poll_soon();
		assert_int_equal(stage_requests("token"), polls);
	}
	caller_hang_up(caller);
}

static void the_interval_is_the_issuers_or_five_seconds(void **state)
{
	struct caller *caller;

	(void)state;
	(void)stage_control("settings", "{'interval':2}");
	caller = alice_waits();
	stage_advance(1900);
	stage_settle();
	assert_int_equal(stage_requests("token"), 0);
	stage_advance(200);
	stage_settle();
	assert_int_equal(stage_requests("token"), 1);
	caller_hang_up(caller);

	(void)stage_control("settings", "{'interval':null}");
	caller = alice_waits();
	stage_advance(4900);
	stage_settle();
	assert_int_equal(stage_requests("token"), 1);
	stage_advance(200);
	stage_settle();
	assert_int_equal(stage_requests("token"), 2);
	caller_hang_up(caller);
}

static void a_denial_on_the_page_ends_the_sign_in(void **state)
{
	struct caller *caller = alice_waits();

	(void)state;
	(void)stage_control("deny", "{'user_code':'%s'}", code);
	stage_advance(POLL_MS);
	refused(caller, "denied");
}

static void people_whom_okta_refuses_are_told_why(void **state)
{
	struct caller *caller = alice_waits();

	(void)state;
	stage_approve("dave", code);
	stage_advance(POLL_MS);
	refused(caller, "not_assigned");
	caller = alice_waits();
	stage_approve("frank", code);
	stage_advance(POLL_MS);
	refused(caller, "policy");
}

static bool has_been_told(void *context)
{
	return stage.provisiond.refusals == *(const int *)context;
}

static void await_refusals(int count)
{
	assert_true(stage_run_until(has_been_told, &count));
}

static void what_okta_decides_about_a_person_is_put_on_record(void **state)
{
	const char *told = stage.provisiond.refused_told;
	struct caller *caller = alice_waits();

	(void)state;
	stage_approve("dave", code);
	stage_advance(POLL_MS);
	refused(caller, "not_assigned");
	await_refusals(1);
	assert_string_equal(asked(told, "op"), "refused");
	assert_string_equal(asked(told, "name"), "alice");
	assert_string_equal(asked(told, "tenant"), "clinic");
	assert_string_equal(asked(told, "reason"), "not_assigned");
	caller = alice_waits();
	stage_approve("frank", code);
	stage_advance(POLL_MS);
	refused(caller, "policy");
	await_refusals(2);
	assert_string_equal(asked(told, "reason"), "policy");
}

static void what_is_no_decision_about_a_person_is_not_put_on_record(void **state)
{
	static const char *const rows[] = { "expired_token", "groups_claim" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller *caller = alice_waits();

		(void)stage_control("fault", "{'endpoint':'token','row':'%s'}", rows[i]);
		stage_advance(POLL_MS);
		(void)caller_hear_status(caller, "refused");
		caller_hang_up(caller);
	}
	stage_settle();
	assert_int_equal(stage.provisiond.refusals, 0);
}

/* 20 refusals, which is more than are under way at once. */
static void a_provisiond_that_does_not_take_refusals_keeps_nobody_waiting(void **state)
{
	int seen;

	(void)state;
	stage.provisiond.refused_manner = PROVISIOND_IS_SILENT;
	stage_restart("max_starts_per_minute = 1000", "");
	for (int i = 0; i < 20; i++) {
		(void)stage_control("fault", "{'endpoint':'device','row':'not_assigned'}");
		refused(caller_signs_in("alice", ""), "not_assigned");
	}
	stage_settle();
	seen = stage.provisiond.refusals;
	assert_in_range(seen, 16, 20);
	/* Those that were given up make room. */
	stage_advance(2001);
	stage_settle();
	stage.provisiond.refused_manner = PROVISIOND_HANGS_UP;
	(void)stage_control("fault", "{'endpoint':'device','row':'not_assigned'}");
	refused(caller_signs_in("alice", ""), "not_assigned");
	await_refusals(seen + 1);
	/* One that is under way when the daemon ends is dropped. */
	stage.provisiond.refused_manner = PROVISIOND_IS_SILENT;
	(void)stage_control("fault", "{'endpoint':'device','row':'not_assigned'}");
	refused(caller_signs_in("alice", ""), "not_assigned");
	await_refusals(seen + 2);
}

/* --- getting a code --- */

static void rows_at_the_device_endpoint_end_the_sign_in(void **state)
{
	static const struct {
		const char *row, *reason;
	} rows[] = {
		{ "invalid_client_id", "misconfigured" }, { "unauthorized_client", "misconfigured" },
		{ "invalid_scope", "misconfigured" },     { "too_many_user_codes", "too_many_codes" },
		{ "rate_limit", "too_many_codes" },       { "not_assigned", "not_assigned" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)stage_control("fault", "{'endpoint':'device','row':'%s'}", rows[i].row);
		refused(caller_signs_in("alice", ""), rows[i].reason);
		stage_advance(10 * 60 * 1000 + 1); /* no back-off is longer */
	}
	assert_int_equal(stage_requests("device"), sizeof(rows) / sizeof(rows[0]));
}

static void no_code(const char *sentence)
{
	struct caller *caller = caller_signs_in("alice", "");

	assert_string_equal(caller_refused(caller, "too_many_codes"), sentence);
	caller_hung_up_on(caller);
	caller_hang_up(caller);
}

#define NO_MORE_CODES "Okta gives out no more codes just now, because too many were asked for. Start again in "

/* It costs the tenant's people alone, and when it has run out, one of them tries. */
static void after_too_many_codes_the_issuer_is_left_alone_for_longer_and_longer(void **state)
{
	struct caller *waiting, *caller;
	int tried = 0;

	(void)state;
	stage_restart("max_starts_per_minute = 1000", "");
	waiting = alice_waits();
	(void)stage_control("fault", "{'endpoint':'device','row':'too_many_user_codes','times':3,"
				     "'headers':{'X-Rate-Limit-Reset':null}}");
	no_code(NO_MORE_CODES "15 seconds.");
	assert_non_null(strstr(stage.log, "3 alice (sshd from 198.51.100.7), tenant clinic: the issuer was asked for "
					  "too many codes; its tenant asks for none: for the next 15 s"));
	for (int i = 0; i < 20; i++, tried++)
		no_code(NO_MORE_CODES "15 seconds.");
	assert_int_equal(stage_requests("device"), 2);
	stage_advance(15001);
	no_code(NO_MORE_CODES "30 seconds.");
	assert_int_equal(stage_requests("device"), 3);
	stage_advance(30001);
	no_code(NO_MORE_CODES "60 seconds.");
	for (int i = 0; i < 20; i++, tried++)
		no_code(NO_MORE_CODES "60 seconds.");
	assert_int_equal(stage_requests("device"), 4);
	/* Whoever had a code before has it still. */
	stage_approve("alice", code);
	caller_waits(waiting, 20000);
	admitted(waiting);
	stage_advance(60001);
	caller = alice_waits();
	assert_int_equal(stage_requests("device"), 5);
	assert_non_null(strstr(stage.log, "the issuer gives codes again"));
	caller_hang_up(caller);
	caller_hang_up(alice_waits());
	print_message("count: floods and phishing: %d tried, %d refused, 0 admitted, 0 skipped\n", tried, tried);
}

static void the_time_that_the_issuer_names_is_honoured_for_codes(void **state)
{
	(void)state;
	(void)stage_control("fault", "{'endpoint':'device','row':'rate_limit','headers':{'Retry-After':'40'}}");
	no_code(NO_MORE_CODES "40 seconds.");
	assert_int_equal(stage_requests("device"), 1);
	stage_advance(40001);
	(void)stage_control("fault",
			    "{'endpoint':'device','row':'too_many_user_codes','headers':{'Retry-After':'86400'}}");
	no_code(NO_MORE_CODES "10 minutes.");
	assert_int_equal(stage_requests("device"), 2);
	stage_advance(10 * 60 * 1000 + 1);
	caller_hang_up(alice_waits());
}

/* --- somewhere else --- */

static void from_a_network_that_is_not_named_no_code_is_asked_for(void **state)
{
	struct caller *caller;

	(void)state;
	stage_restart("", "remote_from = 203.0.113.0/24");
	for (int i = 0; i < 5; i++)
		refused(caller_signs_in("alice", ""), "remote_from");
	assert_non_null(strstr(
		stage.log, "alice (sshd from 198.51.100.7), tenant clinic: refused: remote_from of tenant clinic names "
			   "no network with this address"));
	caller = caller_connect(geteuid());
	caller_say(caller, "op=login\nname=alice\nservice=sshd\nrhost=host.clinic.example\nqr=none\ntimeout=60");
	refused(caller, "remote_from");
	assert_non_null(strstr(stage.log, "set `UseDNS no` in sshd_config"));
	assert_int_equal(stage_requests("device"), 0);
	caller = caller_connect(geteuid());
	caller_say(caller, "op=login\nname=alice\nservice=login\ntty=tty1\nqr=none\ntimeout=60");
	(void)caller_hear_status(caller, "show");
	caller_hang_up(caller);
	stage_restart("", "remote_from = 198.51.100.0/24");
	caller_hang_up(alice_waits());
	print_message("count: floods and phishing: 6 tried, 6 refused, 0 admitted, 0 skipped\n");
}

/* --- parked --- */

#define RETRYING "uid=2000200001\nparent=7:8"

/* Parks a sign-in while its poll is under way. */
static void park_during_a_poll(struct caller *caller, int delay_ms)
{
	long polls = stage_requests("token");

	(void)stage_control("fault", "{'endpoint':'token','delay_ms':%d}", delay_ms);
	stage_advance(POLL_MS);
	stage_await_requests("token", polls + 1);
	caller_say(caller, "op=park");
	caller_hung_up_on(caller);
	caller_hang_up(caller);
}

/* Long enough for the issuer's answer to come, usually; whether it does before the application is back or after must
 * make no difference. */
static void while_away(int delay_ms)
{
	for (int settled = 0; delay_ms < 1000 && settled < 4; settled++)
		stage_settle();
}

static void a_poll_under_way_while_parked_is_not_lost(void **state)
{
	static const int delays_ms[] = { 100, 1500 };

	(void)state;
	for (size_t i = 0; i < sizeof(delays_ms) / sizeof(delays_ms[0]); i++) {
		struct caller *caller = caller_shown("alice", RETRYING, code, sizeof(code));
		const struct wire_message *message;
		long polls = stage_requests("token");

		stage_approve("alice", code);
		park_during_a_poll(caller, delays_ms[i]);
		while_away(delays_ms[i]);
		/* Nobody is there: nobody is admitted. */
		assert_int_equal(stage.provisiond.admits, i);
		caller = caller_signs_in("alice", RETRYING);
		message = caller_hear_status(caller, "show");
		assert_string_equal(wire_get(message, "resumed"), "1");
		assert_string_equal(wire_get(message, "code"), code);
		admitted(caller);
		assert_int_equal(stage_requests("token"), polls + 1);
	}
}

static void what_the_issuer_says_while_parked_is_told_on_the_way_back(void **state)
{
	struct caller *caller = caller_shown("alice", RETRYING, code, sizeof(code));

	(void)state;
	(void)stage_control("deny", "{'user_code':'%s'}", code);
	park_during_a_poll(caller, 100);
	while_away(100);
	caller = caller_signs_in("alice", RETRYING);
	(void)caller_hear_status(caller, "show");
	refused(caller, "denied");
	assert_int_equal(stage_requests("device"), 1);
}

static void nobody_is_admitted_who_does_not_come_back(void **state)
{
	struct caller *caller = caller_shown("alice", RETRYING, code, sizeof(code));

	(void)state;
	stage_approve("alice", code);
	park_during_a_poll(caller, 100);
	while_away(100);
	stage_advance(11000);
	stage_settle();
	caller = caller_signs_in("alice", RETRYING);
	assert_string_equal(wire_get(caller_hear_status(caller, "show"), "resumed"), "0");
	assert_int_equal(stage.provisiond.admits, 0);
	caller_hang_up(caller);
}

/* --- getting a code, when the issuer does not answer --- */

static void an_outage_at_the_device_endpoint_is_tried_once_more(void **state)
{
	struct caller *caller;

	(void)state;
	(void)stage_control("fault", "{'endpoint':'device','row':'unavailable_503'}");
	caller = alice_waits();
	caller_hang_up(caller);
	assert_int_equal(stage_requests("device"), 2);
	(void)stage_control("fault", "{'endpoint':'device','row':'unavailable_503','times':2}");
	refused(caller_signs_in("alice", ""), "issuer_unreachable");
	assert_int_equal(stage_requests("device"), 4);
}

static void a_code_that_could_steer_a_terminal_is_never_shown(void **state)
{
	static const char *const settings[] = {
		"'user_code':'\\u001b[2JABCD'",
		"'verification_uri':'javascript:alert(1)'",
		"'verification_uri':'http://localhost/activate'",
		"'verification_uri_complete':'https://localhost@evil.example/activate'",
		"'device':{'expires_in':0}",
		"'device':{'device_code':null}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		(void)stage_control("reset", "{}");
		(void)stage_control("settings", "{%s}", settings[i]);
		refused(caller_signs_in("alice", ""), "misconfigured");
	}
}

/* --- metadata --- */

static void without_metadata_the_issuer_is_unreachable_until_it_is_back(void **state)
{
	(void)state;
	(void)stage_control("fault", "{'endpoint':'discovery','row':'unavailable_503','times':-1}");
	stage_restart("", "");
	refused(caller_signs_in("alice", ""), "issuer_unreachable");
	(void)stage_control("clear_faults", "{}");
	admitted(alice_approved());
}

static void metadata_that_is_wrong_is_a_mistake_in_the_configuration(void **state)
{
	(void)state;
	(void)stage_control("fault", "{'endpoint':'discovery','row':'not_found','times':-1}");
	stage_restart("", "");
	refused(caller_signs_in("alice", ""), "misconfigured");
	(void)stage_control("clear_faults", "{}");
	(void)stage_control("settings", "{'discovery':{'token_endpoint':'http://localhost/token'}}");
	stage_restart("", "");
	refused(caller_signs_in("alice", ""), "misconfigured");
	assert_int_equal(stage_requests("device"), 0);
}

static void metadata_that_lapse_while_somebody_waits_end_nothing(void **state)
{
	struct caller *caller;

	(void)state;
	(void)stage_control("settings", "{'cache_max_age':60}");
	stage_restart("", "");
	caller = alice_waits();
	(void)stage_control("fault", "{'endpoint':'discovery','row':'unavailable_503','times':-1}");
	for (int i = 0; i < 14; i++)
		poll_soon();
	caller_hears_nothing(caller);
	stage_approve("alice", code);
	(void)stage_control("clear_faults", "{}");
	caller_waits(caller, 200000);
	admitted(caller);
}

/* --- the token --- */

static void a_token_that_is_wrong_is_refused(void **state)
{
	static const char *const tokens[] = {
		"'mangle':'corrupt_signature'",
		"'mangle':'no_signature'",
		"'key':'other'",
		"'key':'none'",
		"'key':'hs256-with-public-key'",
		"'claims':{'aud':'another-app'}",
		"'claims':{'iss':'https://evil.example'}",
		"'claims':{'exp':'now-600'}",
		"'claims':{'sub':null}",
		"'header':{'crit':['x'],'x':1}",
		"'access_token':'not the one that at_hash is of'",
		"'answer':{'id_token':null}",
		"'answer':{'token_type':'MAC'}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		(void)stage_control("token", "{%s}", tokens[i]);
		refused(alice_approved(), "token_invalid");
	}
}

static void a_token_makes_one_sign_in_only(void **state)
{
	struct caller *caller;

	(void)state;
	(void)stage_control("token", "{'claims':{'jti':'ID.the-same'}}");
	admitted(alice_approved());
	assert_int_equal(stage.provisiond.admits, 1);
	caller = alice_approved();
	(void)caller_refused(caller, "token_invalid");
	caller_hang_up(caller);
	/* A reload forgets nothing. */
	stage_reconfigure("", "");
	caller = alice_approved();
	(void)caller_refused(caller, "token_invalid");
	caller_hang_up(caller);
	assert_int_equal(stage.provisiond.admits, 1);
	assert_non_null(strstr(stage.log, "has made a sign-in before"));
}

static void a_required_way_of_signing_in_is_required(void **state)
{
	(void)state;
	stage_restart("", "required_amr = mfa");
	(void)stage_control("token", "{'claims':{'amr':['pwd']}}");
	refused(alice_approved(), "amr_missing");
	(void)stage_control("token", "{'claims':{'amr':['pwd','mfa']}}");
	admitted(alice_approved());
}

static void an_old_sign_in_with_okta_is_too_old(void **state)
{
	(void)state;
	stage_restart("", "max_auth_age = 1h");
	(void)stage_control("token", "{'claims':{'auth_time':'now-7200'}}");
	refused(alice_approved(), "auth_too_old");
}

/* --- keys --- */

static void new_keys_are_fetched_for_an_unknown_kid(void **state)
{
	struct caller *caller = alice_waits();

	(void)state;
	stage_await_requests("keys", 1);
	(void)stage_control("rotate_keys", "{'keep_old':false}");
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	admitted(caller);
	assert_int_equal(stage_requests("keys"), 2);
}

static void keys_are_fetched_anew_once_a_minute_at_most(void **state)
{
	struct caller *caller;

	(void)state;
	stage_await_requests("keys", 1);
	(void)stage_control("token", "{'header':{'kid':'made-up'}}");
	refused(alice_approved(), "token_invalid");
	assert_int_equal(stage_requests("keys"), 2);
	refused(alice_approved(), "token_invalid");
	assert_int_equal(stage_requests("keys"), 2);
	stage_advance(60000);
	refused(alice_approved(), "token_invalid");
	assert_int_equal(stage_requests("keys"), 3);
	(void)stage_control("token", "{}");
	caller = alice_approved();
	admitted(caller);
	assert_int_equal(stage_requests("keys"), 3);
}

static void a_rotation_that_keeps_the_old_key_published_disturbs_nobody(void **state)
{
	struct caller *caller = alice_waits();

	(void)state;
	stage_await_requests("keys", 1);
	(void)stage_control("rotate_keys", "{'keep_old':true}");
	stage_approve("alice", code);
	stage_advance(POLL_MS);
	admitted(caller);
}

static void keys_that_are_withdrawn_verify_nothing_more(void **state)
{
	struct caller *caller;

	(void)state;
	stage_await_requests("keys", 1);
	(void)stage_control("settings", "{'keys':{'raw':{'keys':[]}},'expires_in':30}");
	(void)stage_control("token", "{'header':{'kid':'made-up'}}");
	caller = alice_approved();
	caller_waits(caller, 60000);
	refused(caller, "issuer_unreachable");
	/* This one is signed with the key that was published before. */
	(void)stage_control("token", "{}");
	caller = alice_approved();
	caller_waits(caller, 60000);
	refused(caller, "issuer_unreachable");
	(void)stage_control("settings", "{'keys':{}}");
	caller = alice_approved();
	caller_waits(caller, 60000);
	admitted(caller);
}

static void keys_that_do_not_come_at_once_are_waited_for(void **state)
{
	struct caller *caller;

	(void)state;
	(void)stage_control("fault", "{'endpoint':'keys','row':'unavailable_503','times':3}");
	stage_restart("", "");
	caller = alice_approved();
	caller_waits(caller, 30000);
	admitted(caller);
}

static void keys_that_never_come_end_with_a_word_about_the_issuer(void **state)
{
	struct caller *caller;

	(void)state;
	(void)stage_control("settings", "{'expires_in':20}");
	(void)stage_control("fault", "{'endpoint':'keys','row':'unavailable_503','times':-1}");
	stage_restart("", "");
	caller = alice_approved();
	caller_waits(caller, 30000);
	refused(caller, "issuer_unreachable");
}

/* --- userinfo --- */

static void a_thin_token_is_completed_from_userinfo(void **state)
{
	const char *admit = stage.provisiond.admit_asked;

	(void)state;
	(void)stage_control("settings", "{'thin':true}");
	admitted(alice_approved());
	assert_int_equal(stage_requests("userinfo"), 1);
	assert_string_equal(asked(admit, "email"), "alice@clinic.example");
	assert_string_equal(asked(admit, "email_verified"), "true");
	assert_string_equal(asked(admit, "group"), "Everyone");
}

static void a_whole_token_asks_no_userinfo(void **state)
{
	(void)state;
	admitted(alice_approved());
	assert_int_equal(stage_requests("userinfo"), 0);
}

static void userinfo_of_somebody_else_is_refused(void **state)
{
	(void)state;
	(void)stage_control("settings", "{'thin':true}");
	(void)stage_control("token", "{'userinfo':{'sub':'00uEVIL'}}");
	refused(alice_approved(), "token_invalid");
	assert_int_equal(stage_requests("userinfo"), 1);
}

static void userinfo_is_tried_again_after_an_outage(void **state)
{
	struct caller *caller;

	(void)state;
	(void)stage_control("settings", "{'thin':true}");
	(void)stage_control("fault", "{'endpoint':'userinfo','row':'unavailable_503'}");
	(void)stage_control("fault", "{'endpoint':'userinfo','row':'rate_limit'}");
	(void)stage_control("fault", "{'endpoint':'userinfo','truncate':5}");
	caller = alice_approved();
	caller_waits(caller, 30000);
	admitted(caller);
	assert_int_equal(stage_requests("userinfo"), 4);
}

static void userinfo_that_is_denied_is_a_mistake_in_the_configuration(void **state)
{
	(void)state;
	(void)stage_control("settings", "{'thin':true}");
	(void)stage_control("fault", "{'endpoint':'userinfo','row':'insufficient_scope'}");
	refused(alice_approved(), "misconfigured");
}

static void without_userinfo_provisiond_decides_on_what_there_is(void **state)
{
	(void)state;
	(void)stage_control("settings", "{'thin':true,'discovery':{'userinfo_endpoint':null}}");
	stage_restart("", "");
	admitted(alice_approved());
	assert_string_equal(asked(stage.provisiond.admit_asked, "email"), "");
	assert_string_not_equal(asked(stage.provisiond.admit_asked, "subject"), "");
}

/* --- admission --- */

static void the_sentence_of_a_refused_admission_is_passed_on(void **state)
{
	struct caller *caller;

	(void)state;
	(void)strcpy(stage.provisiond.admit, "status=refused\nreason=other_person\ntext=You are Bob, not Alice.");
	caller = alice_waits();
	stage_approve("bob", code);
	stage_advance(POLL_MS);
	assert_string_equal(caller_refused(caller, "other_person"), "You are Bob, not Alice.");
	assert_string_equal(asked(stage.provisiond.admit_asked, "email"), "bob@clinic.example");
	caller_hang_up(caller);
}

static void an_admission_without_a_ticket_admits_nobody(void **state)
{
	static const char *const answers[] = {
		"status=admitted\naccount=alice\nuid=2000200001",
		"status=admitted\naccount=alice\nticket=x",
		"status=admitted\nuid=2000200001\nticket=x",
		"status=admitted\naccount=alice\nuid=4294967295\nticket=x",
		"status=admitted\naccount=alice\naccount=root\nuid=2000200001\nticket=x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct caller *caller;

		(void)strcpy(stage.provisiond.admit, answers[i]);
		caller = alice_approved();
		(void)caller_refused(caller, "internal");
		caller_hang_up(caller);
	}
}

static void a_provisiond_that_fails_admits_nobody(void **state)
{
	static const enum provisiond_manner manners[] = { PROVISIOND_HANGS_UP, PROVISIOND_TALKS_GARBAGE,
							  PROVISIOND_SAYS_TOO_MUCH };
	struct caller *caller;

	(void)state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		stage.provisiond.admit_manner = manners[i];
		caller = alice_approved();
		(void)caller_refused(caller, "service_down");
		caller_hang_up(caller);
	}
}

static void a_slow_provisiond_is_waited_for_beyond_the_codes_life(void **state)
{
	struct caller *caller;

	(void)state;
	(void)stage_control("settings", "{'expires_in':10}");
	stage.provisiond.admit_manner = PROVISIOND_IS_SILENT;
	caller = alice_approved();
	while (stage.provisiond.admits == 0)
		stage_settle();
	stage_advance(24000);
	caller_hears_nothing(caller);
	stage_advance(1100);
	(void)caller_refused(caller, "service_down");
	caller_hang_up(caller);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin_scene, stage_end_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_final_row_ends_the_sign_in_for_its_reason),
		TEST(what_the_issuer_said_is_in_the_log_in_full),
		TEST(each_passing_row_and_outage_is_waited_out),
		TEST(an_outage_of_minutes_is_waited_out_and_logged_once),
		TEST(an_outage_does_not_outlast_the_code),
		TEST(slow_down_is_obeyed),
		TEST(a_rate_limit_is_waited_out),
		TEST(slow_down_with_status_429_is_obeyed),
		TEST(the_interval_is_the_issuers_or_five_seconds),
		TEST(a_denial_on_the_page_ends_the_sign_in),
		TEST(people_whom_okta_refuses_are_told_why),
		TEST(what_okta_decides_about_a_person_is_put_on_record),
		TEST(what_is_no_decision_about_a_person_is_not_put_on_record),
		TEST(a_provisiond_that_does_not_take_refusals_keeps_nobody_waiting),
		TEST(rows_at_the_device_endpoint_end_the_sign_in),
		TEST(after_too_many_codes_the_issuer_is_left_alone_for_longer_and_longer),
		TEST(the_time_that_the_issuer_names_is_honoured_for_codes),
		TEST(from_a_network_that_is_not_named_no_code_is_asked_for),
		TEST(a_poll_under_way_while_parked_is_not_lost),
		TEST(what_the_issuer_says_while_parked_is_told_on_the_way_back),
		TEST(nobody_is_admitted_who_does_not_come_back),
		TEST(an_outage_at_the_device_endpoint_is_tried_once_more),
		TEST(a_code_that_could_steer_a_terminal_is_never_shown),
		TEST(without_metadata_the_issuer_is_unreachable_until_it_is_back),
		TEST(metadata_that_is_wrong_is_a_mistake_in_the_configuration),
		TEST(metadata_that_lapse_while_somebody_waits_end_nothing),
		TEST(a_token_that_is_wrong_is_refused),
		TEST(a_token_makes_one_sign_in_only),
		TEST(a_required_way_of_signing_in_is_required),
		TEST(an_old_sign_in_with_okta_is_too_old),
		TEST(new_keys_are_fetched_for_an_unknown_kid),
		TEST(keys_are_fetched_anew_once_a_minute_at_most),
		TEST(a_rotation_that_keeps_the_old_key_published_disturbs_nobody),
		TEST(keys_that_do_not_come_at_once_are_waited_for),
		TEST(keys_that_never_come_end_with_a_word_about_the_issuer),
		TEST(keys_that_are_withdrawn_verify_nothing_more),
		TEST(a_thin_token_is_completed_from_userinfo),
		TEST(a_whole_token_asks_no_userinfo),
		TEST(userinfo_of_somebody_else_is_refused),
		TEST(userinfo_is_tried_again_after_an_outage),
		TEST(userinfo_that_is_denied_is_a_mistake_in_the_configuration),
		TEST(without_userinfo_provisiond_decides_on_what_there_is),
		TEST(the_sentence_of_a_refused_admission_is_passed_on),
		TEST(an_admission_without_a_ticket_admits_nobody),
		TEST(a_provisiond_that_fails_admits_nobody),
		TEST(a_slow_provisiond_is_waited_for_beyond_the_codes_life),
	};

	return stage_here(true) ? cmocka_run_group_tests(tests, stage_open, stage_close) : 0;
}
