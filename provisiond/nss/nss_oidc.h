/*
 * The entry points of libnss_oidc.so.2, called by the C library for `oidc` in the passwd and group lines of
 * /etc/nsswitch.conf. They answer inside sshd alone; every other program is told "not found" before anything is done.
 *
 * Results follow "NSS Modules Interface" of the glibc manual. On success errno stays as it was, on failure *ret_errno
 * is set: NSS_STATUS_SUCCESS   found NSS_STATUS_NOTFOUND  ENOENT: not sshd, not a name of ours, or provisiond says no
 *   NSS_STATUS_TRYAGAIN  ERANGE: the buffer is too small, come again with a larger one; ENOMEM: the group list cannot
 * grow NSS_STATUS_UNAVAIL   provisiond does not answer, or answers nonsense
 *
 * A process waits for 250 ms in all for a provisiond that does not answer; after that it is not asked again.
 */
#ifndef PROVISIOND_NSS_NSS_OIDC_H
#define PROVISIOND_NSS_NSS_OIDC_H

#include <nss.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/types.h>

/* The entry that this name has, or will have once the person has signed in. The strings of *ret_entry lie in `buffer`.
 */
enum nss_status _nss_oidc_getpwnam_r(const char *name, struct passwd *ret_entry, char *buffer, size_t size,
				     int *ret_errno);

/* Appends the supplementary groups of an account that was named by its email; /etc/group knows those of the others. The
 * array *groups (malloc) has room for *size ids, of which *start are used; it grows as needed, up to `limit` ids when
 * that is positive. `primary` is left out. */
enum nss_status _nss_oidc_initgroups_dyn(const char *name, gid_t primary, long *start, long *size, gid_t **groups,
					 long limit, int *ret_errno);

#endif
