/*
 * Waits for an approval and judges the token. See approval.h. What makes a token valid stands in id_token.c, what the
 * answers mean in device_grant.c.
 */
#include "pam_oidc/approval.h"

#include <stdlib.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/wire.h"
#include "pam_oidc/endpoint_response.h"
#include "pam_oidc/issuer_findings.h"
#include "pam_oidc/okta_remedy.h"
#include "pam_oidc/person_findings.h"
#include "pam_oidc/tenant_rules.h"

#define AGAIN_MS 1000
#define TRIES 5 /* for the keys, and for userinfo */

struct approval {
	struct loop *loop;
	struct provider *provider;
	struct device_authorization *authorization;
	struct approval_events events;
	struct device_poll poll;
	int64_t expires_ms;
	struct loop_timer alarm;
	struct http_transfer *transfer;
	struct document_waiter waiter;
	struct tokens tokens;
	struct identity *identity;
	unsigned tries;
	bool keys_are_new;
};

static void poll_or_end(void *context);
static void verify(struct approval *approval);
static void ask_userinfo(void *context);

static const struct tenant *tenant_of(const struct approval *approval)
{
	return provider_tenant(approval->provider);
}

static void found(struct approval *approval, struct finding finding)
{
	approval->events.found(approval->events.context, &finding);
}

void approval_cancel(struct approval *approval)
{
	if (!approval)
		return;
	loop_clear_timer(approval->loop, &approval->alarm);
	document_unwait(&approval->waiter);
	http_cancel(approval->transfer);
	device_authorization_free(approval->authorization);
	tokens_wipe(&approval->tokens);
	identity_free(approval->identity);
	free(approval);
}

static void end(struct approval *approval)
{
	const struct approval_events events = approval->events;

	approval_cancel(approval);
	events.over(events.context);
}

static void end_saying(struct approval *approval, struct finding finding)
{
	found(approval, finding);
	end(approval);
}

void approval_skip(struct approval *approval)
{
	end_saying(approval,
		   finding_say(tenant_of(approval)->name, "approval", FINDING_WARNING, okta_remedy(REMEDY_NOT_APPROVED),
			       "nobody was waited for, so what a token contains is not known"));
}

/* The timer cannot be set without memory: then it is over at once. */
static void ring(struct approval *approval, int64_t due_ms, void (*fire)(void *context))
{
	if (!loop_set_timer(approval->loop, &approval->alarm, due_ms, fire, approval))
		end_saying(approval, finding_say(tenant_of(approval)->name, "approval", FINDING_BAD,
						 okta_remedy(REMEDY_MEMORY), "out of memory"));
}

/* ---- who it is ---- */

static void tell_person(struct approval *approval)
{
	const struct tenant *tenant = tenant_of(approval);

	find_about_person(tenant, approval->identity, approval->events.found, approval->events.context);
	approval->events.identified(approval->events.context, tenant, approval->identity);
	end(approval);
}

static void complete(struct approval *approval, const struct http_response *response)
{
	const struct tenant *tenant = tenant_of(approval);
	char fault[256];

	if (!identity_complete(approval->identity, response->body, response->length, tenant->username_claim, fault,
			       sizeof(fault))) {
		end_saying(approval, finding_say(tenant->name, "userinfo", FINDING_BAD, okta_remedy(REMEDY_USERINFO),
						 "%s", fault));
		return;
	}
	found(approval, finding_say(tenant->name, "userinfo", FINDING_GOOD, NULL,
				    "the token is thin; userinfo completed it as far as it can"));
	tell_person(approval);
}

static void userinfo_answered(void *context, const struct http_response *response)
{
	struct approval *approval = context;
	const struct tenant *tenant = tenant_of(approval);
	bool passing = !response->answered || response->status >= 500 || response->status == 429;

	approval->transfer = NULL;
	if (response->answered && response->status == 200)
		complete(approval, response);
	else if (passing && approval->tries < TRIES)
		ring(approval, wire_now_ms() + AGAIN_MS, ask_userinfo);
	else if (!response->answered)
		end_saying(approval,
			   finding_say(tenant->name, "userinfo", FINDING_BAD,
				       okta_remedy(remedy_for_trouble(response->trouble)),
				       "the token is thin, and userinfo does not answer: %s", response->error));
	else
		end_saying(approval, finding_say(tenant->name, "userinfo", FINDING_BAD, okta_remedy(REMEDY_USERINFO),
						 "the token is thin, and userinfo answers HTTP %ld", response->status));
}

static void ask_userinfo(void *context)
{
	struct approval *approval = context;
	const struct discovery *metadata = provider_metadata(approval->provider);

	approval->tries++;
	if (metadata && !metadata->userinfo_endpoint) {
		found(approval,
		      finding_say(tenant_of(approval)->name, "userinfo", FINDING_WARNING, okta_remedy(REMEDY_USERINFO),
				  "the token is thin, and the issuer has no userinfo endpoint"));
		tell_person(approval);
		return;
	}
	if (metadata)
		approval->transfer = provider_get(approval->provider, metadata->userinfo_endpoint,
						  approval->tokens.access_token.bytes, userinfo_answered, approval);
	if (!approval->transfer)
		end_saying(approval,
			   finding_say(tenant_of(approval)->name, "userinfo", FINDING_BAD, okta_remedy(REMEDY_MEMORY),
				       "userinfo could not be asked: out of memory"));
}

/* ---- the token ---- */

static void take_verified(struct approval *approval, const struct verified_token *token)
{
	const struct tenant *tenant = tenant_of(approval);
	const struct identity_needs needs = tenant_needs(tenant);
	char fault[256];

	secret_wipe(&approval->tokens.id_token);
	if (!identity_from_token(token, tenant->username_claim, &approval->identity, fault, sizeof(fault))) {
		end_saying(approval, finding_say(tenant->name, "token", FINDING_BAD, okta_remedy(REMEDY_TOKEN_OTHER),
						 "its claims cannot be used: %s", fault));
		return;
	}
	found(approval, finding_say(tenant->name, "token", FINDING_GOOD, NULL,
				    "signed by the issuer, for this machine's application, and good now"));
	approval->tries = 0;
	if (identity_is_thin(approval->identity, &needs) && approval->tokens.access_token.bytes)
		ask_userinfo(approval);
	else
		tell_person(approval);
}

static void verify_again(void *context)
{
	verify(context);
}

static void keys_told(void *context, enum document_outcome outcome)
{
	struct approval *approval = context;

	approval->keys_are_new = outcome == DOCUMENT_READY;
	if (outcome == DOCUMENT_READY)
		verify(approval);
	else if (++approval->tries < TRIES)
		ring(approval, wire_now_ms() + AGAIN_MS, verify_again);
	else
		end_saying(approval, find_keys(approval->provider, outcome));
}

static bool wait_for_keys(struct approval *approval, bool again)
{
	approval->waiter = (struct document_waiter){ .told = keys_told, .context = approval };
	return provider_wait_keys(approval->provider, again, &approval->waiter);
}

static void verify(struct approval *approval)
{
	const struct tenant *tenant = tenant_of(approval);
	const struct id_token_expectations expected =
		tenant_expectations(tenant, approval->tokens.access_token.bytes, time(NULL));
	_cleanup_verified_token_ struct verified_token *token = NULL;
	char fault[ID_TOKEN_FAULT_MAX] = "";
	enum id_token_result result;

	if (!provider_keys(approval->provider) && wait_for_keys(approval, false))
		return;
	result = id_token_verify(approval->tokens.id_token.bytes, approval->tokens.id_token.length,
				 provider_keys(approval->provider), &expected, &token, fault, sizeof(fault));
	if (result == ID_TOKEN_UNKNOWN_KID && !approval->keys_are_new && wait_for_keys(approval, true))
		return;
	if (result == ID_TOKEN_OK)
		take_verified(approval, token);
	else
		end_saying(approval,
			   finding_say(tenant->name, result == ID_TOKEN_AMR_MISSING ? "amr" : "token", FINDING_BAD,
				       okta_remedy(remedy_for_token(result, fault)), "refused: %s", fault));
}

/* ---- the wait ---- */

static void take_tokens(struct approval *approval, const struct http_response *response)
{
	const struct tenant *tenant = tenant_of(approval);
	char fault[256];

	found(approval, finding_say(tenant->name, "approval", FINDING_GOOD, NULL, "the code was approved"));
	if (!tokens_parse(response->body, response->length, &approval->tokens, fault, sizeof(fault))) {
		end_saying(approval, finding_say(tenant->name, "token", FINDING_BAD, okta_remedy(REMEDY_NO_ID_TOKEN),
						 "%s", fault));
		return;
	}
	approval->tries = 0;
	verify(approval);
}

static void arm(struct approval *approval)
{
	int64_t due_ms = approval->poll.next_ms;

	ring(approval, due_ms < approval->expires_ms ? due_ms : approval->expires_ms, poll_or_end);
}

static void poll_answered(void *context, const struct http_response *response)
{
	struct approval *approval = context;
	enum reason reason = REASON_NONE;
	struct endpoint_response read;
	enum endpoint_verdict verdict;

	approval->transfer = NULL;
	if (response->answered && response->status == 200) {
		take_tokens(approval, response);
		return;
	}
	endpoint_response_read(response, time(NULL), &read);
	verdict = endpoint_judge(&read.answer, &reason);
	device_poll_next(&approval->poll, verdict, &read.answer, wire_now_ms(), 0);
	if (verdict == ENDPOINT_END) {
		struct finding finding = find_refused_approval(tenant_of(approval), &read.answer);

		endpoint_response_clear(&read);
		end_saying(approval, finding);
		return;
	}
	endpoint_response_clear(&read);
	arm(approval);
}

static void poll_or_end(void *context)
{
	struct approval *approval = context;
	const struct discovery *metadata = provider_metadata(approval->provider);
	_cleanup_form_ struct form form = { 0 };

	if (wire_now_ms() >= approval->expires_ms) {
		end_saying(approval,
			   finding_say(tenant_of(approval)->name, "approval", FINDING_BAD, okta_remedy(REMEDY_TOO_LATE),
				       "the code has expired before anybody approved it"));
		return;
	}
	form_add(&form, "grant_type", DEVICE_GRANT_TYPE);
	form_add(&form, "device_code", approval->authorization->device_code.bytes);
	if (metadata)
		approval->transfer =
			provider_post(approval->provider, metadata->token_endpoint, &form, poll_answered, approval);
	if (approval->transfer)
		return;
	/* Memory is short, or the metadata lapsed: both may be better in a moment. */
	device_poll_next(&approval->poll, ENDPOINT_RETRY, NULL, wire_now_ms(), 0);
	arm(approval);
}

struct approval *approval_start(struct loop *loop, struct provider *provider,
				struct device_authorization *authorization, const struct approval_events *events)
{
	struct approval *approval = calloc(1, sizeof(*approval));
	int64_t now = wire_now_ms();

	if (!approval)
		return NULL;
	*approval = (struct approval){
		.loop = loop,
		.provider = provider,
		.events = *events,
		.expires_ms = now + authorization->expires_in_s * 1000,
	};
	device_poll_start(&approval->poll, authorization->interval_s, 0, now, 0);
	if (!loop_set_timer(loop, &approval->alarm, approval->poll.next_ms, poll_or_end, approval)) {
		free(approval);
		return NULL;
	}
	approval->authorization = authorization;
	return approval;
}
