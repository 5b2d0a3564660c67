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

void conversation_forget(char *typed)
{
	if (typed)
		explicit_bzero(typed, strlen(typed));
	free(typed);
}

static bool ask(pam_handle_t *pamh, int style, const char *text, char **ret_typed)
{
	_cleanup_typed_ char *typed = NULL;

	if (pam_prompt(pamh, style, &typed, "%s", text) != PAM_SUCCESS)
		return false;
	/* To some applications an empty line is nothing at all. */
	if (!typed)
		typed = calloc(1, 1);
	if (!typed)
		return false;
	*ret_typed = take_pointer(typed);
	return true;
}

bool conversation_ask(pam_handle_t *pamh, const char *text, char **ret_typed)
{
	return ask(pamh, PAM_PROMPT_ECHO_ON, text, ret_typed);
}

bool conversation_ask_hidden(pam_handle_t *pamh, const char *text, char **ret_typed)
{
	return ask(pamh, PAM_PROMPT_ECHO_OFF, text, ret_typed);
}

bool conversation_press_enter(pam_handle_t *pamh, const char *text)
{
	_cleanup_typed_ char *typed = NULL;

	return conversation_ask(pamh, text, &typed);
}
