/*
 * What an administrator does about it: for everything that can be wrong between this machine and Okta, the page and
 * field of the Okta Admin Console, or the key of the configuration, in one place. Pure.
 */
#ifndef PAM_OIDC_OKTA_REMEDY_H
#define PAM_OIDC_OKTA_REMEDY_H

#include "pam_oidc/device_grant.h"
#include "pam_oidc/discovery.h"
#include "pam_oidc/http.h"
#include "pam_oidc/id_token.h"

enum remedy {
	REMEDY_NONE,
	/* this machine */
	REMEDY_CONFIGURATION,
	REMEDY_SECRET_FILE,
	REMEDY_TENANT_NAME,
	REMEDY_MEMORY,
	REMEDY_CLOCK,
	/* the way to the issuer */
	REMEDY_NAME_SERVICE,
	REMEDY_WAY_OUT,
	REMEDY_CA_FILE,
	REMEDY_UNTRUSTED,
	REMEDY_EXPIRED_CERTIFICATE,
	REMEDY_CERTIFICATE_NOT_YET,
	REMEDY_CERTIFICATE_ENDS_SOON,
	REMEDY_OTHER_HOST,
	REMEDY_TLS,
	REMEDY_STRANGE_ANSWER,
	REMEDY_SERVER_DOWN,
	REMEDY_RATE_LIMIT,
	/* the issuer */
	REMEDY_NO_SUCH_ISSUER,
	REMEDY_OTHER_ISSUER,
	REMEDY_NO_DEVICE_ENDPOINT,
	REMEDY_NOT_A_PROVIDER,
	REMEDY_KEYS,
	/* the application */
	REMEDY_CLIENT_ID,
	REMEDY_CLIENT_SECRET,
	REMEDY_DEVICE_GRANT,
	REMEDY_SCOPE,
	REMEDY_REFUSED,
	/* the person */
	REMEDY_NOT_ASSIGNED,
	REMEDY_POLICY,
	REMEDY_NETWORK_ZONE,
	REMEDY_DENIED,
	REMEDY_TOO_LATE,
	REMEDY_NOT_APPROVED,
	/* the token */
	REMEDY_NO_ID_TOKEN,
	REMEDY_TOKEN_ALGORITHM,
	REMEDY_TOKEN_KEY,
	REMEDY_TOKEN_ISSUER,
	REMEDY_TOKEN_AUDIENCE,
	REMEDY_TOKEN_OTHER,
	REMEDY_AMR,
	REMEDY_AUTH_AGE,
	REMEDY_USERINFO,
	REMEDY_TOO_MANY_GROUPS,
	/* what it says */
	REMEDY_EMAIL,
	REMEDY_EMAIL_DOMAIN,
	REMEDY_EMAIL_VERIFIED,
	REMEDY_GROUPS_CLAIM,
	REMEDY_NOT_IN_GROUPS,
	REMEDY_USERNAME_CLAIM,
	REMEDY_COUNT
};

/* One or two sentences that say where to look and what to set; NULL for REMEDY_NONE. Lives for ever. */
const char *okta_remedy(enum remedy remedy);

/* For a request that got no answer. */
enum remedy remedy_for_trouble(enum http_trouble trouble);
/* For a discovery document that came (status 200) and is wrong, or came with another status. */
enum remedy remedy_for_discovery(long status, enum discovery_problem problem);
/* For what an endpoint answered instead of a code or a token. */
enum remedy remedy_for_answer(const struct endpoint_answer *answer);
/* For an ID token that was refused: by the claim that its fault begins with, see id_token_verify(). */
enum remedy remedy_for_token(enum id_token_result result, const char *fault);

#endif
