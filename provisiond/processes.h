/*
 * Ends whatever runs as a uid: sessions, services that linger, jobs. Looks at /proc and sends signals; needs CAP_KILL.
 */
#ifndef PROVISIOND_PROCESSES_H
#define PROVISIOND_PROCESSES_H

#include <stddef.h>
#include <sys/types.h>

/* Sends the signal to every process one of whose uids (real, effective, saved, of the file system) is this one. Each is
 * held by a descriptor and looked at again before it is signalled, so that a number that was used anew hits nobody.
 * `proc` is "/proc" in production. uid must be at least 1000: anything else is -EINVAL. 0 and *ret_count, how many
 * there were (threads not counted), or -errno. */
int processes_signal(const char *proc, uid_t uid, int signal_number, size_t *ret_count);

#endif
