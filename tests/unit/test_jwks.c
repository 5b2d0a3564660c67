/*
 * Key sets: sound keys are found by their name, and every other key is left out, whatever is wrong with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "pam_oidc/jwks.h"
#include "tests/unit/forge.h"

static struct {
	EVP_PKEY *rsa, *p256, *p384, *p521;
} keys;

static int make_keys(void **state)
{
	(void)state;
	keys.rsa = EVP_RSA_gen(2048);
	keys.p256 = EVP_EC_gen("P-256");
	keys.p384 = EVP_EC_gen("P-384");
	keys.p521 = EVP_EC_gen("P-521");
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(keys.rsa);
	EVP_PKEY_free(keys.p256);
	EVP_PKEY_free(keys.p384);
	EVP_PKEY_free(keys.p521);
	return 0;
}

static json_t *rsa_jwk(void)
{
	return forge_jwk(keys.rsa, "one");
}

static json_t *ec_jwk(void)
{
	return forge_jwk(keys.p256, "one");
}

static json_t *with(json_t *jwk, const char *name, json_t *value)
{
	forge_must(value && json_object_set_new(jwk, name, value) == 0);
	return jwk;
}

static json_t *without(json_t *jwk, const char *name)
{
	forge_must(json_object_del(jwk, name) == 0);
	return jwk;
}

/* A set of these keys. Takes the references. */
static struct jwks *parse_list(json_t *list)
{
	json_t *document = json_pack("{s:o}", "keys", list);
	_cleanup_free_ char *text = json_dumps(document, 0);
	char fault[128] = "";
	struct jwks *set = jwks_parse(text, strlen(text), fault, sizeof(fault));

	json_decref(document);
	if (!set)
		fail_msg("the set was refused: %s", fault);
	return set;
}

static struct jwks *parse_one(json_t *jwk)
{
	return parse_list(json_pack("[o]", jwk));
}

static void assert_taken(json_t *jwk)
{
	struct jwks *set = parse_one(jwk);

	assert_int_equal(jwks_count(set), 1);
	assert_int_equal(jwks_skipped(set), 0);
	assert_non_null(jwks_find(set, "one"));
	jwks_free(set);
}

static void assert_skipped(json_t *jwk)
{
	struct jwks *set = parse_one(jwk);

	assert_int_equal(jwks_count(set), 0);
	assert_int_equal(jwks_skipped(set), 1);
	assert_null(jwks_find(set, "one"));
	jwks_free(set);
}

static void assert_document_refused(const char *text, size_t length, const char *expected)
{
	char fault[128] = "";

	assert_null(jwks_parse(text, length, fault, sizeof(fault)));
	if (strncmp(fault, expected, strlen(expected)) != 0)
		fail_msg("fault \"%s\" instead of \"%s\"", fault, expected);
}

/* --- Sound keys --- */

static void an_RSA_key_is_taken_as_it_is(void **state)
{
	json_t *jwk = rsa_jwk();
	const char *modulus = json_string_value(json_object_get(jwk, "n"));
	struct jwks *set = parse_one(json_incref(jwk));
	const struct jwk *key = jwks_find(set, "one");
	_cleanup_free_ char *taken = NULL;

	(void)state;
	assert_non_null(key);
	assert_string_equal(key->kid, "one");
	assert_int_equal(key->type, JWK_RSA);
	assert_int_equal(key->bits, 2048);
	assert_null(key->alg);
	assert_int_equal(key->n.length, 256);
	assert_int_equal(key->e.length, 3);
	assert_memory_equal(key->e.bytes, "\x01\x00\x01", 3);
	taken = forge_base64url(key->n.bytes, key->n.length);
	assert_string_equal(taken, modulus);
	jwks_free(set);
	json_decref(jwk);
}

static void EC_keys_of_all_three_curves_are_taken(void **state)
{
	struct jwks *set = parse_list(json_pack("[o, o, o]", forge_jwk(keys.p256, "a"), forge_jwk(keys.p384, "b"),
						forge_jwk(keys.p521, "c")));

	(void)state;
	assert_int_equal(jwks_count(set), 3);
	assert_int_equal(jwks_find(set, "a")->bits, 256);
	assert_int_equal(jwks_find(set, "b")->bits, 384);
	assert_int_equal(jwks_find(set, "c")->bits, 521);
	assert_int_equal(jwks_find(set, "c")->type, JWK_EC);
	assert_int_equal(jwks_find(set, "c")->x.length, 66);
	assert_int_equal(jwks_find(set, "c")->y.length, 66);
	jwks_free(set);
}

static void keys_are_found_by_their_exact_name(void **state)
{
	struct jwks *set = parse_list(json_pack("[o, o]", forge_jwk(keys.p256, "a"), forge_jwk(keys.p384, "A")));

	(void)state;
	assert_int_equal(jwks_find(set, "a")->bits, 256);
	assert_int_equal(jwks_find(set, "A")->bits, 384);
	assert_null(jwks_find(set, "b"));
	assert_null(jwks_find(set, ""));
	jwks_free(set);
}

static void broken_and_foreign_keys_do_not_spoil_the_set(void **state)
{
	json_t *list = json_pack("[o, i, n, {}, {s:s, s:s}, o]", forge_jwk(keys.p256, "a"), 1, "kty", "OKP", "kid", "x",
				 with(forge_jwk(keys.rsa, "b"), "unknown", json_true()));
	struct jwks *set = parse_list(list);

	(void)state;
	assert_int_equal(jwks_count(set), 2);
	assert_int_equal(jwks_skipped(set), 4);
	assert_non_null(jwks_find(set, "a"));
	assert_non_null(jwks_find(set, "b"));
	jwks_free(set);
}

static void an_empty_set_is_a_set(void **state)
{
	struct jwks *set = parse_list(json_array());

	(void)state;
	assert_int_equal(jwks_count(set), 0);
	assert_int_equal(jwks_skipped(set), 0);
	jwks_free(set);
	jwks_free(NULL);
}

/* --- The document --- */

static void a_document_that_is_no_strict_JSON_is_refused(void **state)
{
	(void)state;
	assert_document_refused("<html>", 6, "the key set is not JSON");
	assert_document_refused("{\"keys\":[],\"keys\":[]}", 21, "the key set has a member twice");
	assert_document_refused("{\"keys\":[{\"kid\":\"a\",\"kid\":\"b\"}]}", 32, "the key set has a member twice");
}

static void a_document_without_an_array_of_keys_is_refused(void **state)
{
	(void)state;
	assert_document_refused("{}", 2, "the key set has no array `keys`");
	assert_document_refused("{\"keys\":{}}", 11, "the key set has no array `keys`");
}

static void a_document_that_is_too_large_is_refused(void **state)
{
	static const char set[] = "{\"keys\":[]}";
	_cleanup_free_ char *text = malloc(JWKS_SIZE_MAX + sizeof(set));
	char fault[128] = "";
	struct jwks *keys_of_largest;

	(void)state;
	forge_must(text);
	memset(text, ' ', JWKS_SIZE_MAX + 1);
	strcpy(text + JWKS_SIZE_MAX - strlen(set), set);
	keys_of_largest = jwks_parse(text, JWKS_SIZE_MAX, fault, sizeof(fault));
	assert_non_null(keys_of_largest);
	jwks_free(keys_of_largest);
	assert_document_refused(text, JWKS_SIZE_MAX + 1, "the key set is larger than 262144 bytes");
}

static void a_set_of_too_many_keys_is_refused(void **state)
{
	json_t *list = json_array();
	json_t *document = json_pack("{s:o}", "keys", list);
	_cleanup_free_ char *text = NULL;
	struct jwks *set;

	(void)state;
	for (int i = 0; i < JWKS_KEYS_MAX; i++)
		(void)json_array_append_new(list, json_object());
	set = parse_list(json_incref(list));
	assert_int_equal(jwks_skipped(set), JWKS_KEYS_MAX);
	jwks_free(set);
	(void)json_array_append_new(list, json_object());
	text = json_dumps(document, 0);
	assert_document_refused(text, strlen(text), "the key set has more than 64 keys");
	json_decref(document);
}

/* --- Members of a key --- */

static void a_key_without_a_usable_kid_is_skipped(void **state)
{
	char kid[JWK_KID_MAX + 2] = "";
	struct jwks *set;

	(void)state;
	assert_skipped(without(rsa_jwk(), "kid"));
	assert_skipped(with(rsa_jwk(), "kid", json_integer(1)));
	set = parse_one(with(rsa_jwk(), "kid", json_string("")));
	assert_int_equal(jwks_count(set), 0);
	jwks_free(set);
	memset(kid, 'x', JWK_KID_MAX);
	set = parse_one(forge_jwk(keys.rsa, kid));
	assert_non_null(jwks_find(set, kid));
	jwks_free(set);
	kid[JWK_KID_MAX] = 'x';
	assert_skipped(forge_jwk(keys.rsa, kid));
}

static void keys_that_share_a_kid_are_all_skipped(void **state)
{
	struct jwks *set =
		parse_list(json_pack("[o, o, o, o]", forge_jwk(keys.p256, "same"), forge_jwk(keys.p384, "other"),
				     forge_jwk(keys.p384, "same"), forge_jwk(keys.rsa, "same")));

	(void)state;
	assert_null(jwks_find(set, "same"));
	assert_int_equal(jwks_find(set, "other")->bits, 384);
	assert_int_equal(jwks_count(set), 1);
	assert_int_equal(jwks_skipped(set), 3);
	jwks_free(set);
}

static void a_skipped_key_does_not_make_a_kid_ambiguous(void **state)
{
	struct jwks *set = parse_list(json_pack("[o, o]", with(forge_jwk(keys.rsa, "same"), "use", json_string("enc")),
						with(forge_jwk(keys.p256, "same"), "use", json_string("sig"))));

	(void)state;
	assert_int_equal(jwks_find(set, "same")->type, JWK_EC);
	assert_int_equal(jwks_skipped(set), 1);
	jwks_free(set);
}

static void use_must_be_sig_where_it_is_given(void **state)
{
	(void)state;
	assert_taken(with(rsa_jwk(), "use", json_string("sig")));
	assert_skipped(with(rsa_jwk(), "use", json_string("enc")));
	assert_skipped(with(rsa_jwk(), "use", json_string("SIG")));
	assert_skipped(with(rsa_jwk(), "use", json_null()));
	assert_skipped(with(rsa_jwk(), "use", json_pack("[s]", "sig")));
}

static void key_ops_must_have_verify_where_it_is_given(void **state)
{
	(void)state;
	assert_taken(with(rsa_jwk(), "key_ops", json_pack("[s]", "verify")));
	assert_taken(with(rsa_jwk(), "key_ops", json_pack("[s, s]", "wrapKey", "verify")));
	assert_skipped(with(rsa_jwk(), "key_ops", json_pack("[s]", "encrypt")));
	assert_skipped(with(rsa_jwk(), "key_ops", json_array()));
	assert_skipped(with(rsa_jwk(), "key_ops", json_string("verify")));
	assert_skipped(with(rsa_jwk(), "key_ops", json_pack("[s, i]", "verify", 1)));
	assert_skipped(with(rsa_jwk(), "key_ops", json_null()));
}

static void alg_must_fit_where_it_is_given(void **state)
{
	(void)state;
	assert_taken(with(rsa_jwk(), "alg", json_string("PS512")));
	assert_taken(with(ec_jwk(), "alg", json_string("ES256")));
	assert_skipped(with(rsa_jwk(), "alg", json_string("ES256")));
	assert_skipped(with(ec_jwk(), "alg", json_string("RS256")));
	assert_skipped(with(ec_jwk(), "alg", json_string("ES384")));
	assert_skipped(with(rsa_jwk(), "alg", json_string("RSA-OAEP")));
	assert_skipped(with(rsa_jwk(), "alg", json_string("HS256")));
	assert_skipped(with(rsa_jwk(), "alg", json_string("none")));
	assert_skipped(with(rsa_jwk(), "alg", json_integer(256)));
	assert_skipped(with(rsa_jwk(), "alg", json_null()));
}

static void a_key_that_names_its_algorithm_fits_no_other(void **state)
{
	struct jwks *set = parse_list(json_pack("[o, o, o]", forge_jwk(keys.rsa, "any"),
						with(forge_jwk(keys.rsa, "rs384"), "alg", json_string("RS384")),
						forge_jwk(keys.p384, "p384")));

	(void)state;
	assert_true(jwk_fits(jwks_find(set, "any"), jws_alg_named("RS256")));
	assert_true(jwk_fits(jwks_find(set, "any"), jws_alg_named("PS512")));
	assert_false(jwk_fits(jwks_find(set, "any"), jws_alg_named("ES256")));
	assert_true(jwk_fits(jwks_find(set, "rs384"), jws_alg_named("RS384")));
	assert_false(jwk_fits(jwks_find(set, "rs384"), jws_alg_named("RS256")));
	assert_false(jwk_fits(jwks_find(set, "rs384"), jws_alg_named("PS384")));
	assert_true(jwk_fits(jwks_find(set, "p384"), jws_alg_named("ES384")));
	assert_false(jwk_fits(jwks_find(set, "p384"), jws_alg_named("ES256")));
	assert_false(jwk_fits(jwks_find(set, "p384"), jws_alg_named("RS384")));
	jwks_free(set);
}

static void other_types_are_skipped(void **state)
{
	(void)state;
	assert_skipped(json_pack("{s:s, s:s, s:s}", "kty", "oct", "kid", "one", "k", "c2VjcmV0"));
	assert_skipped(json_pack("{s:s, s:s, s:s, s:s}", "kty", "OKP", "kid", "one", "crv", "Ed25519", "x",
				 "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
	assert_skipped(with(rsa_jwk(), "kty", json_string("rsa")));
	assert_skipped(with(rsa_jwk(), "kty", json_integer(1)));
	assert_skipped(without(rsa_jwk(), "kty"));
	assert_skipped(with(rsa_jwk(), "kty", json_string("EC")));
	assert_skipped(with(ec_jwk(), "kty", json_string("RSA")));
	assert_skipped(with(ec_jwk(), "kty", json_string("OKP")));
}

static void a_published_private_key_is_skipped(void **state)
{
	static const char *const members[] = { "d", "p", "q", "dp", "dq", "qi", "oth" };

	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		assert_skipped(with(rsa_jwk(), members[i], json_string("AQAB")));
	assert_skipped(with(ec_jwk(), "d", json_string("AQAB")));
}

/* --- RSA --- */

/* An RSA key with this exponent and a modulus of that many bits, made of ones. */
static json_t *rsa_of(unsigned bits, const char *exponent)
{
	unsigned char modulus[1100];
	size_t length = (bits + 7) / 8;
	_cleanup_free_ char *text = NULL;

	memset(modulus, 0xff, sizeof(modulus));
	modulus[0] = (unsigned char)(0xff >> (length * 8 - bits));
	text = forge_base64url(modulus, length);
	return json_pack("{s:s, s:s, s:s, s:s}", "kty", "RSA", "kid", "one", "n", text, "e", exponent);
}

static void an_RSA_key_has_at_least_2048_bits(void **state)
{
	(void)state;
	assert_taken(rsa_of(2048, "AQAB"));
	assert_taken(rsa_of(2049, "AQAB"));
	assert_skipped(rsa_of(2047, "AQAB"));
	assert_skipped(rsa_of(1024, "AQAB"));
	assert_skipped(rsa_of(512, "AQAB"));
	assert_skipped(rsa_of(1, "AQAB"));
}

static void an_RSA_key_has_at_most_8192_bits(void **state)
{
	(void)state;
	assert_taken(rsa_of(8192, "AQAB"));
	assert_skipped(rsa_of(8193, "AQAB"));
}

static void an_RSA_exponent_is_odd_and_not_1(void **state)
{
	(void)state;
	assert_taken(rsa_of(2048, "Aw"));
	assert_skipped(rsa_of(2048, "AQ"));
	assert_skipped(rsa_of(2048, "AA"));
	assert_skipped(rsa_of(2048, "Ag"));
	assert_skipped(rsa_of(2048, "AQAA"));
}

static void an_RSA_exponent_has_at_most_64_bits(void **state)
{
	(void)state;
	assert_taken(rsa_of(2048, "AQAAAAAAAAE"));
	assert_skipped(rsa_of(2048, "AQAAAAAAAAAB"));
}

static void RSA_numbers_have_no_leading_zeros(void **state)
{
	unsigned char modulus[257];
	_cleanup_free_ char *text = NULL;

	(void)state;
	memset(modulus, 0xff, sizeof(modulus));
	modulus[0] = 0;
	text = forge_base64url(modulus, sizeof(modulus));
	assert_skipped(with(rsa_jwk(), "n", json_string(text)));
	assert_skipped(with(rsa_jwk(), "e", json_string("AAEAAQ")));
}

static void an_even_RSA_modulus_is_skipped(void **state)
{
	unsigned char modulus[256];
	_cleanup_free_ char *text = NULL;

	(void)state;
	memset(modulus, 0xff, sizeof(modulus));
	modulus[255] = 0xfe;
	text = forge_base64url(modulus, sizeof(modulus));
	assert_skipped(with(rsa_jwk(), "n", json_string(text)));
}

static void RSA_numbers_must_be_there_in_canonical_base64url(void **state)
{
	(void)state;
	assert_skipped(without(rsa_jwk(), "n"));
	assert_skipped(without(rsa_jwk(), "e"));
	assert_skipped(with(rsa_jwk(), "n", json_string("")));
	assert_skipped(with(rsa_jwk(), "e", json_string("")));
	assert_skipped(with(rsa_jwk(), "e", json_integer(65537)));
	assert_skipped(with(rsa_jwk(), "e", json_string("Aw==")));
	assert_skipped(with(rsa_jwk(), "e", json_string("AR")));
}

/* --- EC --- */

static void another_curve_is_skipped(void **state)
{
	(void)state;
	assert_skipped(with(ec_jwk(), "crv", json_string("P-384")));
	assert_skipped(with(ec_jwk(), "crv", json_string("secp256k1")));
	assert_skipped(with(ec_jwk(), "crv", json_integer(256)));
	assert_skipped(without(ec_jwk(), "crv"));
}

static void coordinates_are_as_long_as_the_field(void **state)
{
	unsigned char longer[33] = { 0 };
	_cleanup_free_ uint8_t *x = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *jwk = ec_jwk();
	const char *given = json_string_value(json_object_get(jwk, "x"));
	size_t length;

	(void)state;
	forge_must(base64url_decode(given, strlen(given), &x, &length) && length == 32);
	memcpy(longer + 1, x, 32);
	text = forge_base64url(longer, sizeof(longer));
	assert_skipped(with(jwk, "x", json_string(text)));
	assert_skipped(with(ec_jwk(), "y", json_string(text)));
	assert_skipped(with(with(ec_jwk(), "x", json_string(text)), "y", json_string(text)));
	assert_skipped(with(ec_jwk(), "x", json_string("")));
	assert_skipped(with(ec_jwk(), "y", json_string("")));
	assert_skipped(without(ec_jwk(), "x"));
	assert_skipped(without(ec_jwk(), "y"));
}

static void endless_coordinates_are_skipped(void **state)
{
	unsigned char bytes[4096];
	_cleanup_free_ char *text = NULL;

	(void)state;
	memset(bytes, 0x11, sizeof(bytes));
	text = forge_base64url(bytes, sizeof(bytes));
	assert_skipped(with(with(ec_jwk(), "x", json_string(text)), "y", json_string(text)));
}

static void a_point_off_its_curve_is_skipped(void **state)
{
	json_t *jwk = ec_jwk();
	json_t *other = forge_jwk(keys.p256, "one");

	(void)state;
	/* x and y changed places; a point is almost never its own mirror image. */
	forge_must(json_object_set(jwk, "x", json_object_get(other, "y")) == 0);
	forge_must(json_object_set(jwk, "y", json_object_get(other, "x")) == 0);
	json_decref(other);
	assert_skipped(jwk);
	assert_skipped(with(with(ec_jwk(), "x", json_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")), "y",
			    json_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
}

static void nothing_is_left_in_the_error_queue_of_OpenSSL(void **state)
{
	(void)state;
	assert_skipped(with(ec_jwk(), "x", json_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
	assert_int_equal(ERR_peek_error(), 0);
}

static void only_signature_algorithms_with_public_keys_have_a_name(void **state)
{
	static const char *const good[] = { "RS256", "RS384", "RS512", "PS256", "PS384",
					    "PS512", "ES256", "ES384", "ES512" };
	static const char *const bad[] = { "none", "HS256", "HS384", "HS512", "RS1", "rs256", "ES256K", "EdDSA", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_string_equal(jws_alg_named(good[i])->name, good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(jws_alg_named(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_RSA_key_is_taken_as_it_is),
		cmocka_unit_test(EC_keys_of_all_three_curves_are_taken),
		cmocka_unit_test(keys_are_found_by_their_exact_name),
		cmocka_unit_test(broken_and_foreign_keys_do_not_spoil_the_set),
		cmocka_unit_test(an_empty_set_is_a_set),
		cmocka_unit_test(a_document_that_is_no_strict_JSON_is_refused),
		cmocka_unit_test(a_document_without_an_array_of_keys_is_refused),
		cmocka_unit_test(a_document_that_is_too_large_is_refused),
		cmocka_unit_test(a_set_of_too_many_keys_is_refused),
		cmocka_unit_test(a_key_without_a_usable_kid_is_skipped),
		cmocka_unit_test(keys_that_share_a_kid_are_all_skipped),
		cmocka_unit_test(a_skipped_key_does_not_make_a_kid_ambiguous),
		cmocka_unit_test(use_must_be_sig_where_it_is_given),
		cmocka_unit_test(key_ops_must_have_verify_where_it_is_given),
		cmocka_unit_test(alg_must_fit_where_it_is_given),
		cmocka_unit_test(a_key_that_names_its_algorithm_fits_no_other),
		cmocka_unit_test(other_types_are_skipped),
		cmocka_unit_test(a_published_private_key_is_skipped),
		cmocka_unit_test(an_RSA_key_has_at_least_2048_bits),
		cmocka_unit_test(an_RSA_key_has_at_most_8192_bits),
		cmocka_unit_test(an_RSA_exponent_is_odd_and_not_1),
		cmocka_unit_test(an_RSA_exponent_has_at_most_64_bits),
		cmocka_unit_test(RSA_numbers_have_no_leading_zeros),
		cmocka_unit_test(an_even_RSA_modulus_is_skipped),
		cmocka_unit_test(RSA_numbers_must_be_there_in_canonical_base64url),
		cmocka_unit_test(another_curve_is_skipped),
		cmocka_unit_test(coordinates_are_as_long_as_the_field),
		cmocka_unit_test(endless_coordinates_are_skipped),
		cmocka_unit_test(a_point_off_its_curve_is_skipped),
		cmocka_unit_test(nothing_is_left_in_the_error_queue_of_OpenSSL),
		cmocka_unit_test(only_signature_algorithms_with_public_keys_have_a_name),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
