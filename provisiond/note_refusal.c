/*
 * Answers `refused`: the issuer has refused somebody who typed a name of ours ("not assigned", deactivated there). It
 * is noted with the account on record, for `provisionctl list`; it changes nothing of the account, since anybody can
 * type a name.
 */
#include "provisiond/requests.h"

#include <string.h>
#include <time.h>

#include "common/log.h"
#include "provisiond/facts.h"

#define NOTED_ANEW_S 60 /* the same refusal again is not worth a write before */

static bool is_noted(const struct account_record *record, const char *reason, int64_t now_s)
{
	return record->refusal && strcmp(record->refusal, reason) == 0 && now_s >= record->refused_at &&
	       now_s - record->refused_at < NOTED_ANEW_S;
}

static void note(const struct service *service, const char *typed, const char *tenant, const char *reason)
{
	_cleanup_record_ struct account_record record = { 0 };
	int64_t now_s = (int64_t)time(NULL);
	const struct tenant *own;

	if (facts_record_meant(service, typed, &record) != STORE_FOUND || is_noted(&record, reason, now_s))
		return;
	own = tenant_of_record(service->config, &record);
	if (!own || strcmp(own->name, tenant) != 0)
		return;
	if (store_note_refusal(service->store, record.name, reason, now_s) != 0)
		log_error("%s: the refusal cannot be put on record: %s", record.name, store_fault(service->store));
}

/* What the issuer says about a person, not about the machine or the moment. */
static bool is_about_person(const char *reason)
{
	switch (reason_from_name(reason)) {
	case REASON_NOT_ASSIGNED:
	case REASON_POLICY:
	case REASON_DENIED:
	case REASON_NETWORK_ZONE:
		return true;
	default:
		return false;
	}
}

void handle_refused(struct service *service, struct question *question, const struct wire_message *message)
{
	const char *typed = wire_get(message, "name"), *tenant = wire_get(message, "tenant");
	const char *reason = wire_get(message, "reason");
	struct wire_writer answer;

	if (!typed || typed[0] == '\0' || strlen(typed) > TICKET_TYPED_MAX || !tenant || !reason) {
		log_warning("a malformed message about a refusal came from pam_oidcd");
		question_drop(question);
		return;
	}
	if (is_about_person(reason))
		note(service, typed, tenant, reason);
	question_begin_answer(question, &answer, "noted");
	question_send(question, &answer);
}
