/*
 * Reads and limits identities. What they are good for is decided in admission.c.
 */
#include "provisiond/candidate.h"

#include <string.h>

#include "provisiond/person_text.h"

#define ISSUER_MAX 1024 /* bytes, as all of these */
#define CLIENT_ID_MAX 255
#define SUBJECT_MAX 255 /* OpenID Connect Core 1.0, section 2 */
#define EMAIL_TEXT_MAX 320
#define FULL_NAME_MAX 256
#define USERNAME_MAX 255
#define GROUP_MAX 255
#define GROUPS_MAX 1000

/* A field that must stand there, once, and not be empty. */
static bool needed(const struct wire_message *message, const char *key, size_t max, const char **ret_text)
{
	const char *text = wire_get(message, key);

	if (!text || text[0] == '\0' || !person_text_ok(text, max))
		return false;
	*ret_text = text;
	return true;
}

/* A field that may be missing or empty, which is the same, but must not stand twice. */
static bool optional(const struct wire_message *message, const char *key, size_t max, const char **ret_text)
{
	size_t cursor = 0;
	const char *text = wire_next(message, key, &cursor);

	if (!text || (text[0] == '\0' && wire_get(message, key)))
		return true;
	return needed(message, key, max, ret_text);
}

static bool read_email_verified(const struct wire_message *message, enum email_claim *ret_verified)
{
	const char *text = NULL;

	if (!optional(message, "email_verified", strlen("false"), &text))
		return false;
	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return false;
	*ret_verified = !text ? EMAIL_UNSAID : text[0] == 't' ? EMAIL_VERIFIED : EMAIL_UNVERIFIED;
	return true;
}

static bool read_groups(const struct wire_message *message, struct candidate *candidate)
{
	size_t count = 0, cursor = 0;
	const char *group;

	while (wire_next(message, "group", &cursor))
		count++;
	if (count > GROUPS_MAX)
		return false;
	candidate->groups = calloc(count + 1, sizeof(*candidate->groups));
	if (!candidate->groups)
		return false;
	for (cursor = 0; (group = wire_next(message, "group", &cursor)) != NULL;) {
		if (!person_text_ok(group, GROUP_MAX))
			return false;
		candidate->groups[candidate->group_count++] = group;
	}
	return true;
}

bool candidate_from_message(const struct wire_message *message, struct candidate *ret_candidate)
{
	_cleanup_candidate_ struct candidate candidate = { .full_name = "" };

	if (!needed(message, "issuer", ISSUER_MAX, &candidate.issuer) ||
	    !needed(message, "client_id", CLIENT_ID_MAX, &candidate.client_id) ||
	    !needed(message, "subject", SUBJECT_MAX, &candidate.subject) ||
	    !optional(message, "email", EMAIL_TEXT_MAX, &candidate.email) ||
	    !read_email_verified(message, &candidate.email_verified) ||
	    !optional(message, "full_name", FULL_NAME_MAX, &candidate.full_name) ||
	    !optional(message, "username", USERNAME_MAX, &candidate.username) || !read_groups(message, &candidate))
		return false;
	*ret_candidate = candidate;
	candidate.groups = NULL;
	return true;
}

void candidate_clear(struct candidate *candidate)
{
	free(candidate->groups);
	*candidate = (struct candidate){ 0 };
}
