/*
 * While people move off their passwords: Okta, or the local password? Asked of those only whom the admin lets choose
 * (password = fallback, and a link that waits to be taken).
 */
#ifndef PAM_OIDC_MODULE_CHOICE_H
#define PAM_OIDC_MODULE_CHOICE_H

#include "pam_oidc/module/attempt.h"

enum choice {
	CHOICE_OKTA,     /* an empty line */
	CHOICE_PASSWORD, /* it is PAM_AUTHTOK now, where pam_unix(8) finds it; no other copy is left */
	CHOICE_NONE,     /* nobody could be asked */
	CHOICE_NO_MEMORY,
};

enum choice choice_ask(const struct attempt *attempt);

#endif
