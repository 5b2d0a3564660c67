/*
 * One sign-in from the first question to the ticket: what the name stands for, the device grant, the token's
 * verification, and the admission by provisiond. It asks others at every step and decides nothing about accounts.
 */
#ifndef PAM_OIDC_SIGNIN_H
#define PAM_OIDC_SIGNIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/reason.h"
#include "pam_oidc/device_grant.h"
#include "pam_oidc/limits.h"
#include "pam_oidc/realm.h"
#include "pam_oidc/refusals.h"
#include "pam_oidc/replay.h"

struct signin;

/* What the application asks for. Strings are copied. */
struct signin_request {
	const char *name;  /* as typed */
	bool resolved;     /* the name service promised uid */
	bool hold;         /* admit nobody before signin_release() */
	bool must_resolve; /* the application goes by the name service (sshd): without a promise nothing can come of it
			    */
	uid_t uid;
	uid_t caller; /* 0, or the only uid whose account it may be */
	const char *service, *tty, *rhost;
	int64_t deadline_ms; /* wire_now_ms() */
};

/* The end. Strings live until the call returns. */
struct signin_end {
	enum reason reason;    /* REASON_NONE: admitted */
	const char *text;      /* a sentence for the person; never NULL */
	bool password_instead; /* refused before the choice between Okta and the local password was there to make */
	/* when admitted: */
	const char *account, *ticket, *home;
	uid_t uid;
	bool created;
};

/* Who watches a sign-in. None is called from within signin_start(). */
struct signin_events {
	/* May it hold a place? Called once, when the name turned out to be ours; false ends it with REASON_LIMIT. */
	bool (*may_wait)(void *context, struct signin *signin);
	/* The person may choose between Okta and the local password; signin_continue() goes on with Okta. */
	void (*choose)(void *context, struct signin *signin);
	/* May it ask the issuer for a code? Called once; false ends it with REASON_LIMIT. */
	bool (*may_start)(void *context, struct signin *signin);
	/* There is a code to show; signin_authorization() has it. */
	void (*show)(void *context, struct signin *signin);
	/* It is over. The sign-in is freed by the callee with signin_free(). */
	void (*ended)(void *context, struct signin *signin, const struct signin_end *end);
	void *context;
};

enum signin_state {
	SIGNIN_LOOKUP,    /* asking provisiond what the name stands for */
	SIGNIN_CHOICE,    /* waiting for signin_continue() */
	SIGNIN_METADATA,  /* waiting for the discovery document */
	SIGNIN_CODE,      /* asking the issuer for a code */
	SIGNIN_APPROVAL,  /* polling */
	SIGNIN_KEYS,      /* waiting for the issuer's keys */
	SIGNIN_USERINFO,  /* completing a thin token */
	SIGNIN_HELD,      /* approved; waiting for signin_release() */
	SIGNIN_ADMISSION, /* asking provisiond for the account */
};

/* What a sign-in needs of the daemon; must outlive it. */
struct signin_surroundings {
	struct loop *loop;
	struct replay *replay;
	struct refusals *refusals; /* may be NULL */
};

/* NULL when memory ran out. */
struct signin *signin_start(const struct signin_surroundings *surroundings, struct realm *realm,
			    const struct signin_request *request, const struct signin_events *events);
/* Cancels whatever is under way, wipes and frees. Takes NULL. */
void signin_free(struct signin *signin);

/* The application has gone, and is expected back: no further poll is sent until signin_resume(), and nobody is
 * admitted. What comes of a poll that is under way is kept until then. False, and nothing has changed, when there is no
 * code yet or provisiond has the sign-in already. */
bool signin_pause(struct signin *signin);
/* The person wants Okta. False, and nothing has changed, when there is no choice to make. */
bool signin_continue(struct signin *signin);
/* The person is there: an approved sign-in that was held goes on. */
void signin_release(struct signin *signin);
/* There is a new configuration: the sign-in goes over to it when it polls next, if its tenant is still the same
 * application at the same issuer and the issuer's metadata is there. Else it keeps its own. */
void signin_use_realm(struct signin *signin, struct realm *realm);
/* The application is back. No event comes from within this call. */
void signin_resume(struct signin *signin, const struct signin_events *events, int64_t deadline_ms);

enum signin_state signin_state(const struct signin *signin);
/* Whether the person has seen something of it: the choice between Okta and the password, or a code. */
bool signin_was_seen(const struct signin *signin);
const char *signin_state_name(enum signin_state state);
/* NULL until there is one. */
const struct device_authorization *signin_authorization(const struct signin *signin);
/* wire_now_ms() at which it ends for certain: the code's life or the application's deadline. */
int64_t signin_ends_ms(const struct signin *signin);
int64_t signin_started_ms(const struct signin *signin);
const char *signin_tenant(const struct signin *signin); /* "" until known */
const char *signin_name(const struct signin *signin);
const char *signin_service(const struct signin *signin);
const char *signin_tty(const struct signin *signin);
const char *signin_rhost(const struct signin *signin);

#endif
