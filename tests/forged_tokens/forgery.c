/*
 * Puts a token together again from its pieces. See forgery.h.
 */
#include "tests/forged_tokens/forgery.h"

#include "tests/unit/forge.h"

/* ---- members ---- */

static char *copy(const char *text)
{
	char *made = strdup(text);

	forge_must(made);
	return made;
}

static void remove_at(struct members *members, size_t index)
{
	free(members->list[index].name);
	free(members->list[index].value);
	members->count--;
	for (size_t i = index; i < members->count; i++)
		members->list[i] = members->list[i + 1];
}

void member_drop(struct members *members, const char *name)
{
	for (size_t i = members->count; i > 0; i--)
		if (strcmp(members->list[i - 1].name, name) == 0)
			remove_at(members, i - 1);
}

void member_add(struct members *members, const char *name, const char *value)
{
	forge_must(members->count < MEMBERS_MAX);
	members->list[members->count++] = (struct member){ copy(name), value ? copy(value) : NULL };
}

void member_add_first(struct members *members, const char *name, const char *value)
{
	struct member last;

	member_add(members, name, value);
	last = members->list[members->count - 1];
	for (size_t i = members->count - 1; i > 0; i--)
		members->list[i] = members->list[i - 1];
	members->list[0] = last;
}

void member_set(struct members *members, const char *name, const char *value)
{
	member_drop(members, name);
	member_add(members, name, value);
}

void member_rename(struct members *members, const char *name, const char *new_name)
{
	for (size_t i = 0; i < members->count; i++) {
		if (strcmp(members->list[i].name, name) != 0)
			continue;
		free(members->list[i].name);
		members->list[i].name = copy(new_name);
	}
}

void members_reverse(struct members *members)
{
	for (size_t i = 0; i < members->count / 2; i++) {
		struct member one = members->list[i];

		members->list[i] = members->list[members->count - 1 - i];
		members->list[members->count - 1 - i] = one;
	}
}

const char *member_value(const struct members *members, const char *name)
{
	for (size_t i = 0; i < members->count; i++)
		if (strcmp(members->list[i].name, name) == 0)
			return members->list[i].value;
	return NULL;
}

static void members_clear(struct members *members)
{
	while (members->count > 0)
		remove_at(members, members->count - 1);
}

static char *members_text_with(const struct members *members, const char *token)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	forge_must(out);
	(void)fputc('{', out);
	for (size_t i = 0; i < members->count; i++)
		(void)fprintf(out, "%s\"%s\":%s", i ? "," : "", members->list[i].name,
			      members->list[i].value ? members->list[i].value : token);
	(void)fputc('}', out);
	forge_must(fclose(out) == 0);
	return text;
}

char *members_text(const struct members *members)
{
	return members_text_with(members, "null");
}

char *quoted(const char *bytes, size_t length)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	forge_must(out);
	(void)fputc('"', out);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte < ' ' || byte == '"' || byte == '\\' || byte == 0x7f)
			(void)fprintf(out, "\\u%04x", byte);
		else
			(void)fputc(byte, out);
	}
	(void)fputc('"', out);
	forge_must(fclose(out) == 0);
	return text;
}

/* ---- the sound token ---- */

void sign_as(struct forgery *forgery, EVP_PKEY *key, const char *kid, const char *alg)
{
	_cleanup_free_ char *hash = forge_at_hash(alg, ACCESS_TOKEN);
	_cleanup_free_ char *hash_text = quoted(hash, strlen(hash));
	_cleanup_free_ char *kid_text = quoted(kid, strlen(kid));
	_cleanup_free_ char *alg_text = quoted(alg, strlen(alg));

	forgery->key = key;
	forgery->alg = alg;
	member_set(&forgery->header, "kid", kid_text);
	member_set(&forgery->header, "alg", alg_text);
	member_set(&forgery->payload, "at_hash", hash_text);
}

static void put_claims(struct members *payload)
{
	static const char *const claims[][2] = {
		{ "sub", "\"" SUBJECT "\"" },
		{ "name", "\"Alice Example\"" },
		{ "email", "\"alice@clinic.example\"" },
		{ "email_verified", "true" },
		{ "ver", "1" },
		{ "iss", "\"" ISSUER "\"" },
		{ "aud", "\"" CLIENT "\"" },
		{ "iat", "1899999999" },
		{ "exp", "1900003599" },
		{ "jti", "\"ID.one\"" },
		{ "amr", "[\"mfa\",\"otp\",\"pwd\"]" },
		{ "idp", "\"00o1clinic\"" },
		{ "preferred_username", "\"alice@clinic.example\"" },
		{ "auth_time", "1899999970" },
		{ "groups", "[\"Everyone\",\"Clinic IT\"]" },
		{ "linux_name", "\"alice\"" },
	};

	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		member_add(payload, claims[i][0], claims[i][1]);
}

struct forgery *forgery_of_sound(enum kind_of_key kind)
{
	struct forgery *forgery = calloc(1, sizeof(*forgery));
	const struct keys *keys = keys_made();

	forge_must(forgery);
	forgery->kind_of_key = kind;
	forgery->now_s = NOW_S;
	forgery->keys = keys->published;
	forgery->userinfo_status = 200;
	put_claims(&forgery->payload);
	if (kind == KEY_RSA)
		sign_as(forgery, keys->rsa, KID_RSA, "RS256");
	else
		sign_as(forgery, keys->ec, KID_EC, "ES256");
	member_add(&forgery->answer, "token_type", "\"Bearer\"");
	member_add(&forgery->answer, "expires_in", "3600");
	member_add(&forgery->answer, "access_token", "\"" ACCESS_TOKEN "\"");
	member_add(&forgery->answer, "scope", "\"openid profile email\"");
	member_add(&forgery->answer, "id_token", NULL);
	member_add(&forgery->userinfo, "sub", "\"" SUBJECT "\"");
	return forgery;
}

void forgery_free(struct forgery *forgery)
{
	if (!forgery)
		return;
	members_clear(&forgery->header);
	members_clear(&forgery->payload);
	members_clear(&forgery->answer);
	members_clear(&forgery->userinfo);
	free(forgery->header_text);
	free(forgery->payload_text);
	free(forgery->answer_text);
	free(forgery->userinfo_text);
	free(forgery);
}

void change(text_change **list, text_change *function)
{
	size_t i = 0;

	while (list[i])
		i++;
	forge_must(i < CHANGES_MAX);
	list[i] = function;
}

/* ---- putting it together ---- */

static char *changed(char *text, text_change *const *list)
{
	for (size_t i = 0; i < CHANGES_MAX && list[i]; i++)
		text = list[i](text);
	return text;
}

static char *segment(const struct members *members, const char *text, size_t text_length, text_change *const *of_text,
		     text_change *const *of_segment)
{
	_cleanup_free_ char *made = text ? NULL : changed(members_text(members), of_text);
	char *encoded = made ? forge_base64url(made, strlen(made)) : forge_base64url(text, text_length);

	return changed(encoded, of_segment);
}

size_t honest_signature(const struct forgery *forgery, const char *input, unsigned char *ret_signature)
{
	/* Two attacks together may want PSS of an EC key. */
	bool possible = EVP_PKEY_is_a(forgery->key, "RSA") || strncmp(forgery->alg, "PS", 2) != 0;

	return forge_signature(forgery->key, possible ? forgery->alg : "ES256", input, ret_signature, SIGNATURE_MAX);
}

/* The third segment of the token as it was. Made once, because RSA takes its time. */
static const char *old_signature(enum kind_of_key kind)
{
	static char *signatures[KEY_KINDS];

	if (!signatures[kind]) {
		struct forgery *sound = forgery_of_sound(kind);
		_cleanup_free_ char *compact = forgery_compact(sound);

		signatures[kind] = copy(strrchr(compact, '.') + 1);
		forgery_free(sound);
	}
	return signatures[kind];
}

static char *signature_segment(const struct forgery *forgery, const char *input)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t length;

	if (forgery->old_signature)
		return copy(old_signature(forgery->kind_of_key));
	length = forgery->signer ? forgery->signer(forgery, input, signature)
				 : honest_signature(forgery, input, signature);
	return forge_base64url(signature, length);
}

char *forgery_compact(const struct forgery *forgery)
{
	_cleanup_free_ char *header = segment(&forgery->header, forgery->header_text, forgery->header_text_length,
					      forgery->of_header_text, forgery->of_header);
	_cleanup_free_ char *payload = segment(&forgery->payload, forgery->payload_text, forgery->payload_text_length,
					       forgery->of_payload_text, forgery->of_payload);
	_cleanup_free_ char *input = NULL, *signature = NULL;
	char *compact = NULL;

	forge_must(asprintf(&input, "%s.%s", header, payload) > 0);
	signature = changed(signature_segment(forgery, input), forgery->of_signature);
	forge_must(asprintf(&compact, "%s.%s", input, signature) > 0);
	return changed(compact, forgery->of_compact);
}

char *forgery_answer(const struct forgery *forgery, const char *compact)
{
	_cleanup_free_ char *token = quoted(compact, strlen(compact));
	const char *mark = forgery->answer_text ? strchr(forgery->answer_text, 1) : NULL;
	char *text = NULL;

	if (!forgery->answer_text)
		return members_text_with(&forgery->answer, token);
	if (!mark)
		return copy(forgery->answer_text);
	forge_must(asprintf(&text, "%.*s%s%s", (int)(mark - forgery->answer_text), forgery->answer_text, token,
			    mark + 1) > 0);
	return text;
}

char *forgery_userinfo(const struct forgery *forgery)
{
	return forgery->userinfo_text ? copy(forgery->userinfo_text) : members_text(&forgery->userinfo);
}

char *forgery_format(char *text, const char *format)
{
	const char *mark = strchr(format, '$');
	char *made = NULL;

	forge_must(mark && asprintf(&made, "%.*s%s%s", (int)(mark - format), format, text, mark + 1) >= 0);
	free(text);
	return made;
}
