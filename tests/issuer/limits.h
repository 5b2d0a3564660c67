/*
 * Rate limits per endpoint and minute, and the headers in which Okta reports them.
 */
#ifndef ISSUER_LIMITS_H
#define ISSUER_LIMITS_H

#include <stdbool.h>

#include "tests/issuer/answer.h"
#include "tests/issuer/request.h"

struct limits {
	struct {
		int64_t window; /* minute since the epoch */
		long used;
	} endpoints[ENDPOINT_COUNT];
};

/* Discovery, keys and pages are not limited. */
bool limits_apply_to(enum endpoint endpoint);
/* Counts a request; false when it was one too many for the room that there is in this minute. */
bool limits_take(struct limits *limits, enum endpoint endpoint, long room, int64_t now_ms);
/* X-Rate-Limit-Limit, -Remaining (of the room) and -Reset (epoch seconds). */
void limits_report(const struct limits *limits, enum endpoint endpoint, long limit, long room, int64_t now_ms,
		   struct answer *answer);

#endif
