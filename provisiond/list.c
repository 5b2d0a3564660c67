/*
 * Answers list, show and status: what is on record, for the administrator.
 */
#include "provisiond/requests.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/version.h"
#include "provisiond/facts.h"

#define SECONDS_PER_DAY 86400

/* ---- rows ---- */

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
	wire_put(answer, "room", record->room);
	wire_put_number(answer, "linked", record->linked);
	wire_put(answer, "refusal", record->refusal);
	wire_put_number(answer, "refused", record->refused_at);
	wire_put_number(answer, "state_at", record->state_at);
}

static void put_expected(struct wire_writer *answer, const struct expected *expected)
{
	wire_put(answer, "kind", expected->kind == EXPECTED_LINK ? "link" : "add");
	wire_put(answer, "name", expected->name);
	wire_put(answer, "tenant", expected->tenant);
	wire_put(answer, "email", expected->email);
	wire_put(answer, "subject", expected->subject);
	wire_put_number(answer, "expires", expected->expires_at);
}

/* ---- list ---- */

struct listing {
	struct store *store;
	bool expected; /* the accounts have been listed */
	char after[ACCOUNT_NAME_MAX + 1];
};

static enum store_answer put_next_account(struct listing *listing, struct wire_writer *writer)
{
	_cleanup_record_ struct account_record record = { 0 };
	enum store_answer answer = store_account_after(listing->store, listing->after, &record);

	if (answer != STORE_FOUND)
		return answer;
	wire_begin(writer, writer->buffer, writer->capacity, "status", "account");
	put_record(writer, &record);
	account_name_copy(record.name, listing->after);
	return STORE_FOUND;
}

static enum store_answer put_next_expected(struct listing *listing, struct wire_writer *writer)
{
	_cleanup_expected_ struct expected expected = { 0 };
	enum store_answer answer = store_expected_after(listing->store, listing->after, &expected);

	if (answer != STORE_FOUND)
		return answer;
	wire_begin(writer, writer->buffer, writer->capacity, "status", "expected");
	put_expected(writer, &expected);
	account_name_copy(expected.name, listing->after);
	return STORE_FOUND;
}

static bool next_listed(void *context, struct wire_writer *writer, bool *ret_last)
{
	struct listing *listing = context;
	enum store_answer answer = STORE_NONE;

	if (!listing->expected)
		answer = put_next_account(listing, writer);
	if (answer == STORE_NONE && !listing->expected) {
		listing->expected = true;
		listing->after[0] = '\0';
	}
	if (answer == STORE_NONE)
		answer = put_next_expected(listing, writer);
	if (answer == STORE_FAILED) {
		log_error("the database cannot be read: %s", store_fault(listing->store));
		return false;
	}
	*ret_last = answer == STORE_NONE;
	if (*ret_last)
		wire_begin(writer, writer->buffer, writer->capacity, "status", "end");
	return true;
}

void handle_list(struct service *service, struct question *question, const struct wire_message *message)
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

/* ---- show ---- */

/* Until when the account files let the account in. */
static void put_expiry(struct wire_writer *answer, const struct service *service, const struct account_record *record)
{
	struct account_shadow shadow;

	if (record->state == ACCOUNT_ACTIVE && account_files_shadow_named(service->files, record->name, &shadow) > 0 &&
	    shadow.has_expiry)
		wire_put_number(answer, "expires", shadow.expires_day * SECONDS_PER_DAY);
}

static void show_account(struct service *service, struct question *question, const struct account_record *record)
{
	struct wire_writer answer;

	question_begin_answer(question, &answer, "account");
	put_record(&answer, record);
	wire_put(&answer, "issuer", record->issuer);
	wire_put(&answer, "subject", record->subject);
	wire_put(&answer, "shell", record->shell);
	wire_put(&answer, "groups_given", record->groups_given);
	wire_put_number(&answer, "first_subid", record->first_subid);
	put_expiry(&answer, service, record);
	question_send(question, &answer);
}

static void show_expected(struct service *service, struct question *question, const char *name)
{
	_cleanup_expected_ struct expected expected = { 0 };
	enum store_answer found = store_expected_named(service->store, name, &expected);
	struct wire_writer answer;

	if (found == STORE_FAILED) {
		log_error("the database cannot be read: %s", store_fault(service->store));
		question_drop(question);
		return;
	}
	question_begin_answer(question, &answer, found == STORE_FOUND ? "expected" : "unknown");
	if (found == STORE_FOUND)
		put_expected(&answer, &expected);
	question_send(question, &answer);
}

void handle_show(struct service *service, struct question *question, const struct wire_message *message)
{
	const char *name = wire_get(message, "name");
	_cleanup_record_ struct account_record record = { 0 };
	enum store_answer found = name ? facts_record_named(service, name, &record) : STORE_FAILED;

	if (found == STORE_FAILED)
		question_drop(question);
	else if (found == STORE_FOUND)
		show_account(service, question, &record);
	else
		show_expected(service, question, name);
}

/* ---- status ---- */

void handle_status(struct service *service, struct question *question, const struct wire_message *message)
{
	struct lifecycle_state state = lifecycle_state(service->lifecycle);
	struct store_counts counts = { 0 };
	struct wire_writer answer;
	int counted = store_count(service->store, &counts);
	int64_t accounts = 0;

	(void)message;
	if (counted != 0)
		log_error("the database cannot be read: %s", store_fault(service->store));
	for (int i = 0; i < ACCOUNT_STATE_COUNT; i++)
		accounts += counts.accounts[i];
	question_begin_answer(question, &answer, "status");
	wire_put(&answer, "version", PAM_OIDC_VERSION);
	wire_put_number(&answer, "accounts", accounts);
	for (int i = 0; i < ACCOUNT_STATE_COUNT; i++)
		wire_put_number(&answer, account_state_name((enum account_state)i), counts.accounts[i]);
	wire_put_number(&answer, "expected", counts.expected);
	wire_put_number(&answer, "waiting", (long long)state.waiting);
	wire_put(&answer, "lock", lifecycle_lock_is_foreign(service->lifecycle) ? "held" : "free");
	wire_put(&answer, "recovery", state.recovery_due ? "due" : "none");
	wire_put(&answer, "database", counted == 0 ? "readable" : "unreadable; the log says why");
	question_send(question, &answer);
}
