/*
 * What an issuer's discovery document says (OpenID Connect Discovery 1.0, section 3; RFC 8628, section 4). Pure.
 */
#ifndef PAM_OIDC_DISCOVERY_H
#define PAM_OIDC_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

struct discovery {
	char *device_authorization_endpoint;
	char *token_endpoint;
	char *jwks_uri;
	char *userinfo_endpoint; /* NULL when there is none */
};

/* What is wrong with a document. */
enum discovery_problem {
	DISCOVERY_GOOD,
	DISCOVERY_NOT_JSON,
	DISCOVERY_OTHER_ISSUER,
	DISCOVERY_NO_DEVICE_ENDPOINT,
	DISCOVERY_BAD_ENDPOINT, /* another one is missing, or one is no https URL */
	DISCOVERY_NO_MEMORY,
};

/* Where the document is: ISSUER/.well-known/openid-configuration?client_id=CLIENT. The caller frees it; NULL when
 * memory ran out. */
char *discovery_url(const char *issuer, const char *client_id);

/* Reads the document: its issuer must equal the configured one exactly, and every endpoint must be an https URL.
 * DISCOVERY_GOOD, and the caller frees *ret_discovery with discovery_free(); or what is wrong, and fault says it and
 * where to look. */
enum discovery_problem discovery_parse(const char *json, size_t length, const char *issuer,
				       struct discovery **ret_discovery, char *fault, size_t fault_size);
/* Takes NULL. */
void discovery_free(struct discovery *discovery);

/* True for an https URL of printable ASCII, at most `max` bytes long, whose authority is a plain host and perhaps a
 * port; without user, fragment, spaces, or escapes in the host. */
bool https_url_ok(const char *url, size_t max);
/* Whether two such URLs name the same host and port, in the same words. */
bool https_url_same_origin(const char *url, const char *other);

#endif
