/*
 * The rules of admission, one by one and in their order.
 */
#include "provisiond/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provisiond/account_uid.h"
#include "two_tenants.h"

#define ALICE_UID 2022975774U

/* One admission: Alice types her short name, is verified, and has no account yet. Tests change what they are about. */
struct
try {
	struct config *config;
	const char *typed;
	struct candidate candidate;
	struct admission_question question;
	struct admission_facts facts;
	const struct account_record *typed_record;
	struct account_record bound, other;
	struct expected expected;
	const struct expected *typed_expected;
	const char *groups[2];
	struct verdict verdict;
};

static const struct account_record alices_record = {
	.name = "alice",
	.uid = ALICE_UID,
	.gid = ALICE_UID,
	.tenant = "clinic",
	.issuer = "https://clinic.example",
	.subject = "00ualice",
	.email = "alice@clinic.example",
	.full_name = "Alice Example",
	.home = "/home/alice",
	.shell = "/bin/bash",
	.state = ACCOUNT_ACTIVE,
};

static void begin(struct try *try, const char *config)
{
	*try = (struct try){ .config = config_of(config), .typed = "alice" };
	try->candidate = (struct candidate){
		.issuer = "https://clinic.example",
		.client_id = "clinic-client",
		.subject = "00ualice",
		.email = "alice@clinic.example",
		.email_verified = EMAIL_VERIFIED,
		.full_name = "Alice Example",
		.groups = try->groups,
	};
	try->question = (struct admission_question){
		.config = try->config,
		.tenant = "clinic",
		.candidate = &try->candidate,
	};
	try->bound = alices_record;
	try->other = alices_record;
	try->other.subject = "00ubob";
}

/* Works the rest of the facts out and decides. */
static void decide(struct try *try)
{
	struct admission_facts *facts = &try->facts;
	const char *account;

	stands_for(try->config, try->typed, try->typed_record, try->typed_expected, &facts->stands);
	account = admission_account(&facts->stands, &try->candidate);
	if (facts->stands.tenant && !facts->bound)
		assert_true(promise_for(try->config, facts->stands.tenant, account, NULL, &facts->promise));
	admission_decide(&try->question, facts, &try->verdict);
}

static void end(struct try *try)
{
	config_free(try->config);
}

static void assert_refused(struct try *try, enum reason reason)
{
	decide(try);
	assert_string_equal(reason_name(try->verdict.reason), reason_name(reason));
	assert_int_equal(try->verdict.kind, VERDICT_REFUSED);
	end(try);
}

static void assert_creates(struct try *try, const char *account)
{
	decide(try);
	assert_string_equal(reason_name(try->verdict.reason), reason_name(REASON_NONE));
	assert_int_equal(try->verdict.kind, VERDICT_CREATE);
	assert_string_equal(try->verdict.account, account);
	end(try);
}

static void assert_admitted(struct try *try, const char *account)
{
	decide(try);
	assert_string_equal(reason_name(try->verdict.reason), reason_name(REASON_NONE));
	assert_int_equal(try->verdict.kind, VERDICT_ADMITTED);
	assert_string_equal(try->verdict.account, account);
	assert_int_equal(try->verdict.uid, ALICE_UID);
	end(try);
}

/* Alice has her account already. */
static void begin_bound(struct try *try, const char *config)
{
	begin(try, config);
	try->facts.bound = try->facts.named = try->facts.same_email = try->typed_record = &try->bound;
	try->facts.bound_standing = STANDING_ACTIVE;
}

/* ---- a new person ---- */

static void a_new_person_gets_an_account_by_their_local_part(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	decide(&try);
	assert_int_equal(try.verdict.uid, ALICE_UID);
	assert_creates(&try, "alice");
}

static void a_new_person_may_type_their_email(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.typed = "Alice@Clinic.example";
	try.candidate.email = "aLice@clinic.EXAMPLE";
	assert_creates(&try, "alice");
}

static void a_tenants_format_makes_the_name(void **state)
{
	struct try try;

	(void)state;
	begin(&try, TWO_TENANTS);
	try.typed = "alice.lab";
	try.question.tenant = "lab";
	try.candidate.issuer = "https://lab.example";
	try.candidate.client_id = "lab-client";
	try.candidate.email = "alice@lab.example";
	assert_creates(&try, "alice.lab");
}

/* ---- tenant ---- */

static void another_issuer_is_the_wrong_tenant(void **state)
{
	struct try try;

	(void)state;
	begin(&try, TWO_TENANTS);
	try.candidate.issuer = "https://lab.example";
	assert_refused(&try, REASON_WRONG_TENANT);
	begin(&try, ONE_TENANT);
	try.candidate.issuer = "https://clinic.example/";
	assert_refused(&try, REASON_WRONG_TENANT);
}

static void another_client_is_the_wrong_tenant(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.candidate.client_id = "another-client";
	assert_refused(&try, REASON_WRONG_TENANT);
}

static void a_name_of_another_tenant_is_the_wrong_tenant(void **state)
{
	struct try try;

	(void)state;
	begin(&try, TWO_TENANTS);
	try.typed = "alice.lab";
	assert_refused(&try, REASON_WRONG_TENANT);
	begin(&try, TWO_TENANTS);
	try.question.tenant = "lab";
	assert_refused(&try, REASON_WRONG_TENANT);
}

static void root_is_admitted_to_nobody(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.typed = "root";
	try.candidate.email = "root@clinic.example";
	assert_refused(&try, REASON_NOT_OURS);
}

/* ---- domain ---- */

static void an_email_is_needed_and_must_be_one(void **state)
{
	static const char *const emails[] = { NULL,
					      "alice",
					      "alice@@clinic.example",
					      "alice@b@clinic.example",
					      "al ice@clinic.example",
					      "alice@clinic.example\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(emails) / sizeof(emails[0]); i++) {
		struct try try;

		begin(&try, ONE_TENANT);
		try.candidate.email = emails[i];
		assert_refused(&try, REASON_EMAIL_INVALID);
	}
}

static void only_the_tenants_domains_are_taken_exactly(void **state)
{
	static const char *const emails[] = { "alice@evil.example", "alice@mail.clinic.example",
					      "alice@xclinic.example", "alice@clinic.example.evil.example",
					      "alice@lab.example" };
	struct try try;

	(void)state;
	for (size_t i = 0; i < sizeof(emails) / sizeof(emails[0]); i++) {
		begin(&try, TWO_TENANTS);
		try.candidate.email = emails[i];
		assert_refused(&try, REASON_WRONG_DOMAIN);
	}
	begin(&try, TWO_TENANTS);
	try.candidate.email = "alice@hospital.example";
	assert_creates(&try, "alice");
}

static void a_bound_persons_email_must_be_of_the_domain_too(void **state)
{
	struct try try;

	(void)state;
	begin_bound(&try, ONE_TENANT);
	try.candidate.email = "alice@evil.example";
	assert_refused(&try, REASON_WRONG_DOMAIN);
}

/* ---- binding ---- */

static void a_bound_person_gets_their_account(void **state)
{
	struct try try;

	(void)state;
	begin_bound(&try, ONE_TENANT);
	assert_admitted(&try, "alice");
}

static void a_bound_person_keeps_the_account_whatever_their_email_is_now(void **state)
{
	struct try try;

	(void)state;
	begin_bound(&try, ONE_TENANT);
	try.candidate.email = "alice.jones@clinic.example";
	try.facts.same_email = NULL;
	assert_admitted(&try, "alice");
	/* Also when the new name could not be an account's, or is reserved. */
	begin_bound(&try, ONE_TENANT);
	try.candidate.email = "o'brien@clinic.example";
	try.facts.account.name = NAME_BUILT_IN;
	assert_admitted(&try, "alice");
}

static void a_bound_person_who_types_their_new_email_is_told_their_name(void **state)
{
	struct try try;

	(void)state;
	begin_bound(&try, ONE_TENANT);
	try.typed = "alice.jones@clinic.example";
	try.candidate.email = "alice.jones@clinic.example";
	try.typed_record = try.facts.named = try.facts.same_email = NULL;
	decide(&try);
	assert_non_null(strstr(try.verdict.sentence, "Start again as alice."));
	assert_refused(&try, REASON_OTHER_PERSON);
}

static void their_new_email_may_even_read_like_somebody_elses_account(void **state)
{
	struct try try;

	(void)state;
	begin_bound(&try, ONE_TENANT);
	try.typed = "bob@clinic.example";
	try.candidate.email = "bob@clinic.example";
	try.other.name = "bob";
	try.typed_record = try.facts.same_email = NULL;
	try.facts.named = &try.other;
	decide(&try);
	assert_non_null(strstr(try.verdict.sentence, "Start again as alice."));
	assert_refused(&try, REASON_OTHER_PERSON);
}

static void a_bound_person_who_types_a_free_name_is_told_theirs(void **state)
{
	struct try try;

	(void)state;
	begin_bound(&try, ONE_TENANT);
	try.typed = "alicia";
	try.typed_record = try.facts.named = NULL;
	decide(&try);
	assert_non_null(strstr(try.verdict.sentence, "alice"));
	assert_refused(&try, REASON_OTHER_PERSON);
}

static void bob_approving_alices_code_is_another_person(void **state)
{
	struct try try;

	(void)state;
	/* Bob has an account; Alice too. Whoever typed her name learns nothing of his. */
	begin_bound(&try, ONE_TENANT);
	try.candidate.subject = "00ubob";
	try.candidate.email = "bob@clinic.example";
	try.bound.name = "bob";
	try.other.subject = "00ualice";
	try.facts.bound = try.facts.same_email = &try.bound;
	try.facts.named = try.typed_record = &try.other;
	decide(&try);
	assert_string_equal(try.verdict.sentence, "");
	assert_refused(&try, REASON_OTHER_PERSON);
	/* Bob has none yet; Alice has. */
	begin(&try, ONE_TENANT);
	try.candidate.subject = "00ubob";
	try.candidate.email = "bob@clinic.example";
	try.facts.named = try.typed_record = &try.bound;
	assert_refused(&try, REASON_OTHER_PERSON);
	/* Neither has. */
	begin(&try, ONE_TENANT);
	try.candidate.subject = "00ubob";
	try.candidate.email = "bob@clinic.example";
	assert_refused(&try, REASON_OTHER_PERSON);
}

static void an_address_that_was_given_to_someone_else_is_refused(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.facts.same_email = try.facts.named = try.typed_record = &try.other;
	assert_refused(&try, REASON_SUBJECT_CHANGED);
	/* Also when the account's person has another address now. */
	begin(&try, ONE_TENANT);
	try.facts.named = try.typed_record = &try.other;
	assert_refused(&try, REASON_SUBJECT_CHANGED);
	/* And when the address is on record for an account with another name. */
	begin(&try, ONE_TENANT);
	try.other.name = "allie";
	try.facts.same_email = &try.other;
	assert_refused(&try, REASON_SUBJECT_CHANGED);
}

static void a_removed_accounts_name_needs_the_admin(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.other.state = ACCOUNT_REMOVED;
	try.facts.named = try.typed_record = &try.other;
	assert_refused(&try, REASON_REMOVED);
}

static void a_bound_accounts_standing_counts(void **state)
{
	static const struct {
		enum standing standing;
		enum reason reason;
	} rows[] = {
		{ STANDING_DEACTIVATED, REASON_DEACTIVATED },
		{ STANDING_REMOVED, REASON_REMOVED }, /* by somebody's userdel: the record says active */
		{ STANDING_FOREIGN, REASON_NAME_RESERVED },
		{ STANDING_UNKNOWN, REASON_STORAGE },
	};
	struct try try;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin_bound(&try, ONE_TENANT);
		try.facts.bound_standing = rows[i].standing;
		assert_refused(&try, rows[i].reason);
	}
	/* The first rule that refuses decides. */
	begin_bound(&try, CLINIC "allowed_groups = Radiology\n");
	try.facts.bound_standing = STANDING_DEACTIVATED;
	assert_refused(&try, REASON_DEACTIVATED);
	begin_bound(&try, ONE_TENANT);
	try.facts.bound_standing = STANDING_CREATING;
	assert_creates(&try, "alice");
	/* Who was not asked yet, or did not sign in for too long, is let in to mend that. */
	begin_bound(&try, ONE_TENANT);
	try.facts.bound_standing = STANDING_INCOMPLETE;
	assert_admitted(&try, "alice");
	begin_bound(&try, ONE_TENANT);
	try.facts.bound_standing = STANDING_LAPSED;
	assert_admitted(&try, "alice");
}

/* ---- coming back ---- */

static void begin_return(struct try *try)
{
	begin_bound(try, ONE_TENANT);
	try->bound.state = ACCOUNT_REMOVED;
	try->facts.bound_standing = STANDING_REMOVED;
	try->facts.same_email = NULL; /* removed accounts do not count */
	try->facts.promise = (struct promise){ .uid = ALICE_UID, .home = "/home/alice", .shell = "/bin/bash" };
}

static void a_removed_person_who_comes_back_has_the_same_uid(void **state)
{
	struct try try;

	(void)state;
	begin_return(&try);
	decide(&try);
	assert_int_equal(try.verdict.uid, ALICE_UID);
	assert_creates(&try, "alice");
	/* By the account's name, even where a claim names people otherwise now. */
	begin_return(&try);
	try.candidate.email = "alice.jones@clinic.example";
	assert_creates(&try, "alice");
}

static void nobody_comes_back_where_somebody_is_by_now(void **state)
{
	struct try try;

	(void)state;
	begin_return(&try);
	try.facts.account.name = NAME_LOCAL_GROUP;
	assert_refused(&try, REASON_NAME_RESERVED);
	begin_return(&try);
	try.facts.account.uid = UID_LOCAL_USER;
	assert_refused(&try, REASON_UID_TAKEN);
	begin_return(&try);
	try.facts.account.home_exists = true;
	assert_refused(&try, REASON_HOME_EXISTS);
	begin_return(&try);
	try.facts.bound_standing = STANDING_FOREIGN;
	assert_refused(&try, REASON_NAME_RESERVED);
	begin_return(&try);
	try.question.has_promise = true;
	try.question.promised_uid = ALICE_UID + 1;
	assert_refused(&try, REASON_UID_CHANGED);
}

/* ---- successors ---- */

static void the_admin_reads_how_an_address_comes_to_a_successor(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.facts.same_email = try.facts.named = try.typed_record = &try.other;
	decide(&try);
	assert_non_null(strstr(try.verdict.remedy, "provisionctl reassign alice"));
	assert_refused(&try, REASON_SUBJECT_CHANGED);
	begin(&try, ONE_TENANT);
	try.facts.named = try.typed_record = &try.other;
	decide(&try);
	assert_non_null(strstr(try.verdict.remedy, "provisionctl reassign alice"));
	assert_refused(&try, REASON_SUBJECT_CHANGED);
	begin(&try, ONE_TENANT);
	try.other.state = ACCOUNT_REMOVED;
	try.facts.named = try.typed_record = &try.other;
	decide(&try);
	assert_non_null(strstr(try.verdict.remedy, "provisionctl reassign alice"));
	assert_refused(&try, REASON_REMOVED);
}

static void who_had_an_account_until_a_successor_got_it_has_it_no_more(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.facts.former_name = "alice";
	assert_refused(&try, REASON_REASSIGNED);
	/* The successor has it by now, and the address. */
	begin(&try, ONE_TENANT);
	try.facts.former_name = "alice";
	try.facts.named = try.facts.same_email = try.typed_record = &try.other;
	assert_refused(&try, REASON_REASSIGNED);
	/* As somebody new, with a new address. */
	begin(&try, ONE_TENANT);
	try.facts.former_name = "alice";
	try.typed = "alice.jones";
	try.candidate.email = "alice.jones@clinic.example";
	assert_creates(&try, "alice.jones");
	/* What they have is theirs, whatever they had. */
	begin_bound(&try, ONE_TENANT);
	try.facts.former_name = "alice";
	assert_admitted(&try, "alice");
}

/* ---- name ---- */

static void a_name_that_does_not_fit_is_refused_and_never_bent(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.typed = "obrien";
	try.candidate.email = "o'brien@clinic.example";
	decide(&try);
	assert_non_null(strstr(try.verdict.sentence, "character other than"));
	assert_refused(&try, REASON_NAME_UNFIT);
}

static void a_name_that_reads_like_another_tenants_is_refused(void **state)
{
	struct try try;

	(void)state;
	begin(&try, TWO_TENANTS);
	try.candidate.email = "alice.lab@clinic.example";
	assert_refused(&try, REASON_NAME_UNFIT);
}

/* Two people with one local part, in two domains of one tenant. */
static void a_typed_email_must_be_the_persons_own(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.typed = "alice@hospital.example";
	assert_refused(&try, REASON_OTHER_PERSON);
}

static void the_claim_names_the_account(void **state)
{
	struct try try;

	(void)state;
	begin(&try, CLAIM_TENANT);
	try.typed = "obrien";
	try.candidate.email = "o'brien@clinic.example";
	try.candidate.username = "obrien";
	assert_creates(&try, "obrien");
	begin(&try, CLAIM_TENANT);
	try.typed = "o'brien@clinic.example";
	try.candidate.email = "O'Brien@clinic.example";
	try.candidate.username = "obrien";
	assert_creates(&try, "obrien");
}

static void the_claim_must_be_there_fit_and_be_the_typed_name(void **state)
{
	struct try try;

	(void)state;
	begin(&try, CLAIM_TENANT);
	assert_refused(&try, REASON_NAME_UNFIT);
	begin(&try, CLAIM_TENANT);
	try.candidate.username = "Alice";
	assert_refused(&try, REASON_NAME_UNFIT);
	begin(&try, CLAIM_TENANT);
	try.candidate.username = "bob";
	assert_refused(&try, REASON_OTHER_PERSON);
	begin(&try, CLAIM_TENANT);
	try.typed = "bob@clinic.example";
	try.candidate.username = "alice";
	assert_refused(&try, REASON_OTHER_PERSON);
}

/* ---- who is expected by a link ---- */

#define LOCAL_UID 1001

/* The local user asmith waits for Alice, who types that name. */
static void begin_link(struct try *try)
{
	begin(try, ONE_TENANT);
	try->expected = (struct expected){ .kind = EXPECTED_LINK,
					   .name = "asmith",
					   .tenant = "clinic",
					   .email = "Alice@clinic.example",
					   .subject = "",
					   .uid = LOCAL_UID };
	try->typed = "asmith";
	try->typed_expected = try->facts.expected = try->facts.own_email = &try->expected;
	try->facts.local = (struct local_account){ .there = true, .uid = LOCAL_UID, .gid = 100 };
	try->facts.account.name = NAME_LOCAL_USER;
}

static void assert_links(struct try *try)
{
	decide(try);
	assert_string_equal(reason_name(try->verdict.reason), reason_name(REASON_NONE));
	assert_int_equal(try->verdict.kind, VERDICT_LINK);
	assert_string_equal(try->verdict.account, "asmith");
	assert_int_equal(try->verdict.uid, LOCAL_UID);
	end(try);
}

static void whoever_is_expected_takes_the_local_account(void **state)
{
	struct try try;

	(void)state;
	begin_link(&try);
	assert_links(&try);
	begin_link(&try);
	try.typed = "alice@clinic.example";
	assert_links(&try);
	begin_link(&try);
	try.expected.subject = "00ualice";
	try.question.has_promise = true;
	try.question.promised_uid = LOCAL_UID;
	assert_links(&try);
}

static void nobody_else_takes_the_local_account(void **state)
{
	struct try try;

	(void)state;
	/* Another email; that it would give the name does not help. */
	begin_link(&try);
	try.candidate.email = "asmith@clinic.example";
	try.facts.own_email = NULL;
	decide(&try);
	assert_non_null(strstr(try.verdict.remedy, "provisionctl unlink asmith"));
	assert_string_not_equal(try.verdict.sentence, "");
	assert_refused(&try, REASON_OTHER_PERSON);
	/* The same local part in another of the tenant's domains. */
	begin_link(&try);
	try.candidate.email = "alice@hospital.example";
	try.facts.own_email = NULL;
	assert_refused(&try, REASON_OTHER_PERSON);
	/* The address, but not the subject that the admin named. */
	begin_link(&try);
	try.expected.subject = "00uanother";
	decide(&try);
	assert_non_null(strstr(try.verdict.remedy, "00uanother"));
	assert_refused(&try, REASON_OTHER_PERSON);
	/* Of another tenant. */
	begin_link(&try);
	try.expected.tenant = "lab";
	try.typed_expected = NULL;
	try.facts.own_email = NULL;
	assert_refused(&try, REASON_OTHER_PERSON);
	/* By an email that is not theirs. */
	begin_link(&try);
	try.typed = "asmith@clinic.example";
	try.typed_expected = NULL;
	assert_refused(&try, REASON_OTHER_PERSON);
}

static void all_other_rules_hold_for_a_link(void **state)
{
	struct try try;

	(void)state;
	begin_link(&try);
	try.candidate.email_verified = EMAIL_UNVERIFIED;
	assert_refused(&try, REASON_EMAIL_UNVERIFIED);
	begin_link(&try);
	try.candidate.issuer = "https://evil.example";
	assert_refused(&try, REASON_WRONG_TENANT);
	begin_link(&try);
	try.candidate.email = "alice@evil.example";
	assert_refused(&try, REASON_WRONG_DOMAIN);
	begin_link(&try);
	try.question.has_promise = true;
	try.question.promised_uid = LOCAL_UID + 1;
	assert_refused(&try, REASON_UID_CHANGED);
	begin_link(&try);
	try.facts.same_email = &try.other;
	assert_refused(&try, REASON_SUBJECT_CHANGED);
	begin_link(&try);
	try.facts.former_name = "asmith";
	assert_refused(&try, REASON_REASSIGNED);
}

static void a_local_account_is_taken_only_as_it_was_linked(void **state)
{
	static const struct {
		struct local_account local;
		const char *fault;
	} rows[] = {
		{ { .there = false }, "is no user in /etc/passwd" },
		{ { .unreadable = true, .there = true, .uid = LOCAL_UID, .gid = 100 }, "cannot be read" },
		{ { .there = true, .uid = LOCAL_UID + 1, .gid = 100 }, "has another uid now" },
		{ { .there = true, .uid = 0, .gid = 100 }, "is root" },
		{ { .there = true, .uid = 999, .gid = 100 }, "below 1000" },
		{ { .there = true, .uid = 65534, .gid = 65534 }, "nobody's" },
		{ { .there = true, .uid = (uint16_t)-1, .gid = 100 }, "nobody's" },
		{ { .there = true, .uid = (uid_t)-1, .gid = 100 }, "nobody's" },
		{ { .there = true, .uid = LOCAL_UID, .gid = 0 }, "root's group" },
		{ { .there = true, .uid = LOCAL_UID, .gid = 100, .holder = UID_ON_RECORD }, "another account's" },
		{ { .there = true, .uid = LOCAL_UID, .gid = 100, .holder = UID_FORMER }, "another account's" },
		{ { .there = true, .uid = LOCAL_UID, .gid = 100, .holder = UID_HOLDER_UNKNOWN }, "does not answer" },
	};
	struct try try;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin_link(&try);
		try.facts.local = rows[i].local;
		/* The uid that was linked is no excuse for one that never may be. */
		if (rows[i].local.uid != LOCAL_UID + 1)
			try.expected.uid = rows[i].local.uid;
		decide(&try);
		assert_non_null(strstr(try.verdict.remedy, rows[i].fault));
		assert_non_null(strstr(try.verdict.remedy, "provisionctl unlink asmith"));
		assert_refused(&try, REASON_NAME_RESERVED);
	}
	assert_non_null(
		admission_link_fault("root", &(struct local_account){ .there = true, .uid = 1001, .gid = 100 }));
	assert_null(admission_link_fault("asmith", &(struct local_account){ .there = true, .uid = 1001, .gid = 100 }));
}

static void whoever_has_an_account_takes_no_other(void **state)
{
	struct try try;

	(void)state;
	begin_link(&try);
	try.facts.bound = try.facts.same_email = &try.bound;
	try.facts.bound_standing = STANDING_ACTIVE;
	decide(&try);
	assert_non_null(strstr(try.verdict.sentence, "Start again as alice."));
	assert_non_null(strstr(try.verdict.remedy, "has the account alice already"));
	assert_refused(&try, REASON_OTHER_PERSON);
	/* Bob, who has one too, approved: what his is called is nothing for who typed the name. */
	begin_link(&try);
	try.facts.own_email = NULL;
	try.candidate.email = "bob@clinic.example";
	try.bound.name = "bob";
	try.facts.bound = &try.bound;
	try.facts.bound_standing = STANDING_ACTIVE;
	decide(&try);
	assert_string_equal(try.verdict.sentence, "");
	assert_refused(&try, REASON_OTHER_PERSON);
}

/* ---- who is expected under a name of the admin's choice ---- */

/* O'Brien, who cannot have an account by his address, is to be obrien. */
static void begin_add(struct try *try)
{
	begin(try, ONE_TENANT);
	try->expected = (struct expected){ .kind = EXPECTED_ADD,
					   .name = "obrien",
					   .tenant = "clinic",
					   .email = "o'brien@clinic.example",
					   .subject = "" };
	try->typed = "obrien";
	try->candidate.email = "O'Brien@clinic.example";
	try->typed_expected = try->facts.expected = try->facts.own_email = &try->expected;
}

static void whoever_is_expected_gets_the_chosen_name(void **state)
{
	struct try try;

	(void)state;
	begin_add(&try);
	assert_creates(&try, "obrien");
	begin_add(&try);
	try.typed = "o'brien@clinic.example";
	assert_creates(&try, "obrien");
}

static void the_chosen_name_is_under_the_rules_of_new_names(void **state)
{
	struct try try;

	(void)state;
	for (enum name_holder holder = NAME_BUILT_IN; holder < NAME_HOLDER_UNKNOWN; holder++) {
		begin_add(&try);
		try.facts.account.name = holder;
		assert_refused(&try, REASON_NAME_RESERVED);
	}
	begin_add(&try);
	try.facts.account.uid = UID_FORMER;
	assert_refused(&try, REASON_UID_TAKEN);
	begin_add(&try);
	try.facts.account.home_exists = true;
	assert_refused(&try, REASON_HOME_EXISTS);
	begin_add(&try);
	try.candidate.email_verified = EMAIL_UNSAID;
	assert_refused(&try, REASON_EMAIL_UNVERIFIED);
}

static void the_chosen_name_is_nobody_elses(void **state)
{
	struct try try;

	(void)state;
	begin_add(&try);
	try.candidate.email = "obrien@clinic.example";
	try.facts.own_email = NULL;
	decide(&try);
	assert_non_null(strstr(try.verdict.remedy, "o'brien@clinic.example"));
	assert_refused(&try, REASON_OTHER_PERSON);
	/* By the email that would give it, too. */
	begin_add(&try);
	try.typed = "obrien@clinic.example";
	try.typed_expected = NULL;
	try.candidate.email = "obrien@clinic.example";
	try.facts.own_email = NULL;
	assert_refused(&try, REASON_OTHER_PERSON);
}

static void whoever_is_expected_gets_no_other_name(void **state)
{
	struct try try;

	(void)state;
	begin_add(&try);
	try.expected.email = "alice@clinic.example";
	try.candidate.email = "alice@clinic.example";
	try.typed = "alice";
	try.typed_expected = try.facts.expected = NULL;
	decide(&try);
	assert_non_null(strstr(try.verdict.sentence, "Start again as obrien."));
	assert_refused(&try, REASON_OTHER_PERSON);
	/* Whoever types somebody's name, and has Alice approve, learns nothing of hers. */
	begin_add(&try);
	try.expected.email = "alice@clinic.example";
	try.candidate.email = "alice@clinic.example";
	try.typed = "bob";
	try.typed_expected = try.facts.expected = NULL;
	try.other.name = "bob";
	try.facts.named = try.typed_record = &try.other;
	decide(&try);
	assert_null(strstr(try.verdict.sentence, "obrien"));
	assert_refused(&try, REASON_OTHER_PERSON);
	begin_add(&try);
	try.expected.email = "alice@clinic.example";
	try.candidate.email = "alice@clinic.example";
	try.typed = "carol";
	try.typed_expected = try.facts.expected = NULL;
	try.facts.account.name = NAME_LOCAL_MEMBER;
	decide(&try);
	assert_null(strstr(try.verdict.sentence, "obrien"));
	assert_refused(&try, REASON_OTHER_PERSON);
	/* The address is kept for another subject. */
	begin_add(&try);
	try.expected.email = "alice@clinic.example";
	try.expected.subject = "00uanother";
	try.candidate.email = "alice@clinic.example";
	try.typed = "alice";
	try.typed_expected = try.facts.expected = NULL;
	decide(&try);
	assert_null(strstr(try.verdict.sentence, "obrien"));
	assert_refused(&try, REASON_OTHER_PERSON);
}

/* ---- reserved names, existing users, homes, uids ---- */

static void a_name_that_somebody_has_is_refused(void **state)
{
	struct try try;

	(void)state;
	for (enum name_holder holder = NAME_BUILT_IN; holder < NAME_HOLDER_UNKNOWN; holder++) {
		begin(&try, ONE_TENANT);
		try.facts.account.name = holder;
		decide(&try);
		assert_string_not_equal(try.verdict.remedy, "");
		assert_refused(&try, REASON_NAME_RESERVED);
	}
}

static void a_home_that_is_there_is_refused(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.facts.account.home_exists = true;
	decide(&try);
	assert_non_null(strstr(try.verdict.remedy, "/home/alice"));
	assert_refused(&try, REASON_HOME_EXISTS);
}

static void a_uid_that_somebody_has_is_refused_and_the_admin_told_the_remedy(void **state)
{
	struct try try;

	(void)state;
	for (enum uid_holder holder = UID_OUT_OF_RANGE; holder < UID_HOLDER_UNKNOWN; holder++) {
		begin(&try, ONE_TENANT);
		try.facts.account.uid = holder;
		(void)strcpy(try.facts.account.holder, "bob");
		decide(&try);
		assert_non_null(strstr(try.verdict.remedy, "provisionctl reserve alice --uid N"));
		assert_refused(&try, REASON_UID_TAKEN);
	}
}

static void a_name_service_that_does_not_answer_counts_as_taken(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.facts.account.name = NAME_HOLDER_UNKNOWN;
	assert_refused(&try, REASON_UID_TAKEN);
	begin(&try, ONE_TENANT);
	try.facts.account.uid = UID_HOLDER_UNKNOWN;
	assert_refused(&try, REASON_UID_TAKEN);
}

/* ---- assignment ---- */

static void one_allowed_group_is_enough_and_groups_match_exactly(void **state)
{
	struct try try;

	(void)state;
	begin(&try, CLINIC "allowed_groups = Radiology, \"Clinic, IT\"\n");
	try.groups[0] = "Everyone";
	try.groups[1] = "Clinic, IT";
	try.candidate.group_count = 2;
	assert_creates(&try, "alice");
	begin(&try, CLINIC "allowed_groups = Radiology\n");
	try.groups[0] = "radiology";
	try.groups[1] = "Radiology ";
	try.candidate.group_count = 2;
	assert_refused(&try, REASON_GROUP_MISSING);
	begin_bound(&try, CLINIC "allowed_groups = Radiology\n");
	assert_refused(&try, REASON_GROUP_MISSING);
}

static void email_verified_follows_the_policy(void **state)
{
	static const struct {
		const char *policy;
		enum email_claim claim;
		bool taken;
	} rows[] = {
		{ "require", EMAIL_VERIFIED, true },    { "require", EMAIL_UNSAID, false },
		{ "require", EMAIL_UNVERIFIED, false }, { "if-present", EMAIL_VERIFIED, true },
		{ "if-present", EMAIL_UNSAID, true },   { "if-present", EMAIL_UNVERIFIED, false },
		{ "ignore", EMAIL_UNVERIFIED, true },   { "ignore", EMAIL_UNSAID, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct try try;
		char config[512] = CLINIC "email_verified = ";

		(void)strcat(strcat(config, rows[i].policy), "\n");
		begin(&try, config);
		try.candidate.email_verified = rows[i].claim;
		if (rows[i].taken)
			assert_creates(&try, "alice");
		else
			assert_refused(&try, REASON_EMAIL_UNVERIFIED);
	}
}

/* ---- where they come from ---- */

static void try_from(struct try *try, const char *service, const char *remote_host)
{
	begin(try, ONE_TENANT "remote_from = 10.1.0.0/16\n");
	try->question.service = service;
	try->question.remote_host = remote_host;
}

static void people_come_from_the_tenants_networks_or_the_console(void **state)
{
	static const char *const elsewhere[] = { "10.2.0.1", "::1", "host.clinic.example", "ward3", "UNKNOWN", NULL };
	struct try try;

	(void)state;
	try_from(&try, "sshd", "10.1.2.3");
	assert_creates(&try, "alice");
	try_from(&try, "login", "");
	assert_creates(&try, "alice");
	try_from(&try, "sudo", "ward3");
	assert_creates(&try, "alice");
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		try_from(&try, "sshd", elsewhere[i]);
		decide(&try);
		assert_non_null(strstr(try.verdict.remedy, "remote_from of tenant clinic"));
		assert_refused(&try, REASON_REMOTE_FROM);
	}
	begin_bound(&try, ONE_TENANT "remote_from = 10.1.0.0/16\n");
	try.question.service = "sshd";
	try.question.remote_host = "10.2.0.1";
	assert_refused(&try, REASON_REMOTE_FROM);
}

static void each_tenant_has_networks_of_its_own(void **state)
{
	struct try try;

	(void)state;
	begin(&try, TWO_TENANTS "remote_from = 10.1.0.0/16\n"); /* the lab's */
	try.question.service = "sshd";
	try.question.remote_host = "203.0.113.9";
	assert_creates(&try, "alice");
}

/* ---- the promise ---- */

static void the_uid_must_be_the_promised_one(void **state)
{
	struct try try;

	(void)state;
	begin(&try, ONE_TENANT);
	try.question.has_promise = true;
	try.question.promised_uid = ALICE_UID;
	assert_creates(&try, "alice");
	begin(&try, ONE_TENANT);
	try.question.has_promise = true;
	try.question.promised_uid = ALICE_UID + 1;
	assert_refused(&try, REASON_UID_CHANGED);
	begin_bound(&try, ONE_TENANT);
	try.question.has_promise = true;
	try.question.promised_uid = 0;
	assert_refused(&try, REASON_UID_CHANGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_person_gets_an_account_by_their_local_part),
		cmocka_unit_test(a_new_person_may_type_their_email),
		cmocka_unit_test(a_tenants_format_makes_the_name),
		cmocka_unit_test(another_issuer_is_the_wrong_tenant),
		cmocka_unit_test(another_client_is_the_wrong_tenant),
		cmocka_unit_test(a_name_of_another_tenant_is_the_wrong_tenant),
		cmocka_unit_test(root_is_admitted_to_nobody),
		cmocka_unit_test(an_email_is_needed_and_must_be_one),
		cmocka_unit_test(only_the_tenants_domains_are_taken_exactly),
		cmocka_unit_test(a_bound_persons_email_must_be_of_the_domain_too),
		cmocka_unit_test(a_bound_person_gets_their_account),
		cmocka_unit_test(a_bound_person_keeps_the_account_whatever_their_email_is_now),
		cmocka_unit_test(a_bound_person_who_types_their_new_email_is_told_their_name),
		cmocka_unit_test(their_new_email_may_even_read_like_somebody_elses_account),
		cmocka_unit_test(a_bound_person_who_types_a_free_name_is_told_theirs),
		cmocka_unit_test(bob_approving_alices_code_is_another_person),
		cmocka_unit_test(an_address_that_was_given_to_someone_else_is_refused),
		cmocka_unit_test(a_removed_accounts_name_needs_the_admin),
		cmocka_unit_test(a_bound_accounts_standing_counts),
		cmocka_unit_test(a_name_that_does_not_fit_is_refused_and_never_bent),
		cmocka_unit_test(a_name_that_reads_like_another_tenants_is_refused),
		cmocka_unit_test(a_typed_email_must_be_the_persons_own),
		cmocka_unit_test(the_claim_names_the_account),
		cmocka_unit_test(the_claim_must_be_there_fit_and_be_the_typed_name),
		cmocka_unit_test(a_name_that_somebody_has_is_refused),
		cmocka_unit_test(a_home_that_is_there_is_refused),
		cmocka_unit_test(a_uid_that_somebody_has_is_refused_and_the_admin_told_the_remedy),
		cmocka_unit_test(a_name_service_that_does_not_answer_counts_as_taken),
		cmocka_unit_test(one_allowed_group_is_enough_and_groups_match_exactly),
		cmocka_unit_test(email_verified_follows_the_policy),
		cmocka_unit_test(people_come_from_the_tenants_networks_or_the_console),
		cmocka_unit_test(each_tenant_has_networks_of_its_own),
		cmocka_unit_test(a_removed_person_who_comes_back_has_the_same_uid),
		cmocka_unit_test(nobody_comes_back_where_somebody_is_by_now),
		cmocka_unit_test(the_admin_reads_how_an_address_comes_to_a_successor),
		cmocka_unit_test(who_had_an_account_until_a_successor_got_it_has_it_no_more),
		cmocka_unit_test(whoever_is_expected_takes_the_local_account),
		cmocka_unit_test(nobody_else_takes_the_local_account),
		cmocka_unit_test(all_other_rules_hold_for_a_link),
		cmocka_unit_test(a_local_account_is_taken_only_as_it_was_linked),
		cmocka_unit_test(whoever_has_an_account_takes_no_other),
		cmocka_unit_test(whoever_is_expected_gets_the_chosen_name),
		cmocka_unit_test(the_chosen_name_is_under_the_rules_of_new_names),
		cmocka_unit_test(the_chosen_name_is_nobody_elses),
		cmocka_unit_test(whoever_is_expected_gets_no_other_name),
		cmocka_unit_test(the_uid_must_be_the_promised_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
