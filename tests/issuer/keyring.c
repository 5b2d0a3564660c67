#include "tests/issuer/keyring.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "common/cleanup.h"
#include "tests/issuer/encoding.h"
#include "tests/issuer/must.h"

#define KEPT_KEYS_MAX 8

struct signing_key {
	EVP_PKEY *pkey;
	char *kid;
};

struct keyring {
	struct signing_key current;
	struct signing_key kept[KEPT_KEYS_MAX];
	size_t kept_count;
	struct signing_key other;
	struct signing_key weak512;
	struct signing_key ec;
};

static void make_rsa(struct signing_key *key, unsigned bits)
{
	key->pkey = must(EVP_RSA_gen(bits));
	key->kid = random_token("");
}

static void drop(struct signing_key *key)
{
	EVP_PKEY_free(key->pkey);
	free(key->kid);
	*key = (struct signing_key){ NULL, NULL };
}

struct keyring *keyring_new(void)
{
	struct keyring *keyring = must(calloc(1, sizeof *keyring));

	make_rsa(&keyring->current, 2048);
	return keyring;
}

void keyring_free(struct keyring *keyring)
{
	if (!keyring)
		return;
	drop(&keyring->current);
	for (size_t i = 0; i < keyring->kept_count; i++)
		drop(&keyring->kept[i]);
	drop(&keyring->other);
	drop(&keyring->weak512);
	drop(&keyring->ec);
	free(keyring);
}

void keyring_rotate(struct keyring *keyring, bool keep_old)
{
	if (!keep_old) {
		drop(&keyring->current);
	} else {
		if (keyring->kept_count == KEPT_KEYS_MAX) {
			drop(&keyring->kept[0]);
			memmove(keyring->kept, keyring->kept + 1, (KEPT_KEYS_MAX - 1) * sizeof keyring->kept[0]);
			keyring->kept_count--;
		}
		keyring->kept[keyring->kept_count++] = keyring->current;
	}
	make_rsa(&keyring->current, 2048);
}

EVP_PKEY *keyring_key(struct keyring *keyring, const char *name, const char **ret_kid)
{
	struct signing_key *key = NULL;

	if (strcmp(name, "current") == 0) {
		key = &keyring->current;
	} else if (strcmp(name, "other") == 0) {
		key = &keyring->other;
		if (!key->pkey)
			make_rsa(key, 2048);
	} else if (strcmp(name, "weak512") == 0) {
		key = &keyring->weak512;
		if (!key->pkey)
			make_rsa(key, 512);
	} else if (strcmp(name, "ec") == 0) {
		key = &keyring->ec;
		if (!key->pkey) {
			key->pkey = must(EVP_EC_gen("P-256"));
			key->kid = random_token("");
		}
	}
	if (!key)
		return NULL;
	*ret_kid = key == &keyring->other ? keyring->current.kid : key->kid;
	return key->pkey;
}

/* One integer of a key as base64url, as long as `width` bytes (0: as long as it needs). The caller frees. */
static char *key_integer(const EVP_PKEY *pkey, const char *parameter, int width)
{
	BIGNUM *number = NULL;
	_cleanup_free_ unsigned char *bytes = NULL;
	char *text;

	must(EVP_PKEY_get_bn_param(pkey, parameter, &number) == 1 ? number : NULL);
	if (width == 0)
		width = BN_num_bytes(number);
	bytes = must(malloc((size_t)width));
	BN_bn2binpad(number, bytes, width);
	text = base64url_encode(bytes, (size_t)width);
	BN_free(number);
	return text;
}

static json_t *rsa_jwk(const struct signing_key *key)
{
	_cleanup_free_ char *n = key_integer(key->pkey, OSSL_PKEY_PARAM_RSA_N, 0);
	_cleanup_free_ char *e = key_integer(key->pkey, OSSL_PKEY_PARAM_RSA_E, 0);

	return must(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kty", "RSA", "alg", "RS256", "kid", key->kid, "use",
			      "sig", "e", e, "n", n));
}

static json_t *ec_jwk(const struct signing_key *key)
{
	_cleanup_free_ char *x = key_integer(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, 32);
	_cleanup_free_ char *y = key_integer(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, 32);

	return must(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "kty", "EC", "alg", "ES256", "kid", key->kid,
			      "use", "sig", "crv", "P-256", "x", x, "y", y));
}

json_t *keyring_jwks(struct keyring *keyring, bool with_ec, bool with_weak512)
{
	json_t *keys = must(json_array());
	const char *kid;

	json_array_append_new(keys, rsa_jwk(&keyring->current));
	for (size_t i = 0; i < keyring->kept_count; i++)
		json_array_append_new(keys, rsa_jwk(&keyring->kept[i]));
	if (with_ec && keyring_key(keyring, "ec", &kid))
		json_array_append_new(keys, ec_jwk(&keyring->ec));
	if (with_weak512 && keyring_key(keyring, "weak512", &kid))
		json_array_append_new(keys, rsa_jwk(&keyring->weak512));
	return must(json_pack("{s:o}", "keys", keys));
}
