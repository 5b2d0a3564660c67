/*
 * What the module says to the person, all of it through the application's PAM conversation.
 */
#ifndef PAM_OIDC_MODULE_CONVERSATION_H
#define PAM_OIDC_MODULE_CONVERSATION_H

#include <stdbool.h>

#include <security/pam_modules.h>

#include "common/cleanup.h"

/* Shows a text. False when the application could not. */
bool conversation_info(pam_handle_t *pamh, const char *text);
/* The same for what went wrong. */
bool conversation_error(pam_handle_t *pamh, const char *text);
/* Shows a text and waits for Enter; what was typed is wiped. False when there is nobody who could press it: sshd's
 * password method answers no prompt of this kind. */
bool conversation_press_enter(pam_handle_t *pamh, const char *text);

/* Asks for a line, which is seen while it is typed, or is not: passwords. False when nobody could be asked. The answer
 * is never NULL then, and the caller gives it back with conversation_forget(). */
bool conversation_ask(pam_handle_t *pamh, const char *text, char **ret_typed);
bool conversation_ask_hidden(pam_handle_t *pamh, const char *text, char **ret_typed);
/* Wipes and frees what was typed: some people type their password at any prompt. Takes NULL. */
void conversation_forget(char *typed);

static inline void cleanup_typed(char *const *typed)
{
	conversation_forget(*typed);
}

#define _cleanup_typed_ _cleanup_(cleanup_typed)

#endif
