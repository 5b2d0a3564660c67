/*
 * The conversation about the room. See room_question.h.
 */
#include "pam_oidc/module/room_question.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "pam_oidc/module/conversation.h"
#include "pam_oidc/module/printable.h"
#include "pam_oidc/module/text.h"

#define TRIES 3
#define TEXT_MAX (ROOM_LIST_TEXT_MAX + 256)

/* The question as text, which the caller frees; NULL without memory. */
static char *question_text(const struct attempt *attempt, const struct room_list *rooms)
{
	_cleanup_free_ char *bytes = malloc(TEXT_MAX), *list = malloc(ROOM_LIST_TEXT_MAX);
	struct text text = { .bytes = bytes, .size = TEXT_MAX };

	if (!bytes || !list || !room_list_text(rooms, list, ROOM_LIST_TEXT_MAX))
		return NULL;
	/* The ssh client puts "(alice@host) " before the first line. */
	text_append(&text, "%sOne question before your first session: which room is yours?\n%s",
		    attempt->application.kind == APPLICATION_SSHD ? "\n" : "", list);
	text_append(&text, "Type its number or its name: ");
	return text.failed ? NULL : take_pointer(bytes);
}

enum outcome { CHOSEN, WRONG, NOBODY_THERE, CLIENT_GONE, TIME_UP };

static enum outcome ask_once(const struct attempt *attempt, const struct client_connection *client,
			     const struct room_list *rooms, const char *text, int64_t deadline_ms,
			     const char **ret_room)
{
	_cleanup_typed_ char *typed = NULL;

	if (!conversation_ask(attempt->pamh, text, &typed))
		return NOBODY_THERE;
	if (client_connection_gone(client))
		return CLIENT_GONE;
	if (wire_now_ms() >= deadline_ms)
		return TIME_UP;
	*ret_room = room_list_choose(rooms, typed);
	return *ret_room ? CHOSEN : WRONG;
}

static enum outcome choose(const struct attempt *attempt, const struct client_connection *client,
			   const struct room_list *rooms, const char *text, const char **ret_room)
{
	int64_t deadline_ms = wire_now_ms() + (int64_t)attempt->arguments.timeout_s * 1000;
	enum outcome outcome = WRONG;
	char again[128];

	(void)snprintf(again, sizeof(again), "Not in the list. Type a number from 1 to %zu, or a name: ", rooms->count);
	for (int i = 0; i < TRIES && outcome == WRONG; i++)
		outcome = ask_once(attempt, client, rooms, i == 0 ? text : again, deadline_ms, ret_room);
	return outcome;
}

static int refuse_unanswered(const struct attempt *attempt, const char *why)
{
	pam_syslog(attempt->pamh, LOG_NOTICE, "%s not signed in: %s", attempt->person.name, why);
	return PAM_AUTH_ERR;
}

/* Tells provisiond, which alone can complete the account. */
static int complete(const struct attempt *attempt, const char *room, struct account *account)
{
	struct gate_refusal refusal = { .reason = REASON_STORAGE };
	int error = gate_answer_room(account, room, &refusal);

	if (error == -EACCES)
		return attempt_refuse(attempt, refusal.reason, refusal.text, false);
	if (error < 0) {
		errno = -error;
		pam_syslog(attempt->pamh, LOG_ERR, "provisiond did not take the room of %s (%s): %m",
			   attempt->person.name, PROVISIOND_SOCKET);
		return attempt_refuse(attempt, REASON_SERVICE_DOWN, NULL, false);
	}
	(void)printable_copy_utf8(room, account->room, sizeof(account->room));
	return PAM_SUCCESS;
}

int room_question_ask(const struct attempt *attempt, const struct client_connection *client,
		      const struct room_list *rooms, struct account *account)
{
	_cleanup_free_ char *text = question_text(attempt, rooms);
	const char *room = NULL;

	if (!text)
		return PAM_BUF_ERR;
	switch (choose(attempt, client, rooms, text, &room)) {
	case CHOSEN:
		return complete(attempt, room, account);
	case WRONG:
		return attempt_refuse(attempt, REASON_NOT_ANSWERED,
				      "No room was chosen, so you are not signed in. Start again to choose one.",
				      false);
	case TIME_UP:
		return attempt_refuse(attempt, REASON_NOT_ANSWERED,
				      "The question was not answered in time, so you are not signed in. Start again.",
				      false);
	case CLIENT_GONE:
		return refuse_unanswered(attempt, "the client has gone");
	case NOBODY_THERE:
		break;
	}
	return refuse_unanswered(attempt, "the question for the room was not answered");
}
