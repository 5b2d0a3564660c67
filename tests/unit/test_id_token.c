/*
 * The verification of ID tokens: what a sound token gives, and for every check a token that only this check refuses.
 * mutate_id_token takes the checks out one by one and expects this program to notice each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include "pam_oidc/id_token.h"
#include "tests/unit/forge.h"

#define ISSUER "https://clinic.okta.example"
#define CLIENT "0oa1client"
#define SUBJECT "00u1alice"
#define ACCESS_TOKEN "an opaque access token"
#define NOW ((int64_t)1900000000)
#define SKEW ID_TOKEN_CLOCK_SKEW_S
#define LIFETIME_MAX ((int64_t)ID_TOKEN_MAX_LIFETIME_DAYS * 86400)
#define YEAR_10000 253402300800LL

static struct {
	EVP_PKEY *rsa, *unpublished_rsa, *p256, *p384, *p521;
	struct jwks *keys;
} issuer;

/* One token and what is expected of it. Tests change what they are about; the rest is sound. */
struct attempt {
	json_t *header;
	json_t *claims;
	const char *header_text;  /* instead of header */
	const char *payload_text; /* instead of claims */
	EVP_PKEY *key;
	const char *signed_with; /* alg of the signature; the header's is separate */
	const struct jwks *keys;
	struct id_token_expectations expected;
	char *compact;
	struct verified_token *token;
	char fault[ID_TOKEN_FAULT_MAX];
};

/* --- Making attempts --- */

static void add_key(json_t *list, const EVP_PKEY *key, const char *kid)
{
	forge_must(json_array_append_new(list, forge_jwk(key, kid)) == 0);
}

static int make_issuer(void **state)
{
	_cleanup_free_ char *text = NULL;
	json_t *list = json_array();
	json_t *document = json_pack("{s:o}", "keys", list);
	char fault[128] = "";

	(void)state;
	issuer.rsa = EVP_RSA_gen(2048);
	issuer.unpublished_rsa = EVP_RSA_gen(2048);
	issuer.p256 = EVP_EC_gen("P-256");
	issuer.p384 = EVP_EC_gen("P-384");
	issuer.p521 = EVP_EC_gen("P-521");
	add_key(list, issuer.rsa, "rsa");
	add_key(list, issuer.p256, "p256");
	add_key(list, issuer.p384, "p384");
	add_key(list, issuer.p521, "p521");
	add_key(list, issuer.rsa, "rsa-only-rs384");
	forge_must(json_object_set_new(json_array_get(list, 4), "alg", json_string("RS384")) == 0);
	text = json_dumps(document, JSON_COMPACT);
	issuer.keys = jwks_parse(text, strlen(text), fault, sizeof(fault));
	forge_must(issuer.keys && jwks_count(issuer.keys) == 5);
	json_decref(document);
	return 0;
}

static int free_issuer(void **state)
{
	(void)state;
	EVP_PKEY_free(issuer.rsa);
	EVP_PKEY_free(issuer.unpublished_rsa);
	EVP_PKEY_free(issuer.p256);
	EVP_PKEY_free(issuer.p384);
	EVP_PKEY_free(issuer.p521);
	jwks_free(issuer.keys);
	return 0;
}

static json_t *sound_claims(const char *access_token_hash)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:[s, s, s], s:s, s:s, s:s, s:i, s:s}", "iss", ISSUER, "sub",
			 SUBJECT, "aud", CLIENT, "iat", NOW - 1, "exp", NOW + 3599, "auth_time", NOW - 30, "amr", "mfa",
			 "otp", "pwd", "idp", "00o1idp", "jti", "ID.one", "at_hash", access_token_hash, "ver", 1,
			 "email", "alice@clinic.example");
}

static int make_attempt(void **state)
{
	_cleanup_free_ char *hash = forge_at_hash("RS256", ACCESS_TOKEN);
	struct attempt *a = calloc(1, sizeof(*a));

	forge_must(a);
	*a = (struct attempt){
		.header = json_pack("{s:s, s:s}", "alg", "RS256", "kid", "rsa"),
		.claims = sound_claims(hash),
		.key = issuer.rsa,
		.signed_with = "RS256",
		.keys = issuer.keys,
		.expected = {
			.issuer = ISSUER,
			.client_id = CLIENT,
			.access_token = ACCESS_TOKEN,
			.now = NOW,
			.max_clock_skew_s = SKEW,
		},
	};
	*state = a;
	return 0;
}

static int free_attempt(void **state)
{
	struct attempt *a = *state;

	json_decref(a->header);
	json_decref(a->claims);
	free(a->compact);
	verified_token_free(a->token);
	free(a);
	return 0;
}

static void set(json_t *object, const char *name, json_t *value)
{
	forge_must(value && json_object_set_new(object, name, value) == 0);
}

static void set_text(json_t *object, const char *name, const char *value)
{
	set(object, name, json_string(value));
}

static void set_number(json_t *object, const char *name, int64_t value)
{
	set(object, name, json_integer(value));
}

static void leave_out(json_t *object, const char *name)
{
	forge_must(json_object_del(object, name) == 0);
}

static void sign_with(struct attempt *a, EVP_PKEY *key, const char *kid, const char *alg)
{
	_cleanup_free_ char *hash = forge_at_hash(alg, ACCESS_TOKEN);

	a->key = key;
	a->signed_with = alg;
	set_text(a->header, "kid", kid);
	set_text(a->header, "alg", alg);
	set_text(a->claims, "at_hash", hash);
}

/* Allows exactly one algorithm instead of the default. */
static void allow(struct attempt *a, const char *const *alg)
{
	a->expected.algs = alg;
	a->expected.alg_count = 1;
}

static char *header_of(const struct attempt *a)
{
	char *text = a->header_text ? strdup(a->header_text) : json_dumps(a->header, JSON_COMPACT);

	forge_must(text);
	return text;
}

static char *payload_of(const struct attempt *a)
{
	char *text = a->payload_text ? strdup(a->payload_text) : json_dumps(a->claims, JSON_COMPACT);

	forge_must(text);
	return text;
}

static const char *compact_of(struct attempt *a)
{
	_cleanup_free_ char *header = header_of(a);
	_cleanup_free_ char *payload = payload_of(a);

	free(a->compact);
	a->compact = forge_token(a->key, a->signed_with, header, payload);
	return a->compact;
}

/* --- Judging them --- */

static enum id_token_result verify_text(struct attempt *a, const char *compact)
{
	/* A copy of exactly this size and without NUL, so that reading past its end is noticed. */
	size_t length = strlen(compact);
	_cleanup_free_ char *copy = malloc(length > 0 ? length : 1);

	forge_must(copy);
	for (size_t i = 0; i < length; i++)
		copy[i] = compact[i];
	verified_token_free(a->token);
	a->token = NULL;
	return id_token_verify(copy, length, a->keys, &a->expected, &a->token, a->fault, sizeof(a->fault));
}

static void assert_result(struct attempt *a, enum id_token_result expected, enum id_token_result result,
			  const char *fault)
{
	if (result != expected || strncmp(a->fault, fault, strlen(fault)) != 0)
		fail_msg("result %d, fault \"%s\"; expected %d, \"%s...\"", (int)result, a->fault, (int)expected,
			 fault);
	assert_true((a->token != NULL) == (expected == ID_TOKEN_OK));
}

static void assert_accepted(struct attempt *a)
{
	assert_result(a, ID_TOKEN_OK, verify_text(a, compact_of(a)), "");
}

static void assert_invalid(struct attempt *a, const char *fault)
{
	assert_result(a, ID_TOKEN_INVALID, verify_text(a, compact_of(a)), fault);
}

static void assert_text_invalid(struct attempt *a, const char *compact, const char *fault)
{
	assert_result(a, ID_TOKEN_INVALID, verify_text(a, compact), fault);
}

static void assert_claim_refused(struct attempt *a, const char *name, json_t *value, const char *fault)
{
	set(a->claims, name, value);
	assert_invalid(a, fault);
}

/* Takes each value in turn for the claim; every one must be refused with this fault. */
static void assert_none_accepted(struct attempt *a, const char *name, const char *const *values, const char *fault)
{
	for (; *values; values++) {
		json_t *value = json_loads(*values, JSON_DECODE_ANY, NULL);

		forge_must(value);
		assert_claim_refused(a, name, value, fault);
	}
}

static const char *const no_strings[] = { "null", "true", "1", "[\"x\"]", "{}", NULL };
static const char *const no_times[] = { "null",  "true",           "1900000000.0",
					"1.9e9", "\"1900000000\"", "[1900000000]",
					"-1",    "253402300800",   "9223372036854775807",
					NULL };

/* --- Sound tokens --- */

static void a_sound_token_gives_what_it_says(void **state)
{
	struct attempt *a = *state;

	assert_accepted(a);
	assert_string_equal(verified_token_issuer(a->token), ISSUER);
	assert_string_equal(verified_token_client_id(a->token), CLIENT);
	assert_string_equal(verified_token_subject(a->token), SUBJECT);
	assert_string_equal(verified_token_jti(a->token), "ID.one");
	assert_int_equal(verified_token_expiry(a->token), NOW + 3599);
	assert_int_equal(verified_token_auth_time(a->token), NOW - 30);
	assert_string_equal(verified_token_amr(a->token, 0), "mfa");
	assert_string_equal(verified_token_amr(a->token, 2), "pwd");
	assert_null(verified_token_amr(a->token, 3));
	assert_string_equal(json_string_value(json_object_get(verified_token_claims(a->token), "email")),
			    "alice@clinic.example");
}

static void a_token_with_the_least_a_standard_asks_for_is_sound(void **state)
{
	struct attempt *a = *state;

	leave_out(a->claims, "jti");
	leave_out(a->claims, "amr");
	leave_out(a->claims, "auth_time");
	leave_out(a->claims, "at_hash");
	a->expected.access_token = NULL;
	assert_accepted(a);
	assert_int_equal(verified_token_auth_time(a->token), 0);
	assert_null(verified_token_amr(a->token, 0));
}

static void every_algorithm_is_accepted_when_it_is_allowed(void **state)
{
	struct attempt *a = *state;
	const struct {
		const char *alg, *kid;
		EVP_PKEY *key;
	} cases[] = {
		{ "RS256", "rsa", issuer.rsa },   { "RS384", "rsa", issuer.rsa },   { "RS512", "rsa", issuer.rsa },
		{ "PS256", "rsa", issuer.rsa },   { "PS384", "rsa", issuer.rsa },   { "PS512", "rsa", issuer.rsa },
		{ "ES256", "p256", issuer.p256 }, { "ES384", "p384", issuer.p384 }, { "ES512", "p521", issuer.p521 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sign_with(a, cases[i].key, cases[i].kid, cases[i].alg);
		allow(a, &cases[i].alg);
		assert_accepted(a);
	}
}

static void unknown_members_and_claims_are_ignored(void **state)
{
	struct attempt *a = *state;

	set_text(a->header, "x5t", "dGh1bWJwcmludA");
	set(a->header, "cty", json_null());
	set(a->claims, "urn:example:extra", json_pack("{s:[i, f]}", "deep", 1, 1.5));
	assert_accepted(a);
}

static void no_fault_repeats_the_token(void **state)
{
	struct attempt *a = *state;

	set_text(a->claims, "iss", "https://MARKER.evil.example");
	assert_invalid(a, "iss: ");
	assert_null(strstr(a->fault, "MARKER"));
	a->payload_text = "{\"iss\": MARKER}";
	assert_invalid(a, "the payload is not JSON");
	assert_null(strstr(a->fault, "MARKER"));
}

/* --- The form --- */

static void a_token_of_more_than_64_KiB_is_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *padding = calloc(1, ID_TOKEN_SIZE_MAX);

	forge_must(padding);
	memset(padding, 'x', ID_TOKEN_SIZE_MAX / 2);
	set_text(a->claims, "padding", padding);
	assert_accepted(a);
	memset(padding, 'x', ID_TOKEN_SIZE_MAX - 1);
	set_text(a->claims, "padding", padding);
	assert_invalid(a, "the token is longer than 65536 bytes");
}

static void a_token_of_exactly_64_KiB_is_not_too_long(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *text = calloc(1, ID_TOKEN_SIZE_MAX + 2);

	forge_must(text);
	memset(text, 'x', ID_TOKEN_SIZE_MAX);
	assert_text_invalid(a, text, "the token has fewer than three segments");
	text[ID_TOKEN_SIZE_MAX] = 'x';
	assert_text_invalid(a, text, "the token is longer than 65536 bytes");
}

static void fewer_than_three_segments_are_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *text = strdup(compact_of(a));

	*strrchr(text, '.') = '\0';
	assert_text_invalid(a, text, "the token has fewer than three segments");
	*strrchr(text, '.') = '\0';
	assert_text_invalid(a, text, "the token has fewer than three segments");
	assert_text_invalid(a, "", "the token has fewer than three segments");
}

static void four_and_five_segments_are_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *four = NULL;
	_cleanup_free_ char *five = NULL;

	forge_must(asprintf(&four, "%s.", compact_of(a)) > 0 && asprintf(&five, "%s.e30.e30", a->compact) > 0);
	assert_text_invalid(a, four, "the token has more than three segments");
	assert_text_invalid(a, five, "the token has more than three segments");
}

static void empty_segments_are_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *text = NULL;

	assert_text_invalid(a, "..", "the header is cut off");
	text = strdup(compact_of(a));
	strrchr(text, '.')[1] = '\0';
	assert_text_invalid(a, text, "the signature is 0 bytes long instead of 256");
	a->payload_text = "";
	assert_invalid(a, "the payload is cut off");
}

/* The segment's text with the padding that other base64 has; the payloads and headers given here need some. */
static char *padded_segment(const char *text)
{
	_cleanup_free_ char *bare = forge_base64url(text, strlen(text));
	char *padded = NULL;

	forge_must(strlen(bare) % 4 != 0);
	forge_must(asprintf(&padded, "%s%s", bare, strlen(bare) % 4 == 2 ? "==" : "=") > 0);
	return padded;
}

/* Signs these segments as they stand, so that nothing but their form is wrong. */
static char *sign_segments(const struct attempt *a, const char *header, const char *payload)
{
	_cleanup_free_ char *input = NULL;
	unsigned char signature[512];
	size_t length;

	forge_must(asprintf(&input, "%s.%s", header, payload) > 0);
	length = forge_signature(a->key, a->signed_with, input, signature, sizeof(signature));
	return forge_append_segment(input, signature, length);
}

static void a_padded_header_is_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *header = padded_segment("{\"alg\":\"RS256\",\"kid\":\"rsa\" }");
	_cleanup_free_ char *text = sign_segments(a, header, "e30");

	assert_text_invalid(a, text, "the header is not canonical base64url");
}

static void a_padded_payload_is_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *header = forge_base64url("{\"alg\":\"RS256\",\"kid\":\"rsa\"}", 27);
	_cleanup_free_ char *payload = padded_segment("{}");
	_cleanup_free_ char *text = sign_segments(a, header, payload);

	assert_text_invalid(a, text, "the payload is not canonical base64url");
}

static void a_padded_signature_is_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *text = NULL;

	forge_must(asprintf(&text, "%s==", compact_of(a)) > 0);
	assert_text_invalid(a, text, "the signature is not canonical base64url");
}

static void bits_left_over_in_base64_are_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *text = strdup(compact_of(a));
	char *last = text + strlen(text) - 1;

	/* 256 bytes leave four unused bits in the last character: the next character means the same bytes. */
	(*last)++;
	assert_text_invalid(a, text, "the signature is not canonical base64url");
}

static void foreign_characters_are_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *text = NULL;

	forge_must(asprintf(&text, "%s\n", compact_of(a)) > 0);
	assert_text_invalid(a, text, "the signature is not canonical base64url");
	text[0] = ' ';
	assert_text_invalid(a, text, "the header is not canonical base64url");
}

static void a_header_that_is_no_JSON_object_is_refused(void **state)
{
	struct attempt *a = *state;

	a->header_text = "[]";
	assert_invalid(a, "the header is not a JSON object");
	a->header_text = "{\"alg\":\"RS256\",\"kid\":\"rsa\"} {}";
	assert_invalid(a, "the header goes on after its end");
}

static void a_header_with_a_member_twice_is_refused(void **state)
{
	struct attempt *a = *state;

	a->header_text = "{\"alg\":\"none\",\"kid\":\"rsa\",\"alg\":\"RS256\"}";
	assert_invalid(a, "the header has a member twice");
	a->header_text = "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"\\u006bid\":\"rsa\"}";
	assert_invalid(a, "the header has a member twice");
}

static void a_header_with_NUL_or_broken_UTF8_is_refused(void **state)
{
	struct attempt *a = *state;

	a->header_text = "{\"alg\":\"RS256\",\"kid\":\"rsa\\u0000x\"}";
	assert_invalid(a, "the header has a NUL character in a string");
	a->header_text = "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x\":\"\xc0\xaf\"}";
	assert_invalid(a, "the header is not valid UTF-8");
}

static void a_header_nested_without_end_is_refused(void **state)
{
	struct attempt *a = *state;

	a->header_text = "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}";
	assert_invalid(a, "the header is nested deeper than 16");
}

/* --- The header --- */

static void alg_none_is_refused(void **state)
{
	struct attempt *a = *state;
	const char *none = "none";
	_cleanup_free_ char *payload = payload_of(a);
	_cleanup_free_ char *input = NULL;
	_cleanup_free_ char *text = NULL;

	input = forge_signing_input("{\"alg\":\"none\",\"kid\":\"rsa\"}", payload);
	text = forge_append_segment(input, "", 0);
	assert_text_invalid(a, text, "alg: is not an algorithm with a public key");
	allow(a, &none);
	assert_text_invalid(a, text, "alg: is not an algorithm with a public key");
}

static void an_HMAC_with_the_public_key_is_refused(void **state)
{
	struct attempt *a = *state;
	const char *hs256 = "HS256";
	_cleanup_free_ char *payload = payload_of(a);
	_cleanup_free_ char *text = NULL;
	unsigned char *key = NULL;
	int length = i2d_PUBKEY(issuer.rsa, &key);

	forge_must(length > 0);
	text = forge_hmac_token(key, (size_t)length, "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", payload);
	OPENSSL_free(key);
	assert_text_invalid(a, text, "alg: is not an algorithm with a public key");
	allow(a, &hs256);
	assert_text_invalid(a, text, "alg: is not an algorithm with a public key");
}

static void alg_missing_or_no_string_is_refused(void **state)
{
	struct attempt *a = *state;

	set(a->header, "alg", json_integer(256));
	assert_invalid(a, "alg: is missing or no string");
	leave_out(a->header, "alg");
	assert_invalid(a, "alg: is missing or no string");
}

static void alg_is_compared_exactly(void **state)
{
	struct attempt *a = *state;

	set_text(a->header, "alg", "rs256");
	assert_invalid(a, "alg: is not an algorithm with a public key");
	set_text(a->header, "alg", "RS256 ");
	assert_invalid(a, "alg: is not an algorithm with a public key");
}

static void only_RS256_is_allowed_unless_configured(void **state)
{
	struct attempt *a = *state;

	sign_with(a, issuer.rsa, "rsa", "RS384");
	assert_invalid(a, "alg: RS384 is not among the allowed algorithms");
	sign_with(a, issuer.p256, "p256", "ES256");
	assert_invalid(a, "alg: ES256 is not among the allowed algorithms");
}

static void configured_algorithms_replace_the_default(void **state)
{
	struct attempt *a = *state;
	const char *es256 = "ES256";

	allow(a, &es256);
	assert_invalid(a, "alg: RS256 is not among the allowed algorithms");
}

static void typ_JWT_is_accepted_in_any_case(void **state)
{
	struct attempt *a = *state;

	set_text(a->header, "typ", "JWT");
	assert_accepted(a);
	set_text(a->header, "typ", "jwt");
	assert_accepted(a);
}

static void other_kinds_of_token_are_refused(void **state)
{
	struct attempt *a = *state;

	set_text(a->header, "typ", "at+jwt");
	assert_invalid(a, "typ: this is another kind of token");
	set_text(a->header, "typ", "logout+jwt");
	assert_invalid(a, "typ: this is another kind of token");
	set(a->header, "typ", json_null());
	assert_invalid(a, "typ: is no string");
}

static void assert_member_refused(struct attempt *a, const char *name, json_t *value)
{
	_cleanup_free_ char *fault = NULL;

	forge_must(asprintf(&fault, "%s: must not be in an ID token's header", name) > 0);
	set(a->header, name, value);
	assert_invalid(a, fault);
	set(a->header, name, json_null());
	assert_invalid(a, fault);
}

static void crit_is_refused(void **state)
{
	assert_member_refused(*state, "crit", json_pack("[s]", "exp"));
}

static void b64_is_refused(void **state)
{
	assert_member_refused(*state, "b64", json_true());
}

static void zip_is_refused(void **state)
{
	assert_member_refused(*state, "zip", json_string("DEF"));
}

static void a_token_that_points_to_a_key_set_is_refused(void **state)
{
	assert_member_refused(*state, "jku", json_string("https://evil.example/keys"));
}

static void a_token_that_brings_its_key_is_refused(void **state)
{
	struct attempt *a = *state;

	a->key = issuer.unpublished_rsa;
	assert_member_refused(a, "jwk", forge_jwk(issuer.unpublished_rsa, "rsa"));
}

static void a_token_that_points_to_a_certificate_is_refused(void **state)
{
	assert_member_refused(*state, "x5u", json_string("https://evil.example/certificate"));
}

static void a_token_that_brings_its_certificate_is_refused(void **state)
{
	assert_member_refused(*state, "x5c", json_pack("[s]", "MIIB"));
}

static void kid_missing_or_no_string_is_refused(void **state)
{
	struct attempt *a = *state;

	set(a->header, "kid", json_integer(1));
	assert_invalid(a, "kid: is missing or no string");
	leave_out(a->header, "kid");
	assert_invalid(a, "kid: is missing or no string");
}

static void an_unknown_kid_asks_for_new_keys(void **state)
{
	struct attempt *a = *state;

	set_text(a->header, "kid", "rotated");
	assert_result(a, ID_TOKEN_UNKNOWN_KID, verify_text(a, compact_of(a)),
		      "kid: the issuer publishes no usable key");
	set_text(a->header, "kid", "RSA");
	assert_result(a, ID_TOKEN_UNKNOWN_KID, verify_text(a, compact_of(a)),
		      "kid: the issuer publishes no usable key");
}

static void without_keys_every_kid_is_unknown(void **state)
{
	struct attempt *a = *state;

	a->keys = NULL;
	assert_result(a, ID_TOKEN_UNKNOWN_KID, verify_text(a, compact_of(a)),
		      "kid: the issuer publishes no usable key");
}

static void a_kid_that_two_keys_share_is_unknown(void **state)
{
	struct attempt *a = *state;
	json_t *document =
		json_pack("{s:[o, o]}", "keys", forge_jwk(issuer.rsa, "rsa"), forge_jwk(issuer.unpublished_rsa, "rsa"));
	_cleanup_free_ char *text = json_dumps(document, 0);
	struct jwks *keys = jwks_parse(text, strlen(text), a->fault, sizeof(a->fault));

	json_decref(document);
	a->keys = keys;
	assert_result(a, ID_TOKEN_UNKNOWN_KID, verify_text(a, compact_of(a)),
		      "kid: the issuer publishes no usable key");
	jwks_free(keys);
}

static void a_512_bit_RSA_key_verifies_nothing(void **state)
{
	struct attempt *a = *state;
	EVP_PKEY *weak = EVP_RSA_gen(512);
	json_t *document = json_pack("{s:[o]}", "keys", forge_jwk(weak, "rsa"));
	_cleanup_free_ char *text = json_dumps(document, 0);
	struct jwks *keys = jwks_parse(text, strlen(text), a->fault, sizeof(a->fault));

	json_decref(document);
	a->keys = keys;
	a->key = weak;
	assert_result(a, ID_TOKEN_UNKNOWN_KID, verify_text(a, compact_of(a)),
		      "kid: the issuer publishes no usable key");
	jwks_free(keys);
	EVP_PKEY_free(weak);
}

/* --- The signature --- */

static void an_EC_key_does_not_verify_RS256(void **state)
{
	struct attempt *a = *state;

	set_text(a->header, "kid", "p256");
	a->key = issuer.p256;
	assert_invalid(a, "alg: RS256 does not fit the key");
}

static void an_RSA_key_does_not_verify_ES256(void **state)
{
	struct attempt *a = *state;
	const char *es256 = "ES256";

	allow(a, &es256);
	set_text(a->header, "alg", "ES256");
	assert_invalid(a, "alg: ES256 does not fit the key");
}

static void a_key_of_another_curve_does_not_verify_ES256(void **state)
{
	struct attempt *a = *state;
	const char *es256 = "ES256";

	allow(a, &es256);
	sign_with(a, issuer.p384, "p384", "ES256");
	assert_invalid(a, "alg: ES256 does not fit the key");
}

static void a_key_that_names_its_algorithm_verifies_no_other(void **state)
{
	struct attempt *a = *state;

	set_text(a->header, "kid", "rsa-only-rs384");
	assert_invalid(a, "alg: RS256 does not fit the key");
}

static void a_changed_payload_is_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *input = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *header = header_of(a);
	_cleanup_free_ char *payload = NULL;
	const char *signature = strrchr(compact_of(a), '.');

	set_text(a->claims, "sub", "00u2bob");
	payload = payload_of(a);
	input = forge_signing_input(header, payload);
	forge_must(asprintf(&text, "%s%s", input, signature) > 0);
	assert_text_invalid(a, text, "the signature is wrong");
}

static void a_changed_header_is_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *input = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *payload = payload_of(a);
	const char *signature = strrchr(compact_of(a), '.');

	input = forge_signing_input("{\"kid\":\"rsa\",\"alg\":\"RS256\"}", payload);
	forge_must(asprintf(&text, "%s%s", input, signature) > 0);
	assert_text_invalid(a, text, "the signature is wrong");
}

static void another_key_of_the_same_name_is_refused(void **state)
{
	struct attempt *a = *state;

	a->key = issuer.unpublished_rsa;
	assert_invalid(a, "the signature is wrong");
}

static void a_signature_of_another_algorithm_is_refused(void **state)
{
	struct attempt *a = *state;

	a->signed_with = "PS256";
	assert_invalid(a, "the signature is wrong");
	a->signed_with = "RS512";
	assert_invalid(a, "the signature is wrong");
}

/* Replaces the signature by other bytes. */
static void assert_signature_refused(struct attempt *a, const void *signature, size_t length, const char *fault)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *input = strdup(compact_of(a));

	*strrchr(input, '.') = '\0';
	text = forge_append_segment(input, signature, length);
	assert_text_invalid(a, text, fault);
}

static void an_RSA_signature_has_the_length_of_the_key(void **state)
{
	struct attempt *a = *state;
	static const unsigned char zeros[512];

	assert_signature_refused(a, zeros, 255, "the signature is 255 bytes long instead of 256");
	assert_signature_refused(a, zeros, 257, "the signature is 257 bytes long instead of 256");
	assert_signature_refused(a, zeros, 256, "the signature is wrong");
}

/* R and S of the token's own signature, each with a zero before it: to a lenient reader the same numbers. */
static char *with_longer_numbers(const char *compact)
{
	_cleanup_free_ char *input = strndup(compact, (size_t)(strrchr(compact, '.') - compact));
	const char *segment = strrchr(compact, '.') + 1;
	_cleanup_free_ uint8_t *signature = NULL;
	unsigned char longer[66] = { 0 };
	size_t length = 0;

	forge_must(base64url_decode(segment, strlen(segment), &signature, &length) && length == 64);
	memcpy(longer + 1, signature, 32);
	memcpy(longer + 34, signature + 32, 32);
	return forge_append_segment(input, longer, sizeof(longer));
}

static void an_ECDSA_signature_has_the_length_of_the_curve(void **state)
{
	struct attempt *a = *state;
	const char *es256 = "ES256";
	_cleanup_free_ char *text = NULL;

	allow(a, &es256);
	sign_with(a, issuer.p256, "p256", "ES256");
	text = with_longer_numbers(compact_of(a));
	assert_text_invalid(a, text, "the signature is 66 bytes long instead of 64");
}

static void an_ECDSA_signature_of_zeros_is_refused(void **state)
{
	struct attempt *a = *state;
	const char *es256 = "ES256";
	static const unsigned char zeros[64];

	allow(a, &es256);
	sign_with(a, issuer.p256, "p256", "ES256");
	assert_signature_refused(a, zeros, sizeof(zeros), "the signature is wrong");
}

static void nothing_of_the_payload_is_read_before_the_signature_is_good(void **state)
{
	struct attempt *a = *state;

	a->payload_text = "no JSON at all";
	a->key = issuer.unpublished_rsa;
	assert_invalid(a, "the signature is wrong");
}

/* --- The payload --- */

static void a_payload_that_is_no_JSON_object_is_refused(void **state)
{
	struct attempt *a = *state;

	a->payload_text = "[]";
	assert_invalid(a, "the payload is not a JSON object");
	a->payload_text = "{\"iss\":\"" ISSUER "\"";
	assert_invalid(a, "the payload is cut off");
}

static void a_claim_twice_is_refused(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *payload = payload_of(a);
	_cleanup_free_ char *text = NULL;

	forge_must(asprintf(&text, "{\"sub\":\"00u2bob\",%s", payload + 1) > 0);
	a->payload_text = text;
	assert_invalid(a, "the payload has a member twice");
}

static void a_claim_twice_deep_inside_is_refused(void **state)
{
	struct attempt *a = *state;

	a->payload_text = "{\"x\":[{\"y\":1,\"y\":2}]}";
	assert_invalid(a, "the payload has a member twice");
}

static void a_number_beyond_64_bits_is_refused(void **state)
{
	struct attempt *a = *state;

	a->payload_text = "{\"exp\":9223372036854775808}";
	assert_invalid(a, "the payload has a number that is too large");
	a->payload_text = "{\"exp\":1e999}";
	assert_invalid(a, "the payload has a number that is too large");
}

static void a_claim_with_NUL_or_broken_UTF8_is_refused(void **state)
{
	struct attempt *a = *state;

	a->payload_text = "{\"email\":\"alice@clinic.example\\u0000@evil.example\"}";
	assert_invalid(a, "the payload has a NUL character in a string");
	a->payload_text = "{\"email\":\"\\ud800\"}";
	assert_invalid(a, "the payload is not JSON");
	a->payload_text = "{\"email\":\"\xff\"}";
	assert_invalid(a, "the payload is not valid UTF-8");
}

static void a_payload_nested_without_end_is_refused(void **state)
{
	struct attempt *a = *state;

	a->payload_text = "{\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}";
	assert_invalid(a, "the payload is nested deeper than 16");
}

/* --- iss, sub --- */

static void iss_must_be_there_as_a_string(void **state)
{
	struct attempt *a = *state;

	assert_none_accepted(a, "iss", no_strings, "iss: is missing or no string");
	leave_out(a->claims, "iss");
	assert_invalid(a, "iss: is missing or no string");
}

static void iss_is_compared_exactly(void **state)
{
	struct attempt *a = *state;

	assert_claim_refused(a, "iss", json_string("https://evil.example"), "iss: is not the configured issuer");
	assert_claim_refused(a, "iss", json_string(ISSUER "/"), "iss: is not the configured issuer");
	assert_claim_refused(a, "iss", json_string("https://CLINIC.okta.example"), "iss: is not the configured issuer");
	assert_claim_refused(a, "iss", json_string(""), "iss: is not the configured issuer");
}

static void sub_must_be_there_as_a_string(void **state)
{
	struct attempt *a = *state;

	assert_none_accepted(a, "sub", no_strings, "sub: is missing or no string");
	leave_out(a->claims, "sub");
	assert_invalid(a, "sub: is missing or no string");
}

static void sub_is_1_to_255_printable_ASCII_characters(void **state)
{
	struct attempt *a = *state;
	char text[257] = "";
	const char *const bad[] = { "\"\"", "\"a\\nb\"", "\"a\\u007fb\"", "\"z\xc3\xbcrich\"", NULL };

	memset(text, 'x', 255);
	set_text(a->claims, "sub", text);
	assert_accepted(a);
	text[255] = 'x';
	assert_claim_refused(a, "sub", json_string(text), "sub: is not 1 to 255 printable ASCII characters");
	assert_none_accepted(a, "sub", bad, "sub: is not 1 to 255 printable ASCII characters");
	set_text(a->claims, "sub", " ~");
	assert_accepted(a);
}

/* --- aud, azp --- */

static void aud_of_another_client_is_refused(void **state)
{
	struct attempt *a = *state;

	assert_claim_refused(a, "aud", json_string("0oa2other"), "aud: is another client");
	assert_claim_refused(a, "aud", json_string("0OA1CLIENT"), "aud: is another client");
	assert_claim_refused(a, "aud", json_string(""), "aud: is another client");
}

static void aud_must_be_there_as_a_string_or_strings(void **state)
{
	struct attempt *a = *state;
	const char *const bad[] = { "null", "1", "{}", "[1]", NULL };

	assert_none_accepted(a, "aud", bad, "aud: is missing, or neither");
	assert_claim_refused(a, "aud", json_pack("[s, n]", CLIENT), "aud: is missing, or neither");
	leave_out(a->claims, "aud");
	assert_invalid(a, "aud: is missing, or neither");
}

static void aud_may_be_an_array_of_just_this_client(void **state)
{
	struct attempt *a = *state;

	set(a->claims, "aud", json_pack("[s]", CLIENT));
	assert_accepted(a);
	assert_string_equal(verified_token_client_id(a->token), CLIENT);
}

static void an_array_without_this_client_is_refused(void **state)
{
	struct attempt *a = *state;

	set_text(a->claims, "azp", CLIENT);
	assert_claim_refused(a, "aud", json_pack("[s, s]", "0oa2other", "0oa3other"), "aud: this client is not among");
	assert_claim_refused(a, "aud", json_array(), "aud: this client is not among");
}

static void an_endless_audience_is_refused(void **state)
{
	struct attempt *a = *state;
	json_t *audiences = json_array();

	for (int i = 0; i < 64; i++)
		(void)json_array_append_new(audiences, json_string(CLIENT));
	set_text(a->claims, "azp", CLIENT);
	set(a->claims, "aud", json_incref(audiences));
	assert_accepted(a);
	(void)json_array_append_new(audiences, json_string(CLIENT));
	assert_invalid(a, "aud: is missing, or neither");
	json_decref(audiences);
}

static void several_audiences_need_azp(void **state)
{
	struct attempt *a = *state;

	assert_claim_refused(a, "aud", json_pack("[s, s]", "0oa2other", CLIENT), "azp: is missing, though");
	set_text(a->claims, "azp", CLIENT);
	assert_accepted(a);
}

static void azp_of_another_client_is_refused(void **state)
{
	struct attempt *a = *state;

	assert_claim_refused(a, "azp", json_string("0oa2other"), "azp: the token was issued to another client");
	set(a->claims, "aud", json_pack("[s, s]", "0oa2other", CLIENT));
	assert_invalid(a, "azp: the token was issued to another client");
}

static void azp_must_be_a_string(void **state)
{
	assert_none_accepted(*state, "azp", no_strings, "azp: is no string");
}

/* --- exp, iat, nbf --- */

static void exp_must_be_there_in_whole_seconds(void **state)
{
	struct attempt *a = *state;

	assert_none_accepted(a, "exp", no_times, "exp: is missing or no time in whole seconds");
	leave_out(a->claims, "exp");
	assert_invalid(a, "exp: is missing or no time in whole seconds");
}

static void an_expired_token_is_refused(void **state)
{
	struct attempt *a = *state;

	set_number(a->claims, "iat", NOW - SKEW - 60);
	set_number(a->claims, "exp", NOW - SKEW);
	assert_invalid(a, "exp: expired 120 s ago");
	set_number(a->claims, "exp", NOW - SKEW + 1);
	assert_accepted(a);
}

static void iat_must_be_there_in_whole_seconds(void **state)
{
	struct attempt *a = *state;

	assert_none_accepted(a, "iat", no_times, "iat: is missing or no time in whole seconds");
	leave_out(a->claims, "iat");
	assert_invalid(a, "iat: is missing or no time in whole seconds");
}

static void a_token_from_the_future_is_refused(void **state)
{
	struct attempt *a = *state;

	set_number(a->claims, "iat", NOW + SKEW + 1);
	assert_invalid(a, "iat: issued 121 s in the future");
	set_number(a->claims, "iat", NOW + SKEW);
	assert_accepted(a);
}

static void a_token_issued_long_ago_is_refused_though_it_has_not_expired(void **state)
{
	struct attempt *a = *state;

	set_number(a->claims, "iat", NOW - SKEW - ID_TOKEN_MAX_AGE_S - 1);
	assert_invalid(a, "iat: issued 721 s ago");
	set_number(a->claims, "iat", NOW - SKEW - ID_TOKEN_MAX_AGE_S);
	assert_accepted(a);
}

static void a_token_that_expires_before_it_was_issued_is_refused(void **state)
{
	struct attempt *a = *state;

	set_number(a->claims, "iat", NOW);
	set_number(a->claims, "exp", NOW);
	assert_invalid(a, "exp: is not after iat");
	set_number(a->claims, "exp", NOW + 1);
	assert_accepted(a);
}

static void a_token_that_lives_for_ever_is_refused(void **state)
{
	struct attempt *a = *state;

	set_number(a->claims, "iat", NOW);
	set_number(a->claims, "exp", NOW + LIFETIME_MAX);
	assert_accepted(a);
	set_number(a->claims, "exp", NOW + LIFETIME_MAX + 1);
	assert_invalid(a, "exp: is more than 30 days after iat");
	set_number(a->claims, "exp", YEAR_10000 - 1);
	assert_invalid(a, "exp: is more than 30 days after iat");
}

static void nbf_in_the_future_is_refused(void **state)
{
	struct attempt *a = *state;

	set_number(a->claims, "nbf", NOW + SKEW);
	assert_accepted(a);
	set_number(a->claims, "nbf", NOW + SKEW + 1);
	assert_invalid(a, "nbf: valid only in 121 s");
}

static void nbf_must_be_in_whole_seconds(void **state)
{
	assert_none_accepted(*state, "nbf", no_times, "nbf: is no time in whole seconds");
}

static void times_compare_without_overflow(void **state)
{
	struct attempt *a = *state;

	a->expected.now = INT64_MAX;
	assert_invalid(a, "exp: expired ");
	a->expected.now = INT64_MIN;
	assert_invalid(a, "iat: issued 9223372036854775807 s in the future");
	a->expected.now = NOW;
	a->expected.max_clock_skew_s = INT64_MAX;
	a->expected.max_auth_age_s = INT64_MAX;
	assert_accepted(a);
	assert_int_equal(verified_token_acceptable_until(a->token), INT64_MAX);
}

/* --- nonce, at_hash, jti --- */

static void a_nonce_that_nobody_sent_is_refused(void **state)
{
	struct attempt *a = *state;

	assert_claim_refused(a, "nonce", json_string("n-0S6_WzA2Mj"), "nonce: none was sent");
	assert_claim_refused(a, "nonce", json_null(), "nonce: none was sent");
}

static void at_hash_of_another_access_token_is_refused(void **state)
{
	struct attempt *a = *state;

	a->expected.access_token = "another access token";
	assert_invalid(a, "at_hash: is not that of the access token");
}

static void at_hash_is_the_left_half_and_nothing_else(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *longer = forge_at_hash("RS512", ACCESS_TOKEN);

	assert_claim_refused(a, "at_hash", json_string(longer), "at_hash: is not that of the access token");
	assert_claim_refused(a, "at_hash", json_string(""), "at_hash: is not that of the access token");
}

static void at_hash_must_come_with_an_access_token(void **state)
{
	struct attempt *a = *state;

	assert_none_accepted(a, "at_hash", no_strings, "at_hash: is missing or no string");
	leave_out(a->claims, "at_hash");
	assert_invalid(a, "at_hash: is missing or no string");
}

static void at_hash_without_an_access_token_is_refused(void **state)
{
	struct attempt *a = *state;

	a->expected.access_token = NULL;
	assert_invalid(a, "at_hash: speaks of an access token");
}

static void jti_is_1_to_255_printable_ASCII_characters(void **state)
{
	struct attempt *a = *state;
	char text[257] = "";
	const char *const bad[] = { "\"\"", "\"a\\nb\"", "\"z\xc3\xbcrich\"", NULL };

	assert_none_accepted(a, "jti", no_strings, "jti: is no string");
	assert_none_accepted(a, "jti", bad, "jti: is not 1 to 255 printable ASCII characters");
	memset(text, 'x', 256);
	assert_claim_refused(a, "jti", json_string(text), "jti: is not 1 to 255 printable ASCII characters");
	text[255] = '\0';
	set_text(a->claims, "jti", text);
	assert_accepted(a);
}

static void a_token_without_jti_is_named_by_what_was_signed(void **state)
{
	struct attempt *a = *state;
	_cleanup_free_ char *first = NULL;
	const char *es256 = "ES256";

	allow(a, &es256);
	sign_with(a, issuer.p256, "p256", "ES256");
	leave_out(a->claims, "jti");
	assert_accepted(a);
	first = strdup(verified_token_jti(a->token));
	assert_int_equal(strlen(first), strlen("sha256:") + 43);
	/* ECDSA signs anew each time; it is still the same token. */
	assert_accepted(a);
	assert_string_equal(verified_token_jti(a->token), first);
	set_number(a->claims, "iat", NOW - 2);
	assert_accepted(a);
	assert_string_not_equal(verified_token_jti(a->token), first);
}

static void a_jti_must_be_remembered_for_as_long_as_the_token_could_come_back(void **state)
{
	struct attempt *a = *state;
	int64_t until;

	assert_accepted(a);
	until = verified_token_acceptable_until(a->token);
	a->expected.now = until;
	assert_accepted(a);
	a->expected.now = until + 1;
	assert_invalid(a, "iat: issued ");
	/* The same where the token expires first. */
	set_number(a->claims, "exp", NOW + 60);
	a->expected.now = NOW;
	assert_accepted(a);
	until = verified_token_acceptable_until(a->token);
	a->expected.now = until;
	assert_accepted(a);
	a->expected.now = until + 1;
	assert_invalid(a, "exp: expired ");
}

/* --- auth_time, amr --- */

static void auth_time_must_be_in_whole_seconds(void **state)
{
	assert_none_accepted(*state, "auth_time", no_times, "auth_time: is missing or no time in whole seconds");
}

static void auth_time_may_be_the_first_second_of_1970(void **state)
{
	struct attempt *a = *state;

	set_number(a->claims, "auth_time", 0);
	assert_accepted(a);
}

static void auth_time_in_the_future_is_refused(void **state)
{
	struct attempt *a = *state;

	set_number(a->claims, "auth_time", NOW + SKEW);
	assert_accepted(a);
	set_number(a->claims, "auth_time", NOW + SKEW + 1);
	assert_invalid(a, "auth_time: is 121 s in the future");
}

static void auth_time_must_be_there_when_its_age_is_limited(void **state)
{
	struct attempt *a = *state;

	a->expected.max_auth_age_s = 3600;
	assert_accepted(a);
	leave_out(a->claims, "auth_time");
	assert_invalid(a, "auth_time: is missing or no time in whole seconds");
}

static void a_sign_in_longer_ago_than_allowed_is_too_old(void **state)
{
	struct attempt *a = *state;

	a->expected.max_auth_age_s = 3600;
	set_number(a->claims, "auth_time", NOW - SKEW - 3600);
	assert_accepted(a);
	set_number(a->claims, "auth_time", NOW - SKEW - 3601);
	assert_result(a, ID_TOKEN_AUTH_TOO_OLD, verify_text(a, compact_of(a)),
		      "auth_time: the person signed in 3721 s ago, and 3600 s are allowed");
	a->expected.max_auth_age_s = 0;
	assert_accepted(a);
}

static void amr_must_be_an_array_of_strings(void **state)
{
	const char *const bad[] = { "null", "\"mfa\"", "[1]", "[\"mfa\", null]", "{\"mfa\": true}", NULL };

	assert_none_accepted(*state, "amr", bad, "amr: is no array of at most 32 strings");
}

static void an_endless_amr_is_refused(void **state)
{
	struct attempt *a = *state;
	json_t *methods = json_array();

	for (int i = 0; i < 32; i++)
		(void)json_array_append_new(methods, json_string("mfa"));
	set(a->claims, "amr", json_incref(methods));
	assert_accepted(a);
	(void)json_array_append_new(methods, json_string("mfa"));
	assert_invalid(a, "amr: is no array of at most 32 strings");
	json_decref(methods);
}

static void amr_holds_nothing_but_names(void **state)
{
	const char *const bad[] = { "[\"\"]", "[\"mfa\", \"a\\nb\"]",
				    "[\"0123456789012345678901234567890123456789012345678901234567890123x\"]", NULL };

	assert_none_accepted(*state, "amr", bad, "amr: holds something that is no method's name");
}

static void assert_amr_missing(struct attempt *a, const char *method)
{
	_cleanup_free_ char *fault = NULL;

	forge_must(asprintf(&fault, "amr: the person signed in without the required method %s", method) > 0);
	assert_result(a, ID_TOKEN_AMR_MISSING, verify_text(a, compact_of(a)), fault);
}

static void every_required_method_must_be_in_amr(void **state)
{
	struct attempt *a = *state;
	const char *const required[] = { "mfa", "hwk" };

	a->expected.required_amr = required;
	a->expected.required_amr_count = 1;
	assert_accepted(a);
	a->expected.required_amr_count = 2;
	assert_amr_missing(a, "hwk");
	set(a->claims, "amr", json_pack("[s, s]", "hwk", "MFA"));
	assert_amr_missing(a, "mfa");
	leave_out(a->claims, "amr");
	assert_amr_missing(a, "mfa");
}

static void an_unsound_token_is_invalid_even_where_policy_refuses_it_too(void **state)
{
	struct attempt *a = *state;
	const char *const required[] = { "hwk" };

	a->expected.required_amr = required;
	a->expected.required_amr_count = 1;
	a->expected.max_auth_age_s = 1;
	set_number(a->claims, "auth_time", 1);
	set_text(a->claims, "aud", "0oa2other");
	assert_invalid(a, "aud: is another client");
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_attempt, free_attempt)

static const struct CMUnitTest tests[] = {
	test(a_sound_token_gives_what_it_says),
	test(a_token_with_the_least_a_standard_asks_for_is_sound),
	test(every_algorithm_is_accepted_when_it_is_allowed),
	test(unknown_members_and_claims_are_ignored),
	test(no_fault_repeats_the_token),
	test(a_token_of_more_than_64_KiB_is_refused),
	test(a_token_of_exactly_64_KiB_is_not_too_long),
	test(fewer_than_three_segments_are_refused),
	test(four_and_five_segments_are_refused),
	test(empty_segments_are_refused),
	test(a_padded_header_is_refused),
	test(a_padded_payload_is_refused),
	test(a_padded_signature_is_refused),
	test(bits_left_over_in_base64_are_refused),
	test(foreign_characters_are_refused),
	test(a_header_that_is_no_JSON_object_is_refused),
	test(a_header_with_a_member_twice_is_refused),
	test(a_header_with_NUL_or_broken_UTF8_is_refused),
	test(a_header_nested_without_end_is_refused),
	test(alg_none_is_refused),
	test(an_HMAC_with_the_public_key_is_refused),
	test(alg_missing_or_no_string_is_refused),
	test(alg_is_compared_exactly),
	test(only_RS256_is_allowed_unless_configured),
	test(configured_algorithms_replace_the_default),
	test(typ_JWT_is_accepted_in_any_case),
	test(other_kinds_of_token_are_refused),
	test(crit_is_refused),
	test(b64_is_refused),
	test(zip_is_refused),
	test(a_token_that_points_to_a_key_set_is_refused),
	test(a_token_that_brings_its_key_is_refused),
	test(a_token_that_points_to_a_certificate_is_refused),
	test(a_token_that_brings_its_certificate_is_refused),
	test(kid_missing_or_no_string_is_refused),
	test(an_unknown_kid_asks_for_new_keys),
	test(without_keys_every_kid_is_unknown),
	test(a_kid_that_two_keys_share_is_unknown),
	test(a_512_bit_RSA_key_verifies_nothing),
	test(an_EC_key_does_not_verify_RS256),
	test(an_RSA_key_does_not_verify_ES256),
	test(a_key_of_another_curve_does_not_verify_ES256),
	test(a_key_that_names_its_algorithm_verifies_no_other),
	test(a_changed_payload_is_refused),
	test(a_changed_header_is_refused),
	test(another_key_of_the_same_name_is_refused),
	test(a_signature_of_another_algorithm_is_refused),
	test(an_RSA_signature_has_the_length_of_the_key),
	test(an_ECDSA_signature_has_the_length_of_the_curve),
	test(an_ECDSA_signature_of_zeros_is_refused),
	test(nothing_of_the_payload_is_read_before_the_signature_is_good),
	test(a_payload_that_is_no_JSON_object_is_refused),
	test(a_claim_twice_is_refused),
	test(a_claim_twice_deep_inside_is_refused),
	test(a_number_beyond_64_bits_is_refused),
	test(a_claim_with_NUL_or_broken_UTF8_is_refused),
	test(a_payload_nested_without_end_is_refused),
	test(iss_must_be_there_as_a_string),
	test(iss_is_compared_exactly),
	test(sub_must_be_there_as_a_string),
	test(sub_is_1_to_255_printable_ASCII_characters),
	test(aud_of_another_client_is_refused),
	test(aud_must_be_there_as_a_string_or_strings),
	test(aud_may_be_an_array_of_just_this_client),
	test(an_array_without_this_client_is_refused),
	test(an_endless_audience_is_refused),
	test(several_audiences_need_azp),
	test(azp_of_another_client_is_refused),
	test(azp_must_be_a_string),
	test(exp_must_be_there_in_whole_seconds),
	test(an_expired_token_is_refused),
	test(iat_must_be_there_in_whole_seconds),
	test(a_token_from_the_future_is_refused),
	test(a_token_issued_long_ago_is_refused_though_it_has_not_expired),
	test(a_token_that_expires_before_it_was_issued_is_refused),
	test(a_token_that_lives_for_ever_is_refused),
	test(nbf_in_the_future_is_refused),
	test(nbf_must_be_in_whole_seconds),
	test(times_compare_without_overflow),
	test(a_nonce_that_nobody_sent_is_refused),
	test(at_hash_of_another_access_token_is_refused),
	test(at_hash_is_the_left_half_and_nothing_else),
	test(at_hash_must_come_with_an_access_token),
	test(at_hash_without_an_access_token_is_refused),
	test(jti_is_1_to_255_printable_ASCII_characters),
	test(a_token_without_jti_is_named_by_what_was_signed),
	test(a_jti_must_be_remembered_for_as_long_as_the_token_could_come_back),
	test(auth_time_must_be_in_whole_seconds),
	test(auth_time_may_be_the_first_second_of_1970),
	test(auth_time_in_the_future_is_refused),
	test(auth_time_must_be_there_when_its_age_is_limited),
	test(a_sign_in_longer_ago_than_allowed_is_too_old),
	test(amr_must_be_an_array_of_strings),
	test(an_endless_amr_is_refused),
	test(amr_holds_nothing_but_names),
	test(every_required_method_must_be_in_amr),
	test(an_unsound_token_is_invalid_even_where_policy_refuses_it_too),
};

int main(void)
{
	return cmocka_run_group_tests(tests, make_issuer, free_issuer);
}
