/*
 * Keeps one issuer's metadata and keys at hand and addresses requests to it. See provider.h.
 */
#include "pam_oidc/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/log.h"

#define METADATA_MAX_BYTES ((size_t)128 * 1024)
#define ANSWER_MAX_BYTES ((size_t)256 * 1024)

struct provider {
	struct loop *loop;
	struct http *http;
	const struct login_config *login;
	const struct tenant *tenant;
	struct client_credentials *credentials;
	struct document *metadata_document;
	struct document *keys_document; /* NULL until the metadata says where */
	struct discovery *metadata;
	enum discovery_problem metadata_problem;
	struct jwks *keys;
	struct back_off back_off;
};

static bool take_keys(void *context, const char *body, size_t length, char *fault, size_t fault_size)
{
	struct provider *provider = context;
	struct jwks *keys = jwks_parse(body, length, fault, fault_size);

	if (!keys)
		return false;
	if (jwks_count(keys) == 0) {
		(void)snprintf(fault, fault_size, "the issuer's key set holds no key that can verify a token");
		jwks_free(keys);
		/* Unlike a set that cannot be read, this one says that the former keys are withdrawn. */
		jwks_free(provider->keys);
		provider->keys = NULL;
		return false;
	}
	log_debug("tenant %s: took %zu keys, skipped %zu", provider->tenant->name, jwks_count(keys),
		  jwks_skipped(keys));
	jwks_free(provider->keys);
	provider->keys = keys;
	return true;
}

static struct document_source source_of(struct provider *provider, const char *what, size_t max_bytes,
					document_take *take)
{
	return (struct document_source){
		.loop = provider->loop,
		.http = provider->http,
		.tenant = provider->tenant->name,
		.what = what,
		.ca_file = provider->login->ca_file,
		.proxy = provider->login->proxy,
		.max_bytes = max_bytes,
		.take = take,
		.context = provider,
	};
}

/* The metadata say where the keys are; they are fetched right away. */
static bool begin_keys(struct provider *provider, const char *url)
{
	struct document_source source = source_of(provider, "keys", JWKS_SIZE_MAX, take_keys);

	if (provider->keys_document)
		return document_move(provider->keys_document, url);
	provider->keys_document = document_create(&source, url);
	if (provider->keys_document)
		document_fetch(provider->keys_document);
	return provider->keys_document != NULL;
}

static bool take_metadata(void *context, const char *body, size_t length, char *fault, size_t fault_size)
{
	struct provider *provider = context;
	struct discovery *metadata = NULL;

	provider->metadata_problem =
		discovery_parse(body, length, provider->tenant->issuer, &metadata, fault, fault_size);
	if (provider->metadata_problem != DISCOVERY_GOOD)
		return false;
	if (!begin_keys(provider, metadata->jwks_uri)) {
		(void)snprintf(fault, fault_size, "out of memory");
		discovery_free(metadata);
		return false;
	}
	discovery_free(provider->metadata);
	provider->metadata = metadata;
	return true;
}

struct provider *provider_create(struct loop *loop, struct http *http, const struct login_config *login,
				 const struct tenant *tenant, struct client_credentials *credentials)
{
	struct provider *provider = calloc(1, sizeof(*provider));
	_cleanup_free_ char *url = discovery_url(tenant->issuer, tenant->client_id);
	struct document_source source;

	if (!provider) {
		client_credentials_free(credentials);
		return NULL;
	}
	*provider = (struct provider){
		.loop = loop, .http = http, .login = login, .tenant = tenant, .credentials = credentials
	};
	source = source_of(provider, "discovery document", METADATA_MAX_BYTES, take_metadata);
	if (url)
		provider->metadata_document = document_create(&source, url);
	if (!provider->metadata_document) {
		provider_free(provider);
		return NULL;
	}
	document_fetch(provider->metadata_document);
	return provider;
}

void provider_free(struct provider *provider)
{
	if (!provider)
		return;
	document_free(provider->metadata_document);
	document_free(provider->keys_document);
	discovery_free(provider->metadata);
	jwks_free(provider->keys);
	client_credentials_free(provider->credentials);
	free(provider);
}

const struct tenant *provider_tenant(const struct provider *provider)
{
	return provider->tenant;
}

struct back_off *provider_back_off(struct provider *provider)
{
	return &provider->back_off;
}

const struct discovery *provider_metadata(const struct provider *provider)
{
	return document_is_fresh(provider->metadata_document) ? provider->metadata : NULL;
}

void provider_wait_metadata(struct provider *provider, struct document_waiter *waiter)
{
	document_wait(provider->metadata_document, waiter);
}

const char *provider_metadata_fault(const struct provider *provider)
{
	return document_fault(provider->metadata_document);
}

enum discovery_problem provider_metadata_problem(const struct provider *provider)
{
	return provider->metadata_problem;
}

const struct server_seen *provider_server(const struct provider *provider)
{
	return document_server(provider->metadata_document);
}

const struct server_seen *provider_keys_server(const struct provider *provider)
{
	return provider->keys_document ? document_server(provider->keys_document) : NULL;
}

const struct jwks *provider_keys(const struct provider *provider)
{
	return provider->keys_document && document_is_fresh(provider->keys_document) ? provider->keys : NULL;
}

bool provider_wait_keys(struct provider *provider, bool again, struct document_waiter *waiter)
{
	if (!provider->keys_document || (again && !document_may_refetch(provider->keys_document)))
		return false;
	document_wait(provider->keys_document, waiter);
	return true;
}

const char *provider_keys_fault(const struct provider *provider)
{
	return provider->keys_document ? document_fault(provider->keys_document)
				       : "the issuer has not said where its keys are";
}

struct http_transfer *provider_post(struct provider *provider, const char *endpoint, struct form *form,
				    http_answered *answered, void *context)
{
	_cleanup_secret_text_ char *authorization = NULL;
	struct http_request request;

	if (!client_auth_apply(provider->credentials, provider->tenant->client_id, endpoint, time(NULL), form,
			       &authorization))
		return NULL;
	request = (struct http_request){
		.url = endpoint,
		.ca_file = provider->login->ca_file,
		.proxy = provider->login->proxy,
		.form = form_text(form),
		.authorization = authorization,
		.max_bytes = ANSWER_MAX_BYTES,
	};
	return request.form ? http_start(provider->http, &request, answered, context) : NULL;
}

struct http_transfer *provider_get(struct provider *provider, const char *endpoint, const char *access_token,
				   http_answered *answered, void *context)
{
	_cleanup_secret_text_ char *authorization = NULL;
	struct http_request request;

	authorization = secret_join_texts("Bearer ", access_token);
	if (!authorization)
		return NULL;
	request = (struct http_request){
		.url = endpoint,
		.ca_file = provider->login->ca_file,
		.proxy = provider->login->proxy,
		.authorization = authorization,
		.max_bytes = ANSWER_MAX_BYTES,
	};
	return http_start(provider->http, &request, answered, context);
}
