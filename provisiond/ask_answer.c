/*
 * Answers `answer`: a person has answered the first-login question. The answer is put on record and into GECOS, and
 * the account opens. Only what the tenant's `rooms` lists is an answer, and only an open question has one.
 */
#include "provisiond/requests.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "provisiond/facts.h"
#include "provisiond/plan.h"

struct answering {
	struct service *service;
	struct question *question;
	char name[ACCOUNT_NAME_MAX + 1];
	uid_t uid;
	char *room;
	struct planned_change change;
	const char *refusal; /* NULL: none so far */
};

static void free_answering(struct answering *answering)
{
	planned_change_clear(&answering->change);
	free(answering->room);
	free(answering);
}

static void finish(struct answering *answering)
{
	struct wire_writer answer;

	question_begin_answer(answering->question, &answer, answering->refusal ? "refused" : "done");
	if (answering->refusal) {
		log_warning("%s: the answer to the first-login question was refused: %s", answering->name,
			    answering->refusal);
		wire_put(&answer, "text", answering->refusal);
	}
	question_send(answering->question, &answer);
	free_answering(answering);
}

/* NULL, and the account's record, when the question is open and this is an answer to it. *ret_is_done: it was given
 * before. */
static const char *judge(const struct answering *answering, struct account_record *ret_record, bool *ret_is_done)
{
	const struct service *service = answering->service;
	enum store_answer found = facts_record_named(service, answering->name, ret_record);
	const struct tenant *tenant;

	if (found == STORE_FAILED)
		return reason_sentence(REASON_STORAGE);
	if (found == STORE_NONE || ret_record->uid != answering->uid)
		return reason_sentence(REASON_UID_CHANGED);
	tenant = tenant_of_record(service->config, ret_record);
	if (!tenant)
		return reason_sentence(REASON_TENANT_GONE);
	if (!string_list_contains(&tenant->rooms, answering->room))
		return "That is none of the rooms of this machine. Sign in again, and pick one from the list.";
	if (ret_record->state == ACCOUNT_ACTIVE && strcmp(ret_record->room, answering->room) == 0)
		*ret_is_done = true;
	else if (ret_record->state == ACCOUNT_ACTIVE)
		return "Your room is on record already. Ask your administrator to change it.";
	else if (facts_standing(service, ret_record, (int64_t)time(NULL)) != STANDING_INCOMPLETE)
		return reason_sentence(REASON_DEACTIVATED);
	return NULL;
}

static bool plan(struct answering *answering, const struct account_record *record)
{
	_cleanup_account_now_ struct account_now now = { 0 };

	planned_change_clear(&answering->change);
	if (account_files_now(answering->service->files, answering->name, &now) <= 0) {
		log_error("%s: the account cannot be read: %s", answering->name,
			  account_files_fault(answering->service->files));
		return false;
	}
	return plan_room(answering->service->config, record, &now, answering->room, (int64_t)time(NULL),
			 &answering->change) == 0;
}

static enum lifecycle_decision decide_answer(void *context, struct lifecycle_order *ret_order)
{
	struct answering *answering = context;
	_cleanup_record_ struct account_record record = { 0 };
	bool is_done = false;

	if (question_abandoned(answering->question)) {
		answering->refusal = reason_sentence(REASON_CANCELLED);
		return LIFECYCLE_NOTHING;
	}
	answering->refusal = judge(answering, &record, &is_done);
	if (!answering->refusal && !is_done && !plan(answering, &record))
		answering->refusal = reason_sentence(REASON_STORAGE);
	if (answering->refusal || is_done)
		return LIFECYCLE_NOTHING;
	ret_order->change = answering->change;
	return LIFECYCLE_CHANGE;
}

static void answer_done(void *context, enum reason reason, bool done)
{
	struct answering *answering = context;

	(void)done;
	if (reason != REASON_NONE)
		answering->refusal = reason_sentence(reason);
	finish(answering);
}

/* NULL when it is not as it must be. */
static struct answering *read_answer(const struct wire_message *message)
{
	const char *name = wire_get(message, "name"), *room = wire_get(message, "room");
	struct answering *answering;
	uint32_t uid;

	if (!name || !account_name_ok(name) || !room || room[0] == '\0' || !wire_get_id(message, "uid", &uid))
		return NULL;
	answering = calloc(1, sizeof(*answering));
	if (!answering)
		return NULL;
	account_name_copy(name, answering->name);
	answering->uid = uid;
	answering->room = strdup(room);
	if (!answering->room) {
		free(answering);
		return NULL;
	}
	return answering;
}

void handle_answer(struct service *service, struct question *question, const struct wire_message *message)
{
	struct answering *answering = read_answer(message);
	_cleanup_record_ struct account_record record = { 0 };
	bool is_done = false;

	if (!answering) {
		question_drop(question);
		return;
	}
	answering->service = service;
	answering->question = question;
	answering->refusal = judge(answering, &record, &is_done);
	if (answering->refusal || is_done)
		finish(answering);
	else
		lifecycle_queue(
			service->lifecycle,
			&(struct lifecycle_work){ .decide = decide_answer, .done = answer_done, .context = answering },
			wire_now_ms());
}
