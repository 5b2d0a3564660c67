/*
 * The answer to the application for each way a sign-in can end. Pure. PAM_IGNORE is never among them.
 */
#ifndef PAM_OIDC_MODULE_RESULT_H
#define PAM_OIDC_MODULE_RESULT_H

#include "common/reason.h"
#include "pam_oidc/module/application.h"
#include "pam_oidc/module/gate.h"

/* For pam_authenticate(3). In sshd a decision is PAM_MAXTRIES: any other code makes the client try again by itself,
 * which would cost another code and show the sentence once more. */
int result_of_reason(enum reason reason, enum application_kind application);
/* For pam_acct_mgmt(3). */
int result_of_standing(enum standing standing);
/* What to tell the person whose account has this standing; NULL for nothing. */
const char *sentence_of_standing(enum standing standing);

#endif
