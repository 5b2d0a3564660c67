/*
 * Talks through the PAM conversation. See conversation.h.
 */
#include "pam_oidc/module/conversation.h"

#include <stdlib.h>
#include <string.h>

#include <security/pam_ext.h>

bool conversation_info(pam_handle_t *pamh, const char *text)
{
	return pam_prompt(pamh, PAM_TEXT_INFO, NULL, "%s", text) == PAM_SUCCESS;
}

bool conversation_error(pam_handle_t *pamh, const char *text)
{
	return pam_prompt(pamh, PAM_ERROR_MSG, NULL, "%s", text) == PAM_SUCCESS;
}

bool conversation_press_enter(pam_handle_t *pamh, const char *text)
{
	char *typed = NULL;
	int result = pam_prompt(pamh, PAM_PROMPT_ECHO_ON, &typed, "%s", text);

	/* Some people type their password at any prompt. */
	if (typed)
		explicit_bzero(typed, strlen(typed));
	free(typed);
	return result == PAM_SUCCESS;
}
