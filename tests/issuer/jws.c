#include "tests/issuer/jws.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "common/cleanup.h"
#include "tests/issuer/encoding.h"
#include "tests/issuer/must.h"

#define P256_BYTES 32

struct bytes {
	unsigned char *at;
	size_t length;
};

static struct bytes es256_from_der(const unsigned char *der, size_t length)
{
	ECDSA_SIG *signature = must(d2i_ECDSA_SIG(NULL, &der, (long)length));
	struct bytes raw = { must(malloc((size_t)2 * P256_BYTES)), (size_t)2 * P256_BYTES };

	BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw.at, P256_BYTES);
	BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw.at + P256_BYTES, P256_BYTES);
	ECDSA_SIG_free(signature);
	return raw;
}

static struct bytes es256_to_der(const unsigned char *raw)
{
	ECDSA_SIG *signature = must(ECDSA_SIG_new());
	struct bytes der = { NULL, 0 };
	int length;

	ECDSA_SIG_set0(signature, must(BN_bin2bn(raw, P256_BYTES, NULL)),
		       must(BN_bin2bn(raw + P256_BYTES, P256_BYTES, NULL)));
	length = i2d_ECDSA_SIG(signature, &der.at);
	ECDSA_SIG_free(signature);
	der.length = length > 0 ? (size_t)length : 0;
	return der;
}

static const EVP_MD *digest_of(const char *alg)
{
	if (strcmp(alg, "RS384") == 0)
		return EVP_sha384();
	if (strcmp(alg, "RS512") == 0)
		return EVP_sha512();
	return EVP_sha256();
}

static struct bytes sign_asymmetric(const char *text, const char *alg, EVP_PKEY *key)
{
	bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	EVP_MD_CTX *context = must(EVP_MD_CTX_new());
	EVP_PKEY_CTX *key_context = NULL;
	struct bytes signature = { NULL, 0 };
	int ok;

	ok = EVP_DigestSignInit(context, &key_context, rsa ? digest_of(alg) : EVP_sha256(), NULL, key);
	if (ok == 1 && rsa && strcmp(alg, "PS256") == 0)
		ok = EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) == 1;
	if (ok == 1)
		ok = EVP_DigestSign(context, NULL, &signature.length, (const unsigned char *)text, strlen(text));
	if (ok == 1) {
		signature.at = must(malloc(signature.length));
		ok = EVP_DigestSign(context, signature.at, &signature.length, (const unsigned char *)text,
				    strlen(text));
	}
	EVP_MD_CTX_free(context);
	must(ok == 1 ? signature.at : NULL);
	if (!rsa) {
		struct bytes raw = es256_from_der(signature.at, signature.length);

		free(signature.at);
		return raw;
	}
	return signature;
}

static struct bytes sign_with_public_key_as_secret(const char *text, EVP_PKEY *key)
{
	BIO *pem = must(BIO_new(BIO_s_mem()));
	struct bytes signature = { must(malloc(EVP_MAX_MD_SIZE)), 0 };
	unsigned length = 0;
	char *secret;
	long secret_length;

	PEM_write_bio_PUBKEY(pem, key);
	secret_length = BIO_get_mem_data(pem, &secret);
	must(HMAC(EVP_sha256(), secret, (int)secret_length, (const unsigned char *)text, strlen(text), signature.at,
		  &length));
	signature.length = length;
	BIO_free(pem);
	return signature;
}

static char *encode_segment(const void *bytes, size_t length, bool padded)
{
	_cleanup_free_ char *text = base64url_encode(bytes, length);
	static const char *const PADDING[4] = { "", "", "==", "=" };

	return must_format("%s%s", text, padded ? PADDING[strlen(text) % 4] : "");
}

char *jws_sign(const char *header, const char *payload, const char *alg, EVP_PKEY *key, bool padded)
{
	_cleanup_free_ char *first = encode_segment(header, strlen(header), padded);
	_cleanup_free_ char *second = encode_segment(payload, strlen(payload), padded);
	_cleanup_free_ char *signed_text = must_format("%s.%s", first, second);
	_cleanup_free_ char *third = NULL;
	struct bytes signature;

	if (strcmp(alg, "none") == 0)
		return must_format("%s.", signed_text);
	if (strcmp(alg, "HS256") == 0)
		signature = sign_with_public_key_as_secret(signed_text, key);
	else
		signature = sign_asymmetric(signed_text, alg, key);
	third = encode_segment(signature.at, signature.length, padded);
	free(signature.at);
	return must_format("%s.%s", signed_text, third);
}

static json_t *json_of_segment(const char *text, size_t length)
{
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t size;
	json_t *json;

	if (!base64url_decode(text, length, &bytes, &size))
		return NULL;
	json = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
	if (json && !json_is_object(json)) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static bool alg_fits(const char *token, size_t header_length, EVP_PKEY *key)
{
	json_t *header = json_of_segment(token, header_length);
	const char *alg = json_string_value(json_object_get(header, "alg"));
	int type = EVP_PKEY_get_base_id(key);
	bool fits = alg && ((strcmp(alg, "RS256") == 0 && type == EVP_PKEY_RSA) ||
			    (strcmp(alg, "ES256") == 0 && type == EVP_PKEY_EC));

	json_decref(header);
	return fits;
}

static bool signature_holds(const char *text, size_t text_length, struct bytes signature, EVP_PKEY *key)
{
	EVP_MD_CTX *context = must(EVP_MD_CTX_new());
	struct bytes der = { NULL, 0 };
	bool holds = false;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
		if (signature.length != (size_t)2 * P256_BYTES)
			goto out;
		der = es256_to_der(signature.at);
		signature = der;
	}
	holds = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		EVP_DigestVerify(context, signature.at, signature.length, (const unsigned char *)text, text_length) ==
			1;
out:
	OPENSSL_free(der.at);
	EVP_MD_CTX_free(context);
	return holds;
}

bool jws_verify(const char *token, EVP_PKEY *key, json_t **ret_claims)
{
	_cleanup_free_ unsigned char *signature = NULL;
	const char *first_dot = strchr(token, '.');
	const char *second_dot = first_dot ? strchr(first_dot + 1, '.') : NULL;
	size_t length;
	json_t *claims;

	if (!second_dot || strchr(second_dot + 1, '.') || !alg_fits(token, (size_t)(first_dot - token), key))
		return false;
	if (!base64url_decode(second_dot + 1, strlen(second_dot + 1), &signature, &length))
		return false;
	if (!signature_holds(token, (size_t)(second_dot - token), (struct bytes){ signature, length }, key))
		return false;
	claims = json_of_segment(first_dot + 1, (size_t)(second_dot - first_dot - 1));
	if (!claims)
		return false;
	*ret_claims = claims;
	return true;
}

char *jws_left_half_hash(const char *text)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	must(EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) == 1 ? digest : NULL);
	return base64url_encode(digest, 16);
}
