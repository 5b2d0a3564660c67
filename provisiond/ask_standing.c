/*
 * Answers `standing`: may the account go on, whatever way its person came in? The module's account phase asks it for
 * SSH keys and cron too, so a name that was only promised, and a user of some other name service, must be told apart
 * here, and remote_from is asked of those who come with a key.
 */
#include "provisiond/requests.h"

#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/remote_from.h"
#include "provisiond/facts.h"

#define DEADLINE_MS 200 /* the module gives up after 250 ms */

static void answer(struct question *question, const char *status, const struct account_record *record)
{
	struct wire_writer writer;

	question_begin_answer(question, &writer, status);
	if (record) {
		wire_put(&writer, "account", record->name);
		wire_put_number(&writer, "uid", record->uid);
		wire_put(&writer, "room", record->room);
		wire_put(&writer, "email", record->email);
	}
	question_send(question, &writer);
}

/* Whether remote_from keeps its person out there. The module says where in its account phase alone: before a sign-in,
 * pam_oidcd asks. Somebody who asks about themselves writes nothing into the log: they could fill it. */
static bool comes_from_elsewhere(const struct tenant *tenant, const struct account_record *record,
				 const struct wire_message *message, uid_t caller)
{
	const char *program = wire_get(message, "service"), *rhost = wire_get(message, "rhost");
	enum remote_from_verdict verdict = remote_from_judge(tenant, program, rhost);
	char why[REMOTE_FROM_TEXT_MAX];

	if (verdict == REMOTE_FROM_PERMITTED)
		return false;
	if (caller == 0)
		log_notice("%s (%s from %s): refused (remote_from): %s", record->name, program ? program : "", rhost,
			   remote_from_explain(verdict, tenant, why));
	return true;
}

/* Nobody can vouch for the people of a tenant that is not configured any more: their keys and cron jobs end, too. */
static bool tenant_is_gone(const struct service *service, const struct account_record *record, uid_t caller)
{
	if (tenant_of_record(service->config, record))
		return false;
	if (caller == 0)
		log_notice("%s: refused (%s): the account is of tenant %s, which is not in %s any more", record->name,
			   reason_name(REASON_TENANT_GONE), record->tenant, service->config->path);
	return true;
}

/* The name could be promised to somebody, or be an email that the sign-in refuses with its reason, unless it is another
 * name service's user. The same is asked before sshd is given an entry: whom it is given for is not waved through
 * here. */
static void sources_answered_standing(void *context, const struct source_facts *facts)
{
	static const char *const words[] = {
		[SOURCE_UNKNOWN] = "promised",
		[SOURCE_KNOWN] = "not_ours",
		[SOURCE_UNAVAILABLE] = "unavailable",
	};

	answer(context, words[facts->name], NULL);
}

/* How a local user stands for whom a link waits: one like any other, if the link could not be taken now. */
static const char *standing_before_link(const struct service *service, const struct expected *expected)
{
	struct local_account local;
	struct verdict verdict;

	if (expected->kind != EXPECTED_LINK || !config_tenant_named(service->config, expected->tenant))
		return "not_ours";
	facts_local_account(service, expected->name, &local);
	if (local.unreadable || local.holder == UID_HOLDER_UNKNOWN)
		return "unavailable";
	admission_of_link(expected, &local, &verdict);
	return verdict.kind == VERDICT_LINK ? "expected" : "not_ours";
}

/* A name without an account: that of a local user, or one that could be promised. `removed` is the account that its
 * person may come back to, or NULL. */
static void answer_unrecorded(const struct service *service, struct question *question, const char *name,
			      const struct account_record *removed)
{
	_cleanup_expected_ struct expected expected = { 0 };
	enum store_answer awaited = STORE_NONE;
	struct stands_for stands;
	uid_t uid;
	int local = facts_local_user(service, name, &uid);

	if (!removed)
		awaited = facts_expected_of_typed(service, name, (int64_t)time(NULL), &expected);
	stands_for(service->config, name, removed, awaited == STORE_FOUND ? &expected : NULL, &stands);
	if (local < 0 || awaited == STORE_FAILED)
		answer(question, "unavailable", NULL);
	else if (local > 0 && awaited == STORE_FOUND)
		answer(question, standing_before_link(service, &expected), NULL);
	else if (local > 0 || (stands.reason != REASON_NONE && !stands.is_email))
		answer(question, "not_ours", NULL);
	else
		inquire_for_user(service->inquiries, name, wire_now_ms() + DEADLINE_MS, sources_answered_standing,
				 question);
}

static void answer_recorded(const struct service *service, struct question *question,
			    const struct account_record *record, const struct wire_message *message)
{
	static const char *const words[] = {
		[STANDING_ACTIVE] = "active",       [STANDING_INCOMPLETE] = "incomplete",
		[STANDING_LAPSED] = "lapsed",       [STANDING_CREATING] = "promised",
		[STANDING_REMOVED] = "deactivated", [STANDING_DEACTIVATED] = "deactivated",
		[STANDING_FOREIGN] = "not_ours",    [STANDING_UNKNOWN] = "unavailable",
	};
	enum standing standing = facts_standing(service, record, (int64_t)time(NULL));
	uid_t caller = question_peer(question)->uid;

	if (standing == STANDING_REMOVED && record->state == ACCOUNT_REMOVED &&
	    tenant_of_record(service->config, record))
		answer_unrecorded(service, question, wire_get(message, "name"), record);
	else if (standing != STANDING_ACTIVE)
		answer(question, words[standing], NULL);
	else if (tenant_is_gone(service, record, caller))
		answer(question, "deactivated", NULL);
	else if (comes_from_elsewhere(tenant_of_record(service->config, record), record, message, caller))
		answer(question, "elsewhere", NULL);
	else
		answer(question, words[standing], record);
}

/* A field that may be missing. Twice is not missing: what would be judged is not what the peer meant. */
static bool stands_twice(const struct wire_message *message, const char *key)
{
	return wire_has(message, key) && !wire_get(message, key);
}

void handle_standing(struct service *service, struct question *question, const struct wire_message *message)
{
	const char *name = wire_get(message, "name");
	uid_t caller = question_peer(question)->uid;
	_cleanup_record_ struct account_record record = { 0 };
	enum store_answer found;

	if (!name || name[0] == '\0' || stands_twice(message, "rhost") || stands_twice(message, "service")) {
		question_drop(question);
		return;
	}
	if (strlen(name) > TICKET_TYPED_MAX) {
		answer(question, "not_ours", NULL);
		return;
	}
	if (caller != 0 && !facts_is_name_of(service, name, caller)) {
		question_drop(question);
		return;
	}
	found = facts_record_meant(service, name, &record);
	if (found == STORE_FAILED)
		answer(question, "unavailable", NULL);
	else if (found == STORE_FOUND)
		answer_recorded(service, question, &record, message);
	else
		answer_unrecorded(service, question, name, NULL);
}
