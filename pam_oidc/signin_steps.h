/*
 * The inside of a sign-in, shared by the files that drive it (signin*.c) and by nobody else. Each step has one function
 * that enters it; whatever goes wrong leads to signin_end(), which is called exactly once.
 *
 *     signin_account.c   what does the name stand for?            SIGNIN_LOOKUP, _CHOICE
 *     signin_grant.c     metadata, a code, polling                SIGNIN_METADATA, _CODE, _APPROVAL
 *     signin_token.c     verification and completion              SIGNIN_KEYS, _USERINFO
 *     signin_account.c   which account does this person get?      SIGNIN_HELD, _ADMISSION
 *     signin.c           its life, its alarm, its end
 */
#ifndef PAM_OIDC_SIGNIN_STEPS_H
#define PAM_OIDC_SIGNIN_STEPS_H

#include "pam_oidc/signin.h"

#include "pam_oidc/document.h"
#include "pam_oidc/endpoint_response.h"
#include "pam_oidc/http.h"
#include "pam_oidc/identity.h"
#include "pam_oidc/loop.h"
#include "pam_oidc/provider.h"
#include "pam_oidc/question.h"

struct signin {
	const struct signin_surroundings *around;
	struct realm *realm;
	struct provider *provider; /* the realm's; NULL until the tenant is known */
	struct realm *next_realm;  /* a newer one, to go over to; or NULL */
	struct signin_events events;
	char *name, *service, *tty, *rhost;
	bool resolved, must_resolve, held, paused;
	bool ended_unheard; /* while it was paused, with kept_end */
	enum reason kept_end;
	uid_t uid, caller;
	enum signin_state state;
	int64_t started_ms, deadline_ms, code_expires_ms;
	unsigned tries; /* of the request that is under way */

	struct loop_timer alarm; /* the next poll or retry, or the end */
	struct http_transfer *transfer;
	struct question *question;
	struct document_waiter waiter;

	struct device_authorization *authorization;
	struct device_poll poll;
	struct tokens tokens;
	struct identity *identity;
	bool keys_are_new; /* fetched since the token came */
};

/* Entering a step may end the sign-in: it is not to be touched afterwards. */
void signin_enter_lookup(struct signin *signin);
/* The first step that needs the issuer. */
void signin_begin_okta(struct signin *signin);
void signin_enter_metadata(struct signin *signin);
/* Goes over to a newer configuration, if there is one that permits it. Only with nothing under way. */
void signin_take_next_realm(struct signin *signin);
/* Asks the token endpoint once. */
void signin_poll(struct signin *signin);
/* With signin->tokens: verifies the ID token as far as the keys at hand permit. */
void signin_verify(struct signin *signin);
void signin_enter_userinfo(struct signin *signin);
/* With signin->identity, when the person is there. */
void signin_enter_admission(struct signin *signin);

/* Refuses for the issuer's limit, and says when to try again. */
void signin_end_backing_off(struct signin *signin, int64_t wait_ms);

/* Sets the alarm to the next poll, or to the end. */
void signin_arm(struct signin *signin);
/* Sets the alarm to this time, or to the end if that comes first. */
void signin_ring_at(struct signin *signin, int64_t due_ms);

/* The end: stops whatever is under way and tells the watcher, who frees the sign-in. */
void signin_end(struct signin *signin, enum reason reason);
/* The same with a sentence for the person; the reason's own when there is none. */
void signin_end_text(struct signin *signin, enum reason reason, const char *text);
void signin_end_with(struct signin *signin, const struct signin_end *end);

/* A line in the log about this sign-in, for the administrator. detail may be NULL. */
void signin_note(const struct signin *signin, int priority, const char *what, const char *detail);

#endif
