/*
 * Who asks to be admitted: the identity that pam_oidcd took from a verified token, as its `admit` message carries it.
 */
#ifndef PROVISIOND_CANDIDATE_H
#define PROVISIOND_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "common/wire.h"

enum email_claim { EMAIL_UNSAID, EMAIL_UNVERIFIED, EMAIL_VERIFIED };

struct candidate {
	const char *issuer;
	const char *client_id;
	const char *subject;
	const char *email; /* NULL: none that could be used */
	enum email_claim email_verified;
	const char *full_name; /* "" when there is none */
	const char *username;  /* of the claim that names accounts; NULL when there is none */
	const char **groups;   /* on the heap */
	size_t group_count;
};

/* Takes it from a message, within the limits of every field. The strings point into the message. False when the message
 * is not as it must be; on success the caller clears it. */
bool candidate_from_message(const struct wire_message *message, struct candidate *ret_candidate);
/* Takes an empty one. */
void candidate_clear(struct candidate *candidate);

#define _cleanup_candidate_ _cleanup_(candidate_clear)

#endif
