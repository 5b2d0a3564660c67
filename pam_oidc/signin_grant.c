/*
 * The device grant of a sign-in: the issuer's metadata, a code, and polling until it is approved. What the answers mean
 * and when to poll stands in device_grant.c.
 */
#include "pam_oidc/signin_steps.h"

#include <assert.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "common/log.h"
#include "common/wire.h"
#include "pam_oidc/endpoint_response.h"

#define CODE_TRIES 2
#define CODE_AGAIN_WITHIN_MS 5000 /* a person is looking at an empty screen */

static void enter_code(struct signin *signin);
static void enter_approval(struct signin *signin);

static unsigned chance(void)
{
	uint16_t number = 0;

	static_assert(DEVICE_CHANCE_MAX == UINT16_MAX, "any number of so many bits is a chance");
	/* Spreading needs no good randomness: without any it is 0. */
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		return 0;
	return number;
}

static void metadata_told(void *context, enum document_outcome outcome)
{
	struct signin *signin = context;

	switch (outcome) {
	case DOCUMENT_READY:
		signin_enter_metadata(signin);
		return;
	case DOCUMENT_UNREACHABLE:
		signin_end(signin, REASON_ISSUER_UNREACHABLE);
		return;
	case DOCUMENT_WRONG:
		signin_end(signin, REASON_MISCONFIGURED);
		return;
	}
}

void signin_enter_metadata(struct signin *signin)
{
	signin->state = SIGNIN_METADATA;
	if (provider_metadata(signin->provider)) {
		enter_code(signin);
		return;
	}
	signin->waiter = (struct document_waiter){ .told = metadata_told, .context = signin };
	provider_wait_metadata(signin->provider, &signin->waiter);
}

/* Says in the log what the issuer said; the person reads our own words. What it decided about the person, rather than
 * about the code or this application, is put on record. */
static void note_refusal(const struct signin *signin, const char *what, const struct endpoint_answer *answer,
			 enum reason reason)
{
	char detail[512];
	bool admins_matter = reason == REASON_MISCONFIGURED || reason == REASON_TOO_MANY_CODES;

	(void)snprintf(detail, sizeof(detail), "HTTP %ld %s: %s", answer->status,
		       answer->error ? answer->error : "no error code",
		       answer->description ? answer->description : "no description");
	signin_note(signin, admins_matter ? LOG_ERR : LOG_NOTICE, what, detail);
	if (reason_class(reason) == REASON_CLASS_DENIED)
		refusals_tell(signin->around->refusals, signin->name, signin_tenant(signin), reason);
}

static void take_code(struct signin *signin, const struct http_response *response, int64_t load)
{
	char fault[256];

	if (!device_authorization_parse(response->body, response->length, &signin->authorization, fault,
					sizeof(fault))) {
		signin_note(signin, LOG_ERR, "no code", fault);
		signin_end(signin, REASON_MISCONFIGURED);
		return;
	}
	if (back_off_succeeded(provider_back_off(signin->provider), wire_now_ms()))
		signin_note(signin, LOG_NOTICE, "the issuer gives codes again", NULL);
	signin->code_expires_ms = wire_now_ms() + signin->authorization->expires_in_s * 1000;
	device_poll_start(&signin->poll, signin->authorization->interval_s, load, wire_now_ms(), chance());
	enter_approval(signin);
	signin->events.show(signin->events.context, signin);
}

void signin_end_backing_off(struct signin *signin, int64_t wait_ms)
{
	char text[256];
	long long seconds = (wait_ms + 999) / 1000;
	bool in_minutes = seconds > 90;

	(void)snprintf(
		text, sizeof(text),
		"Okta gives out no more codes just now, because too many were asked for. Start again in %lld %s.",
		in_minutes ? (seconds + 59) / 60 : seconds,
		in_minutes     ? "minutes"
		: seconds == 1 ? "second"
			       : "seconds");
	signin_end_text(signin, REASON_TOO_MANY_CODES, text);
}

/* Nobody of the tenant asks for a code for a while. Whoever has one goes on. */
static void begin_back_off(struct signin *signin, int64_t wish_ms)
{
	struct back_off *back_off = provider_back_off(signin->provider);
	int64_t now = wire_now_ms(), left_ms;
	char detail[64];

	back_off_refused(back_off, wish_ms, now);
	left_ms = back_off_left_ms(back_off, now);
	(void)snprintf(detail, sizeof(detail), "for the next %lld s", (long long)(left_ms + 999) / 1000);
	signin_note(signin, LOG_ERR, "the issuer was asked for too many codes; its tenant asks for none", detail);
	signin_end_backing_off(signin, left_ms);
}

static void code_answered(void *context, const struct http_response *response)
{
	struct signin *signin = context;
	struct endpoint_response read;
	enum reason reason = REASON_MISCONFIGURED;
	enum endpoint_verdict verdict;
	int64_t wish_ms, load;

	signin->transfer = NULL;
	endpoint_response_read(response, time(NULL), &read);
	verdict = endpoint_judge(&read.answer, &reason);
	wish_ms = read.answer.wait_ms;
	load = read.answer.load;
	if (verdict == ENDPOINT_END)
		note_refusal(signin, "the issuer gives no code", &read.answer, reason);
	else if (verdict != ENDPOINT_SUCCESS)
		signin_note(signin, LOG_WARNING, "no code",
			    response->answered ? "the issuer is busy" : response->error);
	endpoint_response_clear(&read);
	if (verdict == ENDPOINT_SUCCESS)
		take_code(signin, response, load);
	else if (response->answered && response->status == 429)
		begin_back_off(signin, wish_ms);
	else if (verdict == ENDPOINT_END)
		signin_end(signin, reason);
	else if (verdict == ENDPOINT_RETRY && signin->tries < CODE_TRIES &&
		 wire_now_ms() - signin->started_ms < CODE_AGAIN_WITHIN_MS)
		enter_code(signin);
	else
		signin_end(signin, REASON_ISSUER_UNREACHABLE);
}

static void enter_code(struct signin *signin)
{
	const struct discovery *metadata = provider_metadata(signin->provider);
	_cleanup_form_ struct form form = { 0 };
	int64_t wait_ms = 0;

	signin->state = SIGNIN_CODE;
	if (signin->tries == 0)
		wait_ms = back_off_take_turn(provider_back_off(signin->provider), wire_now_ms());
	if (wait_ms > 0) {
		signin_end_backing_off(signin, wait_ms);
		return;
	}
	signin->tries++;
	form_add(&form, "scope", provider_tenant(signin->provider)->scopes);
	if (metadata)
		signin->transfer = provider_post(signin->provider, metadata->device_authorization_endpoint, &form,
						 code_answered, signin);
	if (!signin->transfer)
		signin_end(signin, REASON_INTERNAL);
}

static void take_tokens(struct signin *signin, const struct http_response *response)
{
	char fault[256];

	if (!tokens_parse(response->body, response->length, &signin->tokens, fault, sizeof(fault))) {
		signin_note(signin, LOG_ERR, "no token", fault);
		signin_end(signin, REASON_TOKEN_INVALID);
		return;
	}
	signin_verify(signin);
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
		signin_note(signin, LOG_WARNING, "the issuer does not answer, trying on",
			    response->answered ? "server error" : response->error);
	device_poll_next(&signin->poll, verdict, &read.answer, wire_now_ms(), chance());
	endpoint_response_clear(&read);
	if (verdict == ENDPOINT_SUCCESS)
		take_tokens(signin, response);
	else if (verdict == ENDPOINT_END)
		signin_end(signin, reason);
	else
		signin_arm(signin);
}

void signin_poll(struct signin *signin)
{
	const struct discovery *metadata;
	_cleanup_form_ struct form form = { 0 };

	signin_take_next_realm(signin);
	metadata = provider_metadata(signin->provider);
	form_add(&form, "grant_type", DEVICE_GRANT_TYPE);
	form_add(&form, "device_code", signin->authorization->device_code.bytes);
	if (metadata)
		signin->transfer =
			provider_post(signin->provider, metadata->token_endpoint, &form, poll_answered, signin);
	if (signin->transfer) {
		signin_arm(signin);
		return;
	}
	/* The metadata lapsed and could not be refreshed, or memory is short: both may be better in a moment. */
	device_poll_next(&signin->poll, ENDPOINT_RETRY, NULL, wire_now_ms(), 0);
	signin_arm(signin);
}

static void enter_approval(struct signin *signin)
{
	signin->state = SIGNIN_APPROVAL;
	signin_arm(signin);
}
