/*
 * Verifies ID tokens. See id_token.h. The list `checks` near the end is the whole verification, one function a part or
 * claim, in the order in which the standards state them: nothing of the payload is read before the signature was found
 * good.
 *
 * cjose does the signature and is seen by this file alone. It also accepts duplicate header members, `crit`, padded
 * base64url and signatures of any length, so the form of the token is settled here before cjose sees it.
 */
#include "pam_oidc/id_token.h"

#include <cjose/cjose.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pam_oidc/base64url.h"
#include "pam_oidc/json_strict.h"
#include "pam_oidc/wiping_memory.h"

#define SUBJECT_MAX 255 /* Core, section 2 */
#define JTI_MAX 255
#define AUDIENCES_MAX 64
#define AMR_MAX 32
#define AMR_VALUE_MAX 64
#define LIFETIME_MAX_S ((int64_t)ID_TOKEN_MAX_LIFETIME_DAYS * 86400)
#define TIME_MAX ((int64_t)253402300799) /* the last second of the year 9999 */
#define DIGEST_NAME "sha256:"

struct verified_token {
	json_t *claims;
	/* Pointers into the claims. */
	const char *issuer;
	const char *client_id;
	const char *subject;
	const char *jti; /* or digest_name */
	const json_t *amr;
	int64_t expiry;
	int64_t issued_at;
	int64_t auth_time;
	int64_t acceptable_until;
	char digest_name[sizeof(DIGEST_NAME) + 44];
};

struct segment {
	const char *text;
	size_t length;
};

/* One verification under way: what was given, and what the checks so far have found. */
struct verification {
	const struct id_token_expectations *expected;
	const struct jwks *keys;
	struct segment compact;
	struct segment header_segment, payload_segment, signature_segment;
	json_t *header;
	const struct jws_alg *alg;
	const struct jwk *key;
	size_t audience_count;
	struct verified_token *token;
	char *fault;
	size_t fault_size;
};

typedef enum id_token_result id_token_check(struct verification *v);

static enum id_token_result refuse_as(struct verification *v, enum id_token_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static enum id_token_result refuse_as(struct verification *v, enum id_token_result result, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(v->fault, v->fault_size, format, arguments);
	va_end(arguments);
	return result;
}

/* A check failed. */
#define refuse(v, ...) refuse_as(v, ID_TOKEN_INVALID, __VA_ARGS__)
/* A check could not be made, for want of memory or of OpenSSL. */
#define give_up(v, ...) refuse_as(v, ID_TOKEN_INVALID, __VA_ARGS__)

/* --- The form: RFC 7515, sections 5.2 and 7.1 --- */

static enum id_token_result check_size(struct verification *v)
{
	if (v->compact.length > ID_TOKEN_SIZE_MAX)
		return refuse(v, "the token is longer than %zu bytes", ID_TOKEN_SIZE_MAX);
	return ID_TOKEN_OK;
}

/* Three segments are a JWS; five would be an encrypted token, which nobody asked for. */
static enum id_token_result split_segments(struct verification *v)
{
	const char *start = v->compact.text;
	const char *end = start + v->compact.length;
	const char *first = memchr(start, '.', v->compact.length);
	const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

	if (!second)
		return refuse(v, "the token has fewer than three segments");
	if (memchr(second + 1, '.', (size_t)(end - second - 1)))
		return refuse(v, "the token has more than three segments");
	v->header_segment = (struct segment){ start, (size_t)(first - start) };
	v->payload_segment = (struct segment){ first + 1, (size_t)(second - first - 1) };
	v->signature_segment = (struct segment){ second + 1, (size_t)(end - second - 1) };
	return ID_TOKEN_OK;
}

/* Decodes and parses a segment that holds a JSON object. */
static enum id_token_result read_object(struct verification *v, const char *name, const struct segment *segment,
					json_t **ret_object)
{
	_cleanup_wiping_ uint8_t *bytes = NULL;
	size_t length = 0;
	json_t *object;
	char problem[96];

	if (!base64url_decode(segment->text, segment->length, &bytes, &length))
		return refuse(v, "the %s is not canonical base64url without padding", name);
	object = json_strict_object((const char *)bytes, length, problem, sizeof(problem));
	if (!object)
		return refuse(v, "the %s %s", name, problem);
	*ret_object = object;
	return ID_TOKEN_OK;
}

static enum id_token_result read_header(struct verification *v)
{
	return read_object(v, "header", &v->header_segment, &v->header);
}

/* --- The header: RFC 7515, section 4.1; RFC 8725, sections 3.1 and 3.11 --- */

static bool is_allowed(const struct id_token_expectations *expected, const struct jws_alg *alg)
{
	if (expected->alg_count == 0)
		return strcmp(alg->name, "RS256") == 0;
	for (size_t i = 0; i < expected->alg_count; i++)
		if (strcmp(expected->algs[i], alg->name) == 0)
			return true;
	return false;
}

/* `none` and the HMAC algorithms have no entry in jws_alg's table, so no expectation can let them in. */
static enum id_token_result check_alg(struct verification *v)
{
	const char *name = json_strict_string(v->header, "alg");

	if (!name)
		return refuse(v, "alg: is missing or no string");
	v->alg = jws_alg_named(name);
	if (!v->alg)
		return refuse(v, "alg: is not an algorithm with a public key that we know");
	if (!is_allowed(v->expected, v->alg))
		return refuse(v, "alg: %s is not among the allowed algorithms", v->alg->name);
	return ID_TOKEN_OK;
}

/* An access token (at+jwt), a logout token and others are signed with the same keys; those that say so are not taken
 * for an ID token. */
static enum id_token_result check_typ(struct verification *v)
{
	const json_t *typ = json_object_get(v->header, "typ");

	if (!typ)
		return ID_TOKEN_OK;
	if (!json_is_string(typ))
		return refuse(v, "typ: is no string");
	if (strcasecmp(json_string_value(typ), "JWT") != 0)
		return refuse(v, "typ: this is another kind of token");
	return ID_TOKEN_OK;
}

/*
 * Members that change what the token means, or that bring or point to a key. Core, section 2, tells issuers not to send
 * the latter; a token is verified with the issuer's published keys and with no other, so one that offers its own is
 * refused rather than obeyed or overlooked. Unknown members are ignored, as RFC 7515 demands.
 */
static enum id_token_result check_refused_members(struct verification *v)
{
	static const char *const members[] = {
		"crit", "b64", "zip", "jku", "jwk", "x5u", "x5c",
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (json_object_get(v->header, members[i]))
			return refuse(v, "%s: must not be in an ID token's header", members[i]);
	return ID_TOKEN_OK;
}

/* A token without kid is refused even where only one key is published: what it is verified with must not depend on how
 * many there are. */
static enum id_token_result check_kid(struct verification *v)
{
	const char *kid = json_strict_string(v->header, "kid");

	if (!kid)
		return refuse(v, "kid: is missing or no string");
	v->key = v->keys ? jwks_find(v->keys, kid) : NULL;
	if (!v->key)
		return refuse_as(v, ID_TOKEN_UNKNOWN_KID, "kid: the issuer publishes no usable key of this name");
	return ID_TOKEN_OK;
}

/* --- The signature: RFC 7515, section 5.2; RFC 7518, sections 3.3 to 3.5 --- */

static enum id_token_result check_key_fits_alg(struct verification *v)
{
	if (!jwk_fits(v->key, v->alg))
		return refuse(v, "alg: %s does not fit the key that kid names", v->alg->name);
	return ID_TOKEN_OK;
}

/* For a key, a signature has exactly one length. cjose would take an ECDSA signature of any length and halve it. */
static enum id_token_result check_signature_length(struct verification *v)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t number = (v->key->bits + 7) / 8;
	size_t expected = v->key->type == JWK_EC ? 2 * number : number;
	size_t length = 0;

	if (!base64url_decode(v->signature_segment.text, v->signature_segment.length, &bytes, &length))
		return refuse(v, "the signature is not canonical base64url without padding");
	if (length != expected)
		return refuse(v, "the signature is %zu bytes long instead of %zu", length, expected);
	return ID_TOKEN_OK;
}

static void cleanup_cjose_jwk(cjose_jwk_t **jwk)
{
	(void)cjose_jwk_release(*jwk);
}

static void cleanup_cjose_jws(cjose_jws_t **jws)
{
	cjose_jws_release(*jws);
}

static cjose_jwk_t *import_rsa(const struct jwk *key, cjose_err *error)
{
	cjose_jwk_rsa_keyspec spec = {
		.n = key->n.bytes,
		.nlen = key->n.length,
		.e = key->e.bytes,
		.elen = key->e.length,
	};

	return cjose_jwk_create_RSA_spec(&spec, error);
}

static cjose_jwk_t *import_ec(const struct jwk *key, cjose_err *error)
{
	cjose_jwk_ec_keyspec spec = {
		.crv = key->bits == 256   ? CJOSE_JWK_EC_P_256
		       : key->bits == 384 ? CJOSE_JWK_EC_P_384
					  : CJOSE_JWK_EC_P_521,
		.x = key->x.bytes,
		.xlen = key->x.length,
		.y = key->y.bytes,
		.ylen = key->y.length,
	};

	return cjose_jwk_create_EC_spec(&spec, error);
}

/* cjose reads alg from the header itself; as no member stands twice, it reads the one that check_alg() did. */
static enum id_token_result check_signature(struct verification *v)
{
	cjose_err error = { .code = CJOSE_ERR_NONE };
	_cleanup_(cleanup_cjose_jwk) cjose_jwk_t *key =
		v->key->type == JWK_RSA ? import_rsa(v->key, &error) : import_ec(v->key, &error);
	_cleanup_(cleanup_cjose_jws) cjose_jws_t *jws = cjose_jws_import(v->compact.text, v->compact.length, &error);
	bool good = key && jws && cjose_jws_verify(jws, key, &error);

	/* What is left in OpenSSL's queue would be blamed on the next TLS connection. */
	ERR_clear_error();
	if (!good)
		return refuse(v, "the signature is wrong");
	return ID_TOKEN_OK;
}

/* --- The claims: Core, section 3.1.3.7, in its order; their types from section 2 and RFC 7519, section 4.1 --- */

static enum id_token_result read_claims(struct verification *v)
{
	return read_object(v, "payload", &v->payload_segment, &v->token->claims);
}

static const json_t *claim(const struct verification *v, const char *name)
{
	return json_object_get(v->token->claims, name);
}

/* True for 1 to max bytes of printable ASCII. */
static bool is_printable(const char *text, size_t max)
{
	size_t length = strlen(text);

	if (length == 0 || length > max)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

/* A whole number of seconds of this era. Floats and numbers in quotes are no times; sums with it cannot overflow. */
static bool read_time(const json_t *value, int64_t *ret_time)
{
	json_int_t seconds = json_integer_value(value);

	if (!json_is_integer(value) || seconds < 0 || seconds > TIME_MAX)
		return false;
	*ret_time = seconds;
	return true;
}

/* The moments that may be "now" by the issuer's clock; they stop at the ends of int64_t. */
static int64_t earliest_now(const struct id_token_expectations *expected)
{
	int64_t result;

	return __builtin_sub_overflow(expected->now, expected->max_clock_skew_s, &result) ? INT64_MIN : result;
}

static int64_t latest_now(const struct id_token_expectations *expected)
{
	int64_t result;

	return __builtin_add_overflow(expected->now, expected->max_clock_skew_s, &result) ? INT64_MAX : result;
}

/* For the sentences; stops at the ends like the above. */
static long long seconds_between(int64_t earlier, int64_t later)
{
	int64_t result;

	return __builtin_sub_overflow(later, earlier, &result) ? INT64_MAX : result;
}

/* (2) The issuer is exactly the one whose configuration and keys we use. */
static enum id_token_result check_iss(struct verification *v)
{
	const char *issuer = json_string_value(claim(v, "iss"));

	if (!issuer)
		return refuse(v, "iss: is missing or no string");
	if (strcmp(issuer, v->expected->issuer) != 0)
		return refuse(v, "iss: is not the configured issuer");
	v->token->issuer = issuer;
	return ID_TOKEN_OK;
}

/* Section 2: at most 255 ASCII characters. */
static enum id_token_result check_sub(struct verification *v)
{
	const char *subject = json_string_value(claim(v, "sub"));

	if (!subject)
		return refuse(v, "sub: is missing or no string");
	if (!is_printable(subject, SUBJECT_MAX))
		return refuse(v, "sub: is not 1 to %d printable ASCII characters", SUBJECT_MAX);
	v->token->subject = subject;
	return ID_TOKEN_OK;
}

/* The audience that is this client, or NULL. */
static const char *own_audience(const struct verification *v, const json_t *audiences)
{
	for (size_t i = 0; i < json_array_size(audiences); i++) {
		const char *audience = json_string_value(json_array_get(audiences, i));

		if (strcmp(audience, v->expected->client_id) == 0)
			return audience;
	}
	return NULL;
}

/* (3) The token is for this client; `aud` is one string or an array of them. */
static enum id_token_result check_aud(struct verification *v)
{
	const json_t *audience = claim(v, "aud");

	if (json_is_string(audience)) {
		if (strcmp(json_string_value(audience), v->expected->client_id) != 0)
			return refuse(v, "aud: is another client");
		v->audience_count = 1;
		v->token->client_id = json_string_value(audience);
		return ID_TOKEN_OK;
	}
	if (!json_strict_is_string_array(audience, AUDIENCES_MAX))
		return refuse(v, "aud: is missing, or neither a string nor an array of at most %d strings",
			      AUDIENCES_MAX);
	v->audience_count = json_array_size(audience);
	v->token->client_id = own_audience(v, audience);
	if (!v->token->client_id)
		return refuse(v, "aud: this client is not among the audiences");
	return ID_TOKEN_OK;
}

/* (4, 5) With others in the audience, the token must say that it was issued to us; and never to anyone else. */
static enum id_token_result check_azp(struct verification *v)
{
	const json_t *party = claim(v, "azp");

	if (!party && v->audience_count > 1)
		return refuse(v, "azp: is missing, though the token has several audiences");
	if (!party)
		return ID_TOKEN_OK;
	if (!json_is_string(party))
		return refuse(v, "azp: is no string");
	if (strcmp(json_string_value(party), v->expected->client_id) != 0)
		return refuse(v, "azp: the token was issued to another client");
	return ID_TOKEN_OK;
}

/* (9) */
static enum id_token_result check_exp(struct verification *v)
{
	int64_t expiry;

	if (!read_time(claim(v, "exp"), &expiry))
		return refuse(v, "exp: is missing or no time in whole seconds");
	if (expiry <= earliest_now(v->expected))
		return refuse(v, "exp: expired %lld s ago by this machine's clock",
			      seconds_between(expiry, v->expected->now));
	v->token->expiry = expiry;
	return ID_TOKEN_OK;
}

/* (10) Issued now, in the answer that brought it: an older token is a replayed one, or a clock is wrong. */
static enum id_token_result check_iat(struct verification *v)
{
	int64_t issued;

	if (!read_time(claim(v, "iat"), &issued))
		return refuse(v, "iat: is missing or no time in whole seconds");
	if (issued > latest_now(v->expected))
		return refuse(v, "iat: issued %lld s in the future by this machine's clock",
			      seconds_between(v->expected->now, issued));
	if (issued + ID_TOKEN_MAX_AGE_S < earliest_now(v->expected))
		return refuse(v, "iat: issued %lld s ago by this machine's clock",
			      seconds_between(issued, v->expected->now));
	if (v->token->expiry <= issued)
		return refuse(v, "exp: is not after iat");
	if (v->token->expiry - issued > LIFETIME_MAX_S)
		return refuse(v, "exp: is more than %d days after iat", ID_TOKEN_MAX_LIFETIME_DAYS);
	v->token->issued_at = issued;
	return ID_TOKEN_OK;
}

/* RFC 7519, section 4.1.5. */
static enum id_token_result check_nbf(struct verification *v)
{
	const json_t *not_before = claim(v, "nbf");
	int64_t start;

	if (!not_before)
		return ID_TOKEN_OK;
	if (!read_time(not_before, &start))
		return refuse(v, "nbf: is no time in whole seconds");
	if (start > latest_now(v->expected))
		return refuse(v, "nbf: valid only in %lld s by this machine's clock",
			      seconds_between(v->expected->now, start));
	return ID_TOKEN_OK;
}

/* (11) The device grant has no nonce (RFC 8628): a token with one was issued for some other request. */
static enum id_token_result check_nonce(struct verification *v)
{
	if (claim(v, "nonce"))
		return refuse(v, "nonce: none was sent, so the token was issued for another request");
	return ID_TOKEN_OK;
}

/* The left half of the access token's digest, in base64url. NULL when memory ran out. */
static char *access_token_hash(const struct jws_alg *alg, const char *access_token)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (EVP_Digest(access_token, strlen(access_token), digest, &length, alg->digest(), NULL) != 1)
		return NULL;
	return base64url_encode(digest, length / 2);
}

/*
 * Section 3.1.3.6. Optional there, required here: without it, the access token that fetches userinfo would not be bound
 * to the person whom this token names. It is no secret, so the comparison need not take constant time.
 */
static enum id_token_result check_at_hash(struct verification *v)
{
	const json_t *hash = claim(v, "at_hash");
	_cleanup_free_ char *expected = NULL;

	if (!hash && !v->expected->access_token)
		return ID_TOKEN_OK;
	if (!v->expected->access_token)
		return refuse(v, "at_hash: speaks of an access token, but none came with this token");
	if (!json_is_string(hash))
		return refuse(v, "at_hash: is missing or no string, though an access token came with this token");
	expected = access_token_hash(v->alg, v->expected->access_token);
	if (!expected)
		return give_up(v, "at_hash: cannot be computed here");
	if (strcmp(json_string_value(hash), expected) != 0)
		return refuse(v, "at_hash: is not that of the access token that came with this token");
	return ID_TOKEN_OK;
}

/* "sha256:" and the digest of header and payload: what is signed, so that a new signature over it makes no new token.
 */
static enum id_token_result name_by_digest(struct verification *v)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	size_t signed_length = v->header_segment.length + 1 + v->payload_segment.length;
	_cleanup_free_ char *text = NULL;

	if (EVP_Digest(v->compact.text, signed_length, digest, &length, EVP_sha256(), NULL) == 1)
		text = base64url_encode(digest, length);
	if (!text)
		return give_up(v, "jti: is missing, and no other name can be computed here");
	(void)snprintf(v->token->digest_name, sizeof(v->token->digest_name), DIGEST_NAME "%s", text);
	v->token->jti = v->token->digest_name;
	return ID_TOKEN_OK;
}

/* RFC 7519, section 4.1.7. Optional in an ID token; the caller needs a name in any case, to accept it only once. */
static enum id_token_result check_jti(struct verification *v)
{
	const json_t *id = claim(v, "jti");

	if (!id)
		return name_by_digest(v);
	if (!json_is_string(id))
		return refuse(v, "jti: is no string");
	if (!is_printable(json_string_value(id), JTI_MAX))
		return refuse(v, "jti: is not 1 to %d printable ASCII characters", JTI_MAX);
	v->token->jti = json_string_value(id);
	return ID_TOKEN_OK;
}

/* (13) */
static enum id_token_result check_auth_time(struct verification *v)
{
	const json_t *value = claim(v, "auth_time");
	int64_t oldest;
	int64_t signed_in;

	if (!value && v->expected->max_auth_age_s == 0)
		return ID_TOKEN_OK;
	if (!read_time(value, &signed_in))
		return refuse(v, "auth_time: is missing or no time in whole seconds");
	if (signed_in > latest_now(v->expected))
		return refuse(v, "auth_time: is %lld s in the future by this machine's clock",
			      seconds_between(v->expected->now, signed_in));
	v->token->auth_time = signed_in;
	if (v->expected->max_auth_age_s == 0)
		return ID_TOKEN_OK;
	if (__builtin_sub_overflow(earliest_now(v->expected), v->expected->max_auth_age_s, &oldest))
		return ID_TOKEN_OK;
	if (signed_in < oldest)
		return refuse_as(v, ID_TOKEN_AUTH_TOO_OLD,
				 "auth_time: the person signed in %lld s ago, and %lld s are allowed",
				 seconds_between(signed_in, v->expected->now), (long long)v->expected->max_auth_age_s);
	return ID_TOKEN_OK;
}

static bool has_method(const json_t *methods, const char *wanted)
{
	for (size_t i = 0; i < json_array_size(methods); i++)
		if (strcmp(json_string_value(json_array_get(methods, i)), wanted) == 0)
			return true;
	return false;
}

static bool are_method_names(const json_t *methods)
{
	for (size_t i = 0; i < json_array_size(methods); i++)
		if (!is_printable(json_string_value(json_array_get(methods, i)), AMR_VALUE_MAX))
			return false;
	return true;
}

/* Section 2 and RFC 8176: how the person signed in at the issuer. */
static enum id_token_result check_amr(struct verification *v)
{
	const json_t *methods = claim(v, "amr");

	if (methods && !json_strict_is_string_array(methods, AMR_MAX))
		return refuse(v, "amr: is no array of at most %d strings", AMR_MAX);
	if (!are_method_names(methods))
		return refuse(v, "amr: holds something that is no method's name");
	for (size_t i = 0; i < v->expected->required_amr_count; i++)
		if (!has_method(methods, v->expected->required_amr[i]))
			return refuse_as(v, ID_TOKEN_AMR_MISSING,
					 "amr: the person signed in without the required method %s",
					 v->expected->required_amr[i]);
	v->token->amr = methods;
	return ID_TOKEN_OK;
}

/* --- The verification --- */

static id_token_check *const checks[] = {
	check_size,
	split_segments,
	read_header,
	check_alg,
	check_typ,
	check_refused_members,
	check_kid,
	check_key_fits_alg,
	check_signature_length,
	check_signature,
	/* From here on the issuer is speaking. */
	read_claims,
	check_iss,
	check_sub,
	check_aud,
	check_azp,
	check_exp,
	check_iat,
	check_nbf,
	check_nonce,
	check_at_hash,
	check_jti,
	/* Sound; the last two also ask whether this sign-in is good enough for us. */
	check_auth_time,
	check_amr,
};

static enum id_token_result run_checks(struct verification *v)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		enum id_token_result result = checks[i](v);

		if (result != ID_TOKEN_OK)
			return result;
	}
	return ID_TOKEN_OK;
}

/* The last moment at which both check_exp() and check_iat() let the token pass. */
static int64_t last_acceptable_moment(const struct verification *v)
{
	int64_t before_expiry = v->token->expiry - 1;
	int64_t oldest = v->token->issued_at + ID_TOKEN_MAX_AGE_S;
	int64_t moment = before_expiry < oldest ? before_expiry : oldest;
	int64_t result;

	return __builtin_add_overflow(moment, v->expected->max_clock_skew_s, &result) ? INT64_MAX : result;
}

enum id_token_result id_token_verify(const char *compact, size_t length, const struct jwks *keys,
				     const struct id_token_expectations *expected, struct verified_token **ret_token,
				     char *fault, size_t fault_size)
{
	_cleanup_verified_token_ struct verified_token *token = calloc(1, sizeof(*token));
	struct verification v = {
		.expected = expected,
		.keys = keys,
		.compact = { compact, length },
		.token = token,
		.fault = fault,
		.fault_size = fault_size,
	};
	enum id_token_result result;

	if (!token)
		return give_up(&v, "the token does not fit into memory");
	result = run_checks(&v);
	json_decref(v.header);
	if (result != ID_TOKEN_OK)
		return result;
	token->acceptable_until = last_acceptable_moment(&v);
	*ret_token = take_pointer(token);
	return ID_TOKEN_OK;
}

/* --- What was verified --- */

void verified_token_free(struct verified_token *token)
{
	if (!token)
		return;
	json_decref(token->claims);
	free(token);
}

const char *verified_token_issuer(const struct verified_token *token)
{
	return token->issuer;
}

const char *verified_token_client_id(const struct verified_token *token)
{
	return token->client_id;
}

const char *verified_token_subject(const struct verified_token *token)
{
	return token->subject;
}

const char *verified_token_jti(const struct verified_token *token)
{
	return token->jti;
}

int64_t verified_token_acceptable_until(const struct verified_token *token)
{
	return token->acceptable_until;
}

int64_t verified_token_expiry(const struct verified_token *token)
{
	return token->expiry;
}

int64_t verified_token_auth_time(const struct verified_token *token)
{
	return token->auth_time;
}

const char *verified_token_amr(const struct verified_token *token, size_t index)
{
	return json_string_value(json_array_get(token->amr, index));
}

const json_t *verified_token_claims(const struct verified_token *token)
{
	return token->claims;
}
