/*
 * Ends whatever runs as a uid: sessions, services that linger, jobs, containers of its own. Looks at /proc and sends
 * signals; needs CAP_KILL.
 */
#ifndef PROVISIOND_PROCESSES_H
#define PROVISIOND_PROCESSES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Sends the signal to every process one of whose uids (real, effective, saved, of the file system) is this one, or one
 * of the SUBID_COUNT subordinate ones from first_subid on (0: it has none). Each is held by a descriptor before it is
 * looked at, so that a number that was used anew hits nobody (from Linux 5.3 on). `proc` is "/proc" in production. Uids
 * below 1000 are -EINVAL. 0 and *ret_count, how many there were that had not ended yet (threads not counted), or
 * -errno: -EPERM where some could not be signalled; all others were. */
int processes_signal(const char *proc, uid_t uid, uint32_t first_subid, int signal_number, size_t *ret_count);

#endif
