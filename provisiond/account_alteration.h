/*
 * Changes the rows in passwd and shadow of an account that is there: its GECOS field, locks, ageing, expiry. Pure.
 */
#ifndef PROVISIOND_ACCOUNT_ALTERATION_H
#define PROVISIOND_ACCOUNT_ALTERATION_H

#include "provisiond/account_changes.h"

/* What is wrong with the values themselves, as the end of a sentence, or NULL. */
const char *account_alteration_fault(const struct account_alteration *alteration);
/* Memberships apart, which account_members.c sees to. DONE, TAKEN or STORAGE, with a fault. */
enum account_files_result account_alteration_apply(struct account_changes *changes,
						   const struct account_alteration *alteration);

#endif
