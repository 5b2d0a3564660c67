/*
 * ID tokens, access tokens and the claims of /userinfo: as Okta gives them, or wrong in the way that a test asks for.
 *
 * What shall be wrong stands in provider->wrongs, a JSON object that README.md describes under "token".
 */
#ifndef ISSUER_ID_TOKEN_H
#define ISSUER_ID_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct provider;

/* One person's approved sign-in. Nothing in it is owned. */
struct signin {
	const json_t *user;
	const char *client_id;
	const char *scope;
	const char *issuer;
	bool org;
	int64_t now_s;
	int64_t auth_time_s;
};

/* What a test may set. NULL when `wrongs` is such an object; else what is wrong with it, which the caller frees. */
char *wrongs_fault(json_t *wrongs);

/* The caller frees. */
char *access_token_make(struct provider *provider, const struct signin *signin);
char *id_token_make(struct provider *provider, const struct signin *signin, const char *access_token);
/* The claims that these scopes give (OpenID Connect Core, 5.4). The caller owns the result. */
json_t *userinfo_claims(const struct provider *provider, const json_t *user, const char *scope);

#endif
