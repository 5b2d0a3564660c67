/*
 * Client authentication: what each method adds to a request, that it adds nothing twice, and what is said about a file
 * that holds something else than the credentials that were configured.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "pam_oidc/client_auth.h"
#include "pam_oidc/json_strict.h"
#include "tests/unit/forge.h"

#define CLIENT "0oa1client"
#define ENDPOINT "https://clinic.okta.example/oauth2/v1/token"
#define NOW ((int64_t)1900000000)

static struct {
	EVP_PKEY *rsa, *p256, *p384;
} keys;

static int make_keys(void **state)
{
	(void)state;
	keys.rsa = EVP_RSA_gen(2048);
	keys.p256 = EVP_EC_gen("P-256");
	keys.p384 = EVP_EC_gen("P-384");
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(keys.rsa);
	EVP_PKEY_free(keys.p256);
	EVP_PKEY_free(keys.p384);
	return 0;
}

/* --- Loading --- */

static bool load(enum client_auth method, const char *text, struct client_credentials **ret_credentials, char *fault,
		 size_t fault_size)
{
	_cleanup_secret_ struct secret material = { 0 };

	forge_must(secret_from_bytes(text, strlen(text), &material) == 0);
	return client_credentials_load(method, &material, ret_credentials, fault, fault_size);
}

static struct client_credentials *credentials_of(enum client_auth method, const char *text)
{
	struct client_credentials *credentials = NULL;
	char fault[256] = "untouched";

	if (!load(method, text, &credentials, fault, sizeof(fault)))
		fail_msg("not loaded: %s", fault);
	assert_string_equal(fault, "untouched");
	return credentials;
}

static void assert_not_loaded(enum client_auth method, const char *text, const char *expected)
{
	struct client_credentials *credentials = NULL;
	char fault[256] = "";

	assert_false(load(method, text, &credentials, fault, sizeof(fault)));
	assert_null(credentials);
	if (strncmp(fault, expected, strlen(expected)) != 0)
		fail_msg("fault \"%s\" instead of \"%s\"", fault, expected);
	assert_int_equal(ERR_peek_error(), 0);
}

/* The text of what a BIO collected. The caller frees it. */
static char *text_of(BIO *bio)
{
	char *bytes = NULL;
	long length = BIO_get_mem_data(bio, &bytes);
	char *text = strndup(bytes, (size_t)length);

	forge_must(text);
	BIO_free(bio);
	return text;
}

static char *private_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	forge_must(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	return text_of(bio);
}

static char *traditional_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	forge_must(PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	return text_of(bio);
}

static char *encrypted_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	forge_must(PEM_write_bio_PrivateKey(bio, key, EVP_aes_128_cbc(), (const unsigned char *)"pass", 4, NULL,
					    NULL) == 1);
	return text_of(bio);
}

static char *traditional_encrypted_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	forge_must(PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_128_cbc(), (const unsigned char *)"pass", 4,
							NULL, NULL) == 1);
	return text_of(bio);
}

static char *public_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	forge_must(PEM_write_bio_PUBKEY(bio, key) == 1);
	return text_of(bio);
}

static void keys_in_both_PEM_forms_are_loaded(void **state)
{
	_cleanup_free_ char *rsa = private_pem(keys.rsa);
	_cleanup_free_ char *p256 = private_pem(keys.p256);
	_cleanup_free_ char *old_rsa = traditional_pem(keys.rsa);
	_cleanup_free_ char *old_p256 = traditional_pem(keys.p256);

	(void)state;
	client_credentials_free(credentials_of(CLIENT_AUTH_PRIVATE_KEY_JWT, rsa));
	client_credentials_free(credentials_of(CLIENT_AUTH_PRIVATE_KEY_JWT, p256));
	client_credentials_free(credentials_of(CLIENT_AUTH_PRIVATE_KEY_JWT, old_rsa));
	client_credentials_free(credentials_of(CLIENT_AUTH_PRIVATE_KEY_JWT, old_p256));
	client_credentials_free(NULL);
}

static void a_public_key_is_told_from_a_private_one(void **state)
{
	_cleanup_free_ char *pem = public_pem(keys.rsa);

	(void)state;
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, pem, "is a public key; put the private key into it");
}

static void an_encrypted_key_is_refused_without_asking_anybody(void **state)
{
	_cleanup_free_ char *pem = encrypted_pem(keys.rsa);
	_cleanup_free_ char *old = traditional_encrypted_pem(keys.rsa);

	(void)state;
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, pem, "is an encrypted key");
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, old, "is an encrypted key");
}

static void other_files_are_told_apart(void **state)
{
	(void)state;
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, "\n{\"kty\":\"RSA\"}", "is a JWK; save the private key as PEM");
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, "-----BEGIN CERTIFICATE-----\n", "is a certificate");
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, "-----BEGIN OPENSSH PRIVATE KEY-----\n", "is an OpenSSH key");
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, "s3cret", "holds no private key in PEM");
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
			  "holds no private key in PEM");
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, "", "is empty");
}

static void a_short_RSA_key_is_refused(void **state)
{
	EVP_PKEY *weak = EVP_RSA_gen(1024);
	_cleanup_free_ char *pem = private_pem(weak);

	(void)state;
	EVP_PKEY_free(weak);
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, pem, "is an RSA key of 1024 bits; make one of at least 2048");
}

static void other_curves_and_types_are_refused(void **state)
{
	EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	_cleanup_free_ char *p384 = private_pem(keys.p384);
	_cleanup_free_ char *other = private_pem(ed25519);

	(void)state;
	EVP_PKEY_free(ed25519);
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, p384, "is neither an RSA nor an EC P-256 key");
	assert_not_loaded(CLIENT_AUTH_PRIVATE_KEY_JWT, other, "is neither an RSA nor an EC P-256 key");
}

static void a_secret_is_one_line_of_printable_ASCII(void **state)
{
	(void)state;
	client_credentials_free(credentials_of(CLIENT_AUTH_BASIC, "s3cret with ~ and spaces"));
	assert_not_loaded(CLIENT_AUTH_BASIC, "", "holds no client secret");
	assert_not_loaded(CLIENT_AUTH_POST, "one\ntwo", "holds something else than one line");
	assert_not_loaded(CLIENT_AUTH_POST, "caf\xc3\xa9", "holds something else than one line");
	assert_not_loaded(CLIENT_AUTH_POST, "a\x7f", "holds something else than one line");
}

static void without_material_only_none_can_be_loaded(void **state)
{
	struct client_credentials *credentials = NULL;
	char fault[256] = "";

	(void)state;
	assert_false(client_credentials_load(CLIENT_AUTH_BASIC, NULL, &credentials, fault, sizeof(fault)));
	assert_false(client_credentials_load(CLIENT_AUTH_PRIVATE_KEY_JWT, NULL, &credentials, fault, sizeof(fault)));
	assert_true(client_credentials_load(CLIENT_AUTH_NONE, NULL, &credentials, fault, sizeof(fault)));
	client_credentials_free(credentials);
}

/* --- none, basic, post --- */

/* A request with these credentials; the caller wipes the form and frees the header. */
static char *apply(const struct client_credentials *credentials, const char *client_id, struct form *form)
{
	char *authorization = NULL;

	form_add(form, "scope", "openid");
	assert_true(client_auth_apply(credentials, client_id, ENDPOINT, NOW, form, &authorization));
	return authorization;
}

static void none_names_the_client(void **state)
{
	_cleanup_client_credentials_ struct client_credentials *credentials = credentials_of(CLIENT_AUTH_NONE, "");
	_cleanup_form_ struct form form = { 0 };

	(void)state;
	assert_null(apply(credentials, CLIENT, &form));
	assert_string_equal(form_text(&form), "scope=openid&client_id=" CLIENT);
}

static void post_puts_both_into_the_body_and_nothing_into_the_header(void **state)
{
	_cleanup_client_credentials_ struct client_credentials *credentials =
		credentials_of(CLIENT_AUTH_POST, "a&b=c d");
	_cleanup_form_ struct form form = { 0 };

	(void)state;
	assert_null(apply(credentials, CLIENT, &form));
	assert_string_equal(form_text(&form), "scope=openid&client_id=" CLIENT "&client_secret=a%26b%3Dc+d");
}

static void basic_puts_both_into_the_header_and_nothing_into_the_body(void **state)
{
	_cleanup_client_credentials_ struct client_credentials *credentials =
		credentials_of(CLIENT_AUTH_BASIC, "secret");
	_cleanup_form_ struct form form = { 0 };
	_cleanup_secret_text_ char *authorization = apply(credentials, "client", &form);

	(void)state;
	assert_string_equal(authorization, "Basic Y2xpZW50OnNlY3JldA==");
	assert_string_equal(form_text(&form), "scope=openid");
}

static void basic_encodes_both_halves_first(void **state)
{
	_cleanup_client_credentials_ struct client_credentials *credentials =
		credentials_of(CLIENT_AUTH_BASIC, "p:%/ +");
	_cleanup_form_ struct form form = { 0 };
	_cleanup_secret_text_ char *authorization = apply(credentials, "a:b", &form);
	unsigned char decoded[64] = "";

	(void)state;
	assert_memory_equal(authorization, "Basic ", 6);
	assert_true(EVP_DecodeBlock(decoded, (unsigned char *)authorization + 6, (int)strlen(authorization) - 6) > 0);
	assert_string_equal((char *)decoded, "a%3Ab:p%3A%25%2F+%2B");
}

static void a_form_that_failed_fails_the_request(void **state)
{
	_cleanup_client_credentials_ struct client_credentials *credentials =
		credentials_of(CLIENT_AUTH_POST, "secret");
	_cleanup_form_ struct form form = { .failed = true };
	char *authorization = NULL;

	(void)state;
	assert_false(client_auth_apply(credentials, CLIENT, ENDPOINT, NOW, &form, &authorization));
	assert_null(authorization);
}

/* --- private_key_jwt --- */

/* The assertion of a request with this key, which is its only proof. The caller frees it. */
static char *assertion_of(EVP_PKEY *key)
{
	static const char start[] =
		"scope=openid&client_assertion_type="
		"urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=";
	_cleanup_free_ char *pem = private_pem(key);
	_cleanup_client_credentials_ struct client_credentials *credentials =
		credentials_of(CLIENT_AUTH_PRIVATE_KEY_JWT, pem);
	_cleanup_form_ struct form form = { 0 };
	char *assertion;

	assert_null(apply(credentials, CLIENT, &form));
	assert_memory_equal(form_text(&form), start, strlen(start));
	assertion = strdup(form_text(&form) + strlen(start));
	assert_null(strchr(assertion, '&'));
	return assertion;
}

/* The JSON object in segment 0 or 1. */
static json_t *object_in(const char *jwt, int segment)
{
	const char *start = segment == 0 ? jwt : strchr(jwt, '.') + 1;
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t length = 0;
	char fault[96] = "";
	json_t *object;

	forge_must(base64url_decode(start, (size_t)(strchr(start, '.') - start), &bytes, &length));
	object = json_strict_object((const char *)bytes, length, fault, sizeof(fault));
	forge_must(object);
	return object;
}

static void assert_member(const json_t *object, const char *name, const char *expected)
{
	assert_string_equal(json_strict_string(object, name), expected);
}

static void an_assertion_says_who_speaks_to_whom_and_when(void **state)
{
	_cleanup_free_ char *assertion = assertion_of(keys.rsa);
	_cleanup_json_ json_t *header = object_in(assertion, 0);
	_cleanup_json_ json_t *claims = object_in(assertion, 1);

	(void)state;
	assert_member(header, "alg", "RS256");
	assert_member(header, "typ", "JWT");
	assert_int_equal(json_object_size(header), 2);
	assert_member(claims, "iss", CLIENT);
	assert_member(claims, "sub", CLIENT);
	assert_member(claims, "aud", ENDPOINT);
	assert_int_equal(strlen(json_strict_string(claims, "jti")), 22);
	assert_int_equal(json_integer_value(json_object_get(claims, "iat")), NOW);
	assert_int_equal(json_integer_value(json_object_get(claims, "exp")), NOW + 300);
	assert_int_equal(json_object_size(claims), 6);
}

static void no_two_assertions_have_the_same_jti(void **state)
{
	_cleanup_free_ char *one = assertion_of(keys.p256);
	_cleanup_free_ char *other = assertion_of(keys.p256);
	_cleanup_json_ json_t *claims = object_in(one, 1);
	_cleanup_json_ json_t *other_claims = object_in(other, 1);

	(void)state;
	assert_string_not_equal(json_strict_string(claims, "jti"), json_strict_string(other_claims, "jti"));
}

/* Whether the key's public half verifies what stands before the last dot. DER is what OpenSSL wants of ECDSA. */
static bool is_signed_by(EVP_PKEY *key, const char *jwt, const unsigned char *signature, size_t length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t signed_length = (size_t)(strrchr(jwt, '.') - jwt);
	bool good = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestVerify(context, signature, length, (const unsigned char *)jwt, signed_length) == 1;

	EVP_MD_CTX_free(context);
	return good;
}

static void an_RSA_key_signs_RS256(void **state)
{
	_cleanup_free_ char *assertion = assertion_of(keys.rsa);
	const char *segment = strrchr(assertion, '.') + 1;
	_cleanup_free_ uint8_t *signature = NULL;
	size_t length = 0;

	(void)state;
	assert_true(base64url_decode(segment, strlen(segment), &signature, &length));
	assert_int_equal(length, 256);
	assert_true(is_signed_by(keys.rsa, assertion, signature, length));
}

static void an_EC_key_signs_ES256_with_two_numbers_of_32_bytes(void **state)
{
	_cleanup_free_ char *assertion = assertion_of(keys.p256);
	_cleanup_json_ json_t *header = object_in(assertion, 0);
	const char *segment = strrchr(assertion, '.') + 1;
	_cleanup_free_ uint8_t *numbers = NULL;
	ECDSA_SIG *signature = ECDSA_SIG_new();
	unsigned char *der = NULL;
	size_t length = 0;
	int der_length;

	(void)state;
	assert_member(header, "alg", "ES256");
	assert_true(base64url_decode(segment, strlen(segment), &numbers, &length));
	assert_int_equal(length, 64);
	forge_must(ECDSA_SIG_set0(signature, BN_bin2bn(numbers, 32, NULL), BN_bin2bn(numbers + 32, 32, NULL)) == 1);
	der_length = i2d_ECDSA_SIG(signature, &der);
	ECDSA_SIG_free(signature);
	assert_true(is_signed_by(keys.p256, assertion, der, (size_t)der_length));
	OPENSSL_free(der);
}

static void short_ECDSA_numbers_are_padded(void **state)
{
	_cleanup_free_ char *pem = private_pem(keys.p256);
	_cleanup_client_credentials_ struct client_credentials *credentials =
		credentials_of(CLIENT_AUTH_PRIVATE_KEY_JWT, pem);

	(void)state;
	/* One number in 256 begins with a zero byte; 1200 numbers without any are as unlikely as 1 in 100. */
	for (int i = 0; i < 600; i++) {
		_cleanup_form_ struct form form = { 0 };
		const char *text;

		assert_null(apply(credentials, CLIENT, &form));
		text = form_text(&form);
		assert_int_equal(strlen(strrchr(text, '.') + 1), 86);
	}
}

static void a_client_id_that_is_no_UTF8_fails_the_request(void **state)
{
	_cleanup_free_ char *pem = private_pem(keys.p256);
	_cleanup_client_credentials_ struct client_credentials *credentials =
		credentials_of(CLIENT_AUTH_PRIVATE_KEY_JWT, pem);
	_cleanup_form_ struct form form = { 0 };
	char *authorization = NULL;

	(void)state;
	assert_false(client_auth_apply(credentials, "\xff", ENDPOINT, NOW, &form, &authorization));
	assert_string_equal(form_text(&form), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_in_both_PEM_forms_are_loaded),
		cmocka_unit_test(a_public_key_is_told_from_a_private_one),
		cmocka_unit_test(an_encrypted_key_is_refused_without_asking_anybody),
		cmocka_unit_test(other_files_are_told_apart),
		cmocka_unit_test(a_short_RSA_key_is_refused),
		cmocka_unit_test(other_curves_and_types_are_refused),
		cmocka_unit_test(a_secret_is_one_line_of_printable_ASCII),
		cmocka_unit_test(without_material_only_none_can_be_loaded),
		cmocka_unit_test(none_names_the_client),
		cmocka_unit_test(post_puts_both_into_the_body_and_nothing_into_the_header),
		cmocka_unit_test(basic_puts_both_into_the_header_and_nothing_into_the_body),
		cmocka_unit_test(basic_encodes_both_halves_first),
		cmocka_unit_test(a_form_that_failed_fails_the_request),
		cmocka_unit_test(an_assertion_says_who_speaks_to_whom_and_when),
		cmocka_unit_test(no_two_assertions_have_the_same_jti),
		cmocka_unit_test(an_RSA_key_signs_RS256),
		cmocka_unit_test(an_EC_key_signs_ES256_with_two_numbers_of_32_bytes),
		cmocka_unit_test(short_ECDSA_numbers_are_padded),
		cmocka_unit_test(a_client_id_that_is_no_UTF8_fails_the_request),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
