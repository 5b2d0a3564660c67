/*
 * Whether a tenant's people may sign in from where a request comes (the key remote_from), and why not. Pure.
 */
#ifndef COMMON_REMOTE_FROM_H
#define COMMON_REMOTE_FROM_H

#include "common/config.h"

enum remote_from_verdict {
	REMOTE_FROM_PERMITTED,
	REMOTE_FROM_ELSEWHERE,  /* in none of the networks */
	REMOTE_FROM_NO_ADDRESS, /* the application names a host, not its address: where it is cannot be known */
};

/* rhost is PAM_RHOST; NULL or "" is the console, which is always permitted. A host name is no address, with one
 * exception: su and sudo are used inside a session, and where they name a host at all (sudo with `pam_rhost` in
 * sudoers), it is this machine by whichever of its names, and says nothing of where the person is. */
enum remote_from_verdict remote_from_judge(const struct tenant *tenant, const char *service, const char *rhost);

#define REMOTE_FROM_TEXT_MAX 160 /* a tenant's name of 32 bytes included */

/* What the log says of a verdict other than REMOTE_FROM_PERMITTED: what is the matter and what an admin can do about
 * it, without a full stop. Written into `buffer`, which is returned. */
const char *remote_from_explain(enum remote_from_verdict verdict, const struct tenant *tenant,
				char buffer[static REMOTE_FROM_TEXT_MAX]);

#endif
