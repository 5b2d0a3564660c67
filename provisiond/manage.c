/*
 * Answers the administrator's orders: reads them, has them judged, and has lifecycle.c carry out what is left.
 */
#include "provisiond/manage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "provisiond/facts.h"
#include "provisiond/person_text.h"
#include "provisiond/requests.h"

#define SOURCES_DEADLINE_MS 5000
#define WORD_MAX 320 /* of what is typed, in bytes: an email is the longest */

struct manage_order {
	const char *op;
	manage_judge *judge;
	bool needs_email, needs_uid, needs_room;
	bool asks_sources; /* about the name and a uid that it would get */
	enum event event;
};

static const struct manage_order orders[] = {
	{ .op = "link", .judge = manage_link, .needs_email = true, .event = EVENT_EXPECTED },
	{ .op = "add", .judge = manage_add, .needs_email = true, .asks_sources = true, .event = EVENT_EXPECTED },
	{ .op = "unlink", .judge = manage_unlink, .event = EVENT_UNLINKED },
	{ .op = "reserve", .judge = manage_reserve, .needs_uid = true, .asks_sources = true, .event = EVENT_RESERVED },
	{ .op = "room", .judge = manage_room, .needs_room = true, .event = EVENT_UPDATED },
	{ .op = "deactivate", .judge = manage_deactivate, .event = EVENT_DEACTIVATED },
	{ .op = "reactivate", .judge = manage_reactivate, .event = EVENT_REACTIVATED },
	{ .op = "reassign", .judge = manage_reassign, .asks_sources = true, .event = EVENT_REASSIGNED },
	{ .op = "remove", .judge = manage_remove, .event = EVENT_REMOVED },
};

static void free_manage(struct manage *manage)
{
	manage_clear_judgement(manage);
	free(manage->bytes);
	free(manage);
}

static void cleanup_manage(struct manage *const *manage)
{
	if (*manage)
		free_manage(*manage);
}

/* ---- reading the order ---- */

/* The login uid that the kernel keeps for whoever became root on the way; UINT32_MAX when it is not known. */
static uint32_t login_uid(pid_t pid)
{
	char path[64], text[16] = "";
	_cleanup_fd_ int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%ld/loginuid", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || text[0] < '0' || text[0] > '9')
		return UINT32_MAX;
	return (uint32_t)strtoul(text, NULL, 10);
}

/* Who asks, for the log. */
static void name_asker(struct manage *manage)
{
	const struct ucred *peer = question_peer(manage->question);
	uint32_t uid = login_uid(peer->pid);
	struct account_user user;

	if (uid == UINT32_MAX || uid == 0)
		(void)snprintf(manage->asker, sizeof(manage->asker), "root (pid %ld)", (long)peer->pid);
	else if (account_files_user_with_uid(manage->service->files, uid, &user) > 0)
		(void)snprintf(manage->asker, sizeof(manage->asker), "root (pid %ld), who logged in as %.40s (uid %lu)",
			       (long)peer->pid, user.name, (unsigned long)uid);
	else
		(void)snprintf(manage->asker, sizeof(manage->asker), "root (pid %ld), who logged in with uid %lu",
			       (long)peer->pid, (unsigned long)uid);
}

/* A flag is "1" or not there. False for anything else. */
static bool read_flag(const struct wire_message *message, const char *key, bool *ret_flag)
{
	const char *value = wire_get(message, key);

	*ret_flag = value != NULL;
	return !wire_has(message, key) || (value && strcmp(value, "1") == 0);
}

/* "keep" when it is not there. */
static bool read_home(const struct wire_message *message, bool *ret_delete)
{
	const char *value = wire_get(message, "home");

	*ret_delete = value && strcmp(value, "delete") == 0;
	return !wire_has(message, "home") || *ret_delete || (value && strcmp(value, "keep") == 0);
}

static bool read_fields(const struct wire_message *message, struct manage *manage)
{
	const struct manage_order *order = manage->order;

	manage->name = wire_get(message, "name");
	manage->email = wire_get(message, "email");
	manage->subject = wire_get(message, "subject");
	manage->room = wire_get(message, "room");
	manage->has_uid = wire_get_id(message, "uid", &manage->uid);
	return manage->name && manage->name[0] && (!order->needs_email || manage->email) &&
	       (!order->needs_uid || manage->has_uid) && (!order->needs_room || manage->room) &&
	       wire_has(message, "subject") == (manage->subject != NULL) && read_flag(message, "dry", &manage->dry) &&
	       read_flag(message, "confirmed", &manage->confirmed) &&
	       read_flag(message, "keep_sessions", &manage->keep_sessions) && read_home(message, &manage->delete_home);
}

static const struct manage_order *order_named(const char *op)
{
	for (size_t i = 0; op && i < sizeof(orders) / sizeof(orders[0]); i++)
		if (strcmp(orders[i].op, op) == 0)
			return &orders[i];
	return NULL;
}

/* NULL when it is not as it must be. */
static struct manage *read_manage(const struct wire_message *message)
{
	_cleanup_(cleanup_manage) struct manage *manage = calloc(1, sizeof(*manage));
	struct wire_message copy;

	if (!manage || (manage->bytes = malloc(message->length)) == NULL)
		return NULL;
	memcpy(manage->bytes, message->bytes, message->length);
	copy = (struct wire_message){ .bytes = manage->bytes, .length = message->length };
	manage->order = order_named(wire_kind(&copy, "op"));
	if (!manage->order || !read_fields(&copy, manage))
		return NULL;
	if (manage->subject && !manage->subject[0])
		manage->subject = NULL;
	return take_pointer(manage);
}

/* ---- answers ---- */

static void answer(struct manage *manage)
{
	struct wire_writer writer;

	switch (manage->verdict) {
	case MANAGE_REFUSED:
	case MANAGE_LATER:
		question_begin_answer(manage->question, &writer, "refused");
		wire_put(&writer, "reason", manage->reason);
		wire_put(&writer, "text", manage->text);
		break;
	case MANAGE_ASK:
		question_begin_answer(manage->question, &writer, "ask");
		wire_put(&writer, "text", manage->text);
		break;
	case MANAGE_NOTHING:
	case MANAGE_RECORD:
	case MANAGE_CHANGE:
		question_begin_answer(manage->question, &writer, "done");
		wire_put(&writer, "account", manage->name);
		for (unsigned i = 0; i < manage->did_count; i++)
			wire_put(&writer, "did", manage->did[i]);
		break;
	}
	question_send(manage->question, &writer);
	free_manage(manage);
}

static void answer_failed(struct manage *manage, enum reason reason)
{
	if (reason == REASON_SERVICE_DOWN)
		(void)manage_refuse(manage, REFUSED_UNAVAILABLE,
				    "provisiond is stopping, and it was not done. Try again when it is running.");
	else
		(void)manage_refuse(
			manage, REFUSED_STORAGE,
			"It could not be done, or not all of it: the disk, the database or the account files "
			"stood in the way, or another program holds their lock. What was begun is finished "
			"or taken back by itself; the log says more: journalctl -t provisiond");
	answer(manage);
}

/* ---- judging and doing ---- */

/* Answers repeat what was asked for. */
static bool words_are_text(const struct manage *manage)
{
	const char *const words[] = { manage->name, manage->email, manage->subject, manage->room };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i] && !person_text_ok(words[i], WORD_MAX))
			return false;
	return true;
}

static void judge(struct manage *manage, int64_t now_s)
{
	manage_clear_judgement(manage);
	if (words_are_text(manage))
		manage->order->judge(manage, now_s);
	else
		(void)manage_refuse(manage, REFUSED_UNFIT,
				    "What was typed holds control characters, is longer than %d bytes or is no UTF-8 "
				    "text. Type it anew.",
				    WORD_MAX);
}

static void put_on_record(struct manage *manage, int64_t now_s)
{
	int r = manage->put_on_record(manage, now_s);

	if (r == 0)
		return;
	log_error("%s: %s cannot be put on record: %s", manage->name, manage->order->op,
		  store_fault(manage->service->store));
	(void)manage_refuse(manage, REFUSED_STORAGE,
			    "It could not be put on record, and nothing was changed. The log says why: journalctl -t "
			    "provisiond");
}

static enum lifecycle_decision decide(void *context, struct lifecycle_order *ret_order)
{
	struct manage *manage = context;
	int64_t now_s = (int64_t)time(NULL);

	if (question_abandoned(manage->question)) {
		(void)manage_refuse(manage, REFUSED_CONFLICT, "Nobody waits for the answer any more.");
		return LIFECYCLE_NOTHING;
	}
	judge(manage, now_s);
	if (manage->verdict == MANAGE_LATER)
		return LIFECYCLE_LATER;
	if (manage->verdict == MANAGE_RECORD)
		put_on_record(manage, now_s);
	if (manage->verdict != MANAGE_CHANGE)
		return LIFECYCLE_NOTHING;
	ret_order->change = manage->change;
	return LIFECYCLE_CHANGE;
}

static void done(void *context, enum reason reason, bool changed)
{
	struct manage *manage = context;

	(void)changed;
	if (reason != REASON_NONE) {
		answer_failed(manage, reason);
		return;
	}
	if (manage->verdict == MANAGE_CHANGE || manage->verdict == MANAGE_RECORD)
		event_tell(manage->order->event, &manage->told, "%s by %s: %s", manage->order->op, manage->asker,
			   manage->did[0]);
	answer(manage);
}

static void queue(struct manage *manage)
{
	const struct lifecycle_work work = { .decide = decide, .done = done, .context = manage, .tells = true };

	lifecycle_queue(manage->service->lifecycle, &work, wire_now_ms());
}

static bool goes_on(const struct manage *manage)
{
	return manage->verdict == MANAGE_RECORD || manage->verdict == MANAGE_CHANGE ||
	       (manage->verdict == MANAGE_LATER && !manage->dry);
}

/* What stands against it, or is only asked about, is answered at once. */
static void queue_or_answer(struct manage *manage)
{
	if (goes_on(manage) && !manage->dry)
		queue(manage);
	else
		answer(manage);
}

static void sources_answered_manage(void *context, const struct source_facts *facts)
{
	struct manage *manage = context;

	manage->sources = *facts;
	judge(manage, (int64_t)time(NULL));
	queue_or_answer(manage);
}

void handle_manage(struct service *service, struct question *question, const struct wire_message *message)
{
	struct manage *manage = read_manage(message);

	if (!manage) {
		log_warning("a malformed order came from pid %ld", (long)question_peer(question)->pid);
		question_drop(question);
		return;
	}
	manage->service = service;
	manage->question = question;
	name_asker(manage);
	judge(manage, (int64_t)time(NULL));
	if (goes_on(manage) && manage->order->asks_sources)
		inquire(service->inquiries, manage->name, true, manage->uid_in_question,
			wire_now_ms() + SOURCES_DEADLINE_MS, sources_answered_manage, manage);
	else
		queue_or_answer(manage);
}
