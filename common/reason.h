/*
 * Why a sign-in ended without a session: one code on the wire, its meaning for PAM and the sentence a person reads when
 * the part that decided has no better one. Libc only.
 */
#ifndef COMMON_REASON_H
#define COMMON_REASON_H

#include <stdbool.h>

/* What the module answers the application. */
enum reason_class {
	REASON_CLASS_NOT_OURS,    /* PAM_USER_UNKNOWN: the stack goes on */
	REASON_CLASS_DENIED,      /* PAM_PERM_DENIED: decided against the person */
	REASON_CLASS_FAILED,      /* PAM_AUTH_ERR: nothing came of it; the person may start again */
	REASON_CLASS_UNAVAILABLE, /* PAM_AUTHINFO_UNAVAIL: nothing was decided */
};

enum reason {
	REASON_NONE,
	/* what the name stands for */
	REASON_NOT_OURS,          /* a local user, or no name of a tenant */
	REASON_UNKNOWN_DOMAIN,    /* an email of no tenant's domain */
	REASON_NAME_UNFIT,        /* cannot be an account name here */
	REASON_NAME_RESERVED,     /* belongs to the system or to a local user or group */
	REASON_USE_SHORT_NAME,    /* an email over SSH, where only short names are taken */
	REASON_DEACTIVATED,
	REASON_REMOVED,
	REASON_TENANT_GONE,       /* on record for a tenant that is not configured any more */
	REASON_REMOTE_FROM,       /* comes from a network that remote_from does not name */
	/* what the issuer answered */
	REASON_NOT_ASSIGNED,
	REASON_POLICY,
	REASON_DENIED,
	REASON_NETWORK_ZONE,
	REASON_EXPIRED,
	REASON_TOO_MANY_CODES,    /* the issuer's limit */
	REASON_MISCONFIGURED,     /* the application in Okta, or our configuration of it */
	REASON_ISSUER_UNREACHABLE,
	/* what the token said */
	REASON_TOKEN_INVALID,
	REASON_AMR_MISSING,       /* signed in without a required method */
	REASON_AUTH_TOO_OLD,
	/* what admission decided */
	REASON_WRONG_TENANT,
	REASON_WRONG_DOMAIN,
	REASON_EMAIL_UNVERIFIED,
	REASON_EMAIL_INVALID,     /* missing or malformed */
	REASON_OTHER_PERSON,      /* approved by somebody who is not the typed name */
	REASON_SUBJECT_CHANGED,   /* the address was given to someone else */
	REASON_REASSIGNED,        /* had this name until it was given to a successor */
	REASON_GROUP_MISSING,
	REASON_UID_TAKEN,
	REASON_UID_CHANGED,       /* not the uid that the name service promised */
	REASON_HOME_EXISTS,
	REASON_STORAGE,           /* disk full, read-only, lock held for too long */
	/* limits and ends */
	REASON_LIMIT,             /* one of ours: too many sign-ins waiting or started */
	REASON_CANCELLED,
	REASON_NOT_ANSWERED,      /* a question of ours, in time and as it could be */
	REASON_TICKET,            /* the confirmation did not hold */
	REASON_RESTARTED,         /* a daemon was started anew meanwhile */
	REASON_SERVICE_DOWN,      /* a daemon does not answer */
	REASON_INTERNAL,
	REASON_COUNT
};

/* The code's name on the wire, for example "not_assigned". Lives for ever. */
const char *reason_name(enum reason reason);
/* The code of that name; REASON_INTERNAL for anything unknown, NULL included. */
enum reason reason_from_name(const char *name);
enum reason_class reason_class(enum reason reason);
/* A full sentence that says what happened and what to do next. Lives for ever. */
const char *reason_sentence(enum reason reason);

#endif
