/*
 * provisiond's part of a sign-in without its database and files: reads the `admit` message and applies the rules of
 * admission to it. On record are bob and, where the forgery says so, alice; every other name and uid is free.
 */
#include <string.h>
#include <strings.h>

#include "provisiond/admission.h"
#include "tests/forged_tokens/sign_in.h"
#include "tests/unit/forge.h"

static const struct account_record bob = {
	.name = "bob",
	.uid = 2000300001,
	.gid = 2000300001,
	.tenant = "clinic",
	.issuer = ISSUER,
	.subject = BOBS_SUBJECT,
	.email = "bob@clinic.example",
	.full_name = "Bob",
	.home = "/home/bob",
	.shell = "/bin/bash",
	.state = ACCOUNT_ACTIVE,
};

struct records {
	struct account_record list[2];
	size_t count;
};

static void alices_promise(const struct config *config, const char *account, struct promise *ret_promise)
{
	forge_must(promise_for(config, config_tenant_named(config, "clinic"), account, NULL, ret_promise));
}

uid_t machine_promises_uid(const struct config *config)
{
	struct promise promise;

	alices_promise(config, "alice", &promise);
	return promise.uid;
}

static void fill_records(const struct config *config, enum on_record record, struct records *ret_records)
{
	ret_records->list[0] = bob;
	ret_records->count = 1;
	if (record == RECORD_WITH_ALICE) {
		ret_records->list[1] = bob;
		ret_records->list[1].name = "alice";
		ret_records->list[1].uid = machine_promises_uid(config);
		ret_records->list[1].subject = SUBJECT;
		ret_records->list[1].email = "alice@clinic.example";
		ret_records->list[1].home = "/home/alice";
		ret_records->count = 2;
	}
}

/* The three questions that store.c answers, in its ways: an email's ASCII letters count in either case. */
static const struct account_record *by_subject(const struct records *records, const struct candidate *candidate)
{
	for (size_t i = 0; i < records->count; i++)
		if (strcmp(records->list[i].issuer, candidate->issuer) == 0 &&
		    strcmp(records->list[i].subject, candidate->subject) == 0)
			return &records->list[i];
	return NULL;
}

static const struct account_record *by_email(const struct records *records, const char *email)
{
	for (size_t i = 0; email && i < records->count; i++)
		if (strcasecmp(records->list[i].email, email) == 0)
			return &records->list[i];
	return NULL;
}

static const struct account_record *by_name(const struct records *records, const char *name)
{
	for (size_t i = 0; i < records->count; i++)
		if (strcmp(records->list[i].name, name) == 0)
			return &records->list[i];
	return NULL;
}

static void decide(const struct config *config, enum on_record record, const struct wire_message *message,
		   const struct candidate *candidate, struct verdict *ret_verdict)
{
	struct records records = { 0 };
	struct admission_facts facts = { 0 };
	struct admission_question question = {
		.config = config,
		.tenant = wire_get(message, "tenant"),
		.candidate = candidate,
		.service = wire_get(message, "service"),
		.remote_host = wire_get(message, "rhost"),
	};
	const char *typed = wire_get(message, "name");
	const char *account;
	uint32_t promised;

	forge_must(typed && question.tenant && wire_get_id(message, "uid", &promised));
	question.has_promise = true;
	question.promised_uid = promised;
	fill_records(config, record, &records);
	stands_for(config, typed, by_name(&records, typed), NULL, &facts.stands);
	facts.bound = by_subject(&records, candidate);
	facts.bound_standing = STANDING_ACTIVE;
	facts.same_email = by_email(&records, candidate->email);
	account = admission_account(&facts.stands, candidate);
	if (account_name_ok(account)) {
		facts.named = by_name(&records, account);
		alices_promise(config, account, &facts.promise);
	}
	admission_decide(&question, &facts, ret_verdict);
}

void machine_judges(const struct config *config, enum on_record record, const struct wire_message *message,
		    struct wire_writer *ret_answer)
{
	_cleanup_candidate_ struct candidate candidate = { 0 };
	struct verdict verdict;

	/* provisiond would hang up, and the person would read that a service is down. */
	if (!candidate_from_message(message, &candidate)) {
		ret_answer->length = 0;
		return;
	}
	decide(config, record, message, &candidate, &verdict);
	if (verdict.kind == VERDICT_REFUSED) {
		wire_begin(ret_answer, ret_answer->buffer, ret_answer->capacity, "status", "refused");
		wire_put(ret_answer, "reason", reason_name(verdict.reason));
		wire_put(ret_answer, "text", verdict.sentence[0] ? verdict.sentence : reason_sentence(verdict.reason));
		return;
	}
	wire_begin(ret_answer, ret_answer->buffer, ret_answer->capacity, "status", "admitted");
	wire_put(ret_answer, "account", verdict.account);
	wire_put_number(ret_answer, "uid", verdict.uid);
	wire_put(ret_answer, "ticket", "a ticket");
	wire_put_number(ret_answer, "created", verdict.kind == VERDICT_CREATE);
}
