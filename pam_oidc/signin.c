/*
 * Drives one sign-in through its states. See signin.h. Every state has one function that enters it and one that takes
 * its answer; whatever goes wrong leads to end(), which is called exactly once.
 */
#include "pam_oidc/signin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/wire.h"
#include "pam_oidc/endpoint_response.h"
#include "pam_oidc/id_token.h"
#include "pam_oidc/identity.h"
#include "pam_oidc/question.h"

#define LOOKUP_TIMEOUT_MS 2000
#define ADMIT_TIMEOUT_MS 25000 /* an editor may hold the account files for a while */
#define RETRY_PAUSE_MS 1000
#define CODE_TRIES 2
#define CODE_AGAIN_WITHIN_MS 5000 /* a person is looking at an empty screen */
#define QUESTION_MAX 4096

struct signin {
	const struct signin_surroundings *around;
	struct realm *realm;
	struct provider *provider; /* the realm's; NULL until the tenant is known */
	struct signin_events events;
	char *name, *service, *tty, *rhost;
	bool resolved, must_resolve, held, paused;
	uid_t uid, caller;
	enum signin_state state;
	int64_t started_ms, deadline_ms, code_expires_ms;
	unsigned tries; /* of the request that is under way */

	struct loop_timer alarm; /* the next poll or retry, or the end */
	struct http_transfer *transfer;
	struct question *question;
	struct document_waiter waiter;

	struct device_authorization *authorization;
	struct device_poll poll;
	struct tokens tokens;
	struct identity *identity;
	bool keys_are_new; /* fetched since the token came */
};

static void enter_metadata(struct signin *signin);
static void enter_code(struct signin *signin);
static void enter_approval(struct signin *signin);
static void verify(struct signin *signin);
static void enter_userinfo(struct signin *signin);
static void enter_admission(struct signin *signin);
static void arm(struct signin *signin);

static const char *const state_names[] = {
	[SIGNIN_LOOKUP] = "lookup",     [SIGNIN_METADATA] = "metadata",   [SIGNIN_CODE] = "code",
	[SIGNIN_APPROVAL] = "approval", [SIGNIN_KEYS] = "keys",           [SIGNIN_USERINFO] = "userinfo",
	[SIGNIN_HELD] = "approved",     [SIGNIN_ADMISSION] = "admission",
};

static void stop_everything(struct signin *signin)
{
	loop_clear_timer(signin->around->loop, &signin->alarm);
	http_cancel(signin->transfer);
	signin->transfer = NULL;
	question_cancel(signin->question);
	signin->question = NULL;
	document_unwait(&signin->waiter);
}

void signin_free(struct signin *signin)
{
	if (!signin)
		return;
	stop_everything(signin);
	device_authorization_free(signin->authorization);
	tokens_wipe(&signin->tokens);
	identity_free(signin->identity);
	realm_unref(signin->realm);
	free(signin->name);
	free(signin->service);
	free(signin->tty);
	free(signin->rhost);
	free(signin);
}

static void end_with(struct signin *signin, const struct signin_end *end)
{
	stop_everything(signin);
	signin->events.ended(signin->events.context, signin, end);
}

static void end_text(struct signin *signin, enum reason reason, const char *text)
{
	struct signin_end end = { .reason = reason, .text = text && text[0] ? text : reason_sentence(reason) };

	end_with(signin, &end);
}

static void end(struct signin *signin, enum reason reason)
{
	end_text(signin, reason, NULL);
}

/* A note for the administrator about this sign-in. */
static void note(const struct signin *signin, int priority, const char *what, const char *detail)
{
	log_event(priority,
		  LOG_FIELDS({ "OIDC_TENANT", signin_tenant(signin) }, { "OIDC_USER", signin->name },
			     { "OIDC_SERVICE", signin->service }, { "OIDC_RHOST", signin->rhost }),
		  "%s (%s%s%s), tenant %s: %s%s%s", signin->name, signin->service, signin->rhost[0] ? " from " : "",
		  signin->rhost, signin_tenant(signin), what, detail ? ": " : "", detail ? detail : "");
}

static int64_t jitter_ms(void)
{
	unsigned char byte = 0;

	/* Spreading needs no good randomness: without any it is 0. */
	if (getrandom(&byte, sizeof(byte), GRND_NONBLOCK) != 1)
		return 0;
	return byte % (DEVICE_POLL_JITTER_MAX_MS + 1);
}

/* --- what the name stands for --- */

/* A caller that is not root may sign in to its own account only; to it, others are not there. */
static bool account_is_callers(const struct signin *signin, const struct wire_message *answer)
{
	uint32_t uid;

	return signin->caller == 0 || (wire_get_id(answer, "uid", &uid) && uid == signin->caller);
}

static void take_entry(struct signin *signin, const struct wire_message *answer)
{
	const char *tenant = wire_get(answer, "tenant");
	uint32_t uid;

	if (!account_is_callers(signin, answer)) {
		end(signin, REASON_NOT_OURS);
		return;
	}
	if (signin->must_resolve && !signin->resolved) {
		note(signin, LOG_ERR, "the name does not resolve in sshd",
		     "is `oidc` in the passwd line of /etc/nsswitch.conf?");
		end(signin, REASON_MISCONFIGURED);
		return;
	}
	if (signin->resolved && (!wire_get_id(answer, "uid", &uid) || uid != signin->uid)) {
		note(signin, LOG_ERR, "the name resolves to another user id than provisiond gives it", NULL);
		end(signin, REASON_UID_CHANGED);
		return;
	}
	signin->provider = tenant ? realm_provider(signin->realm, tenant) : NULL;
	if (!signin->provider) {
		note(signin, LOG_ERR, "provisiond knows a tenant that this daemon does not", "reload both");
		end(signin, REASON_INTERNAL);
		return;
	}
	if (!signin->events.may_start(signin->events.context, signin)) {
		note(signin, LOG_WARNING, "refused: too many sign-ins wait or were started", NULL);
		end(signin, REASON_LIMIT);
		return;
	}
	enter_metadata(signin);
}

static void looked_up(void *context, const struct wire_message *answer)
{
	struct signin *signin = context;
	const char *status = answer ? wire_kind(answer, "status") : NULL;

	signin->question = NULL;
	if (status && strcmp(status, "entry") == 0)
		take_entry(signin, answer);
	else if (status && strcmp(status, "refused") == 0 && signin->caller == 0)
		end_text(signin, reason_from_name(wire_get(answer, "reason")), wire_get(answer, "text"));
	else if (status && (strcmp(status, "not_ours") == 0 || strcmp(status, "refused") == 0))
		/* To anyone but root a refused name is like a foreign one: why it is refused tells who exists. */
		end(signin, REASON_NOT_OURS);
	else
		end(signin, REASON_SERVICE_DOWN);
}

static void enter_lookup(struct signin *signin)
{
	char buffer[QUESTION_MAX];
	struct wire_writer writer;

	signin->state = SIGNIN_LOOKUP;
	wire_begin(&writer, buffer, sizeof(buffer), "op", "lookup");
	wire_put(&writer, "name", signin->name);
	wire_put(&writer, "purpose", "login");
	wire_put(&writer, "service", signin->service);
	signin->question = question_ask(signin->around->loop, &writer, LOOKUP_TIMEOUT_MS, looked_up, signin);
}

/* --- the device grant --- */

static void metadata_told(void *context, enum document_outcome outcome)
{
	struct signin *signin = context;

	switch (outcome) {
	case DOCUMENT_READY:
		enter_metadata(signin);
		return;
	case DOCUMENT_UNREACHABLE:
		end(signin, REASON_ISSUER_UNREACHABLE);
		return;
	case DOCUMENT_WRONG:
		end(signin, REASON_MISCONFIGURED);
		return;
	}
}

static void enter_metadata(struct signin *signin)
{
	signin->state = SIGNIN_METADATA;
	if (provider_metadata(signin->provider)) {
		enter_code(signin);
		return;
	}
	signin->waiter = (struct document_waiter){ .told = metadata_told, .context = signin };
	provider_wait_metadata(signin->provider, &signin->waiter);
}

/* Says in the log what the issuer said; the person reads our own words. */
static void note_refusal(const struct signin *signin, const char *what, const struct endpoint_answer *answer,
			 enum reason reason)
{
	char detail[512];
	bool admins_matter = reason == REASON_MISCONFIGURED || reason == REASON_TOO_MANY_CODES;

	(void)snprintf(detail, sizeof(detail), "HTTP %ld %s: %s", answer->status,
		       answer->error ? answer->error : "no error code",
		       answer->description ? answer->description : "no description");
	note(signin, admins_matter ? LOG_ERR : LOG_NOTICE, what, detail);
}

static void take_code(struct signin *signin, const struct http_response *response)
{
	char fault[256];

	if (!device_authorization_parse(response->body, response->length, &signin->authorization, fault,
					sizeof(fault))) {
		note(signin, LOG_ERR, "no code", fault);
		end(signin, REASON_MISCONFIGURED);
		return;
	}
	signin->code_expires_ms = wire_now_ms() + signin->authorization->expires_in_s * 1000;
	device_poll_start(&signin->poll, signin->authorization->interval_s, wire_now_ms(), jitter_ms());
	enter_approval(signin);
	signin->events.show(signin->events.context, signin);
}

static void code_answered(void *context, const struct http_response *response)
{
	struct signin *signin = context;
	struct endpoint_response read;
	enum reason reason = REASON_MISCONFIGURED;
	enum endpoint_verdict verdict;

	signin->transfer = NULL;
	endpoint_response_read(response, time(NULL), &read);
	verdict = endpoint_judge(&read.answer, &reason);
	if (verdict == ENDPOINT_END)
		note_refusal(signin, "the issuer gives no code", &read.answer, reason);
	else if (verdict != ENDPOINT_SUCCESS)
		note(signin, LOG_WARNING, "no code", response->answered ? "the issuer is busy" : response->error);
	endpoint_response_clear(&read);
	if (verdict == ENDPOINT_SUCCESS)
		take_code(signin, response);
	else if (verdict == ENDPOINT_END)
		end(signin, reason);
	else if (verdict == ENDPOINT_RETRY && signin->tries < CODE_TRIES &&
		 wire_now_ms() - signin->started_ms < CODE_AGAIN_WITHIN_MS)
		enter_code(signin);
	else
		end(signin, response->status == 429 ? REASON_TOO_MANY_CODES : REASON_ISSUER_UNREACHABLE);
}

static void enter_code(struct signin *signin)
{
	const struct discovery *metadata = provider_metadata(signin->provider);
	_cleanup_form_ struct form form = { 0 };

	signin->state = SIGNIN_CODE;
	signin->tries++;
	form_add(&form, "scope", provider_tenant(signin->provider)->scopes);
	if (metadata)
		signin->transfer = provider_post(signin->provider, metadata->device_authorization_endpoint, &form,
						 code_answered, signin);
	if (!signin->transfer)
		end(signin, REASON_INTERNAL);
}

static void take_tokens(struct signin *signin, const struct http_response *response)
{
	char fault[256];

	if (!tokens_parse(response->body, response->length, &signin->tokens, fault, sizeof(fault))) {
		note(signin, LOG_ERR, "no token", fault);
		end(signin, REASON_TOKEN_INVALID);
		return;
	}
	verify(signin);
}

static void poll_answered(void *context, const struct http_response *response)
{
	struct signin *signin = context;
	struct endpoint_response read;
	enum reason reason = REASON_MISCONFIGURED;
	enum endpoint_verdict verdict;

	signin->transfer = NULL;
	endpoint_response_read(response, time(NULL), &read);
	verdict = endpoint_judge(&read.answer, &reason);
	if (verdict == ENDPOINT_END)
		note_refusal(signin, "the issuer ended the sign-in", &read.answer, reason);
	else if (verdict == ENDPOINT_RETRY && signin->poll.failures == 0)
		note(signin, LOG_WARNING, "the issuer does not answer, trying on",
		     response->answered ? "server error" : response->error);
	device_poll_next(&signin->poll, verdict, read.answer.wait_ms, wire_now_ms(), jitter_ms());
	endpoint_response_clear(&read);
	if (verdict == ENDPOINT_SUCCESS)
		take_tokens(signin, response);
	else if (verdict == ENDPOINT_END)
		end(signin, reason);
	else
		arm(signin);
}

static void poll_now(struct signin *signin)
{
	const struct discovery *metadata = provider_metadata(signin->provider);
	_cleanup_form_ struct form form = { 0 };

	form_add(&form, "grant_type", DEVICE_GRANT_TYPE);
	form_add(&form, "device_code", signin->authorization->device_code.bytes);
	if (metadata)
		signin->transfer =
			provider_post(signin->provider, metadata->token_endpoint, &form, poll_answered, signin);
	if (signin->transfer) {
		arm(signin);
		return;
	}
	/* The metadata lapsed and could not be refreshed, or memory is short: both may be better in a moment. */
	device_poll_next(&signin->poll, ENDPOINT_RETRY, 0, wire_now_ms(), 0);
	arm(signin);
}

static void alarm_rang(void *context)
{
	struct signin *signin = context;
	int64_t now = wire_now_ms();

	if (now >= signin_ends_ms(signin)) {
		end(signin, REASON_EXPIRED);
		return;
	}
	if (signin->state == SIGNIN_APPROVAL && !signin->transfer && now >= signin->poll.next_ms)
		poll_now(signin);
	else if (signin->state == SIGNIN_KEYS && !signin->waiter.link)
		verify(signin);
	else if (signin->state == SIGNIN_USERINFO && !signin->transfer)
		enter_userinfo(signin);
	else
		arm(signin);
}

static void ring_at(struct signin *signin, int64_t due_ms)
{
	int64_t ends = signin_ends_ms(signin);

	/* Not ended here, because callers go on with the sign-in; without an alarm the application's own deadline ends
	 * it. */
	if (!loop_set_timer(signin->around->loop, &signin->alarm, due_ms < ends ? due_ms : ends, alarm_rang, signin))
		note(signin, LOG_ERR, "out of memory", NULL);
}

/* Sets the alarm to the next poll, or to the end. */
static void arm(struct signin *signin)
{
	bool polls = signin->state == SIGNIN_APPROVAL && !signin->paused && !signin->transfer;

	ring_at(signin, polls ? signin->poll.next_ms : signin_ends_ms(signin));
}

static void enter_approval(struct signin *signin)
{
	signin->state = SIGNIN_APPROVAL;
	arm(signin);
}

/* --- the token --- */

static void take_verified(struct signin *signin, const struct verified_token *token)
{
	const struct tenant *tenant = provider_tenant(signin->provider);
	struct identity_needs needs = {
		.email_verified = tenant->email_verified == EMAIL_VERIFIED_REQUIRE,
		.groups = tenant->allowed_groups.count > 0,
		.username_claim = tenant->username_claim,
	};
	char fault[256];

	if (!replay_remember(signin->around->replay, verified_token_issuer(token), verified_token_jti(token),
			     verified_token_acceptable_until(token), time(NULL))) {
		note(signin, LOG_ERR, "refused: this ID token has made a sign-in before", NULL);
		end(signin, REASON_TOKEN_INVALID);
		return;
	}
	secret_wipe(&signin->tokens.id_token);
	if (!identity_from_token(token, tenant->username_claim, &signin->identity, fault, sizeof(fault))) {
		note(signin, LOG_ERR, "refused: the ID token's claims cannot be used", fault);
		end(signin, REASON_TOKEN_INVALID);
		return;
	}
	signin->tries = 0;
	if (identity_is_thin(signin->identity, &needs) && signin->tokens.access_token.bytes)
		enter_userinfo(signin);
	else
		enter_admission(signin);
}

static void keys_told(void *context, enum document_outcome outcome)
{
	struct signin *signin = context;

	if (outcome != DOCUMENT_READY) {
		ring_at(signin, wire_now_ms() + RETRY_PAUSE_MS);
		return;
	}
	signin->keys_are_new = true;
	verify(signin);
}

/* Waits for keys: for the first ones, or for those that replaced the ones we have. False when that would not help. */
static bool wait_for_keys(struct signin *signin, bool again)
{
	signin->state = SIGNIN_KEYS;
	arm(signin);
	signin->waiter = (struct document_waiter){ .told = keys_told, .context = signin };
	return provider_wait_keys(signin->provider, again, &signin->waiter);
}

static enum id_token_result verify_token(struct signin *signin, struct verified_token **ret_token, char *fault,
					 size_t fault_size)
{
	const struct tenant *tenant = provider_tenant(signin->provider);
	struct id_token_expectations expected = {
		.issuer = tenant->issuer,
		.client_id = tenant->client_id,
		.algs = (const char *const *)tenant->id_token_signing_algs.items,
		.alg_count = tenant->id_token_signing_algs.count,
		.access_token = signin->tokens.access_token.bytes,
		.now = time(NULL),
		.max_clock_skew_s = ID_TOKEN_CLOCK_SKEW_S,
		.max_auth_age_s = tenant->max_auth_age_s,
		.required_amr = (const char *const *)tenant->required_amr.items,
		.required_amr_count = tenant->required_amr.count,
	};

	return id_token_verify(signin->tokens.id_token.bytes, signin->tokens.id_token.length,
			       provider_keys(signin->provider), &expected, ret_token, fault, fault_size);
}

static void verify(struct signin *signin)
{
	_cleanup_verified_token_ struct verified_token *token = NULL;
	char fault[ID_TOKEN_FAULT_MAX] = "";

	if (!provider_keys(signin->provider)) {
		/* Without metadata there is no place to fetch them from yet; the alarm tries again. */
		if (!wait_for_keys(signin, false))
			ring_at(signin, wire_now_ms() + RETRY_PAUSE_MS);
		return;
	}
	switch (verify_token(signin, &token, fault, sizeof(fault))) {
	case ID_TOKEN_OK:
		take_verified(signin, token);
		return;
	case ID_TOKEN_UNKNOWN_KID:
		if (!signin->keys_are_new && wait_for_keys(signin, true))
			return;
		note(signin, LOG_ERR, "refused: the ID token is signed with a key that the issuer does not publish",
		     fault);
		end(signin, REASON_TOKEN_INVALID);
		return;
	case ID_TOKEN_INVALID:
		note(signin, LOG_ERR, "refused: the ID token is not valid", fault);
		end(signin, REASON_TOKEN_INVALID);
		return;
	case ID_TOKEN_AMR_MISSING:
		note(signin, LOG_NOTICE, "refused", fault);
		end(signin, REASON_AMR_MISSING);
		return;
	case ID_TOKEN_AUTH_TOO_OLD:
		note(signin, LOG_NOTICE, "refused", fault);
		end(signin, REASON_AUTH_TOO_OLD);
		return;
	}
}

static void take_userinfo(struct signin *signin, const struct http_response *response)
{
	const struct tenant *tenant = provider_tenant(signin->provider);
	char fault[256];

	if (!identity_complete(signin->identity, response->body, response->length, tenant->username_claim, fault,
			       sizeof(fault))) {
		note(signin, LOG_ERR, "refused: userinfo cannot be used", fault);
		end(signin, REASON_TOKEN_INVALID);
		return;
	}
	enter_admission(signin);
}

static void userinfo_answered(void *context, const struct http_response *response)
{
	struct signin *signin = context;
	bool again = !response->answered || response->status >= 500 || response->status == 429;

	signin->transfer = NULL;
	if (response->answered && response->status == 200) {
		take_userinfo(signin, response);
		return;
	}
	if (again) {
		ring_at(signin, wire_now_ms() + RETRY_PAUSE_MS * signin->tries);
		return;
	}
	note(signin, LOG_ERR, "the issuer refuses to complete the token from userinfo", NULL);
	end(signin, REASON_MISCONFIGURED);
}

static void enter_userinfo(struct signin *signin)
{
	const struct discovery *metadata = provider_metadata(signin->provider);

	signin->state = SIGNIN_USERINFO;
	signin->tries++;
	if (metadata && !metadata->userinfo_endpoint) {
		enter_admission(signin);
		return;
	}
	arm(signin);
	if (metadata)
		signin->transfer = provider_get(signin->provider, metadata->userinfo_endpoint,
						signin->tokens.access_token.bytes, userinfo_answered, signin);
	if (!signin->transfer)
		ring_at(signin, wire_now_ms() + RETRY_PAUSE_MS);
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
		end(signin, REASON_INTERNAL);
		return;
	}
	the_end.uid = uid;
	the_end.created = created && strcmp(created, "1") == 0;
	end_with(signin, &the_end);
}

static void admission_answered(void *context, const struct wire_message *answer)
{
	struct signin *signin = context;
	const char *status = answer ? wire_kind(answer, "status") : NULL;

	signin->question = NULL;
	if (status && strcmp(status, "admitted") == 0)
		admitted(signin, answer);
	else if (status && strcmp(status, "refused") == 0)
		end_text(signin, reason_from_name(wire_get(answer, "reason")), wire_get(answer, "text"));
	else
		end(signin, REASON_SERVICE_DOWN);
}

static void put_identity(struct wire_writer *writer, const struct identity *identity)
{
	wire_put(writer, "issuer", identity->issuer);
	wire_put(writer, "client_id", identity->client_id);
	wire_put(writer, "subject", identity->subject);
	wire_put(writer, "email", identity->email);
	if (identity->email_verified != EMAIL_VERIFICATION_ABSENT)
		wire_put(writer, "email_verified",
			 identity->email_verified == EMAIL_VERIFICATION_TRUE ? "true" : "false");
	wire_put(writer, "full_name", identity->full_name);
	wire_put(writer, "username", identity->username);
	if (identity->auth_time > 0)
		wire_put_number(writer, "auth_time", identity->auth_time);
	for (size_t i = 0; i < identity->groups.count; i++)
		wire_put(writer, "group", identity->groups.items[i]);
	for (size_t i = 0; i < identity->amr.count; i++)
		wire_put(writer, "amr", identity->amr.items[i]);
}

static void enter_admission(struct signin *signin)
{
	_cleanup_free_ char *buffer = malloc(WIRE_MAX);
	struct wire_writer writer;

	tokens_wipe(&signin->tokens);
	if (signin->held) {
		signin->state = SIGNIN_HELD;
		arm(signin);
		return;
	}
	signin->state = SIGNIN_ADMISSION;
	loop_clear_timer(signin->around->loop, &signin->alarm);
	if (!buffer) {
		end(signin, REASON_INTERNAL);
		return;
	}
	if (signin->identity->email_fault)
		note(signin, LOG_WARNING, "the issuer's email for this person", signin->identity->email_fault);
	wire_begin(&writer, buffer, WIRE_MAX, "op", "admit");
	wire_put(&writer, "name", signin->name);
	if (signin->resolved)
		wire_put_number(&writer, "uid", signin->uid);
	wire_put(&writer, "tenant", signin_tenant(signin));
	put_identity(&writer, signin->identity);
	wire_put(&writer, "service", signin->service);
	wire_put(&writer, "rhost", signin->rhost);
	wire_put(&writer, "tty", signin->tty);
	signin->question = question_ask(signin->around->loop, &writer, ADMIT_TIMEOUT_MS, admission_answered, signin);
	if (!signin->question)
		end(signin, REASON_SERVICE_DOWN);
}

/* --- the outside --- */

static void begin(void *context)
{
	struct signin *signin = context;

	enter_lookup(signin);
	if (!signin->question)
		end(signin, REASON_SERVICE_DOWN);
	else
		arm(signin);
}

struct signin *signin_start(const struct signin_surroundings *surroundings, struct realm *realm,
			    const struct signin_request *request, const struct signin_events *events)
{
	struct signin *signin = calloc(1, sizeof(*signin));

	if (!signin)
		return NULL;
	*signin = (struct signin){
		.around = surroundings,
		.realm = realm_ref(realm),
		.events = *events,
		.name = strdup(request->name),
		.service = strdup(request->service),
		.tty = strdup(request->tty),
		.rhost = strdup(request->rhost),
		.resolved = request->resolved,
		.must_resolve = request->must_resolve,
		.held = request->hold,
		.uid = request->uid,
		.caller = request->caller,
		.started_ms = wire_now_ms(),
		.deadline_ms = request->deadline_ms,
		.code_expires_ms = INT64_MAX,
	};
	/* From the loop, so that the caller has the pointer before the first event. */
	if (!signin->name || !signin->service || !signin->tty || !signin->rhost ||
	    !loop_set_timer(surroundings->loop, &signin->alarm, 0, begin, signin)) {
		signin_free(signin);
		return NULL;
	}
	return signin;
}

bool signin_pause(struct signin *signin)
{
	if (signin->state != SIGNIN_APPROVAL)
		return false;
	signin->paused = true;
	http_cancel(signin->transfer);
	signin->transfer = NULL;
	arm(signin);
	return true;
}

void signin_release(struct signin *signin)
{
	signin->held = false;
	if (signin->state == SIGNIN_HELD)
		enter_admission(signin);
}

void signin_resume(struct signin *signin, const struct signin_events *events, int64_t deadline_ms)
{
	signin->events = *events;
	signin->paused = false;
	signin->deadline_ms = deadline_ms;
	arm(signin);
}

enum signin_state signin_state(const struct signin *signin)
{
	return signin->state;
}

const char *signin_state_name(enum signin_state state)
{
	return state_names[state];
}

const struct device_authorization *signin_authorization(const struct signin *signin)
{
	return signin->authorization;
}

int64_t signin_ends_ms(const struct signin *signin)
{
	return signin->deadline_ms < signin->code_expires_ms ? signin->deadline_ms : signin->code_expires_ms;
}

int64_t signin_started_ms(const struct signin *signin)
{
	return signin->started_ms;
}

const char *signin_tenant(const struct signin *signin)
{
	return signin->provider ? provider_tenant(signin->provider)->name : "";
}

const char *signin_name(const struct signin *signin)
{
	return signin->name;
}

const char *signin_service(const struct signin *signin)
{
	return signin->service;
}

const char *signin_tty(const struct signin *signin)
{
	return signin->tty;
}

const char *signin_rhost(const struct signin *signin)
{
	return signin->rhost;
}
