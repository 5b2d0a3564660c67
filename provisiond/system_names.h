/*
 * The names that packages create users and groups under (sysusers.d(5)), whether they exist on this machine yet or not:
 * no person may get one of them.
 */
#ifndef PROVISIOND_SYSTEM_NAMES_H
#define PROVISIOND_SYSTEM_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct system_names;

/* Reads every *.conf of the directories (a NULL-terminated list; NULL means /etc, /run, /usr/local/lib and
 * /usr/lib/sysusers.d). A file that masks another one of the same name does not take that one's names away: reserving
 * too much is harmless. Missing directories, dangling links and lines that say nothing to us (specifiers, ranges,
 * mistakes) are skipped. 0 and the caller frees *ret_names, or -errno when something that is there cannot be read. */
int system_names_load(const char *const *directories, struct system_names **ret_names);
/* Takes NULL. */
void system_names_free(struct system_names *names);

/* Exact comparison. */
bool system_names_contains(const struct system_names *names, const char *name);
size_t system_names_count(const struct system_names *names);

#endif
