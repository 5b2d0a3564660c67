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
/* Who is expected under a typed name, or, for an email, with it; STORE_NONE also when their time is over. A failure was
 * logged. The caller clears *ret_expected. now_s: epoch seconds. */
enum store_answer facts_expected_of_typed(const struct service *service, const char *typed, int64_t now_s,
					  struct expected *ret_expected);
/* The same under an account's name; and with an email of a tenant. */
enum store_answer facts_expected_named(const struct service *service, const char *name, int64_t now_s,
				       struct expected *ret_expected);
enum store_answer facts_expected_by_email(const struct service *service, const char *tenant, const char *email,
					  int64_t now_s, struct expected *ret_expected);
/* The account of that name on record. A failure was logged. */
enum store_answer facts_record_named(const struct service *service, const char *name,
				     struct account_record *ret_record);
/* now_s: epoch seconds. */
enum standing facts_standing(const struct service *service, const struct account_record *record, int64_t now_s);
/* What the machine says about a local user who is to be linked. */
void facts_local_account(const struct service *service, const char *name, struct local_account *ret_local);
/* Whether /etc/passwd has a row of that name: 1, 0 or -errno. */
int facts_local_user(const struct service *service, const char *name, uid_t *ret_uid);
/* Whether the typed name is that user's own: of the account on record, or in /etc/passwd. How long a no takes tells
 * nothing about the name. */
bool facts_is_name_of(const struct service *service, const char *typed, uid_t uid);
/* Whether nobody may have the name, whatever the files and other name services say: it is built in, the admin's or a
 * package's. Reads nothing. */
bool facts_name_is_reserved(const struct service *service, const char *account);
/* The uid that the account of that name would have. False when that cannot be told; a failure was logged. */
bool facts_promised_uid(const struct service *service, const struct tenant *tenant, const char *account,
			uid_t *ret_uid);
/* What the account of that name would be, and who is in its way. `expected` is whoever is expected under that very
 * name, when it is about them; else NULL. `sources` may be one that was not asked. */
void facts_of_new_account(const struct service *service, const struct tenant *tenant, const char *account,
			  const struct expected *expected, const struct source_facts *sources,
			  struct promise *ret_promise, struct account_facts *ret_facts);
/* The same for a removed account whose person comes back: with the uid and the home that it had. */
void facts_of_return(const struct service *service, const struct account_record *removed,
		     const struct source_facts *sources, struct promise *ret_promise, struct account_facts *ret_facts);
/* Who has a uid, or the gid of the same number, when the account of that name is to have it: in the files and on
 * record, removed and former accounts included. *ret_facts tells who. */
enum uid_holder facts_uid_holder(const struct service *service, const char *account, uid_t uid,
				 struct account_facts *ret_facts);
/* The uid for a successor under that name: of the first generation whose uid nobody has and nobody had. False when
 * there is none, or when the files or the database do not answer. */
bool facts_fresh_uid(const struct service *service, const struct tenant *tenant, const char *account, uid_t *ret_uid);
/* Of these local groups, separated by commas, those that a member may be given: that there are, and that are no other
 * name of a system group. What is left out is logged. NULL without memory; the caller frees it. */
char *facts_usable_groups(const struct service *service, const char *account, const char *groups);

#endif
