/*
 * Gathers facts for admission and look-ups. The first thing found in the way of a name or a uid is the one that is
 * told.
 */
#include "provisiond/facts.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/names.h"
#include "provisiond/reserved_names.h"

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

enum store_answer facts_record_of_typed(const struct service *service, const char *typed,
					struct account_record *ret_record)
{
	const struct tenant *tenant;
	struct email email;

	if (!strchr(typed, '@'))
		return facts_record_named(service, typed, ret_record);
	if (!email_parse(typed, &email))
		return STORE_NONE;
	tenant = config_tenant_of_domain(service->config, email.domain);
	if (!tenant)
		return STORE_NONE;
	return checked(service, store_account_by_email(service->store, tenant->name, typed, ret_record));
}

enum store_answer facts_record_meant(const struct service *service, const char *typed,
				     struct account_record *ret_record)
{
	enum store_answer found = facts_record_of_typed(service, typed, ret_record);
	struct stands_for stands;

	if (found != STORE_NONE)
		return found;
	stands_for(service->config, typed, NULL, &stands);
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
	stands_for(service->config, typed, NULL, &stands);
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
	return standing_of(record, &rows, now_s);
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

static enum name_holder holder_of_name(const struct service *service, const char *account,
				       const struct source_facts *sources, struct account_facts *facts)
{
	enum name_holder holder = holder_in_files(service, account, facts);

	if (holder == NAME_FREE)
		holder = holder_in_memberships(service, account, facts);
	if (holder != NAME_FREE)
		return holder;
	if (reserved_name(account))
		return NAME_BUILT_IN;
	if (string_list_contains(&service->config->accounts.reserved_names, account))
		return NAME_CONFIGURED;
	if (system_names_contains(service->system_names, account))
		return NAME_OF_PACKAGE;
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

static enum uid_holder uid_holder_on_record(const struct service *service, const char *account, uid_t uid,
					    struct account_facts *facts)
{
	_cleanup_record_ struct account_record record = { 0 };
	char name[ACCOUNT_NAME_MAX + 1] = "";
	enum store_answer on_record = store_account_by_uid(service->store, uid, &record);
	enum store_answer reserved = store_uid_reserved_for(service->store, uid, name, sizeof(name));

	if (on_record == STORE_FOUND) {
		set_holder(facts, record.name);
		return UID_ON_RECORD;
	}
	if (reserved == STORE_FOUND && strcmp(name, account) != 0) {
		set_holder(facts, name);
		return UID_RESERVED;
	}
	if (on_record == STORE_FAILED || reserved == STORE_FAILED) {
		set_holder(facts, "the database");
		return UID_HOLDER_UNKNOWN;
	}
	return UID_FREE;
}

static enum uid_holder holder_of_uid(const struct service *service, const char *account, uid_t uid,
				     const struct source_facts *sources, struct account_facts *facts)
{
	enum uid_holder holder = uid < FIRST_PERSONS_UID ? UID_OUT_OF_RANGE : uid_holder_in_files(service, uid, facts);

	if (holder == UID_FREE)
		holder = uid_holder_on_record(service, account, uid, facts);
	if (holder != UID_FREE || !sources->asked)
		return holder;
	/* After a reload in between, the answer may be about another uid. */
	if (sources->asked_uid == uid && sources->uid == SOURCE_UNKNOWN)
		return UID_FREE;
	set_holder(facts, sources->uid_source);
	return sources->asked_uid == uid && sources->uid == SOURCE_KNOWN ? UID_OTHER_SOURCE : UID_HOLDER_UNKNOWN;
}

static bool home_is_there(const struct service *service, const struct promise *promise)
{
	struct home_report report;
	enum home_result result;

	if (!service->config->accounts.create_home)
		return false;
	result = home_examine(&service->homes, promise->home, promise->uid, &report);
	return result == HOME_DONE || result == HOME_EXISTS;
}

void facts_of_new_account(const struct service *service, const struct tenant *tenant, const char *account,
			  const struct source_facts *sources, struct promise *ret_promise,
			  struct account_facts *ret_facts)
{
	struct account_facts facts = { 0 };
	uid_t reserved_uid = 0;
	enum store_answer reserved = store_reserved_uid(service->store, account, &reserved_uid);

	if (checked(service, reserved) == STORE_FAILED ||
	    !promise_for(service->config, tenant, account, reserved == STORE_FOUND ? &reserved_uid : NULL,
			 ret_promise)) {
		facts = (struct account_facts){ .name = NAME_HOLDER_UNKNOWN, .uid = UID_HOLDER_UNKNOWN };
		*ret_promise = (struct promise){ 0 };
		set_holder(&facts, "the database");
		*ret_facts = facts;
		return;
	}
	facts.name = holder_of_name(service, account, sources, &facts);
	if (facts.name == NAME_FREE)
		facts.uid = holder_of_uid(service, account, ret_promise->uid, sources, &facts);
	facts.home_exists = home_is_there(service, ret_promise);
	*ret_facts = facts;
}
