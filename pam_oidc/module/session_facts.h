/*
 * What a session is told about its person: OIDC_EMAIL and OIDC_ROOM, in its environment. For information: nothing may
 * be decided by them, since the person can change them.
 */
#ifndef PAM_OIDC_MODULE_SESSION_FACTS_H
#define PAM_OIDC_MODULE_SESSION_FACTS_H

#include <security/pam_modules.h>

#include "pam_oidc/module/gate.h"

/* Leaves out what the account does not have, and what does not go for want of memory. */
void session_facts_set(pam_handle_t *pamh, const struct account *account);

#endif
