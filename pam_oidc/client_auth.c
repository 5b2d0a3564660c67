/*
 * Builds the proof of who this client is, one function a method. See client_auth.h. What a method adds to a request
 * stands in one place, so that credentials never go out twice (RFC 6749, section 2.3).
 */
#include "pam_oidc/client_auth.h"

#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pam_oidc/base64url.h"
#include "pam_oidc/jwks.h"
#include "pam_oidc/wiping_memory.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" /* RFC 7523, section 2.2 */
#define JTI_BYTES 16
#define ES256_NUMBER_BYTES 32

struct client_credentials {
	enum client_auth method;
	struct secret secret; /* basic, post */
	EVP_PKEY *key;        /* private_key_jwt; OpenSSL wipes it on free */
	const char *alg;      /* private_key_jwt: what the key signs with */
};

/* --- Loading --- */

static bool load_secret(const struct secret *material, struct client_credentials *credentials, char *fault,
			size_t fault_size)
{
	if (!material || material->length == 0) {
		(void)snprintf(fault, fault_size,
			       "holds no client secret; put the secret that Okta shows for the application into it");
		return false;
	}
	for (size_t i = 0; i < material->length; i++) {
		if (material->bytes[i] < ' ' || material->bytes[i] > '~') {
			(void)snprintf(fault, fault_size,
				       "holds something else than one line of printable ASCII; put nothing but the "
				       "client secret into it");
			return false;
		}
	}
	if (secret_from_bytes(material->bytes, material->length, &credentials->secret) != 0) {
		(void)snprintf(fault, fault_size, "does not fit into memory");
		return false;
	}
	return true;
}

/* Why OpenSSL could not read a private key, guessed from the text: the usual mistakes. */
static const char *pem_fault(const struct secret *material)
{
	const char *text = material->bytes;

	if (text[strspn(text, " \t\r\n")] == '{')
		return "is a JWK; save the private key as PEM";
	if (strstr(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") || strstr(text, "Proc-Type: 4,ENCRYPTED"))
		return "is an encrypted key, which nobody could unlock at start; decrypt it with `openssl pkey`";
	if (strstr(text, "-----BEGIN PUBLIC KEY-----") || strstr(text, "-----BEGIN RSA PUBLIC KEY-----"))
		return "is a public key; put the private key into it";
	if (strstr(text, "-----BEGIN CERTIFICATE-----"))
		return "is a certificate; put the private key into it";
	if (strstr(text, "-----BEGIN OPENSSH PRIVATE KEY-----"))
		return "is an OpenSSH key; make a PEM key with `openssl genpkey`";
	return "holds no private key in PEM that can be read; it begins with -----BEGIN PRIVATE KEY-----";
}

/* Never asks at a terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static bool is_p256(const EVP_PKEY *key)
{
	char group[32] = "";

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

/* The algorithm that the key signs with, or NULL and a fault. */
static const char *key_alg(const EVP_PKEY *key, char *fault, size_t fault_size)
{
	if (is_p256(key))
		return "ES256";
	if (!EVP_PKEY_is_a(key, "RSA")) {
		(void)snprintf(fault, fault_size, "is neither an RSA nor an EC P-256 key; make one of these");
		return NULL;
	}
	if (EVP_PKEY_get_bits(key) < JWK_RSA_BITS_MIN) {
		(void)snprintf(fault, fault_size, "is an RSA key of %d bits; make one of at least %d",
			       EVP_PKEY_get_bits(key), JWK_RSA_BITS_MIN);
		return NULL;
	}
	return "RS256";
}

static bool load_key(const struct secret *material, struct client_credentials *credentials, char *fault,
		     size_t fault_size)
{
	BIO *pem = NULL;

	if (!material || material->length == 0) {
		(void)snprintf(fault, fault_size, "is empty; put the private key into it");
		return false;
	}
	pem = BIO_new_mem_buf(material->bytes, (int)material->length);
	if (pem)
		credentials->key = PEM_read_bio_PrivateKey(pem, NULL, no_passphrase, NULL);
	BIO_free(pem);
	ERR_clear_error();
	if (!credentials->key) {
		(void)snprintf(fault, fault_size, "%s", pem_fault(material));
		return false;
	}
	credentials->alg = key_alg(credentials->key, fault, fault_size);
	return credentials->alg != NULL;
}

bool client_credentials_load(enum client_auth method, const struct secret *material,
			     struct client_credentials **ret_credentials, char *fault, size_t fault_size)
{
	_cleanup_client_credentials_ struct client_credentials *credentials = calloc(1, sizeof(*credentials));

	if (!credentials) {
		(void)snprintf(fault, fault_size, "does not fit into memory");
		return false;
	}
	credentials->method = method;
	switch (method) {
	case CLIENT_AUTH_NONE:
		break;
	case CLIENT_AUTH_BASIC:
	case CLIENT_AUTH_POST:
		if (!load_secret(material, credentials, fault, fault_size))
			return false;
		break;
	case CLIENT_AUTH_PRIVATE_KEY_JWT:
		if (!load_key(material, credentials, fault, fault_size))
			return false;
		break;
	}
	*ret_credentials = take_pointer(credentials);
	return true;
}

void client_credentials_free(struct client_credentials *credentials)
{
	if (!credentials)
		return;
	secret_wipe(&credentials->secret);
	EVP_PKEY_free(credentials->key);
	free(credentials);
}

/* Two texts with a separator between them; the caller wipes and frees it. NULL when memory ran out. */
static char *join(const char *one, char separator, const char *other)
{
	size_t size = strlen(one) + 1 + strlen(other) + 1;
	char *text = malloc(size);

	if (text)
		(void)snprintf(text, size, "%s%c%s", one, separator, other);
	return text;
}

/* --- client_secret_basic: RFC 6749, section 2.3.1; RFC 7617 --- */

/* "Basic " and the base64 of id:secret, both form-encoded first. NULL when memory ran out. */
static char *basic_authorization(const char *client_id, const char *client_secret)
{
	static const char scheme[] = "Basic ";
	_cleanup_secret_text_ char *encoded_id = form_encode(client_id);
	_cleanup_secret_text_ char *encoded_secret = form_encode(client_secret);
	_cleanup_secret_text_ char *pair = NULL;
	size_t length;
	char *header;

	if (!encoded_id || !encoded_secret)
		return NULL;
	pair = join(encoded_id, ':', encoded_secret);
	if (!pair)
		return NULL;
	length = strlen(pair);
	header = malloc(sizeof(scheme) + (length + 2) / 3 * 4);
	if (!header)
		return NULL;
	memcpy(header, scheme, sizeof(scheme));
	(void)EVP_EncodeBlock((unsigned char *)header + strlen(scheme), (const unsigned char *)pair, (int)length);
	return header;
}

/* --- private_key_jwt: RFC 7523, section 3; OpenID Connect Core 1.0, section 9 --- */

/* base64url of the object as compact JSON. Takes the reference. NULL when memory ran out. */
static char *encode_object(json_t *object)
{
	_cleanup_secret_text_ char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	return text ? base64url_encode((const uint8_t *)text, strlen(text)) : NULL;
}

static char *assertion_claims(const char *client_id, const char *endpoint_url, int64_t now)
{
	uint8_t random[JTI_BYTES];
	_cleanup_secret_text_ char *id = NULL;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return NULL;
	id = base64url_encode(random, sizeof(random));
	if (!id)
		return NULL;
	return encode_object(json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "iss", client_id, "sub", client_id, "aud",
				       endpoint_url, "jti", id, "iat", (json_int_t)now, "exp",
				       (json_int_t)now + CLIENT_ASSERTION_LIFETIME_S));
}

/* The signature as OpenSSL gives it: PKCS #1 v1.5 for RSA, DER for ECDSA. The caller frees it. NULL on failure. */
static uint8_t *sign(EVP_PKEY *key, const char *text, size_t *ret_length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = (size_t)EVP_PKEY_get_size(key);
	uint8_t *signature = malloc(length);
	bool ok = context && signature && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestSign(context, signature, &length, (const unsigned char *)text, strlen(text)) == 1;

	EVP_MD_CTX_free(context);
	if (!ok) {
		free(signature);
		return NULL;
	}
	*ret_length = length;
	return signature;
}

/* RFC 7518, section 3.4: R and S side by side, each 32 bytes. */
static char *encode_es256(const uint8_t *der, size_t length)
{
	uint8_t numbers[2 * ES256_NUMBER_BYTES];
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)length);
	bool ok = signature &&
		  BN_bn2binpad(ECDSA_SIG_get0_r(signature), numbers, ES256_NUMBER_BYTES) == ES256_NUMBER_BYTES &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(signature), numbers + ES256_NUMBER_BYTES, ES256_NUMBER_BYTES) ==
			  ES256_NUMBER_BYTES;

	ECDSA_SIG_free(signature);
	return ok ? base64url_encode(numbers, sizeof(numbers)) : NULL;
}

static char *encode_signature(const struct client_credentials *credentials, const char *text)
{
	size_t length = 0;
	_cleanup_wiping_ uint8_t *signature = sign(credentials->key, text, &length);

	if (!signature)
		return NULL;
	return strcmp(credentials->alg, "ES256") == 0 ? encode_es256(signature, length)
						      : base64url_encode(signature, length);
}

/* A signed JWT that says "this is the client, speaking to this endpoint, now". NULL on failure. */
static char *client_assertion(const struct client_credentials *credentials, const char *client_id,
			      const char *endpoint_url, int64_t now)
{
	_cleanup_free_ char *header = encode_object(json_pack("{s:s, s:s}", "alg", credentials->alg, "typ", "JWT"));
	_cleanup_secret_text_ char *claims = assertion_claims(client_id, endpoint_url, now);
	_cleanup_secret_text_ char *text = NULL;
	_cleanup_secret_text_ char *signature = NULL;

	if (!header || !claims)
		return NULL;
	text = join(header, '.', claims);
	if (!text)
		return NULL;
	signature = encode_signature(credentials, text);
	ERR_clear_error();
	return signature ? join(text, '.', signature) : NULL;
}

/* --- Applying --- */

bool client_auth_apply(const struct client_credentials *credentials, const char *client_id, const char *endpoint_url,
		       int64_t now, struct form *form, char **ret_authorization)
{
	_cleanup_secret_text_ char *authorization = NULL;
	_cleanup_secret_text_ char *assertion = NULL;

	switch (credentials->method) {
	case CLIENT_AUTH_NONE:
		form_add(form, "client_id", client_id);
		break;
	case CLIENT_AUTH_BASIC:
		authorization = basic_authorization(client_id, credentials->secret.bytes);
		if (!authorization)
			return false;
		break;
	case CLIENT_AUTH_POST:
		form_add(form, "client_id", client_id);
		form_add(form, "client_secret", credentials->secret.bytes);
		break;
	case CLIENT_AUTH_PRIVATE_KEY_JWT:
		assertion = client_assertion(credentials, client_id, endpoint_url, now);
		if (!assertion)
			return false;
		form_add(form, "client_assertion_type", ASSERTION_TYPE);
		form_add(form, "client_assertion", assertion);
		break;
	}
	if (form->failed)
		return false;
	*ret_authorization = take_pointer(authorization);
	return true;
}
