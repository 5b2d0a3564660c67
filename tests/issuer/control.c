/* The control endpoint: POST /_control/VERB with a JSON body, from this machine only. README.md describes the verbs. */

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "tests/issuer/clients.h"
#include "tests/issuer/endpoints.h"
#include "tests/issuer/errors.h"
#include "tests/issuer/id_token.h"
#include "tests/issuer/must.h"
#include "tests/issuer/settings.h"
#include "tests/issuer/users.h"

/* Does what the body says. NULL; or what is wrong, which the caller frees. A verb with an answer of its own sets
 * *ret_answer. */
typedef char *verb_function(struct provider *provider, const struct request *request, json_t *body,
			    json_t **ret_answer);

static char *do_reset(struct provider *provider, const struct request *request, json_t *body, json_t **ret_answer)
{
	(void)request, (void)body, (void)ret_answer;
	provider_reset(provider);
	return NULL;
}

static char *do_settings(struct provider *provider, const struct request *request, json_t *body, json_t **ret_answer)
{
	(void)request, (void)ret_answer;
	return settings_change(provider->settings, body);
}

/* A missing, empty or null user code stands for the sign-in that began last. */
static char *decide(struct provider *provider, const struct request *request, const json_t *user_code,
		    enum code_state state, const char *user, json_t **ret_answer)
{
	const char *text = json_string_value(user_code);
	struct device_code *code;

	if (text && *text)
		code = codes_by_user_code(provider->codes, text);
	else
		code = codes_newest_pending(provider->codes, request->now_ms);
	if (!code)
		return must_copy(text && *text ? "there is no such user code" : "no sign-in is waiting");
	if (!code_decide(code, state, user, request->now_ms))
		return must_copy("that sign-in was decided already or has expired");
	*ret_answer = must(json_pack("{s:b, s:s}", "ok", 1, "user_code", code->user_code));
	return NULL;
}

static char *do_approve(struct provider *provider, const struct request *request, json_t *body, json_t **ret_answer)
{
	json_t *user_code = NULL;
	const char *who, *name;
	json_error_t error;

	if (json_unpack_ex(body, &error, 0, "{s?o, s:s !}", "user_code", &user_code, "user", &who) != 0)
		return must_format("approve: %s", error.text);
	if (!users_find(provider->users, who, &name))
		return must_format("there is no user %s", who);
	return decide(provider, request, user_code, CODE_APPROVED, name, ret_answer);
}

static char *do_deny(struct provider *provider, const struct request *request, json_t *body, json_t **ret_answer)
{
	json_t *user_code = NULL;
	json_error_t error;

	if (json_unpack_ex(body, &error, 0, "{s?o !}", "user_code", &user_code) != 0)
		return must_format("deny: %s", error.text);
	return decide(provider, request, user_code, CODE_DENIED, NULL, ret_answer);
}

static char *do_fault(struct provider *provider, const struct request *request, json_t *body, json_t **ret_answer)
{
	(void)request, (void)ret_answer;
	return faults_add(&provider->faults, body);
}

static char *do_clear_faults(struct provider *provider, const struct request *request, json_t *body,
			     json_t **ret_answer)
{
	(void)request, (void)body, (void)ret_answer;
	faults_clear(&provider->faults);
	return NULL;
}

static char *do_token(struct provider *provider, const struct request *request, json_t *body, json_t **ret_answer)
{
	char *fault = wrongs_fault(body);

	(void)request, (void)ret_answer;
	if (fault)
		return fault;
	json_decref(provider->wrongs);
	provider->wrongs = must(json_deep_copy(body));
	return NULL;
}

static char *do_rotate_keys(struct provider *provider, const struct request *request, json_t *body, json_t **ret_answer)
{
	int keep_old = 0;
	json_error_t error;
	const char *kid;

	(void)request;
	if (json_unpack_ex(body, &error, 0, "{s?b !}", "keep_old", &keep_old) != 0)
		return must_format("rotate_keys: %s", error.text);
	keyring_rotate(provider->keyring, keep_old);
	keyring_key(provider->keyring, "current", &kid);
	*ret_answer = must(json_pack("{s:b, s:s}", "ok", 1, "kid", kid));
	return NULL;
}

static char *do_users(struct provider *provider, const struct request *request, json_t *body, json_t **ret_answer)
{
	(void)request, (void)ret_answer;
	return users_add(provider->users, body);
}

static char *do_clients(struct provider *provider, const struct request *request, json_t *body, json_t **ret_answer)
{
	(void)request, (void)ret_answer;
	return clients_add(provider->clients, body);
}

static char *do_state(struct provider *provider, const struct request *request, json_t *body, json_t **ret_answer)
{
	json_t *state = journal_describe(&provider->journal);

	(void)body;
	json_object_set_new(state, "ok", json_true());
	json_object_set_new(state, "codes", codes_describe(provider->codes, request->now_ms));
	json_object_set(state, "settings", provider->settings);
	json_object_set(state, "faults", provider->faults.queue);
	*ret_answer = state;
	return NULL;
}

static const struct {
	const char *name;
	verb_function *function;
} VERBS[] = {
	{ "reset", do_reset },     { "settings", do_settings },
	{ "approve", do_approve }, { "deny", do_deny },
	{ "fault", do_fault },     { "clear_faults", do_clear_faults },
	{ "token", do_token },     { "rotate_keys", do_rotate_keys },
	{ "users", do_users },     { "clients", do_clients },
	{ "state", do_state },
};

static verb_function *verb_named(const char *name)
{
	for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++)
		if (strcmp(VERBS[i].name, name) == 0)
			return VERBS[i].function;
	return NULL;
}

/* An empty body stands for {}. */
static json_t *read_body(const struct request *request)
{
	json_t *body;

	if (request->length == 0)
		return must(json_object());
	body = json_loadb(request->body, request->length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (json_is_object(body))
		return body;
	json_decref(body);
	return NULL;
}

void answer_control(struct provider *provider, const struct request *request, struct answer *answer)
{
	verb_function *verb = verb_named(request->tail);
	_cleanup_free_ char *fault = NULL;
	json_t *own_answer = NULL;
	json_t *body;

	if (!request->from_loopback || !verb) {
		answer_error(answer, ERROR_NOT_FOUND);
		return;
	}
	body = read_body(request);
	fault = body ? verb(provider, request, body, &own_answer) : must_copy("the body is no JSON object");
	json_decref(body);
	if (fault)
		answer_json(answer, 400, json_pack("{s:b, s:s}", "ok", 0, "error", fault));
	else
		answer_json(answer, 200, own_answer ? own_answer : json_pack("{s:b}", "ok", 1));
}
