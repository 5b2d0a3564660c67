/*
 * The two questions of a sign-in to provisiond: what the name stands for, before anything leaves the machine, and which
 * account the verified person gets. The answers are provisiond's; nothing is decided about accounts here.
 */
#include "pam_oidc/signin_steps.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/remote_from.h"
#include "common/wire.h"
#include "pam_oidc/identity_message.h"

#define LOOKUP_TIMEOUT_MS 2000
#define ADMIT_TIMEOUT_MS 25000 /* an editor may hold the account files for a while */
#define QUESTION_MAX 4096

/* --- what the name stands for --- */

/* A caller that is not root may sign in to its own account only; to it, others are not there. */
static bool account_is_callers(const struct signin *signin, const struct wire_message *answer)
{
	uint32_t uid;

	return signin->caller == 0 || (wire_get_id(answer, "uid", &uid) && uid == signin->caller);
}

/* Before a code is asked for, so that a stranger elsewhere costs none. provisiond asks the same again. */
static bool comes_from_a_permitted_network(struct signin *signin)
{
	const struct tenant *tenant = provider_tenant(signin->provider);
	enum remote_from_verdict verdict = remote_from_judge(tenant, signin->service, signin->rhost);
	char why[REMOTE_FROM_TEXT_MAX];

	if (verdict == REMOTE_FROM_PERMITTED)
		return true;
	signin_note(signin, verdict == REMOTE_FROM_NO_ADDRESS ? LOG_ERR : LOG_NOTICE, "refused",
		    remote_from_explain(verdict, tenant, why));
	signin_end(signin, REASON_REMOTE_FROM);
	return false;
}

void signin_begin_okta(struct signin *signin)
{
	int64_t wait_ms;

	signin_take_next_realm(signin);
	if (!comes_from_a_permitted_network(signin))
		return;
	wait_ms = back_off_left_ms(provider_back_off(signin->provider), wire_now_ms());
	if (wait_ms > 0) {
		signin_end_backing_off(signin, wait_ms);
		return;
	}
	if (!signin->events.may_start(signin->events.context, signin)) {
		signin_note(signin, LOG_WARNING, "refused: too many sign-ins were started", NULL);
		signin_end(signin, REASON_LIMIT);
		return;
	}
	signin_enter_metadata(signin);
}

/* Whether the local password is as good: while people move off it, and until a link is taken. An email is no user to
 * whoever would judge it. */
static bool takes_password(const struct signin *signin, const struct wire_message *answer)
{
	const char *fallback = wire_get(answer, "fallback"), *account = wire_get(answer, "account");

	return fallback && strcmp(fallback, "1") == 0 && account && strcmp(account, signin->name) == 0;
}

/* Who may use the password is not kept from it by strangers who take all places. */
static void end_without_place(struct signin *signin, bool password)
{
	struct signin_end end = {
		.reason = REASON_LIMIT,
		.text = reason_sentence(REASON_LIMIT),
		.password_instead = password,
	};

	signin_note(signin, LOG_WARNING, "refused: too many sign-ins wait", NULL);
	signin_end_with(signin, &end);
}

static void take_entry(struct signin *signin, const struct wire_message *answer)
{
	const char *tenant = wire_get(answer, "tenant");
	bool password = takes_password(signin, answer);
	uint32_t uid;

	if (!account_is_callers(signin, answer)) {
		signin_end(signin, REASON_NOT_OURS);
		return;
	}
	if (signin->must_resolve && !signin->resolved) {
		signin_note(signin, LOG_ERR, "the name does not resolve in sshd",
			    "is `oidc` in the passwd line of /etc/nsswitch.conf?");
		signin_end(signin, REASON_MISCONFIGURED);
		return;
	}
	if (signin->resolved && (!wire_get_id(answer, "uid", &uid) || uid != signin->uid)) {
		signin_note(signin, LOG_ERR, "the name resolves to another user id than provisiond gives it", NULL);
		signin_end(signin, REASON_UID_CHANGED);
		return;
	}
	signin->provider = tenant ? realm_provider(signin->realm, tenant) : NULL;
	if (!signin->provider) {
		signin_note(signin, LOG_ERR, "provisiond knows a tenant that this daemon does not", "reload both");
		signin_end(signin, REASON_INTERNAL);
		return;
	}
	if (!signin->events.may_wait(signin->events.context, signin)) {
		end_without_place(signin, password);
		return;
	}
	if (!password) {
		signin_begin_okta(signin);
		return;
	}
	/* Before anything else can refuse: none of it matters to the password. */
	signin->state = SIGNIN_CHOICE;
	signin_arm(signin);
	signin->events.choose(signin->events.context, signin);
}

static void looked_up(void *context, const struct wire_message *answer)
{
	struct signin *signin = context;
	const char *status = answer ? wire_kind(answer, "status") : NULL;

	signin->question = NULL;
	if (status && strcmp(status, "entry") == 0)
		take_entry(signin, answer);
	else if (status && strcmp(status, "refused") == 0 && signin->caller == 0)
		signin_end_text(signin, reason_from_name(wire_get(answer, "reason")), wire_get(answer, "text"));
	else if (status && (strcmp(status, "not_ours") == 0 || strcmp(status, "refused") == 0))
		/* To anyone but root a refused name is like a foreign one: why it is refused tells who exists. */
		signin_end(signin, REASON_NOT_OURS);
	else
		signin_end(signin, REASON_SERVICE_DOWN);
}

void signin_enter_lookup(struct signin *signin)
{
	char buffer[QUESTION_MAX];
	struct wire_writer writer;

	signin->state = SIGNIN_LOOKUP;
	wire_begin(&writer, buffer, sizeof(buffer), "op", "lookup");
	wire_put(&writer, "name", signin->name);
	wire_put(&writer, "purpose", "login");
	wire_put(&writer, "service", signin->service);
	if (signin->caller != 0)
		wire_put_number(&writer, "caller", signin->caller);
	signin->question = question_ask_again(signin->around->loop, &writer, LOOKUP_TIMEOUT_MS, looked_up, signin);
}

/* --- the account --- */

static void admitted(struct signin *signin, const struct wire_message *answer)
{
	struct signin_end the_end = {
		.text = "",
		.account = wire_get(answer, "account"),
		.ticket = wire_get(answer, "ticket"),
		.home = wire_get(answer, "home"),
	};
	const char *created = wire_get(answer, "created");
	uint32_t uid;

	if (!the_end.account || !the_end.ticket || !wire_get_id(answer, "uid", &uid)) {
		signin_end(signin, REASON_INTERNAL);
		return;
	}
	the_end.uid = uid;
	the_end.created = created && strcmp(created, "1") == 0;
	signin_end_with(signin, &the_end);
}

static void admission_answered(void *context, const struct wire_message *answer)
{
	struct signin *signin = context;
	const char *status = answer ? wire_kind(answer, "status") : NULL;

	signin->question = NULL;
	if (status && strcmp(status, "admitted") == 0)
		admitted(signin, answer);
	else if (status && strcmp(status, "refused") == 0)
		signin_end_text(signin, reason_from_name(wire_get(answer, "reason")), wire_get(answer, "text"));
	else
		signin_end(signin, REASON_SERVICE_DOWN);
}

void signin_enter_admission(struct signin *signin)
{
	_cleanup_free_ char *buffer = malloc(WIRE_MAX);
	struct wire_writer writer;

	tokens_wipe(&signin->tokens);
	if (signin->held || signin->paused) {
		signin->state = SIGNIN_HELD;
		signin_arm(signin);
		return;
	}
	signin->state = SIGNIN_ADMISSION;
	loop_clear_timer(signin->around->loop, &signin->alarm);
	if (!buffer) {
		signin_end(signin, REASON_INTERNAL);
		return;
	}
	if (signin->identity->email_fault)
		signin_note(signin, LOG_WARNING, "the issuer's email for this person", signin->identity->email_fault);
	wire_begin(&writer, buffer, WIRE_MAX, "op", "admit");
	wire_put(&writer, "name", signin->name);
	if (signin->resolved)
		wire_put_number(&writer, "uid", signin->uid);
	wire_put(&writer, "tenant", signin_tenant(signin));
	identity_write(signin->identity, &writer);
	wire_put(&writer, "service", signin->service);
	wire_put(&writer, "rhost", signin->rhost);
	wire_put(&writer, "tty", signin->tty);
	/* Whoever is admitted again gets the same account. */
	signin->question =
		question_ask_again(signin->around->loop, &writer, ADMIT_TIMEOUT_MS, admission_answered, signin);
	if (!signin->question)
		signin_end(signin, REASON_SERVICE_DOWN);
}
