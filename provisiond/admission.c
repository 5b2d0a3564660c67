/*
 * The rules of admission, one function each, called from one list. All comparisons are exact and of bytes, except that
 * ASCII letters of email addresses count in either case.
 */
#include "provisiond/admission.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/remote_from.h"

#define NOBODYS_UID 65534

/* One admission under way. A rule returns false when it has refused. */
struct admission {
	const struct admission_question *question;
	const struct admission_facts *facts;
	const struct candidate *candidate;
	const struct tenant *tenant;
	struct email email;  /* from rule_domain on */
	const char *account; /* the name in question */
	struct verdict *verdict;
};

typedef bool admission_rule(struct admission *admission);

/* ---- what is said ---- */

static bool refuse(struct verdict *verdict, enum reason reason)
{
	verdict->kind = VERDICT_REFUSED;
	verdict->reason = reason;
	return false;
}

__attribute__((format(printf, 3, 4))) static bool refuse_saying(struct verdict *verdict, enum reason reason,
								const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(verdict->sentence, sizeof(verdict->sentence), format, arguments);
	va_end(arguments);
	return refuse(verdict, reason);
}

__attribute__((format(printf, 2, 3))) static void advise(struct verdict *verdict, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(verdict->remedy, sizeof(verdict->remedy), format, arguments);
	va_end(arguments);
}

/* ---- rules that need no identity ---- */

void admission_of_no_account(const struct stands_for *stands, struct verdict *ret_verdict)
{
	*ret_verdict = (struct verdict){ 0 };
	if (stands->reason == REASON_NAME_UNFIT && stands->fault)
		(void)refuse_saying(ret_verdict, REASON_NAME_UNFIT,
				    "That name cannot be an account on this machine: it %s. Check it, or ask your "
				    "administrator to prepare an account for you.",
				    stands->fault);
	else
		(void)refuse(ret_verdict, stands->reason);
}

void admission_of_standing(const struct account_record *record, enum standing standing, struct verdict *ret_verdict)
{
	struct verdict verdict = { .kind = VERDICT_ADMITTED, .uid = record->uid };

	account_name_copy(record->name, verdict.account);
	switch (standing) {
	case STANDING_ACTIVE:
	case STANDING_INCOMPLETE:
	case STANDING_LAPSED: /* this sign-in is what it waits for */
		break;
	case STANDING_CREATING:
		verdict.kind = VERDICT_CREATE;
		break;
	case STANDING_DEACTIVATED:
		(void)refuse(&verdict, REASON_DEACTIVATED);
		break;
	case STANDING_REMOVED:
		if (record->state == ACCOUNT_REMOVED) {
			verdict.kind = VERDICT_CREATE;
			break;
		}
		(void)refuse(&verdict, REASON_REMOVED);
		advise(&verdict,
		       "%s is on record with uid %lu, but has no row in /etc/passwd with it; put that back, or say "
		       "`provisionctl remove %s`",
		       record->name, (unsigned long)record->uid, record->name);
		break;
	case STANDING_FOREIGN:
		(void)refuse(&verdict, REASON_NAME_RESERVED);
		advise(&verdict, "%s is on record with uid %lu, but in /etc/passwd it is another user's name now",
		       record->name, (unsigned long)record->uid);
		break;
	case STANDING_UNKNOWN:
		(void)refuse(&verdict, REASON_STORAGE);
		advise(&verdict, "the account files cannot be read");
		break;
	}
	*ret_verdict = verdict;
}

/* The user directory that does not answer may know the name or the uid: it counts as if it did. */
static bool refuse_unknown(struct verdict *verdict, const struct account_facts *facts)
{
	advise(verdict, "%s does not answer, so it is not known whether the name and the uid are free", facts->holder);
	return refuse_saying(verdict, REASON_UID_TAKEN,
			     "No account could be made just now, because a user directory of this machine does not "
			     "answer. Try again in a moment, or tell your administrator.");
}

static bool name_is_free(struct verdict *verdict, const struct account_facts *facts)
{
	static const char *const holders[] = {
		[NAME_BUILT_IN] = "the built-in list of reserved names",
		[NAME_CONFIGURED] = "reserved_names in the configuration",
		[NAME_OF_PACKAGE] = "sysusers.d, for a package",
		[NAME_LOCAL_USER] = "a local user",
		[NAME_LOCAL_GROUP] = "a local group",
		[NAME_LOCAL_MEMBER] = "the list of members of a local group; remove it there. The group's gid is",
		[NAME_EXPECTED] = "`provisionctl link` or `add`, for",
		[NAME_OTHER_SOURCE] = "a user or group of the name service",
	};

	if (facts->name == NAME_FREE)
		return true;
	if (facts->name == NAME_HOLDER_UNKNOWN)
		return refuse_unknown(verdict, facts);
	advise(verdict, "the name %s is taken by %s%s%s", verdict->account, holders[facts->name],
	       facts->holder[0] ? " " : "", facts->holder);
	return refuse(verdict, REASON_NAME_RESERVED);
}

static bool home_is_free(struct verdict *verdict, const struct promise *promise, const struct account_facts *facts)
{
	if (!facts->home_exists)
		return true;
	advise(verdict, "%s exists already; move it away, or remove it if nobody needs it", promise->home);
	return refuse(verdict, REASON_HOME_EXISTS);
}

static bool uid_is_free(struct verdict *verdict, const struct account_facts *facts)
{
	static const char *const holders[] = {
		[UID_OUT_OF_RANGE] = "the system: persons have uids from 1000 on",
		[UID_LOCAL_USER] = "the local user",
		[UID_LOCAL_GROUP] = "the local group",
		[UID_ON_RECORD] = "the account on record",
		[UID_FORMER] = "the former account",
		[UID_RESERVED] = "a reservation for",
		[UID_OTHER_SOURCE] = "a user or group of the name service",
	};

	if (facts->uid == UID_FREE)
		return true;
	if (facts->uid == UID_HOLDER_UNKNOWN)
		return refuse_unknown(verdict, facts);
	advise(verdict, "uid %lu is taken by %s%s%s; choose another with `provisionctl reserve %s --uid N`",
	       (unsigned long)verdict->uid, holders[facts->uid], facts->holder[0] ? " " : "", facts->holder,
	       verdict->account);
	return refuse(verdict, REASON_UID_TAKEN);
}

void admission_of_new_name(const char *account, const struct promise *promise, const struct account_facts *facts,
			   struct verdict *ret_verdict)
{
	struct verdict verdict = { .kind = VERDICT_CREATE, .uid = promise->uid };

	account_name_copy(account, verdict.account);
	(void)(name_is_free(&verdict, facts) && home_is_free(&verdict, promise, facts) && uid_is_free(&verdict, facts));
	*ret_verdict = verdict;
}

const char *admission_link_fault(const char *name, const struct local_account *local)
{
	if (strcmp(name, "root") == 0 || (local->there && local->uid == 0))
		return "is root";
	if (local->unreadable)
		return "cannot be looked up: the account files cannot be read";
	if (!local->there)
		return "is no user in /etc/passwd";
	if (local->uid < FIRST_PERSONS_UID)
		return "has a uid below 1000, as users of the system have";
	if (local->uid == NOBODYS_UID || local->uid == (uid_t)-1 || local->uid == (uint16_t)-1)
		return "has a uid that is nobody's";
	if (local->gid == 0)
		return "has root's group as its own";
	if (local->holder == UID_HOLDER_UNKNOWN)
		return "has a uid about which the database does not answer";
	return local->holder == UID_FREE ? NULL : "has a uid that is another account's on record";
}

void admission_of_link(const struct expected *expected, const struct local_account *local, struct verdict *ret_verdict)
{
	struct verdict verdict = { .kind = VERDICT_LINK, .uid = local->uid };
	const char *fault = admission_link_fault(expected->name, local);

	account_name_copy(expected->name, verdict.account);
	if (!fault && local->uid != expected->uid)
		fault = "has another uid now than when it was linked";
	if (fault) {
		advise(&verdict, "%s waits to be linked to %s, but %s; mend that, or say `provisionctl unlink %s`",
		       expected->name, expected->email, fault, expected->name);
		(void)refuse_saying(&verdict, REASON_NAME_RESERVED,
				    "That account cannot be given to you as it is now. Ask your administrator.");
	}
	*ret_verdict = verdict;
}

/* ---- the rules, in order ---- */

/* The issuer and client are those of the tenant that the typed name stands for. */
static bool rule_tenant(struct admission *admission)
{
	const struct stands_for *stands = &admission->facts->stands;
	const struct candidate *candidate = admission->candidate;

	if (stands->reason != REASON_NONE) {
		admission_of_no_account(stands, admission->verdict);
		return false;
	}
	admission->tenant = stands->tenant;
	if (strcmp(admission->question->tenant, stands->tenant->name) != 0 ||
	    strcmp(candidate->issuer, stands->tenant->issuer) != 0 ||
	    strcmp(candidate->client_id, stands->tenant->client_id) != 0)
		return refuse(admission->verdict, REASON_WRONG_TENANT);
	return true;
}

/* Over SSH, the person comes from one of the tenant's networks. pam_oidcd has asked the same before it showed a code.
 */
static bool rule_remote_from(struct admission *admission)
{
	const struct admission_question *question = admission->question;
	const char *from = question->remote_host ? question->remote_host : "an unknown place";

	enum remote_from_verdict verdict = remote_from_judge(admission->tenant, question->service, from);
	char why[REMOTE_FROM_TEXT_MAX];

	if (verdict == REMOTE_FROM_PERMITTED)
		return true;
	advise(admission->verdict, "%s", remote_from_explain(verdict, admission->tenant, why));
	return refuse(admission->verdict, REASON_REMOTE_FROM);
}

/* The email's domain is one of the tenant's: no suffix, no subdomain. */
static bool rule_domain(struct admission *admission)
{
	if (!admission->candidate->email || !email_parse(admission->candidate->email, &admission->email))
		return refuse(admission->verdict, REASON_EMAIL_INVALID);
	if (!string_list_contains(&admission->tenant->domains, admission->email.domain))
		return refuse(admission->verdict, REASON_WRONG_DOMAIN);
	return true;
}

/* ASCII letters of the local part count in either case too: that is all that domain_equal() does. */
static bool same_email(const struct email *one, const struct email *other)
{
	return domain_equal(one->local, other->local) && strcmp(one->domain, other->domain) == 0;
}

static bool typed_own_email(const struct admission *admission)
{
	return admission->facts->stands.is_email && same_email(&admission->facts->stands.email, &admission->email);
}

/* Whether it is this very person whom the admin expects: with that email, and as that subject where one was named. */
static bool is_expected(const struct admission *admission, const struct expected *expected)
{
	struct email email;

	return strcmp(expected->tenant, admission->tenant->name) == 0 && email_parse(expected->email, &email) &&
	       same_email(&email, &admission->email) &&
	       (expected->subject[0] == '\0' || strcmp(expected->subject, admission->candidate->subject) == 0);
}

/* A bound person who typed another name is told which is theirs, if it is surely they who typed it: the email is
 * theirs, or nobody has the name. Otherwise somebody else had the code approved, and learns nothing. */
static bool refuse_other_name(struct admission *admission, const char *own_name)
{
	const struct admission_facts *facts = admission->facts;
	bool expected = facts->expected && !is_expected(admission, facts->expected);

	if (!typed_own_email(admission) && (facts->named || expected))
		return refuse(admission->verdict, REASON_OTHER_PERSON);
	return refuse_saying(admission->verdict, REASON_OTHER_PERSON,
			     "You have an account here under another name. Start again as %s.", own_name);
}

/* Who had this very account until a successor got it has none any more; under another name, they may have a new one. */
static bool rule_former(struct admission *admission)
{
	const char *former = admission->facts->former_name;

	if (admission->facts->bound || !former || strcmp(former, admission->account) != 0)
		return true;
	advise(admission->verdict, "this subject had the account %s until it was reassigned", former);
	return refuse(admission->verdict, REASON_REASSIGNED);
}

/* The address, or the name, is on record for another subject. */
static bool refuse_successor(struct admission *admission, const struct account_record *predecessor)
{
	advise(admission->verdict,
	       "%s is the account of another subject (%s), who had this address before; if the address is somebody "
	       "else's now, say `provisionctl reassign %s`",
	       predecessor->name, predecessor->subject, predecessor->name);
	return refuse(admission->verdict, REASON_SUBJECT_CHANGED);
}

/* A bound subject has its account for ever; an address that is on record belongs to its subject. */
static bool rule_binding(struct admission *admission)
{
	const struct admission_facts *facts = admission->facts;
	const struct account_record *bound = facts->bound;
	const struct stands_for *stands = &facts->stands;

	if (!bound)
		return !facts->same_email || refuse_successor(admission, facts->same_email);
	if (stands->account[0] ? strcmp(stands->account, bound->name) != 0 : !typed_own_email(admission)) {
		if (facts->expected && is_expected(admission, facts->expected))
			advise(admission->verdict,
			       "%s is expected by `provisionctl link` or `add` under the name %s, but has the account "
			       "%s already; say `provisionctl unlink %s`",
			       facts->expected->email, facts->expected->name, bound->name, facts->expected->name);
		return refuse_other_name(admission, bound->name);
	}
	admission_of_standing(bound, facts->bound_standing, admission->verdict);
	return admission->verdict->kind != VERDICT_REFUSED;
}

/* Whom the name in question is kept for is somebody else. */
static bool refuse_unexpected(struct admission *admission, const struct expected *expected)
{
	bool subject = expected->subject[0] != '\0';

	advise(admission->verdict,
	       "%s is kept for %s%s%s (`provisionctl %s`); if that is wrong, say `provisionctl unlink %s` first",
	       expected->name, expected->email, subject ? " with the subject " : "", expected->subject,
	       expected->kind == EXPECTED_LINK ? "link" : "add", expected->name);
	return refuse_saying(admission->verdict, REASON_OTHER_PERSON,
			     "That account is kept for somebody else than who approved the code. Start again with your "
			     "own name, or ask your administrator.");
}

/* Whom the admin expects gets the account that they are expected for: nobody else gets it, and they no other. */
static bool rule_expected(struct admission *admission)
{
	const struct admission_facts *facts = admission->facts;
	bool typed_for_sure = typed_own_email(admission) || (!facts->named && facts->account.name == NAME_FREE);

	if (facts->bound)
		return true;
	if (facts->expected) {
		if (is_expected(admission, facts->expected) && (!facts->stands.is_email || typed_own_email(admission)))
			return true;
		return refuse_unexpected(admission, facts->expected);
	}
	if (!facts->own_email)
		return true;
	if (!is_expected(admission, facts->own_email) || !typed_for_sure)
		return refuse_unexpected(admission, facts->own_email);
	return refuse_other_name(admission, facts->own_email->name);
}

/* The name that the identity gives by the tenant's format or claim. */
static bool own_name(struct admission *admission, char *ret_name, size_t size)
{
	const struct tenant *tenant = admission->tenant;
	const char *claim = admission->candidate->username;
	int n;

	if (!tenant->username_claim)
		return username_format_expand(&tenant->format, admission->email.local, ret_name, size);
	n = claim ? snprintf(ret_name, size, "%s", claim) : -1;
	return n > 0 && (size_t)n < size;
}

/* For a subject that is not bound yet: its own name must fit, must be of this tenant, and must be the typed one. */
static bool rule_name(struct admission *admission)
{
	char name[EMAIL_LOCAL_MAX + 2 * USERNAME_FORMAT_MAX + 1];
	struct stands_for unfit = { .reason = REASON_NAME_UNFIT };

	if (admission->facts->bound || admission->facts->expected)
		return true;
	if (admission->tenant->username_claim && !admission->candidate->username)
		return refuse_saying(admission->verdict, REASON_NAME_UNFIT,
				     "Okta gives no user name for you on this machine. Ask your administrator to set "
				     "it in your Okta profile.");
	if (!own_name(admission, name, sizeof(name)))
		unfit.fault = "is too long";
	else if (!account_name_ok(name))
		unfit.fault = account_name_fault(name);
	else if (owner_of_short_name(admission->question->config, name) != admission->tenant)
		unfit.fault = "would read like a name of another organization on this machine";
	if (unfit.fault) {
		admission_of_no_account(&unfit, admission->verdict);
		return false;
	}
	if (strcmp(name, admission->account) != 0 || (admission->facts->stands.is_email && !typed_own_email(admission)))
		return refuse(admission->verdict, REASON_OTHER_PERSON);
	return true;
}

/* The account of that name is another subject's. */
static bool rule_named(struct admission *admission)
{
	const struct account_record *named = admission->facts->named;

	if (admission->facts->bound || !named)
		return true;
	if (named->state != ACCOUNT_REMOVED)
		return refuse_successor(admission, named);
	advise(admission->verdict,
	       "%s is a removed account of another subject (%s), who may return; if the name is somebody else's now, "
	       "say "
	       "`provisionctl reassign %s`",
	       named->name, named->subject, named->name);
	return refuse(admission->verdict, REASON_REMOVED);
}

/* What is to be made, made again, or taken: reserved names, existing users and their homes, and a uid that somebody
 * has; or a local account that is no longer what the admin linked. */
static bool rule_new_name(struct admission *admission)
{
	const struct admission_facts *facts = admission->facts;

	if (facts->bound && facts->bound_standing != STANDING_REMOVED)
		return true;
	if (!facts->bound && facts->expected && facts->expected->kind == EXPECTED_LINK)
		admission_of_link(facts->expected, &facts->local, admission->verdict);
	else
		admission_of_new_name(facts->bound ? facts->bound->name : admission->account, &facts->promise,
				      &facts->account, admission->verdict);
	return admission->verdict->kind != VERDICT_REFUSED;
}

/* Okta has refused people who are not assigned; allowed_groups narrows it. One group is enough. */
static bool rule_groups(struct admission *admission)
{
	const struct candidate *candidate = admission->candidate;

	if (admission->tenant->allowed_groups.count == 0)
		return true;
	for (size_t i = 0; i < candidate->group_count; i++)
		if (string_list_contains(&admission->tenant->allowed_groups, candidate->groups[i]))
			return true;
	return refuse(admission->verdict, REASON_GROUP_MISSING);
}

static bool rule_email_verified(struct admission *admission)
{
	enum email_claim claim = admission->candidate->email_verified;

	switch (admission->tenant->email_verified) {
	case EMAIL_VERIFIED_IGNORE:
		return true;
	case EMAIL_VERIFIED_IF_PRESENT:
		return claim != EMAIL_UNVERIFIED || refuse(admission->verdict, REASON_EMAIL_UNVERIFIED);
	case EMAIL_VERIFIED_REQUIRE:
		break;
	}
	return claim == EMAIL_VERIFIED || refuse(admission->verdict, REASON_EMAIL_UNVERIFIED);
}

/* The uid is the one that the name service gave for the typed name: sshd runs the session with that one. */
static bool rule_promise(struct admission *admission)
{
	const struct admission_question *question = admission->question;

	if (!question->has_promise || question->promised_uid == admission->verdict->uid)
		return true;
	return refuse(admission->verdict, REASON_UID_CHANGED);
}

const char *admission_account(const struct stands_for *stands, const struct candidate *candidate)
{
	if (stands->reason != REASON_NONE)
		return "";
	if (stands->account[0])
		return stands->account;
	return candidate && candidate->username ? candidate->username : "";
}

void admission_decide(const struct admission_question *question, const struct admission_facts *facts,
		      struct verdict *ret_verdict)
{
	static admission_rule *const rules[] = {
		rule_tenant, rule_remote_from, rule_domain,   rule_former, rule_binding,        rule_expected,
		rule_name,   rule_named,       rule_new_name, rule_groups, rule_email_verified, rule_promise,
	};
	struct verdict verdict = { .kind = VERDICT_REFUSED, .reason = REASON_INTERNAL };
	struct admission admission = {
		.question = question,
		.facts = facts,
		.candidate = question->candidate,
		.account = admission_account(&facts->stands, question->candidate),
		.verdict = &verdict,
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!rules[i](&admission))
			break;
	/* Also a refusal is about an account, for the log. */
	if (verdict.account[0] == '\0' && account_name_ok(admission.account))
		account_name_copy(admission.account, verdict.account);
	*ret_verdict = verdict;
}
