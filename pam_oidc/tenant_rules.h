/*
 * What one tenant's configuration asks of a token and of an identity, in the terms of those who judge them. Pure.
 */
#ifndef PAM_OIDC_TENANT_RULES_H
#define PAM_OIDC_TENANT_RULES_H

#include <stdint.h>

#include "common/config.h"
#include "pam_oidc/id_token.h"
#include "pam_oidc/identity.h"

/* access_token: that came with the ID token, or NULL. now_s: epoch seconds. Pointers live as long as the arguments. */
struct id_token_expectations tenant_expectations(const struct tenant *tenant, const char *access_token, int64_t now_s);
struct identity_needs tenant_needs(const struct tenant *tenant);

#endif
