/*
 * Whether the local groups that the configuration names are there.
 */
#ifndef PROVISIOND_CONFIGURED_GROUPS_H
#define PROVISIOND_CONFIGURED_GROUPS_H

#include <stdbool.h>

#include "common/config.h"
#include "provisiond/passwd.h"

/* False after at least one line in the log that names file, tenant, key and group, and says what to do. */
bool configured_groups_are_there(const struct config *config, struct account_files *files);

#endif
