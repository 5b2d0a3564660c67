/*
 * What the answers of an issuer's server say about it, the way to it, and this machine's application there. Pure: takes
 * answers and the time, sends nothing.
 */
#ifndef PAM_OIDC_ISSUER_FINDINGS_H
#define PAM_OIDC_ISSUER_FINDINGS_H

#include <stdint.h>

#include "common/config.h"
#include "pam_oidc/document.h"
#include "pam_oidc/endpoint_response.h"
#include "pam_oidc/finding.h"
#include "pam_oidc/provider.h"

#define CERTIFICATE_WARNING_DAYS 14

/* The discovery document; or "tls", when it did not come because of the server's certificate. */
struct finding find_metadata(const struct provider *provider, enum document_outcome outcome);
/* "tls" of a server that answered: how long its certificate is good. now_s: epoch seconds. */
struct finding find_certificate(const struct tenant *tenant, const struct server_seen *server, int64_t now_s);
/* "clock" of this machine against the server's: bad when tokens would be refused (ID_TOKEN_CLOCK_SKEW_S), a warning
 * from the half of that. */
struct finding find_clock(const struct tenant *tenant, const struct server_seen *server);
struct finding find_keys(const struct provider *provider, enum document_outcome outcome);

/* "client": the token endpoint was asked with a device code that nobody gave. What it says against the code speaks for
 * the client. */
struct finding find_client_by_token_endpoint(const struct tenant *tenant, const struct http_response *response);
/* What the device authorization endpoint said instead of a code: "client" when that is about the client, else
 * "device_code". */
struct finding find_refused_code(const struct tenant *tenant, const struct http_response *response);
/* "approval": how the wait for it ended without a token. */
struct finding find_refused_approval(const struct tenant *tenant, const struct endpoint_answer *answer);

#endif
