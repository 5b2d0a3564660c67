/*
 * One sign-in of a person who is ours, from the first question to the confirmed ticket.
 */
#ifndef PAM_OIDC_MODULE_AUTHENTICATE_H
#define PAM_OIDC_MODULE_AUTHENTICATE_H

#include "pam_oidc/module/attempt.h"

/* Returns the module's answer. PAM_SUCCESS means that provisiond itself confirmed the ticket for this name and uid, and
 * that no question is open. */
int authenticate_person(struct attempt *attempt);

#endif
