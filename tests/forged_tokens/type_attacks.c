/*
 * Attacks on the JSON: every claim with every value that is none of its own, every claim twice in every way, and
 * payloads and headers that are no JSON object of one reading.
 */
#include "tests/forged_tokens/attack.h"

#include "tests/unit/forge.h"

static const char *const claims[] = {
	"iss",       "sub", "aud",     "azp", "exp",   "iat",   "nbf",
	"auth_time", "amr", "at_hash", "jti", "nonce", "email", "email_verified",
	"groups",
};

#define CLAIMS (sizeof(claims) / sizeof(claims[0]))

/* ---- every claim with every value ---- */

static const char deep[] = "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]";

static const struct {
	const char *name, *value;
	bool is_json;
} values[] = {
	{ "null", "null", true },
	{ "true", "true", true },
	{ "false", "false", true },
	{ "zero", "0", true },
	{ "minus one", "-1", true },
	{ "minus zero", "-0", true },
	{ "a float", "1.5", true },
	{ "an empty string", "\"\"", true },
	{ "an empty array", "[]", true },
	{ "an array of a number", "[1]", true },
	{ "an array of null", "[null]", true },
	{ "an empty object", "{}", true },
	{ "an object", "{\"\":\"\"}", true },
	{ "a number beyond int64", "123456789012345678901234567890", false },
	{ "a number beyond double", "-1e999", false },
	{ "a string of a NUL", "\"\\u0000\"", false },
	{ "a string of an escape character", "\"\\u001b\"", true },
	{ "a string of overlong UTF-8", "\"\xc0\xaf\"", false },
	{ "a string of longer overlong UTF-8", "\"\xe0\x80\xaf\"", false },
	{ "a string of a code point beyond Unicode", "\"\xf4\x90\x80\x80\"", false },
	{ "a string of half a surrogate pair", "\"\\ud800\"", false },
	{ "a string of a surrogate's UTF-8", "\"\xed\xa0\x80\"", false },
	{ "a string with a newline in it", "\"a\nb\"", false },
	{ "a string that does not end", "\"abc", false },
	{ "a string in single quotes", "'abc'", false },
	{ "nothing", "", false },
	{ "undefined", "undefined", false },
	{ "17 levels", deep, false },
	{ "a member twice within", "{\"a\":1,\"a\":1}", false },
	{ "a comment", "/* */1", false },
};

#define VALUES (sizeof(values) / sizeof(values[0]))

/* What is no attack at all: the claim may have that value. */
static bool is_harmless(const char *claim, const char *value)
{
	static const char *const pairs[][2] = {
		{ "nbf", "0" },
		{ "nbf", "-0" },
		{ "email_verified", "true" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (strcmp(pairs[i][0], claim) == 0 && strcmp(pairs[i][1], value) == 0)
			return true;
	return false;
}

static struct attack value_attacks[CLAIMS * VALUES];
static char value_names[CLAIMS * VALUES][80];
static size_t value_count;

static void make_value_attacks(void)
{
	for (size_t i = 0; i < CLAIMS * VALUES; i++) {
		const char *claim = claims[i / VALUES], *value = values[i % VALUES].value;

		if (is_harmless(claim, value))
			continue;
		(void)snprintf(value_names[value_count], sizeof(value_names[value_count]), "%s: %s", claim,
			       values[i % VALUES].name);
		value_attacks[value_count] = (struct attack){
			.act = ACT_SET,
			.name = value_names[value_count],
			.member = claim,
			.value = value,
			.reason = values[i % VALUES].is_json ? REASON_WHICHEVER : REASON_TOKEN_INVALID,
			.because = values[i % VALUES].is_json ? NULL : "the payload ",
			/* An address that is no address matters to whom it would make an account for. */
			.record = strcmp(claim, "email") == 0 ? RECORD_WITHOUT_ALICE : RECORD_EITHER,
		};
		value_count++;
	}
}

/* ---- every claim twice ---- */

static const char *const other_values[CLAIMS] = {
	"\"https://evil.example\"",
	"\"00u9mallory\"",
	"\"0oa3other\"",
	"\"0oa3other\"",
	"1999999999",
	"1900000000",
	"1",
	"1900000000",
	"[\"pwd\"]",
	"\"AAAAAAAAAAAAAAAAAAAAAA\"",
	"\"ID.other\"",
	"\"n\"",
	"\"mallory@evil.example\"",
	"false",
	"[\"Wheel\"]",
};

enum twice { EVIL_LAST, EVIL_FIRST, ESCAPED_LAST, ESCAPED_FIRST, WHOLLY_ESCAPED, SAME_VALUE, TWICE_KINDS };

static const char *const twice_names[TWICE_KINDS] = {
	[EVIL_LAST] = "another one last",
	[EVIL_FIRST] = "another one first",
	[ESCAPED_LAST] = "another one last, with an escape in its name",
	[ESCAPED_FIRST] = "another one first, with an escape in its name",
	[WHOLLY_ESCAPED] = "another one last, its name in escapes",
	[SAME_VALUE] = "the same value",
};

/* The name with its first character, or all of them, as \u escapes. */
static void escape_name(const char *name, bool wholly, char *ret_name)
{
	for (size_t i = 0; name[i]; i++)
		ret_name += wholly || i == 0 ? sprintf(ret_name, "\\u%04X", (unsigned char)name[i])
					     : sprintf(ret_name, "%c", name[i]);
}

static void put_twice(struct forgery *forgery, const struct attack *attack)
{
	const char *old = member_value(&forgery->payload, attack->member);
	char escaped[128];

	/* Some are not there in the sound one. */
	if (!old)
		member_add(&forgery->payload, attack->member, attack->value);
	escape_name(attack->member, attack->number == WHOLLY_ESCAPED, escaped);
	switch ((enum twice)attack->number) {
	case EVIL_LAST:
		member_add(&forgery->payload, attack->member, attack->value);
		break;
	case EVIL_FIRST:
		member_add_first(&forgery->payload, attack->member, attack->value);
		break;
	case ESCAPED_LAST:
	case WHOLLY_ESCAPED:
		member_add(&forgery->payload, escaped, attack->value);
		break;
	case ESCAPED_FIRST:
		member_add_first(&forgery->payload, escaped, attack->value);
		break;
	case SAME_VALUE:
	case TWICE_KINDS:
		member_add(&forgery->payload, attack->member, old ? old : attack->value);
		break;
	}
}

static struct attack twice_attacks[CLAIMS * TWICE_KINDS];
static char twice_texts[CLAIMS * TWICE_KINDS][96];

static void make_twice_attacks(void)
{
	for (size_t i = 0; i < CLAIMS * TWICE_KINDS; i++) {
		size_t claim = i / TWICE_KINDS, kind = i % TWICE_KINDS;

		(void)snprintf(twice_texts[i], sizeof(twice_texts[i]), "%s twice, %s", claims[claim],
			       twice_names[kind]);
		twice_attacks[i] = (struct attack){
			.act = ACT_DO,
			.name = twice_texts[i],
			.apply = put_twice,
			.member = claims[claim],
			.value = other_values[claim],
			.number = (int)kind,
			.because = "the payload has a member twice",
		};
	}
}

/* ---- whole texts ---- */

TEXT(with_bom, "\xef\xbb\xbf$")
TEXT(with_garbage_behind, "${")
TEXT(with_object_behind, "${\"sub\":\"00u9mallory\"}")
TEXT(with_word_behind, "$ null")
TEXT(with_control_behind, "$\x01")
TEXT(with_object_before, "{}$")
TEXT(in_array, "[$]")
TEXT(with_comment, "/* $")
TEXT(with_vertical_tab, "\v$")
TEXT(with_no_break_space, "\xc2\xa0$")
TEXT(in_object, "{\"token\":$}")
TEXT(with_line_comment, "$// x")
TEXT(with_xssi_guard, ")]}',\n$")

static char *without_last_brace(char *text)
{
	text[strlen(text) - 1] = '\0';
	return text;
}

static char *with_last_comma(char *text)
{
	text = without_last_brace(text);
	return forgery_format(text, "$,}");
}

static char *without_first_brace(char *text)
{
	return memmove(text, text + 1, strlen(text));
}

static char *in_single_quotes(char *text)
{
	for (char *c = text; *c; c++)
		if (*c == '"')
			*c = '\'';
	return text;
}

static char *with_semicolons(char *text)
{
	for (char *c = text; *c; c++)
		if (*c == ',')
			*c = ';';
	return text;
}

static char *half_of_it(char *text)
{
	text[strlen(text) / 2] = '\0';
	return text;
}

static text_change *const text_changes[] = {
	with_bom,
	with_garbage_behind,
	with_object_behind,
	with_word_behind,
	with_control_behind,
	with_object_before,
	in_array,
	with_comment,
	with_vertical_tab,
	with_no_break_space,
	in_object,
	with_line_comment,
	with_xssi_guard,
	without_last_brace,
	with_last_comma,
	without_first_brace,
	in_single_quotes,
	with_semicolons,
	half_of_it,
};

static const char *const text_change_names[] = {
	"with a byte order mark",
	"with a brace behind",
	"with an object behind",
	"with a word behind",
	"with a control character behind",
	"with an object before",
	"in an array",
	"with half a comment",
	"after a vertical tab",
	"after a space that does not break",
	"in another object",
	"with a comment behind",
	"behind a guard against scripts",
	"without its last brace",
	"with a last comma",
	"without its first brace",
	"in single quotes",
	"with semicolons",
	"half of it",
};

#define TEXT_CHANGES (sizeof(text_changes) / sizeof(text_changes[0]))

static void change_payload_text(struct forgery *forgery, const struct attack *attack)
{
	change(forgery->of_payload_text, text_changes[attack->number]);
}

static void change_header_text(struct forgery *forgery, const struct attack *attack)
{
	change(forgery->of_header_text, text_changes[attack->number]);
}

static struct attack payload_text_attacks[TEXT_CHANGES], header_text_attacks[TEXT_CHANGES];
static char payload_text_names[TEXT_CHANGES][64], header_text_names[TEXT_CHANGES][64];

static void make_text_attacks(void)
{
	for (size_t i = 0; i < TEXT_CHANGES; i++) {
		(void)snprintf(payload_text_names[i], sizeof(payload_text_names[i]), "the payload %s",
			       text_change_names[i]);
		(void)snprintf(header_text_names[i], sizeof(header_text_names[i]), "the header %s",
			       text_change_names[i]);
		payload_text_attacks[i] = (struct attack){
			.act = ACT_DO,
			.name = payload_text_names[i],
			.apply = change_payload_text,
			.number = (int)i,
		};
		header_text_attacks[i] = (struct attack){
			.act = ACT_DO,
			.name = header_text_names[i],
			.apply = change_header_text,
			.number = (int)i,
		};
	}
	/* These have an object within an object: it is the claims that are missing. */
	payload_text_attacks[10].because = "iss: is missing";
	header_text_attacks[10].because = "alg: is missing";
}

/* ---- texts of their own ---- */

static const struct {
	const char *name, *text;
	size_t length;
} texts[] = {
	{ "empty", "", 0 },
	{ "a space", " ", 1 },
	{ "an empty object", "{}", 2 },
	{ "an empty array", "[]", 2 },
	{ "null", "null", 4 },
	{ "true", "true", 4 },
	{ "a number", "1", 1 },
	{ "a string", "\"{}\"", 4 },
	{ "a NUL", "\0", 1 },
	{ "an object and a NUL", "{}\0", 3 },
	{ "an object in UTF-16", "{\0}\0", 4 },
	{ "an object in UTF-16, big-endian", "\xfe\xff\0{\0}", 6 },
	{ "gzip", "\x1f\x8b\x08\0\0\0\0\0\0\3\xab\xae\5\0\x43\xbf\xa6\xa3\2\0\0\0", 22 },
	{ "XML", "<Assertion/>", 12 },
	{ "a member without a name", "{:1}", 4 },
	{ "a member named NUL", "{\"\\u0000\":1}", 12 },
	{ "a brace", "{", 1 },
};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static void put_payload(struct forgery *forgery, const struct attack *attack)
{
	free(forgery->payload_text);
	forgery->payload_text_length = texts[attack->number].length;
	forgery->payload_text = malloc(forgery->payload_text_length + 1);
	forge_must(forgery->payload_text);
	memcpy(forgery->payload_text, texts[attack->number].text, forgery->payload_text_length);
}

static void put_header(struct forgery *forgery, const struct attack *attack)
{
	free(forgery->header_text);
	forgery->header_text_length = texts[attack->number].length;
	forgery->header_text = malloc(forgery->header_text_length + 1);
	forge_must(forgery->header_text);
	memcpy(forgery->header_text, texts[attack->number].text, forgery->header_text_length);
}

static struct attack own_payloads[TEXTS], own_headers[TEXTS];
static char own_payload_names[TEXTS][64], own_header_names[TEXTS][64];

static void make_own_texts(void)
{
	for (size_t i = 0; i < TEXTS; i++) {
		(void)snprintf(own_payload_names[i], sizeof(own_payload_names[i]), "the payload is %s", texts[i].name);
		(void)snprintf(own_header_names[i], sizeof(own_header_names[i]), "the header is %s", texts[i].name);
		own_payloads[i] = (struct attack){
			.act = ACT_DO, .name = own_payload_names[i], .apply = put_payload, .number = (int)i
		};
		own_headers[i] = (struct attack){
			.act = ACT_DO, .name = own_header_names[i], .apply = put_header, .number = (int)i
		};
	}
	own_payloads[2].because = "iss: is missing";
	own_headers[2].because = "alg: is missing";
}

/* ---- nesting and sizes ---- */

static char *nested(size_t depth, char open, char closed)
{
	char *text = malloc(2 * depth + 2);

	forge_must(text);
	memset(text, open, depth);
	text[depth] = '1';
	memset(text + depth + 1, closed, depth);
	text[2 * depth + 1] = '\0';
	return text;
}

static void deep_claim(struct forgery *forgery, const struct attack *attack)
{
	_cleanup_free_ char *value = nested((size_t)attack->number, '[', ']');

	member_set(&forgery->payload, attack->member, value);
}

static void deep_header(struct forgery *forgery, const struct attack *attack)
{
	_cleanup_free_ char *value = nested((size_t)attack->number, '[', ']');

	member_set(&forgery->header, attack->member, value);
}

static void deep_objects(struct forgery *forgery, const struct attack *attack)
{
	size_t depth = (size_t)attack->number;
	char *text = malloc(depth * 6 + 2), *out = text;

	forge_must(text);
	for (size_t i = 0; i < depth; i++)
		out += sprintf(out, "{\"a\":");
	*out++ = '1';
	for (size_t i = 0; i < depth; i++)
		*out++ = '}';
	*out = '\0';
	member_set(&forgery->payload, attack->member, text);
	free(text);
}

static void open_brackets(struct forgery *forgery, const struct attack *attack)
{
	_cleanup_free_ char *value = nested((size_t)attack->number, '[', '[');

	member_set(&forgery->payload, attack->member, value);
}

static void long_claim(struct forgery *forgery, const struct attack *attack)
{
	_cleanup_free_ char *value = nested((size_t)attack->number, '"', 'x');

	memset(value + 1, 'x', 2 * (size_t)attack->number);
	value[2 * attack->number] = '"';
	member_set(&forgery->payload, attack->member, value);
}

#define DEEP .because = "is nested deeper than 16"

static const struct attack deep_attacks[] = {
	DO("an unknown claim nested 16 deep", deep_claim, .member = "extra", .number = 16, DEEP),
	DO("an unknown claim nested 1,000 deep", deep_claim, .member = "extra", .number = 1000, DEEP),
	DO("an unknown claim nested 20,000 deep", deep_claim, .member = "extra", .number = 20000, DEEP),
	DO("an unknown claim of objects nested 1,000 deep", deep_objects, .member = "extra", .number = 1000, DEEP),
	DO("an unknown claim of 20,000 brackets", open_brackets, .member = "extra", .number = 10000, DEEP),
	DO("groups nested 1,000 deep", deep_claim, .member = "groups", .number = 1000, DEEP),
	DO("aud nested 1,000 deep", deep_claim, .member = "aud", .number = 1000, DEEP),
	DO("email nested 1,000 deep", deep_claim, .member = "email", .number = 1000, DEEP),
	DO("a header member nested 1,000 deep", deep_header, .member = "extra", .number = 1000, DEEP),
	DO("kid nested 1,000 deep", deep_header, .member = "kid", .number = 1000, DEEP),
	DO("a claim that makes the token too long", long_claim, .member = "extra", .number = 30000,
	   .because = "has no ID token"),
};

const struct attack_list *type_attacks(size_t *ret_count)
{
	static struct attack_list lists[] = {
		LIST("claims with values of no use", PART_PAYLOAD, value_attacks),
		LIST("claims twice", PART_PAYLOAD, twice_attacks),
		LIST("a payload of more or less than an object", PART_PAYLOAD, payload_text_attacks,
		     .because = "the payload "),
		LIST("a header of more or less than an object", PART_HEADER, header_text_attacks,
		     .because = "the header "),
		LIST("another payload", PART_PAYLOAD, own_payloads, .because = "the payload "),
		LIST("another header", PART_HEADER, own_headers, .because = "the header "),
		LIST("nesting and size", PART_PAYLOAD, deep_attacks),
	};

	if (value_count == 0) {
		make_value_attacks();
		make_twice_attacks();
		make_text_attacks();
		make_own_texts();
		lists[0].count = value_count;
	}
	*ret_count = sizeof(lists) / sizeof(lists[0]);
	return lists;
}
