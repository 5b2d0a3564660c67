/*
 * The part of a plan that is about local groups. Pure. For plan.c.
 */
#ifndef PROVISIOND_PLAN_GROUPS_H
#define PROVISIOND_PLAN_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "provisiond/account_record.h"
#include "provisiond/name_list.h"

/* The local groups that the tenant's rules give somebody who is in these Okta groups (`in`), and those that they name
 * and do not give (`out`). */
void group_rules_apply(const struct tenant *tenant, const char *const *okta_groups, size_t count, struct name_list *in,
		       struct name_list *out);
/* Keeps the account of what is whose. `record` is as it was, groups_now what stands in the files. Adds to `out` what we
 * gave before and no rule gives now; fills `given` and `taken` with the new groups_given and groups_taken. */
void group_bookkeeping(const struct account_record *record, const char *groups_now, const struct name_list *in,
		       struct name_list *out, struct name_list *given, struct name_list *taken);
bool groups_are_as_planned(const char *groups_now, const char *in, const char *out);

#endif
