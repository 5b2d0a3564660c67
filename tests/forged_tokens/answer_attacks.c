/*
 * Attacks on what comes with the token: the token endpoint's answer, and userinfo for a token that is thin.
 */
#include "tests/forged_tokens/attack.h"

#include "pam_oidc/identity.h"
#include "tests/unit/forge.h"

/* ---- the token endpoint's answer ---- */

#define NO_TOKEN .because = "the token response has no ID token"
#define NO_BEARER .because = "the token response has an access token that is no bearer token"
#define NOT_STRICT .because = "the token response "
#define NO_ACCESS_TOKEN .because = "at_hash: speaks of an access token, but none came"
#define OTHER_HASH .because = "at_hash: is not that of the access token"

/* Both tokens of a sign-in are the issuer's, and signed by it. */
static void access_token_instead(struct forgery *forgery, const struct attack *attack)
{
	(void)attack;
	member_set(&forgery->answer, "id_token", "\"" ACCESS_TOKEN "\"");
}

static void long_access_token(struct forgery *forgery, const struct attack *attack)
{
	_cleanup_free_ char *text = malloc((size_t)attack->number);
	_cleanup_free_ char *value = NULL;

	forge_must(text);
	memset(text, 'a', (size_t)attack->number);
	value = quoted(text, (size_t)attack->number);
	member_set(&forgery->answer, "access_token", value);
}

static void answer_is(struct forgery *forgery, const struct attack *attack)
{
	free(forgery->answer_text);
	forgery->answer_text = strdup(attack->value);
	forge_must(forgery->answer_text);
}

#define ANSWER(name_, text_) DO("the answer is " name_, answer_is, .value = text_, NOT_STRICT)
#define OTHER_MEMBERS "\"token_type\":\"Bearer\",\"access_token\":\"" ACCESS_TOKEN "\""

static const struct attack answers[] = {
	DO("the access token in place of the ID token", access_token_instead, .because = "the token has fewer than"),
	DROP("id_token", NO_TOKEN),
	SET("id_token", "null", NO_TOKEN),
	SET("id_token", "1", NO_TOKEN),
	SET("id_token", "true", NO_TOKEN),
	SET("id_token", "{}", NO_TOKEN),
	SET("id_token", "[]", NO_TOKEN),
	SET("id_token", "\"\"", NO_TOKEN),
	SET("id_token", "{\"sub\":\"" SUBJECT "\",\"email\":\"alice@clinic.example\"}", NO_TOKEN),
	ADD("id_token", "\"e30.e30.\"", NOT_STRICT),
	ADD_FIRST("id_token", "\"e30.e30.\"", NOT_STRICT),
	ADD("id\\u005ftoken", "\"e30.e30.\"", NOT_STRICT),
	RENAME("id_token", "ID_TOKEN", NO_TOKEN),
	RENAME("id_token", "idToken", NO_TOKEN),
	RENAME("id_token", "logout_token", NO_TOKEN),
	SET("access_token", "\"another-access-token\"", OTHER_HASH),
	SET("access_token", "\"" ACCESS_TOKEN "x\"", OTHER_HASH),
	SET("access_token", "\"AN.OPAQUE-ACCESS_TOKEN\"", OTHER_HASH),
	SET("access_token", "\"\"", NO_BEARER),
	SET("access_token", "\"" ACCESS_TOKEN "\\r\\nX-Other: yes\"", NO_BEARER),
	SET("access_token", "\"" ACCESS_TOKEN " \"", NO_BEARER),
	SET("access_token", "\"" ACCESS_TOKEN "\\u0000\"", NOT_STRICT),
	SET("access_token", "\"\xc3\xa4\"", NO_BEARER),
	DO("an access token of 16,385 bytes", long_access_token, .number = 16385, NO_BEARER),
	DROP("access_token", NO_ACCESS_TOKEN),
	SET("access_token", "null", NO_ACCESS_TOKEN),
	SET("access_token", "1", NO_ACCESS_TOKEN),
	SET("access_token", "[\"" ACCESS_TOKEN "\"]", NO_ACCESS_TOKEN),
	ADD("access_token", "\"another-access-token\"", NOT_STRICT),
	RENAME("access_token", "Access_Token", NO_ACCESS_TOKEN),
	DROP("token_type", NO_BEARER),
	SET("token_type", "null", NO_BEARER),
	SET("token_type", "\"\"", NO_BEARER),
	SET("token_type", "\"mac\"", NO_BEARER),
	SET("token_type", "\"DPoP\"", NO_BEARER),
	SET("token_type", "\"N_A\"", NO_BEARER),
	SET("token_type", "\"Bearer \"", NO_BEARER),
	SET("token_type", "[\"Bearer\"]", NO_BEARER),
	ADD("token_type", "\"mac\"", NOT_STRICT),
	ANSWER("empty", ""),
	ANSWER("null", "null"),
	ANSWER("the token alone", "\x01"),
	ANSWER("an array", "[{" OTHER_MEMBERS ",\"id_token\":\x01}]"),
	ANSWER("an object within", "{\"data\":{" OTHER_MEMBERS ",\"id_token\":\x01}}"),
	ANSWER("cut off", "{" OTHER_MEMBERS ",\"id_token\":\x01"),
	ANSWER("followed by more", "{" OTHER_MEMBERS ",\"id_token\":\x01}{}"),
	ANSWER("behind a byte order mark", "\xef\xbb\xbf{" OTHER_MEMBERS ",\"id_token\":\x01}"),
	ANSWER("a form", "access_token=" ACCESS_TOKEN "&token_type=Bearer&id_token=x"),
	ANSWER("HTML", "<html><body>OK</body></html>"),
	ANSWER("of bad UTF-8", "{" OTHER_MEMBERS ",\"id_token\":\x01,\"scope\":\"\xc0\xaf\"}"),
	ANSWER("nested too deep", "{" OTHER_MEMBERS ",\"id_token\":\x01,\"x\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}"),
};

/* ---- userinfo ---- */

#define OTHER_SUB .because = "userinfo's sub is not the ID token's"
#define NO_SUB .because = "userinfo's sub is missing or no string"
#define UNUSABLE .because = "userinfo "
#define UNVERIFIED .reason = REASON_EMAIL_UNVERIFIED
#define NO_EMAIL .reason = REASON_EMAIL_INVALID

/* Moves the profile from the token to userinfo. */
static void thin(struct forgery *forgery)
{
	static const char *const profile[] = { "email", "email_verified", "name", "groups", "linux_name" };

	for (size_t i = 0; i < sizeof(profile) / sizeof(profile[0]); i++) {
		const char *value = member_value(&forgery->payload, profile[i]);

		if (value)
			member_set(&forgery->userinfo, profile[i], value);
		member_drop(&forgery->payload, profile[i]);
	}
}

static void userinfo_says(struct forgery *forgery, const struct attack *attack)
{
	thin(forgery);
	if (attack->value)
		member_set(&forgery->userinfo, attack->member, attack->value);
	else
		member_drop(&forgery->userinfo, attack->member);
}

static void userinfo_adds(struct forgery *forgery, const struct attack *attack)
{
	thin(forgery);
	if (attack->number)
		member_add_first(&forgery->userinfo, attack->member, attack->value);
	else
		member_add(&forgery->userinfo, attack->member, attack->value);
}

static void userinfo_is(struct forgery *forgery, const struct attack *attack)
{
	thin(forgery);
	free(forgery->userinfo_text);
	forgery->userinfo_text = strdup(attack->value);
	forge_must(forgery->userinfo_text);
}

static void userinfo_is_long(struct forgery *forgery, const struct attack *attack)
{
	size_t size = USERINFO_SIZE_MAX + 1;
	char *text = malloc(size + 1);
	static const char start[] =
		"{\"sub\":\"" SUBJECT "\",\"email\":\"alice@clinic.example\",\"email_verified\":true,"
		"\"groups\":[\"Clinic IT\"]}";

	(void)attack;
	thin(forgery);
	forge_must(text);
	memset(text, ' ', size);
	memcpy(text, start, sizeof(start) - 1);
	text[size] = '\0';
	free(forgery->userinfo_text);
	forgery->userinfo_text = text;
}

static void userinfo_status(struct forgery *forgery, const struct attack *attack)
{
	thin(forgery);
	forgery->userinfo_status = attack->number;
}

/* A token with email `value` (NULL: none) and verdict `member` (NULL: none), and the userinfo of a mix. */
static void token_says(struct forgery *forgery, const char *email, const char *verified)
{
	thin(forgery);
	if (email)
		member_set(&forgery->payload, "email", email);
	if (verified)
		member_set(&forgery->payload, "email_verified", verified);
}

static const struct {
	const char *token_email, *token_verified, *userinfo_email, *userinfo_verified;
} mixes[] = {
	/* The verdict is there, but about no email, or about another one. */
	{ "\"alice@clinic.example\"", NULL, NULL, "true" },
	{ "\"alice@clinic.example\"", NULL, "\"mallory@evil.example\"", "true" },
	{ NULL, "true", "\"alice@clinic.example\"", NULL },
	{ NULL, "true", "\"alice@clinic.example\"", "false" },
	{ "\"alice@clinic.example\"", "false", "\"alice@clinic.example\"", "true" },
	{ "\"alice@clinic.example\"", "\"true\"", "\"alice@clinic.example\"", "true" },
	{ "\"mallory@evil.example\"", "true", "\"alice@clinic.example\"", "true" },
	{ "\"mallory@evil.example\"", NULL, "\"alice@clinic.example\"", NULL },
	{ "\"alice@clinic.example\\n\"", "true", "\"alice@clinic.example\"", "true" },
	{ "\"alice@clinic.example\"", NULL, "\"alice@clinic.example\"", "\"true\"" },
	{ "1", "true", "\"alice@clinic.example\"", "true" },
	{ "\"\"", "true", "\"\"", "true" },
};

static void mix(struct forgery *forgery, const struct attack *attack)
{
	token_says(forgery, mixes[attack->number].token_email, mixes[attack->number].token_verified);
	member_drop(&forgery->userinfo, "email");
	member_drop(&forgery->userinfo, "email_verified");
	if (mixes[attack->number].userinfo_email)
		member_set(&forgery->userinfo, "email", mixes[attack->number].userinfo_email);
	if (mixes[attack->number].userinfo_verified)
		member_set(&forgery->userinfo, "email_verified", mixes[attack->number].userinfo_verified);
}

static void groups_from_userinfo_only(struct forgery *forgery, const struct attack *attack)
{
	thin(forgery);
	member_set(&forgery->payload, "groups", attack->value);
}

/* A token cannot be so long; userinfo can. */
static void userinfo_of_many_groups(struct forgery *forgery, const struct attack *attack)
{
	size_t count = (size_t)attack->number;
	_cleanup_free_ char *value = malloc(count * 132 + 32);
	char *out = value;

	thin(forgery);
	forge_must(value);
	out += sprintf(out, "[\"Clinic IT\"");
	for (size_t i = 1; i < count; i++)
		out += sprintf(out, ",\"%0128zu\"", i);
	(void)strcpy(out, "]");
	member_set(&forgery->userinfo, "groups", value);
}

#define SAYS(member_, value_, ...) \
	DO("userinfo says " member_ " " value_, userinfo_says, .member = member_, .value = value_, __VA_ARGS__)
#define IS(name_, text_, ...) DO("userinfo is " name_, userinfo_is, .value = text_, __VA_ARGS__)
#define REST "\"email\":\"alice@clinic.example\",\"email_verified\":true,\"groups\":[\"Clinic IT\"]"

static const struct attack userinfo_sub[] = {
	DO("userinfo without sub", userinfo_says, .member = "sub", NO_SUB),
	SAYS("sub", "null", NO_SUB),
	SAYS("sub", "1", NO_SUB),
	SAYS("sub", "true", NO_SUB),
	SAYS("sub", "{}", NO_SUB),
	SAYS("sub", "[\"" SUBJECT "\"]", NO_SUB),
	SAYS("sub", "\"\"", OTHER_SUB),
	SAYS("sub", "\"00u9mallory\"", OTHER_SUB),
	SAYS("sub", "\"" BOBS_SUBJECT "\"", OTHER_SUB),
	SAYS("sub", "\"00U1ALICE\"", OTHER_SUB),
	SAYS("sub", "\"00u1alic\"", OTHER_SUB),
	SAYS("sub", "\"" SUBJECT "e\"", OTHER_SUB),
	SAYS("sub", "\"" SUBJECT " \"", OTHER_SUB),
	SAYS("sub", "\" " SUBJECT "\"", OTHER_SUB),
	SAYS("sub", "\"" SUBJECT "\\n\"", OTHER_SUB),
	SAYS("sub", "\"" SUBJECT "\\u0000\"", UNUSABLE),
	SAYS("sub", "\"00u1\xd0\xb0lice\"", OTHER_SUB),
	SAYS("sub", "\"00u1alice\\u200b\"", OTHER_SUB),
	SAYS("sub", "\"alice@clinic.example\"", OTHER_SUB),
	SAYS("sub", "\"*\"", OTHER_SUB),
	DO("userinfo with sub twice, another one last", userinfo_adds, .member = "sub", .value = "\"00u9mallory\"",
	   UNUSABLE),
	DO("userinfo with sub twice, another one first", userinfo_adds, .member = "sub", .value = "\"00u9mallory\"",
	   .number = 1, UNUSABLE),
	DO("userinfo with sub twice, in escapes", userinfo_adds, .member = "\\u0073ub", .value = "\"00u9mallory\"",
	   UNUSABLE),
};

static const struct attack userinfo_form[] = {
	IS("empty", "", UNUSABLE),
	IS("null", "null", UNUSABLE),
	IS("an array", "[{\"sub\":\"" SUBJECT "\"," REST "}]", UNUSABLE),
	IS("an object within", "{\"user\":{\"sub\":\"" SUBJECT "\"," REST "}}", NO_SUB),
	IS("behind a byte order mark", "\xef\xbb\xbf{\"sub\":\"" SUBJECT "\"," REST "}", UNUSABLE),
	IS("followed by more", "{\"sub\":\"" SUBJECT "\"," REST "} {}", UNUSABLE),
	IS("cut off", "{\"sub\":\"" SUBJECT "\"," REST, UNUSABLE),
	IS("of bad UTF-8", "{\"sub\":\"" SUBJECT "\"," REST ",\"name\":\"\xc0\xaf\"}", UNUSABLE),
	IS("with a NUL", "{\"sub\":\"" SUBJECT "\"," REST ",\"name\":\"a\\u0000b\"}", UNUSABLE),
	IS("nested too deep", "{\"sub\":\"" SUBJECT "\"," REST ",\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", UNUSABLE),
	IS("a JWT", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwMHUxYWxpY2UifQ.", UNUSABLE),
	IS("HTML", "<html/>", UNUSABLE),
	IS("with a large number", "{\"sub\":\"" SUBJECT "\"," REST ",\"updated_at\":99999999999999999999}", UNUSABLE),
	DO("userinfo is too long", userinfo_is_long, UNUSABLE),
	DO("userinfo with email twice", userinfo_adds, .member = "email", .value = "\"mallory@evil.example\"",
	   UNUSABLE),
	DO("userinfo with email_verified twice", userinfo_adds, .member = "email_verified", .value = "false", UNUSABLE),
	DO("userinfo with HTTP 401", userinfo_status, .number = 401, .reason = REASON_MISCONFIGURED),
	DO("userinfo with HTTP 403", userinfo_status, .number = 403, .reason = REASON_MISCONFIGURED),
	DO("userinfo with HTTP 404", userinfo_status, .number = 404, .reason = REASON_MISCONFIGURED),
	DO("userinfo with HTTP 302", userinfo_status, .number = 302, .reason = REASON_MISCONFIGURED),
	DO("userinfo with HTTP 206", userinfo_status, .number = 206, .reason = REASON_MISCONFIGURED),
	DO("userinfo with HTTP 500", userinfo_status, .number = 500, .reason = REASON_ISSUER_UNREACHABLE),
};

static const struct attack userinfo_claims[] = {
	DO("userinfo without email", userinfo_says, .member = "email", NO_EMAIL),
	SAYS("email", "null", NO_EMAIL),
	SAYS("email", "1", NO_EMAIL),
	SAYS("email", "[\"alice@clinic.example\"]", NO_EMAIL),
	SAYS("email", "\"alice@clinic.example\\n\"", NO_EMAIL),
	SAYS("email", "\"alice@evil.example\"", .reason = REASON_WRONG_DOMAIN),
	SAYS("email", "\"alice@sub.clinic.example\"", .reason = REASON_WRONG_DOMAIN),
	SAYS("email", "\"carol@clinic.example\"", .reason = REASON_OTHER_PERSON, .record = RECORD_WITHOUT_ALICE),
	DO("userinfo without email_verified", userinfo_says, .member = "email_verified", UNVERIFIED),
	SAYS("email_verified", "false", UNVERIFIED),
	SAYS("email_verified", "\"true\"", UNVERIFIED),
	SAYS("email_verified", "1", UNVERIFIED),
	SAYS("email_verified", "null", UNVERIFIED),
	DO("userinfo without groups", userinfo_says, .member = "groups", .reason = REASON_GROUP_MISSING),
	SAYS("groups", "[]", .reason = REASON_GROUP_MISSING),
	SAYS("groups", "[\"clinic it\"]", .reason = REASON_GROUP_MISSING),
	SAYS("groups", "\"Clinic IT\"", .because = "groups: "),
	SAYS("groups", "[[\"Clinic IT\"]]", .because = "groups: "),
	DO("userinfo with more groups than a message holds", userinfo_of_many_groups, .number = 400,
	   .because = "groups: "),
	DO("groups empty in the token, full in userinfo", groups_from_userinfo_only, .value = "[]",
	   .reason = REASON_GROUP_MISSING),
	DO("other groups in the token than in userinfo", groups_from_userinfo_only, .value = "[\"Radiology\"]",
	   .reason = REASON_GROUP_MISSING),
};

#define MIX(name_, number_, ...) DO(name_, mix, .number = number_, __VA_ARGS__)

static const struct attack pairs_of_email[] = {
	MIX("email in the token, verified in userinfo without an email", 0, UNVERIFIED),
	MIX("email in the token, another email verified in userinfo", 1, .reason = REASON_WRONG_DOMAIN),
	MIX("verified in the token, email in userinfo", 2, UNVERIFIED),
	MIX("verified in the token, unverified email in userinfo", 3, UNVERIFIED),
	MIX("unverified in the token, verified in userinfo", 4, UNVERIFIED),
	MIX("verified in quotes in the token, verified in userinfo", 5, UNVERIFIED),
	MIX("another email in the token, the right one in userinfo", 6, .reason = REASON_WRONG_DOMAIN),
	MIX("another email in the token, the right one in userinfo, neither verified", 7,
	    .reason = REASON_WRONG_DOMAIN),
	MIX("an unusable email in the token, the right one in userinfo", 8, NO_EMAIL),
	MIX("email in the token, the same with verified in quotes in userinfo", 9, UNVERIFIED),
	MIX("a number as email in the token, the right one in userinfo", 10, NO_EMAIL),
	MIX("both emails empty", 11, NO_EMAIL),
};

const struct attack_list *answer_attacks(size_t *ret_count)
{
	static const struct attack_list lists[] = {
		LIST("the token endpoint's answer", PART_ANSWER, answers),
		LIST("userinfo about somebody else", PART_USERINFO, userinfo_sub),
		LIST("userinfo of no use", PART_USERINFO, userinfo_form),
		LIST("userinfo's claims", PART_USERINFO, userinfo_claims),
		LIST("email of one source, verified by the other", PART_USERINFO, pairs_of_email),
	};

	*ret_count = sizeof(lists) / sizeof(lists[0]);
	return lists;
}
