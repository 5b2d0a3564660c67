/*
 * Sends each message to its handler.
 */
#include "provisiond/requests.h"

#include <string.h>

#include "common/log.h"

enum who_may {
	ROOT = 1,
	PAM_OIDC = 2,
	ANYBODY = 4, /* the handler sees to it that they ask for their own account only */
};

static const struct {
	const char *op;
	unsigned who_may;
	request_handler *handler;
} table[] = {
	{ "lookup", ROOT | PAM_OIDC, handle_lookup },
	{ "admit", PAM_OIDC, handle_admit },
	{ "refused", PAM_OIDC, handle_refused },
	{ "redeem", ROOT | ANYBODY, handle_redeem },
	{ "answer", ROOT, handle_answer },
	{ "standing", ROOT | ANYBODY, handle_standing },
	{ "list", ROOT, handle_list },
	{ "show", ROOT, handle_show },
	{ "status", ROOT, handle_status },
	{ "link", ROOT, handle_manage },
	{ "add", ROOT, handle_manage },
	{ "unlink", ROOT, handle_manage },
	{ "reserve", ROOT, handle_manage },
	{ "room", ROOT, handle_manage },
	{ "deactivate", ROOT, handle_manage },
	{ "reactivate", ROOT, handle_manage },
	{ "reassign", ROOT, handle_manage },
	{ "remove", ROOT, handle_manage },
};

static unsigned roles_of(const struct service *service, uid_t uid)
{
	if (uid == 0)
		return ROOT;
	return uid == service->pam_oidc_uid ? PAM_OIDC | ANYBODY : ANYBODY;
}

void requests_handle(void *context, struct question *question, const struct wire_message *message)
{
	struct service *service = context;
	const struct ucred *peer = question_peer(question);
	const char *op = wire_kind(message, "op");

	for (size_t i = 0; op && i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].op, op) != 0)
			continue;
		if (!(table[i].who_may & roles_of(service, peer->uid)))
			break;
		table[i].handler(service, question, message);
		return;
	}
	log_debug("uid %lu (pid %ld) asked for what it may not", (unsigned long)peer->uid, (long)peer->pid);
	question_drop(question);
}
