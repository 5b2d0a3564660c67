/*
 * What other programs keep for a person under the account's *name*: a crontab, a mailbox, the mark that services
 * linger. A successor of the same name must get none of it.
 */
#ifndef PROVISIOND_LEFTOVERS_H
#define PROVISIOND_LEFTOVERS_H

#include <stddef.h>
#include <sys/types.h>

/* Services that linger stop with the account: takes /var/lib/systemd/linger/NAME away. Missing is fine. 0 or -errno.
 * `root` is "/" in production, for the next too. */
int leftovers_stop_lingering(const char *root, const char *name);
/* Puts crontab and mailbox away, under `.NAME.UID` beside their place, where no program looks for them. Only what
 * belongs to uid, or is root's own file for that name, is touched. Missing is fine. 0, or -errno and a fault that names
 * the path. */
int leftovers_put_away(const char *root, const char *name, uid_t uid, char *fault, size_t fault_size);

#endif
