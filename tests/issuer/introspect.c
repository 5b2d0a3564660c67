/* Introspection and revocation of access tokens. */

#include <string.h>

#include "tests/issuer/clients.h"
#include "tests/issuer/endpoints.h"
#include "tests/issuer/errors.h"
#include "tests/issuer/grants.h"
#include "tests/issuer/must.h"

/* The grant behind the request's token when it is this client's own. False when the answer is filled in already. */
static bool find_own_grant(struct provider *provider, const struct request *request, const json_t **ret_grant,
			   struct answer *answer)
{
	const char *token = form_get(&request->form, "token");
	const json_t *grant;
	json_t *client;

	if (!client_authenticate(provider, request, &client, answer))
		return false;
	if (!token) {
		answer_error(answer, ERROR_INVALID_REQUEST);
		return false;
	}
	grant = grants_find(provider->grants, token, request->now_ms / 1000);
	if (grant && strcmp(json_string_value(json_object_get(grant, "client_id")), client_text(client, "id")) != 0)
		grant = NULL;
	*ret_grant = grant;
	return true;
}

void answer_introspect(struct provider *provider, const struct request *request, struct answer *answer)
{
	const json_t *grant;
	json_t *body;

	if (!find_own_grant(provider, request, &grant, answer))
		return;
	body = must(json_pack("{s:b}", "active", grant != NULL));
	if (grant) {
		json_object_set_new(body, "token_type", json_string("Bearer"));
		json_object_set(body, "scope", json_object_get(grant, "scope"));
		json_object_set(body, "client_id", json_object_get(grant, "client_id"));
		json_object_set(body, "username", json_object_get(grant, "username"));
		json_object_set(body, "sub", json_object_get(grant, "username"));
		json_object_set(body, "uid", json_object_get(grant, "sub"));
		json_object_set(body, "iss", json_object_get(grant, "issuer"));
		json_object_set(body, "iat", json_object_get(grant, "iat"));
		json_object_set(body, "exp", json_object_get(grant, "exp"));
	}
	answer_json(answer, 200, body);
}

/* Unknown tokens are revoked as well as any (RFC 7009, 2.2). */
void answer_revoke(struct provider *provider, const struct request *request, struct answer *answer)
{
	const json_t *grant;

	if (!find_own_grant(provider, request, &grant, answer))
		return;
	if (grant)
		json_object_del(provider->grants, form_get(&request->form, "token"));
	answer->status = 200;
	answer_set_body(answer, must_copy(""), 0);
}
