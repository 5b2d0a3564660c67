/*
 * Attacks on the claims that say who the person is. The token is sound in all else, so it is pam_oidc/identity.c and
 * provisiond's rules of admission that refuse. alice is the name that was typed.
 */
#include "tests/forged_tokens/attack.h"

#include "tests/unit/forge.h"

/* ---- sub ---- */

static void long_subject(struct forgery *forgery, const struct attack *attack)
{
	char text[300];
	_cleanup_free_ char *value = NULL;

	memset(text, 's', sizeof(text));
	value = quoted(text, (size_t)attack->number);
	member_set(&forgery->payload, "sub", value);
}

#define NO_SUB .because = "sub: is missing or no string"
#define UNPRINTABLE_SUB .because = "sub: is not 1 to 255 printable ASCII characters"
#define NUL .because = "has a NUL character"
/* Alice's account is bound to her sub: with another one, the same email is somebody else's. */
#define SOMEBODY_ELSE .record = RECORD_WITH_ALICE, .reason = REASON_SUBJECT_CHANGED

static const struct attack sub[] = {
	DROP("sub", NO_SUB),
	SET("sub", "null", NO_SUB),
	SET("sub", "1", NO_SUB),
	SET("sub", "[\"" SUBJECT "\"]", NO_SUB),
	SET("sub", "{\"id\":\"" SUBJECT "\"}", NO_SUB),
	SET("sub", "\"\"", UNPRINTABLE_SUB),
	SET("sub", "\"" SUBJECT "\\n\"", UNPRINTABLE_SUB),
	SET("sub", "\"" SUBJECT "\\t\"", UNPRINTABLE_SUB),
	SET("sub", "\"" SUBJECT "\\u007f\"", UNPRINTABLE_SUB),
	SET("sub", "\"" SUBJECT "\\u0085\"", UNPRINTABLE_SUB),
	SET("sub", "\"\\u001b[2J" SUBJECT "\"", UNPRINTABLE_SUB),
	SET("sub", "\"" SUBJECT "\\u0000\"", NUL),
	SET("sub", "\"00u1\xd0\xb0lice\"", .name = "sub with a Cyrillic letter", UNPRINTABLE_SUB),
	SET("sub", "\"00u1alice\\u200b\"", UNPRINTABLE_SUB),
	DO("a sub of 256 bytes", long_subject, .number = 256, UNPRINTABLE_SUB),
	DO("a sub of 255 bytes", long_subject, .number = 255, SOMEBODY_ELSE),
	SET("sub", "\"00u9mallory\"", SOMEBODY_ELSE),
	SET("sub", "\"00U1ALICE\"", SOMEBODY_ELSE),
	SET("sub", "\"" SUBJECT " \"", SOMEBODY_ELSE),
	SET("sub", "\" " SUBJECT "\"", SOMEBODY_ELSE),
	SET("sub", "\" \"", SOMEBODY_ELSE),
	SET("sub", "\"00u1alic\"", SOMEBODY_ELSE),
	SET("sub", "\"" SUBJECT "e\"", SOMEBODY_ELSE),
	SET("sub", "\"%\"", SOMEBODY_ELSE),
	SET("sub", "\"00u_alice\"", SOMEBODY_ELSE),
	SET("sub", "\"" SUBJECT "' OR '1'='1\"", SOMEBODY_ELSE),
	SET("sub", "\"alice\"", SOMEBODY_ELSE),
	SET("sub", "\"root\"", SOMEBODY_ELSE),
	SET("sub", "\"0\"", SOMEBODY_ELSE),
	SET("sub", "\"" BOBS_SUBJECT "\"", .name = "sub of bob, who has an account", .reason = REASON_OTHER_PERSON),
	RENAME("sub", "Sub", NO_SUB),
	RENAME("sub", "uid", NO_SUB),
};

/* ---- email ---- */

static void long_email(struct forgery *forgery, const struct attack *attack)
{
	size_t local = (size_t)attack->number;
	_cleanup_free_ char *text = malloc(local + 32);
	_cleanup_free_ char *value = NULL;

	forge_must(text);
	memset(text, 'a', local);
	(void)strcpy(text + local, "@clinic.example");
	value = quoted(text, strlen(text));
	member_set(&forgery->payload, "email", value);
}

static void long_domain(struct forgery *forgery, const struct attack *attack)
{
	char text[400] = "alice@";
	_cleanup_free_ char *value = NULL;

	for (int i = 0; i < attack->number; i++)
		(void)strcat(text, "x.");
	(void)strcat(text, "clinic.example");
	value = quoted(text, strlen(text));
	member_set(&forgery->payload, "email", value);
}

#define EMAIL(text, ...) SET("email", "\"" text "\"", __VA_ARGS__)
#define WRONG_DOMAIN .reason = REASON_WRONG_DOMAIN
#define OTHER .reason = REASON_OTHER_PERSON
#define UNFIT .reason = REASON_NAME_UNFIT
#define BAD_UTF8 .reason = REASON_TOKEN_INVALID, .because = "is not valid UTF-8"
#define BAD_NUL .reason = REASON_TOKEN_INVALID, NUL

/* The list's reason is email_invalid. */
static const struct attack email[] = {
	DROP("email"),
	SET("email", "null"),
	SET("email", "\"\""),
	SET("email", "1"),
	SET("email", "true"),
	SET("email", "[\"alice@clinic.example\"]"),
	SET("email", "{\"value\":\"alice@clinic.example\"}"),
	RENAME("email", "Email"),
	RENAME("email", "mail"),
	RENAME("email", "email "),
	EMAIL("alice"),
	EMAIL("alice@"),
	EMAIL("@clinic.example"),
	EMAIL("@"),
	EMAIL("alice@@clinic.example"),
	EMAIL("alice@clinic"),
	EMAIL("alice@clinic.example."),
	EMAIL("alice@.clinic.example"),
	EMAIL("alice@clinic..example"),
	EMAIL("alice@-clinic.example"),
	EMAIL("alice@clinic.example@evil.example"),
	EMAIL("alice@evil.example@clinic.example"),
	EMAIL("mallory@evil.example alice@clinic.example"),
	EMAIL("\\\"alice\\\"@clinic.example"),
	EMAIL("\\\"alice@evil.example\\\"@clinic.example"),
	EMAIL("\\\"mallory\\\" <alice@clinic.example>"),
	EMAIL("Alice <alice@clinic.example>"),
	EMAIL("<alice@clinic.example>"),
	EMAIL("alice(mallory)@clinic.example"),
	EMAIL("alice@clinic.example(mallory)"),
	EMAIL("alice@[127.0.0.1]"),
	EMAIL("alice@[IPv6:::1]"),
	EMAIL("alice @clinic.example"),
	EMAIL("alice@ clinic.example"),
	EMAIL(" alice@clinic.example"),
	EMAIL("alice@clinic.example "),
	EMAIL("\\talice@clinic.example"),
	EMAIL("alice@clinic.example\\n"),
	EMAIL("alice@clinic.example\\r\\n"),
	EMAIL("alice@clinic.example\\nX-Other: yes"),
	EMAIL("mallory@evil.example\\nalice@clinic.example"),
	EMAIL("alice\\u0000@clinic.example", BAD_NUL),
	EMAIL("alice@clinic.example\\u0000.evil.example", BAD_NUL),
	EMAIL("alice@clinic.example,bob@clinic.example"),
	EMAIL("alice@clinic.example;bob@clinic.example"),
	EMAIL("mailto:alice@clinic.example"),
	EMAIL("alice@clinic.example?x=y"),
	EMAIL("alice@clinic.example/"),
	EMAIL("alice@clinic.example:22"),
	EMAIL("alice@clinic_x.example"),
	EMAIL("alice.@clinic.example"),
	EMAIL(".alice@clinic.example"),
	EMAIL("a..lice@clinic.example"),
	EMAIL("alice/../root@clinic.example"),
	EMAIL("alice%40clinic.example"),
	EMAIL("al\\\\ice@clinic.example"),
	EMAIL("\xd0\xb0lice@clinic.example", .name = "email with a Cyrillic letter"),
	EMAIL("alice@cl\xd1\x96nic.example", .name = "email with a Cyrillic letter in its domain"),
	EMAIL("alice\xef\xbc\xa0"
	      "clinic.example",
	      .name = "email with a full-width @"),
	EMAIL("alice@clinic\xe3\x80\x82"
	      "example",
	      .name = "email with an ideographic full stop"),
	EMAIL("\xef\xbd\x81lice@clinic.example", .name = "email with a full-width letter"),
	EMAIL("al\xc4\xb1"
	      "ce@clinic.example",
	      .name = "email with a dotless i"),
	EMAIL("AL\xc4\xb0"
	      "CE@clinic.example",
	      .name = "email with a dotted capital I"),
	EMAIL("alice@clinic.exam\xe2\x84\x93"
	      "e",
	      .name = "email with a script l"),
	EMAIL("alice\\u200b@clinic.example"),
	EMAIL("\\ufeffalice@clinic.example"),
	EMAIL("alice@clinic.example\\u202e"),
	EMAIL("\\u202eelpmaxe.cinilc@ecila"),
	EMAIL("alice\\u0301@clinic.example"),
	EMAIL("alic\xc3\xa9@clinic.example", .name = "email with an accent"),
	EMAIL("alice@clinic.example\xc0\x80", .name = "email with an overlong NUL", BAD_UTF8),
	EMAIL("alice\xc1\x80"
	      "clinic.example",
	      .name = "email with an overlong @", BAD_UTF8),
	EMAIL("alice@clinic\xc0\xae"
	      "example",
	      .name = "email with an overlong dot", BAD_UTF8),
	EMAIL("alice@clinic.example\xff", .name = "email with a byte of no encoding", BAD_UTF8),
	EMAIL("alice\xed\xa0\x80@clinic.example", .name = "email with a surrogate", BAD_UTF8),
	DO("an email with a local part of 65 bytes", long_email, .number = 65),
	DO("an email of 321 bytes", long_email, .number = 306),
	DO("an email of 20,000 bytes", long_email, .number = 20000),
	DO("an email with a domain of 254 bytes", long_domain, .number = 120),
	EMAIL("alice@evil.example", WRONG_DOMAIN),
	EMAIL("alice@sub.clinic.example", WRONG_DOMAIN),
	EMAIL("alice@clinic.example.evil.example", WRONG_DOMAIN),
	EMAIL("alice@xclinic.example", WRONG_DOMAIN),
	EMAIL("alice@clinic.example.com", WRONG_DOMAIN),
	EMAIL("alice@clinic.exampl", WRONG_DOMAIN),
	EMAIL("alice@linic.example", WRONG_DOMAIN),
	EMAIL("alice@clinic-example.com", WRONG_DOMAIN),
	EMAIL("alice@hospital.example", WRONG_DOMAIN),
	EMAIL("alice@clinic.examp1e", WRONG_DOMAIN),
	EMAIL("alice@xn--clnic-2va.example", WRONG_DOMAIN),
	EMAIL("alice@localhost.localdomain", WRONG_DOMAIN),
	EMAIL("bob@clinic.example", .reason = REASON_SUBJECT_CHANGED),
	EMAIL("carol@clinic.example", OTHER),
	EMAIL("root@clinic.example", OTHER),
	EMAIL("alice2@clinic.example", OTHER),
	EMAIL("a.lice@clinic.example", OTHER),
	EMAIL("alic@clinic.example", OTHER),
	EMAIL("alice-@clinic.example", OTHER),
	EMAIL("_alice@clinic.example", OTHER),
	EMAIL("alice+root@clinic.example", UNFIT),
	EMAIL("+alice@clinic.example", UNFIT),
	EMAIL("-alice@clinic.example", UNFIT),
	EMAIL("alice/root@clinic.example", UNFIT),
	EMAIL("al'ice@clinic.example", UNFIT),
	EMAIL("alice$@clinic.example", UNFIT),
	EMAIL("*@clinic.example", UNFIT),
	EMAIL("%@clinic.example", UNFIT),
	EMAIL("1alice@clinic.example", UNFIT),
	EMAIL("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@clinic.example", UNFIT),
};

/* ---- email_verified ---- */

static const struct attack email_verified[] = {
	DROP("email_verified"),
	SET("email_verified", "false"),
	SET("email_verified", "null"),
	SET("email_verified", "\"true\""),
	SET("email_verified", "\"True\""),
	SET("email_verified", "\"yes\""),
	SET("email_verified", "\"\""),
	SET("email_verified", "1"),
	SET("email_verified", "1.0"),
	SET("email_verified", "0"),
	SET("email_verified", "[true]"),
	SET("email_verified", "{\"value\":true}"),
	SET("email_verified", "[]"),
	RENAME("email_verified", "emailVerified"),
	RENAME("email_verified", "Email_Verified"),
};

/* Where its absence is let pass, what is there and not true is not. */
static const struct attack email_verified_if_present[] = {
	SET("email_verified", "false", .name = "email_verified false, if-present"),
	SET("email_verified", "\"true\"", .name = "email_verified \"true\", if-present"),
	SET("email_verified", "\"false\"", .name = "email_verified \"false\", if-present"),
	SET("email_verified", "0", .name = "email_verified 0, if-present"),
	SET("email_verified", "1", .name = "email_verified 1, if-present"),
	SET("email_verified", "[]", .name = "email_verified [], if-present"),
	SET("email_verified", "{}", .name = "email_verified {}, if-present"),
};

/* ---- groups: Clinic IT may sign in ---- */

static void many_groups(struct forgery *forgery, const struct attack *attack)
{
	size_t count = (size_t)attack->number;
	_cleanup_free_ char *value = malloc(count * 16 + 64);
	char *out = value;

	forge_must(value);
	out += sprintf(out, "[\"Clinic IT\"");
	for (size_t i = 1; i < count; i++)
		out += sprintf(out, ",\"%zu\"", i);
	(void)strcpy(out, "]");
	member_set(&forgery->payload, "groups", value);
}

#define NO_GROUP_LIST .reason = REASON_TOKEN_INVALID, .because = "groups: "

static const struct attack groups[] = {
	DROP("groups"),
	SET("groups", "null"),
	SET("groups", "[]"),
	SET("groups", "[\"\"]"),
	SET("groups", "[\"Radiology\"]"),
	SET("groups", "[\"Clinic it\"]"),
	SET("groups", "[\"CLINIC IT\"]"),
	SET("groups", "[\"clinic it\",\"Everyone\"]"),
	SET("groups", "[\"Clinic IT \"]"),
	SET("groups", "[\" Clinic IT\"]"),
	SET("groups", "[\"Clinic  IT\"]"),
	SET("groups", "[\"Clinic\\tIT\"]"),
	SET("groups", "[\"Clinic IT\\n\"]"),
	SET("groups", "[\"Clinic\xc2\xa0IT\"]", .name = "a group with a space that does not break"),
	SET("groups", "[\"Clinic\",\"IT\"]"),
	SET("groups", "[\"Clinic ITs\"]"),
	SET("groups", "[\"Clinic I\"]"),
	SET("groups", "[\"xClinic IT\"]"),
	SET("groups", "[\"Clinic IT,Everyone\"]"),
	SET("groups", "[\"Everyone,Clinic IT\"]"),
	SET("groups", "[\"Clinic_IT\"]"),
	SET("groups", "[\"Clinic%20IT\"]"),
	SET("groups", "[\"*\"]"),
	SET("groups", "[\".*\"]"),
	SET("groups", "[\"Clinic*\"]"),
	SET("groups", "[\"\xd0\xa1linic IT\"]", .name = "a group with a Cyrillic letter"),
	SET("groups", "[\"Clinic IT\\u200b\"]"),
	SET("groups", "[\"Clinic IT\\u202e\"]"),
	SET("groups", "[\"Clinic IT\\u0000\"]", BAD_NUL),
	SET("groups", "\"\""),
	SET("groups", "\"Clinic IT\"", NO_GROUP_LIST),
	SET("groups", "{\"Clinic IT\":true}", NO_GROUP_LIST),
	SET("groups", "[[\"Clinic IT\"]]", NO_GROUP_LIST),
	SET("groups", "[\"Clinic IT\",1]", NO_GROUP_LIST),
	SET("groups", "[\"Clinic IT\",null]", NO_GROUP_LIST),
	SET("groups", "[{\"name\":\"Clinic IT\"}]", NO_GROUP_LIST),
	SET("groups", "true", NO_GROUP_LIST),
	SET("groups", "1", NO_GROUP_LIST),
	DO("1,001 groups", many_groups, .number = 1001, NO_GROUP_LIST),
	RENAME("groups", "Groups"),
	RENAME("groups", "roles"),
};

/* ---- the claim that gives the account's name ---- */

#define NO_LINE .reason = REASON_TOKEN_INVALID, .because = "linux_name: "

static const struct attack username[] = {
	DROP("linux_name", UNFIT),
	SET("linux_name", "null", UNFIT),
	SET("linux_name", "\"\"", UNFIT),
	SET("linux_name", "\"Alice\"", UNFIT),
	SET("linux_name", "\"alice \"", UNFIT),
	SET("linux_name", "\" alice\"", UNFIT),
	SET("linux_name", "\"alice:x:0:0\"", UNFIT),
	SET("linux_name", "\"../alice\"", UNFIT),
	SET("linux_name", "\"/etc/passwd\"", UNFIT),
	SET("linux_name", "\"-alice\"", UNFIT),
	SET("linux_name", "\"alice@clinic.example\"", UNFIT),
	SET("linux_name", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", UNFIT),
	SET("linux_name", "\"\xd0\xb0lice\"", .name = "linux_name with a Cyrillic letter", UNFIT),
	SET("linux_name", "\"0\"", UNFIT),
	SET("linux_name", "\"bob\"", OTHER),
	SET("linux_name", "\"root\"", OTHER),
	SET("linux_name", "\"sudo\"", OTHER),
	SET("linux_name", "\"alice2\"", OTHER),
	SET("linux_name", "\"alice\\n\"", NO_LINE),
	SET("linux_name", "\"alice\\nroot\"", NO_LINE),
	SET("linux_name", "\"alice\\u202e\"", NO_LINE),
	SET("linux_name", "\"alice\\u0000\"", BAD_NUL),
	SET("linux_name", "1", NO_LINE),
	SET("linux_name", "[\"alice\"]", NO_LINE),
	SET("linux_name", "{\"alice\":true}", NO_LINE),
	SET("linux_name", "true", NO_LINE),
};

const struct attack_list *identity_attacks(size_t *ret_count)
{
	static const struct attack_list lists[] = {
		LIST("sub", PART_PAYLOAD, sub),
		LIST("email", PART_PAYLOAD, email, .reason = REASON_EMAIL_INVALID, .record = RECORD_WITHOUT_ALICE),
		LIST("email_verified", PART_PAYLOAD, email_verified, .reason = REASON_EMAIL_UNVERIFIED),
		LIST("email_verified, if-present", PART_PAYLOAD, email_verified_if_present,
		     .reason = REASON_EMAIL_UNVERIFIED, .tenant = TENANT_IF_PRESENT),
		LIST("groups", PART_PAYLOAD, groups, .reason = REASON_GROUP_MISSING),
		LIST("the claim that names the account", PART_PAYLOAD, username, .tenant = TENANT_CLAIM,
		     .record = RECORD_WITHOUT_ALICE),
	};

	*ret_count = sizeof(lists) / sizeof(lists[0]);
	return lists;
}
