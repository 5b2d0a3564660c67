/* Discovery and keys: what a client reads before it asks anything. */

#include <string.h>

#include "common/cleanup.h"
#include "tests/issuer/endpoints.h"
#include "tests/issuer/must.h"
#include "tests/issuer/settings.h"

static void allow_caching(const struct provider *provider, struct answer *answer)
{
	answer_set_header(answer, "Pragma", NULL);
	answer_set_header(answer, "Expires", NULL);
	answer_set_headerf(answer, "Cache-Control", "max-age=%lld, must-revalidate",
			   (long long)setting_integer(provider->settings, "cache_max_age"));
}

static void set_endpoint(json_t *document, const struct request *request, const char *member, const char *tail)
{
	json_object_set_new(document, member, must(json_sprintf("%s/v1/%s", request->endpoints, tail)));
}

/* What Okta says about itself, whatever the issuer: lists, their items separated by commas. */
static const char *const CAPABILITIES[][2] = {
	{ "response_types_supported", "code,id_token,code id_token,code token,id_token token,code id_token token" },
	{ "response_modes_supported", "query,fragment,form_post,okta_post_message" },
	{ "grant_types_supported",
	  "authorization_code,implicit,refresh_token,password,urn:ietf:params:oauth:grant-type:device_code" },
	{ "subject_types_supported", "public" },
	{ "id_token_signing_alg_values_supported", "RS256" },
	{ "scopes_supported", "openid,email,profile,address,phone,offline_access,groups" },
	{ "token_endpoint_auth_methods_supported",
	  "client_secret_basic,client_secret_post,client_secret_jwt,private_key_jwt,none" },
	{ "claims_supported", "iss,ver,sub,aud,iat,exp,jti,auth_time,amr,idp,nonce,name,nickname,preferred_username,"
			      "given_name,middle_name,family_name,email,email_verified,profile,zoneinfo,locale,address,"
			      "phone_number,picture,website,gender,birthdate,updated_at,at_hash,c_hash" },
	{ "code_challenge_methods_supported", "S256" },
};

static json_t *list_of(const char *items)
{
	json_t *list = must(json_array());

	for (size_t length; *items; items += length + (items[length] == ',')) {
		length = strcspn(items, ",");
		json_array_append_new(list, must(json_stringn(items, length)));
	}
	return list;
}

void answer_discovery(struct provider *provider, const struct request *request, struct answer *answer)
{
	json_t *document = must(json_pack("{s:s}", "issuer", request->issuer));

	set_endpoint(document, request, "authorization_endpoint", "authorize");
	set_endpoint(document, request, "device_authorization_endpoint", "device/authorize");
	set_endpoint(document, request, "token_endpoint", "token");
	set_endpoint(document, request, "userinfo_endpoint", "userinfo");
	set_endpoint(document, request, "jwks_uri", "keys");
	set_endpoint(document, request, "introspection_endpoint", "introspect");
	set_endpoint(document, request, "revocation_endpoint", "revoke");
	set_endpoint(document, request, "end_session_endpoint", "logout");
	for (size_t i = 0; i < sizeof CAPABILITIES / sizeof CAPABILITIES[0]; i++)
		json_object_set_new(document, CAPABILITIES[i][0], list_of(CAPABILITIES[i][1]));
	json_overlay(document, json_object_get(provider->settings, "discovery"));
	answer_json(answer, 200, document);
	allow_caching(provider, answer);
}

static bool asked_for(const struct provider *provider, const char *key)
{
	const char *signing = json_string_value(json_object_get(provider->wrongs, "key"));

	return json_is_true(json_object_get(json_object_get(provider->settings, "keys"), key)) ||
	       (signing && strcmp(signing, key) == 0);
}

/* settings.keys: {"ec": true, "weak512": true, "extra": [JWK...] (put first), "members": {...for each key}, "raw": any}
 */
void answer_keys(struct provider *provider, const struct request *request, struct answer *answer)
{
	json_t *setting = json_object_get(provider->settings, "keys");
	json_t *set = keyring_jwks(provider->keyring, asked_for(provider, "ec"), asked_for(provider, "weak512"));
	json_t *keys = json_object_get(set, "keys");
	json_t *extra = json_object_get(setting, "extra");
	json_t *raw = json_object_get(setting, "raw");
	json_t *key;
	size_t index;

	(void)request;
	json_array_foreach (keys, index, key)
		json_overlay(key, json_object_get(setting, "members"));
	json_array_foreach (extra, index, key)
		json_array_insert(keys, index, key);
	if (raw) {
		json_decref(set);
		set = json_incref(raw);
	}
	answer_json(answer, 200, set);
	allow_caching(provider, answer);
}
