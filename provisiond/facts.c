/*
 * Gathers facts for admission and look-ups. The first thing found in the way of a name or a uid is the one that is
 * told.
 */
#include "provisiond/facts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/names.h"
#include "provisiond/account_uid.h"
#include "provisiond/name_list.h"
#include "provisiond/reserved_names.h"

#define GENERATIONS_MAX 1000 /* of which nearly every one is free */

static enum store_answer checked(const struct service *service, enum store_answer answer)
{
	if (answer == STORE_FAILED)
		log_error("the database cannot be read: %s", store_fault(service->store));
	return answer;
}

enum store_answer facts_record_named(const struct service *service, const char *name, struct account_record *ret_record)
{
	return checked(service, store_account_by_name(service->store, name, ret_record));
}

static const struct tenant *tenant_of_email(const struct service *service, const char *typed)
{
	struct email email;

	return email_parse(typed, &email) ? config_tenant_of_domain(service->config, email.domain) : NULL;
}

enum store_answer facts_record_of_typed(const struct service *service, const char *typed,
					struct account_record *ret_record)
{
	const struct tenant *tenant;

	if (!strchr(typed, '@'))
		return facts_record_named(service, typed, ret_record);
	tenant = tenant_of_email(service, typed);
	if (!tenant)
		return STORE_NONE;
	return checked(service, store_account_by_email(service->store, tenant->name, typed, ret_record));
}

/* Whoever is expected no longer is as if they never were. */
static enum store_answer still_expected(const struct service *service, enum store_answer answer, int64_t now_s,
					struct expected *expected, struct expected *ret_expected)
{
	if (checked(service, answer) != STORE_FOUND)
		return answer;
	if (expected_is_over(expected, now_s)) {
		expected_clear(expected);
		return STORE_NONE;
	}
	*ret_expected = *expected;
	return STORE_FOUND;
}

enum store_answer facts_expected_named(const struct service *service, const char *name, int64_t now_s,
				       struct expected *ret_expected)
{
	struct expected expected = { 0 };
	enum store_answer answer = store_expected_named(service->store, name, &expected);

	return still_expected(service, answer, now_s, &expected, ret_expected);
}

enum store_answer facts_expected_by_email(const struct service *service, const char *tenant, const char *email,
					  int64_t now_s, struct expected *ret_expected)
{
	struct expected expected = { 0 };
	enum store_answer answer = store_expected_by_email(service->store, tenant, email, &expected);

	return still_expected(service, answer, now_s, &expected, ret_expected);
}

enum store_answer facts_expected_of_typed(const struct service *service, const char *typed, int64_t now_s,
					  struct expected *ret_expected)
{
	const struct tenant *tenant;

	if (!strchr(typed, '@'))
		return facts_expected_named(service, typed, now_s, ret_expected);
	tenant = tenant_of_email(service, typed);
	return tenant ? facts_expected_by_email(service, tenant->name, typed, now_s, ret_expected) : STORE_NONE;
}

enum store_answer facts_record_meant(const struct service *service, const char *typed,
				     struct account_record *ret_record)
{
	_cleanup_expected_ struct expected expected = { 0 };
	enum store_answer found = facts_record_of_typed(service, typed, ret_record);
	struct stands_for stands;

	if (found != STORE_NONE)
		return found;
	found = facts_expected_of_typed(service, typed, (int64_t)time(NULL), &expected);
	if (found == STORE_FAILED)
		return found;
	stands_for(service->config, typed, NULL, found == STORE_FOUND ? &expected : NULL, &stands);
	if (!stands.is_email || stands.reason != REASON_NONE || !stands.account[0])
		return STORE_NONE;
	return facts_record_named(service, stands.account, ret_record);
}

/* Found by the uid, so that the time this takes depends on the caller alone, and on nobody whom they name. */
static bool could_be_name_of(const struct service *service, const char *typed, uid_t uid)
{
	_cleanup_record_ struct account_record record = { 0 };
	struct account_user user;
	struct stands_for stands;
	enum store_answer found = checked(service, store_account_by_uid(service->store, uid, &record));

	if (found == STORE_NONE)
		return account_files_user_with_uid(service->files, uid, &user) > 0 && strcmp(user.name, typed) == 0;
	if (found == STORE_FAILED)
		return false;
	stands_for(service->config, typed, NULL, NULL, &stands);
	return strcmp(record.name, typed) == 0 ||
	       (stands.is_email &&
		(strcmp(record.name, stands.account) == 0 || (record.email && domain_equal(record.email, typed))));
}

bool facts_is_name_of(const struct service *service, const char *typed, uid_t uid)
{
	_cleanup_record_ struct account_record record = { 0 };
	enum store_answer found;

	if (!could_be_name_of(service, typed, uid))
		return false;
	/* The email may be somebody else's by now. */
	found = facts_record_meant(service, typed, &record);
	return found == STORE_NONE || (found == STORE_FOUND && record.uid == uid);
}

int facts_local_user(const struct service *service, const char *name, uid_t *ret_uid)
{
	struct account_user user;
	int found = account_files_user_named(service->files, name, &user);

	if (found < 0)
		log_error("%s", account_files_fault(service->files));
	if (found > 0)
		*ret_uid = user.uid;
	return found;
}

enum standing facts_standing(const struct service *service, const struct account_record *record, int64_t now_s)
{
	struct standing_rows rows = { 0 };
	struct account_shadow shadow;
	int user = facts_local_user(service, record->name, &rows.uid);
	int expiry = account_files_shadow_named(service->files, record->name, &shadow);

	rows.user = user > 0;
	rows.unreadable = user < 0 || expiry < 0;
	if (expiry > 0 && shadow.has_expiry) {
		rows.expires = true;
		rows.expires_day = shadow.expires_day;
	}
	return standing_of(record, &rows, service->config->accounts.max_signin_age_s, now_s);
}

static void set_holder(struct account_facts *facts, const char *holder)
{
	(void)snprintf(facts->holder, sizeof(facts->holder), "%s", holder);
}

static enum name_holder holder_in_files(const struct service *service, const char *account, struct account_facts *facts)
{
	struct account_shadow shadow;
	struct account_group group;
	struct account_user user;
	int found = account_files_user_named(service->files, account, &user);

	if (found == 0)
		found = account_files_shadow_named(service->files, account, &shadow);
	if (found > 0)
		return NAME_LOCAL_USER;
	if (found == 0)
		found = account_files_group_named(service->files, account, &group);
	if (found > 0)
		return NAME_LOCAL_GROUP;
	if (found < 0)
		set_holder(facts, account_files_fault(service->files));
	return found < 0 ? NAME_HOLDER_UNKNOWN : NAME_FREE;
}

/* A name that stands in a list of members, say of sudo, was somebody else's before. */
static enum name_holder holder_in_memberships(const struct service *service, const char *account,
					      struct account_facts *facts)
{
	const gid_t *gids;
	char number[16];
	size_t count;

	if (account_files_groups_of(service->files, account, &gids, &count) != 0) {
		set_holder(facts, account_files_fault(service->files));
		return NAME_HOLDER_UNKNOWN;
	}
	if (count == 0)
		return NAME_FREE;
	(void)snprintf(number, sizeof(number), "%lu", (unsigned long)gids[0]);
	set_holder(facts, number);
	return NAME_LOCAL_MEMBER;
}

/* Whoever the admin expects under that name has it. */
static enum name_holder holder_expected(const struct service *service, const char *account, struct account_facts *facts)
{
	_cleanup_expected_ struct expected expected = { 0 };
	enum store_answer found = facts_expected_named(service, account, (int64_t)time(NULL), &expected);

	if (found == STORE_FAILED)
		set_holder(facts, "the database");
	if (found == STORE_FOUND)
		set_holder(facts, expected.email);
	return found == STORE_FAILED ? NAME_HOLDER_UNKNOWN : found == STORE_FOUND ? NAME_EXPECTED : NAME_FREE;
}

/* NAME_FREE: nobody has reserved it. */
static enum name_holder holder_reserving(const struct service *service, const char *account)
{
	if (reserved_name(account))
		return NAME_BUILT_IN;
	if (string_list_contains(&service->config->accounts.reserved_names, account))
		return NAME_CONFIGURED;
	return system_names_contains(service->system_names, account) ? NAME_OF_PACKAGE : NAME_FREE;
}

bool facts_name_is_reserved(const struct service *service, const char *account)
{
	return holder_reserving(service, account) != NAME_FREE;
}

static enum name_holder holder_of_name(const struct service *service, const char *account,
				       const struct expected *expected, const struct source_facts *sources,
				       struct account_facts *facts)
{
	enum name_holder holder = holder_in_files(service, account, facts);

	if (holder == NAME_FREE)
		holder = holder_in_memberships(service, account, facts);
	if (holder == NAME_FREE && !expected)
		holder = holder_expected(service, account, facts);
	if (holder == NAME_FREE)
		holder = holder_reserving(service, account);
	if (holder != NAME_FREE)
		return holder;
	if (sources->name == SOURCE_UNKNOWN)
		return NAME_FREE;
	set_holder(facts, sources->name_source);
	return sources->name == SOURCE_KNOWN ? NAME_OTHER_SOURCE : NAME_HOLDER_UNKNOWN;
}

static enum uid_holder uid_holder_in_files(const struct service *service, uid_t uid, struct account_facts *facts)
{
	struct account_group group;
	struct account_user user;
	int found = account_files_user_with_uid(service->files, uid, &user);

	if (found == 0)
		found = account_files_user_with_gid(service->files, uid, &user);
	if (found > 0) {
		set_holder(facts, user.name);
		return UID_LOCAL_USER;
	}
	if (found == 0)
		found = account_files_group_with_gid(service->files, uid, &group);
	if (found > 0) {
		set_holder(facts, group.name);
		return UID_LOCAL_GROUP;
	}
	if (found < 0)
		set_holder(facts, account_files_fault(service->files));
	return found < 0 ? UID_HOLDER_UNKNOWN : UID_FREE;
}

/* `returning`: of the removed account of that name, which is to have its uid again. */
static enum uid_holder uid_holder_on_record(const struct service *service, const char *account, uid_t uid,
					    bool returning, struct account_facts *facts)
{
	_cleanup_record_ struct account_record record = { 0 };
	char reserved_for[ACCOUNT_NAME_MAX + 1] = "", former[ACCOUNT_NAME_MAX + 1] = "";
	enum store_answer on_record = store_account_by_uid(service->store, uid, &record);
	enum store_answer was = store_former_uid(service->store, uid, former, sizeof(former));
	enum store_answer reserved = store_uid_reserved_for(service->store, uid, reserved_for, sizeof(reserved_for));

	if (on_record == STORE_FOUND && !(returning && strcmp(record.name, account) == 0)) {
		set_holder(facts, record.name);
		return UID_ON_RECORD;
	}
	if (was == STORE_FOUND) {
		set_holder(facts, former);
		return UID_FORMER;
	}
	if (reserved == STORE_FOUND && strcmp(reserved_for, account) != 0) {
		set_holder(facts, reserved_for);
		return UID_RESERVED;
	}
	if (on_record == STORE_FAILED || was == STORE_FAILED || reserved == STORE_FAILED) {
		set_holder(facts, "the database");
		return UID_HOLDER_UNKNOWN;
	}
	return UID_FREE;
}

static enum uid_holder holder_here(const struct service *service, const char *account, uid_t uid, bool returning,
				   struct account_facts *facts)
{
	enum uid_holder holder = uid < FIRST_PERSONS_UID ? UID_OUT_OF_RANGE : uid_holder_in_files(service, uid, facts);

	return holder == UID_FREE ? uid_holder_on_record(service, account, uid, returning, facts) : holder;
}

enum uid_holder facts_uid_holder(const struct service *service, const char *account, uid_t uid,
				 struct account_facts *ret_facts)
{
	return holder_here(service, account, uid, false, ret_facts);
}

bool facts_fresh_uid(const struct service *service, const struct tenant *tenant, const char *account, uid_t *ret_uid)
{
	const struct accounts_config *accounts = &service->config->accounts;

	for (unsigned generation = 1; generation <= GENERATIONS_MAX; generation++) {
		uid_t uid = account_uid(tenant->domains.items[0], account, generation, accounts->uid_first,
					accounts->uid_last);
		struct account_facts facts = { 0 };
		enum uid_holder holder = facts_uid_holder(service, account, uid, &facts);

		if (holder == UID_FREE) {
			*ret_uid = uid;
			return true;
		}
		if (holder == UID_HOLDER_UNKNOWN)
			return false;
	}
	return false;
}

/* What the other name services add: `here` is what the files and the record say. */
static enum uid_holder holder_anywhere(enum uid_holder here, uid_t uid, const struct source_facts *sources,
				       struct account_facts *facts)
{
	if (here != UID_FREE || !sources->asked || sources->user_only)
		return here;
	/* After a reload in between, the answer may be about another uid. */
	if (sources->asked_uid == uid && sources->uid == SOURCE_UNKNOWN)
		return UID_FREE;
	set_holder(facts, sources->uid_source);
	return sources->asked_uid == uid && sources->uid == SOURCE_KNOWN ? UID_OTHER_SOURCE : UID_HOLDER_UNKNOWN;
}

/* Whether something stands where the home would be; one of the same uid is the own one of somebody who
 * returns. */
static bool home_is_there(const struct service *service, const struct promise *promise, bool returning)
{
	struct home_report report;
	enum home_result result;

	if (!service->config->accounts.create_home)
		return false;
	result = home_examine(&service->homes, promise->home, promise->uid, &report);
	return (result == HOME_DONE && !returning) || result == HOME_EXISTS;
}

static void nothing_is_known(struct promise *ret_promise, struct account_facts *ret_facts)
{
	*ret_promise = (struct promise){ 0 };
	*ret_facts = (struct account_facts){ .name = NAME_HOLDER_UNKNOWN, .uid = UID_HOLDER_UNKNOWN };
	set_holder(ret_facts, "the database");
}

/* Who is in the way of what is promised. */
static void facts_of_promise(const struct service *service, const char *account, const struct expected *expected,
			     bool returning, const struct source_facts *sources, const struct promise *promise,
			     struct account_facts *ret_facts)
{
	struct account_facts facts = { 0 };

	facts.name = holder_of_name(service, account, expected, sources, &facts);
	if (facts.name == NAME_FREE)
		facts.uid = holder_anywhere(holder_here(service, account, promise->uid, returning, &facts),
					    promise->uid, sources, &facts);
	facts.home_exists = home_is_there(service, promise, returning);
	*ret_facts = facts;
}

static bool promise_of(const struct service *service, const struct tenant *tenant, const char *account,
		       struct promise *ret_promise)
{
	uid_t reserved_uid = 0;
	enum store_answer reserved = store_reserved_uid(service->store, account, &reserved_uid);

	return checked(service, reserved) != STORE_FAILED &&
	       promise_for(service->config, tenant, account, reserved == STORE_FOUND ? &reserved_uid : NULL,
			   ret_promise);
}

bool facts_promised_uid(const struct service *service, const struct tenant *tenant, const char *account, uid_t *ret_uid)
{
	struct promise promise;

	if (!promise_of(service, tenant, account, &promise))
		return false;
	*ret_uid = promise.uid;
	return true;
}

void facts_of_new_account(const struct service *service, const struct tenant *tenant, const char *account,
			  const struct expected *expected, const struct source_facts *sources,
			  struct promise *ret_promise, struct account_facts *ret_facts)
{
	if (!promise_of(service, tenant, account, ret_promise))
		nothing_is_known(ret_promise, ret_facts);
	else
		facts_of_promise(service, account, expected, false, sources, ret_promise, ret_facts);
}

void facts_of_return(const struct service *service, const struct account_record *removed,
		     const struct source_facts *sources, struct promise *ret_promise, struct account_facts *ret_facts)
{
	struct promise promise = { .uid = removed->uid, .shell = service->config->accounts.shell };
	int n = snprintf(promise.home, sizeof(promise.home), "%s", removed->home);

	if (n <= 0 || (size_t)n >= sizeof(promise.home)) {
		nothing_is_known(ret_promise, ret_facts);
		return;
	}
	facts_of_promise(service, removed->name, NULL, true, sources, &promise, ret_facts);
	*ret_promise = promise;
}

/* ---- a local user who is to be linked ---- */

void facts_local_account(const struct service *service, const char *name, struct local_account *ret_local)
{
	struct local_account local = { .holder = UID_FREE };
	struct account_facts facts = { 0 };
	struct account_user user;
	int found = account_files_user_named(service->files, name, &user);

	if (found < 0)
		log_error("%s", account_files_fault(service->files));
	local.unreadable = found < 0;
	if (found > 0) {
		local.there = true;
		local.uid = user.uid;
		local.gid = user.gid;
		local.holder = uid_holder_on_record(service, name, user.uid, false, &facts);
	}
	*ret_local = local;
}

/* ---- groups that a person is to be a member of ---- */

/* /etc/group may have changed since the start, when all groups of the rules were there. */
static const char *group_fault(const struct service *service, const char *name)
{
	struct account_group group;
	int found = account_files_group_named(service->files, name, &group);
	gid_t gid;
	int owner;

	if (found <= 0)
		return found == 0 ? "there is no such local group" : account_files_fault(service->files);
	gid = group.gid;
	if (gid >= FIRST_PERSONS_UID)
		return NULL;
	owner = account_files_group_with_gid(service->files, gid, &group);
	if (owner > 0 && strcmp(group.name, name) == 0)
		return NULL;
	return "it has the gid of another group of the system";
}

char *facts_usable_groups(const struct service *service, const char *account, const char *groups)
{
	_cleanup_name_list_ struct name_list usable = { 0 };

	for (struct listed_name at = names_first(groups); at.length > 0; at = names_next(at)) {
		char *name = strndup(at.text, at.length);
		const char *fault = name ? group_fault(service, name) : NULL;

		if (!name)
			return NULL;
		if (fault)
			log_error("%s: cannot be made a member of %s, which the configuration names: %s", account, name,
				  fault);
		else
			name_list_add(&usable, at);
		free(name);
	}
	return usable.failed ? NULL : strdup(name_list_text(&usable));
}
