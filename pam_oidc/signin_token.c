/*
 * From the tokens of an approved sign-in to an identity: the ID token is verified, with the issuer's keys fetched when
 * they are needed, remembered, and completed from userinfo when it is thin. What makes a token valid stands in
 * id_token.c.
 */
#include "pam_oidc/signin_steps.h"

#include <time.h>

#include "common/log.h"
#include "common/wire.h"
#include "pam_oidc/id_token.h"
#include "pam_oidc/tenant_rules.h"

#define RETRY_PAUSE_MS 1000

static void take_verified(struct signin *signin, const struct verified_token *token)
{
	const struct tenant *tenant = provider_tenant(signin->provider);
	const struct identity_needs needs = tenant_needs(tenant);
	char fault[256];

	if (!replay_remember(signin->around->replay, verified_token_issuer(token), verified_token_jti(token),
			     verified_token_acceptable_until(token), time(NULL))) {
		signin_note(signin, LOG_ERR, "refused: this ID token has made a sign-in before", NULL);
		signin_end(signin, REASON_TOKEN_INVALID);
		return;
	}
	secret_wipe(&signin->tokens.id_token);
	if (!identity_from_token(token, tenant->username_claim, &signin->identity, fault, sizeof(fault))) {
		signin_note(signin, LOG_ERR, "refused: the ID token's claims cannot be used", fault);
		signin_end(signin, REASON_TOKEN_INVALID);
		return;
	}
	signin->tries = 0;
	if (identity_is_thin(signin->identity, &needs) && signin->tokens.access_token.bytes)
		signin_enter_userinfo(signin);
	else
		signin_enter_admission(signin);
}

static void keys_told(void *context, enum document_outcome outcome)
{
	struct signin *signin = context;

	if (outcome != DOCUMENT_READY) {
		signin_ring_at(signin, wire_now_ms() + RETRY_PAUSE_MS);
		return;
	}
	signin->keys_are_new = true;
	signin_verify(signin);
}

/* Waits for keys: for the first ones, or for those that replaced the ones we have. False when that would not help. */
static bool wait_for_keys(struct signin *signin, bool again)
{
	signin->state = SIGNIN_KEYS;
	signin_arm(signin);
	signin->waiter = (struct document_waiter){ .told = keys_told, .context = signin };
	return provider_wait_keys(signin->provider, again, &signin->waiter);
}

static enum id_token_result verify_token(struct signin *signin, struct verified_token **ret_token, char *fault,
					 size_t fault_size)
{
	const struct tenant *tenant = provider_tenant(signin->provider);
	const struct id_token_expectations expected =
		tenant_expectations(tenant, signin->tokens.access_token.bytes, time(NULL));

	return id_token_verify(signin->tokens.id_token.bytes, signin->tokens.id_token.length,
			       provider_keys(signin->provider), &expected, ret_token, fault, fault_size);
}

void signin_verify(struct signin *signin)
{
	_cleanup_verified_token_ struct verified_token *token = NULL;
	char fault[ID_TOKEN_FAULT_MAX] = "";

	if (!provider_keys(signin->provider)) {
		/* Without metadata there is no place to fetch them from yet; the alarm tries again. */
		if (!wait_for_keys(signin, false))
			signin_ring_at(signin, wire_now_ms() + RETRY_PAUSE_MS);
		return;
	}
	switch (verify_token(signin, &token, fault, sizeof(fault))) {
	case ID_TOKEN_OK:
		take_verified(signin, token);
		return;
	case ID_TOKEN_UNKNOWN_KID:
		if (!signin->keys_are_new && wait_for_keys(signin, true))
			return;
		signin_note(signin, LOG_ERR,
			    "refused: the ID token is signed with a key that the issuer does not publish", fault);
		signin_end(signin, REASON_TOKEN_INVALID);
		return;
	case ID_TOKEN_INVALID:
		signin_note(signin, LOG_ERR, "refused: the ID token is not valid", fault);
		signin_end(signin, REASON_TOKEN_INVALID);
		return;
	case ID_TOKEN_AMR_MISSING:
		signin_note(signin, LOG_NOTICE, "refused", fault);
		signin_end(signin, REASON_AMR_MISSING);
		return;
	case ID_TOKEN_AUTH_TOO_OLD:
		signin_note(signin, LOG_NOTICE, "refused", fault);
		signin_end(signin, REASON_AUTH_TOO_OLD);
		return;
	}
}

static void take_userinfo(struct signin *signin, const struct http_response *response)
{
	const struct tenant *tenant = provider_tenant(signin->provider);
	char fault[256];

	if (!identity_complete(signin->identity, response->body, response->length, tenant->username_claim, fault,
			       sizeof(fault))) {
		signin_note(signin, LOG_ERR, "refused: userinfo cannot be used", fault);
		signin_end(signin, REASON_TOKEN_INVALID);
		return;
	}
	signin_enter_admission(signin);
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
		if (signin->tries == 1)
			signin_note(signin, LOG_WARNING, "userinfo does not answer, trying on",
				    response->answered ? "server error" : response->error);
		signin_ring_at(signin, wire_now_ms() + RETRY_PAUSE_MS * signin->tries);
		return;
	}
	signin_note(signin, LOG_ERR, "the issuer refuses to complete the token from userinfo", NULL);
	signin_end(signin, REASON_MISCONFIGURED);
}

void signin_enter_userinfo(struct signin *signin)
{
	const struct discovery *metadata = provider_metadata(signin->provider);

	signin->state = SIGNIN_USERINFO;
	signin->tries++;
	if (metadata && !metadata->userinfo_endpoint) {
		signin_enter_admission(signin);
		return;
	}
	signin_arm(signin);
	if (metadata)
		signin->transfer = provider_get(signin->provider, metadata->userinfo_endpoint,
						signin->tokens.access_token.bytes, userinfo_answered, signin);
	if (!signin->transfer)
		signin_ring_at(signin, wire_now_ms() + RETRY_PAUSE_MS);
}
