/*
 * How this client proves who it is to the issuer: none, client_secret_basic, client_secret_post (RFC 6749,
 * section 2.3.1) or private_key_jwt (OpenID Connect Core 1.0, section 9; RFC 7523). Builds the proof; sends nothing.
 */
#ifndef PAM_OIDC_CLIENT_AUTH_H
#define PAM_OIDC_CLIENT_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/config.h"
#include "common/secret.h"
#include "pam_oidc/form.h"

#define CLIENT_ASSERTION_LIFETIME_S 300 /* an issuer takes an hour at most */

struct client_credentials;

/* Takes the content of client_secret_file (basic, post) or private_key_file (private_key_jwt: PEM, unencrypted, RSA of
 * 2048 bits and more or EC P-256); material is copied or parsed, not kept, and may be NULL for CLIENT_AUTH_NONE. True,
 * and the caller frees *ret_credentials, which wipes them; or false, and fault says what is wrong with the file and
 * what to do, without the path. */
bool client_credentials_load(enum client_auth method, const struct secret *material,
			     struct client_credentials **ret_credentials, char *fault, size_t fault_size);
void client_credentials_free(struct client_credentials *credentials);

/* Adds to one request everything that says which client it comes from, client_id included, and only once: the caller
 * adds none of it. For basic that is *ret_authorization, the value of the Authorization header, which the caller frees
 * with secret_free_text(); for the others it is in the form, and *ret_authorization is NULL. endpoint_url is where the
 * request goes (the assertion's aud); now is in epoch seconds. False when memory or OpenSSL failed; then nothing must
 * be sent. */
bool client_auth_apply(const struct client_credentials *credentials, const char *client_id, const char *endpoint_url,
		       int64_t now, struct form *form, char **ret_authorization);

static inline void cleanup_client_credentials(struct client_credentials *const *credentials)
{
	client_credentials_free(*credentials);
}

#define _cleanup_client_credentials_ _cleanup_(cleanup_client_credentials)

#endif
