/*
 * Works out what a change of an account comes to: from what is on record, what stands in the account files, and what is
 * wanted, a planned_change. Pure: who may have it changed, and carrying it out, are others' business.
 *
 * All strings of a plan live in its `storage`, or in the arguments.
 */
#ifndef PROVISIOND_PLAN_H
#define PROVISIOND_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "provisiond/account_record.h"
#include "provisiond/candidate.h"
#include "provisiond/expected.h"
#include "provisiond/passwd.h"
#include "provisiond/planned_change.h"

/* The local groups that the tenant's rules (local_groups, group_map) give a person who is in these Okta groups, and
 * those that the rules name and do not give; names compare exactly. Separated by commas, each once, in the order of the
 * configuration. 0, and the caller frees both; or -ENOMEM. */
int plan_groups(const struct tenant *tenant, const char *const *okta_groups, size_t count, char **ret_in,
		char **ret_out);
/* The first group that the tenant's rules name and /etc/group does not have, or whose gid is that of a system group of
 * another name (an alias of root's); NULL when all are as they should be. For the start and for -t. */
const char *plan_missing_group(const struct tenant *tenant, struct account_files *files, bool *ret_is_alias);

#define PLAN_EXPIRY_MAX 24 /* bytes, with NUL */

/* The expiry in /etc/shadow that max_signin_age makes of a sign-in (epoch seconds): the day after its time is over. ""
 * where there is no such limit. */
void plan_limit_expiry(const struct config *config, int64_t signin_at, char ret_days[PLAN_EXPIRY_MAX]);

/* Each fills *ret_change, which the caller clears. 0 or -ENOMEM. now_s: epoch seconds. What stands in the files already
 * as it shall is left out of the plan. */

/* A sign-in: name, email, groups, expiry by max_signin_age and the password policy are brought up to date; it also ends
 * `incomplete` where no question is open any more. *ret_changes_files is false when nothing changes but what
 * store_note_signin() notes (with change->record's email and full name). */
int plan_update(const struct config *config, const struct account_record *record, const struct candidate *candidate,
		const struct account_now *now, int64_t now_s, struct planned_change *ret_change,
		bool *ret_changes_files);
/* The policies alone, where nobody signs in: `password` of a linked account after the configuration was changed. */
int plan_policy(const struct config *config, const struct account_record *record, const struct account_now *now,
		int64_t now_s, struct planned_change *ret_change, bool *ret_changes_files);
/* The first-login question is answered, or the admin changes the answer. Ends `incomplete`. */
int plan_room(const struct config *config, const struct account_record *record, const struct account_now *now,
	      const char *room, int64_t now_s, struct planned_change *ret_change);
/* A local account is taken by its owner. `record` is the new row; what it says of the account before (gecos_before and
 * so on) is filled in. */
int plan_link(const struct config *config, const struct account_record *record, const struct candidate *candidate,
	      const struct account_now *now, int64_t now_s, struct planned_change *ret_change);
/* All that we wrote is taken back; what others wrote since stays. */
int plan_unlink(const struct account_record *record, const struct account_now *now, int64_t now_s,
		struct planned_change *ret_change);
int plan_deactivate(const struct account_record *record, const struct account_now *now, bool keep_sessions,
		    int64_t now_s, struct planned_change *ret_change);
/* Back to `active`; or to `incomplete`, where the tenant asks for a room and the account has none. */
int plan_reactivate(const struct config *config, const struct account_record *record, const struct account_now *now,
		    int64_t now_s, struct planned_change *ret_change);
int plan_remove(const struct account_record *record, bool remove_home, int64_t now_s,
		struct planned_change *ret_change);
/* The old home goes to PATH.UID, where nobody who can sign in owns it. */
int plan_reassign(const struct account_record *record, uid_t next_uid, int64_t now_s,
		  struct planned_change *ret_change);

#endif
