/*
 * Makes the keys. See keys.h.
 */
#include "tests/forged_tokens/keys.h"

#include "tests/unit/forge.h"

static struct keys keys;

static json_t *with(json_t *jwk, const char *member, json_t *value)
{
	forge_must(value && json_object_set_new(jwk, member, value) == 0);
	return jwk;
}

static void publish(json_t *list, json_t *jwk)
{
	forge_must(json_array_append_new(list, jwk) == 0);
}

static EVP_PKEY *rsa_with_exponent_3(void)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *three = BN_new();
	EVP_PKEY *key = NULL;

	forge_must(context && three && BN_set_word(three, 3) == 1);
	forge_must(EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1);
	forge_must(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, three) == 1);
	forge_must(EVP_PKEY_generate(context, &key) == 1);
	BN_free(three);
	EVP_PKEY_CTX_free(context);
	return key;
}

/* Another point: x as it is, y of another key. */
static json_t *off_curve(void)
{
	json_t *jwk = forge_jwk(keys.ec, KID_OFF_CURVE);
	json_t *other = forge_jwk(keys.mallory_ec, "");

	(void)with(jwk, "y", json_incref(json_object_get(other, "y")));
	json_decref(other);
	return jwk;
}

static void publish_sound(json_t *list)
{
	publish(list, forge_jwk(keys.rsa, KID_RSA));
	publish(list, with(forge_jwk(keys.rsa_second, KID_RSA_SECOND), "use", json_string("sig")));
	publish(list, with(forge_jwk(keys.ec, KID_EC), "alg", json_string("ES256")));
	publish(list, forge_jwk(keys.p384, KID_P384));
	publish(list, forge_jwk(keys.p521, KID_P521));
	publish(list, forge_jwk(keys.e3, KID_E3));
	publish(list, with(forge_jwk(keys.rsa, KID_ONLY_RS384), "alg", json_string("RS384")));
}

static void publish_bad(json_t *list)
{
	_cleanup_free_ char *secret = forge_base64url(OCT_SECRET, strlen(OCT_SECRET));

	publish(list, forge_jwk(keys.weak_512, KID_WEAK_512));
	publish(list, forge_jwk(keys.weak_1024, KID_WEAK_1024));
	publish(list, forge_jwk(keys.weak_2040, KID_WEAK_2040));
	publish(list, with(forge_jwk(keys.rsa, KID_ENC), "use", json_string("enc")));
	publish(list, with(forge_jwk(keys.ec, KID_ENC "-ec"), "use", json_string("enc")));
	publish(list, with(forge_jwk(keys.rsa, KID_EMPTY_USE), "use", json_string("")));
	publish(list, with(forge_jwk(keys.rsa, KID_NO_VERIFY), "key_ops", json_pack("[s]", "sign")));
	publish(list, forge_jwk(keys.rsa, KID_TWICE));
	publish(list, forge_jwk(keys.mallory_rsa, KID_TWICE));
	publish(list, json_pack("{s:s, s:s, s:s, s:s}", "kty", "oct", "kid", KID_OCT, "k", secret, "alg", "HS256"));
	publish(list, with(forge_jwk(keys.rsa, KID_E1), "e", json_string("AQ")));
	publish(list, with(forge_jwk(keys.rsa, KID_PRIVATE), "d", json_string("AQAB")));
	publish(list, with(forge_jwk(keys.ec, KID_EC_OTHER_CURVE), "crv", json_string("P-384")));
	publish(list, off_curve());
}

static struct jwks *parse(json_t *list, char **ret_text)
{
	json_t *document = json_pack("{s:O}", "keys", list);
	char *text = json_dumps(document, JSON_COMPACT);
	char fault[256] = "";
	struct jwks *parsed = text ? jwks_parse(text, strlen(text), fault, sizeof(fault)) : NULL;

	forge_must(parsed);
	json_decref(document);
	if (ret_text)
		*ret_text = text;
	else
		free(text);
	return parsed;
}

static struct jwks *parse_reversed(const json_t *list)
{
	json_t *reversed = json_array();
	struct jwks *parsed;

	for (size_t i = json_array_size(list); i > 0; i--)
		forge_must(json_array_append(reversed, json_array_get(list, i - 1)) == 0);
	parsed = parse(reversed, NULL);
	json_decref(reversed);
	return parsed;
}

const struct keys *keys_make(void)
{
	json_t *list = json_array(), *alone = json_array();

	keys.rsa = EVP_RSA_gen(2048);
	keys.rsa_second = EVP_RSA_gen(2048);
	keys.mallory_rsa = EVP_RSA_gen(2048);
	keys.hospital_rsa = EVP_RSA_gen(2048);
	keys.weak_512 = EVP_RSA_gen(512);
	keys.weak_1024 = EVP_RSA_gen(1024);
	keys.weak_2040 = EVP_RSA_gen(2040);
	keys.ec = EVP_EC_gen("P-256");
	keys.mallory_ec = EVP_EC_gen("P-256");
	keys.p384 = EVP_EC_gen("P-384");
	keys.p521 = EVP_EC_gen("P-521");
	keys.e3 = rsa_with_exponent_3();
	forge_must(keys.rsa && keys.rsa_second && keys.mallory_rsa && keys.hospital_rsa && keys.weak_512 &&
		   keys.weak_1024 && keys.weak_2040 && keys.ec && keys.mallory_ec && keys.p384 && keys.p521);
	publish_sound(list);
	publish_bad(list);
	keys.published = parse(list, &keys.published_text);
	keys.published_reversed = parse_reversed(list);
	publish(alone, forge_jwk(keys.rsa, KID_RSA));
	keys.published_alone = parse(alone, NULL);
	/* The sound ones are there, or no refusal below would mean anything. */
	forge_must(jwks_count(keys.published) == 7);
	json_decref(list);
	json_decref(alone);
	return &keys;
}

const struct keys *keys_made(void)
{
	return &keys;
}

void keys_free(void)
{
	EVP_PKEY *all[] = { keys.rsa,       keys.rsa_second, keys.ec,          keys.p384,
			    keys.p521,      keys.e3,         keys.weak_512,    keys.weak_1024,
			    keys.weak_2040, keys.mallory_ec, keys.mallory_rsa, keys.hospital_rsa };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		EVP_PKEY_free(all[i]);
	jwks_free(keys.published);
	jwks_free(keys.published_reversed);
	jwks_free(keys.published_alone);
	free(keys.published_text);
}
