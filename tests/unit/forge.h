/*
 * Makes keys, key sets and signed tokens for tests: sound ones, and forged ones that a library would not make. Signs
 * with OpenSSL alone, so that nothing here shares code with what is tested except base64url.
 */
#ifndef TESTS_UNIT_FORGE_H
#define TESTS_UNIT_FORGE_H

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "pam_oidc/base64url.h"

/* Tests have no use for half a forgery. */
#define forge_must(condition)                                                                               \
	do {                                                                                                \
		if (!(condition)) {                                                                         \
			(void)fprintf(stderr, "%s:%d: cannot forge: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                            \
		}                                                                                           \
	} while (0)

static inline char *forge_base64url(const void *bytes, size_t length)
{
	char *text = base64url_encode(bytes, length);

	forge_must(text);
	return text;
}

/* base64url of a number, left-padded to `size` bytes (0: as short as it is). */
static inline char *forge_number(const BIGNUM *number, size_t size)
{
	unsigned char bytes[2048];
	size_t length = size ? size : (size_t)BN_num_bytes(number);

	forge_must(length <= sizeof(bytes) && BN_bn2binpad(number, bytes, (int)length) == (int)length);
	return forge_base64url(bytes, length);
}

static inline char *forge_key_number(const EVP_PKEY *key, const char *name, size_t size)
{
	BIGNUM *number = NULL;
	char *text;

	forge_must(EVP_PKEY_get_bn_param(key, name, &number) == 1);
	text = forge_number(number, size);
	BN_free(number);
	return text;
}

/* The public half as a JWK with kid and kty, and nothing else. */
static inline json_t *forge_jwk(const EVP_PKEY *key, const char *kid)
{
	bool rsa = EVP_PKEY_is_a(key, "RSA");
	unsigned bits = (unsigned)EVP_PKEY_get_bits(key);
	size_t size = rsa ? 0 : (bits + 7) / 8;
	_cleanup_free_ char *one = forge_key_number(key, rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_EC_PUB_X, size);
	_cleanup_free_ char *other =
		forge_key_number(key, rsa ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_EC_PUB_Y, size);
	json_t *jwk;

	if (rsa)
		jwk = json_pack("{s:s, s:s, s:s, s:s}", "kty", "RSA", "kid", kid, "n", one, "e", other);
	else
		jwk = json_pack("{s:s, s:s, s:s, s:s, s:s}", "kty", "EC", "kid", kid, "crv",
				bits == 256   ? "P-256"
				: bits == 384 ? "P-384"
					      : "P-521",
				"x", one, "y", other);
	forge_must(jwk);
	return jwk;
}

static inline const EVP_MD *forge_digest(const char *alg)
{
	return strstr(alg, "512") ? EVP_sha512() : strstr(alg, "384") ? EVP_sha384() : EVP_sha256();
}

/* R and S side by side, as RFC 7518 wants them. */
static inline size_t forge_flat_ecdsa(unsigned char *signature, size_t length, size_t size)
{
	const unsigned char *der = signature;
	ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &der, (long)length);

	forge_must(numbers && BN_bn2binpad(ECDSA_SIG_get0_r(numbers), signature, (int)size) == (int)size);
	forge_must(BN_bn2binpad(ECDSA_SIG_get0_s(numbers), signature + size, (int)size) == (int)size);
	ECDSA_SIG_free(numbers);
	return 2 * size;
}

/* Signs with any key and any of the nine algorithms, whether they fit or not: the digest comes from alg, the kind of
 * signature from the key. Returns the length. */
static inline size_t forge_signature(EVP_PKEY *key, const char *alg, const char *text, unsigned char *signature,
				     size_t capacity)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	size_t length = capacity;

	forge_must(context && EVP_DigestSignInit(context, &options, forge_digest(alg), NULL, key) == 1);
	if (strncmp(alg, "PS", 2) == 0) {
		forge_must(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
		forge_must(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1);
	}
	forge_must(EVP_DigestSign(context, signature, &length, (const unsigned char *)text, strlen(text)) == 1);
	EVP_MD_CTX_free(context);
	if (EVP_PKEY_is_a(key, "EC"))
		length = forge_flat_ecdsa(signature, length, ((size_t)EVP_PKEY_get_bits(key) + 7) / 8);
	return length;
}

/* header.payload from their plain texts. */
static inline char *forge_signing_input(const char *header, const char *payload)
{
	_cleanup_free_ char *one = forge_base64url(header, strlen(header));
	_cleanup_free_ char *other = forge_base64url(payload, strlen(payload));
	char *text = NULL;

	forge_must(asprintf(&text, "%s.%s", one, other) > 0);
	return text;
}

static inline char *forge_append_segment(const char *text, const void *bytes, size_t length)
{
	_cleanup_free_ char *segment = forge_base64url(bytes, length);
	char *whole = NULL;

	forge_must(asprintf(&whole, "%s.%s", text, segment) > 0);
	return whole;
}

/* A compact JWS over these texts, which need not be JSON. */
static inline char *forge_token(EVP_PKEY *key, const char *alg, const char *header, const char *payload)
{
	_cleanup_free_ char *text = forge_signing_input(header, payload);
	unsigned char signature[2048];
	size_t length = forge_signature(key, alg, text, signature, sizeof(signature));

	return forge_append_segment(text, signature, length);
}

/* The same with an HMAC, as an attacker makes it who knows only public things. */
static inline char *forge_hmac_token(const void *secret, size_t secret_length, const char *header, const char *payload)
{
	_cleanup_free_ char *text = forge_signing_input(header, payload);
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	forge_must(HMAC(EVP_sha256(), secret, (int)secret_length, (const unsigned char *)text, strlen(text), mac,
			&length));
	return forge_append_segment(text, mac, length);
}

/* at_hash of an access token: the left half of its digest (OpenID Connect Core 1.0, section 3.1.3.6). */
static inline char *forge_at_hash(const char *alg, const char *access_token)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	forge_must(EVP_Digest(access_token, strlen(access_token), digest, &length, forge_digest(alg), NULL) == 1);
	return forge_base64url(digest, length / 2);
}

#endif
