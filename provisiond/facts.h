/*
 * Brings together what is known about a name: on record, in the account files, in sysusers.d, at other name services
 * and below /home. Reads, and decides nothing.
 */
#ifndef PROVISIOND_FACTS_H
#define PROVISIOND_FACTS_H

#include <stdint.h>

#include "provisiond/admission.h"
#include "provisiond/service.h"

/* What is on record for a typed name: see stands_for(). The caller clears *ret_record. A failure was logged. */
enum store_answer facts_record_of_typed(const struct service *service, const char *typed,
					struct account_record *ret_record);
/* The account on record that a typed name means: its own, or for an email the one that it stands for. The same. */
enum store_answer facts_record_meant(const struct service *service, const char *typed,
				     struct account_record *ret_record);
/* The account of that name on record. A failure was logged. */
enum store_answer facts_record_named(const struct service *service, const char *name,
				     struct account_record *ret_record);
/* now_s: epoch seconds. */
enum standing facts_standing(const struct service *service, const struct account_record *record, int64_t now_s);
/* Whether /etc/passwd has a row of that name: 1, 0 or -errno. */
int facts_local_user(const struct service *service, const char *name, uid_t *ret_uid);
/* Whether the typed name is that user's own: of the account on record, or in /etc/passwd. How long a no takes tells
 * nothing about the name. */
bool facts_is_name_of(const struct service *service, const char *typed, uid_t uid);
/* What the account of that name would be, and who is in its way. `sources` may be one that was not asked. */
void facts_of_new_account(const struct service *service, const struct tenant *tenant, const char *account,
			  const struct source_facts *sources, struct promise *ret_promise,
			  struct account_facts *ret_facts);

#endif
