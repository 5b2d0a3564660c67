/*
 * The issuer's signing keys: the current one, those before it, and keys for wrong tokens, made when they are first
 * asked for.
 */
#ifndef ISSUER_KEYRING_H
#define ISSUER_KEYRING_H

#include <stdbool.h>

#include <jansson.h>
#include <openssl/evp.h>

struct keyring;

struct keyring *keyring_new(void);
void keyring_free(struct keyring *keyring);
/* A new current key with a new kid. The old one stays published if keep_old. */
void keyring_rotate(struct keyring *keyring, bool keep_old);

/* "current", "other" (RSA, published nowhere), "weak512" (RSA of 512 bits) or "ec" (P-256); NULL for any other name.
 * Both live as long as the keyring. For "other" the kid is the current key's. */
EVP_PKEY *keyring_key(struct keyring *keyring, const char *name, const char **ret_kid);

/* The JWK Set (RFC 7517): current and kept keys, and "ec" and "weak512" where asked for. */
json_t *keyring_jwks(struct keyring *keyring, bool with_ec, bool with_weak512);

#endif
