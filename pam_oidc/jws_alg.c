/*
 * The table of signature algorithms. See jws_alg.h.
 */
#include "pam_oidc/jws_alg.h"

#include <string.h>

static const struct jws_alg algs[] = {
	{ .name = "RS256", .key_type = JWK_RSA, .digest = EVP_sha256 },
	{ .name = "RS384", .key_type = JWK_RSA, .digest = EVP_sha384 },
	{ .name = "RS512", .key_type = JWK_RSA, .digest = EVP_sha512 },
	{ .name = "PS256", .key_type = JWK_RSA, .digest = EVP_sha256 },
	{ .name = "PS384", .key_type = JWK_RSA, .digest = EVP_sha384 },
	{ .name = "PS512", .key_type = JWK_RSA, .digest = EVP_sha512 },
	{ .name = "ES256", .key_type = JWK_EC, .curve_bits = 256, .digest = EVP_sha256 },
	{ .name = "ES384", .key_type = JWK_EC, .curve_bits = 384, .digest = EVP_sha384 },
	{ .name = "ES512", .key_type = JWK_EC, .curve_bits = 521, .digest = EVP_sha512 },
};

const struct jws_alg *jws_alg_named(const char *name)
{
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (strcmp(algs[i].name, name) == 0)
			return &algs[i];
	return NULL;
}
