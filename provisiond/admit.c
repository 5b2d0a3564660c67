/*
 * Answers `admit`: decides about a verified person, has their account made, linked or brought up to date, and hands out
 * the ticket.
 *
 * Whatever changes the account files is decided a second time when they are locked, with all that is true then: a new
 * account, once the other name services have answered; an account that is there, when the sign-in changes something of
 * it. Somebody who has an account does not wait for long while another program holds the lock.
 */
#include "provisiond/requests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "provisiond/admit.h"
#include "provisiond/events.h"
#include "provisiond/facts.h"
#include "provisiond/gathered.h"

#define SOURCES_DEADLINE_MS 5000
#define LOCK_PATIENCE_MS 2000 /* of somebody who has an account */

static void free_admit(struct admit *admit)
{
	for (struct admit **link = &admit->service->waiting; *link; link = &(*link)->next_waiting)
		if (*link == admit) {
			*link = admit->next_waiting;
			break;
		}
	admit_forget_order(admit);
	account_record_clear(&admit->record);
	candidate_clear(&admit->candidate);
	free(admit->bytes);
	free(admit);
}

/* It was answered. */
static void release(struct admit *admit)
{
	admit->question = NULL;
	if (!admit->queued)
		free_admit(admit);
}

static void cleanup_admit(struct admit *const *admit)
{
	if (*admit)
		free_admit(*admit);
}

/* ---- reading the question ---- */

/* NULL when it is not as it must be. */
static struct admit *read_admit(struct service *service, const struct wire_message *message)
{
	_cleanup_(cleanup_admit) struct admit *admit = calloc(1, sizeof(*admit));
	struct wire_message copy;

	if (!admit)
		return NULL;
	admit->service = service;
	if ((admit->bytes = malloc(message->length)) == NULL)
		return NULL;
	memcpy(admit->bytes, message->bytes, message->length);
	copy = (struct wire_message){ .bytes = admit->bytes, .length = message->length };
	admit->typed = wire_get(&copy, "name");
	admit->tenant = wire_get(&copy, "tenant");
	admit->program = wire_get(&copy, "service");
	admit->remote_host = wire_get(&copy, "rhost");
	admit->has_promise = wire_has(&copy, "uid");
	if (!admit->typed || admit->typed[0] == '\0' || strlen(admit->typed) > TICKET_TYPED_MAX || !admit->tenant ||
	    (admit->has_promise && !wire_get_id(&copy, "uid", &admit->promised_uid)) ||
	    !candidate_from_message(&copy, &admit->candidate))
		return NULL;
	return take_pointer(admit);
}

/* ---- answers ---- */

static void tell_verdict(const struct admit *admit, enum event event, const char *what, const char *why)
{
	const struct verdict *verdict = &admit->verdict;
	const struct event_facts facts = {
		.tenant = admit->tenant,
		.account = verdict->account[0] != '\0' ? verdict->account : NULL,
		.subject = admit->candidate.subject,
		.email = admit->candidate.email,
		.service = admit->program,
		.address = admit->remote_host,
		.reason = verdict->reason == REASON_NONE ? NULL : reason_name(verdict->reason),
		.uid = verdict->uid,
	};
	const char *from = admit->remote_host && admit->remote_host[0] ? admit->remote_host : "the console";

	event_tell(event, &facts, "%s: %s%s%s (email %s, subject %s, tenant %s, service %s, from %s)", admit->typed,
		   what, why[0] ? ": " : "", why, admit->candidate.email ? admit->candidate.email : "none",
		   admit->candidate.subject, admit->tenant, admit->program ? admit->program : "unknown", from);
}

static void answer_refused(struct admit *admit)
{
	const struct verdict *verdict = &admit->verdict;
	struct wire_writer answer;

	tell_verdict(admit, EVENT_REFUSED, "refused",
		     verdict->remedy[0] ? verdict->remedy : reason_name(verdict->reason));
	question_begin_answer(admit->question, &answer, "refused");
	wire_put(&answer, "reason", reason_name(verdict->reason));
	wire_put(&answer, "text", verdict->sentence[0] ? verdict->sentence : reason_sentence(verdict->reason));
	question_send(admit->question, &answer);
	release(admit);
}

static void refuse(struct admit *admit, enum reason reason)
{
	admit->verdict.kind = VERDICT_REFUSED;
	admit->verdict.reason = reason;
	admit->verdict.sentence[0] = '\0';
	admit->verdict.remedy[0] = '\0';
	answer_refused(admit);
}

static void answer_admitted(struct admit *admit, bool created)
{
	const struct verdict *verdict = &admit->verdict;
	char ticket[TICKET_TEXT_SIZE];
	struct account_user user;
	struct wire_writer answer;

	if (tickets_issue(admit->service->tickets, admit->typed, verdict->account, verdict->uid, wire_now_ms(),
			  ticket) != 0) {
		log_error("%s: no ticket can be given out", admit->typed);
		refuse(admit, REASON_LIMIT);
		return;
	}
	tell_verdict(admit, EVENT_ADMITTED, created ? "account made and admitted" : "admitted", "");
	question_begin_answer(admit->question, &answer, "admitted");
	wire_put(&answer, "account", verdict->account);
	wire_put_number(&answer, "uid", verdict->uid);
	wire_put(&answer, "ticket", ticket);
	wire_put_number(&answer, "created", created);
	if (account_files_user_named(admit->service->files, verdict->account, &user) > 0)
		wire_put(&answer, "home", user.home);
	question_send(admit->question, &answer);
	explicit_bzero(ticket, sizeof(ticket));
	release(admit);
}

/* ---- deciding ---- */

static void decide(struct admit *admit)
{
	_cleanup_gathered_ struct gathered gathered = { 0 };
	const struct admission_facts *facts = &gathered.facts;
	const struct admission_question question = {
		.config = admit->service->config,
		.has_promise = admit->has_promise,
		.promised_uid = admit->promised_uid,
		.tenant = admit->tenant,
		.candidate = &admit->candidate,
		.service = admit->program,
		.remote_host = admit->remote_host,
	};

	account_record_clear(&admit->record);
	admit->has_record = false;
	if (!gather(admit->service, admit->typed, &admit->candidate, &admit->sources, (int64_t)time(NULL), &gathered)) {
		admit->verdict = (struct verdict){ .kind = VERDICT_REFUSED, .reason = REASON_STORAGE };
		return;
	}
	admission_decide(&question, facts, &admit->verdict);
	admit->promise = facts->promise;
	if (facts->bound) {
		admit->has_record = true;
		admit->standing = facts->bound_standing;
		admit->record = gathered.bound;
		gathered.bound = (struct account_record){ 0 };
	}
}

/* ---- what waits for the lock ---- */

static enum lifecycle_decision decide_under_lock(void *context, struct lifecycle_order *ret_order)
{
	struct admit *admit = context;

	if (admit->question && question_abandoned(admit->question)) {
		admit->verdict = (struct verdict){ .kind = VERDICT_REFUSED, .reason = REASON_CANCELLED };
		return LIFECYCLE_NOTHING;
	}
	decide(admit);
	/* Who was told that they are admitted to the account that they have does not get another one for it. */
	if (!admit->question && admit->verdict.kind != VERDICT_ADMITTED)
		return LIFECYCLE_NOTHING;
	return admit_order(admit, (int64_t)time(NULL), ret_order);
}

/* A full disk must not keep people out of accounts that they have. */
static void note_signin(const struct admit *admit)
{
	const struct candidate *candidate = &admit->candidate;
	/* An issuer that does not tell a name does not take one away. */
	const char *full_name = candidate->full_name[0] ? candidate->full_name : admit->record.full_name;

	if (store_note_signin(admit->service->store, admit->verdict.account, candidate->email, full_name,
			      (int64_t)time(NULL)) != 0)
		log_error("%s: the sign-in cannot be put on record: %s", admit->verdict.account,
			  store_fault(admit->service->store));
}

/* Whether the account lets its person in as it is. */
static bool account_is_open(const struct admit *admit)
{
	_cleanup_record_ struct account_record record = { 0 };
	enum standing standing;

	if (facts_record_named(admit->service, admit->verdict.account, &record) != STORE_FOUND)
		return false;
	standing = facts_standing(admit->service, &record, (int64_t)time(NULL));
	return standing == STANDING_ACTIVE || (standing == STANDING_INCOMPLETE && !admit_change_is_needed(admit));
}

/* The account that is there was brought up to date, needed none of it, or could not be. */
static void existing_done(struct admit *admit, enum reason reason, bool done)
{
	if (!done)
		note_signin(admit);
	if (reason != REASON_NONE && !account_is_open(admit))
		refuse(admit, reason);
	else
		answer_admitted(admit, false);
}

static void work_done(void *context, enum reason reason, bool done)
{
	struct admit *admit = context;

	admit->queued = false;
	if (!admit->question) {
		if (reason != REASON_NONE)
			log_warning("%s: what the sign-in changes could not be changed; the next sign-in tries again",
				    admit->typed);
		free_admit(admit);
		return;
	}
	if (admit->verdict.kind == VERDICT_ADMITTED)
		existing_done(admit, reason, done);
	else if (reason != REASON_NONE)
		refuse(admit, reason);
	else if (admit->verdict.kind == VERDICT_REFUSED)
		answer_refused(admit);
	else
		answer_admitted(admit, admit->verdict.kind == VERDICT_CREATE);
}

static void queue(struct admit *admit)
{
	const struct lifecycle_work work = { .decide = decide_under_lock, .done = work_done, .context = admit };

	admit->queued = true;
	lifecycle_queue(admit->service->lifecycle, &work, wire_now_ms());
}

/* ---- an account that is there ---- */

static void admit_existing(struct admit *admit)
{
	struct service *service = admit->service;

	if (!admit_plans_change(admit, (int64_t)time(NULL))) {
		note_signin(admit);
		answer_admitted(admit, false);
		return;
	}
	if (!admit_change_is_needed(admit)) {
		admit->patient_until_ms = wire_now_ms() + LOCK_PATIENCE_MS;
		admit->next_waiting = service->waiting;
		service->waiting = admit;
	}
	queue(admit);
}

int64_t admit_deadline_ms(void *context)
{
	const struct service *service = context;
	int64_t earliest_ms = -1;

	for (const struct admit *admit = service->waiting; admit; admit = admit->next_waiting)
		if (admit->question && (earliest_ms < 0 || admit->patient_until_ms < earliest_ms))
			earliest_ms = admit->patient_until_ms;
	return earliest_ms;
}

/* Admits, or refuses after all. What the sign-in changes stays in the queue. */
static void decide_meanwhile(struct admit *admit)
{
	char what[256];

	admit_describe_change(admit, what, sizeof(what));
	decide(admit);
	if (admit->verdict.kind == VERDICT_REFUSED) {
		answer_refused(admit);
		return;
	}
	if (admit->verdict.kind != VERDICT_ADMITTED) {
		refuse(admit, REASON_STORAGE);
		return;
	}
	log_warning("%s: the account files could not be locked for %d s; admitted, although these are still to be "
		    "brought up to date: %s",
		    admit->verdict.account, LOCK_PATIENCE_MS / 1000, what);
	note_signin(admit);
	answer_admitted(admit, false);
}

void admit_run(void *context, int64_t now_ms)
{
	struct service *service = context;

	for (struct admit *admit = service->waiting, *next; admit; admit = next) {
		next = admit->next_waiting;
		if (admit->question && admit->patient_until_ms <= now_ms)
			decide_meanwhile(admit);
	}
}

/* ---- the story ---- */

static void sources_answered_admit(void *context, const struct source_facts *facts)
{
	struct admit *admit = context;

	admit->sources = *facts;
	lifecycle_expect(admit->service->lifecycle, -1);
	queue(admit);
}

void handle_admit(struct service *service, struct question *question, const struct wire_message *message)
{
	struct admit *admit = read_admit(service, message);

	if (!admit) {
		log_warning("a malformed admit message came from pam_oidcd");
		question_drop(question);
		return;
	}
	admit->question = question;
	decide(admit);
	switch (admit->verdict.kind) {
	case VERDICT_REFUSED:
		answer_refused(admit);
		break;
	case VERDICT_ADMITTED:
		admit_existing(admit);
		break;
	case VERDICT_CREATE:
		lifecycle_expect(service->lifecycle, 1);
		inquire(service->inquiries, admit->verdict.account, true, admit->verdict.uid,
			wire_now_ms() + SOURCES_DEADLINE_MS, sources_answered_admit, admit);
		break;
	case VERDICT_LINK:
		queue(admit);
		break;
	}
}
