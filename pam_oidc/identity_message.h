/*
 * An identity as fields of a message: what provisiond's `op=admit` needs of it, and `status=identity` of a probe.
 */
#ifndef PAM_OIDC_IDENTITY_MESSAGE_H
#define PAM_OIDC_IDENTITY_MESSAGE_H

#include "common/wire.h"
#include "pam_oidc/identity.h"

/* Appends issuer, client_id, subject, email, email_verified (true or false, missing where the issuer does not say),
 * full_name, username, auth_time, and any number of group and amr. */
void identity_write(const struct identity *identity, struct wire_writer *writer);

#endif
