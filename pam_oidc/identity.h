/*
 * Who signed in: what a verified ID token says about the person, completed from userinfo where the token is thin
 * (OpenID Connect Core 1.0, sections 5.1 and 5.3). Decides nothing about accounts. All text in it is valid UTF-8
 * without control characters.
 */
#ifndef PAM_OIDC_IDENTITY_H
#define PAM_OIDC_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "pam_oidc/id_token.h"

#define USERINFO_SIZE_MAX ((size_t)256 * 1024)
#define IDENTITY_EMAIL_MAX 320 /* bytes, as the limits below; RFC 5321: 64 + @ + 255 */
#define IDENTITY_NAME_MAX 256
#define IDENTITY_USERNAME_MAX 255
#define IDENTITY_GROUP_MAX 255
#define IDENTITY_GROUPS_MAX 1000                     /* groups */
#define IDENTITY_GROUPS_SIZE_MAX ((size_t)48 * 1024) /* of all names together: an `admit` message holds 64 KiB */
#define IDENTITY_AMR_MAX 32

enum email_verification {
	EMAIL_VERIFICATION_ABSENT,
	EMAIL_VERIFICATION_FALSE, /* also whatever is there and is not the JSON value true: "true" in quotes is no
				     boolean */
	EMAIL_VERIFICATION_TRUE,
};

struct identity_strings {
	char **items;
	size_t count;
};

struct identity {
	char *issuer;
	char *client_id;
	char *subject;
	char *email;             /* NULL: none that can be used */
	const char *email_fault; /* why an email that is there cannot be used, as the end of a sentence; else NULL */
	enum email_verification email_verified; /* of this email, from the same source */
	char *full_name;                        /* NULL: none */
	char *username;                         /* value of the claim that `username = claim:NAME` names; NULL: none */
	struct identity_strings groups;
	bool groups_known; /* the claim was there, if only empty */
	struct identity_strings amr;
	int64_t auth_time; /* epoch seconds; 0: unknown */
};

/* What the configuration needs of an identity besides an email. */
struct identity_needs {
	bool email_verified;        /* the policy is `require` */
	bool groups;                /* allowed_groups or group_map is set */
	const char *username_claim; /* NULL: none */
};

/* What the token alone says. username_claim may be NULL. True, and the caller frees *ret_identity with identity_free();
 * or false (a claim of the wrong type or size), and fault names it. Claims that are null or empty count as absent. */
bool identity_from_token(const struct verified_token *token, const char *username_claim, struct identity **ret_identity,
			 char *fault, size_t fault_size);
void identity_free(struct identity *identity);

/* True when something needed is missing, so that userinfo should be asked. An email that is there but unusable is not
 * missing. */
bool identity_is_thin(const struct identity *identity, const struct identity_needs *needs);

/* Completes it from a userinfo response (section 5.3.2), whose `sub` must equal the token's. Names, groups and username
 * are taken only where the token had none. Email and email_verified are taken together from one source: the token's,
 * unless it has no email, or has no email_verified while userinfo has both. False leaves the identity as it was, and
 * fault says why; then userinfo must not be used at all. */
bool identity_complete(struct identity *identity, const char *userinfo, size_t length, const char *username_claim,
		       char *fault, size_t fault_size);

static inline void cleanup_identity(struct identity *const *identity)
{
	identity_free(*identity);
}

#define _cleanup_identity_ _cleanup_(cleanup_identity)

#endif
