/*
 * Key sets: of any text, at most JWKS_KEYS_MAX keys are kept, each named once and sound when OpenSSL looks at it: RSA
 * of 2048 to 8192 bits with an odd exponent of 3 or more, or a point on its curve; no key that says that it is for
 * encryption, or that comes with its private part, is found by its kid; a set that cannot be read is refused with a
 * sentence; and want of memory is met with
 * a refusal or with fewer keys.
 *
 * Covers: pam_oidc/jwks.c pam_oidc/json_strict.c pam_oidc/base64url.c
 */
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>
#include <string.h>

#include "pam_oidc/jwks.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	json_object_seed(7); /* else its hashes differ from run to run */
	return 0;
}

static void check_rsa(const struct jwk *key)
{
	BIGNUM *n = BN_bin2bn(key->n.bytes, (int)key->n.length, NULL);
	BIGNUM *e = BN_bin2bn(key->e.bytes, (int)key->e.length, NULL);

	holds(BN_num_bits(n) == (int)key->bits && key->bits >= JWK_RSA_BITS_MIN && key->bits <= JWK_RSA_BITS_MAX);
	holds(BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) && BN_cmp(e, n) < 0);
	holds(key->n.bytes[0] != 0 && key->e.bytes[0] != 0);
	BN_free(n);
	BN_free(e);
}

static void check_ec(const struct jwk *key)
{
	int nid = key->bits == 256   ? NID_X9_62_prime256v1
		  : key->bits == 384 ? NID_secp384r1
		  : key->bits == 521 ? NID_secp521r1
				     : NID_undef;
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	BIGNUM *x = BN_bin2bn(key->x.bytes, (int)key->x.length, NULL);
	BIGNUM *y = BN_bin2bn(key->y.bytes, (int)key->y.length, NULL);

	holds(point && key->x.length == (key->bits + 7) / 8 && key->y.length == key->x.length);
	holds(EC_POINT_set_affine_coordinates(group, point, x, y, NULL) == 1);
	holds(!EC_POINT_is_at_infinity(group, point));
	BN_free(x);
	BN_free(y);
	EC_POINT_free(point);
	EC_GROUP_free(group);
}

static void check_key(const struct jwk *key)
{
	static const char *const algs[] = { "RS256", "RS384", "RS512", "PS256", "PS384",
					    "PS512", "ES256", "ES384", "ES512" };

	holds(key->kid[0] && strlen(key->kid) <= JWK_KID_MAX);
	if (key->type == JWK_RSA)
		check_rsa(key);
	else
		check_ec(key);
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		const struct jws_alg *alg = jws_alg_named(algs[i]);

		if (!jwk_fits(key, alg))
			continue;
		holds(alg->key_type == key->type && (!key->alg || key->alg == alg));
		holds(key->type == JWK_RSA || alg->curve_bits == key->bits);
	}
}

static bool is(const json_t *object, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value && strcmp(value, text) == 0;
}

static void check_what_it_says(const json_t *object, const struct jwk *key)
{
	static const char *const private[] = { "d", "p", "q", "dp", "dq", "qi", "oth" };

	holds(is(object, "kid", key->kid) && is(object, "kty", key->type == JWK_RSA ? "RSA" : "EC"));
	holds(!json_object_get(object, "use") || is(object, "use", "sig"));
	/* `k` is a symmetric key's; in these it is a member like any other that nobody knows. */
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++)
		holds(!json_object_get(object, private[i]), "%s", private[i]);
	holds(json_object_get(object, "alg") ? key->alg && is(object, "alg", key->alg->name) : !key->alg);
}

/* A set with this key alone. */
static struct jwks *alone(json_t *object)
{
	json_t *document = json_pack("{s:[O]}", "keys", object);
	char *text = json_dumps(document, JSON_COMPACT), fault[128];
	struct jwks *keys = jwks_parse(text, strlen(text), fault, sizeof(fault));

	holds(keys, "%s", fault);
	free(text);
	json_decref(document);
	return keys;
}

/* Each key for itself: one that is sound is in the set unless another sound one has its name, and no other is. */
static void check_each(const json_t *list, const struct jwks *keys)
{
	const char *kids[JWKS_KEYS_MAX];
	size_t sound = 0, kept = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *object = json_array_get(list, i);
		const char *kid = json_string_value(json_object_get(object, "kid"));
		struct jwks *single = alone(object);

		holds(jwks_count(single) + jwks_skipped(single) == 1);
		if (jwks_count(single) == 1) {
			const struct jwk *key = jwks_find(single, kid);

			check_what_it_says(object, key);
			check_key(key);
			kids[sound++] = kid;
		}
		jwks_free(single);
	}
	for (size_t i = 0; i < sound; i++) {
		size_t named = 0;

		for (size_t j = 0; j < sound; j++)
			named += strcmp(kids[i], kids[j]) == 0;
		holds((jwks_find(keys, kids[i]) != NULL) == (named == 1), "%s", kids[i]);
		kept += named == 1;
	}
	holds(jwks_count(keys) == kept && jwks_count(keys) + jwks_skipped(keys) == json_array_size(list));
}

static void try_without_memory(const char *text, size_t length, unsigned n)
{
	char fault[128] = "";
	struct jwks *keys;

	fuzz_fail_allocation(n);
	keys = jwks_parse(text, length, fault, sizeof(fault));
	(void)fuzz_end_failing();
	holds(keys || fault[0]);
	jwks_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	size_t length;
	char fault[128] = "", *text = fuzz_rest(&input, &length);
	struct jwks *keys;
	json_t *document;
	unsigned allocations;

	fuzz_fail_allocation(0);
	keys = jwks_parse(text, length, fault, sizeof(fault));
	allocations = fuzz_end_failing();
	document = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	if (keys) {
		const json_t *list = json_object_get(document, "keys");

		holds(json_is_array(list) && json_array_size(list) <= JWKS_KEYS_MAX);
		check_each(list, keys);
	} else {
		holds(fuzz_is_sentence(fault, sizeof(fault)), "%s", fault);
	}
	try_without_memory(text, length, 1 + fuzz_pick(bytes, size, allocations + 1));
	json_decref(document);
	jwks_free(keys);
	free(text);
	return 0;
}
