/*
 * The accounts on record, as provisiond lists them, for checks that compare them with the machine.
 */
#ifndef PROVISIOND_CTL_HEALTH_PEOPLE_H
#define PROVISIOND_CTL_HEALTH_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"
#include "common/names.h"

struct people_account {
	char name[ACCOUNT_NAME_MAX + 1];
	uid_t uid;
	char *email, *tenant, *state, *home;
	bool linked;
};

struct people {
	struct people_account *accounts; /* by name */
	size_t count, capacity;
};

/* Asks provisiond. 0 and the caller releases it, or -errno. */
int people_list(int64_t deadline_ms, struct people *ret_people);
void people_release(struct people *people);
#define _cleanup_people_ _cleanup_(people_release)

/* active, or incomplete: the account is in the files. */
bool people_is_active(const struct people_account *account);

#endif
