/*
 * A sign-in's life from outside: its beginning, its alarm, its end, and what can be asked about it. Its steps stand in
 * signin_account.c, signin_grant.c and signin_token.c.
 */
#include "pam_oidc/signin.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/wire.h"
#include "pam_oidc/signin_steps.h"

static const char *const state_names[] = {
	[SIGNIN_LOOKUP] = "lookup",     [SIGNIN_CHOICE] = "choice",     [SIGNIN_METADATA] = "metadata",
	[SIGNIN_CODE] = "code",         [SIGNIN_APPROVAL] = "approval", [SIGNIN_KEYS] = "keys",
	[SIGNIN_USERINFO] = "userinfo", [SIGNIN_HELD] = "approved",     [SIGNIN_ADMISSION] = "admission",
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
	realm_unref(signin->next_realm);
	free(signin->name);
	free(signin->service);
	free(signin->tty);
	free(signin->rhost);
	free(signin);
}

void signin_end_with(struct signin *signin, const struct signin_end *end)
{
	stop_everything(signin);
	signin->events.ended(signin->events.context, signin, end);
}

void signin_end_text(struct signin *signin, enum reason reason, const char *text)
{
	struct signin_end end = { .reason = reason, .text = text && text[0] ? text : reason_sentence(reason) };

	/* Somebody is coming back to hear it; after one that has expired they get a new code instead. */
	if (signin->paused && reason != REASON_EXPIRED) {
		stop_everything(signin);
		signin->ended_unheard = true;
		signin->kept_end = reason;
		return;
	}
	signin_end_with(signin, &end);
}

void signin_end(struct signin *signin, enum reason reason)
{
	signin_end_text(signin, reason, NULL);
}

void signin_note(const struct signin *signin, int priority, const char *what, const char *detail)
{
	log_event(priority,
		  LOG_FIELDS({ "OIDC_TENANT", signin_tenant(signin) }, { "OIDC_USER", signin->name },
			     { "OIDC_SERVICE", signin->service }, { "OIDC_RHOST", signin->rhost }),
		  "%s (%s%s%s), tenant %s: %s%s%s", signin->name, signin->service, signin->rhost[0] ? " from " : "",
		  signin->rhost, signin_tenant(signin), what, detail ? ": " : "", detail ? detail : "");
}

static bool polls(const struct signin *signin)
{
	return signin->state == SIGNIN_APPROVAL && !signin->paused && !signin->transfer;
}

/* The person has approved; only what the issuer should say about it is missing. */
static bool waits_for_issuer(const struct signin *signin)
{
	return signin->state == SIGNIN_KEYS || signin->state == SIGNIN_USERINFO;
}

/* Why it ends when its time is up. */
static enum reason reason_of_time_up(const struct signin *signin)
{
	if (signin->state == SIGNIN_CHOICE)
		return REASON_NOT_ANSWERED;
	return waits_for_issuer(signin) ? REASON_ISSUER_UNREACHABLE : REASON_EXPIRED;
}

static void alarm_rang(void *context)
{
	struct signin *signin = context;
	int64_t now = wire_now_ms();

	if (signin->ended_unheard)
		signin_end(signin, signin->kept_end);
	else if (now >= signin_ends_ms(signin))
		signin_end(signin, reason_of_time_up(signin));
	else if (polls(signin) && now >= signin->poll.next_ms)
		signin_poll(signin);
	else if (signin->state == SIGNIN_KEYS && !signin->waiter.link)
		signin_verify(signin);
	else if (signin->state == SIGNIN_USERINFO && !signin->transfer)
		signin_enter_userinfo(signin);
	else if (signin->state == SIGNIN_HELD && !signin->held && !signin->paused)
		signin_enter_admission(signin);
	else
		signin_arm(signin);
}

void signin_ring_at(struct signin *signin, int64_t due_ms)
{
	int64_t ends = signin_ends_ms(signin);

	/* Not ended here, because callers go on with the sign-in; without an alarm the application's own deadline ends
	 * it. */
	if (!loop_set_timer(signin->around->loop, &signin->alarm, due_ms < ends ? due_ms : ends, alarm_rang, signin))
		signin_note(signin, LOG_ERR, "out of memory", NULL);
}

void signin_arm(struct signin *signin)
{
	signin_ring_at(signin, polls(signin) ? signin->poll.next_ms : signin_ends_ms(signin));
}

static void begin(void *context)
{
	struct signin *signin = context;

	signin_enter_lookup(signin);
	if (!signin->question)
		signin_end(signin, REASON_SERVICE_DOWN);
	else
		signin_arm(signin);
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
	if (signin->state < SIGNIN_APPROVAL || signin->state > SIGNIN_HELD)
		return false;
	/* A poll under way is not cut off: the issuer gives the tokens of an approved code once. */
	signin->paused = true;
	signin->deadline_ms = INT64_MAX; /* of an application that is gone */
	return true;
}

bool signin_continue(struct signin *signin)
{
	if (signin->state != SIGNIN_CHOICE)
		return false;
	signin_begin_okta(signin);
	return true;
}

void signin_release(struct signin *signin)
{
	signin->held = false;
	if (signin->state == SIGNIN_HELD)
		signin_enter_admission(signin);
}

void signin_use_realm(struct signin *signin, struct realm *realm)
{
	struct realm **place = signin->provider ? &signin->next_realm : &signin->realm;

	realm_unref(*place);
	*place = realm_ref(realm);
}

/* Whether the code that was given to one is the other's as well. */
static bool is_same_application(const struct tenant *one, const struct tenant *other)
{
	return strcmp(one->issuer, other->issuer) == 0 && strcmp(one->client_id, other->client_id) == 0;
}

void signin_take_next_realm(struct signin *signin)
{
	struct provider *provider;

	if (!signin->next_realm)
		return;
	provider = realm_provider(signin->next_realm, signin_tenant(signin));
	if (provider && is_same_application(provider_tenant(signin->provider), provider_tenant(provider))) {
		/* Not there yet, or not to be had with the new configuration: until then the old one serves. */
		if (!provider_metadata(provider))
			return;
		signin->provider = provider;
		realm_unref(signin->realm);
		signin->realm = take_pointer(signin->next_realm);
		return;
	}
	realm_unref(signin->next_realm);
	signin->next_realm = NULL;
}

void signin_resume(struct signin *signin, const struct signin_events *events, int64_t deadline_ms)
{
	signin->events = *events;
	signin->paused = false;
	signin->deadline_ms = deadline_ms;
	signin_ring_at(signin, 0); /* to go on from the loop with whatever is due */
}

enum signin_state signin_state(const struct signin *signin)
{
	return signin->state;
}

bool signin_was_seen(const struct signin *signin)
{
	return signin->state == SIGNIN_CHOICE || signin->authorization;
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
