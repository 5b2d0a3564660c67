/*
 * Shows the person the code, then waits until they have approved it: one way for each wait= argument.
 */
#ifndef PAM_OIDC_MODULE_APPROVAL_H
#define PAM_OIDC_MODULE_APPROVAL_H

#include "pam_oidc/module/attempt.h"
#include "pam_oidc/module/signin.h"

/* Goes on from SIGNIN_SHOW, whose answer is *answer, to the sign-in's end, whose answer it leaves there. Any event but
 * SIGNIN_SHOW: SIGNIN_PARKED when the next attempt is to wait, SIGNIN_GIVEN_UP when the conversation failed. */
enum signin_event approval_await(const struct attempt *attempt, struct signin *signin, struct signin_answer *answer);

#endif
