/* The token endpoint: a client polls for what a person decides elsewhere. */

#include <string.h>

#include "common/cleanup.h"
#include "tests/issuer/clients.h"
#include "tests/issuer/endpoints.h"
#include "tests/issuer/errors.h"
#include "tests/issuer/grants.h"
#include "tests/issuer/id_token.h"
#include "tests/issuer/must.h"
#include "tests/issuer/settings.h"
#include "tests/issuer/users.h"

#define DEVICE_GRANT "urn:ietf:params:oauth:grant-type:device_code"
#define SLOW_DOWN_MS 5000 /* RFC 8628, 3.5 */
#define ACCESS_TOKEN_LIFETIME_S 3600

struct device_code *token_request_code(const struct provider *provider, const struct request *request)
{
	const char *device_code = form_get(&request->form, "device_code");

	return device_code ? codes_by_device_code(provider->codes, device_code) : NULL;
}

/* What the client hears instead of a token; ERROR_COUNT when it gets one. */
static enum error_row judge(const struct provider *provider, const struct request *request, struct device_code *code,
			    const char *client_id, const json_t *user)
{
	if (!code || strcmp(code->client_id, client_id) != 0 || code->state == CODE_USED)
		return ERROR_INVALID_GRANT;
	if (request->now_ms >= code->expires_ms)
		return ERROR_EXPIRED_TOKEN;
	if (setting_true(provider->settings, "enforce_interval") && code_polled_too_fast(code)) {
		code->interval_ms += SLOW_DOWN_MS;
		return ERROR_SLOW_DOWN;
	}
	if (code->state == CODE_PENDING)
		return ERROR_AUTHORIZATION_PENDING;
	if (code->state == CODE_DENIED || !user)
		return ERROR_DENIED;
	if (!user_is_assigned(user))
		return ERROR_NOT_ASSIGNED;
	if (user_is_policy_denied(user))
		return ERROR_POLICY;
	return ERROR_COUNT;
}

static void remember_grant(struct provider *provider, const struct signin *signin, const char *user_name,
			   const char *access_token)
{
	grants_add(provider->grants, access_token,
		   json_pack("{s:s, s:s, s:s, s:s, s:O, s:O, s:I, s:I}", "client_id", signin->client_id, "user",
			     user_name, "scope", signin->scope, "issuer", signin->issuer, "sub",
			     json_object_get(signin->user, "sub"), "username", json_object_get(signin->user, "login"),
			     "iat", (json_int_t)signin->now_s, "exp",
			     (json_int_t)signin->now_s + ACCESS_TOKEN_LIFETIME_S),
		   signin->now_s);
}

static char *choose_access_token(struct provider *provider, const struct signin *signin)
{
	const json_t *wanted = json_object_get(provider->wrongs, "access_token");

	if (json_is_null(wanted))
		return NULL;
	if (json_is_string(wanted))
		return must_copy(json_string_value(wanted));
	return access_token_make(provider, signin);
}

static void answer_tokens(struct provider *provider, const struct signin *signin, const char *user_name,
			  struct answer *answer)
{
	_cleanup_free_ char *access_token = choose_access_token(provider, signin);
	_cleanup_free_ char *id_token = NULL;
	json_t *body = must(json_pack("{s:s*, s:i}", "token_type", setting_string(provider->settings, "token_type"),
				      "expires_in", ACCESS_TOKEN_LIFETIME_S));

	if (access_token) {
		json_object_set_new(body, "access_token", must(json_string(access_token)));
		remember_grant(provider, signin, user_name, access_token);
	}
	json_object_set_new(body, "scope", must(json_string(signin->scope)));
	if (scope_contains(signin->scope, "openid")) {
		id_token = id_token_make(provider, signin, access_token);
		json_object_set_new(body, "id_token", must(json_string(id_token)));
	}
	json_overlay(body, json_object_get(provider->wrongs, "answer"));
	answer_json(answer, 200, body);
}

static void answer_poll(struct provider *provider, const struct request *request, const json_t *client,
			struct answer *answer)
{
	struct device_code *code = token_request_code(provider, request);
	const char *client_id = client_text(client, "id");
	const char *user_name = NULL;
	json_t *user = code && code->user ? users_find(provider->users, code->user, &user_name) : NULL;
	enum error_row row = judge(provider, request, code, client_id, user);

	if (row != ERROR_COUNT) {
		answer_error(answer, row);
		return;
	}
	code->state = CODE_USED;
	answer_tokens(provider,
		      &(struct signin){
			      .user = user,
			      .client_id = client_id,
			      .scope = code->scope,
			      .issuer = request->issuer,
			      .org = request->org,
			      .now_s = request->now_ms / 1000,
			      .auth_time_s = code->decided_ms / 1000,
		      },
		      user_name, answer);
}

void answer_token(struct provider *provider, const struct request *request, struct answer *answer)
{
	const char *grant_type = form_get(&request->form, "grant_type");
	json_t *client;

	if (form_doubled(&request->form) || !grant_type)
		answer_error(answer, ERROR_INVALID_REQUEST);
	else if (!client_authenticate(provider, request, &client, answer))
		return;
	else if (strcmp(grant_type, DEVICE_GRANT) != 0)
		answer_error(answer, ERROR_UNSUPPORTED_GRANT_TYPE);
	else if (!client_may_use_device_grant(client))
		answer_error(answer, ERROR_UNAUTHORIZED_CLIENT);
	else
		answer_poll(provider, request, client, answer);
}
