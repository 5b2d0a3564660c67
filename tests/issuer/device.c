/* The device authorization endpoint: a client asks for a code. */

#include <string.h>

#include "common/cleanup.h"
#include "tests/issuer/clients.h"
#include "tests/issuer/endpoints.h"
#include "tests/issuer/errors.h"
#include "tests/issuer/must.h"
#include "tests/issuer/settings.h"

#define USUAL_INTERVAL_MS 5000 /* RFC 8628, 3.2: when the answer names none */

static int64_t interval_ms(const struct provider *provider)
{
	const json_t *interval = json_object_get(provider->settings, "interval");

	return json_is_number(interval) ? (int64_t)(json_number_value(interval) * 1000) : USUAL_INTERVAL_MS;
}

/* The setting where there is one (null leaves the member out), else the usual text. */
static void set_text(json_t *body, const struct provider *provider, const char *member, const char *usual)
{
	const json_t *setting = json_object_get(provider->settings, member);
	const char *text = setting ? json_string_value(setting) : usual;

	if (text)
		json_object_set_new(body, member, must(json_string(text)));
}

static json_t *device_answer(const struct provider *provider, const struct device_code *code)
{
	_cleanup_free_ char *uri = must_format("%s/activate", provider->base_url);
	_cleanup_free_ char *complete = must_format("%s/activate?user_code=%s", provider->base_url, code->user_code);
	json_t *interval = json_object_get(provider->settings, "interval");
	json_t *body = must(json_pack("{s:s, s:s}", "device_code", code->device_code, "user_code", code->user_code));

	set_text(body, provider, "verification_uri", uri);
	set_text(body, provider, "verification_uri_complete", complete);
	json_object_set_new(body, "expires_in", json_integer(setting_integer(provider->settings, "expires_in")));
	if (json_is_number(interval))
		json_object_set(body, "interval", interval);
	json_overlay(body, json_object_get(provider->settings, "device"));
	return body;
}

void answer_device(struct provider *provider, const struct request *request, struct answer *answer)
{
	const char *scope = form_get(&request->form, "scope");
	const struct device_code *code;
	json_t *client;

	if (form_doubled(&request->form)) {
		answer_error(answer, ERROR_INVALID_REQUEST);
	} else if (!client_authenticate(provider, request, &client, answer)) {
		return;
	} else if (!client_may_use_device_grant(client)) {
		answer_error(answer, ERROR_UNAUTHORIZED_CLIENT);
	} else if (!scope || !*scope) {
		answer_error(answer, ERROR_MISSING_SCOPE);
	} else if (!client_may_ask_for(client, scope)) {
		answer_error(answer, ERROR_INVALID_SCOPE);
	} else {
		code = codes_start(provider->codes, setting_string(provider->settings, "user_code"),
				   client_text(client, "id"), scope, request->now_ms,
				   request->now_ms + setting_integer(provider->settings, "expires_in") * 1000,
				   interval_ms(provider));
		answer_json(answer, 200, device_answer(provider, code));
	}
}
