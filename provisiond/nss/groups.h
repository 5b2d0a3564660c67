/*
 * The list of group ids that glibc's initgroups(3) and getgrouplist(3) hand to NSS modules, which append to it.
 */
#ifndef PROVISIOND_NSS_GROUPS_H
#define PROVISIOND_NSS_GROUPS_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/wire.h"

struct group_array {
	gid_t **ids; /* malloc; moves when it grows */
	long *used;
	long *room;
	long limit; /* at most so many ids; 0 or less: no limit */
};

/* True when every `group` field is a group id. */
bool groups_ok(const struct wire_message *answer);

/* Appends the `group` fields except `primary`, root's group and what is there already; what is beyond the limit is left
 * out. The answer has passed groups_ok(). False when memory runs out; the list then holds what came before. */
bool groups_append(const struct wire_message *answer, gid_t primary, const struct group_array *array);

#endif
