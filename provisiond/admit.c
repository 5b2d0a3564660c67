/*
 * Answers `admit`: decides about a verified person, has the account made where there is none, and hands out the ticket.
 *
 * Admission is decided up to twice: at once, which is all for somebody who has an account; and for a new account once
 * more, when the other name services have answered and the account files are locked, with all that is true then.
 */
#include "provisiond/requests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "provisiond/facts.h"

#define SOURCES_DEADLINE_MS 5000

struct admit {
	struct service *service;
	struct question *question;
	char *bytes; /* the message, into which the rest points */
	const char *typed;
	const char *tenant;
	const char *program; /* may be NULL, like the next */
	const char *remote_host;
	bool has_promise;
	uid_t promised_uid;
	struct candidate candidate;
	struct source_facts sources;
	struct verdict verdict;
	struct promise promise; /* with VERDICT_CREATE: what is made */
};

static void free_admit(struct admit *admit)
{
	candidate_clear(&admit->candidate);
	free(admit->bytes);
	free(admit);
}

static void cleanup_admit(struct admit *const *admit)
{
	if (*admit)
		free_admit(*admit);
}

/* ---- reading the question ---- */

/* NULL when it is not as it must be. */
static struct admit *read_admit(const struct wire_message *message)
{
	_cleanup_(cleanup_admit) struct admit *admit = calloc(1, sizeof(*admit));
	struct wire_message copy;

	if (!admit || (admit->bytes = malloc(message->length)) == NULL)
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

static void log_verdict(const struct admit *admit, int priority, const char *what, const char *why)
{
	const struct verdict *verdict = &admit->verdict;
	const char *from = admit->remote_host && admit->remote_host[0] ? admit->remote_host : "the console";

	log_event(priority,
		  LOG_FIELDS({ "OIDC_TENANT", admit->tenant }, { "OIDC_ACCOUNT", verdict->account },
			     { "OIDC_SUBJECT", admit->candidate.subject }, { "OIDC_EMAIL", admit->candidate.email },
			     { "OIDC_REASON", verdict->reason == REASON_NONE ? NULL : reason_name(verdict->reason) }),
		  "%s: %s%s%s (email %s, subject %s, tenant %s, service %s, from %s)", admit->typed, what,
		  why[0] ? ": " : "", why, admit->candidate.email ? admit->candidate.email : "none",
		  admit->candidate.subject, admit->tenant, admit->program ? admit->program : "unknown", from);
}

static void answer_refused(struct admit *admit)
{
	const struct verdict *verdict = &admit->verdict;
	struct wire_writer answer;

	log_verdict(admit, LOG_WARNING, "refused", verdict->remedy[0] ? verdict->remedy : reason_name(verdict->reason));
	question_begin_answer(admit->question, &answer, "refused");
	wire_put(&answer, "reason", reason_name(verdict->reason));
	wire_put(&answer, "text", verdict->sentence[0] ? verdict->sentence : reason_sentence(verdict->reason));
	question_send(admit->question, &answer);
	free_admit(admit);
}

static void refuse(struct admit *admit, enum reason reason)
{
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
	log_verdict(admit, LOG_NOTICE, created ? "account made and admitted" : "admitted", "");
	question_begin_answer(admit->question, &answer, "admitted");
	wire_put(&answer, "account", verdict->account);
	wire_put_number(&answer, "uid", verdict->uid);
	wire_put(&answer, "ticket", ticket);
	wire_put_number(&answer, "created", created);
	if (account_files_user_named(admit->service->files, verdict->account, &user) > 0)
		wire_put(&answer, "home", user.home);
	question_send(admit->question, &answer);
	explicit_bzero(ticket, sizeof(ticket));
	free_admit(admit);
}

/* ---- deciding ---- */

struct records {
	struct account_record typed, bound, same_email, named;
};

static void clear_records(struct records *records)
{
	account_record_clear(&records->typed);
	account_record_clear(&records->bound);
	account_record_clear(&records->same_email);
	account_record_clear(&records->named);
}

/* Whether it is there; *failed collects failures. */
static const struct account_record *found(enum store_answer answer, const struct account_record *record, bool *failed)
{
	*failed |= answer == STORE_FAILED;
	return answer == STORE_FOUND ? record : NULL;
}

/* Brings together what admission needs to know. False when the database does not answer. */
static bool gather(const struct admit *admit, struct records *records, struct admission_facts *facts)
{
	const struct service *service = admit->service;
	const struct candidate *candidate = &admit->candidate;
	const struct account_record *typed;
	const char *account;
	bool failed = false;

	typed = found(facts_record_of_typed(service, admit->typed, &records->typed), &records->typed, &failed);
	stands_for(service->config, admit->typed, typed, &facts->stands);
	facts->bound =
		found(store_account_by_subject(service->store, candidate->issuer, candidate->subject, &records->bound),
		      &records->bound, &failed);
	if (facts->bound)
		facts->bound_standing = facts_standing(service, facts->bound, (int64_t)time(NULL));
	if (facts->stands.tenant && candidate->email)
		facts->same_email = found(store_account_by_email(service->store, facts->stands.tenant->name,
								 candidate->email, &records->same_email),
					  &records->same_email, &failed);
	account = admission_account(&facts->stands, candidate);
	if (account_name_ok(account)) {
		facts->named = found(facts_record_named(service, account, &records->named), &records->named, &failed);
		if (!facts->bound)
			facts_of_new_account(service, facts->stands.tenant, account, &admit->sources, &facts->promise,
					     &facts->account);
	}
	return !failed;
}

static void decide(struct admit *admit, bool *ret_begun)
{
	_cleanup_(clear_records) struct records records = { 0 };
	struct admission_facts facts = { 0 };
	const struct admission_question question = {
		.config = admit->service->config,
		.has_promise = admit->has_promise,
		.promised_uid = admit->promised_uid,
		.tenant = admit->tenant,
		.candidate = &admit->candidate,
		.service = admit->program,
		.remote_host = admit->remote_host,
	};

	if (!gather(admit, &records, &facts)) {
		admit->verdict = (struct verdict){ .kind = VERDICT_REFUSED, .reason = REASON_STORAGE };
		return;
	}
	admission_decide(&question, &facts, &admit->verdict);
	admit->promise = facts.promise;
	*ret_begun = facts.bound != NULL;
}

/* ---- an account that is there ---- */

static void admit_existing(struct admit *admit)
{
	const struct candidate *candidate = &admit->candidate;

	/* A full disk must not keep people out of accounts that they have. */
	if (store_note_signin(admit->service->store, admit->verdict.account, candidate->email, candidate->full_name,
			      (int64_t)time(NULL)) != 0)
		log_error("%s: the sign-in cannot be put on record: %s", admit->verdict.account,
			  store_fault(admit->service->store));
	answer_admitted(admit, false);
}

/* ---- a new account ---- */

static enum lifecycle_decision decide_under_lock(void *context, struct lifecycle_order *ret_order)
{
	struct admit *admit = context;
	int64_t now_s = (int64_t)time(NULL);
	bool begun = false;

	if (question_abandoned(admit->question)) {
		admit->verdict = (struct verdict){ .kind = VERDICT_REFUSED, .reason = REASON_CANCELLED };
		return LIFECYCLE_NOTHING;
	}
	decide(admit, &begun);
	if (admit->verdict.kind != VERDICT_CREATE)
		return LIFECYCLE_NOTHING;
	if (begun)
		return LIFECYCLE_LATER;
	ret_order->record = (struct account_record){
		.state = ACCOUNT_ACTIVE,
		.name = admit->verdict.account,
		.uid = admit->promise.uid,
		.gid = admit->promise.uid,
		.tenant = admit->tenant,
		.issuer = admit->candidate.issuer,
		.subject = admit->candidate.subject,
		.email = admit->candidate.email,
		.full_name = admit->candidate.full_name,
		.home = admit->promise.home,
		.shell = admit->promise.shell,
		.created_at = now_s,
		.last_signin_at = now_s,
	};
	return LIFECYCLE_CREATE;
}

static void creation_done(void *context, enum reason reason, bool created)
{
	struct admit *admit = context;

	if (reason != REASON_NONE)
		refuse(admit, reason);
	else if (created)
		answer_admitted(admit, true);
	else if (admit->verdict.kind == VERDICT_ADMITTED)
		admit_existing(admit);
	else
		answer_refused(admit);
}

static void sources_answered_admit(void *context, const struct source_facts *facts)
{
	static const struct lifecycle_work work = { .decide = decide_under_lock, .done = creation_done };
	struct admit *admit = context;
	struct lifecycle_work own = work;

	admit->sources = *facts;
	own.context = admit;
	lifecycle_queue(admit->service->lifecycle, &own, wire_now_ms());
}

/* ---- the story ---- */

void handle_admit(struct service *service, struct question *question, const struct wire_message *message)
{
	struct admit *admit = read_admit(message);
	bool begun = false;

	if (!admit) {
		log_warning("a malformed admit message came from pam_oidcd");
		question_drop(question);
		return;
	}
	admit->service = service;
	admit->question = question;
	decide(admit, &begun);
	switch (admit->verdict.kind) {
	case VERDICT_REFUSED:
		answer_refused(admit);
		break;
	case VERDICT_ADMITTED:
		admit_existing(admit);
		break;
	case VERDICT_CREATE:
		inquire(service->inquiries, admit->verdict.account, true, admit->verdict.uid,
			wire_now_ms() + SOURCES_DEADLINE_MS, sources_answered_admit, admit);
		break;
	}
}
