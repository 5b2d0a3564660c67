/*
 * Who the application says is there: the name as it was typed and what it resolves to on this machine.
 */
#ifndef PAM_OIDC_MODULE_PERSON_H
#define PAM_OIDC_MODULE_PERSON_H

#include <stdbool.h>
#include <sys/types.h>

#include <security/pam_modules.h>

#include "common/names.h"

struct person {
	char name[EMAIL_LOCAL_MAX + 1 + EMAIL_DOMAIN_MAX + 1]; /* as typed; an account name or an email */
	bool is_email;
	bool resolves;
	uid_t uid; /* if it resolves: for a person without an account, the uid that it will have */
};

/* Opens no socket of ours. PAM_SUCCESS; PAM_USER_UNKNOWN for root by name or uid and for what can be no name of ours;
 * PAM_AUTH_ERR when the application gave no name, PAM_INCOMPLETE when it has none yet, PAM_BUF_ERR without memory. */
int person_from_pam(pam_handle_t *pamh, struct person *ret_person);

#endif
