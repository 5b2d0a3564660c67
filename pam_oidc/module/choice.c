/*
 * Asks for the choice. See choice.h. The question hides what is typed: it may be a password.
 */
#include "pam_oidc/module/choice.h"

#include "pam_oidc/module/conversation.h"

enum choice choice_ask(const struct attempt *attempt)
{
	_cleanup_typed_ char *typed = NULL;

	if (!conversation_ask_hidden(attempt->pamh,
				     "Press Enter to sign in with Okta, or type your password: ", &typed))
		return CHOICE_NONE;
	if (typed[0] == '\0')
		return CHOICE_OKTA;
	/* PAM keeps a copy of its own, and wipes it when authentication is over. */
	return pam_set_item(attempt->pamh, PAM_AUTHTOK, typed) == PAM_SUCCESS ? CHOICE_PASSWORD : CHOICE_NO_MEMORY;
}
