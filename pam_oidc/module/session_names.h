/*
 * The session's name where the person typed an email: the account's.
 */
#ifndef PAM_OIDC_MODULE_SESSION_NAMES_H
#define PAM_OIDC_MODULE_SESSION_NAMES_H

#include <security/pam_modules.h>

#include "pam_oidc/module/application.h"
#include "pam_oidc/module/gate.h"
#include "pam_oidc/module/person.h"

/* Does nothing for a short name. In sshd, which goes on under the typed name and refuses another, USER and LOGNAME of
 * the session become the account's; elsewhere PAM_USER does. PAM_SUCCESS or PAM_BUF_ERR. */
int session_names_set(pam_handle_t *pamh, const struct application *application, const struct person *person,
		      const struct account *account);

#endif
