/*
 * A token under attack: the issuer's answer to the token request, taken apart so that each piece can be changed by
 * itself
 * - members of the header and of the payload as raw JSON (twice the same one, in any spelling), the signature, the
 * three segments' text, the answer around them, and userinfo.
 */
#ifndef TESTS_FORGED_TOKENS_FORGERY_H
#define TESTS_FORGED_TOKENS_FORGERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/forged_tokens/keys.h"

#define NOW_S 1900000000 /* this machine's clock unless a forgery says otherwise */
#define ISSUER "https://clinic.okta.example"
#define CLIENT "0oa1clinic"
#define SUBJECT "00u1alice"
#define BOBS_SUBJECT "00u2bob"
#define HOSPITAL_ISSUER "https://hospital.okta.example"
#define HOSPITAL_CLIENT "0oa2hospital"
#define ACCESS_TOKEN "an.opaque-access_token"

#define MEMBERS_MAX 40

/* Raw JSON on both sides of the colon; the name without its quotes. */
struct member {
	char *name, *value;
};

struct members {
	struct member list[MEMBERS_MAX];
	size_t count;
};

/* Which algorithm the issuer signs with, and the tenant is configured for. */
enum kind_of_key { KEY_RSA, KEY_EC, KEY_KINDS };

struct forgery;

/* Makes a signature over the input; returns its length. */
typedef size_t signature_maker(const struct forgery *forgery, const char *input, unsigned char *ret_signature);
/* Takes a text (from malloc) over and returns another, or the same. */
typedef char *text_change(char *text);

#define SIGNATURE_MAX 4096
#define CHANGES_MAX 4

struct forgery {
	enum kind_of_key kind_of_key;

	struct members header, payload;
	char *header_text, *payload_text; /* instead of the members */
	size_t header_text_length, payload_text_length;
	text_change *of_header_text[CHANGES_MAX], *of_payload_text[CHANGES_MAX]; /* before encoding */
	text_change *of_header[CHANGES_MAX], *of_payload[CHANGES_MAX];           /* encoded, before signing */

	EVP_PKEY *key;
	const char *alg;         /* of the signature; the header's is another matter */
	signature_maker *signer; /* NULL: honestly, by key and alg */
	const void *secret;      /* for it */
	size_t secret_length;
	bool old_signature; /* the one of the token as it was */

	text_change *of_signature[CHANGES_MAX]; /* encoded */
	text_change *of_compact[CHANGES_MAX];

	struct members answer; /* of the token endpoint; a NULL value is the token */
	char *answer_text;     /* instead; the token stands at the byte 0x1 */
	struct members userinfo;
	char *userinfo_text; /* instead */
	long userinfo_status;

	const struct jwks *keys; /* what the issuer publishes */
	int64_t now_s;
	bool used_before; /* the token as it was has made a sign-in already */
	bool without_jti; /* it and this one have none */
};

/* What Okta sends for Alice: a sound token with everything in it, and a userinfo that adds nothing. */
struct forgery *forgery_of_sound(enum kind_of_key kind);
void forgery_free(struct forgery *forgery);

void member_set(struct members *members, const char *name, const char *value);
void member_add(struct members *members, const char *name, const char *value);
void member_add_first(struct members *members, const char *name, const char *value);
/* None of them is an error when there is no such member. */
void member_drop(struct members *members, const char *name);
void member_rename(struct members *members, const char *name, const char *new_name);
void members_reverse(struct members *members);
const char *member_value(const struct members *members, const char *name);

/* Adds a change to one of the lists above. */
void change(text_change **list, text_change *function);
/* Signs with that key, and says so everywhere: kid, alg and at_hash. */
void sign_as(struct forgery *forgery, EVP_PKEY *key, const char *kid, const char *alg);
/* A JSON string of these bytes. The caller frees it. */
char *quoted(const char *bytes, size_t length);
char *members_text(const struct members *members);

/* The token. The caller frees it. */
char *forgery_compact(const struct forgery *forgery);
/* The body of the token endpoint's answer and of userinfo. The caller frees them. */
char *forgery_answer(const struct forgery *forgery, const char *compact);
char *forgery_userinfo(const struct forgery *forgery);
/* What is signed, and the honest signature of it. */
size_t honest_signature(const struct forgery *forgery, const char *input, unsigned char *ret_signature);

/* The format with the text in place of its `$`. Frees the text; the result is the caller's. */
char *forgery_format(char *text, const char *format);

#endif
