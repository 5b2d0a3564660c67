/*
 * Reads key sets. See jwks.h. A key is taken when every check of one list agrees; whatever does not is left out as if
 * it were not there, because an issuer may publish keys for other uses beside the ones that we need.
 */
#include "pam_oidc/jwks.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "pam_oidc/base64url.h"
#include "pam_oidc/json_strict.h"

/* An exponent longer than this is slow to use and found nowhere; OpenSSL has the same limit for large moduli. */
#define RSA_EXPONENT_BYTES_MAX 8

struct jwks {
	struct jwk *keys;
	size_t count;
	size_t skipped;
};

struct curve {
	const char *name;  /* RFC 7518, section 6.2.1.1 */
	const char *group; /* OpenSSL's name for it */
	unsigned bits;
};

static const struct curve curves[] = {
	{ "P-256", "prime256v1", 256 },
	{ "P-384", "secp384r1", 384 },
	{ "P-521", "secp521r1", 521 },
};

static void jwk_clear(struct jwk *key)
{
	free(key->kid);
	free(key->n.bytes);
	free(key->e.bytes);
	free(key->x.bytes);
	free(key->y.bytes);
	*key = (struct jwk){ 0 };
}

/* Tokens name their key; one that has no name can never be found. */
static bool read_kid(const json_t *object, struct jwk *key)
{
	const char *kid = json_strict_string(object, "kid");

	if (!kid || kid[0] == '\0' || strlen(kid) > JWK_KID_MAX)
		return false;
	key->kid = strdup(kid);
	return key->kid != NULL;
}

/* RFC 7517, section 4.2. */
static bool check_use(const json_t *object, struct jwk *key)
{
	const json_t *use = json_object_get(object, "use");

	(void)key;
	return !use || (json_is_string(use) && strcmp(json_string_value(use), "sig") == 0);
}

/* RFC 7517, section 4.3. */
static bool check_key_ops(const json_t *object, struct jwk *key)
{
	const json_t *operations = json_object_get(object, "key_ops");

	(void)key;
	if (!operations)
		return true;
	if (!json_strict_is_string_array(operations, JWKS_KEYS_MAX))
		return false;
	for (size_t i = 0; i < json_array_size(operations); i++)
		if (strcmp(json_string_value(json_array_get(operations, i)), "verify") == 0)
			return true;
	return false;
}

/* A private key that everybody can read signs for everybody (RFC 7518, sections 6.2.2 and 6.3.2). */
static bool check_private_part(const json_t *object, struct jwk *key)
{
	static const char *const members[] = { "d", "p", "q", "dp", "dq", "qi", "oth" };

	(void)key;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (json_object_get(object, members[i]))
			return false;
	return true;
}

static bool read_octets(const json_t *object, const char *name, struct octets *ret_octets)
{
	const char *text = json_strict_string(object, name);

	return text && base64url_decode(text, strlen(text), &ret_octets->bytes, &ret_octets->length);
}

static unsigned bit_length(const struct octets *number)
{
	unsigned bits = (unsigned)number->length * 8;

	for (uint8_t mask = 0x80; mask != 0 && !(number->bytes[0] & mask); mask >>= 1)
		bits--;
	return bits;
}

/* A positive odd number without leading zeros: what a modulus and an exponent are (RFC 7518, sections 2 and 6.3.1). An
 * empty one begins with the NUL that follows it. */
static bool is_odd_number(const struct octets *number)
{
	return number->bytes[0] != 0 && (number->bytes[number->length - 1] & 1) == 1;
}

static bool is_one(const struct octets *number)
{
	return number->length == 1 && number->bytes[0] == 1;
}

/* RFC 7518, section 6.3.1. An exponent of 1 would make every message its own signature. */
static bool read_rsa(const json_t *object, struct jwk *key)
{
	if (!read_octets(object, "n", &key->n) || !read_octets(object, "e", &key->e))
		return false;
	if (!is_odd_number(&key->n) || key->n.length > JWK_RSA_BITS_MAX / 8)
		return false;
	if (!is_odd_number(&key->e) || is_one(&key->e) || key->e.length > RSA_EXPONENT_BYTES_MAX)
		return false;
	key->type = JWK_RSA;
	key->bits = bit_length(&key->n);
	return key->bits >= JWK_RSA_BITS_MIN;
}

static bool is_on_curve(const struct curve *curve, const struct jwk *key)
{
	uint8_t point[1 + 2 * 66] = { POINT_CONVERSION_UNCOMPRESSED };
	size_t size = key->x.length;
	char group[16];
	OSSL_PARAM params[3];
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *made = NULL;
	bool ok;

	memcpy(point + 1, key->x.bytes, size);
	memcpy(point + 1 + size, key->y.bytes, size);
	(void)snprintf(group, sizeof(group), "%s", curve->group);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size);
	params[2] = OSSL_PARAM_construct_end();
	ok = context && EVP_PKEY_fromdata_init(context) == 1 &&
	     EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, params) == 1;
	EVP_PKEY_free(made);
	EVP_PKEY_CTX_free(context);
	/* What is left in OpenSSL's queue would be blamed on the next TLS connection. */
	ERR_clear_error();
	return ok;
}

static const struct curve *curve_named(const char *name)
{
	for (size_t i = 0; name && i < sizeof(curves) / sizeof(curves[0]); i++)
		if (strcmp(curves[i].name, name) == 0)
			return &curves[i];
	return NULL;
}

/* RFC 7518, section 6.2.1: both coordinates as long as the field, neither more nor less. */
static bool read_ec(const json_t *object, struct jwk *key)
{
	const struct curve *curve = curve_named(json_strict_string(object, "crv"));

	if (!curve || !read_octets(object, "x", &key->x) || !read_octets(object, "y", &key->y))
		return false;
	if (key->x.length != (curve->bits + 7) / 8 || key->y.length != key->x.length)
		return false;
	key->type = JWK_EC;
	key->bits = curve->bits;
	return is_on_curve(curve, key);
}

/* RFC 7517, section 4.1. Symmetric keys (oct) never stand in a published set of ours. */
static bool read_key_material(const json_t *object, struct jwk *key)
{
	const char *type = json_strict_string(object, "kty");

	if (type && strcmp(type, "RSA") == 0)
		return read_rsa(object, key);
	return type && strcmp(type, "EC") == 0 && read_ec(object, key);
}

/* RFC 7517, section 4.4. */
static bool read_alg(const json_t *object, struct jwk *key)
{
	const json_t *name = json_object_get(object, "alg");

	if (!name)
		return true;
	key->alg = json_is_string(name) ? jws_alg_named(json_string_value(name)) : NULL;
	return key->alg && jwk_fits(key, key->alg);
}

typedef bool key_check(const json_t *object, struct jwk *key);

static key_check *const key_checks[] = {
	check_use, check_key_ops, read_kid, check_private_part, read_key_material, read_alg,
};

static bool read_key(const json_t *object, struct jwk *ret_key)
{
	struct jwk key = { 0 };

	for (size_t i = 0; i < sizeof(key_checks) / sizeof(key_checks[0]); i++) {
		if (!key_checks[i](object, &key)) {
			jwk_clear(&key);
			return false;
		}
	}
	*ret_key = key;
	return true;
}

/* Drops every key whose kid another one has too. */
static void drop_ambiguous_keys(struct jwks *keys)
{
	bool ambiguous[JWKS_KEYS_MAX] = { false };
	size_t kept = 0;

	for (size_t i = 0; i < keys->count; i++)
		for (size_t k = 0; k < keys->count; k++)
			if (i != k && strcmp(keys->keys[i].kid, keys->keys[k].kid) == 0)
				ambiguous[i] = true;
	for (size_t i = 0; i < keys->count; i++) {
		if (ambiguous[i]) {
			jwk_clear(&keys->keys[i]);
			keys->skipped++;
		} else {
			keys->keys[kept++] = keys->keys[i];
		}
	}
	keys->count = kept;
}

static struct jwks *read_set(const json_t *list)
{
	struct jwks *keys = calloc(1, sizeof(*keys));
	size_t listed = json_array_size(list);

	if (!keys)
		return NULL;
	keys->keys = calloc(listed + 1, sizeof(*keys->keys));
	if (!keys->keys) {
		free(keys);
		return NULL;
	}
	for (size_t i = 0; i < listed; i++) {
		if (read_key(json_array_get(list, i), &keys->keys[keys->count]))
			keys->count++;
		else
			keys->skipped++;
	}
	drop_ambiguous_keys(keys);
	return keys;
}

struct jwks *jwks_parse(const char *json, size_t length, char *fault, size_t fault_size)
{
	_cleanup_json_ json_t *document = NULL;
	const json_t *list;
	struct jwks *keys;
	char problem[96];

	if (length > JWKS_SIZE_MAX) {
		(void)snprintf(fault, fault_size, "the key set is larger than %zu bytes", JWKS_SIZE_MAX);
		return NULL;
	}
	document = json_strict_object(json, length, problem, sizeof(problem));
	if (!document) {
		(void)snprintf(fault, fault_size, "the key set %s", problem);
		return NULL;
	}
	list = json_object_get(document, "keys");
	if (!json_is_array(list)) {
		(void)snprintf(fault, fault_size, "the key set has no array `keys`");
		return NULL;
	}
	if (json_array_size(list) > JWKS_KEYS_MAX) {
		(void)snprintf(fault, fault_size, "the key set has more than %d keys", JWKS_KEYS_MAX);
		return NULL;
	}
	keys = read_set(list);
	if (!keys)
		(void)snprintf(fault, fault_size, "the key set does not fit into memory");
	return keys;
}

void jwks_free(struct jwks *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->count; i++)
		jwk_clear(&keys->keys[i]);
	free(keys->keys);
	free(keys);
}

const struct jwk *jwks_find(const struct jwks *keys, const char *kid)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->keys[i].kid, kid) == 0)
			return &keys->keys[i];
	return NULL;
}

size_t jwks_count(const struct jwks *keys)
{
	return keys->count;
}

size_t jwks_skipped(const struct jwks *keys)
{
	return keys->skipped;
}

bool jwk_fits(const struct jwk *key, const struct jws_alg *alg)
{
	return key->type == alg->key_type && (key->type == JWK_RSA || key->bits == alg->curve_bits) &&
	       (!key->alg || key->alg == alg);
}
