/*
 * What holds for every identity, wherever it was read from.
 */
#ifndef TESTS_FUZZ_PROFILE_H
#define TESTS_FUZZ_PROFILE_H

#include <string.h>

#include "pam_oidc/identity.h"
#include "provisiond/person_text.h"
#include "tests/fuzz/fuzz.h"

/* provisiond's rules, by provisiond's own code: an `admit` message with anything else in it would be dropped. */
static void check_profile(const struct identity *identity)
{
	size_t total = 0;

	holds(!identity->email || (identity->email[0] && !identity->email_fault));
	holds(!identity->email || person_text_ok(identity->email, IDENTITY_EMAIL_MAX));
	holds(identity->email || identity->email_fault || identity->email_verified == EMAIL_VERIFICATION_ABSENT);
	holds(!identity->full_name ||
	      (identity->full_name[0] && person_text_ok(identity->full_name, IDENTITY_NAME_MAX)));
	holds(!identity->username ||
	      (identity->username[0] && person_text_ok(identity->username, IDENTITY_USERNAME_MAX)));
	holds(identity->groups.count <= IDENTITY_GROUPS_MAX);
	holds(identity->groups.count == 0 || identity->groups_known);
	for (size_t i = 0; i < identity->groups.count; i++) {
		holds(identity->groups.items[i][0] && person_text_ok(identity->groups.items[i], IDENTITY_GROUP_MAX));
		total += strlen(identity->groups.items[i]) + 1;
	}
	holds(total <= IDENTITY_GROUPS_SIZE_MAX);
	holds(identity->amr.count <= IDENTITY_AMR_MAX);
	for (size_t i = 0; i < identity->amr.count; i++)
		holds(fuzz_is_sentence(identity->amr.items[i], 64));
}

#endif
