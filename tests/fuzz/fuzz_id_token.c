/*
 * ID tokens: whatever text comes, a token is accepted only if OpenSSL itself finds its signature good by a published
 * key under an allowed algorithm, and its claims, read once more by plain code, are those of OpenID Connect Core,
 * section 3.1.3.7; a refusal leaves the result alone and says why in printable ASCII; no token is accepted when memory
 * ran out; and the identity in an accepted one keeps its bounds.
 *
 * The first line of the input holds letters: which key signs (P Q S R, X an unpublished one), a an access token came
 * along, m a method is required, o the sign-in must be recent, l only RS256 is allowed, n no keys are known yet,
 * c the signature is damaged. Then come the header (a line) and the payload, which the target signs; or, with u, a
 * token as it is.
 *
 * Covers: pam_oidc/id_token.c pam_oidc/identity.c pam_oidc/json_strict.c pam_oidc/base64url.c pam_oidc/jws_alg.c
 */
#include "pam_oidc/json_strict.h"
#include "tests/fuzz/issuer.h"
#include "tests/fuzz/profile.h"

struct trial {
	const char *letters;
	char *compact;
	size_t length;
	struct id_token_expectations expected;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	json_object_seed(7); /* else its hashes differ from run to run */
	issuer_make();
	return 0;
}

static enum issuer_key signing_key(const char *letters)
{
	return strchr(letters, 'R')   ? KEY_RSA
	       : strchr(letters, 'Q') ? KEY_P384
	       : strchr(letters, 'S') ? KEY_P521
	       : strchr(letters, 'X') ? KEY_UNPUBLISHED
				      : KEY_P256;
}

/* The algorithm of the header where the key can sign with it, else the key's own. */
static const char *signing_alg(const char *header, enum issuer_key key)
{
	static const char *const rsa_algs[] = { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512" };

	for (size_t i = 0; key == KEY_RSA && i < sizeof(rsa_algs) / sizeof(rsa_algs[0]); i++)
		if (strstr(header, rsa_algs[i]))
			return rsa_algs[i];
	return issuer_algs[key];
}

/* As forge_token(), for texts with NULs. */
static char *sign(enum issuer_key key, const char *alg, const char *header, size_t header_length, const char *payload,
		  size_t payload_length)
{
	_cleanup_free_ char *one = forge_base64url(header, header_length);
	_cleanup_free_ char *other = forge_base64url(payload, payload_length);
	_cleanup_free_ char *text = NULL;
	unsigned char signature[1024];
	size_t length;

	forge_must(asprintf(&text, "%s.%s", one, other) > 0);
	length = forge_signature(issuer.keys[key], alg, text, signature, sizeof(signature));
	return forge_append_segment(text, signature, length);
}

static void damage(char *compact)
{
	char *last = compact + strlen(compact) - 8;

	*last = *last == 'A' ? 'B' : 'A';
}

static void read_trial(struct fuzz_input *input, char *letters, struct trial *ret_trial)
{
	static const char *const algs[] = { "RS256", "RS384", "RS512", "PS256", "PS384",
					    "PS512", "ES256", "ES384", "ES512" };
	static const char *const methods[] = { "mfa" };
	size_t header_length, payload_length;

	*ret_trial = (struct trial){
		.letters = letters,
		.expected = {
			.issuer = ISSUER,
			.client_id = CLIENT,
			.algs = algs,
			.alg_count = strchr(letters, 'l') ? 0 : sizeof(algs) / sizeof(algs[0]),
			.access_token = strchr(letters, 'a') ? ACCESS_TOKEN : NULL,
			.now = NOW,
			.max_clock_skew_s = ID_TOKEN_CLOCK_SKEW_S,
			.max_auth_age_s = strchr(letters, 'o') ? 600 : 0,
			.required_amr = methods,
			.required_amr_count = strchr(letters, 'm') ? 1 : 0,
		},
	};
	if (strchr(letters, 'u')) {
		ret_trial->compact = fuzz_rest(input, &ret_trial->length);
	} else {
		enum issuer_key key = signing_key(letters);
		_cleanup_free_ char *header = fuzz_text_until(input, '\n', &header_length);
		_cleanup_free_ char *payload = fuzz_rest(input, &payload_length);

		ret_trial->compact =
			sign(key, signing_alg(header, key), header, header_length, payload, payload_length);
		ret_trial->length = strlen(ret_trial->compact);
		if (strchr(letters, 'c'))
			damage(ret_trial->compact);
	}
}

/* ---- the same once more, by other means ---- */

static json_t *segment_object(const char *from, const char *to)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t length;
	json_t *object;

	holds(base64url_decode(from, (size_t)(to - from), &bytes, &length));
	object = json_loadb((const char *)bytes, length, JSON_REJECT_DUPLICATES, NULL);
	holds(json_is_object(object));
	return object;
}

/* r and s as DER, which is what OpenSSL verifies. */
static size_t der_of(const uint8_t *flat, size_t length, unsigned char *ret_der)
{
	ECDSA_SIG *numbers = ECDSA_SIG_new();
	unsigned char *at = ret_der;
	int n;

	holds(numbers && ECDSA_SIG_set0(numbers, BN_bin2bn(flat, (int)(length / 2), NULL),
					BN_bin2bn(flat + length / 2, (int)(length / 2), NULL)));
	n = i2d_ECDSA_SIG(numbers, &at);
	ECDSA_SIG_free(numbers);
	holds(n > 0);
	return (size_t)n;
}

static bool openssl_agrees(EVP_PKEY *key, const char *alg, const char *text, size_t length, const uint8_t *signature,
			   size_t signature_length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	unsigned char der[256];
	bool good;

	if (alg[0] == 'E') {
		signature_length = der_of(signature, signature_length, der);
		signature = der;
	}
	holds(EVP_DigestVerifyInit(context, &options, forge_digest(alg), NULL, key) == 1);
	if (alg[0] == 'P')
		holds(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
	good = EVP_DigestVerify(context, signature, signature_length, (const unsigned char *)text, length) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

static void check_signature(const struct trial *trial, const char *second, const json_t *header)
{
	const char *kid = json_string_value(json_object_get(header, "kid"));
	const char *alg = json_string_value(json_object_get(header, "alg"));
	_cleanup_free_ uint8_t *signature = NULL;
	enum issuer_key key = 0;
	size_t length;

	holds(kid && alg && !strchr(trial->letters, 'n'));
	while (key < KEY_UNPUBLISHED && strcmp(issuer_kids[key], kid) != 0)
		key++;
	holds(key < KEY_UNPUBLISHED);
	holds(key == KEY_RSA ? strncmp(alg + 1, "S", 1) == 0 && alg[0] != 'H' && alg[0] != 'E'
			     : strcmp(alg, issuer_algs[key]) == 0);
	holds(!strchr(trial->letters, 'l') || strcmp(alg, "RS256") == 0);
	holds(base64url_decode(second + 1, (size_t)(trial->compact + trial->length - second - 1), &signature, &length));
	holds(openssl_agrees(issuer.keys[key], alg, trial->compact, (size_t)(second - trial->compact), signature,
			     length));
}

static void check_header(const json_t *header)
{
	static const char *const refused[] = { "crit", "b64", "zip", "jku", "jwk", "x5u", "x5c" };
	const json_t *typ = json_object_get(header, "typ");

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		holds(!json_object_get(header, refused[i]));
	holds(!typ || strcasecmp(json_string_value(typ), "JWT") == 0);
}

static int64_t whole(const json_t *claims, const char *name)
{
	const json_t *value = json_object_get(claims, name);

	holds(json_is_integer(value));
	return json_integer_value(value);
}

static bool lists(const json_t *array, const char *item)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (strcmp(json_string_value(json_array_get(array, i)), item) == 0)
			return true;
	return false;
}

static void check_audience(const json_t *claims)
{
	const json_t *aud = json_object_get(claims, "aud"), *azp = json_object_get(claims, "azp");

	if (json_is_string(aud))
		holds(strcmp(json_string_value(aud), CLIENT) == 0);
	else
		holds(json_is_array(aud) && lists(aud, CLIENT));
	holds(azp || !json_is_array(aud) || json_array_size(aud) == 1);
	holds(!azp || strcmp(json_string_value(azp), CLIENT) == 0);
}

static void check_times(const struct trial *trial, const json_t *claims)
{
	const int64_t skew = ID_TOKEN_CLOCK_SKEW_S;
	int64_t exp = whole(claims, "exp"), iat = whole(claims, "iat");

	holds(exp > NOW - skew && iat <= NOW + skew && iat >= NOW - skew - ID_TOKEN_MAX_AGE_S);
	holds(exp > iat && exp - iat <= (int64_t)ID_TOKEN_MAX_LIFETIME_DAYS * 86400);
	if (json_object_get(claims, "nbf"))
		holds(whole(claims, "nbf") <= NOW + skew);
	if (json_object_get(claims, "auth_time"))
		holds(whole(claims, "auth_time") <= NOW + skew);
	if (trial->expected.max_auth_age_s)
		holds(whole(claims, "auth_time") >= NOW - skew - trial->expected.max_auth_age_s);
}

static void check_rest(const struct trial *trial, const json_t *header, const json_t *claims)
{
	const json_t *jti = json_object_get(claims, "jti"), *hash = json_object_get(claims, "at_hash");

	holds(strcmp(json_string_value(json_object_get(claims, "iss")), ISSUER) == 0);
	holds(fuzz_is_sentence(json_string_value(json_object_get(claims, "sub")), 255));
	holds(!json_object_get(claims, "nonce"));
	holds(!jti || fuzz_is_sentence(json_string_value(jti), 255));
	holds((hash != NULL) == (trial->expected.access_token != NULL));
	if (hash) {
		_cleanup_free_ char *expected =
			forge_at_hash(json_string_value(json_object_get(header, "alg")), ACCESS_TOKEN);

		holds(strcmp(json_string_value(hash), expected) == 0);
	}
	if (trial->expected.required_amr_count)
		holds(lists(json_object_get(claims, "amr"), "mfa"));
}

static void check_accepted(const struct trial *trial, const struct verified_token *token)
{
	const char *first = memchr(trial->compact, '.', trial->length);
	const char *second = memchr(first + 1, '.', trial->length - (size_t)(first + 1 - trial->compact));
	_cleanup_json_ json_t *header = segment_object(trial->compact, first);
	_cleanup_json_ json_t *claims = segment_object(first + 1, second);

	check_header(header);
	check_signature(trial, second, header);
	check_audience(claims);
	check_times(trial, claims);
	check_rest(trial, header, claims);
	holds(json_equal(claims, verified_token_claims(token)));
	holds(strcmp(verified_token_issuer(token), ISSUER) == 0 &&
	      strcmp(verified_token_client_id(token), CLIENT) == 0);
	holds(strcmp(verified_token_subject(token), json_string_value(json_object_get(claims, "sub"))) == 0);
	holds(verified_token_jti(token)[0]);
	holds(verified_token_acceptable_until(token) >= NOW);
	holds(verified_token_acceptable_until(token) < verified_token_expiry(token) + ID_TOKEN_CLOCK_SKEW_S);
}

static void check_identity(const struct verified_token *token)
{
	char fault[256] = "";
	struct identity *identity = NULL;

	if (!identity_from_token(token, "linux_name", &identity, fault, sizeof(fault))) {
		holds(!identity && fuzz_is_sentence(fault, sizeof(fault)), "%s", fault);
		return;
	}
	holds(strcmp(identity->subject, verified_token_subject(token)) == 0);
	check_profile(identity);
	identity_free(identity);
}

static enum id_token_result verify(const struct trial *trial, struct verified_token **ret_token,
				   char fault[ID_TOKEN_FAULT_MAX])
{
	const struct jwks *keys = strchr(trial->letters, 'n') ? NULL : issuer.published;

	return id_token_verify(trial->compact, trial->length, keys, &trial->expected, ret_token, fault,
			       ID_TOKEN_FAULT_MAX);
}

/* Once more, with an allocation that fails: nothing may come of it but a refusal. */
static void try_without_memory(const struct trial *trial, unsigned n)
{
	char fault[ID_TOKEN_FAULT_MAX] = "";
	struct verified_token *token = NULL;
	enum id_token_result result;

	fuzz_fail_allocation(n);
	result = verify(trial, &token, fault);
	(void)fuzz_end_failing();
	holds(!fuzz_allocation_failed() || (result != ID_TOKEN_OK && !token && fault[0]));
	verified_token_free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	size_t length;
	_cleanup_free_ char *letters = fuzz_text_until(&input, '\n', &length);
	char fault[ID_TOKEN_FAULT_MAX] = "";
	struct verified_token *token = NULL;
	enum id_token_result result;
	struct trial trial;
	unsigned allocations;

	read_trial(&input, letters, &trial);
	fuzz_fail_allocation(0);
	result = verify(&trial, &token, fault);
	allocations = fuzz_end_failing();
	holds((token != NULL) == (result == ID_TOKEN_OK));
	if (token) {
		holds(!strchr(letters, 'c') || strchr(letters, 'u'));
		check_accepted(&trial, token);
		check_identity(token);
	} else {
		holds(fuzz_is_sentence(fault, sizeof(fault)), "%s", fault);
	}
	try_without_memory(&trial, 1 + fuzz_pick(bytes, size, allocations));
	verified_token_free(token);
	free(trial.compact);
	return 0;
}
