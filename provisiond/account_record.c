/*
 * Copies and frees account records, and names their states.
 */
#include "provisiond/account_record.h"

#include <stddef.h>
#include <string.h>

#include "provisiond/string_block.h"

static const char *const state_names[] = {
	[ACCOUNT_CREATING] = "creating",       [ACCOUNT_INCOMPLETE] = "incomplete", [ACCOUNT_ACTIVE] = "active",
	[ACCOUNT_DEACTIVATED] = "deactivated", [ACCOUNT_REMOVED] = "removed",
};

_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == ACCOUNT_STATE_COUNT, "every state has its name");

static const size_t strings[] = {
	offsetof(struct account_record, name),          offsetof(struct account_record, tenant),
	offsetof(struct account_record, issuer),        offsetof(struct account_record, subject),
	offsetof(struct account_record, email),         offsetof(struct account_record, full_name),
	offsetof(struct account_record, home),          offsetof(struct account_record, shell),
	offsetof(struct account_record, room),          offsetof(struct account_record, groups_given),
	offsetof(struct account_record, gecos_before),  offsetof(struct account_record, ageing_before),
	offsetof(struct account_record, expiry_before), offsetof(struct account_record, expiry_given),
	offsetof(struct account_record, refusal),       offsetof(struct account_record, groups_taken),
};

const char *account_state_name(enum account_state state)
{
	return state_names[state];
}

bool account_state_from_name(const char *name, enum account_state *ret_state)
{
	for (int i = 0; i < ACCOUNT_STATE_COUNT; i++) {
		if (strcmp(state_names[i], name) == 0) {
			*ret_state = (enum account_state)i;
			return true;
		}
	}
	return false;
}

void account_name_copy(const char *name, char ret_copy[ACCOUNT_NAME_MAX + 1])
{
	size_t length = strnlen(name, ACCOUNT_NAME_MAX);

	memcpy(ret_copy, name, length);
	ret_copy[length] = '\0';
}

int account_record_copy(const struct account_record *record, struct account_record *ret_copy)
{
	struct account_record copy = *record;
	int r = string_block_own_all(&copy, strings, sizeof(strings) / sizeof(strings[0]), &copy.storage);

	if (r == 0)
		*ret_copy = copy;
	return r;
}

void account_record_clear(struct account_record *record)
{
	free(record->storage);
	*record = (struct account_record){ 0 };
}
