/*
 * Whether a tenant's people may sign in from where a request comes (the key remote_from). Pure.
 */
#ifndef COMMON_REMOTE_FROM_H
#define COMMON_REMOTE_FROM_H

#include "common/config.h"

enum remote_from_verdict {
	REMOTE_FROM_PERMITTED,
	REMOTE_FROM_ELSEWHERE,  /* in none of the networks */
	REMOTE_FROM_NO_ADDRESS, /* the application names a host, not its address: where it is cannot be known */
};

/* rhost is PAM_RHOST; NULL or "" is the console, which is always permitted. A host name counts only where it is this
 * machine's own (`host`, as in gethostname(2)) and the service is one that people use inside a session (su, sudo):
 * there it says who asks, not from where. To sshd it is like any other name. */
enum remote_from_verdict remote_from_judge(const struct tenant *tenant, const char *service, const char *rhost,
					   const char *host);

#endif
