/*
 * Verifies ID tokens: OpenID Connect Core 1.0, section 3.1.3.7, on top of JWS (RFC 7515), JWT (RFC 7519) and the advice
 * of RFC 8725.
 *
 * Claims can be had only from a struct verified_token, and only id_token_verify() makes one. Pure: the time is given,
 * and nothing is logged, fetched or remembered. That one token makes one sign-in is the caller's to see to
 * (verified_token_jti()).
 */
#ifndef PAM_OIDC_ID_TOKEN_H
#define PAM_OIDC_ID_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/cleanup.h"
#include "pam_oidc/jwks.h"

#define ID_TOKEN_SIZE_MAX ((size_t)64 * 1024)
#define ID_TOKEN_FAULT_MAX 256        /* a fault is never longer, NUL included */
#define ID_TOKEN_CLOCK_SKEW_S 120     /* a good max_clock_skew_s */
#define ID_TOKEN_MAX_AGE_S 600        /* since iat: a token is issued in the answer that brings it, not earlier */
#define ID_TOKEN_MAX_LIFETIME_DAYS 30 /* from iat to exp; more is a misconfigured issuer */

struct id_token_expectations {
	const char *issuer;
	const char *client_id;
	const char *const *algs; /* allowed `alg` values, of those that jws_alg_named() knows; none means RS256 */
	size_t alg_count;
	const char *access_token;        /* that came with it, and that at_hash must then match; NULL when none came */
	int64_t now;                     /* epoch seconds */
	int64_t max_clock_skew_s;        /* between this machine and the issuer, either way */
	int64_t max_auth_age_s;          /* since the person last signed in at the issuer; 0: any */
	const char *const *required_amr; /* every one must be in amr */
	size_t required_amr_count;
};

enum id_token_result {
	ID_TOKEN_OK,
	ID_TOKEN_UNKNOWN_KID, /* fetch the keys once more, then try again */
	ID_TOKEN_INVALID,
	ID_TOKEN_AMR_MISSING,  /* sound, but signed in without a required method */
	ID_TOKEN_AUTH_TOO_OLD, /* sound, but signed in longer ago than max_auth_age_s */
};

struct verified_token;

/* Verifies a compact serialization. ID_TOKEN_OK, and the caller frees *ret_token with verified_token_free(). Anything
 * else, and fault names the part or claim and what is wrong with it ("exp: expired 300 s ago"), without any of the
 * token's text. keys may be NULL (none known yet), which makes every kid unknown. */
enum id_token_result id_token_verify(const char *compact, size_t length, const struct jwks *keys,
				     const struct id_token_expectations *expected, struct verified_token **ret_token,
				     char *fault, size_t fault_size);
void verified_token_free(struct verified_token *token);

/* What was verified. Every pointer lives as long as the token. */
const char *verified_token_issuer(const struct verified_token *token);
const char *verified_token_client_id(const struct verified_token *token);
const char *verified_token_subject(const struct verified_token *token);
/* Names this token among all of its issuer's: its jti; for a token without one, "sha256:" and a digest of its signed
 * part. Never NULL. */
const char *verified_token_jti(const struct verified_token *token);
/* Epoch seconds: the last moment at which id_token_verify() could accept this token again, clock skew included. A jti
 * must be remembered until it is past; `exp` alone would leave a gap. */
int64_t verified_token_acceptable_until(const struct verified_token *token);
int64_t verified_token_expiry(const struct verified_token *token);
/* When the person signed in at the issuer, epoch seconds; 0 when the token does not say. */
int64_t verified_token_auth_time(const struct verified_token *token);
/* amr's strings; NULL past the end. */
const char *verified_token_amr(const struct verified_token *token, size_t index);
/* All claims, for the profile's members (email, name, groups ...). Their types are not checked; those above are. */
const json_t *verified_token_claims(const struct verified_token *token);

static inline void cleanup_verified_token(struct verified_token *const *token)
{
	verified_token_free(*token);
}

#define _cleanup_verified_token_ _cleanup_(cleanup_verified_token)

#endif
