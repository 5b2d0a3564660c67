/*
 * Starts, copies and frees planned changes, and names their kinds.
 */
#include "provisiond/planned_change.h"

#include <stddef.h>
#include <string.h>

#include "provisiond/string_block.h"

static const char *const kind_names[] = {
	[CHANGE_UPDATE] = "update",         [CHANGE_LINK] = "link",
	[CHANGE_UNLINK] = "unlink",         [CHANGE_DEACTIVATE] = "deactivate",
	[CHANGE_REACTIVATE] = "reactivate", [CHANGE_REMOVE] = "remove",
	[CHANGE_REASSIGN] = "reassign",
};

_Static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == CHANGE_KIND_COUNT, "every kind has its name");

/* The record has a block of its own. */
static const size_t strings[] = {
	offsetof(struct planned_change, gecos),      offsetof(struct planned_change, ageing),
	offsetof(struct planned_change, expiry),     offsetof(struct planned_change, groups_in),
	offsetof(struct planned_change, groups_out), offsetof(struct planned_change, home_to),
};

const char *change_kind_name(enum change_kind kind)
{
	return kind_names[kind];
}

bool change_kind_from_name(const char *name, enum change_kind *ret_kind)
{
	for (int i = 0; i < CHANGE_KIND_COUNT; i++) {
		if (strcmp(kind_names[i], name) == 0) {
			*ret_kind = (enum change_kind)i;
			return true;
		}
	}
	return false;
}

struct planned_change planned_change_none(enum change_kind kind, const struct account_record *record)
{
	struct planned_change change = {
		.kind = kind,
		.record = *record,
		.state_after = record->state,
		.locks = -1,
		.home = HOME_STAYS,
	};

	/* Borrowed: whoever clears the change must not free the record's strings. */
	change.record.storage = NULL;
	return change;
}

int planned_change_copy(const struct planned_change *change, struct planned_change *ret_copy)
{
	_cleanup_record_ struct account_record record = { 0 };
	struct planned_change copy = *change;
	int r = account_record_copy(&change->record, &record);

	if (r == 0)
		r = string_block_own(&copy, strings, sizeof(strings) / sizeof(strings[0]), &copy.storage);
	if (r != 0)
		return r;
	copy.record = record;
	record = (struct account_record){ 0 };
	*ret_copy = copy;
	return 0;
}

void planned_change_clear(struct planned_change *change)
{
	account_record_clear(&change->record);
	free(change->storage);
	*change = (struct planned_change){ 0 };
}
