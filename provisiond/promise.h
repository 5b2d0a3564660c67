/*
 * What an account will be once it is made: a pure function of its name and the configuration, so that it can be told
 * before the sign-in and cannot have changed after it.
 */
#ifndef PROVISIOND_PROMISE_H
#define PROVISIOND_PROMISE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/config.h"

struct promise {
	uid_t uid; /* the gid is the same number */
	char home[PATH_MAX];
	const char *shell; /* lives as long as the configuration */
};

/* `reserved_uid`, when not NULL, is the one that the admin keeps for this name. False when the home's path would be too
 * long. */
bool promise_for(const struct config *config, const struct tenant *tenant, const char *account,
		 const uid_t *reserved_uid, struct promise *ret_promise);

#endif
