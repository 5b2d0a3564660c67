/*
 * One sign-in at pam_oidcd: one connection, closed to cancel it. Nothing that comes from there gives a session; see
 * gate.h.
 */
#ifndef PAM_OIDC_MODULE_SIGNIN_H
#define PAM_OIDC_MODULE_SIGNIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"
#include "common/reason.h"
#include "pam_oidc/module/attempt.h"
#include "pam_oidc/module/client_connection.h"

struct signin {
	int fd;
	char *buffer;          /* holds the last answer */
	int64_t expires_at_ms; /* the person must have approved by then (CLOCK_BOOTTIME, as in wire.h) */
	int64_t deadline_ms;   /* a little later: the daemon has had the time to say so itself */
	bool shown;
	bool chose; /* it was asked for the choice */
	struct client_connection client;
};

#define SIGNIN_NONE ((struct signin){ .fd = -1 })

enum signin_event {
	SIGNIN_CHOOSE, /* the person may use the local password; signin_continue() goes on with Okta */
	SIGNIN_SHOW,
	SIGNIN_ADMITTED,
	SIGNIN_REFUSED,
	SIGNIN_TIME_UP,
	SIGNIN_CLIENT_GONE,
	SIGNIN_FAILED, /* the daemon closed the connection or talks nonsense, or this process lacks memory */
	SIGNIN_PARKED, /* these two come from approval.h */
	SIGNIN_GIVEN_UP,
};

/* What came with the event. Strings live until the next call for the same sign-in, and are as the daemon sent them. */
struct signin_answer {
	struct {
		const char *host, *url, *code;
		const char *complete, *qr; /* NULL when not sent */
		unsigned expires_in_s;
		bool resumed;
	} show;
	struct {
		const char *account, *ticket;
		const char *home; /* NULL when not sent */
		uid_t uid;
		bool created;
	} admitted;
	struct {
		enum reason reason;
		const char *text; /* NULL when not sent */
		bool quiet;
		bool password_instead; /* the local password may still be tried */
	} refused;
	int error; /* of SIGNIN_FAILED: -errno; -ECONNRESET closed, -EPROTO nonsense, -ENOMEM */
};

/* Connects and asks for the sign-in. 0 or -errno; release with signin_close() in both cases. */
int signin_start(const struct attempt *attempt, struct signin *signin);
/* Waits for the next event, until until_ms at most (then SIGNIN_TIME_UP). When the client has gone, no answer is
 * reported any more, only that. */
enum signin_event signin_next(struct signin *signin, int64_t until_ms, struct signin_answer *ret_answer);
/* Tells the daemon that the person wants Okta, after SIGNIN_CHOOSE. */
void signin_continue(struct signin *signin);
/* Tells the daemon that the person has pressed Enter: a sign-in with wait=enter makes no account before. */
void signin_ready(struct signin *signin);
/* Keeps the sign-in for the next attempt of the same connection. False when that was not possible. */
bool signin_park(struct signin *signin);
/* Closes, which cancels unless parked, and wipes. */
void signin_close(struct signin *signin);

#define _cleanup_signin_ _cleanup_(signin_close)

#endif
