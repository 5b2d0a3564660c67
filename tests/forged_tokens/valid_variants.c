/*
 * The control: tokens that are unusual and sound. Each must be admitted, or the refusals elsewhere would mean little.
 */
#include "tests/forged_tokens/attack.h"

#include "tests/unit/forge.h"

static void as_it_is(struct forgery *forgery, const struct attack *attack)
{
	(void)forgery;
	(void)attack;
}

/* ---- spelling ---- */

static void reverse(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	members_reverse(&forgery->header);
	members_reverse(&forgery->payload);
	members_reverse(&forgery->answer);
}

/* Another order for each number. */
static void shuffle(struct forgery *forgery, const struct attack *attack)
{
	struct members *payload = &forgery->payload;
	unsigned state = (unsigned)attack->number * 2654435761U;

	for (size_t i = payload->count - 1; i > 0; i--) {
		struct member kept = payload->list[i];
		size_t other;

		state = state * 1664525U + 1013904223U;
		other = (state >> 8) % (i + 1);
		payload->list[i] = payload->list[other];
		payload->list[other] = kept;
	}
}

static char *spread(char *text)
{
	json_t *value = json_loads(text, 0, NULL);
	char *made = json_dumps(value, JSON_INDENT(4));

	forge_must(made);
	json_decref(value);
	free(text);
	return made;
}

static char *with_all_white_space(char *text)
{
	char *made = NULL;

	forge_must(asprintf(&made, " \t\r\n%s\n\n\t ", text) > 0);
	free(text);
	return made;
}

static void spread_out(struct forgery *forgery, const struct attack *attack)
{
	text_change *how = attack->number ? with_all_white_space : spread;

	change(forgery->of_header_text, how);
	change(forgery->of_payload_text, how);
}

static void escape_everything(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	member_rename(&forgery->header, "kid", "\\u006bi\\u0064");
	member_rename(&forgery->payload, "email", "\\u0065mail");
	member_rename(&forgery->payload, "sub", "s\\u0075b");
	member_set(&forgery->payload, "iss", "\"https:\\/\\/clinic\\u002eokta.example\"");
	member_set(&forgery->payload, "amr", "[\"\\u006dfa\"]");
	member_set(&forgery->payload, "groups", "[\"Clinic\\u0020IT\"]");
}

static void long_name(struct forgery *forgery, const struct attack *attack)
{
	size_t length = (size_t)attack->number;
	_cleanup_free_ char *text = malloc(length);
	_cleanup_free_ char *value = NULL;

	forge_must(text);
	memset(text, 'n', length);
	value = quoted(text, length);
	member_set(&forgery->payload, attack->member, value);
}

static const struct attack spelling[] = {
	DO("as it is", as_it_is),
	DO("members in the other order", reverse),
	DO("claims shuffled, 1", shuffle, .number = 1),
	DO("claims shuffled, 2", shuffle, .number = 2),
	DO("claims shuffled, 3", shuffle, .number = 3),
	DO("claims shuffled, 4", shuffle, .number = 4),
	DO("claims shuffled, 5", shuffle, .number = 5),
	DO("claims shuffled, 6", shuffle, .number = 6),
	DO("JSON with indentation", spread_out),
	DO("JSON with white space around it", spread_out, .number = 1),
	DO("escapes wherever they may be", escape_everything),
	ADD("x5t", "\"dGh1bWJwcmludA\""),
	ADD("x5t#S256", "\"dGh1bWJwcmludA\""),
	ADD("Alg", "\"none\"", .name = "a header member called Alg"),
	ADD("typ", "\"JWT\""),
	ADD("typ", "\"jwt\""),
	ADD("urn:example:unknown", "{\"deep\":[1,2.5,null,true,{\"x\":\"y\"}]}"),
};

static const struct attack claims[] = {
	ADD("urn:example:unknown", "{\"deep\":[1,2.5,null,true,{\"x\":\"y\"}]}"),
	ADD("Email", "\"mallory@evil.example\"", .name = "a claim called Email"),
	ADD("extra", "[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]", .name = "an unknown claim nested as deep as may be"),
	ADD("float", "1.5e300"),
	ADD("largest", "9223372036854775807"),
	ADD("_claim_sources", "{\"src1\":{\"endpoint\":\"https://evil.example\"}}"),
	SET("name", "\"Zo\xc3\xab \xc5\x81ukasiewicz\"", .name = "a name with accents"),
	SET("name", "\"\xe7\xa5\x9e\xe6\xa5\xbd \xe5\x9d\x82\"", .name = "a name in Han characters"),
	SET("name", "\"\xd7\x90\xd7\x9c\xd7\x99\xd7\xa1\"", .name = "a name from right to left"),
	SET("name", "\"\xf0\x9f\x91\xa9\xe2\x80\x8d\xe2\x9a\x95\xef\xb8\x8f\"", .name = "a name of joined emoji"),
	SET("name", "\"\\ud83d\\ude00\"", .name = "a name of a surrogate pair in escapes"),
	SET("name", "\"\\u001b[31mAlice\\nroot:x:0:0\"", .name = "a name with an escape sequence"),
	SET("name", "1", .name = "a name that is a number"),
	SET("name", "null"),
	DROP("name"),
	DO("a name of 5,000 bytes", long_name, .member = "name", .number = 5000),
	DO("a claim of 30,000 bytes", long_name, .member = "extra", .number = 30000),
	SET("email", "\"ALICE@CLINIC.EXAMPLE\""),
	SET("email", "\"Alice@Clinic.Example\""),
	DROP("preferred_username"),
	DROP("jti"),
	SET("jti", "\"x\""),
	SET("jti", "\"~!@#$%^&*()\""),
	DROP("idp"),
	DROP("ver"),
};

/* ---- sub, when nobody is bound to it ---- */

static const struct attack subjects[] = {
	SET("sub", "\"x\""),
	SET("sub", "\"auth0|5f7c8ec7c33c6c004bbafe82\""),
	SET("sub", "\"248289761001\""),
	DO("a sub of 255 bytes", long_name, .member = "sub", .number = 255),
};

/* A bound person stays who they are. */
static const struct attack renamed[] = {
	SET("email", "\"alice.smith@clinic.example\""),
	SET("email", "\"alice+new@clinic.example\""),
	SET("email", "\"o'alice@clinic.example\""),
};

/* ---- audiences ---- */

static void audience_and_azp(struct forgery *forgery, const struct attack *attack)
{
	member_set(&forgery->payload, "aud", attack->value);
	member_set(&forgery->payload, "azp", "\"" CLIENT "\"");
}

static const struct attack audiences[] = {
	SET("aud", "[\"" CLIENT "\"]"),
	SET("azp", "\"" CLIENT "\""),
	DO("ours first of two, azp ours", audience_and_azp, .value = "[\"" CLIENT "\",\"0oa3other\"]"),
	DO("ours last of three, azp ours", audience_and_azp, .value = "[\"a\",\"b\",\"" CLIENT "\"]"),
	DO("an array of one, azp ours", audience_and_azp, .value = "[\"" CLIENT "\"]"),
};

/* ---- times ---- */

static void clock_off(struct forgery *forgery, const struct attack *attack)
{
	forgery->now_s = NOW_S + attack->number;
}

static const struct attack times[] = {
	DO("this machine's clock 30 s ahead", clock_off, .number = 30),
	DO("this machine's clock 30 s behind", clock_off, .number = -30),
	DO("this machine's clock 119 s ahead", clock_off, .number = 119),
	DO("this machine's clock 119 s behind", clock_off, .number = -119),
	DO("an answer that took 10 minutes", clock_off, .number = 600),
	SET("iat", "1900000120", .name = "iat 120 s ahead"),
	SET("iat", "1899999280", .name = "iat 12 minutes ago"),
	SET("exp", "1902591999", .name = "a life of 30 days"),
	SET("exp", "1900000000", .name = "a life of a second"),
	SET("nbf", "1900000120", .name = "nbf 120 s ahead"),
	SET("nbf", "1899999999"),
	SET("nbf", "0"),
	SET("auth_time", "1899956680", .name = "signed in 12 hours ago"),
	SET("auth_time", "1900000120", .name = "auth_time 120 s ahead"),
	SET("amr", "[\"mfa\"]"),
	SET("amr", "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"mfa\"]"),
};

/* ---- groups ---- */

static void groups_of(struct forgery *forgery, const struct attack *attack)
{
	size_t count = (size_t)attack->number;
	_cleanup_free_ char *value = malloc(count * 64 + 64);
	char *out = value;

	forge_must(value);
	*out++ = '[';
	for (size_t i = 1; i < count; i++)
		out += sprintf(out, "\"%s %zu\",", attack->value, i);
	(void)strcpy(out, "\"Clinic IT\"]");
	member_set(&forgery->payload, "groups", value);
}

static const struct attack groups[] = {
	SET("groups", "[\"Clinic IT\"]"),
	DO("100 groups", groups_of, .number = 100, .value = "Department of Radiology, ward"),
	DO("500 groups", groups_of, .number = 500, .value = "Department of Radiology, ward"),
	DO("500 groups in Greek", groups_of, .number = 500,
	   .value = "\xce\x91\xce\xba\xcf\x84\xce\xb9\xce\xbd\xce\xbf\xce\xbb\xce\xbf\xce\xb3\xce\xaf\xce\xb1"),
	DO("1,000 groups", groups_of, .number = 1000, .value = "group"),
	SET("groups", "[\"Clinic IT\",\"Clinic IT\"]", .name = "the same group twice"),
	SET("groups", "[\"\",\"a\\u0007b\",\"Clinic IT\"]", .name = "groups that no machine can have beside it"),
};

/* ---- keys and algorithms ---- */

static void keys_reversed(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	forgery->keys = keys_made()->published_reversed;
}

static void key_alone(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	forgery->keys = keys_made()->published_alone;
}

static void by_second_key(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	sign_as(forgery, keys_made()->rsa_second, KID_RSA_SECOND, "RS256");
}

static void by_exponent_3(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	sign_as(forgery, keys_made()->e3, KID_E3, "RS256");
}

static void by_alg(struct forgery *forgery, const struct attack *attack)
{
	const struct keys *keys = keys_made();
	const char *alg = attack->value;

	if (alg[0] != 'E')
		sign_as(forgery, keys->rsa, attack->number ? KID_ONLY_RS384 : KID_RSA, alg);
	else if (strcmp(alg, "ES256") == 0)
		sign_as(forgery, keys->ec, KID_EC, alg);
	else if (strcmp(alg, "ES384") == 0)
		sign_as(forgery, keys->p384, KID_P384, alg);
	else
		sign_as(forgery, keys->p521, KID_P521, alg);
}

static const struct attack keys[] = {
	DO("the key last of several", keys_reversed),
	DO("the key alone", key_alone, .rsa_only = true),
	DO("another of the issuer's keys", by_second_key, .rsa_only = true),
	DO("a key with exponent 3", by_exponent_3, .rsa_only = true),
	DO("RS256 where it is allowed", by_alg, .value = "RS256", .tenant = TENANT_EVERY_ALG),
	DO("RS384 where it is allowed", by_alg, .value = "RS384", .tenant = TENANT_EVERY_ALG),
	DO("RS512 where it is allowed", by_alg, .value = "RS512", .tenant = TENANT_EVERY_ALG),
	DO("PS256 where it is allowed", by_alg, .value = "PS256", .tenant = TENANT_EVERY_ALG),
	DO("PS384 where it is allowed", by_alg, .value = "PS384", .tenant = TENANT_EVERY_ALG),
	DO("PS512 where it is allowed", by_alg, .value = "PS512", .tenant = TENANT_EVERY_ALG),
	DO("ES256 where it is allowed", by_alg, .value = "ES256", .tenant = TENANT_EVERY_ALG),
	DO("ES384 where it is allowed", by_alg, .value = "ES384", .tenant = TENANT_EVERY_ALG),
	DO("ES512 where it is allowed", by_alg, .value = "ES512", .tenant = TENANT_EVERY_ALG),
	DO("a key for RS384 alone", by_alg, .value = "RS384", .number = 1, .tenant = TENANT_EVERY_ALG),
};

/* ---- what comes with it ---- */

static void without_access_token(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	member_drop(&forgery->answer, "access_token");
	member_drop(&forgery->answer, "token_type");
	member_drop(&forgery->payload, "at_hash");
}

static const struct attack answers[] = {
	DO("no access token", without_access_token),
	SET("token_type", "\"bearer\""),
	SET("token_type", "\"BEARER\""),
	DROP("expires_in"),
	DROP("scope"),
	ADD("refresh_token", "\"a refresh token\""),
	ADD("extra", "{\"a\":[1,2,3]}"),
};

/* Moves these claims to userinfo. */
static void thin(struct forgery *forgery, const struct attack *attack)
{
	static const char *const profile[] = { "email", "email_verified", "name", "groups", "linux_name" };

	for (size_t i = 0; i < sizeof(profile) / sizeof(profile[0]); i++) {
		if (!(attack->number & 1 << i))
			continue;
		member_set(&forgery->userinfo, profile[i], member_value(&forgery->payload, profile[i]));
		member_drop(&forgery->payload, profile[i]);
	}
}

static void with_verdict_in_both(struct forgery *forgery, const struct attack *attack)
{
	member_set(&forgery->userinfo, "email", member_value(&forgery->payload, "email"));
	member_set(&forgery->userinfo, "email_verified", "true");
	member_drop(&forgery->payload, "email_verified");
	(void)attack;
}

static void userinfo_too_full(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	member_set(&forgery->userinfo, "email", "\"mallory@evil.example\"");
	member_set(&forgery->userinfo, "email_verified", "false");
	member_set(&forgery->userinfo, "groups", "[]");
}

static const struct attack thin_tokens[] = {
	DO("a token without email and verdict, completed", thin, .number = 3),
	DO("a token without groups, completed", thin, .number = 8),
	DO("a token without any profile, completed", thin, .number = 31),
	DO("a token without a verdict, the pair from userinfo", with_verdict_in_both),
	DO("a full token, and a userinfo that is not asked", userinfo_too_full),
};

static const struct attack thin_claim[] = {
	DO("a token without the claim that names the account, completed", thin, .number = 16),
};

/* ---- other configurations ---- */

static const struct attack if_present[] = {
	DROP("email_verified", .name = "no email_verified, if-present"),
	SET("email_verified", "null", .name = "email_verified null, if-present"),
	SET("email_verified", "true", .name = "email_verified true, if-present"),
};

static const struct attack lax[] = {
	SET("email_verified", "false", .name = "email_verified false, ignored"),
	SET("email_verified", "\"true\"", .name = "email_verified in quotes, ignored"),
	DROP("email_verified", .name = "no email_verified, ignored"),
	DROP("amr"),
	SET("amr", "[]"),
	DROP("auth_time"),
	SET("auth_time", "0"),
	DROP("groups"),
	SET("groups", "[]"),
};

/* ---- after another token ---- */

static void with_another_jti(struct forgery *forgery, const struct attack *attack)
{
	forgery->used_before = true;
	if (attack->value)
		member_set(&forgery->payload, "jti", attack->value);
	else
		member_drop(&forgery->payload, "jti");
}

static void without_jti_but_newer(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	forgery->used_before = true;
	forgery->without_jti = true;
	member_drop(&forgery->payload, "jti");
	member_set(&forgery->payload, "iat", "1900000000");
}

static const struct attack second_tokens[] = {
	DO("another token after the first", with_another_jti, .value = "\"ID.two\""),
	DO("another token after the first, its jti in upper case", with_another_jti, .value = "\"ID.ONE\""),
	DO("a token without jti after one with it", with_another_jti),
	DO("another token without jti after the first", without_jti_but_newer),
};

const struct attack_list *valid_variants(size_t *ret_count)
{
	static const struct attack_list lists[] = {
		LIST("spelling", PART_HEADER, spelling),
		LIST("claims", PART_PAYLOAD, claims),
		LIST("subjects", PART_PAYLOAD, subjects, .record = RECORD_WITHOUT_ALICE),
		LIST("another email than before", PART_PAYLOAD, renamed, .record = RECORD_WITH_ALICE),
		LIST("audiences", PART_PAYLOAD, audiences),
		LIST("times", PART_PAYLOAD, times),
		LIST("groups", PART_PAYLOAD, groups),
		LIST("keys and algorithms", PART_SIGNATURE, keys),
		LIST("the token endpoint's answer", PART_ANSWER, answers),
		LIST("thin tokens", PART_USERINFO, thin_tokens),
		LIST("thin tokens and a claim that names the account", PART_USERINFO, thin_claim,
		     .tenant = TENANT_CLAIM),
		LIST("email_verified if present", PART_PAYLOAD, if_present, .tenant = TENANT_IF_PRESENT),
		LIST("a tenant that asks for little", PART_PAYLOAD, lax, .tenant = TENANT_LAX),
		LIST("second tokens", PART_PAYLOAD, second_tokens),
	};

	*ret_count = sizeof(lists) / sizeof(lists[0]);
	return lists;
}
