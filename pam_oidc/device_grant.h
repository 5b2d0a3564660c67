/*
 * The device authorization grant (RFC 8628), pure: what its answers mean and when to poll next. Takes values and the
 * time, sends nothing.
 */
#ifndef PAM_OIDC_DEVICE_GRANT_H
#define PAM_OIDC_DEVICE_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/reason.h"
#include "common/secret.h"

#define DEVICE_GRANT_TYPE "urn:ietf:params:oauth:grant-type:device_code"
#define DEVICE_INTERVAL_DEFAULT_S 5 /* RFC 8628, section 3.2 */
#define DEVICE_INTERVAL_MAX_S 60
#define DEVICE_CODE_LIFE_MAX_S 1800
#define DEVICE_URI_MAX 512
#define DEVICE_POLL_JITTER_MAX_MS 50 /* spreads many machines without a person noticing */
#define DEVICE_LOAD_EASY 350         /* thousandths of the rate limit: up to it, nobody waits for the others' sake */
#define DEVICE_EASE_MAX_MS (13 * 1000)
#define DEVICE_CHANCE_MAX 65535

/* Section 3.2. All text is printable ASCII. */
struct device_authorization {
	struct secret device_code;
	char *user_code;
	char *verification_uri;
	char *verification_uri_complete; /* on the same host; verification_uri itself when the issuer gives none there
					  */
	int64_t expires_in_s;            /* 1..DEVICE_CODE_LIFE_MAX_S */
	int64_t interval_s;              /* 1..DEVICE_INTERVAL_MAX_S */
};

/* Reads a device authorization response. An absent, zero or negative interval is the default one; a longer one than the
 * maximum is the maximum. True, and the caller frees it with device_authorization_free(); or false and a fault for the
 * log. */
bool device_authorization_parse(const char *json, size_t length, struct device_authorization **ret_authorization,
				char *fault, size_t fault_size);
/* Wipes. Takes NULL. */
void device_authorization_free(struct device_authorization *authorization);

/* An answer of one of the issuer's endpoints, as far as it decides what happens next. */
struct endpoint_answer {
	bool answered;           /* false: the network failed */
	long status;             /* HTTP */
	const char *error;       /* of the JSON body; NULL: none */
	const char *description; /* error_description; NULL: none */
	int64_t wait_ms;         /* the issuer's own wish (Retry-After, X-Rate-Limit-Reset); 0: none */
	int64_t load;            /* of its rate limit at this endpoint, rate_limit_load(); 0: none or not known */
};

enum endpoint_verdict {
	ENDPOINT_SUCCESS,   /* 200: read the body */
	ENDPOINT_PENDING,   /* not approved yet */
	ENDPOINT_SLOW_DOWN, /* the same, and 5 s more between polls from now on */
	ENDPOINT_WAIT,      /* rate limit: try again later */
	ENDPOINT_RETRY,     /* the network or the issuer failed for a moment */
	ENDPOINT_END,       /* over, for the reason given */
};

/* RFC 8628, section 3.5 and RFC 6749, section 5.2, with Okta's ways: the status is looked at before the body.
 * *ret_reason is set for ENDPOINT_END only. */
enum endpoint_verdict endpoint_judge(const struct endpoint_answer *answer, enum reason *ret_reason);

/* When to poll. Times are wire_now_ms(). */
struct device_poll {
	int64_t interval_ms;
	int64_t next_ms;
	unsigned failures; /* in a row */
};

/* Polls come later than the interval by up to DEVICE_POLL_JITTER_MAX_MS. While all machines together are about to use
 * more of the issuer's rate limit than DEVICE_LOAD_EASY, they come later still, the more so the higher the load is: by
 * up to DEVICE_EASE_MAX_MS, and up to as much again by chance. So those who share a limit, and do not know of each
 * other, stay below half of it as long as that is enough for the sign-ins themselves, and none waits for the others.
 *
 * chance is 0..DEVICE_CHANCE_MAX. load is that of the endpoint that gave the code: each code costs polls. */
void device_poll_start(struct device_poll *poll, int64_t interval_s, int64_t load, int64_t now_ms, unsigned chance);
/* Sets the time of the next poll after an answer that does not end the wait; NULL: none came. */
void device_poll_next(struct device_poll *poll, enum endpoint_verdict verdict, const struct endpoint_answer *answer,
		      int64_t now_ms, unsigned chance);

#endif
