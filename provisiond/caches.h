/*
 * Tells programs that remember users and groups (nscd, sssd) that the account files have changed.
 */
#ifndef PROVISIOND_CACHES_H
#define PROVISIOND_CACHES_H

/* Never waits for longer than some milliseconds, never fails: what does not run is not told. `root` is "/" in
 * production. */
void caches_forget_users(const char *root);

#endif
