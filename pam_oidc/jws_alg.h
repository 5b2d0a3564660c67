/*
 * The signature algorithms that an ID token may be signed with (RFC 7518, section 3.1), and which keys fit each. `none`
 * and the HMAC algorithms are not among them, so no configuration can allow them.
 */
#ifndef PAM_OIDC_JWS_ALG_H
#define PAM_OIDC_JWS_ALG_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

enum jwk_type { JWK_RSA, JWK_EC };

struct jws_alg {
	const char *name;
	enum jwk_type key_type;
	unsigned curve_bits;           /* JWK_EC: 256, 384 or 521, the only curve that fits; JWK_RSA: 0 */
	const EVP_MD *(*digest)(void); /* also hashes the access token for at_hash */
};

/* The algorithm of exactly this name, or NULL. Lives for ever. */
const struct jws_alg *jws_alg_named(const char *name);

#endif
