/*
 * One tenant's issuer as this daemon knows it: its endpoints, its keys, and how to send it a request.
 */
#ifndef PAM_OIDC_PROVIDER_H
#define PAM_OIDC_PROVIDER_H

#include <stdbool.h>

#include "common/config.h"
#include "pam_oidc/back_off.h"
#include "pam_oidc/client_auth.h"
#include "pam_oidc/discovery.h"
#include "pam_oidc/document.h"
#include "pam_oidc/http.h"
#include "pam_oidc/jwks.h"
#include "pam_oidc/loop.h"

struct provider;

/* Begins to fetch what will be needed, so that the first sign-in finds it there. Takes the credentials over. The
 * configuration must outlive it. NULL when memory ran out; then the credentials are freed too. */
struct provider *provider_create(struct loop *loop, struct http *http, const struct login_config *login,
				 const struct tenant *tenant, struct client_credentials *credentials);
/* Nobody may wait and no request be under way any more. Takes NULL. */
void provider_free(struct provider *provider);

const struct tenant *provider_tenant(const struct provider *provider);
/* Of its device authorization endpoint, for this client. */
struct back_off *provider_back_off(struct provider *provider);

/* NULL while there is none that is fresh: then wait. Lives until the loop runs on. */
const struct discovery *provider_metadata(const struct provider *provider);
void provider_wait_metadata(struct provider *provider, struct document_waiter *waiter);
/* What was wrong with it the last time; "" when nothing. */
const char *provider_metadata_fault(const struct provider *provider);
/* What was wrong with the document that came last, if any came. */
enum discovery_problem provider_metadata_problem(const struct provider *provider);
/* What fetching it showed of the issuer's server. */
const struct server_seen *provider_server(const struct provider *provider);

const struct jwks *provider_keys(const struct provider *provider);
/* Needs metadata. `again`: fetches even though there are keys, because a token named an unknown one. False when that
 * was done within the last minute: then nobody will be told. */
bool provider_wait_keys(struct provider *provider, bool again, struct document_waiter *waiter);
const char *provider_keys_fault(const struct provider *provider);
/* What fetching them showed; NULL while it is not known where they are. */
const struct server_seen *provider_keys_server(const struct provider *provider);

/* Posts a form to one of the issuer's endpoints, with the client's authentication added. `form` is completed by it and
 * stays the caller's. NULL when memory or OpenSSL failed. */
struct http_transfer *provider_post(struct provider *provider, const char *endpoint, struct form *form,
				    http_answered *answered, void *context);
/* Gets with a bearer token (RFC 6750, section 2.1). */
struct http_transfer *provider_get(struct provider *provider, const char *endpoint, const char *access_token,
				   http_answered *answered, void *context);

#endif
