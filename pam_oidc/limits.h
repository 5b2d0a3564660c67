/*
 * How many sign-ins may wait and start at once. Pure: counts come in, a verdict comes out.
 */
#ifndef PAM_OIDC_LIMITS_H
#define PAM_OIDC_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/config.h"

/* Where a sign-in comes from. */
struct origin {
	bool console;           /* no remote host: it has places of its own, which no stranger can take */
	bool local;             /* asked for by a user of this machine other than root: neither of both */
	uid_t uid;              /* theirs */
	bool spared;            /* from unlimited_from */
	struct network address; /* IPv6 by /64; all zero for a host name that is no address */
};

/* A sign-in that root asks for: sshd and login. */
struct origin origin_of(const struct login_config *config, const char *rhost);
/* One that somebody else asks for, by themselves or through su and sudo: it counts for that user, whatever host they
 * may name. */
struct origin origin_of_user(uid_t uid);
bool origin_equal(const struct origin *one, const struct origin *other);

#define CONSOLE_PLACES 64
#define LOCAL_PLACES 64

/* What is waiting now, the sign-in in question not counted. */
struct pending_counts {
	size_t remote, console, local;
	size_t same_origin;
	size_t same_origin_and_name;
};

bool limits_allow_pending(const struct login_config *config, const struct origin *origin,
			  const struct pending_counts *counts);

/* The starts of the last minute. */
struct starts;
/* NULL when memory ran out. */
struct starts *starts_create(void);
void starts_free(struct starts *starts);
/* True, and counted, when the origin may start one more; always true at the console and for spared networks. */
bool starts_allow(struct starts *starts, const struct login_config *config, const struct origin *origin,
		  int64_t now_ms);

#endif
