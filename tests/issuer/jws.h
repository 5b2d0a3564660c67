/*
 * Compact JWS (RFC 7515) on OpenSSL's EVP alone, so that wrong ones can be made as well as right ones.
 *
 * Signs whatever it is given and judges nothing but signatures; claims are for id_token.c and client_assertion.c.
 */
#ifndef ISSUER_JWS_H
#define ISSUER_JWS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>
#include <openssl/evp.h>

/* Header and payload as they shall stand in the token, byte for byte, signed as `alg` says (RS256, RS384, RS512, PS256,
 * ES256; HS256 with the key's public half in PEM as the shared secret; none). An algorithm that does not fit the key
 * gives way to the key's own, so the header may lie. `padded` writes base64 with `=`. The caller frees. */
char *jws_sign(const char *header, const char *payload, const char *alg, EVP_PKEY *key, bool padded);

/* Takes a token apart and checks its signature (RS256 or ES256, as its header says, and fitting the key). False when
 * anything about it is wrong; else the caller owns *ret_claims. */
bool jws_verify(const char *token, EVP_PKEY *key, json_t **ret_claims);

/* The left half of SHA-256 of the text, base64url: at_hash (OpenID Connect Core, 3.1.3.6). The caller frees. */
char *jws_left_half_hash(const char *text);

#endif
