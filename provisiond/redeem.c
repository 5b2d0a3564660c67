/*
 * Answers `redeem`: whether a ticket is good, once. A person whose account is made but for the answer to the
 * first-login question is confirmed along with the question; the account opens with the answer (see ask_answer.c).
 */
#include "provisiond/requests.h"

#include <time.h>

#include "common/listen.h"
#include "common/log.h"
#include "provisiond/facts.h"

/* Anybody can show what is no ticket, as often as they like. */
static void log_refused_ticket(const struct ticket_claim *claim)
{
	static struct complaints complaints;
	unsigned left_out;

	if (!complaints_allow(&complaints, wire_now_ms(), &left_out))
		return;
	if (left_out > 0)
		log_warning("%u more refused tickets were not logged", left_out);
	log_warning("%s: a ticket was refused to uid %lu", claim->typed, (unsigned long)claim->caller);
}

/* Whether the ticket is good, and its account still the one that it was given out for. */
static bool is_confirmed(struct service *service, const struct ticket_claim *claim, struct account_record *ret_record)
{
	char account[ACCOUNT_NAME_MAX + 1];
	uid_t uid;

	return tickets_redeem(service->tickets, claim, wire_now_ms(), account, &uid) &&
	       facts_record_named(service, account, ret_record) == STORE_FOUND && ret_record->uid == uid &&
	       (ret_record->state == ACCOUNT_ACTIVE || ret_record->state == ACCOUNT_INCOMPLETE);
}

/* Whether the ticket may be one that the daemon before this one gave out: its person was admitted shortly before the
 * start. */
static bool may_be_of_the_daemon_before(const struct service *service, const struct ticket_claim *claim)
{
	_cleanup_record_ struct account_record record = { 0 };
	int64_t up_ms = wire_now_ms() - service->started_ms, started_at;
	struct timespec now;

	/* To the second, like what is on record: whoever came within that of the start may have come after it. */
	(void)clock_gettime(CLOCK_REALTIME, &now);
	started_at = (now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000 - up_ms) / 1000;
	return service->started_ms > 0 && up_ms < TICKET_LIFE_MS &&
	       facts_record_named(service, claim->typed, &record) == STORE_FOUND &&
	       record.last_signin_at < started_at && record.last_signin_at >= started_at - TICKET_LIFE_MS / 1000;
}

/* That person starts again. Strangers are told nothing. */
static void put_restarted(const struct service *service, const struct ticket_claim *claim, struct wire_writer *answer)
{
	if (claim->caller == 0 && may_be_of_the_daemon_before(service, claim))
		wire_put(answer, "reason", reason_name(REASON_RESTARTED));
}

static void put_rooms(const struct service *service, const struct account_record *record, struct wire_writer *answer)
{
	const struct tenant *tenant = tenant_of_record(service->config, record);

	if (record->state != ACCOUNT_INCOMPLETE || !tenant || tenant->rooms.count == 0)
		return;
	wire_put(answer, "ask", "room");
	for (size_t i = 0; i < tenant->rooms.count; i++)
		wire_put(answer, "room", tenant->rooms.items[i]);
}

void handle_redeem(struct service *service, struct question *question, const struct wire_message *message)
{
	struct ticket_claim claim = {
		.text = wire_get(message, "ticket"),
		.typed = wire_get(message, "name"),
		.has_uid = wire_has(message, "uid"),
		.caller = question_peer(question)->uid,
	};
	_cleanup_record_ struct account_record record = { 0 };
	struct wire_writer answer;

	if (!claim.text || !claim.typed || (claim.has_uid && !wire_get_id(message, "uid", &claim.uid))) {
		question_drop(question);
		return;
	}
	if (!is_confirmed(service, &claim, &record)) {
		log_refused_ticket(&claim);
		question_begin_answer(question, &answer, "no");
		put_restarted(service, &claim, &answer);
	} else {
		question_begin_answer(question, &answer, "confirmed");
		wire_put(&answer, "account", record.name);
		wire_put_number(&answer, "uid", record.uid);
		put_rooms(service, &record, &answer);
	}
	question_send(question, &answer);
}
