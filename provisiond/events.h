/*
 * Decisions about people, each told once: as one structured entry of the journal (OIDC_EVENT=...), and as one record
 * for auditd where that runs. The list of events with their fields is in provisiond(8).
 */
#ifndef PROVISIOND_EVENTS_H
#define PROVISIOND_EVENTS_H

#include <sys/types.h>

#include "common/reason.h"

enum event {
	EVENT_ADMITTED,
	EVENT_REFUSED,
	EVENT_CREATED,
	EVENT_UPDATED,
	EVENT_EXPECTED, /* the admin links or adds somebody */
	EVENT_LINKED,
	EVENT_UNLINKED,
	EVENT_RESERVED,
	EVENT_DEACTIVATED,
	EVENT_REACTIVATED,
	EVENT_REASSIGNED,
	EVENT_REMOVED,
	EVENT_SESSIONS_ENDED,
	EVENT_COUNT
};

/* NULL: not known, or nothing to say. */
struct event_facts {
	const char *tenant, *account, *subject, *email;
	const char *service, *address;
	const char *reason; /* reason_name(), of a refusal */
	uid_t uid;          /* 0: none */
};

/* "admitted", ... as in OIDC_EVENT. Lives for ever. */
const char *event_name(enum event event);
/* Logs at the event's own priority (refusals as warnings) and audits. The text after the format is for people. */
__attribute__((format(printf, 3, 4))) void event_tell(enum event event, const struct event_facts *facts,
						      const char *format, ...);

#endif
