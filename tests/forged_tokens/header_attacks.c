/*
 * Attacks on the header: which algorithm, which key, what kind of token, and members that change what it means. Who
 * makes such a token has the right signature for it, too: the rule alone refuses it.
 */
#include "tests/forged_tokens/attack.h"

#include <openssl/x509.h>

#include "tests/unit/forge.h"

/* ---- alg ---- */

static size_t no_signature(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	(void)forgery;
	(void)input;
	(void)ret_signature;
	return 0;
}

static void unsigned_as(struct forgery *forgery, const struct attack *attack)
{
	member_set(&forgery->header, "alg", attack->value);
	forgery->signer = no_signature;
}

static void unsigned_and_without_kid(struct forgery *forgery, const struct attack *attack)
{
	unsigned_as(forgery, attack);
	member_drop(&forgery->header, "kid");
}

#define NOT_KNOWN .because = "alg: is not an algorithm with a public key that we know"
#define NO_ALG .because = "alg: is missing or no string"

static const struct attack alg_none[] = {
	DO("alg none, unsigned", unsigned_as, .value = "\"none\"", NOT_KNOWN),
	DO("alg None, unsigned", unsigned_as, .value = "\"None\"", NOT_KNOWN),
	DO("alg NONE, unsigned", unsigned_as, .value = "\"NONE\"", NOT_KNOWN),
	DO("alg nOnE, unsigned", unsigned_as, .value = "\"nOnE\"", NOT_KNOWN),
	DO("alg none in escapes, unsigned", unsigned_as, .value = "\"\\u006eone\"", NOT_KNOWN),
	DO("alg none and a space, unsigned", unsigned_as, .value = "\"none \"", NOT_KNOWN),
	DO("alg with a Cyrillic o in none, unsigned", unsigned_as,
	   .value = "\"n\xd0\xbe"
		    "ne\"",
	   NOT_KNOWN),
	DO("alg null, unsigned", unsigned_as, .value = "null", NO_ALG),
	DO("alg empty, unsigned", unsigned_as, .value = "\"\"", NOT_KNOWN),
	DO("alg false, unsigned", unsigned_as, .value = "false", NO_ALG),
	DO("alg none, unsigned, without kid", unsigned_and_without_kid, .value = "\"none\"", NOT_KNOWN),
	SET("alg", "\"none\"", NOT_KNOWN),
	SET("alg", "\"None\"", NOT_KNOWN),
	SET("alg", "\"NONE\"", NOT_KNOWN),
};

static const struct attack alg[] = {
	DROP("alg", NO_ALG),
	SET("alg", "null", NO_ALG),
	SET("alg", "1", NO_ALG),
	SET("alg", "true", NO_ALG),
	SET("alg", "[\"RS256\"]", NO_ALG),
	SET("alg", "[\"none\",\"RS256\"]", NO_ALG),
	SET("alg", "{\"name\":\"RS256\"}", NO_ALG),
	SET("alg", "\"\"", NOT_KNOWN),
	SET("alg", "\"rs256\"", NOT_KNOWN),
	SET("alg", "\"Rs256\"", NOT_KNOWN),
	SET("alg", "\"es256\"", NOT_KNOWN),
	SET("alg", "\"RS256 \"", NOT_KNOWN),
	SET("alg", "\" RS256\"", NOT_KNOWN),
	SET("alg", "\"ES256 \"", NOT_KNOWN),
	SET("alg", "\"RS256\\u0000\"", .because = "has a NUL character"),
	SET("alg", "\"ES256\\u0000none\"", .because = "has a NUL character"),
	SET("alg", "\"RS256,ES256\"", NOT_KNOWN),
	SET("alg", "\"RS257\"", NOT_KNOWN),
	SET("alg", "\"RS1\"", NOT_KNOWN),
	SET("alg", "\"RSA\"", NOT_KNOWN),
	SET("alg", "\"SHA256withRSA\"", NOT_KNOWN),
	SET("alg", "\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"", NOT_KNOWN),
	SET("alg", "\"HS256\"", NOT_KNOWN),
	SET("alg", "\"HS384\"", NOT_KNOWN),
	SET("alg", "\"HS512\"", NOT_KNOWN),
	SET("alg", "\"ES256K\"", NOT_KNOWN),
	SET("alg", "\"EdDSA\"", NOT_KNOWN),
	SET("alg", "\"RSA1_5\"", NOT_KNOWN),
	SET("alg", "\"RSA-OAEP\"", NOT_KNOWN),
	SET("alg", "\"dir\"", NOT_KNOWN),
	SET("alg", "\"A128KW\"", NOT_KNOWN),
	SET("alg", "\"PBES2-HS256+A128KW\"", NOT_KNOWN),
	SET("alg", "\"RS512\"", .because = "alg: RS512 is not among the allowed algorithms"),
	SET("alg", "\"ES384\"", .because = "alg: ES384 is not among the allowed algorithms"),
	SET("alg", "\"ES512\"", .because = "alg: ES512 is not among the allowed algorithms"),
	SET("alg", "\"PS256\"", .because = "alg: PS256 is not among the allowed algorithms"),
	SET("alg", "\"ES256\"", .because = "alg: ES256 is not among the allowed algorithms", .rsa_only = true),
	SET("alg", "\"RS256\"", .because = "alg: RS256 is not among the allowed algorithms", .ec_only = true),
	SET("alg", "\"ES256\"", .because = "alg: ES256 does not fit", .rsa_only = true, .tenant = TENANT_EVERY_ALG),
	SET("alg", "\"RS256\"", .because = "alg: RS256 does not fit", .ec_only = true, .tenant = TENANT_EVERY_ALG),
	SET("alg", "\"ES384\"", .because = "alg: ES384 does not fit", .tenant = TENANT_EVERY_ALG),
	RENAME("alg", "Alg", NO_ALG),
	RENAME("alg", "ALG", NO_ALG),
	RENAME("alg", "alg ", NO_ALG),
	RENAME("alg", "algorithm", NO_ALG),
	RENAME("alg", "alg\\u0000", .because = "has a NUL character"),
};

/* ---- members twice ---- */

#define TWICE .because = "the header has a member twice"

static const struct attack twice[] = {
	ADD("alg", "\"none\"", TWICE),
	ADD_FIRST("alg", "\"none\"", TWICE),
	ADD("alg", "\"HS256\"", TWICE),
	ADD_FIRST("alg", "\"HS256\"", TWICE),
	ADD("alg", "\"RS256\"", TWICE),
	ADD("al\\u0067", "\"none\"", TWICE),
	ADD_FIRST("\\u0061\\u006c\\u0067", "\"none\"", TWICE),
	ADD("kid", "\"" KID_RSA_SECOND "\"", TWICE),
	ADD_FIRST("kid", "\"" KID_RSA_SECOND "\"", TWICE),
	ADD("k\\u0069d", "\"" KID_RSA_SECOND "\"", TWICE),
	ADD_FIRST("k\\u0069d", "\"" KID_RSA_SECOND "\"", TWICE),
};

/* ---- kid ---- */

static void huge_kid(struct forgery *forgery, const struct attack *attack)
{
	size_t length = (size_t)attack->number;
	_cleanup_free_ char *value = malloc(length + 3);

	forge_must(value);
	memset(value, 'k', length + 2);
	value[0] = value[length + 1] = '"';
	value[length + 2] = '\0';
	member_set(&forgery->header, "kid", value);
}

/* A file of known content as the secret, as in servers that look keys up by path. */
static size_t hmac_of_nothing(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	unsigned length = 0;

	(void)forgery;
	forge_must(HMAC(EVP_sha256(), "", 0, (const unsigned char *)input, strlen(input), ret_signature, &length));
	return length;
}

static void path_as_kid(struct forgery *forgery, const struct attack *attack)
{
	member_set(&forgery->header, "alg", "\"HS256\"");
	member_set(&forgery->header, "kid", attack->value);
	forgery->signer = hmac_of_nothing;
}

#define UNKNOWN_KID .because = "signed with a key that the issuer does not publish"
#define NO_KID .because = "kid: is missing or no string"

static const struct attack kid[] = {
	DROP("kid", NO_KID),
	SET("kid", "null", NO_KID),
	SET("kid", "0", NO_KID),
	SET("kid", "[\"rsa\",\"ec\"]", NO_KID),
	SET("kid", "{}", NO_KID),
	SET("kid", "true", NO_KID),
	SET("kid", "\"\"", UNKNOWN_KID),
	SET("kid", "\"*\"", UNKNOWN_KID),
	SET("kid", "\"key-of-another-issuer\"", UNKNOWN_KID),
	SET("kid", "\"RSA\"", UNKNOWN_KID),
	SET("kid", "\"EC\"", UNKNOWN_KID),
	SET("kid", "\"rsa \"", UNKNOWN_KID),
	SET("kid", "\" ec\"", UNKNOWN_KID),
	SET("kid", "\"rs\"", UNKNOWN_KID),
	SET("kid", "\"rsa\\u0000\"", .because = "has a NUL character"),
	SET("kid", "\"ec\\u0000\"", .because = "has a NUL character"),
	SET("kid", "\"ec\\n\"", UNKNOWN_KID),
	SET("kid", "\"%72sa\"", UNKNOWN_KID),
	SET("kid", "\"ec' OR '1'='1\"", UNKNOWN_KID),
	SET("kid", "\"rsa\xc0\x80\"", .because = "is not valid UTF-8"),
	SET("kid",
	    "\"\xd0\xb5"
	    "c\"",
	    .name = "kid with a Cyrillic letter", UNKNOWN_KID),
	SET("kid", "\"https://evil.example/key\"", UNKNOWN_KID),
	SET("kid", "\"" KID_RSA_SECOND "\"", .name = "kid of another of the issuer's keys", .rsa_only = true,
	    .because = "the signature is wrong"),
	SET("kid", "\"" KID_RSA "\"", .name = "kid of a key of the other type", .ec_only = true,
	    .because = "does not fit the key that kid names"),
	SET("kid", "\"" KID_EC "\"", .name = "kid of a key of the other type", .rsa_only = true,
	    .because = "does not fit the key that kid names"),
	SET("kid", "\"" KID_P384 "\"", .name = "kid of a key on another curve", .ec_only = true,
	    .because = "does not fit the key that kid names"),
	SET("kid", "\"" KID_ONLY_RS384 "\"", .name = "kid of the same key, published for RS384", .rsa_only = true,
	    .because = "does not fit the key that kid names"),
	RENAME("kid", "Kid", NO_KID),
	RENAME("kid", "KID", NO_KID),
	RENAME("kid", "x5t", NO_KID),
	DO("a kid of 256 bytes", huge_kid, .number = 256, UNKNOWN_KID),
	DO("a kid of 40,000 bytes", huge_kid, .number = 40000, UNKNOWN_KID),
	DO("a kid that makes the token too long", huge_kid, .number = 70000, .because = "has no ID token"),
	DO("kid ../../../../dev/null", path_as_kid, .value = "\"../../../../dev/null\"", NOT_KNOWN),
	DO("kid /dev/null", path_as_kid, .value = "\"/dev/null\"", NOT_KNOWN),
	DO("kid /proc/sys/kernel/randomize_va_space", path_as_kid, .value = "\"/proc/sys/kernel/randomize_va_space\"",
	   NOT_KNOWN),
	DO("kid |/bin/true", path_as_kid, .value = "\"|/bin/true\"", NOT_KNOWN),
};

/* ---- members that are refused ---- */

static void unencoded_payload(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	member_set(&forgery->header, "b64", "false");
	member_set(&forgery->header, "crit", "[\"b64\"]");
}

#define REFUSED_MEMBER(name_) .because = name_ ": must not be in an ID token's header"

static const struct attack critical[] = {
	SET("crit", "[\"b64\"]", REFUSED_MEMBER("crit")),
	SET("crit", "[\"exp\"]", REFUSED_MEMBER("crit")),
	SET("crit", "[\"alg\"]", REFUSED_MEMBER("crit")),
	SET("crit", "[]", REFUSED_MEMBER("crit")),
	SET("crit", "[\"\"]", REFUSED_MEMBER("crit")),
	SET("crit", "null", REFUSED_MEMBER("crit")),
	SET("crit", "\"b64\"", REFUSED_MEMBER("crit")),
	SET("crit", "[\"urn:example:unknown\"]", REFUSED_MEMBER("crit")),
	SET("cri\\u0074", "[\"b64\"]", REFUSED_MEMBER("crit")),
	SET("b64", "false", REFUSED_MEMBER("b64")),
	SET("b64", "true", REFUSED_MEMBER("b64")),
	SET("b64", "null", REFUSED_MEMBER("b64")),
	DO("b64 false and critical", unencoded_payload, REFUSED_MEMBER("crit")),
	SET("zip", "\"DEF\"", REFUSED_MEMBER("zip")),
	SET("zip", "\"GZ\"", REFUSED_MEMBER("zip")),
	SET("zip", "null", REFUSED_MEMBER("zip")),
};

/* ---- keys that the token brings along ---- */

static void sign_with_own_key(struct forgery *forgery)
{
	forgery->key = forgery->kind_of_key == KEY_RSA ? keys_made()->mallory_rsa : keys_made()->mallory_ec;
}

static void bring_jwk(struct forgery *forgery, const struct attack *attack)
{
	json_t *jwk;
	_cleanup_free_ char *text = NULL;

	sign_with_own_key(forgery);
	jwk = forge_jwk(forgery->key, attack->value);
	text = json_dumps(jwk, JSON_COMPACT);
	forge_must(text);
	json_decref(jwk);
	member_set(&forgery->header, "jwk", text);
	if (attack->number)
		member_drop(&forgery->header, "kid");
}

static size_t hmac_by_own_secret(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	unsigned length = 0;

	(void)forgery;
	forge_must(
		HMAC(EVP_sha256(), "secret", 6, (const unsigned char *)input, strlen(input), ret_signature, &length));
	return length;
}

static void bring_secret(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	member_set(&forgery->header, "alg", "\"HS256\"");
	member_set(&forgery->header, "jwk", "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}");
	forgery->signer = hmac_by_own_secret;
}

static void bring_chain(struct forgery *forgery, const struct attack *attack)
{
	EVP_PKEY *key;
	unsigned char *der = NULL;
	unsigned char base64[4096];
	_cleanup_free_ char *value = NULL;
	int length;

	(void)attack;
	sign_with_own_key(forgery);
	key = forgery->key;
	length = i2d_PUBKEY(key, &der);
	forge_must(length > 0 && EVP_EncodeBlock(base64, der, length) > 0);
	OPENSSL_free(der);
	forge_must(asprintf(&value, "[\"%s\"]", (const char *)base64) > 0);
	member_set(&forgery->header, "x5c", value);
}

static void point_to_key(struct forgery *forgery, const struct attack *attack)
{
	sign_with_own_key(forgery);
	member_set(&forgery->header, attack->member, attack->value);
}

static const struct attack own_key[] = {
	DO("jwk of an own key, under the issuer's kid", bring_jwk, .value = KID_RSA, REFUSED_MEMBER("jwk")),
	DO("jwk of an own key, under an own kid", bring_jwk, .value = "mallory", REFUSED_MEMBER("jwk")),
	DO("jwk of an own key, without kid", bring_jwk, .value = "mallory", .number = 1, REFUSED_MEMBER("jwk")),
	DO("jwk of an own secret", bring_secret, NOT_KNOWN),
	SET("jwk", "null", REFUSED_MEMBER("jwk")),
	SET("jwk", "{}", REFUSED_MEMBER("jwk")),
	DO("x5c of an own key", bring_chain, REFUSED_MEMBER("x5c")),
	SET("x5c", "[]", REFUSED_MEMBER("x5c")),
	DO("jku of an own key set", point_to_key, .member = "jku", .value = "\"https://evil.example/keys\"",
	   REFUSED_MEMBER("jku")),
	DO("jku on this machine", point_to_key, .member = "jku", .value = "\"file:///etc/passwd\"",
	   REFUSED_MEMBER("jku")),
	DO("jku below the issuer", point_to_key, .member = "jku", .value = "\"" ISSUER "/redirect?to=evil.example\"",
	   REFUSED_MEMBER("jku")),
	SET("jku", "\"" ISSUER "/oauth2/v1/keys\"", REFUSED_MEMBER("jku")),
	SET("jku", "null", REFUSED_MEMBER("jku")),
	DO("x5u of an own certificate", point_to_key, .member = "x5u", .value = "\"https://evil.example/cert.pem\"",
	   REFUSED_MEMBER("x5u")),
	SET("x5u", "null", REFUSED_MEMBER("x5u")),
};

/* ---- another kind of token ---- */

static void nested(struct forgery *forgery, const struct attack *attack)
{
	struct forgery *inner = forgery_of_sound(forgery->kind_of_key);
	char *compact = forgery_compact(inner);

	member_set(&forgery->header, "cty", "\"JWT\"");
	free(forgery->payload_text);
	forgery->payload_text = attack->number ? quoted(compact, strlen(compact)) : strdup(compact);
	forgery->payload_text_length = strlen(forgery->payload_text);
	free(compact);
	forgery_free(inner);
}

#define OTHER_TYPE .because = "typ: this is another kind of token"

static const struct attack typ[] = {
	SET("typ", "\"at+jwt\"", OTHER_TYPE),
	SET("typ", "\"AT+JWT\"", OTHER_TYPE),
	SET("typ", "\"application/at+jwt\"", OTHER_TYPE),
	SET("typ", "\"application/okta-internal-at+jwt\"", OTHER_TYPE),
	SET("typ", "\"logout+jwt\"", OTHER_TYPE),
	SET("typ", "\"dpop+jwt\"", OTHER_TYPE),
	SET("typ", "\"secevent+jwt\"", OTHER_TYPE),
	SET("typ", "\"entity-statement+jwt\"", OTHER_TYPE),
	SET("typ", "\"oauth-authz-req+jwt\"", OTHER_TYPE),
	SET("typ", "\"token-introspection+jwt\"", OTHER_TYPE),
	SET("typ", "\"JOSE\"", OTHER_TYPE),
	SET("typ", "\"JOSE+JSON\"", OTHER_TYPE),
	SET("typ", "\"JWE\"", OTHER_TYPE),
	SET("typ", "\"\"", OTHER_TYPE),
	SET("typ", "\"JWT \"", OTHER_TYPE),
	SET("typ", "\"at+jwt\\u0000JWT\"", .because = "has a NUL character"),
	SET("typ", "null", .because = "typ: is no string"),
	SET("typ", "1", .because = "typ: is no string"),
	SET("typ", "[\"JWT\"]", .because = "typ: is no string"),
	ADD_FIRST("t\\u0079p", "\"at+jwt\"", OTHER_TYPE),
	DO("a sound token as the payload of another", nested, .because = "the payload is not JSON"),
	DO("a sound token in quotes as the payload of another", nested, .number = 1, .because = "the payload is not"),
};

const struct attack_list *header_attacks(size_t *ret_count)
{
	static const struct attack_list lists[] = {
		LIST("alg none", PART_HEADER, alg_none),
		LIST("alg", PART_HEADER, alg),
		LIST("header members twice", PART_HEADER, twice),
		LIST("kid", PART_HEADER, kid),
		LIST("crit, b64, zip", PART_HEADER, critical),
		LIST("a key of the token's own", PART_HEADER, own_key),
		LIST("typ and cty", PART_HEADER, typ),
	};

	*ret_count = sizeof(lists) / sizeof(lists[0]);
	return lists;
}
