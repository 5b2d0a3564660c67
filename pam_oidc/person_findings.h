/*
 * What somebody's token says, held against what the configuration asks of people: would this person get in, and would
 * others like them? Pure. Which account they get is provisiond's to say.
 */
#ifndef PAM_OIDC_PERSON_FINDINGS_H
#define PAM_OIDC_PERSON_FINDINGS_H

#include "common/config.h"
#include "pam_oidc/finding.h"
#include "pam_oidc/identity.h"

/* Tells one finding each about email, email_verified (of an email that can be used), groups, amr, and, where it names
 * accounts, username. */
void find_about_person(const struct tenant *tenant, const struct identity *identity, finding_found *found,
		       void *context);

#endif
