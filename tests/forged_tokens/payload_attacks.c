/*
 * Attacks on the claims that the token is judged by: who issued it, for whom, when, how the person signed in, and which
 * access token it belongs to.
 */
#include "tests/forged_tokens/attack.h"

#include "tests/unit/forge.h"

/* ---- iss ---- */

#define NO_ISS .because = "iss: is missing or no string"
#define OTHER_ISS .because = "iss: is not the configured issuer"
#define NUL .because = "has a NUL character"

static const struct attack iss_attacks[] = {
	DROP("iss", NO_ISS),
	SET("iss", "null", NO_ISS),
	SET("iss", "[\"" ISSUER "\"]", NO_ISS),
	SET("iss", "{\"" ISSUER "\":true}", NO_ISS),
	SET("iss", "\"\"", OTHER_ISS),
	SET("iss", "\"" ISSUER "/\"", OTHER_ISS),
	SET("iss", "\"" ISSUER "//\"", OTHER_ISS),
	SET("iss", "\"" ISSUER "/oauth2/default\"", OTHER_ISS),
	SET("iss", "\"" ISSUER "?\"", OTHER_ISS),
	SET("iss", "\"" ISSUER "#\"", OTHER_ISS),
	SET("iss", "\"" ISSUER ":443\"", OTHER_ISS),
	SET("iss", "\"" ISSUER ".\"", OTHER_ISS),
	SET("iss", "\"" ISSUER " \"", OTHER_ISS),
	SET("iss", "\" " ISSUER "\"", OTHER_ISS),
	SET("iss", "\"" ISSUER "\\n\"", OTHER_ISS),
	SET("iss", "\"" ISSUER "\\u0000\"", NUL),
	SET("iss", "\"" ISSUER "\\u0000.evil.example\"", NUL),
	SET("iss", "\"" ISSUER ".evil.example\"", OTHER_ISS),
	SET("iss", "\"" ISSUER "@evil.example\"", OTHER_ISS),
	SET("iss", "\"https://evil.example/" ISSUER "\"", OTHER_ISS),
	SET("iss", "\"https://evil.example#" ISSUER "\"", OTHER_ISS),
	SET("iss", "\"https://CLINIC.okta.example\"", OTHER_ISS),
	SET("iss", "\"HTTPS://clinic.okta.example\"", OTHER_ISS),
	SET("iss", "\"http://clinic.okta.example\"", OTHER_ISS),
	SET("iss", "\"clinic.okta.example\"", OTHER_ISS),
	SET("iss", "\"//clinic.okta.example\"", OTHER_ISS),
	SET("iss", "\"https:/clinic.okta.example\"", OTHER_ISS),
	SET("iss", "\"https://clinic%2eokta.example\"", OTHER_ISS),
	SET("iss", "\"https://user@clinic.okta.example\"", OTHER_ISS),
	SET("iss", "\"https://sub.clinic.okta.example\"", OTHER_ISS),
	SET("iss", "\"https://clinic.okta.exampl\"", OTHER_ISS),
	SET("iss", "\"https://cl\xd1\x96nic.okta.example\"", .name = "iss with a Cyrillic letter", OTHER_ISS),
	SET("iss", "\"https://clinic\xe3\x80\x82okta.example\"", .name = "iss with an ideographic full stop",
	    OTHER_ISS),
	SET("iss", "\"" HOSPITAL_ISSUER "\"", OTHER_ISS),
	SET("iss", "\"https://accounts.google.com\"", OTHER_ISS),
	SET("iss", "\"*\"", OTHER_ISS),
	RENAME("iss", "Iss", NO_ISS),
	RENAME("iss", "issuer", NO_ISS),
};

/* ---- aud and azp ---- */

static void audiences(struct forgery *forgery, const struct attack *attack)
{
	size_t count = (size_t)attack->number;
	_cleanup_free_ char *value = malloc(count * 16 + 64);
	char *out = value;

	forge_must(value);
	out += sprintf(out, "[\"" CLIENT "\"");
	for (size_t i = 1; i < count; i++)
		out += sprintf(out, ",\"other-%zu\"", i);
	(void)strcpy(out, "]");
	member_set(&forgery->payload, "aud", value);
	member_set(&forgery->payload, "azp", "\"" CLIENT "\"");
}

static void for_two(struct forgery *forgery, const struct attack *attack)
{
	member_set(&forgery->payload, "aud", attack->member);
	member_set(&forgery->payload, "azp", attack->value);
}

#define NO_AUD .because = "aud: is missing, or neither a string nor an array"
#define OTHER_AUD .because = "aud: is another client"
#define NOT_IN_AUD .because = "aud: this client is not among the audiences"
#define OTHER_AZP .because = "azp: the token was issued to another client"
#define NO_AZP .because = "azp: is missing, though the token has several audiences"

static const struct attack aud_attacks[] = {
	DROP("aud", NO_AUD),
	SET("aud", "null", NO_AUD),
	SET("aud", "{\"" CLIENT "\":true}", NO_AUD),
	SET("aud", "\"\"", OTHER_AUD),
	SET("aud", "\"0oa3other\"", .name = "a token of another client", OTHER_AUD),
	SET("aud", "\"" HOSPITAL_CLIENT "\"", OTHER_AUD),
	SET("aud", "\"0OA1CLINIC\"", OTHER_AUD),
	SET("aud", "\"" CLIENT " \"", OTHER_AUD),
	SET("aud", "\"" CLIENT "x\"", OTHER_AUD),
	SET("aud", "\"0oa1clini\"", OTHER_AUD),
	SET("aud", "\"" CLIENT ",0oa3other\"", OTHER_AUD),
	SET("aud", "\"" CLIENT " 0oa3other\"", OTHER_AUD),
	SET("aud", "\"" CLIENT "\\u0000\"", NUL),
	SET("aud", "\"api://default\"", OTHER_AUD),
	SET("aud", "\"" ISSUER "\"", OTHER_AUD),
	SET("aud", "\"*\"", OTHER_AUD),
	SET("aud", "[]", NOT_IN_AUD),
	SET("aud", "[\"0oa3other\"]", NOT_IN_AUD),
	SET("aud", "[\"\"]", NOT_IN_AUD),
	SET("aud", "[\"" CLIENT "x\",\"0oa3other\"]", NOT_IN_AUD),
	SET("aud", "[[\"" CLIENT "\"]]", NO_AUD),
	SET("aud", "[\"" CLIENT "\",1]", NO_AUD),
	SET("aud", "[\"" CLIENT "\",null]", NO_AUD),
	SET("aud", "[{\"client\":\"" CLIENT "\"}]", NO_AUD),
	SET("aud", "[\"" CLIENT "\",\"0oa3other\"]", .name = "ours and another audience, without azp", NO_AZP),
	SET("aud", "[\"0oa3other\",\"" CLIENT "\"]", .name = "another audience and ours, without azp", NO_AZP),
	SET("aud", "[\"" CLIENT "\",\"" CLIENT "\"]", .name = "our audience twice, without azp", NO_AZP),
	DO("ours and another audience, azp the other", for_two, .member = "[\"" CLIENT "\",\"0oa3other\"]",
	   .value = "\"0oa3other\"", OTHER_AZP),
	DO("another audience, azp ours", for_two, .member = "\"0oa3other\"", .value = "\"" CLIENT "\"", OTHER_AUD),
	DO("another audience in an array, azp ours", for_two, .member = "[\"0oa3other\"]", .value = "\"" CLIENT "\"",
	   NOT_IN_AUD),
	DO("65 audiences", audiences, .number = 65, NO_AUD),
	DO("2,000 audiences", audiences, .number = 2000, NO_AUD),
	RENAME("aud", "Aud", NO_AUD),
	SET("azp", "\"0oa3other\"", OTHER_AZP),
	SET("azp", "\"\"", OTHER_AZP),
	SET("azp", "\"0OA1CLINIC\"", OTHER_AZP),
	SET("azp", "\"" CLIENT " \"", OTHER_AZP),
	SET("azp", "null", .because = "azp: is no string"),
	SET("azp", "1", .because = "azp: is no string"),
	SET("azp", "[\"" CLIENT "\"]", .because = "azp: is no string"),
	SET("azp", "{}", .because = "azp: is no string"),
};

/* ---- times; NOW_S is 1900000000, clocks may differ by 120 s ---- */

#define NO_TIME(claim_) .because = claim_ ": is missing or no time in whole seconds"
#define EXPIRED .because = "exp: expired "
#define AFTER_IAT .because = "exp: is not after iat"
#define TOO_LONG .because = "exp: is more than 30 days after iat"
#define FUTURE .because = "iat: issued "
#define NOT_JSON .because = "the payload is not JSON"
#define TOO_LARGE .because = "has a number that is too large"

static const struct attack exp_attacks[] = {
	DROP("exp", NO_TIME("exp")),
	SET("exp", "null", NO_TIME("exp")),
	SET("exp", "\"1900003599\"", NO_TIME("exp")),
	SET("exp", "\"2030-03-17T18:46:39Z\"", NO_TIME("exp")),
	SET("exp", "1900003599.0", NO_TIME("exp")),
	SET("exp", "1900003599.5", NO_TIME("exp")),
	SET("exp", "1.900003599e9", NO_TIME("exp")),
	SET("exp", "[1900003599]", NO_TIME("exp")),
	SET("exp", "{\"value\":1900003599}", NO_TIME("exp")),
	SET("exp", "true", NO_TIME("exp")),
	SET("exp", "-1", NO_TIME("exp")),
	SET("exp", "-1900003599", NO_TIME("exp")),
	SET("exp", "-9223372036854775808", NO_TIME("exp")),
	SET("exp", "9223372036854775807", NO_TIME("exp")),
	SET("exp", "253402300800", .name = "exp in the year 10000", NO_TIME("exp")),
	SET("exp", "1900003599000", .name = "exp in milliseconds", NO_TIME("exp")),
	SET("exp", "9223372036854775808", TOO_LARGE),
	SET("exp", "18446744075609555215", .name = "exp that is right modulo 2^64", TOO_LARGE),
	SET("exp", "1e400", TOO_LARGE),
	SET("exp", "01900003599", NOT_JSON),
	SET("exp", "+1900003599", NOT_JSON),
	SET("exp", "0x713fc30f", NOT_JSON),
	SET("exp", "NaN", NOT_JSON),
	SET("exp", "Infinity", NOT_JSON),
	SET("exp", "0", EXPIRED),
	SET("exp", "1", EXPIRED),
	SET("exp", "1899999880", .name = "expired, at the edge", EXPIRED),
	SET("exp", "1899999879", EXPIRED),
	SET("exp", "1899996400", .name = "expired an hour ago", EXPIRED),
	SET("exp", "1899999999", .name = "exp equal to iat", AFTER_IAT),
	SET("exp", "1899999998", .name = "exp before iat", AFTER_IAT),
	SET("exp", "1902592000", .name = "a life of 30 days and a second", TOO_LONG),
	SET("exp", "1931536000", .name = "a life of a year", TOO_LONG),
	SET("exp", "253402300799", .name = "exp in the year 9999", TOO_LONG),
	RENAME("exp", "Exp", NO_TIME("exp")),
	RENAME("exp", "expires_at", NO_TIME("exp")),
};

static const struct attack iat_attacks[] = {
	DROP("iat", NO_TIME("iat")),
	SET("iat", "null", NO_TIME("iat")),
	SET("iat", "\"1899999999\"", NO_TIME("iat")),
	SET("iat", "1899999999.0", NO_TIME("iat")),
	SET("iat", "[1899999999]", NO_TIME("iat")),
	SET("iat", "-1", NO_TIME("iat")),
	SET("iat", "-9223372036854775808", NO_TIME("iat")),
	SET("iat", "9223372036854775807", NO_TIME("iat")),
	SET("iat", "1899999999000", .name = "iat in milliseconds", NO_TIME("iat")),
	SET("iat", "99999999999999999999", TOO_LARGE),
	SET("iat", "1900000121", .name = "issued in the future, at the edge", FUTURE),
	SET("iat", "1900003598", .name = "issued in an hour", FUTURE),
	SET("iat", "253402300799", FUTURE),
	SET("iat", "1899999279", .name = "issued long ago, at the edge", FUTURE),
	SET("iat", "1899996400", .name = "issued an hour ago", FUTURE),
	SET("iat", "0", FUTURE),
	RENAME("iat", "Iat", NO_TIME("iat")),
};

#define NO_NBF .because = "nbf: is no time in whole seconds"

static const struct attack nbf_attacks[] = {
	SET("nbf", "1900000121", .name = "nbf in the future, at the edge", .because = "nbf: valid only in "),
	SET("nbf", "1900003599", .because = "nbf: valid only in "),
	SET("nbf", "253402300799", .because = "nbf: valid only in "),
	SET("nbf", "null", NO_NBF),
	SET("nbf", "\"1899999999\"", NO_NBF),
	SET("nbf", "1899999999.0", NO_NBF),
	SET("nbf", "-1", NO_NBF),
	SET("nbf", "[]", NO_NBF),
	SET("nbf", "253402300800", NO_NBF),
};

#define TOO_OLD .reason = REASON_AUTH_TOO_OLD, .because = "auth_time: the person signed in "

static const struct attack auth_time[] = {
	DROP("auth_time", NO_TIME("auth_time")),
	SET("auth_time", "null", NO_TIME("auth_time")),
	SET("auth_time", "\"1899999970\"", NO_TIME("auth_time")),
	SET("auth_time", "1899999970.0", NO_TIME("auth_time")),
	SET("auth_time", "[1899999970]", NO_TIME("auth_time")),
	SET("auth_time", "-1", NO_TIME("auth_time")),
	SET("auth_time", "9223372036854775807", NO_TIME("auth_time")),
	SET("auth_time", "1899999970000", .name = "auth_time in milliseconds", NO_TIME("auth_time")),
	SET("auth_time", "1900000121", .name = "auth_time in the future", .because = "auth_time: is "),
	SET("auth_time", "253402300799", .because = "auth_time: is "),
	SET("auth_time", "0", TOO_OLD),
	SET("auth_time", "1899956679", .name = "signed in too long ago, at the edge", TOO_OLD),
	SET("auth_time", "1899900000", TOO_OLD),
	SET("auth_time", "\"1899999970\"", .name = "auth_time in quotes, where any is enough", .tenant = TENANT_LAX,
	    NO_TIME("auth_time")),
	SET("auth_time", "1900000121", .name = "auth_time in the future, where any is enough", .tenant = TENANT_LAX,
	    .because = "auth_time: is "),
	RENAME("auth_time", "authTime", NO_TIME("auth_time")),
};

/* ---- amr ---- */

static void methods(struct forgery *forgery, const struct attack *attack)
{
	_cleanup_free_ char *value = malloc((size_t)attack->number * 6 + 8);
	char *out = value;

	forge_must(value);
	*out++ = '[';
	for (int i = 0; i < attack->number; i++)
		out += sprintf(out, "%s\"mfa\"", i ? "," : "");
	(void)strcpy(out, "]");
	member_set(&forgery->payload, "amr", value);
}

#define NO_MFA .reason = REASON_AMR_MISSING, .because = "amr: the person signed in without the required method mfa"
#define NO_ARRAY .because = "amr: is no array of at most 32 strings"
#define NO_METHOD .because = "amr: holds something that is no method's name"

static const struct attack amr[] = {
	DROP("amr", NO_MFA),
	SET("amr", "[]", NO_MFA),
	SET("amr", "[\"pwd\"]", NO_MFA),
	SET("amr", "[\"pwd\",\"otp\",\"sms\"]", NO_MFA),
	SET("amr", "[\"MFA\"]", NO_MFA),
	SET("amr", "[\"mfa \"]", NO_MFA),
	SET("amr", "[\" mfa\"]", NO_MFA),
	SET("amr", "[\"mf\"]", NO_MFA),
	SET("amr", "[\"mfa2\"]", NO_MFA),
	SET("amr", "[\"pwd,mfa\"]", NO_MFA),
	SET("amr", "[\"pwd mfa\"]", NO_MFA),
	SET("amr", "[\"not mfa\"]", NO_MFA),
	SET("amr", "\"mfa\"", NO_ARRAY),
	SET("amr", "null", NO_ARRAY),
	SET("amr", "{\"mfa\":true}", NO_ARRAY),
	SET("amr", "{\"0\":\"mfa\"}", NO_ARRAY),
	SET("amr", "true", NO_ARRAY),
	SET("amr", "[[\"mfa\"]]", NO_ARRAY),
	SET("amr", "[\"mfa\",1]", NO_ARRAY),
	SET("amr", "[\"mfa\",null]", NO_ARRAY),
	SET("amr", "[\"mfa\",\"\"]", NO_METHOD),
	SET("amr", "[\"mfa\\n\"]", NO_METHOD),
	SET("amr", "[\"mfa\\u0000\"]", NUL),
	SET("amr", "[\"mf\xd0\xb0\"]", .name = "amr with a Cyrillic letter", NO_METHOD),
	SET("amr", "[\"mfa\",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]",
	    .name = "a method of 65 bytes", NO_METHOD),
	DO("33 methods", methods, .number = 33, NO_ARRAY),
	SET("amr", "\"mfa\"", .name = "amr a string, where any is enough", .tenant = TENANT_LAX, NO_ARRAY),
	SET("amr", "[\"\"]", .name = "amr of nothing, where any is enough", .tenant = TENANT_LAX, NO_METHOD),
	RENAME("amr", "AMR", NO_MFA),
	RENAME("amr", "acr", NO_MFA),
};

/* ---- at_hash and nonce ---- */

enum wrong_hash {
	OF_ANOTHER_TOKEN,
	OF_NOTHING,
	WHOLE_DIGEST,
	RIGHT_HALF,
	BY_SHA384,
	BY_SHA512,
	PADDED,
	IN_HEX,
	CASE_CHANGED,
	TRUNCATED,
};

static char *half_digest(const char *text, const EVP_MD *digest, size_t from, size_t length)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	forge_must(EVP_Digest(text, strlen(text), bytes, &size, digest, NULL) == 1 && from + length <= size);
	return forge_base64url(bytes + from, length);
}

static char *wrong_hash(enum wrong_hash which)
{
	char *hash = half_digest(ACCESS_TOKEN, EVP_sha256(), 0, 16);
	char *made = NULL;

	switch (which) {
	case OF_ANOTHER_TOKEN:
		made = half_digest("another-access-token", EVP_sha256(), 0, 16);
		break;
	case OF_NOTHING:
		made = half_digest("", EVP_sha256(), 0, 16);
		break;
	case WHOLE_DIGEST:
		made = half_digest(ACCESS_TOKEN, EVP_sha256(), 0, 32);
		break;
	case RIGHT_HALF:
		made = half_digest(ACCESS_TOKEN, EVP_sha256(), 16, 16);
		break;
	case BY_SHA384:
		made = half_digest(ACCESS_TOKEN, EVP_sha384(), 0, 24);
		break;
	case BY_SHA512:
		made = half_digest(ACCESS_TOKEN, EVP_sha512(), 0, 32);
		break;
	case PADDED:
		forge_must(asprintf(&made, "%s==", hash) > 0);
		break;
	case IN_HEX:
		forge_must(asprintf(&made, "%032x", 7) > 0);
		break;
	case CASE_CHANGED:
		made = strdup(hash);
		for (char *c = made; *c; c++)
			*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
		break;
	case TRUNCATED:
		made = strndup(hash, strlen(hash) - 1);
		break;
	}
	free(hash);
	forge_must(made);
	return made;
}

static void with_wrong_hash(struct forgery *forgery, const struct attack *attack)
{
	_cleanup_free_ char *hash = wrong_hash((enum wrong_hash)attack->number);
	_cleanup_free_ char *value = quoted(hash, strlen(hash));

	member_set(&forgery->payload, "at_hash", value);
}

#define NO_HASH .because = "at_hash: is missing or no string"
#define OTHER_HASH .because = "at_hash: is not that of the access token"

static const struct attack at_hash[] = {
	DROP("at_hash", NO_HASH),
	SET("at_hash", "null", NO_HASH),
	SET("at_hash", "1", NO_HASH),
	SET("at_hash", "[]", NO_HASH),
	SET("at_hash", "\"\"", OTHER_HASH),
	DO("at_hash of another access token", with_wrong_hash, .number = OF_ANOTHER_TOKEN, OTHER_HASH),
	DO("at_hash of an empty access token", with_wrong_hash, .number = OF_NOTHING, OTHER_HASH),
	DO("at_hash of the whole digest", with_wrong_hash, .number = WHOLE_DIGEST, OTHER_HASH),
	DO("at_hash of the right half", with_wrong_hash, .number = RIGHT_HALF, OTHER_HASH),
	DO("at_hash by SHA-384", with_wrong_hash, .number = BY_SHA384, OTHER_HASH),
	DO("at_hash by SHA-512", with_wrong_hash, .number = BY_SHA512, OTHER_HASH),
	DO("at_hash with padding", with_wrong_hash, .number = PADDED, OTHER_HASH),
	DO("at_hash in hexadecimal", with_wrong_hash, .number = IN_HEX, OTHER_HASH),
	DO("at_hash in upper case", with_wrong_hash, .number = CASE_CHANGED, OTHER_HASH),
	DO("at_hash cut off", with_wrong_hash, .number = TRUNCATED, OTHER_HASH),
	RENAME("at_hash", "c_hash", NO_HASH),
};

static const struct attack nonce[] = {
	SET("nonce", "\"n-0S6_WzA2Mj\"", .because = "nonce: none was sent"),
	SET("nonce", "\"\"", .because = "nonce: none was sent"),
	SET("nonce", "null", .because = "nonce: none was sent"),
	SET("nonce", "1", .because = "nonce: none was sent"),
};

/* ---- jti and tokens that were used ---- */

static void long_jti(struct forgery *forgery, const struct attack *attack)
{
	char text[300];
	_cleanup_free_ char *value = NULL;

	memset(text, 'j', sizeof(text));
	value = quoted(text, (size_t)attack->number);
	member_set(&forgery->payload, "jti", value);
}

#define UNPRINTABLE_JTI .because = "jti: is not 1 to 255 printable ASCII characters"

static const struct attack jti_attacks[] = {
	SET("jti", "null", .because = "jti: is no string"),
	SET("jti", "1", .because = "jti: is no string"),
	SET("jti", "[\"ID.one\"]", .because = "jti: is no string"),
	SET("jti", "{}", .because = "jti: is no string"),
	SET("jti", "\"\"", UNPRINTABLE_JTI),
	SET("jti", "\"ID.one\\n\"", UNPRINTABLE_JTI),
	SET("jti", "\"ID.one\\u007f\"", UNPRINTABLE_JTI),
	SET("jti", "\"ID.\xc3\xb6ne\"", UNPRINTABLE_JTI),
	SET("jti", "\"ID.one\\u0000\"", NUL),
	DO("a jti of 256 bytes", long_jti, .number = 256, UNPRINTABLE_JTI),
};

static void used(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	forgery->used_before = true;
}

static void used_with_changed_header(struct forgery *forgery, const struct attack *attack)
{
	used(forgery, attack);
	member_set(&forgery->header, "x5t", "\"other\"");
	members_reverse(&forgery->header);
}

static void used_with_longer_life(struct forgery *forgery, const struct attack *attack)
{
	used(forgery, attack);
	member_set(&forgery->payload, "exp", "1900007199");
	member_set(&forgery->payload, "iat", "1900000001");
}

static void used_with_other_spelling(struct forgery *forgery, const struct attack *attack)
{
	used(forgery, attack);
	member_drop(&forgery->payload, "jti");
	member_add(&forgery->payload, "j\\u0074i", "\"\\u0049D.one\"");
}

/* Only the issuer could, and with what it says twice it signs nobody in twice. */
static void used_and_signed_by_second_key(struct forgery *forgery, const struct attack *attack)
{
	used(forgery, attack);
	sign_as(forgery, keys_made()->rsa_second, KID_RSA_SECOND, "RS256");
}

static size_t negated(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	static const char order_text[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
	BIGNUM *order = NULL, *s;

	(void)honest_signature(forgery, input, ret_signature);
	forge_must(BN_hex2bn(&order, order_text) > 0);
	s = BN_bin2bn(ret_signature + 32, 32, NULL);
	forge_must(s && BN_sub(s, order, s) == 1 && BN_bn2binpad(s, ret_signature + 32, 32) == 32);
	BN_free(s);
	BN_free(order);
	return 64;
}

/* (r, n - s) verifies as well as (r, s). */
static void used_with_other_half(struct forgery *forgery, const struct attack *attack)
{
	used(forgery, attack);
	forgery->signer = negated;
}

static void used_without_jti(struct forgery *forgery, const struct attack *attack)
{
	used(forgery, attack);
	forgery->without_jti = true;
	member_drop(&forgery->payload, "jti");
	if (attack->number)
		forgery->signer = negated;
}

static void used_long_after(struct forgery *forgery, const struct attack *attack)
{
	used(forgery, attack);
	forgery->now_s = NOW_S + attack->number;
}

#define USED .because = "this ID token has made a sign-in before"

static const struct attack replay[] = {
	DO("a used token, as it is", used, USED),
	DO("a used token, as it is, at its last moment", used_long_after, .number = 719, USED),
	DO("a used token, by a clock that went back", used_long_after, .number = -100, USED),
	DO("a used token, with another header", used_with_changed_header, USED),
	DO("a used token, issued once more for longer", used_with_longer_life, USED),
	DO("a used token, with its jti spelt otherwise", used_with_other_spelling, USED),
	DO("a used token, signed by another of the issuer's keys", used_and_signed_by_second_key, .rsa_only = true,
	   USED),
	DO("a used token, with the other half of an ECDSA signature", used_with_other_half, .ec_only = true, USED),
	DO("a used token without jti", used_without_jti, USED),
	DO("a used token without jti, with another signature", used_without_jti, .number = 1, .ec_only = true, USED),
};

/* ---- tokens for others ---- */

static void of_the_hospital(struct forgery *forgery, const struct attack *attack)
{
	member_set(&forgery->payload, "iss", "\"" HOSPITAL_ISSUER "\"");
	member_set(&forgery->payload, "aud", "\"" HOSPITAL_CLIENT "\"");
	if (attack->number)
		sign_as(forgery, keys_made()->hospital_rsa, KID_RSA, "RS256");
}

static void for_an_api(struct forgery *forgery, const struct attack *attack)
{
	if (attack->number)
		member_set(&forgery->header, "typ", "\"application/okta-internal-at+jwt\"");
	member_set(&forgery->payload, "aud", attack->value);
	member_set(&forgery->payload, "cid", "\"" CLIENT "\"");
	member_set(&forgery->payload, "scp", "[\"openid\",\"profile\"]");
	member_set(&forgery->payload, "uid", "\"" SUBJECT "\"");
	member_set(&forgery->payload, "sub", "\"alice@clinic.example\"");
	member_drop(&forgery->payload, "at_hash");
}

static void logout_token(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	member_set(&forgery->payload, "events", "{\"http://schemas.openid.net/event/backchannel-logout\":{}}");
	member_drop(&forgery->payload, "exp");
}

static const struct attack for_others[] = {
	DO("a token of another tenant's", of_the_hospital, .rsa_only = true, .number = 1,
	   .because = "the signature is wrong"),
	DO("a token of another tenant's, whose issuer has the same keys", of_the_hospital, OTHER_ISS),
	DO("an access token for an API", for_an_api, .value = "\"api://default\"", OTHER_AUD),
	DO("an access token for an API, with its typ", for_an_api, .value = "\"api://default\"", .number = 1,
	   .because = "typ: this is another kind of token"),
	DO("an access token for this client", for_an_api, .value = "\"" CLIENT "\"", NO_HASH),
	DO("a logout token", logout_token, NO_TIME("exp")),
};

const struct attack_list *payload_attacks(size_t *ret_count)
{
	static const struct attack_list lists[] = {
		LIST("iss", PART_PAYLOAD, iss_attacks),
		LIST("aud and azp", PART_PAYLOAD, aud_attacks),
		LIST("exp", PART_PAYLOAD, exp_attacks),
		LIST("iat", PART_PAYLOAD, iat_attacks),
		LIST("nbf", PART_PAYLOAD, nbf_attacks),
		LIST("auth_time", PART_PAYLOAD, auth_time),
		LIST("amr", PART_PAYLOAD, amr),
		LIST("at_hash", PART_PAYLOAD, at_hash),
		LIST("nonce", PART_PAYLOAD, nonce),
		LIST("jti", PART_PAYLOAD, jti_attacks),
		LIST(USED_TOKENS, PART_SIGNATURE, replay),
		LIST("tokens for others", PART_PAYLOAD, for_others),
	};

	*ret_count = sizeof(lists) / sizeof(lists[0]);
	return lists;
}
