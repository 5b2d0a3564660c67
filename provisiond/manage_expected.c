/*
 * Judges what the administrator prepares before somebody signs in: link, add, reserve.
 */
#include "provisiond/manage.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "provisiond/facts.h"
#include "provisiond/reserved_names.h"

#define DAY_TEXT_MAX 32
#define SUBJECT_MAX 255 /* OpenID Connect Core 1.0, section 2 */

static const char *local_time(int64_t epoch_s, char ret_text[DAY_TEXT_MAX])
{
	time_t seconds = (time_t)epoch_s;
	struct tm when;

	if (!localtime_r(&seconds, &when) || strftime(ret_text, DAY_TEXT_MAX, "%Y-%m-%d %H:%M", &when) == 0)
		(void)snprintf(ret_text, DAY_TEXT_MAX, "%lld", (long long)epoch_s);
	return ret_text;
}

/* ---- the email and its person ---- */

/* The tenant of the email. NULL, and refused. */
static const struct tenant *tenant_of_email(struct manage *manage)
{
	const struct config *config = manage->service->config;
	const struct tenant *tenant;
	struct email email;

	if (!email_parse(manage->email, &email)) {
		(void)manage_refuse(manage, REFUSED_UNFIT, "\"%s\" is not an email address. Check the spelling.",
				    manage->email);
		return NULL;
	}
	tenant = config_tenant_of_domain(config, email.domain);
	if (!tenant)
		(void)manage_refuse(manage, REFUSED_UNFIT,
				    "Nobody signs in here with %s: %s is in no tenant's `domains` in %s. Check the "
				    "spelling, or add the domain there.",
				    manage->email, email.domain, config->path);
	return tenant;
}

static bool email_is_free(struct manage *manage, const struct tenant *tenant, int64_t now_s)
{
	_cleanup_record_ struct account_record bound = { 0 };
	_cleanup_expected_ struct expected expected = { 0 };
	struct store *store = manage->service->store;
	enum store_answer is_bound = store_account_by_email(store, tenant->name, manage->email, &bound);
	enum store_answer is_expected = store_expected_by_email(store, tenant->name, manage->email, &expected);

	if (is_bound == STORE_FAILED || is_expected == STORE_FAILED)
		return manage_refuse_storage(manage);
	if (is_bound == STORE_FOUND)
		return manage_refuse(
			manage, REFUSED_CONFLICT,
			"%s has an account already: %s (%s). One person has one account; see: provisionctl "
			"show %s",
			manage->email, bound.name, account_state_name(bound.state), bound.name);
	if (is_expected == STORE_FOUND && strcmp(expected.name, manage->name) != 0 &&
	    !expected_is_over(&expected, now_s))
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "%s is expected under the name %s already. End that first: provisionctl unlink %s",
				     manage->email, expected.name, expected.name);
	return true;
}

static bool subject_is_printable(const char *subject)
{
	size_t length = strlen(subject);

	for (size_t i = 0; i < length; i++)
		if (subject[i] <= ' ' || subject[i] > '~')
			return false;
	return length <= SUBJECT_MAX;
}

static bool subject_is_free(struct manage *manage, const struct tenant *tenant)
{
	_cleanup_record_ struct account_record bound = { 0 };
	struct store *store = manage->service->store;
	char former[ACCOUNT_NAME_MAX + 1] = "";
	enum store_answer is_bound, was_bound;

	if (!manage->subject || !manage->subject[0])
		return true;
	if (!subject_is_printable(manage->subject))
		return manage_refuse(manage, REFUSED_UNFIT,
				     "That is no Okta user's id. It is the last part of the address of the person's "
				     "page in Okta, and begins with 00u.");
	is_bound = store_account_by_subject(store, tenant->issuer, manage->subject, &bound);
	was_bound = store_former_subject(store, tenant->issuer, manage->subject, former, sizeof(former));
	if (is_bound == STORE_FAILED || was_bound == STORE_FAILED)
		return manage_refuse_storage(manage);
	if (is_bound == STORE_FOUND)
		return manage_refuse(
			manage, REFUSED_CONFLICT,
			"The Okta user %s has an account already: %s (%s). One person has one account; see: "
			"provisionctl show %s",
			manage->subject, bound.name, account_state_name(bound.state), bound.name);
	if (was_bound == STORE_FOUND)
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "The Okta user %s had the account %s until a successor got it, and gets none here "
				     "any more.",
				     manage->subject, former);
	return true;
}

/* ---- link ---- */

/* An account on record cannot be linked: it has its owner. */
static bool is_not_on_record(struct manage *manage)
{
	_cleanup_record_ struct account_record record = { 0 };
	const char *name = manage->name;

	switch (facts_record_named(manage->service, name, &record)) {
	case STORE_FAILED:
		return manage_refuse_storage(manage);
	case STORE_NONE:
		return true;
	case STORE_FOUND:
		break;
	}
	if (record.state == ACCOUNT_REMOVED)
		return manage_refuse(
			manage, REFUSED_CONFLICT,
			"%s is the name of an account that was removed, and is kept for its owner (%s). To "
			"free it for somebody else: provisionctl reassign %s",
			name, record.email, name);
	if (record.linked)
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "%s is linked already, to %s. To link it to somebody else, first: provisionctl "
				     "unlink %s",
				     name, record.email, name);
	return manage_refuse(manage, REFUSED_CONFLICT,
			     "%s is an account that provisiond made, for %s. See: provisionctl show %s", name,
			     record.email, name);
}

static bool name_fits(struct manage *manage)
{
	const struct service *service = manage->service;
	const char *name = manage->name;

	if (!account_name_ok(name))
		return manage_refuse(manage, REFUSED_UNFIT,
				     "\"%s\" cannot be an account's name: it %s. Choose another name, or rename the "
				     "local user first (usermod -l).",
				     name, account_name_fault(name));
	if (string_list_contains(&service->config->accounts.reserved_names, name))
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "%s is in reserved_names, so nobody gets it. If that is no longer meant, take it "
				     "out of %s and reload provisiond.",
				     name, service->config->path);
	return true;
}

/* A user of that name is somebody of the system for whoever goes by names, sudoers files for example. */
static bool is_no_system_groups_name(struct manage *manage)
{
	struct account_group group;
	int found = account_files_group_named(manage->service->files, manage->name, &group);

	if (found < 0)
		return manage_refuse_storage(manage);
	if (found > 0 && group.gid < FIRST_PERSONS_UID)
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "%s is the name of a group of the system, so no person gets it. Rename the local "
				     "user first (usermod -l).",
				     manage->name);
	return true;
}

/* Names by which the system or its packages mean somebody in particular: nobody new gets one. */
static bool is_no_systems_name(struct manage *manage)
{
	if (!name_fits(manage))
		return false;
	if (reserved_name(manage->name) || system_names_contains(manage->service->system_names, manage->name))
		return manage_refuse(
			manage, REFUSED_CONFLICT,
			"%s is a name by which the system or a package means somebody in particular, so no "
			"person gets it. Choose another name.",
			manage->name);
	return true;
}

static bool can_be_linked(struct manage *manage, uid_t *ret_uid)
{
	struct local_account local;
	struct account_user first;
	const char *fault;

	facts_local_account(manage->service, manage->name, &local);
	fault = admission_link_fault(manage->name, &local);
	if (strcmp(manage->name, "root") == 0)
		return manage_refuse(manage, REFUSED_CONFLICT, "Nobody can be linked to root.");
	if (fault && (local.unreadable || local.holder == UID_HOLDER_UNKNOWN))
		return manage_refuse_storage(manage);
	if (fault && !local.there)
		return manage_refuse(manage, REFUSED_NOT_FOUND,
				     "%s %s, and only such users can be linked. For an account that is yet to be made: "
				     "provisionctl add %s %s",
				     manage->name, fault, manage->name, manage->email);
	if (fault)
		return manage_refuse(manage, REFUSED_CONFLICT, "%s %s, so nobody can be linked to it.", manage->name,
				     fault);
	if (account_files_user_with_uid(manage->service->files, local.uid, &first) > 0 &&
	    strcmp(first.name, manage->name) != 0)
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "%s has the same uid as %s in /etc/passwd, so whoever is linked to one would have "
				     "both. Give it a uid of its own first (usermod -u).",
				     manage->name, first.name);
	*ret_uid = local.uid;
	return true;
}

static int expect(struct manage *manage, enum expected_kind kind, int64_t now_s)
{
	struct email email;
	const struct tenant *tenant = email_parse(manage->email, &email)
					      ? config_tenant_of_domain(manage->service->config, email.domain)
					      : NULL;
	const struct expected expected = {
		.kind = kind,
		.name = manage->name,
		.tenant = tenant ? tenant->name : "",
		.email = manage->email,
		.subject = manage->subject ? manage->subject : "",
		.uid = kind == EXPECTED_LINK ? manage->told.uid : 0,
		.made_at = now_s,
		.expires_at = kind == EXPECTED_LINK ? now_s + EXPECTED_LINK_LIFE_S : 0,
	};

	return store_expect(manage->service->store, &expected);
}

static int expect_link(struct manage *manage, int64_t now_s)
{
	return expect(manage, EXPECTED_LINK, now_s);
}

static int expect_add(struct manage *manage, int64_t now_s)
{
	return expect(manage, EXPECTED_ADD, now_s);
}

/* What was expected under this name is replaced: that is said, where it was somebody else. */
static void tell_what_is_replaced(struct manage *manage, int64_t now_s)
{
	_cleanup_expected_ struct expected before = { 0 };

	if (facts_expected_named(manage->service, manage->name, now_s, &before) == STORE_FOUND &&
	    !domain_equal(before.email, manage->email))
		manage_did(manage, "%s, who was expected under this name until now, no longer is.", before.email);
}

static void record(struct manage *manage, const struct tenant *tenant, uid_t uid,
		   int (*put_on_record)(struct manage *manage, int64_t now_s))
{
	manage->verdict = MANAGE_RECORD;
	manage->put_on_record = put_on_record;
	manage->told = (struct event_facts){
		.tenant = tenant ? tenant->name : NULL,
		.account = manage->name,
		.email = manage->email,
		.subject = manage->subject,
		.uid = uid,
	};
}

void manage_link(struct manage *manage, int64_t now_s)
{
	const struct tenant *tenant;
	char until[DAY_TEXT_MAX];
	uid_t uid = 0;

	if (!is_not_on_record(manage) || !can_be_linked(manage, &uid) || !name_fits(manage) ||
	    !is_no_system_groups_name(manage) || (tenant = tenant_of_email(manage)) == NULL ||
	    !email_is_free(manage, tenant, now_s) || !subject_is_free(manage, tenant))
		return;
	record(manage, tenant, uid, expect_link);
	manage_did(manage,
		   "The next sign-in with Okta as %s%s%s takes %s (uid %lu), until %s; its uid, home and files stay.",
		   manage->email, manage->subject ? " by the Okta user " : "", manage->subject ? manage->subject : "",
		   manage->name, (unsigned long)uid, local_time(now_s + EXPECTED_LINK_LIFE_S, until));
	manage_did(manage, "Until then %s is a local user as before, with the local password.", manage->name);
	if (tenant->password == PASSWORD_NEVER)
		manage_did(manage, "From then on the local password no longer works; unlink brings it back.");
	else
		manage_did(manage, "From then on the local password still works beside Okta (password = fallback).");
	tell_what_is_replaced(manage, now_s);
}

/* ---- add ---- */

static bool refuse_local_user(struct manage *manage)
{
	struct local_account local;
	const char *name = manage->name;

	facts_local_account(manage->service, name, &local);
	if (admission_link_fault(name, &local))
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "%s is a local user already, and %s can be nobody else's. Choose another name.",
				     name, name);
	return manage_refuse(manage, REFUSED_CONFLICT,
			     "%s is a local user already. To give that one to %s: provisionctl link %s %s", name,
			     manage->email, name, manage->email);
}

static bool name_can_be_made(struct manage *manage, const struct tenant *tenant, int64_t now_s)
{
	_cleanup_expected_ struct expected same_name = { 0 };
	enum store_answer found = facts_expected_named(manage->service, manage->name, now_s, &same_name);
	struct account_facts facts;
	struct promise promise;
	struct verdict verdict;

	if (found == STORE_FAILED)
		return manage_refuse_storage(manage);
	facts_of_new_account(manage->service, tenant, manage->name, found == STORE_FOUND ? &same_name : NULL,
			     &manage->sources, &promise, &facts);
	manage->uid_in_question = promise.uid;
	admission_of_new_name(manage->name, &promise, &facts, &verdict);
	if (verdict.kind != VERDICT_REFUSED)
		return true;
	if (facts.name == NAME_LOCAL_USER)
		return refuse_local_user(manage);
	return manage_refuse(manage,
			     facts.name == NAME_HOLDER_UNKNOWN || facts.uid == UID_HOLDER_UNKNOWN ? REFUSED_UNAVAILABLE
												  : REFUSED_CONFLICT,
			     "%s cannot be an account for %s: %s.", manage->name, manage->email, verdict.remedy);
}

void manage_add(struct manage *manage, int64_t now_s)
{
	const struct tenant *tenant, *owner;

	if (!is_not_on_record(manage) || !name_fits(manage) || (tenant = tenant_of_email(manage)) == NULL ||
	    !email_is_free(manage, tenant, now_s) || !name_can_be_made(manage, tenant, now_s))
		return;
	owner = owner_of_short_name(manage->service->config, manage->name);
	if (owner && owner != tenant) {
		(void)manage_refuse(manage, REFUSED_CONFLICT,
				    "%s would read like a name of the tenant %s, and %s is of the tenant %s. Choose "
				    "another name.",
				    manage->name, owner->name, manage->email, tenant->name);
		return;
	}
	record(manage, tenant, manage->uid_in_question, expect_add);
	manage_did(manage, "The first sign-in with Okta as %s makes the account %s (uid %lu) for its person.",
		   manage->email, manage->name, (unsigned long)manage->uid_in_question);
	tell_what_is_replaced(manage, now_s);
}

/* ---- reserve ---- */

static bool uid_can_be_reserved(struct manage *manage)
{
	static const char *const holders[] = {
		[UID_OUT_OF_RANGE] = "the system's: persons have uids from 1000 on",
		[UID_LOCAL_USER] = "the local user",
		[UID_LOCAL_GROUP] = "the local group",
		[UID_ON_RECORD] = "the account on record",
		[UID_RESERVED] = "reserved for",
		[UID_FORMER] = "a former account's",
	};
	const unsigned long uid = manage->uid;
	struct account_facts facts = { 0 };
	enum uid_holder holder = facts_uid_holder(manage->service, manage->name, manage->uid, &facts);

	if (uid == 65534 || uid == 65535 || uid > INT32_MAX)
		return manage_refuse(
			manage, REFUSED_CONFLICT,
			"uid %lu is not for persons: use one from 1000 to 2147483647, and neither 65534 nor "
			"65535.",
			uid);
	if (holder == UID_HOLDER_UNKNOWN)
		return manage_refuse_storage(manage);
	if (holder != UID_FREE)
		return manage_refuse(manage, REFUSED_CONFLICT, "uid %lu is %s%s%s. Choose another one.", uid,
				     holders[holder], facts.holder[0] ? " " : "", facts.holder);
	if (!manage->sources.asked || manage->sources.uid == SOURCE_UNKNOWN)
		return true;
	if (manage->sources.uid == SOURCE_UNAVAILABLE)
		return manage_refuse(manage, REFUSED_UNAVAILABLE,
				     "The name service %s does not answer, so it is not known whether uid %lu is free. "
				     "Try again when it does.",
				     manage->sources.uid_source, uid);
	return manage_refuse(manage, REFUSED_CONFLICT,
			     "uid %lu is a user's or a group's of the name service %s. Choose another one.", uid,
			     manage->sources.uid_source);
}

static bool name_can_have_reservation(struct manage *manage)
{
	_cleanup_record_ struct account_record there = { 0 };
	enum store_answer found = facts_record_named(manage->service, manage->name, &there);
	struct account_user user;
	int local = account_files_user_named(manage->service->files, manage->name, &user);

	if (found == STORE_FAILED || local < 0)
		return manage_refuse_storage(manage);
	if (found == STORE_FOUND)
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "%s has an account with uid %lu already (%s), and an account's uid never changes.",
				     manage->name, (unsigned long)there.uid, account_state_name(there.state));
	if (local > 0)
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "%s is a local user already, with uid %lu. To give that one to somebody in Okta: "
				     "provisionctl link %s EMAIL",
				     manage->name, (unsigned long)user.uid, manage->name);
	return is_no_systems_name(manage);
}

static int put_reservation(struct manage *manage, int64_t now_s)
{
	return store_reserve(manage->service->store, manage->name, manage->uid, now_s);
}

void manage_reserve(struct manage *manage, int64_t now_s)
{
	uid_t before = 0;
	enum store_answer reserved = store_reserved_uid(manage->service->store, manage->name, &before);

	(void)now_s;
	manage->uid_in_question = manage->uid;
	if (!name_can_have_reservation(manage) || !uid_can_be_reserved(manage))
		return;
	if (reserved == STORE_FAILED) {
		(void)manage_refuse_storage(manage);
		return;
	}
	if (reserved == STORE_FOUND && before == manage->uid) {
		manage->verdict = MANAGE_NOTHING;
		manage_did(manage, "uid %lu is reserved for %s already.", (unsigned long)manage->uid, manage->name);
		return;
	}
	record(manage, NULL, manage->uid, put_reservation);
	manage_did(manage, "%s gets uid %lu when its account is made, and nobody else gets that one.", manage->name,
		   (unsigned long)manage->uid);
	if (reserved == STORE_FOUND)
		manage_did(manage, "uid %lu, which was reserved for it until now, no longer is.",
			   (unsigned long)before);
}
