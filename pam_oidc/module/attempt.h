/*
 * What one call of the module knows: who, from which application, with which arguments.
 */
#ifndef PAM_OIDC_MODULE_ATTEMPT_H
#define PAM_OIDC_MODULE_ATTEMPT_H

#include <stdbool.h>

#include <security/pam_modules.h>

#include "pam_oidc/module/application.h"
#include "pam_oidc/module/arguments.h"
#include "pam_oidc/module/person.h"
#include "pam_oidc/module/sshd_process.h"

struct attempt {
	pam_handle_t *pamh;
	bool silent; /* PAM_SILENT: no texts that only inform; what the person needs for signing in is shown all the
			same */
	struct application application;
	struct person person;
	struct arguments arguments;
	char connection_key[SSHD_CONNECTION_KEY_MAX]; /* empty outside sshd */
};

#endif
