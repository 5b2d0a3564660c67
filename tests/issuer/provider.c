#include "tests/issuer/provider.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "tests/issuer/clients.h"
#include "tests/issuer/encoding.h"
#include "tests/issuer/endpoints.h"
#include "tests/issuer/errors.h"
#include "tests/issuer/must.h"
#include "tests/issuer/settings.h"
#include "tests/issuer/users.h"

#define SLOW_DOWN_MS 5000

/* The endpoints of an authorization server, by what follows its address. */
static const struct route {
	const char *tail;
	endpoint_function *function;
	const char *methods;
	enum endpoint endpoint;
	bool takes_form; /* nothing but a form is accepted */
} ROUTES[] = {
	{ ".well-known/openid-configuration", answer_discovery, "GET HEAD", ENDPOINT_DISCOVERY, false },
	{ "v1/keys", answer_keys, "GET HEAD", ENDPOINT_KEYS, false },
	{ "v1/device/authorize", answer_device, "POST", ENDPOINT_DEVICE, true },
	{ "v1/token", answer_token, "POST", ENDPOINT_TOKEN, true },
	{ "v1/userinfo", answer_userinfo, "GET HEAD POST", ENDPOINT_USERINFO, false },
	{ "v1/introspect", answer_introspect, "POST", ENDPOINT_INTROSPECT, true },
	{ "v1/revoke", answer_revoke, "POST", ENDPOINT_REVOKE, true },
};

/* Those of the organization. */
static const struct route PAGE = { "", answer_activate, "GET HEAD POST", ENDPOINT_ACTIVATE, false };
static const struct route STYLESHEET = { "", answer_stylesheet, "GET HEAD", ENDPOINT_OTHER, false };
static const struct route CONTROL = { "", answer_control, "GET POST", ENDPOINT_CONTROL, false };

struct provider *provider_new(char *base_url, char *client_jwt_path, json_t *extra_users)
{
	struct provider *provider = must(calloc(1, sizeof *provider));

	provider->base_url = base_url;
	provider->client_jwt_path = client_jwt_path;
	provider->extra_users = extra_users;
	provider->keyring = keyring_new();
	random_bytes(provider->page_key, sizeof provider->page_key);
	provider_reset(provider);
	return provider;
}

static void forget_all(struct provider *provider)
{
	codes_free(provider->codes);
	json_decref(provider->faults.queue);
	json_decref(provider->users);
	json_decref(provider->clients);
	json_decref(provider->settings);
	json_decref(provider->wrongs);
	json_decref(provider->grants);
	json_decref(provider->seen_jti);
}

void provider_free(struct provider *provider)
{
	if (!provider)
		return;
	forget_all(provider);
	keyring_free(provider->keyring);
	json_decref(provider->extra_users);
	free(provider->client_jwt_path);
	free(provider->base_url);
	free(provider);
}

void provider_reset(struct provider *provider)
{
	forget_all(provider);
	provider->codes = codes_new();
	provider->faults.queue = must(json_array());
	provider->users = users_builtin();
	free(users_add(provider->users, provider->extra_users));
	provider->clients = clients_builtin();
	provider->settings = settings_defaults();
	provider->wrongs = must(json_object());
	provider->grants = must(json_object());
	provider->seen_jti = must(json_object());
	memset(&provider->limits, 0, sizeof provider->limits);
	journal_reset(&provider->journal);
}

/* "/oauth2/ID/TAIL" of a custom server. On success *ret_tail points into the path, *ret_length is that of "/oauth2/ID".
 */
static bool custom_server_path(const char *path, size_t *ret_length, const char **ret_tail)
{
	static const char PREFIX[] = "/oauth2/";
	size_t id_length = 0;

	if (strncmp(path, PREFIX, sizeof PREFIX - 1) != 0)
		return false;
	while (isalnum((unsigned char)path[sizeof PREFIX - 1 + id_length]))
		id_length++;
	if (id_length == 0 || path[sizeof PREFIX - 1 + id_length] != '/' ||
	    strncmp(path + sizeof PREFIX - 1, "v1/", 3) == 0)
		return false;
	*ret_length = sizeof PREFIX - 1 + id_length;
	*ret_tail = path + *ret_length + 1;
	return true;
}

static const struct route *route_of_server(const struct provider *provider, struct request *request, const char *path)
{
	const char *tail = NULL;
	size_t length = 0;

	request->org = !custom_server_path(path, &length, &tail);
	if (request->org)
		tail = strncmp(path, "/oauth2/", 8) == 0 ? path + 8 : path + 1;
	for (size_t i = 0; i < sizeof ROUTES / sizeof ROUTES[0]; i++) {
		bool of_issuer = ROUTES[i].endpoint == ENDPOINT_DISCOVERY;

		if (strcmp(ROUTES[i].tail, tail) != 0 || (request->org && of_issuer != (tail == path + 1)))
			continue;
		request->tail = must_copy(tail);
		request->issuer = must_format("%s%.*s", provider->base_url, (int)length, path);
		request->endpoints =
			request->org ? must_format("%s/oauth2", provider->base_url) : must_copy(request->issuer);
		return &ROUTES[i];
	}
	return NULL;
}

static const struct route *route(const struct provider *provider, struct request *request)
{
	static const char CONTROL_PREFIX[] = "/_control/";
	const char *alias =
		json_string_value(json_object_get(json_object_get(provider->settings, "aliases"), request->path));
	const char *path = alias ? alias : request->path;

	if (strncmp(path, CONTROL_PREFIX, sizeof CONTROL_PREFIX - 1) == 0) {
		request->tail = must_copy(path + sizeof CONTROL_PREFIX - 1);
		return &CONTROL;
	}
	if (strcmp(path, "/activate") == 0)
		return &PAGE;
	if (strcmp(path, "/activate.css") == 0)
		return &STYLESHEET;
	return *path == '/' ? route_of_server(provider, request, path) : NULL;
}

static bool method_allowed(const struct route *route, const char *method)
{
	return scope_contains(route->methods, method);
}

/* Notes the poll even if a fault answers it, so that tests see when a client really asked. */
static void note_poll(struct provider *provider, const struct request *request, const json_t *fault)
{
	struct device_code *code = request->endpoint == ENDPOINT_TOKEN ? token_request_code(provider, request) : NULL;

	if (!code)
		return;
	code_note_poll(code, request->now_ms);
	if (fault && fault_row(fault) == ERROR_SLOW_DOWN)
		code->interval_ms += SLOW_DOWN_MS;
}

static void answer_by_route(struct provider *provider, const struct request *request, const struct route *route,
			    bool within_limit, struct answer *answer)
{
	if (!route)
		answer_error(answer, ERROR_NOT_FOUND);
	else if (!method_allowed(route, request->method))
		answer_error(answer, ERROR_METHOD_NOT_ALLOWED);
	else if (!within_limit)
		answer_error(answer, ERROR_RATE_LIMIT);
	else if (route->takes_form && !request->form_valid)
		answer_error(answer, ERROR_CONTENT_TYPE);
	else
		route->function(provider, request, answer);
}

uint64_t provider_answer(struct provider *provider, struct request *request, struct answer *ret_answer)
{
	_cleanup_free_ char *request_id = random_token("");
	const struct route *found = route(provider, request);
	json_int_t limit = setting_integer(provider->settings, "rate_limit");
	json_int_t room = limit - setting_integer(provider->settings, "rate_limit_others");
	bool within_limit = true;
	json_t *fault = NULL;
	uint64_t number;

	request->endpoint = found ? found->endpoint : ENDPOINT_OTHER;
	number = journal_arrival(&provider->journal, request);
	if (limits_apply_to(request->endpoint)) {
		within_limit = limits_take(&provider->limits, request->endpoint, (long)room, request->now_ms) ||
			       !setting_true(provider->settings, "enforce_rate_limit");
		limits_report(&provider->limits, request->endpoint, (long)limit, (long)room, request->now_ms,
			      ret_answer);
	}
	if (request->endpoint != ENDPOINT_CONTROL)
		fault = faults_take(&provider->faults, request->endpoint);
	note_poll(provider, request, fault);
	if (!fault || !fault_replaces_endpoint(fault))
		answer_by_route(provider, request, found, within_limit, ret_answer);
	if (fault)
		fault_apply(fault, request->now_ms, ret_answer);
	json_decref(fault);
	answer_set_header(ret_answer, "X-Okta-Request-Id", request_id);
	journal_status(&provider->journal, number, ret_answer->reset ? 0 : ret_answer->status);
	return number;
}
