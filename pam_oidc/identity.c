/*
 * Reads a person's profile claims, from a verified ID token and from userinfo alike. See identity.h. The same claims
 * are read by the same functions from either source into a struct identity; completing one is then a matter of moving
 * what is missing.
 */
#include "pam_oidc/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pam_oidc/json_strict.h"

/* What goes wrong with memory; every other fault names a claim. */
static const char memory_fault[] = "the identity does not fit into memory";

struct code_point_range {
	uint32_t first, last;
};

/* Characters that move a cursor, end a line, or make text read otherwise than it is stored. */
static const struct code_point_range unsafe_ranges[] = {
	{ 0x00, 0x1f },       { 0x7f, 0x9f },     /* C0, DEL, C1 */
	{ 0x061c, 0x061c },   { 0x200e, 0x200f }, /* direction marks */
	{ 0x2028, 0x202e },   { 0x2066, 0x2069 }, /* line ends, embeddings, overrides, isolates */
	{ 0xfeff, 0xfeff },   { 0xfff9, 0xfffb }, /* byte order mark, annotations */
	{ 0xe0000, 0xe007f },                     /* tags */
};

/* The code point at the start of valid UTF-8, and how many bytes it takes. */
static uint32_t code_point(const char *text, size_t *ret_length)
{
	const unsigned char *byte = (const unsigned char *)text;
	size_t length = byte[0] < 0x80 ? 1 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
	uint32_t value = length == 1 ? byte[0] : byte[0] & (0x7fU >> length);

	for (size_t i = 1; i < length; i++)
		value = value << 6 | (byte[i] & 0x3f);
	*ret_length = length;
	return value;
}

static bool is_unsafe(uint32_t value)
{
	for (size_t i = 0; i < sizeof(unsafe_ranges) / sizeof(unsafe_ranges[0]); i++)
		if (value >= unsafe_ranges[i].first && value <= unsafe_ranges[i].last)
			return true;
	return false;
}

static bool has_unsafe_characters(const char *text)
{
	size_t length;

	for (; *text != '\0'; text += length)
		if (is_unsafe(code_point(text, &length)))
			return true;
	return false;
}

/* The claim; NULL also when it is null or an empty string, which mean "not returned" (Core, section 5.3.2). */
static const json_t *profile_claim(const json_t *claims, const char *name)
{
	const json_t *value = json_object_get(claims, name);

	if (json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0))
		return NULL;
	return value;
}

static void strings_clear(struct identity_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct identity_strings){ 0 };
}

/* Appends a copy; items must have room. */
static bool strings_append(struct identity_strings *strings, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return false;
	strings->items[strings->count++] = copy;
	return true;
}

static const char *email_fault(const json_t *email)
{
	if (!json_is_string(email))
		return "is no string";
	if (json_string_length(email) > IDENTITY_EMAIL_MAX)
		return "is too long";
	return has_unsafe_characters(json_string_value(email)) ? "has control characters in it" : NULL;
}

/* Section 5.1. The two are one statement: without an email, email_verified speaks of nothing. */
static bool read_email(const json_t *claims, struct identity *identity, char *fault, size_t fault_size)
{
	const json_t *email = profile_claim(claims, "email");
	const json_t *verified = profile_claim(claims, "email_verified");

	if (!email)
		return true;
	if (verified)
		identity->email_verified = json_is_true(verified) ? EMAIL_VERIFICATION_TRUE : EMAIL_VERIFICATION_FALSE;
	identity->email_fault = email_fault(email);
	if (identity->email_fault)
		return true;
	identity->email = strdup(json_string_value(email));
	if (!identity->email)
		(void)snprintf(fault, fault_size, "%s", memory_fault);
	return identity->email != NULL;
}

/* One line: runs of spaces and unsafe characters become one space, the ends are trimmed, and what is too long is cut
 * between two characters. NULL when memory ran out. */
static char *one_line(const char *text)
{
	char *line = malloc(IDENTITY_NAME_MAX + 1);
	size_t used = 0;
	size_t length;
	bool space = false;

	if (!line)
		return NULL;
	for (; *text != '\0'; text += length) {
		uint32_t value = code_point(text, &length);

		if (value == ' ' || is_unsafe(value)) {
			space = used > 0;
			continue;
		}
		if (used + space + length > IDENTITY_NAME_MAX)
			break;
		if (space)
			line[used++] = ' ';
		memcpy(line + used, text, length);
		used += length;
		space = false;
	}
	line[used] = '\0';
	return line;
}

/* Section 5.1. Only shown to people, so it is made fit rather than refused; a `name` that is no string is none. */
static bool read_full_name(const json_t *claims, struct identity *identity, char *fault, size_t fault_size)
{
	const char *name = json_string_value(profile_claim(claims, "name"));
	_cleanup_free_ char *line = NULL;

	if (!name)
		return true;
	line = one_line(name);
	if (!line) {
		(void)snprintf(fault, fault_size, "%s", memory_fault);
		return false;
	}
	if (line[0] != '\0')
		identity->full_name = take_pointer(line);
	return true;
}

/* A name that no configuration can hold grants nothing, so it is left out. */
static bool is_usable_group(const char *name)
{
	return name[0] != '\0' && strlen(name) <= IDENTITY_GROUP_MAX && !has_unsafe_characters(name);
}

static bool read_groups(const json_t *claims, struct identity *identity, char *fault, size_t fault_size)
{
	const json_t *groups = profile_claim(claims, "groups");
	size_t total = 0;

	if (!groups)
		return true;
	if (!json_strict_is_string_array(groups, IDENTITY_GROUPS_MAX)) {
		(void)snprintf(fault, fault_size, "groups: is no array of at most %d strings", IDENTITY_GROUPS_MAX);
		return false;
	}
	identity->groups.items = calloc(json_array_size(groups) + 1, sizeof(*identity->groups.items));
	for (size_t i = 0; identity->groups.items && i < json_array_size(groups); i++) {
		const char *name = json_string_value(json_array_get(groups, i));

		if (!is_usable_group(name))
			continue;
		total += strlen(name) + 1;
		if (total > IDENTITY_GROUPS_SIZE_MAX) {
			(void)snprintf(fault, fault_size, "groups: the names are longer than %zu bytes together",
				       IDENTITY_GROUPS_SIZE_MAX);
			return false;
		}
		if (!strings_append(&identity->groups, name)) {
			(void)snprintf(fault, fault_size, "%s", memory_fault);
			return false;
		}
	}
	identity->groups_known = identity->groups.items != NULL;
	if (!identity->groups_known)
		(void)snprintf(fault, fault_size, "%s", memory_fault);
	return identity->groups_known;
}

static bool read_username(const json_t *claims, const char *claim, struct identity *identity, char *fault,
			  size_t fault_size)
{
	const json_t *value = claim ? profile_claim(claims, claim) : NULL;
	const char *text = json_string_value(value);

	if (!value)
		return true;
	if (!text || strlen(text) > IDENTITY_USERNAME_MAX || has_unsafe_characters(text)) {
		(void)snprintf(fault, fault_size, "%s: is no string of at most %d bytes without control characters",
			       claim, IDENTITY_USERNAME_MAX);
		return false;
	}
	identity->username = strdup(text);
	if (!identity->username)
		(void)snprintf(fault, fault_size, "%s", memory_fault);
	return identity->username != NULL;
}

static bool read_profile(const json_t *claims, const char *username_claim, struct identity *identity, char *fault,
			 size_t fault_size)
{
	return read_email(claims, identity, fault, fault_size) && read_full_name(claims, identity, fault, fault_size) &&
	       read_groups(claims, identity, fault, fault_size) &&
	       read_username(claims, username_claim, identity, fault, fault_size);
}

/* What the verifier itself vouches for. */
static bool copy_binding(const struct verified_token *token, struct identity *identity)
{
	identity->issuer = strdup(verified_token_issuer(token));
	identity->client_id = strdup(verified_token_client_id(token));
	identity->subject = strdup(verified_token_subject(token));
	identity->auth_time = verified_token_auth_time(token);
	identity->amr.items = calloc(IDENTITY_AMR_MAX, sizeof(*identity->amr.items));
	if (!identity->issuer || !identity->client_id || !identity->subject || !identity->amr.items)
		return false;
	for (size_t i = 0; i < IDENTITY_AMR_MAX && verified_token_amr(token, i); i++)
		if (!strings_append(&identity->amr, verified_token_amr(token, i)))
			return false;
	return true;
}

bool identity_from_token(const struct verified_token *token, const char *username_claim, struct identity **ret_identity,
			 char *fault, size_t fault_size)
{
	_cleanup_identity_ struct identity *identity = calloc(1, sizeof(*identity));

	if (!identity || !copy_binding(token, identity)) {
		(void)snprintf(fault, fault_size, "%s", memory_fault);
		return false;
	}
	if (!read_profile(verified_token_claims(token), username_claim, identity, fault, fault_size))
		return false;
	*ret_identity = take_pointer(identity);
	return true;
}

void identity_free(struct identity *identity)
{
	if (!identity)
		return;
	free(identity->issuer);
	free(identity->client_id);
	free(identity->subject);
	free(identity->email);
	free(identity->full_name);
	free(identity->username);
	strings_clear(&identity->groups);
	strings_clear(&identity->amr);
	free(identity);
}

static bool has_email_claim(const struct identity *identity)
{
	return identity->email || identity->email_fault;
}

bool identity_is_thin(const struct identity *identity, const struct identity_needs *needs)
{
	if (!has_email_claim(identity))
		return true;
	if (needs->email_verified && identity->email_verified == EMAIL_VERIFICATION_ABSENT)
		return true;
	if (needs->groups && !identity->groups_known)
		return true;
	return needs->username_claim && !identity->username;
}

/* Section 5.3.2: a response about somebody else must not be used, and one that does not say about whom neither. */
static bool is_about(const json_t *userinfo, const struct identity *identity, char *fault, size_t fault_size)
{
	const char *subject = json_strict_string(userinfo, "sub");

	if (!subject)
		(void)snprintf(fault, fault_size, "userinfo's sub is missing or no string");
	else if (strcmp(subject, identity->subject) != 0)
		(void)snprintf(fault, fault_size, "userinfo's sub is not the ID token's: it is about somebody else");
	return subject && strcmp(subject, identity->subject) == 0;
}

/* Whether userinfo's pair of email and email_verified replaces the token's, as a whole. */
static bool email_is_better(const struct identity *token, const struct identity *userinfo)
{
	if (!has_email_claim(token))
		return has_email_claim(userinfo);
	return token->email && token->email_verified == EMAIL_VERIFICATION_ABSENT && userinfo->email &&
	       userinfo->email_verified != EMAIL_VERIFICATION_ABSENT;
}

static void move_email(struct identity *from, struct identity *to)
{
	free(to->email);
	to->email = take_pointer(from->email);
	to->email_fault = from->email_fault;
	to->email_verified = from->email_verified;
}

static void move_missing(struct identity *from, struct identity *to)
{
	if (email_is_better(to, from))
		move_email(from, to);
	if (!to->full_name)
		to->full_name = take_pointer(from->full_name);
	if (!to->username)
		to->username = take_pointer(from->username);
	if (!to->groups_known) {
		strings_clear(&to->groups);
		to->groups = from->groups;
		to->groups_known = from->groups_known;
		from->groups = (struct identity_strings){ 0 };
	}
}

bool identity_complete(struct identity *identity, const char *userinfo, size_t length, const char *username_claim,
		       char *fault, size_t fault_size)
{
	_cleanup_identity_ struct identity *found = NULL;
	_cleanup_json_ json_t *claims = NULL;
	char problem[96];

	if (length > USERINFO_SIZE_MAX) {
		(void)snprintf(fault, fault_size, "userinfo is larger than %zu bytes", USERINFO_SIZE_MAX);
		return false;
	}
	claims = json_strict_object(userinfo, length, problem, sizeof(problem));
	if (!claims) {
		(void)snprintf(fault, fault_size, "userinfo %s", problem);
		return false;
	}
	if (!is_about(claims, identity, fault, fault_size))
		return false;
	found = calloc(1, sizeof(*found));
	if (!found) {
		(void)snprintf(fault, fault_size, "%s", memory_fault);
		return false;
	}
	if (!read_profile(claims, username_claim, found, fault, fault_size))
		return false;
	move_missing(found, identity);
	return true;
}
