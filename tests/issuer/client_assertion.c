#include "tests/issuer/client_assertion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/cleanup.h"
#include "tests/issuer/clients.h"
#include "tests/issuer/encoding.h"
#include "tests/issuer/jws.h"
#include "tests/issuer/must.h"
#include "tests/issuer/provider.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define LIFETIME_MAX_S 3600

char *client_assertion_subject(const char *assertion)
{
	_cleanup_free_ unsigned char *payload = NULL;
	const char *dot = strchr(assertion, '.');
	const char *subject;
	size_t length;
	json_t *claims;
	char *copy;

	if (!dot || !base64url_decode(dot + 1, strcspn(dot + 1, "."), &payload, &length))
		return NULL;
	claims = json_loadb((const char *)payload, length, 0, NULL);
	subject = json_string_value(json_object_get(claims, "sub"));
	copy = subject ? must_copy(subject) : NULL;
	json_decref(claims);
	return copy;
}

/* Tries each public key of the PEM text that `bio` holds, and frees `bio`. */
static bool verified_by_any(BIO *bio, const char *assertion, json_t **ret_claims)
{
	bool verified = false;
	EVP_PKEY *key;

	while (!verified && (key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL))) {
		verified = jws_verify(assertion, key, ret_claims);
		EVP_PKEY_free(key);
	}
	ERR_clear_error();
	BIO_free(bio);
	return verified;
}

static bool verify(struct provider *provider, const json_t *client, const char *assertion, json_t **ret_claims)
{
	const char *pem = json_string_value(json_object_get(client, "public_keys"));
	BIO *bio = pem ? BIO_new_mem_buf(pem, -1) : BIO_new_file(provider->client_jwt_path, "r");

	return bio && verified_by_any(bio, assertion, ret_claims);
}

static bool names_us(const json_t *audience, const struct request *request)
{
	_cleanup_free_ char *endpoint = must_format("%s/%s", request->endpoints, request->tail);
	const char *text = json_string_value(audience);

	for (size_t i = 0; i < json_array_size(audience); i++)
		if (names_us(json_array_get(audience, i), request))
			return true;
	return text && (strcmp(text, endpoint) == 0 || strcmp(text, request->issuer) == 0);
}

static void forget_expired(json_t *seen, int64_t now_s)
{
	const char *key;
	json_t *expiry;
	void *next;

	json_object_foreach_safe (seen, next, key, expiry)
		if (json_integer_value(expiry) < now_s)
			json_object_del(seen, key);
}

static const char *claims_fault(struct provider *provider, const struct request *request, const json_t *client,
				const json_t *claims)
{
	const char *id = client_text(client, "id");
	const char *issuer = json_string_value(json_object_get(claims, "iss"));
	const char *subject = json_string_value(json_object_get(claims, "sub"));
	const char *jti = json_string_value(json_object_get(claims, "jti"));
	const json_t *expiry = json_object_get(claims, "exp");
	int64_t now_s = request->now_ms / 1000;
	_cleanup_free_ char *use = NULL;

	if (!issuer || !subject || strcmp(issuer, id) != 0 || strcmp(subject, id) != 0)
		return "The 'iss' and 'sub' of client_assertion must be the client_id.";
	if (!names_us(json_object_get(claims, "aud"), request))
		return "The audience claim for client_assertion must be the endpoint invoked for the request.";
	if (!json_is_integer(expiry) || json_integer_value(expiry) <= now_s)
		return "The client_assertion token is expired.";
	if (json_integer_value(expiry) > now_s + LIFETIME_MAX_S)
		return "The client_assertion token has an expiration too far into the future.";
	if (!jti)
		return NULL;
	use = must_format("%s %s", id, jti);
	forget_expired(provider->seen_jti, now_s);
	if (json_object_get(provider->seen_jti, use))
		return "The client_assertion token has been used before.";
	json_object_set_new(provider->seen_jti, use, json_integer(json_integer_value(expiry)));
	return NULL;
}

const char *client_assertion_fault(struct provider *provider, const struct request *request, const json_t *client)
{
	const char *type = form_get(&request->form, "client_assertion_type");
	const char *fault;
	json_t *claims;

	if (!type || strcmp(type, ASSERTION_TYPE) != 0)
		return "The client_assertion_type is invalid.";
	if (!verify(provider, client, form_get(&request->form, "client_assertion"), &claims))
		return "The client_assertion token has an invalid signature.";
	fault = claims_fault(provider, request, client, claims);
	json_decref(claims);
	return fault;
}
