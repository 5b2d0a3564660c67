/*
 * Attacks on the signature: other keys, keys that the issuer publishes but nobody may verify with, public keys as HMAC
 * secrets, algorithms that are not allowed, and signatures of the wrong form.
 */
#include "tests/forged_tokens/attack.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tests/unit/forge.h"

#define WRONG .because = "the signature is wrong"
#define UNKNOWN_KID .because = "signed with a key that the issuer does not publish"

/* ---- other keys ---- */

enum other_key {
	MALLORYS,
	HOSPITALS,
	SECOND_UNDER_FIRST,
};

static void sign_with(struct forgery *forgery, const struct attack *attack)
{
	const struct keys *keys = keys_made();

	switch ((enum other_key)attack->number) {
	case MALLORYS:
		forgery->key = forgery->kind_of_key == KEY_RSA ? keys->mallory_rsa : keys->mallory_ec;
		return;
	case HOSPITALS:
		forgery->key = keys->hospital_rsa;
		return;
	case SECOND_UNDER_FIRST:
		forgery->key = keys->rsa_second;
		return;
	}
}

static const struct attack other_keys[] = {
	DO("signed by a key that is not published, under the issuer's kid", sign_with, .number = MALLORYS, WRONG),
	DO("signed by another issuer's key of the same kid", sign_with, .number = HOSPITALS, .rsa_only = true, WRONG),
	DO("signed by another of the issuer's keys than kid names", sign_with, .number = SECOND_UNDER_FIRST,
	   .rsa_only = true, WRONG),
	DO("signed by an RSA key under the kid of an EC key", sign_with, .number = HOSPITALS, .ec_only = true,
	   .because = "the signature is 256 bytes long instead of 64"),
};

/* ---- keys that are published and must not be used ---- */

static void as_weak_512(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	sign_as(forgery, keys_made()->weak_512, KID_WEAK_512, "RS256");
}

static void as_weak_1024(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	sign_as(forgery, keys_made()->weak_1024, KID_WEAK_1024, "RS256");
}

static void as_weak_2040(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	sign_as(forgery, keys_made()->weak_2040, KID_WEAK_2040, "RS256");
}

/* With the issuer's own key, which stands in the set for something else too. */
static void as_rsa_named(struct forgery *forgery, const struct attack *attack)
{
	sign_as(forgery, keys_made()->rsa, attack->value, "RS256");
}

static void as_ec_named(struct forgery *forgery, const struct attack *attack)
{
	sign_as(forgery, keys_made()->ec, attack->value, "ES256");
}

/* For e = 1 the padded digest is its own signature. */
static size_t padded_digest(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	static const unsigned char info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
					      0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
	size_t length = 256;
	unsigned digest_length = 0;

	(void)forgery;
	memset(ret_signature, 0xff, length);
	ret_signature[0] = 0;
	ret_signature[1] = 1;
	ret_signature[length - 32 - sizeof(info) - 1] = 0;
	memcpy(ret_signature + length - 32 - sizeof(info), info, sizeof(info));
	forge_must(EVP_Digest(input, strlen(input), ret_signature + length - 32, &digest_length, EVP_sha256(), NULL) ==
		   1);
	return length;
}

static void as_exponent_1(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	sign_as(forgery, keys_made()->rsa, KID_E1, "RS256");
	forgery->signer = padded_digest;
}

static size_t hmac_by_published_secret(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	unsigned length = 0;

	(void)forgery;
	forge_must(HMAC(EVP_sha256(), OCT_SECRET, (int)strlen(OCT_SECRET), (const unsigned char *)input, strlen(input),
			ret_signature, &length));
	return length;
}

static void as_symmetric(struct forgery *forgery, const struct attack *attack)
{
	sign_as(forgery, keys_made()->rsa, KID_OCT, "RS256");
	member_set(&forgery->header, "alg", attack->value);
	forgery->signer = hmac_by_published_secret;
}

static const struct attack bad_keys[] = {
	DO("a key of 512 bits", as_weak_512, .rsa_only = true, UNKNOWN_KID),
	DO("a key of 1024 bits", as_weak_1024, .rsa_only = true, UNKNOWN_KID),
	DO("a key of 2040 bits", as_weak_2040, .rsa_only = true, UNKNOWN_KID),
	DO("a key of 512 bits, every algorithm allowed", as_weak_512, .tenant = TENANT_EVERY_ALG, UNKNOWN_KID),
	DO("a key for encryption", as_rsa_named, .value = KID_ENC, .rsa_only = true, UNKNOWN_KID),
	DO("a key for encryption", as_ec_named, .value = KID_ENC "-ec", .ec_only = true, UNKNOWN_KID),
	DO("a key whose use is empty", as_rsa_named, .value = KID_EMPTY_USE, .rsa_only = true, UNKNOWN_KID),
	DO("a key that may sign but not verify", as_rsa_named, .value = KID_NO_VERIFY, .rsa_only = true, UNKNOWN_KID),
	DO("a key whose name two have", as_rsa_named, .value = KID_TWICE, .rsa_only = true, UNKNOWN_KID),
	DO("a key whose private half is published", as_rsa_named, .value = KID_PRIVATE, .rsa_only = true, UNKNOWN_KID),
	DO("a key with exponent 1", as_exponent_1, .rsa_only = true, UNKNOWN_KID),
	DO("a key with exponent 1, every algorithm allowed", as_exponent_1, .tenant = TENANT_EVERY_ALG, UNKNOWN_KID),
	DO("a key said to be on another curve", as_ec_named, .value = KID_EC_OTHER_CURVE, .ec_only = true, UNKNOWN_KID),
	DO("a key off its curve", as_ec_named, .value = KID_OFF_CURVE, .ec_only = true, UNKNOWN_KID),
	DO("a published secret", as_symmetric, .value = "\"HS256\"",
	   .because = "alg: is not an algorithm with a public key that we know"),
	DO("a published secret, as RS256", as_symmetric, .value = "\"RS256\"", .rsa_only = true, UNKNOWN_KID),
};

/* ---- algorithms that are not allowed ---- */

static void as_alg(struct forgery *forgery, const struct attack *attack)
{
	const struct keys *keys = keys_made();
	const char *alg = attack->value;

	if (alg[0] != 'E')
		sign_as(forgery, keys->rsa, KID_RSA, alg);
	else if (strcmp(alg, "ES256") == 0)
		sign_as(forgery, keys->ec, KID_EC, alg);
	else if (strcmp(alg, "ES384") == 0)
		sign_as(forgery, keys->p384, KID_P384, alg);
	else
		sign_as(forgery, keys->p521, KID_P521, alg);
}

#define NOT_ALLOWED .because = "is not among the allowed algorithms"

/* Everything is right with these but that nobody allowed them. */
static const struct attack not_allowed[] = {
	DO("RS256 in full", as_alg, .value = "RS256", .ec_only = true, NOT_ALLOWED),
	DO("RS384 in full", as_alg, .value = "RS384", NOT_ALLOWED),
	DO("RS512 in full", as_alg, .value = "RS512", NOT_ALLOWED),
	DO("PS256 in full", as_alg, .value = "PS256", NOT_ALLOWED),
	DO("PS384 in full", as_alg, .value = "PS384", NOT_ALLOWED),
	DO("PS512 in full", as_alg, .value = "PS512", NOT_ALLOWED),
	DO("ES256 in full", as_alg, .value = "ES256", .rsa_only = true, NOT_ALLOWED),
	DO("ES384 in full", as_alg, .value = "ES384", NOT_ALLOWED),
	DO("ES512 in full", as_alg, .value = "ES512", NOT_ALLOWED),
};

/* The header says one algorithm, the signature is another's. All are allowed, so that only the signature refuses. */
static void signed_as(struct forgery *forgery, const struct attack *attack)
{
	_cleanup_free_ char *said = quoted(attack->member, strlen(attack->member));

	as_alg(forgery, attack);
	member_set(&forgery->header, "alg", said);
}

#define CONFUSED(said, made, why)                                                                                    \
	DO("header " said ", signature " made ", every algorithm allowed", signed_as, .member = said, .value = made, \
	   .tenant = TENANT_EVERY_ALG, .because = why)

static const struct attack confused[] = {
	CONFUSED("RS256", "PS256", "the signature is wrong"),
	CONFUSED("PS256", "RS256", "the signature is wrong"),
	CONFUSED("RS256", "RS384", "the signature is wrong"),
	CONFUSED("RS512", "RS256", "the signature is wrong"),
	CONFUSED("PS384", "PS256", "the signature is wrong"),
	CONFUSED("ES256", "RS256", "does not fit the key that kid names"),
	CONFUSED("RS256", "ES256", "does not fit the key that kid names"),
	CONFUSED("ES256", "ES384", "does not fit the key that kid names"),
	CONFUSED("ES384", "ES256", "does not fit the key that kid names"),
	CONFUSED("ES512", "ES256", "does not fit the key that kid names"),
	CONFUSED("PS256", "ES256", "does not fit the key that kid names"),
};

/* ---- HMAC with what everybody knows ---- */

enum public_text {
	SPKI_PEM,
	SPKI_PEM_NO_NEWLINE,
	SPKI_PEM_CRLF,
	SPKI_PEM_BODY,
	SPKI_DER,
	PKCS1_PEM,
	PKCS1_DER,
	JWK_TEXT,
	MODULUS_TEXT,
	MODULUS_BYTES,
	EXPONENT_BYTES,
	KEY_SET_TEXT,
	KID_TEXT,
	CLIENT_TEXT,
	NOTHING,
	PUBLIC_TEXTS,
};

static const char *const public_text_names[PUBLIC_TEXTS] = {
	[SPKI_PEM] = "PEM",
	[SPKI_PEM_NO_NEWLINE] = "PEM without its last newline",
	[SPKI_PEM_CRLF] = "PEM with CRLF",
	[SPKI_PEM_BODY] = "PEM without its frame",
	[SPKI_DER] = "DER",
	[PKCS1_PEM] = "PKCS #1 PEM",
	[PKCS1_DER] = "PKCS #1 DER",
	[JWK_TEXT] = "JWK",
	[MODULUS_TEXT] = "modulus in base64url",
	[MODULUS_BYTES] = "modulus in bytes",
	[EXPONENT_BYTES] = "exponent",
	[KEY_SET_TEXT] = "whole key set",
	[KID_TEXT] = "kid",
	[CLIENT_TEXT] = "client id",
	[NOTHING] = "nothing",
};

static struct {
	char *bytes;
	size_t length;
} public_texts[PUBLIC_TEXTS];

static void keep(enum public_text which, const void *bytes, size_t length)
{
	public_texts[which].bytes = malloc(length + 1);
	forge_must(public_texts[which].bytes);
	memcpy(public_texts[which].bytes, bytes, length);
	public_texts[which].bytes[length] = '\0';
	public_texts[which].length = length;
}

static void keep_bio(enum public_text which, BIO *bio)
{
	char *bytes = NULL;
	long length = BIO_get_mem_data(bio, &bytes);

	forge_must(length > 0);
	keep(which, bytes, (size_t)length);
	BIO_free(bio);
}

/* Lines that end in CRLF, or, without the frame, the base64 alone. */
static void keep_pem_variants(void)
{
	const char *pem = public_texts[SPKI_PEM].bytes;
	_cleanup_free_ char *crlf = calloc(2, public_texts[SPKI_PEM].length + 1);
	const char *body = strchr(pem, '\n') + 1;
	char *out = crlf;

	forge_must(crlf);
	for (const char *c = pem; *c; c++) {
		if (*c == '\n')
			*out++ = '\r';
		*out++ = *c;
	}
	keep(SPKI_PEM_CRLF, crlf, (size_t)(out - crlf));
	keep(SPKI_PEM_NO_NEWLINE, pem, strlen(pem) - 1);
	keep(SPKI_PEM_BODY, body, (size_t)(strstr(body, "-----") - body));
}

static void keep_jwk_parts(EVP_PKEY *key)
{
	_cleanup_free_ char *modulus = forge_key_number(key, OSSL_PKEY_PARAM_RSA_N, 0);
	_cleanup_free_ uint8_t *bytes = NULL;
	json_t *jwk = forge_jwk(key, KID_RSA);
	_cleanup_free_ char *text = json_dumps(jwk, JSON_COMPACT);
	size_t length = 0;

	forge_must(text && base64url_decode(modulus, strlen(modulus), &bytes, &length));
	keep(JWK_TEXT, text, strlen(text));
	keep(MODULUS_TEXT, modulus, strlen(modulus));
	keep(MODULUS_BYTES, bytes, length);
	json_decref(jwk);
}

static void make_public_texts(void)
{
	EVP_PKEY *key = keys_made()->rsa;
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	int length;

	forge_must(bio && PEM_write_bio_PUBKEY(bio, key) == 1);
	keep_bio(SPKI_PEM, bio);
	keep_pem_variants();
	length = i2d_PUBKEY(key, &der);
	forge_must(length > 0);
	keep(SPKI_DER, der, (size_t)length);
	OPENSSL_free(der);
	der = NULL;
	length = i2d_PublicKey(key, &der);
	forge_must(length > 0);
	keep(PKCS1_DER, der, (size_t)length);
	bio = BIO_new(BIO_s_mem());
	forge_must(bio && PEM_write_bio(bio, "RSA PUBLIC KEY", "", der, length) > 0);
	keep_bio(PKCS1_PEM, bio);
	OPENSSL_free(der);
	keep_jwk_parts(key);
	keep(EXPONENT_BYTES, "\1\0\1", 3);
	keep(KEY_SET_TEXT, keys_made()->published_text, strlen(keys_made()->published_text));
	keep(KID_TEXT, KID_RSA, strlen(KID_RSA));
	keep(CLIENT_TEXT, CLIENT, strlen(CLIENT));
	keep(NOTHING, "", 0);
}

static size_t hmac_signature(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	unsigned length = 0;

	forge_must(HMAC(forge_digest(forgery->alg), forgery->secret, (int)forgery->secret_length,
			(const unsigned char *)input, strlen(input), ret_signature, &length));
	return length;
}

/* The header says `member`, the HMAC is by `value`'s digest: they differ where the attack is that nobody looks. */
static void with_public_secret(struct forgery *forgery, const struct attack *attack)
{
	_cleanup_free_ char *said = quoted(attack->member, strlen(attack->member));

	forgery->alg = attack->value;
	forgery->signer = hmac_signature;
	forgery->secret = public_texts[attack->number].bytes;
	forgery->secret_length = public_texts[attack->number].length;
	member_set(&forgery->header, "alg", said);
	member_set(&forgery->header, "kid", "\"" KID_RSA "\"");
}

/* HS256, HS384, HS512, and RS256 with an HMAC under it, for each of the texts. */
#define HMAC_KINDS 4
static struct attack hmac_attacks[HMAC_KINDS * PUBLIC_TEXTS];
static char hmac_names[HMAC_KINDS * PUBLIC_TEXTS][96];

static void make_hmac_attacks(void)
{
	static const char *const said[HMAC_KINDS] = { "HS256", "HS384", "HS512", "RS256" };
	static const char *const made[HMAC_KINDS] = { "HS256", "HS384", "HS512", "HS256" };

	make_public_texts();
	for (int i = 0; i < HMAC_KINDS * PUBLIC_TEXTS; i++) {
		int text = i / HMAC_KINDS, alg = i % HMAC_KINDS;

		(void)snprintf(hmac_names[i], sizeof(hmac_names[i]), "%s by HMAC with the public key: %s", said[alg],
			       public_text_names[text]);
		hmac_attacks[i] = (struct attack){
			.act = ACT_DO,
			.name = hmac_names[i],
			.apply = with_public_secret,
			.member = said[alg],
			.value = made[alg],
			.number = text,
			.because = said[alg][0] == 'H' ? "alg: is not an algorithm with a public key that we know"
						       : "the signature is 32 bytes long instead of 256",
			.rsa_only = said[alg][0] == 'R',
		};
	}
}

/* ---- signatures of another form ---- */

static size_t no_signature(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	(void)forgery;
	(void)input;
	(void)ret_signature;
	return 0;
}

static size_t all_zeros(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	size_t length = honest_signature(forgery, input, ret_signature);

	memset(ret_signature, 0, length);
	return length;
}

static size_t one(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	size_t length = all_zeros(forgery, input, ret_signature);

	ret_signature[length - 1] = 1;
	return length;
}

static size_t all_ones(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	size_t length = honest_signature(forgery, input, ret_signature);

	memset(ret_signature, 0xff, length);
	return length;
}

static size_t zero_before(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	size_t length = honest_signature(forgery, input, ret_signature + 1);

	ret_signature[0] = 0;
	return length + 1;
}

static size_t zero_behind(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	size_t length = honest_signature(forgery, input, ret_signature);

	ret_signature[length] = 0;
	return length + 1;
}

static size_t one_short(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	return honest_signature(forgery, input, ret_signature) - 1;
}

static size_t twice_over(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	size_t length = honest_signature(forgery, input, ret_signature);

	memcpy(ret_signature + length, ret_signature, length);
	return 2 * length;
}

static size_t over_the_payload(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	return honest_signature(forgery, strchr(input, '.') + 1, ret_signature);
}

static size_t over_the_last_dot_too(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	_cleanup_free_ char *longer = NULL;

	forge_must(asprintf(&longer, "%s.", input) > 0);
	return honest_signature(forgery, longer, ret_signature);
}

static size_t over_the_texts(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	_cleanup_free_ char *header = members_text(&forgery->header), *payload = members_text(&forgery->payload);
	_cleanup_free_ char *plain = NULL;

	(void)input;
	forge_must(asprintf(&plain, "%s.%s", header, payload) > 0);
	return honest_signature(forgery, plain, ret_signature);
}

static size_t by_digest(const struct forgery *forgery, const char *input, unsigned char *ret_signature,
			const EVP_MD *digest)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = SIGNATURE_MAX;

	forge_must(context && EVP_DigestSignInit(context, NULL, digest, NULL, forgery->key) == 1);
	/* The digest may be too long for a weak key. */
	if (EVP_DigestSign(context, ret_signature, &length, (const unsigned char *)input, strlen(input)) != 1)
		length = honest_signature(forgery, input, ret_signature);
	EVP_MD_CTX_free(context);
	return length;
}

static size_t by_sha1(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	return by_digest(forgery, input, ret_signature, EVP_sha1());
}

static size_t by_sha512(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	return by_digest(forgery, input, ret_signature, EVP_sha512());
}

/* Without the name of the digest in the padding. */
static size_t bare_digest(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	EVP_PKEY_CTX *context;
	unsigned char digest[32];
	unsigned digest_length = 0;
	size_t length = SIGNATURE_MAX;

	if (!EVP_PKEY_is_a(forgery->key, "RSA"))
		return by_digest(forgery, input, ret_signature, EVP_sha256());
	context = EVP_PKEY_CTX_new(forgery->key, NULL);
	forge_must(EVP_Digest(input, strlen(input), digest, &digest_length, EVP_sha256(), NULL) == 1);
	forge_must(context && EVP_PKEY_sign_init(context) == 1 &&
		   EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1);
	forge_must(EVP_PKEY_sign(context, ret_signature, &length, digest, sizeof(digest)) == 1);
	EVP_PKEY_CTX_free(context);
	return length;
}

/* The largest number whose cube is at most `cube`. */
static void cube_root(BIGNUM *root, const BIGNUM *cube, BN_CTX *context)
{
	BIGNUM *power = BN_new();

	forge_must(power);
	BN_zero(root);
	for (int bit = BN_num_bits(cube) / 3 + 1; bit >= 0; bit--) {
		forge_must(BN_set_bit(root, bit) && BN_sqr(power, root, context) &&
			   BN_mul(power, power, root, context));
		if (BN_cmp(power, cube) > 0)
			forge_must(BN_clear_bit(root, bit));
	}
	BN_free(power);
}

/* Bleichenbacher, 2006: under exponent 3 a signature can be computed without the key, if nobody looks at what follows
 * the digest. */
static size_t cube_root_signature(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	static const unsigned char info[] = { 0x00, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					      0x00, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
					      0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
	unsigned char block[256];
	unsigned length = 0;
	BN_CTX *context = BN_CTX_new();
	BIGNUM *cube, *root = BN_new();

	(void)forgery;
	memset(block, 0xff, sizeof(block));
	memcpy(block, info, sizeof(info));
	forge_must(EVP_Digest(input, strlen(input), block + sizeof(info), &length, EVP_sha256(), NULL) == 1);
	cube = BN_bin2bn(block, sizeof(block), NULL);
	forge_must(context && root && cube);
	cube_root(root, cube, context);
	forge_must(BN_bn2binpad(root, ret_signature, 256) == 256);
	BN_free(cube);
	BN_free(root);
	BN_CTX_free(context);
	return 256;
}

/* The DER that OpenSSL makes, which RFC 7518 does not want. */
static size_t as_der(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	return by_digest(forgery, input, ret_signature, EVP_sha256());
}

static size_t swapped(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	unsigned char kept[32];

	(void)honest_signature(forgery, input, ret_signature);
	memcpy(kept, ret_signature, 32);
	memcpy(ret_signature, ret_signature + 32, 32);
	memcpy(ret_signature + 32, kept, 32);
	return 64;
}

/* r = s = the order of P-256. */
static size_t at_the_order(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	static const unsigned char order[] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
					       0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
					       0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };

	(void)forgery;
	(void)input;
	memcpy(ret_signature, order, 32);
	memcpy(ret_signature + 32, order, 32);
	return 64;
}

/* Each number widened by a zero in front. */
static size_t widened(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	unsigned char plain[SIGNATURE_MAX];

	(void)honest_signature(forgery, input, plain);
	memset(ret_signature, 0, 66);
	memcpy(ret_signature + 1, plain, 32);
	memcpy(ret_signature + 34, plain + 32, 32);
	return 66;
}

enum maker {
	NO_SIGNATURE,
	ALL_ZEROS,
	ONE,
	ALL_ONES,
	ZERO_BEFORE,
	ZERO_BEHIND,
	ONE_SHORT,
	TWICE_OVER,
	OVER_THE_PAYLOAD,
	OVER_THE_LAST_DOT,
	OVER_THE_TEXTS,
	BY_SHA1,
	BY_SHA512,
	BARE_DIGEST,
	PADDED_DIGEST,
	AS_DER,
	SWAPPED,
	AT_THE_ORDER,
	WIDENED,
	CUBE_ROOT,
};

static signature_maker *const makers[] = {
	[NO_SIGNATURE] = no_signature,
	[ALL_ZEROS] = all_zeros,
	[ONE] = one,
	[ALL_ONES] = all_ones,
	[ZERO_BEFORE] = zero_before,
	[ZERO_BEHIND] = zero_behind,
	[ONE_SHORT] = one_short,
	[TWICE_OVER] = twice_over,
	[OVER_THE_PAYLOAD] = over_the_payload,
	[OVER_THE_LAST_DOT] = over_the_last_dot_too,
	[OVER_THE_TEXTS] = over_the_texts,
	[BY_SHA1] = by_sha1,
	[BY_SHA512] = by_sha512,
	[BARE_DIGEST] = bare_digest,
	[PADDED_DIGEST] = padded_digest,
	[AS_DER] = as_der,
	[SWAPPED] = swapped,
	[AT_THE_ORDER] = at_the_order,
	[WIDENED] = widened,
	[CUBE_ROOT] = cube_root_signature,
};

static void signed_by(struct forgery *forgery, const struct attack *attack)
{
	forgery->signer = makers[attack->number];
}

static void under_exponent_3(struct forgery *forgery, const struct attack *attack)
{
	sign_as(forgery, keys_made()->e3, KID_E3, "RS256");
	signed_by(forgery, attack);
}

static void old(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	member_set(&forgery->payload, "jti", "\"ID.two\"");
	forgery->old_signature = true;
}

#define LENGTH .because = "the signature is "

static const struct attack forms[] = {
	DO("no signature", signed_by, .number = NO_SIGNATURE, LENGTH),
	DO("a signature of zeros", signed_by, .number = ALL_ZEROS, WRONG),
	DO("a signature of the number one", signed_by, .number = ONE, WRONG),
	DO("a signature of ones", signed_by, .number = ALL_ONES, WRONG),
	DO("a zero before the signature", signed_by, .number = ZERO_BEFORE, LENGTH),
	DO("a zero behind the signature", signed_by, .number = ZERO_BEHIND, LENGTH),
	DO("a signature one byte short", signed_by, .number = ONE_SHORT, LENGTH),
	DO("the signature twice over", signed_by, .number = TWICE_OVER, LENGTH),
	DO("a signature over the payload alone", signed_by, .number = OVER_THE_PAYLOAD, WRONG),
	DO("a signature over the last dot too", signed_by, .number = OVER_THE_LAST_DOT, WRONG),
	DO("a signature over the decoded texts", signed_by, .number = OVER_THE_TEXTS, WRONG),
	DO("RSA over SHA-1", signed_by, .number = BY_SHA1, .rsa_only = true, WRONG),
	DO("RSA over SHA-512", signed_by, .number = BY_SHA512, .rsa_only = true, WRONG),
	DO("RSA over a digest without its name", signed_by, .number = BARE_DIGEST, .rsa_only = true, WRONG),
	DO("the padded digest instead of a signature", signed_by, .number = PADDED_DIGEST, .rsa_only = true, WRONG),
	DO("a cube root instead of a signature, under exponent 3", under_exponent_3, .number = CUBE_ROOT,
	   .rsa_only = true, WRONG),
	DO("the padded digest instead of a signature, under exponent 3", under_exponent_3, .number = PADDED_DIGEST,
	   .rsa_only = true, WRONG),
	DO("an ECDSA signature in DER", signed_by, .number = AS_DER, .ec_only = true, LENGTH),
	DO("an ECDSA signature with R and S swapped", signed_by, .number = SWAPPED, .ec_only = true, WRONG),
	DO("an ECDSA signature of the curve's order", signed_by, .number = AT_THE_ORDER, .ec_only = true, WRONG),
	DO("an ECDSA signature of wider numbers", signed_by, .number = WIDENED, .ec_only = true, LENGTH),
	DO("the signature of another token", old, WRONG),
};

const struct attack_list *signature_attacks(size_t *ret_count)
{
	static const struct attack_list lists[] = {
		LIST("another key", PART_SIGNATURE, other_keys),
		LIST("a published key that must not be used", PART_SIGNATURE, bad_keys),
		LIST("an algorithm that is not allowed", PART_SIGNATURE, not_allowed),
		LIST("an algorithm and another's signature", PART_SIGNATURE, confused),
		LIST("HMAC with the public key", PART_SIGNATURE, hmac_attacks),
		LIST("the signature's form", PART_SIGNATURE, forms),
	};

	if (!hmac_attacks[0].apply)
		make_hmac_attacks();
	*ret_count = sizeof(lists) / sizeof(lists[0]);
	return lists;
}
