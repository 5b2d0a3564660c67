/*
 * Asks a person whose account is new for their room, which completes it.
 */
#ifndef PAM_OIDC_MODULE_ROOM_QUESTION_H
#define PAM_OIDC_MODULE_ROOM_QUESTION_H

#include "pam_oidc/module/attempt.h"
#include "pam_oidc/module/client_connection.h"

/* Asks up to three times, and no longer than the module's timeout; then provisiond is told. PAM_SUCCESS, and
 * account->room is what was chosen; otherwise the module's answer, which was said and logged: the account stays
 * incomplete, and the next sign-in asks again. `client` is looked at after each answer: nothing is completed for
 * somebody who has gone. */
int room_question_ask(const struct attempt *attempt, const struct client_connection *client,
		      const struct room_list *rooms, struct account *account);

#endif
