/*
 * Reads answers of the issuer's endpoints. What they mean stands in device_grant.c, whether a token is good in
 * id_token.c.
 */
#include "pam_oidc/endpoint_response.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "pam_oidc/id_token.h"
#include "pam_oidc/json_strict.h"

#define ACCESS_TOKEN_MAX ((size_t)16 * 1024)
#define WAIT_MAX_S 600 /* no clock, wrong or malicious, keeps anybody waiting for longer */

/* now_s by the issuer's clock. */
static int64_t wish_to_wait_ms(const struct http_response *response, int64_t now_s)
{
	int64_t wait = response->retry_after_s;

	if (response->status != 429 && response->status != 503)
		return 0;
	/* Every answer of Okta's may say when the bucket is full again; only this one says that it is empty. */
	if (wait == 0 && response->status == 429 && response->rate_limit.reset_s > now_s)
		wait = response->rate_limit.reset_s - now_s;
	return (wait > WAIT_MAX_S ? WAIT_MAX_S : wait) * 1000;
}

void endpoint_response_read(const struct http_response *response, int64_t now_s, struct endpoint_response *ret_response)
{
	char ignored[128];
	int64_t issuers_now_s = response->date_s > 0 ? response->date_s : now_s;
	json_t *body = response->answered && response->status != 200
			       ? json_strict_object(response->body, response->length, ignored, sizeof(ignored))
			       : NULL;

	*ret_response = (struct endpoint_response){
		.body = body,
		.answer = {
			.answered = response->answered,
			.status = response->status,
			.error = body ? json_strict_string(body, "error") : NULL,
			.description = body ? json_strict_string(body, "error_description") : NULL,
			.wait_ms = response->answered ? wish_to_wait_ms(response, issuers_now_s) : 0,
			.load = response->answered ? rate_limit_load(&response->rate_limit, issuers_now_s) : 0,
		},
	};
	/* Okta's rate limit is its general error body, not OAuth's. */
	if (body && !ret_response->answer.error)
		ret_response->answer.error = json_strict_string(body, "errorCode");
	if (body && !ret_response->answer.description)
		ret_response->answer.description = json_strict_string(body, "errorSummary");
}

void endpoint_response_clear(struct endpoint_response *response)
{
	json_decref(response->body);
	*response = (struct endpoint_response){ 0 };
}

static bool graphic(const char *text, size_t max)
{
	size_t length = strnlen(text, max + 1);

	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f)
			return false;
	return length > 0 && length <= max;
}

static bool refuse(char *fault, size_t size, const char *what)
{
	(void)snprintf(fault, size, "the token response %s", what);
	return false;
}

bool tokens_parse(const char *json, size_t length, struct tokens *ret_tokens, char *fault, size_t fault_size)
{
	_cleanup_(tokens_wipe) struct tokens tokens = { 0 };
	_cleanup_json_ json_t *body = NULL;
	const char *id_token, *access_token, *type;
	char why[128];

	body = json_strict_object(json, length, why, sizeof(why));
	if (!body)
		return refuse(fault, fault_size, why);
	id_token = json_strict_string(body, "id_token");
	access_token = json_strict_string(body, "access_token");
	type = json_strict_string(body, "token_type");
	if (!id_token || !graphic(id_token, ID_TOKEN_SIZE_MAX))
		return refuse(fault, fault_size, "has no ID token; is openid among the scopes?");
	if (access_token && (!graphic(access_token, ACCESS_TOKEN_MAX) || !type || strcasecmp(type, "Bearer") != 0))
		return refuse(fault, fault_size, "has an access token that is no bearer token");
	if (secret_from_bytes(id_token, strlen(id_token), &tokens.id_token) != 0 ||
	    (access_token && secret_from_bytes(access_token, strlen(access_token), &tokens.access_token) != 0))
		return refuse(fault, fault_size, "does not fit into memory");
	*ret_tokens = tokens;
	tokens = (struct tokens){ 0 };
	return true;
}

void tokens_wipe(struct tokens *tokens)
{
	secret_wipe(&tokens->id_token);
	secret_wipe(&tokens->access_token);
}
