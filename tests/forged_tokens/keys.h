/*
 * The keys of a forgery: the issuer's own, made at the start, and what an attacker has. One key set is published; sound
 * keys and bad ones stand in it side by side, because a token names the one that it wants to be verified with.
 */
#ifndef TESTS_FORGED_TOKENS_KEYS_H
#define TESTS_FORGED_TOKENS_KEYS_H

#include <openssl/evp.h>

#include "pam_oidc/jwks.h"

/* Published names (kid). Sound: */
#define KID_RSA "rsa"
#define KID_RSA_SECOND "rsa-2"
#define KID_EC "ec"
#define KID_P384 "p384"
#define KID_P521 "p521"
#define KID_E3 "rsa-exponent-3"
#define KID_ONLY_RS384 "rsa-only-rs384"
/* To be refused: */
#define KID_WEAK_512 "weak-512"
#define KID_WEAK_1024 "weak-1024"
#define KID_WEAK_2040 "weak-2040"
#define KID_ENC "encryption"
#define KID_NO_VERIFY "signs-only"
#define KID_TWICE "twice"
#define KID_OCT "symmetric"
#define KID_E1 "rsa-exponent-1"
#define KID_PRIVATE "published-private"
#define KID_EC_OTHER_CURVE "p256-as-p384"
#define KID_OFF_CURVE "off-curve"
#define KID_EMPTY_USE "use-is-empty"

#define OCT_SECRET "a secret that everybody can read" /* of KID_OCT */

struct keys {
	EVP_PKEY *rsa, *rsa_second, *ec, *p384, *p521, *e3;
	EVP_PKEY *weak_512, *weak_1024, *weak_2040;
	EVP_PKEY *mallory_rsa, *mallory_ec; /* published nowhere */
	EVP_PKEY *hospital_rsa;             /* of another tenant's issuer, which calls it KID_RSA too */
	char *published_text;
	struct jwks *published;
	struct jwks *published_reversed;
	struct jwks *published_alone; /* KID_RSA and nothing else */
};

/* Made once. Ends the program when it cannot be. */
const struct keys *keys_make(void);
const struct keys *keys_made(void);
void keys_free(void);

#endif
