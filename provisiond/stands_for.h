/*
 * What a typed name stands for: which tenant's person, and which account. Pure; whether the account may exist is not
 * asked here.
 */
#ifndef PROVISIOND_STANDS_FOR_H
#define PROVISIOND_STANDS_FOR_H

#include <stdbool.h>

#include "common/config.h"
#include "common/names.h"
#include "common/reason.h"
#include "provisiond/account_record.h"
#include "provisiond/expected.h"

struct stands_for {
	enum reason reason;          /* REASON_NONE, or why it stands for no account of ours */
	const char *fault;           /* with REASON_NAME_UNFIT: the end of a sentence that begins with the name */
	const struct tenant *tenant; /* with REASON_NONE; lives as long as the configuration */
	bool is_email;
	struct email email;                 /* when is_email */
	char account[ACCOUNT_NAME_MAX + 1]; /* with REASON_NONE; "" when only a claim of the person's token will tell */
};

/* Decides for `typed`. `record` is what is on record for it, or NULL: for a short name the account of that name, for an
 * email the account of that tenant whose person has the email. `expected` is who is expected under the name or with the
 * email, or NULL; a record comes first. Local users are the caller's business; root is never
 * ours.
 *
 * An email belongs to the tenant one of whose domains it has, exactly; its account is the record's, else the one
 * that the admin chose for whoever is expected, else the one that the tenant's username format gives. A short name
 * belongs to its record's tenant, else to that of whoever is expected under it, else to the tenant by whose format
 * it could have been made (a plain %l only as the default tenant's, and last), else to a default tenant that takes
 * names from a claim. */
void stands_for(const struct config *config, const char *typed, const struct account_record *record,
		const struct expected *expected, struct stands_for *ret_stands);

/* The tenant that an account is bound to, or NULL when the configuration does not have it any more. A tenant may be
 * renamed there: its issuer stays. */
const struct tenant *tenant_of_record(const struct config *config, const struct account_record *record);

/* The tenant that a short name without a record belongs to, or NULL. */
const struct tenant *owner_of_short_name(const struct config *config, const char *name);

#endif
