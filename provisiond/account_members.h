/*
 * Who is to be a member of which group: collected for all accounts first, then worked out row by row, so that ten
 * thousand accounts in one group cost one walk through its list. Keeps gshadow's lists in step with group's. Pure.
 */
#ifndef PROVISIOND_ACCOUNT_MEMBERS_H
#define PROVISIOND_ACCOUNT_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "provisiond/account_changes.h"

/* A member of one group, or not. */
struct membership {
	const char *member; /* borrowed */
	char *group;
	bool in;
};

/* Somebody who leaves all groups but those of their memberships that are `in`. */
struct leaver {
	const char *member; /* borrowed */
	bool keeps_own;     /* the group of their name, too */
};

struct account_members {
	struct membership *memberships;
	size_t membership_count;
	struct leaver *leavers;
	size_t leaver_count;
};

/* Notes that `member` is to be in these groups (separated by commas; NULL or "" for none), or out of them. `out` may be
 * "*" for every group (keeps_own: but the one of their name). The name is borrowed. 0 or -ENOMEM. */
int account_members_in(struct account_members *members, const char *member, const char *groups);
int account_members_in_one(struct account_members *members, const char *member, const char *group);
int account_members_out(struct account_members *members, const char *member, const char *groups, bool keeps_own);

/* Replaces what differs; rows that are dropped already do not matter. Groups that somebody was to be in and that are
 * not there go to changes->missing. DONE, INVALID (in and out of the same group) or STORAGE, with a fault. */
enum account_files_result account_members_apply(struct account_members *members, struct account_changes *changes);
/* Whether the list names anybody but those who leave all groups. After account_members_sort(). */
bool account_members_are_others(const struct account_members *members, struct row_field list);
void account_members_sort(struct account_members *members);
void account_members_free(struct account_members *members);

#endif
