/*
 * Tells events to the journal and to auditd.
 */
#include "provisiond/events.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/log.h"
#include "provisiond/audit_trail.h"

#define TEXT_MAX 2048 /* bytes, with NUL */

/* Which facts an event has besides who it is about. Others are not told, so that the manual can list them. */
enum { PLACE = 1 << 0, REASON = 1 << 1 };

static const struct {
	const char *name;
	enum audit_record record;
	unsigned also;
} kinds[] = {
	[EVENT_ADMITTED] = { .name = "admitted", .record = AUDIT_SIGN_IN, .also = PLACE },
	[EVENT_REFUSED] = { .name = "refused", .record = AUDIT_SIGN_IN, .also = PLACE | REASON },
	[EVENT_CREATED] = { .name = "created", .record = AUDIT_NEW_USER },
	[EVENT_UPDATED] = { .name = "updated", .record = AUDIT_CHANGED_USER },
	[EVENT_EXPECTED] = { .name = "expected", .record = AUDIT_CHANGED_USER },
	[EVENT_LINKED] = { .name = "linked", .record = AUDIT_CHANGED_USER },
	[EVENT_UNLINKED] = { .name = "unlinked", .record = AUDIT_CHANGED_USER },
	[EVENT_RESERVED] = { .name = "reserved", .record = AUDIT_CHANGED_USER },
	[EVENT_DEACTIVATED] = { .name = "deactivated", .record = AUDIT_CHANGED_USER },
	[EVENT_REACTIVATED] = { .name = "reactivated", .record = AUDIT_CHANGED_USER },
	[EVENT_REASSIGNED] = { .name = "reassigned", .record = AUDIT_CHANGED_USER },
	[EVENT_REMOVED] = { .name = "removed", .record = AUDIT_GONE_USER },
	[EVENT_SESSIONS_ENDED] = { .name = "sessions_ended", .record = AUDIT_CHANGED_USER },
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == EVENT_COUNT, "every event has its name");

const char *event_name(enum event event)
{
	return kinds[event].name;
}

static void journal(enum event event, const struct event_facts *facts, const char *uid, const char *text)
{
	const struct log_field fields[] = {
		{ "OIDC_EVENT", kinds[event].name },
		{ "OIDC_ACCOUNT", facts->account },
		{ "OIDC_UID", uid },
		{ "OIDC_TENANT", facts->tenant },
		{ "OIDC_SUBJECT", facts->subject },
		{ "OIDC_EMAIL", facts->email },
		{ "OIDC_SERVICE", facts->service },
		{ "OIDC_ADDRESS", facts->address },
		{ "OIDC_REASON", facts->reason },
		{ NULL, NULL },
	};

	log_event(event == EVENT_REFUSED ? LOG_WARNING : LOG_NOTICE, fields, "%s", text);
}

static void audit(enum event event, const struct event_facts *facts, const char *uid)
{
	const struct audit_field fields[] = {
		{ "acct", facts->account },  { "id", uid },
		{ "tenant", facts->tenant }, { "subject", facts->subject },
		{ "email", facts->email },   { "service", facts->service },
		{ "reason", facts->reason }, { NULL, NULL },
	};

	audit_trail_tell(kinds[event].record, kinds[event].name, fields, facts->address, event != EVENT_REFUSED);
}

/* Not known and empty are the same. */
static const char *known(const char *text)
{
	return text && text[0] ? text : NULL;
}

static struct event_facts facts_of(enum event event, const struct event_facts *facts)
{
	bool place = kinds[event].also & PLACE, reason = kinds[event].also & REASON;

	return (struct event_facts){
		.tenant = known(facts->tenant),
		.account = known(facts->account),
		.subject = known(facts->subject),
		.email = known(facts->email),
		.service = place ? known(facts->service) : NULL,
		.address = place ? known(facts->address) : NULL,
		.reason = reason ? known(facts->reason) : NULL,
		.uid = facts->uid,
	};
}

void event_tell(enum event event, const struct event_facts *facts, const char *format, ...)
{
	struct event_facts told = facts_of(event, facts);
	char text[TEXT_MAX], uid[24];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	(void)snprintf(uid, sizeof(uid), "%lu", (unsigned long)facts->uid);
	journal(event, &told, facts->uid != 0 ? uid : NULL, text);
	audit(event, &told, facts->uid != 0 ? uid : NULL);
}
