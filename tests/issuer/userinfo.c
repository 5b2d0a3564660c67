/* The userinfo endpoint: claims about the person whose access token it is. */

#include <string.h>
#include <strings.h>

#include "tests/issuer/clients.h"
#include "tests/issuer/endpoints.h"
#include "tests/issuer/errors.h"
#include "tests/issuer/grants.h"
#include "tests/issuer/id_token.h"
#include "tests/issuer/users.h"

static const json_t *grant_of(const struct provider *provider, const struct request *request)
{
	const char *token = request->authorization;

	if (!token || strncasecmp(token, "Bearer ", 7) != 0)
		return NULL;
	return grants_find(provider->grants, token + 7 + strspn(token + 7, " "), request->now_ms / 1000);
}

void answer_userinfo(struct provider *provider, const struct request *request, struct answer *answer)
{
	const json_t *grant = grant_of(provider, request);
	const char *issuer = json_string_value(json_object_get(grant, "issuer"));
	const char *scope = json_string_value(json_object_get(grant, "scope"));
	const char *name;
	json_t *user;

	if (!grant || strcmp(issuer, request->issuer) != 0) {
		answer_error(answer, ERROR_INVALID_TOKEN);
		answer_set_header(answer, "WWW-Authenticate",
				  "Bearer error=\"invalid_token\", error_description=\"The access token is invalid.\"");
		return;
	}
	if (!scope_contains(scope, "openid")) {
		answer_error(answer, ERROR_INSUFFICIENT_SCOPE);
		answer_set_header(answer, "WWW-Authenticate", "Bearer error=\"insufficient_scope\"");
		return;
	}
	user = users_find(provider->users, json_string_value(json_object_get(grant, "user")), &name);
	if (!user)
		answer_error(answer, ERROR_INVALID_TOKEN);
	else
		answer_json(answer, 200, userinfo_claims(provider, user, scope));
}
