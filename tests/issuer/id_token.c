#include "tests/issuer/id_token.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "tests/issuer/clients.h"
#include "tests/issuer/encoding.h"
#include "tests/issuer/jws.h"
#include "tests/issuer/must.h"
#include "tests/issuer/provider.h"
#include "tests/issuer/settings.h"
#include "tests/issuer/users.h"

#define IDENTITY_PROVIDER "00o1clinic000000Okta"
#define ACCESS_TOKEN_AUDIENCE "api://default"

char *wrongs_fault(json_t *wrongs)
{
	static const char *const KEYS[] = { "current", "other", "weak512", "ec", "hs256-with-public-key", "none" };
	static const char *const MANGLES[] = { "padded", "corrupt_signature", "no_signature", "two_segments",
					       "four_segments" };
	const char *key = "current", *mangle = "padded", *text;
	json_t *claims = NULL, *header = NULL, *userinfo = NULL, *answer = NULL, *access_token;
	bool known_key = false, known_mangle = false;
	json_error_t error;

	if (json_unpack_ex(wrongs, &error, 0, "{s?o, s?o, s?s, s?o, s?o, s?s, s?o, s?s, s?s, s?s !}", "claims", &claims,
			   "header", &header, "key", &key, "userinfo", &userinfo, "access_token", &access_token,
			   "raw_id_token", &text, "answer", &answer, "mangle", &mangle, "raw_header", &text,
			   "raw_claims", &text) != 0)
		return must_format("token: %s", error.text);
	for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
		known_key |= strcmp(KEYS[i], key) == 0;
	for (size_t i = 0; i < sizeof MANGLES / sizeof MANGLES[0]; i++)
		known_mangle |= strcmp(MANGLES[i], mangle) == 0;
	if (!known_key || !known_mangle)
		return must_format("token: there is no %s %s", known_key ? "mangle" : "key", known_key ? mangle : key);
	if ((claims && !json_is_object(claims)) || (header && !json_is_object(header)) ||
	    (userinfo && !json_is_object(userinfo)) || (answer && !json_is_object(answer)))
		return must_copy("token: claims, header, userinfo and answer are objects");
	return NULL;
}

/* "now", "now+60", "now-60" become numbers, so that a test need not know the time. */
static void resolve_times(json_t *claims, int64_t now_s)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe (claims, next, name, value) {
		const char *text = json_string_value(value);
		char *end;
		long long offset;

		if (!text || strncmp(text, "now", 3) != 0)
			continue;
		offset = strtoll(text + 3, &end, 10);
		if (*end == '\0' && (text[3] == '\0' || text[3] == '+' || text[3] == '-'))
			json_object_set_new(claims, name, json_integer(now_s + offset));
	}
}

static void copy_member(json_t *claims, const json_t *user, const char *member)
{
	json_t *value = json_object_get(user, member);

	if (value)
		json_object_set(claims, member, value);
}

static void add_profile(json_t *claims, const json_t *user)
{
	copy_member(claims, user, "name");
	json_object_set(claims, "preferred_username", json_object_get(user, "login"));
}

static bool groups_wanted(const struct provider *provider, const char *scope)
{
	const json_t *setting = json_object_get(provider->settings, "groups");

	return json_is_true(setting) || (json_is_string(setting) && scope_contains(scope, "groups"));
}

json_t *userinfo_claims(const struct provider *provider, const json_t *user, const char *scope)
{
	json_t *claims = must(json_object());

	copy_member(claims, user, "sub");
	if (scope_contains(scope, "profile")) {
		add_profile(claims, user);
		json_object_set_new(claims, "locale", json_string("en-US"));
		json_object_set_new(claims, "zoneinfo", json_string("America/Los_Angeles"));
		json_object_set_new(claims, "updated_at", json_integer(1700000000));
	}
	if (scope_contains(scope, "email")) {
		copy_member(claims, user, "email");
		copy_member(claims, user, "email_verified");
	}
	if (groups_wanted(provider, scope))
		copy_member(claims, user, "groups");
	json_object_update(claims, json_object_get(user, "claims"));
	json_overlay(claims, json_object_get(provider->wrongs, "userinfo"));
	return claims;
}

static json_t *id_token_claims(const struct provider *provider, const struct signin *signin, const char *access_token)
{
	const json_t *user = signin->user;
	_cleanup_free_ char *jti = random_token("ID.");
	json_t *claims = must(json_pack(
		"{s:O, s:i, s:s, s:s, s:I, s:I, s:s, s:O, s:s, s:I}", "sub", json_object_get(user, "sub"), "ver", 1,
		"iss", signin->issuer, "aud", signin->client_id, "iat", (json_int_t)signin->now_s, "exp",
		(json_int_t)signin->now_s + setting_integer(provider->settings, "id_token_lifetime"), "jti", jti, "amr",
		json_object_get(user, "amr"), "idp", IDENTITY_PROVIDER, "auth_time", (json_int_t)signin->auth_time_s));

	if (scope_contains(signin->scope, "profile"))
		add_profile(claims, user);
	if (!setting_true(provider->settings, "thin")) {
		if (scope_contains(signin->scope, "email")) {
			copy_member(claims, user, "email");
			if (setting_true(provider->settings, "email_verified_in_token"))
				copy_member(claims, user, "email_verified");
		}
		if (groups_wanted(provider, signin->scope))
			copy_member(claims, user, "groups");
	}
	json_object_update(claims, json_object_get(user, "claims"));
	if (access_token) {
		_cleanup_free_ char *hash = jws_left_half_hash(access_token);

		json_object_set_new(claims, "at_hash", json_string(hash));
	}
	json_overlay(claims, json_object_get(provider->wrongs, "claims"));
	resolve_times(claims, signin->now_s);
	return claims;
}

/* The key and the algorithm that it is used with. */
static EVP_PKEY *choose_key(struct provider *provider, const char *name, const char **ret_kid, const char **ret_alg)
{
	if (strcmp(name, "hs256-with-public-key") == 0 || strcmp(name, "none") == 0) {
		*ret_alg = *name == 'n' ? "none" : "HS256";
		name = "current";
	} else {
		*ret_alg = strcmp(name, "ec") == 0 ? "ES256" : "RS256";
	}
	return must(keyring_key(provider->keyring, name, ret_kid));
}

static char *mangled(const char *token, const char *how)
{
	const char *signature = strrchr(token, '.') + 1;

	if (strcmp(how, "no_signature") == 0)
		return must_format("%.*s", (int)(signature - token), token);
	if (strcmp(how, "two_segments") == 0)
		return must_format("%.*s", (int)(signature - token - 1), token);
	if (strcmp(how, "four_segments") == 0)
		return must_format("%s.e30", token);
	if (strcmp(how, "corrupt_signature") == 0 && *signature)
		return must_format("%.*s%s%s", (int)(signature - token), token,
				   strncmp(signature, "A", 1) == 0 ? "B" : "A", signature + 1);
	return must_copy(token);
}

static bool signs_with_header_alg(const char *key_name, const char *alg)
{
	static const char *const RSA_ALGS[] = { "RS256", "RS384", "RS512", "PS256" };

	if (!alg || (key_name && strcmp(key_name, "current") != 0 && strcmp(key_name, "other") != 0))
		return false;
	for (size_t i = 0; i < sizeof RSA_ALGS / sizeof RSA_ALGS[0]; i++)
		if (strcmp(RSA_ALGS[i], alg) == 0)
			return true;
	return false;
}

static char *sign(struct provider *provider, const json_t *claims)
{
	const json_t *wrongs = provider->wrongs;
	const char *key_name = json_string_value(json_object_get(wrongs, "key"));
	const char *mangle = json_string_value(json_object_get(wrongs, "mangle"));
	const char *raw_header = json_string_value(json_object_get(wrongs, "raw_header"));
	const char *raw_claims = json_string_value(json_object_get(wrongs, "raw_claims"));
	_cleanup_free_ char *header_text = NULL, *claims_text = NULL, *token = NULL;
	const char *kid, *usual_alg, *alg;
	EVP_PKEY *key = choose_key(provider, key_name ? key_name : "current", &kid, &usual_alg);
	json_t *header = must(json_pack("{s:s, s:s}", "kid", kid, "alg", usual_alg));

	json_overlay(header, json_object_get(wrongs, "header"));
	alg = json_string_value(json_object_get(header, "alg"));
	header_text = raw_header ? must_copy(raw_header) : must(json_dumps(header, JSON_COMPACT));
	claims_text = raw_claims ? must_copy(raw_claims) : must(json_dumps(claims, JSON_COMPACT));
	/* A header that names another RSA algorithm is signed with that one; otherwise the key's name decides. */
	alg = signs_with_header_alg(key_name, alg) ? alg : usual_alg;
	token = jws_sign(header_text, claims_text, alg, key, mangle && strcmp(mangle, "padded") == 0);
	json_decref(header);
	return mangle ? mangled(token, mangle) : take_pointer(token);
}

static json_t *scope_list(const char *scope)
{
	json_t *list = must(json_array());

	for (scope += strspn(scope, " "); *scope; scope += strspn(scope, " ")) {
		size_t length = strcspn(scope, " ");

		json_array_append_new(list, must(json_stringn(scope, length)));
		scope += length;
	}
	return list;
}

char *access_token_make(struct provider *provider, const struct signin *signin)
{
	_cleanup_free_ char *jti = random_token("AT.");
	_cleanup_free_ char *header_text = NULL, *claims_text = NULL;
	json_t *claims, *header;
	const char *kid;
	EVP_PKEY *key;

	if (signin->org)
		return random_token("");
	key = must(keyring_key(provider->keyring, "current", &kid));
	header = must(json_pack("{s:s, s:s}", "kid", kid, "alg", "RS256"));
	claims = must(json_pack("{s:i, s:s, s:s, s:s, s:I, s:I, s:s, s:O, s:I, s:o, s:O}", "ver", 1, "jti", jti, "iss",
				signin->issuer, "aud", ACCESS_TOKEN_AUDIENCE, "iat", (json_int_t)signin->now_s, "exp",
				(json_int_t)signin->now_s + 3600, "cid", signin->client_id, "uid",
				json_object_get(signin->user, "sub"), "auth_time", (json_int_t)signin->auth_time_s,
				"scp", scope_list(signin->scope), "sub", json_object_get(signin->user, "login")));
	header_text = must(json_dumps(header, JSON_COMPACT));
	claims_text = must(json_dumps(claims, JSON_COMPACT));
	json_decref(header);
	json_decref(claims);
	return jws_sign(header_text, claims_text, "RS256", key, false);
}

char *id_token_make(struct provider *provider, const struct signin *signin, const char *access_token)
{
	const char *raw = json_string_value(json_object_get(provider->wrongs, "raw_id_token"));
	json_t *claims;
	char *token;

	if (raw)
		return must_copy(raw);
	claims = id_token_claims(provider, signin, access_token);
	token = sign(provider, claims);
	json_decref(claims);
	return token;
}
