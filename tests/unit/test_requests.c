/*
 * provisiond as its callers see it: who may ask what, and the answers to each question. What becomes of accounts that
 * are there is in test_requests_of_life.c.
 */
#include "daemon_bench.h"

static const struct bench_setting plain = { .configuration = ONE_TENANT };

static void starts_later(struct small_machine *machine)
{
	(void)machine;
	bench_started_ahead_ms = 5000;
}

static const struct bench_setting started_later = { .configuration = ONE_TENANT, .seed = starts_later };
static const struct bench_setting with_email_over_ssh = { .configuration =
								  "[accounts]\nemail_over_ssh = yes\n" CLINIC };
static const struct bench_setting with_claim = { .configuration = CLAIM_TENANT };

/* ---- who may ---- */

static void each_question_is_for_its_callers_only(void **state)
{
	static const struct {
		const char *op;
		bool root, pam_oidc, mallory;
	} rows[] = {
		{ "op=lookup", true, true, false },  { "op=admit", false, true, false },
		{ "op=redeem", true, true, true },   { "op=standing", true, false, false },
		{ "op=answer", true, false, false }, { "op=refused", false, true, false },
		{ "op=list", true, false, false },   { "op=show", true, false, false },
		{ "op=other", false, false, false }, { "op=", false, false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uid_t callers[] = { 0, PAM_OIDC_UID, MALLORY };
		const bool may[] = { rows[i].root, rows[i].pam_oidc, rows[i].mallory };

		for (size_t j = 0; j < 3; j++) {
			const char *status =
				ASK(*state, callers[j], rows[i].op, "name=alice", "purpose=login", "tenant=clinic",
				    "issuer=https://clinic.example", "client_id=clinic-client", "subject=00ubob",
				    "ticket=made-up", "uid=5000", "room=Exam 1", "reason=denied");

			if ((status != NULL) != may[j])
				fail_msg("%s by uid %lu: %s", rows[i].op, (unsigned long)callers[j],
					 status ? status : "no answer");
		}
	}
}

static void malformed_questions_end_the_connection(void **state)
{
	assert_null(ASK(*state, 0, "op=lookup", "purpose=nss"));
	assert_null(ASK(*state, 0, "op=lookup", "name=", "purpose=nss"));
	assert_null(ASK(*state, 0, "op=lookup", "name=alice"));
	assert_null(ASK(*state, 0, "op=lookup", "name=alice", "purpose=other"));
	assert_null(ASK(*state, 0, "op=lookup", "name=alice", "name=bob", "purpose=nss"));
	assert_null(ASK(*state, 0, "op=redeem", "ticket=x"));
	assert_null(ASK(*state, 0, "op=redeem", "ticket=x", "name=alice", "uid=-1"));
	assert_null(ASK(*state, 0, "op=show"));
	assert_null(ASK(*state, 0, "op=standing"));
	assert_null(ASK(*state, 0, "op=standing", "name=alice", "rhost=203.0.113.9", "rhost=127.0.0.1"));
	assert_null(ASK(*state, 0, "op=standing", "name=alice", "service=sshd", "service=sudo"));
	assert_null(ASK(*state, 0, "op=answer", "name=alice", "uid=5000"));
	assert_null(ASK(*state, 0, "op=answer", "name=alice", "room=Exam 1"));
	assert_null(ASK(*state, 0, "op=answer", "name=alice@clinic.example", "uid=5000", "room=Exam 1"));
	assert_null(ASK(*state, 0, "op=answer", "name=alice", "uid=5000", "room="));
	assert_null(ASK(*state, PAM_OIDC_UID, "op=refused", "name=alice", "tenant=clinic"));
	assert_null(ASK(*state, PAM_OIDC_UID, "op=refused", "name=", "tenant=clinic", "reason=denied"));
	assert_null(ASK(*state, 0, "status=entry"));
	assert_null(admit(*state, "name=alice", "subject=", "email=alice@clinic.example"));
	assert_null(admit(*state, "name=alice", "uid=x", "email=alice@clinic.example"));
}

/* ---- look-ups ---- */

static void a_new_name_is_promised_what_it_will_have(void **state)
{
	assert_string_equal(LOOKUP(*state, "name=alice", "purpose=nss"), "entry");
	assert_field(*state, "kind", "promised");
	assert_field(*state, "account", "alice");
	assert_field(*state, "uid", ALICE_UID);
	assert_field(*state, "gid", ALICE_UID);
	assert_field(*state, "gecos", "alice");
	assert_field(*state, "home", "/home/alice");
	assert_field(*state, "shell", "/bin/bash");
}

static void local_users_and_root_are_not_ours(void **state)
{
	assert_string_equal(LOOKUP(*state, "name=root", "purpose=login"), "not_ours");
	assert_string_equal(LOOKUP(*state, "name=local", "purpose=login"), "not_ours");
	assert_string_equal(LOOKUP(*state, "name=local", "purpose=nss"), "not_ours");
	assert_string_equal(ASK(*state, 0, "op=standing", "name=local"), "not_ours");
	assert_string_equal(ASK(*state, 0, "op=standing", "name=root"), "not_ours");
}

static void names_that_cannot_be_accounts_are_refused_with_the_reason(void **state)
{
	assert_refused(*state, LOOKUP(*state, "name=admin", "purpose=login"), "name_reserved");
	assert_refused(*state, LOOKUP(*state, "name=radiology", "purpose=login"), "name_reserved");
	assert_refused(*state, LOOKUP(*state, "name=local@clinic.example", "purpose=login"), "name_reserved");
	assert_refused(*state, LOOKUP(*state, "name=locum@clinic.example", "purpose=login"), "name_reserved");
	assert_refused(*state, LOOKUP(*state, "name=Alice", "purpose=login"), "name_unfit");
	assert_refused(*state, LOOKUP(*state, "name=o'brien@clinic.example", "purpose=login"), "name_unfit");
	assert_refused(*state, LOOKUP(*state, "name=alice@evil.example", "purpose=login"), "unknown_domain");
}

static void a_name_whose_home_exists_is_refused(void **state)
{
	machine_folder(&((struct bench *)*state)->machine, "/home/alice", 0700);
	assert_refused(*state, LOOKUP(*state, "name=alice", "purpose=login"), "home_exists");
}

static void an_email_is_for_the_console_unless_configured(void **state)
{
	assert_string_equal(LOOKUP(*state, "name=alice@clinic.example", "purpose=nss"), "not_ours");
	assert_refused(*state, LOOKUP(*state, "name=alice@clinic.example", "purpose=login", "service=sshd"),
		       "use_short_name");
	assert_non_null(strstr(wire_get(&((struct bench *)*state)->answer, "text"), "as alice."));
	assert_string_equal(LOOKUP(*state, "name=alice@clinic.example", "purpose=login", "service=login"), "entry");
	assert_field(*state, "account", "alice");
}

static void an_email_over_ssh_is_answered_where_configured(void **state)
{
	assert_string_equal(LOOKUP(*state, "name=alice@clinic.example", "purpose=nss"), "entry");
	assert_field(*state, "account", "alice");
	assert_string_equal(LOOKUP(*state, "name=alice@clinic.example", "purpose=login", "service=sshd"), "entry");
}

static void with_a_claim_an_email_is_promised_a_tenant_only(void **state)
{
	assert_string_equal(LOOKUP(*state, "name=o'brien@clinic.example", "purpose=login", "service=login"), "entry");
	assert_field(*state, "tenant", "clinic");
	assert_null(wire_get(&((struct bench *)*state)->answer, "account"));
	assert_null(wire_get(&((struct bench *)*state)->answer, "uid"));
}

/* ---- an account's life ---- */

static void an_admitted_person_has_an_account_and_one_ticket(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	admit_alice(bench, ticket);
	assert_field(bench, "account", "alice");
	assert_field(bench, "uid", ALICE_UID);
	assert_field(bench, "created", "1");
	assert_field(bench, "home", "/home/alice");
	assert_true(machine_has_row(&bench->machine, "/etc/passwd", "alice"));
	assert_true(machine_has(&bench->machine, "/home/alice/.profile"));
	assert_string_equal(ASK(bench, 0, "op=redeem", ticket, "name=alice", "uid=" ALICE_UID), "confirmed");
	assert_field(bench, "account", "alice");
	assert_field(bench, "uid", ALICE_UID);
	assert_string_equal(ASK(bench, 0, "op=redeem", ticket, "name=alice", "uid=" ALICE_UID), "no");
	admit_alice(bench, ticket);
	assert_field(bench, "created", "0");
}

static void a_ticket_is_of_no_use_to_others(void **state)
{
	char ticket[128];

	admit_alice(*state, ticket);
	assert_string_equal(ASK(*state, MALLORY, "op=redeem", ticket, "name=alice"), "no");
	admit_alice(*state, ticket);
	assert_string_equal(ASK(*state, 0, "op=redeem", ticket, "name=local"), "no");
	admit_alice(*state, ticket);
	assert_string_equal(ASK(*state, 0, "op=redeem", ticket, "name=alice", "uid=0"), "no");
	admit_alice(*state, ticket);
	assert_string_equal(ASK(*state, 2022975774, "op=redeem", ticket, "name=alice"), "confirmed");
}

/* Whoever was admitted shortly before the daemon started is told to start again. */
static void a_ticket_from_before_the_start_is_told_apart_to_root_alone(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	admit_alice(bench, ticket);
	assert_string_equal(ASK(bench, 0, "op=redeem", "ticket=of-the-daemon-before", "name=alice"), "no");
	assert_field(bench, "reason", "restarted");
	assert_string_equal(ASK(bench, MALLORY, "op=redeem", "ticket=of-the-daemon-before", "name=alice"), "no");
	assert_false(wire_has(&bench->answer, "reason"));
	assert_string_equal(ASK(bench, 0, "op=redeem", "ticket=of-the-daemon-before", "name=bob"), "no");
	assert_false(wire_has(&bench->answer, "reason"));
}

static void a_made_up_ticket_is_no_ticket_from_before_the_start(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	admit_alice(bench, ticket);
	assert_string_equal(ASK(bench, 0, "op=redeem", "ticket=made-up", "name=alice"), "no");
	assert_false(wire_has(&bench->answer, "reason"));
}

static void nobody_is_admitted_to_a_local_user_root_or_another_person(void **state)
{
	char ticket[128];

	admit_alice(*state, ticket);
	assert_refused(*state, admit(*state, "name=root", "subject=00um", "email=root@clinic.example"), "not_ours");
	assert_refused(*state, admit(*state, "name=local", "subject=00um", "email=local@clinic.example"),
		       "name_reserved");
	assert_refused(*state, admit(*state, "name=alice", "subject=00um", "email=mallory@clinic.example"),
		       "other_person");
	assert_refused(*state, admit(*state, "name=alice", "subject=00um", "email=alice@clinic.example"),
		       "subject_changed");
	assert_refused(*state, admit(*state, "name=alice", "subject=00um", "email=alice@evil.example"), "wrong_domain");
}

static void an_active_account_is_answered_with_its_rows_and_groups(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	admit_alice(*state, ticket);
	machine_write(&bench->machine, "/etc/group", 0644,
		      "root:x:0:\nalice:x:" ALICE_UID ":\nradiology:x:2000:carol,alice\n");
	assert_string_equal(LOOKUP(*state, "name=alice", "purpose=login"), "entry");
	assert_field(*state, "kind", "active");
	assert_field(*state, "gecos", "Alice Example");
	assert_field(*state, "group", "2000");
}

/* A membership that somebody of that name left behind, in sudo for example, is nobody's to inherit. */
static void a_name_that_is_listed_as_a_member_is_given_to_nobody(void **state)
{
	assert_refused(*state, LOOKUP(*state, "name=carol", "purpose=login"), "name_reserved");
	assert_string_equal(LOOKUP(*state, "name=carol", "purpose=nss"), "refused");
	assert_string_equal(LOOKUP(*state, "name=dave", "purpose=login"), "entry");
}

static void the_standing_of_an_account_is_told_to_root_and_to_itself(void **state)
{
	char ticket[128];

	assert_string_equal(ASK(*state, 0, "op=standing", "name=alice"), "promised");
	admit_alice(*state, ticket);
	assert_string_equal(ASK(*state, 0, "op=standing", "name=alice"), "active");
	assert_field(*state, "uid", ALICE_UID);
	assert_string_equal(ASK(*state, 2022975774, "op=standing", "name=alice"), "active");
	assert_string_equal(ASK(*state, 0, "op=standing", "name=alice@clinic.example"), "active");
	assert_null(ASK(*state, MALLORY, "op=standing", "name=alice"));
	assert_null(ASK(*state, 2022975774, "op=standing", "name=local"));
}

static void an_expired_account_is_deactivated_everywhere(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	admit_alice(bench, ticket);
	machine_write(&bench->machine, "/etc/shadow", 0640,
		      "root:*:19000:0:99999:7:::\nlocal:*:19000:0:99999:7:::\nalice:*:19000:::::1:\n");
	assert_string_equal(ASK(bench, 0, "op=standing", "name=alice"), "deactivated");
	assert_refused(bench, LOOKUP(bench, "name=alice", "purpose=login"), "deactivated");
	assert_refused(bench, admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"),
		       "deactivated");
}

static void an_account_that_somebody_made_anew_is_theirs(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	admit_alice(bench, ticket);
	machine_write(&bench->machine, "/etc/passwd", 0644,
		      "root:x:0:0::/root:/bin/bash\nalice:x:1001:1001::/:/bin/sh\n");
	assert_string_equal(LOOKUP(bench, "name=alice", "purpose=login"), "not_ours");
	assert_string_equal(ASK(bench, 0, "op=standing", "name=alice"), "not_ours");
	assert_refused(bench, admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"),
		       "name_reserved");
	machine_write(&bench->machine, "/etc/passwd", 0644, "root:x:0:0::/root:/bin/bash\n");
	assert_refused(bench, LOOKUP(bench, "name=alice", "purpose=login"), "removed");
	assert_string_equal(ASK(bench, 0, "op=standing", "name=alice"), "deactivated");
}

static void root_sees_the_accounts_on_record(void **state)
{
	char ticket[128];

	assert_string_equal(ASK(*state, 0, "op=list"), "end");
	assert_string_equal(ASK(*state, 0, "op=show", "name=alice"), "unknown");
	admit_alice(*state, ticket);
	assert_string_equal(ASK(*state, 0, "op=list"), "account");
	assert_field(*state, "name", "alice");
	assert_field(*state, "state", "active");
	assert_string_equal(ASK(*state, 0, "op=show", "name=alice"), "account");
	assert_field(*state, "subject", "00ualice");
	assert_field(*state, "email", "alice@clinic.example");
}

#define TEST(name) TEST_WITH(name, &plain)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_question_is_for_its_callers_only),
		TEST(malformed_questions_end_the_connection),
		TEST(a_new_name_is_promised_what_it_will_have),
		TEST(local_users_and_root_are_not_ours),
		TEST(names_that_cannot_be_accounts_are_refused_with_the_reason),
		TEST(a_name_whose_home_exists_is_refused),
		TEST(an_email_is_for_the_console_unless_configured),
		TEST_WITH(an_email_over_ssh_is_answered_where_configured, &with_email_over_ssh),
		TEST_WITH(with_a_claim_an_email_is_promised_a_tenant_only, &with_claim),
		TEST(an_admitted_person_has_an_account_and_one_ticket),
		TEST(a_ticket_is_of_no_use_to_others),
		TEST_WITH(a_ticket_from_before_the_start_is_told_apart_to_root_alone, &started_later),
		TEST(a_made_up_ticket_is_no_ticket_from_before_the_start),
		TEST(nobody_is_admitted_to_a_local_user_root_or_another_person),
		TEST(an_active_account_is_answered_with_its_rows_and_groups),
		TEST(a_name_that_is_listed_as_a_member_is_given_to_nobody),
		TEST(the_standing_of_an_account_is_told_to_root_and_to_itself),
		TEST(an_expired_account_is_deactivated_everywhere),
		TEST(an_account_that_somebody_made_anew_is_theirs),
		TEST(root_sees_the_accounts_on_record),
	};

	if (geteuid() != 0) {
		print_message("skipped: only root can make accounts, and connect as other users\n");
		return 0;
	}
	log_divert(say_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
