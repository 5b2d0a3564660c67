/*
 * Sends each message to its handler. The handlers with a story of their own live in files of their own; list and
 * show are here.
 */
#include "provisiond/requests.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "provisiond/facts.h"

enum who_may {
	ROOT = 1,
	PAM_OIDC = 2,
	ANYBODY = 4, /* the handler sees to it that they ask for their own account only */
};

static void put_record(struct wire_writer *answer, const struct account_record *record)
{
	wire_put(answer, "name", record->name);
	wire_put_number(answer, "uid", record->uid);
	wire_put(answer, "tenant", record->tenant);
	wire_put(answer, "email", record->email);
	wire_put(answer, "full_name", record->full_name);
	wire_put(answer, "state", account_state_name(record->state));
	wire_put_number(answer, "created", record->created_at);
	wire_put_number(answer, "last_signin", record->last_signin_at);
	wire_put(answer, "home", record->home);
}

struct listing {
	struct store *store;
	char after[ACCOUNT_NAME_MAX + 1];
};

static bool next_listed(void *context, struct wire_writer *writer, bool *ret_last)
{
	struct listing *listing = context;
	_cleanup_record_ struct account_record record = { 0 };
	enum store_answer answer = store_account_after(listing->store, listing->after, &record);

	if (answer == STORE_FAILED) {
		log_error("the database cannot be read: %s", store_fault(listing->store));
		return false;
	}
	*ret_last = answer == STORE_NONE;
	wire_begin(writer, writer->buffer, writer->capacity, "status", *ret_last ? "end" : "account");
	if (answer == STORE_FOUND) {
		put_record(writer, &record);
		account_name_copy(record.name, listing->after);
	}
	return true;
}

static void handle_list(struct service *service, struct question *question, const struct wire_message *message)
{
	struct listing *listing = calloc(1, sizeof(*listing));

	(void)message;
	if (!listing) {
		question_drop(question);
		return;
	}
	listing->store = service->store;
	question_stream(question, &(struct question_stream){ .next = next_listed, .done = free, .context = listing });
}

static void handle_show(struct service *service, struct question *question, const struct wire_message *message)
{
	const char *name = wire_get(message, "name");
	_cleanup_record_ struct account_record record = { 0 };
	enum store_answer found = name ? facts_record_named(service, name, &record) : STORE_FAILED;
	struct wire_writer answer;

	if (found == STORE_FAILED) {
		question_drop(question);
		return;
	}
	question_begin_answer(question, &answer, found == STORE_FOUND ? "account" : "unknown");
	if (found == STORE_FOUND) {
		put_record(&answer, &record);
		wire_put(&answer, "issuer", record.issuer);
		wire_put(&answer, "subject", record.subject);
		wire_put(&answer, "shell", record.shell);
	}
	question_send(question, &answer);
}

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
