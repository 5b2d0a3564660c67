/*
 * An issuer's published keys (RFC 7517): read strictly, and only those kept that can verify a token's signature safely.
 */
#ifndef PAM_OIDC_JWKS_H
#define PAM_OIDC_JWKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pam_oidc/jws_alg.h"

#define JWKS_SIZE_MAX ((size_t)256 * 1024) /* of the document */
#define JWKS_KEYS_MAX 64
#define JWK_KID_MAX 255
#define JWK_RSA_BITS_MIN 2048
#define JWK_RSA_BITS_MAX 8192

struct octets {
	uint8_t *bytes;
	size_t length;
};

/* One public key that passed every check. Big-endian numbers; n and e without leading zeros, x and y as long as the
 * field. */
struct jwk {
	char *kid;
	enum jwk_type type;
	unsigned bits;             /* of the RSA modulus; EC: 256, 384 or 521 */
	const struct jws_alg *alg; /* the only algorithm it may be used with, or NULL when it names none */
	struct octets n, e;        /* JWK_RSA */
	struct octets x, y;        /* JWK_EC; the point is on the curve */
};

struct jwks;

/* Reads a key set. A document that is not strict JSON with an array `keys` is refused: NULL, and fault is a sentence.
 * Keys in it that are not for us or not sound are skipped and counted (RFC 7517, section 5): other types and curves,
 * RSA outside the bounds above or with an exponent that is even or below 3, a point off its curve, `use` other than
 * sig, `key_ops` without verify, an `alg` that does not fit, no kid, a private part that was published. Keys that share
 * a kid are all skipped, because a token could mean either. A set without any usable key is a result, not a fault. The
 * caller frees it with jwks_free(). */
struct jwks *jwks_parse(const char *json, size_t length, char *fault, size_t fault_size);
void jwks_free(struct jwks *keys);

/* The key with exactly this kid, or NULL. Lives as long as the set. */
const struct jwk *jwks_find(const struct jwks *keys, const char *kid);
size_t jwks_count(const struct jwks *keys);
size_t jwks_skipped(const struct jwks *keys);

/* True when the key may verify this algorithm: type, curve, and the key's own `alg` where it has one. */
bool jwk_fits(const struct jwk *key, const struct jws_alg *alg);

#endif
