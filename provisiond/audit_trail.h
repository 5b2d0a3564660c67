/*
 * Records for auditd. The only place that knows libaudit.
 */
#ifndef PROVISIOND_AUDIT_TRAIL_H
#define PROVISIOND_AUDIT_TRAIL_H

#include <stdbool.h>

enum audit_record {
	AUDIT_SIGN_IN,      /* USER_AUTH */
	AUDIT_NEW_USER,     /* ADD_USER */
	AUDIT_CHANGED_USER, /* USER_MGMT */
	AUDIT_GONE_USER,    /* DEL_USER */
	AUDIT_RECORD_COUNT
};

/* For example { "acct", "alice" }. A NULL value is left out. The last one has a NULL name. */
struct audit_field {
	const char *name;
	const char *value;
};

/* "USER_AUTH", ... as auditd writes them. Lives for ever. */
const char *audit_record_name(enum audit_record record);
/* Sends one record, in which values are written so that none can look like another field. `address` is a remote host's,
 * or NULL; anything but an IP address is left out. Where there is no audit system, or this process may not write to it,
 * nothing happens; that is looked at again after a minute. Never waits for auditd, never fails. */
void audit_trail_tell(enum audit_record record, const char *operation, const struct audit_field *fields,
		      const char *address, bool success);

#endif
