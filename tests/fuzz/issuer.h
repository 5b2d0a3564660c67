/*
 * The issuer of the fuzz targets: always the same keys, so that an input means the same in every run. Worth nothing
 * outside of them.
 */
#ifndef TESTS_FUZZ_ISSUER_H
#define TESTS_FUZZ_ISSUER_H

#include <openssl/param_build.h>

#include "pam_oidc/id_token.h"
#include "pam_oidc/jwks.h"
#include "tests/unit/forge.h"

#define ISSUER "https://clinic.okta.example"
#define CLIENT "0oa1client"
#define SUBJECT "00u1alice"
#define ACCESS_TOKEN "an opaque access token"
#define NOW ((int64_t)1900000000)

enum issuer_key { KEY_P256, KEY_P384, KEY_P521, KEY_RSA, KEY_UNPUBLISHED, KEY_COUNT };

static struct {
	EVP_PKEY *keys[KEY_COUNT];
	struct jwks *published;
} issuer;

static const char *const issuer_kids[KEY_COUNT] = { "p256", "p384", "p521", "rsa", "unpublished" };
static const char *const issuer_algs[KEY_COUNT] = { "ES256", "ES384", "ES512", "RS256", "ES256" };

/* 1024 bits of the same byte, and the distance to the next prime. */
static BIGNUM *issuer_prime(unsigned char byte, unsigned distance)
{
	unsigned char bytes[128];
	BIGNUM *prime;

	memset(bytes, byte, sizeof(bytes));
	prime = BN_bin2bn(bytes, sizeof(bytes), NULL);
	forge_must(prime && BN_add_word(prime, distance) == 1);
	return prime;
}

static EVP_PKEY *issuer_key_of(const char *kind, OSSL_PARAM_BLD *numbers)
{
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(numbers);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;

	forge_must(parameters && context && EVP_PKEY_fromdata_init(context) == 1);
	forge_must(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters) == 1);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(numbers);
	return key;
}

static EVP_PKEY *issuer_rsa_key(void)
{
	BN_CTX *context = BN_CTX_new();
	BIGNUM *p = issuer_prime(0xf7, 426), *q = issuer_prime(0xe5, 546), *e = BN_new(), *one = BN_new();
	BIGNUM *n = BN_new(), *p1 = BN_dup(p), *q1 = BN_dup(q), *phi = BN_new(), *d, *dp = BN_new(), *dq = BN_new(),
	       *qi;
	OSSL_PARAM_BLD *numbers = OSSL_PARAM_BLD_new();
	EVP_PKEY *key;

	forge_must(BN_set_word(e, 65537) && BN_mul(n, p, q, context) && BN_sub_word(p1, 1) && BN_sub_word(q1, 1));
	forge_must(BN_mul(phi, p1, q1, context) && (d = BN_mod_inverse(NULL, e, phi, context)));
	forge_must(BN_mod(dp, d, p1, context) && BN_mod(dq, d, q1, context));
	forge_must((qi = BN_mod_inverse(NULL, q, p, context)));
	forge_must(OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_N, n) &&
		   OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_E, e) &&
		   OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_D, d) &&
		   OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_FACTOR1, p) &&
		   OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_FACTOR2, q) &&
		   OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_EXPONENT1, dp) &&
		   OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_EXPONENT2, dq) &&
		   OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, qi));
	key = issuer_key_of("RSA", numbers);
	BIGNUM *const all[] = { p, q, e, one, n, p1, q1, phi, d, dp, dq, qi };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		BN_free(all[i]);
	BN_CTX_free(context);
	return key;
}

static EVP_PKEY *issuer_ec_key(const char *curve, unsigned char byte)
{
	unsigned char bytes[32], point[256];
	BN_CTX *context = BN_CTX_new();
	EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_txt2nid(curve));
	EC_POINT *public = EC_POINT_new(group);
	OSSL_PARAM_BLD *numbers = OSSL_PARAM_BLD_new();
	BIGNUM *private;
	EVP_PKEY *key;
	size_t length;

	memset(bytes, byte, sizeof(bytes));
	private = BN_bin2bn(bytes, sizeof(bytes), NULL);
	forge_must(private && EC_POINT_mul(group, public, private, NULL, NULL, context));
	length = EC_POINT_point2oct(group, public, POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point), context);
	forge_must(length > 0 && OSSL_PARAM_BLD_push_utf8_string(numbers, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) &&
		   OSSL_PARAM_BLD_push_octet_string(numbers, OSSL_PKEY_PARAM_PUB_KEY, point, length) &&
		   OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_PRIV_KEY, private));
	key = issuer_key_of("EC", numbers);
	BN_free(private);
	EC_POINT_free(public);
	EC_GROUP_free(group);
	BN_CTX_free(context);
	return key;
}

__attribute__((unused)) static void issuer_make(void)
{
	json_t *list = json_array(), *document = json_pack("{s:o}", "keys", list);
	char fault[128] = "", *text;

	issuer.keys[KEY_P256] = issuer_ec_key("prime256v1", 0x11);
	issuer.keys[KEY_P384] = issuer_ec_key("secp384r1", 0x22);
	issuer.keys[KEY_P521] = issuer_ec_key("secp521r1", 0x33);
	issuer.keys[KEY_RSA] = issuer_rsa_key();
	issuer.keys[KEY_UNPUBLISHED] = issuer_ec_key("prime256v1", 0x44);
	for (enum issuer_key key = 0; key < KEY_UNPUBLISHED; key++)
		forge_must(json_array_append_new(list, forge_jwk(issuer.keys[key], issuer_kids[key])) == 0);
	text = json_dumps(document, JSON_COMPACT);
	issuer.published = jwks_parse(text, strlen(text), fault, sizeof(fault));
	forge_must(issuer.published && jwks_count(issuer.published) == KEY_UNPUBLISHED);
	free(text);
	json_decref(document);
}

#endif
