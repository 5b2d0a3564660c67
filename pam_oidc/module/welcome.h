/*
 * What a person is told once they are in: that an account was made for them, and which room they chose.
 */
#ifndef PAM_OIDC_MODULE_WELCOME_H
#define PAM_OIDC_MODULE_WELCOME_H

#include <stdbool.h>

#include <security/pam_modules.h>

#include "pam_oidc/module/gate.h"
#include "pam_oidc/module/signin.h"

/* During authentication: keeps the text for later, since sshd would repeat what is said then. Its process for the
 * credentials is another one, which only PAM's environment reaches. Without memory it is left out. */
void welcome_prepare(pam_handle_t *pamh, const struct signin_answer *answer, const struct account *account);
/* When the credentials are set: says it, unless silent, and takes it out of the environment. */
void welcome_say(pam_handle_t *pamh, bool silent);

#endif
