/*
 * Reads discovery documents. Endpoints are always taken from there and never built from the issuer.
 */
#include "pam_oidc/discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "pam_oidc/form.h"
#include "pam_oidc/json_strict.h"

#define ENDPOINT_MAX 2048
#define WELL_KNOWN "/.well-known/openid-configuration?client_id="

#define SCHEME "https://"

/* The length of scheme, host and port. */
static size_t origin_length(const char *url)
{
	return strlen(SCHEME) + strcspn(url + strlen(SCHEME), "/?");
}

/* A name, an IPv4 address or one of IPv6 in brackets, and perhaps a port. Escapes and whatever else RFC 3986, section
 * 3.2, allows are left out: two programs read them in two ways, and no issuer needs them. */
static bool authority_ok(const char *authority, size_t length)
{
	size_t host = authority[0] == '[' ? 1 + strspn(authority + 1, "0123456789ABCDEFabcdef:.")
					  : strspn(authority, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
							      "abcdefghijklmnopqrstuvwxyz-._");
	size_t digits;
	long port = 0;

	if (authority[0] == '[' && authority[host++] != ']')
		return false;
	if (host == 0 || host == length)
		return host == length && length > 0;
	digits = strspn(authority + host + 1, "0123456789");
	for (size_t i = 1; i <= digits && i <= 5; i++)
		port = port * 10 + (authority[host + i] - '0');
	return authority[host] == ':' && digits > 0 && digits <= 5 && host + 1 + digits == length && port > 0 &&
	       port <= 65535;
}

bool https_url_ok(const char *url, size_t max)
{
	size_t length = strnlen(url, max + 1);

	if (length > max || strncmp(url, SCHEME, strlen(SCHEME)) != 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (url[i] <= ' ' || url[i] >= 0x7f || strchr("\"<>\\^`{|}#", url[i]))
			return false;
	return authority_ok(url + strlen(SCHEME), origin_length(url) - strlen(SCHEME));
}

bool https_url_same_origin(const char *url, const char *other)
{
	size_t length = origin_length(url);

	return origin_length(other) == length && strncasecmp(url, other, length) == 0;
}

char *discovery_url(const char *issuer, const char *client_id)
{
	_cleanup_free_ char *client = form_encode(client_id);
	size_t length = strlen(issuer);
	char *url;

	if (!client)
		return NULL;
	/* Discovery 1.0, section 4: a slash at the issuer's end is removed first. */
	if (length > 0 && issuer[length - 1] == '/')
		length--;
	if (asprintf(&url, "%.*s%s%s", (int)length, issuer, WELL_KNOWN, client) < 0)
		return NULL;
	return url;
}

void discovery_free(struct discovery *discovery)
{
	if (!discovery)
		return;
	free(discovery->device_authorization_endpoint);
	free(discovery->token_endpoint);
	free(discovery->jwks_uri);
	free(discovery->userinfo_endpoint);
	free(discovery);
}

static void cleanup_discovery(struct discovery **discovery)
{
	discovery_free(*discovery);
}

static enum discovery_problem take_endpoint(const json_t *document, const char *name, bool required, char **ret_url,
					    char *fault, size_t fault_size)
{
	const char *url = json_strict_string(document, name);
	bool device = strcmp(name, "device_authorization_endpoint") == 0;

	if (!url && !required && !json_object_get(document, name))
		return DISCOVERY_GOOD;
	if (!url) {
		(void)snprintf(
			fault, fault_size,
			device ? "the issuer offers no %s: is this the issuer of an app with Device Authorization?"
			       : "the issuer's discovery document lacks %s",
			name);
		return device ? DISCOVERY_NO_DEVICE_ENDPOINT : DISCOVERY_BAD_ENDPOINT;
	}
	if (!https_url_ok(url, ENDPOINT_MAX)) {
		(void)snprintf(fault, fault_size, "%s in the issuer's discovery document is no https URL", name);
		return DISCOVERY_BAD_ENDPOINT;
	}
	*ret_url = strdup(url);
	if (!*ret_url)
		(void)snprintf(fault, fault_size, "out of memory");
	return *ret_url ? DISCOVERY_GOOD : DISCOVERY_NO_MEMORY;
}

static enum discovery_problem take_endpoints(const json_t *document, struct discovery *discovery, char *fault,
					     size_t fault_size)
{
	const struct {
		const char *name;
		bool required;
		char **ret_url;
	} endpoints[] = {
		{ "device_authorization_endpoint", true, &discovery->device_authorization_endpoint },
		{ "token_endpoint", true, &discovery->token_endpoint },
		{ "jwks_uri", true, &discovery->jwks_uri },
		{ "userinfo_endpoint", false, &discovery->userinfo_endpoint },
	};

	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
		enum discovery_problem problem = take_endpoint(document, endpoints[i].name, endpoints[i].required,
							       endpoints[i].ret_url, fault, fault_size);

		if (problem != DISCOVERY_GOOD)
			return problem;
	}
	return DISCOVERY_GOOD;
}

enum discovery_problem discovery_parse(const char *json, size_t length, const char *issuer,
				       struct discovery **ret_discovery, char *fault, size_t fault_size)
{
	_cleanup_(cleanup_discovery) struct discovery *discovery = calloc(1, sizeof(*discovery));
	_cleanup_json_ json_t *document = NULL;
	enum discovery_problem problem;
	const char *named;
	char why[128];

	document = json_strict_object(json, length, why, sizeof(why));
	if (!document || !discovery) {
		(void)snprintf(fault, fault_size, "the issuer's discovery document %s",
			       document ? "does not fit into memory" : why);
		return document ? DISCOVERY_NO_MEMORY : DISCOVERY_NOT_JSON;
	}
	named = json_strict_string(document, "issuer");
	if (!named || strcmp(named, issuer) != 0) {
		(void)snprintf(fault, fault_size,
			       "the discovery document names the issuer %.200s; the configuration must say the same, "
			       "letter for letter",
			       named ? named : "nowhere");
		return DISCOVERY_OTHER_ISSUER;
	}
	problem = take_endpoints(document, discovery, fault, fault_size);
	if (problem == DISCOVERY_GOOD)
		*ret_discovery = take_pointer(discovery);
	return problem;
}
