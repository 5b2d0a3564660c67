/*
 * What the token, device authorization and userinfo endpoints answer, read strictly from their JSON. Pure.
 */
#ifndef PAM_OIDC_ENDPOINT_RESPONSE_H
#define PAM_OIDC_ENDPOINT_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/secret.h"
#include "pam_oidc/device_grant.h"
#include "pam_oidc/http.h"

/* An answer, with the JSON that its texts point into. */
struct endpoint_response {
	struct endpoint_answer answer;
	json_t *body; /* NULL when there is none that can be read */
};

/* Reads error and error_description (RFC 6749, section 5.2) , the wish to wait and the load; now_s is in epoch
 * seconds, and does not count where the issuer said its own time (Date). Release with endpoint_response_clear(). */
void endpoint_response_read(const struct http_response *response, int64_t now_s,
			    struct endpoint_response *ret_response);
void endpoint_response_clear(struct endpoint_response *response);

/* What came for an approved device code (RFC 6749, section 5.1; OpenID Connect Core 1.0, section 3.1.3.3). */
struct tokens {
	struct secret id_token;
	struct secret access_token; /* empty when none came */
};

/* Reads a successful token response. False and a fault for the log when there is no ID token, or the access token is no
 * bearer token of printable ASCII. */
bool tokens_parse(const char *json, size_t length, struct tokens *ret_tokens, char *fault, size_t fault_size);
void tokens_wipe(struct tokens *tokens);

#endif
