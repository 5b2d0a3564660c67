/*
 * What the module says to the person, all of it through the application's PAM conversation.
 */
#ifndef PAM_OIDC_MODULE_CONVERSATION_H
#define PAM_OIDC_MODULE_CONVERSATION_H

#include <stdbool.h>

#include <security/pam_modules.h>

/* Shows a text. False when the application could not. */
bool conversation_info(pam_handle_t *pamh, const char *text);
/* The same for what went wrong. */
bool conversation_error(pam_handle_t *pamh, const char *text);
/* Shows a text and waits for Enter; what was typed is wiped. False when there is nobody who could press it: sshd's
 * password method answers no prompt of this kind. */
bool conversation_press_enter(pam_handle_t *pamh, const char *text);

#endif
