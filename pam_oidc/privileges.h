/*
 * Gives up what the daemon does not need before it touches the network.
 */
#ifndef PAM_OIDC_PRIVILEGES_H
#define PAM_OIDC_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#define PAM_OIDC_USER "_pam_oidc"

/* Who the daemon is to run as. False when there is no such user; the log says how to make it. */
bool privileges_find_user(uid_t *ret_uid, gid_t *ret_gid);

/* Makes the folder of the socket if it is missing, owned by that user. For a start as root, without a service manager.
 */
bool privileges_make_run_folder(const char *path, uid_t uid, gid_t gid);

/* From root: becomes that user, with no other groups and no capabilities, for good. As that user: checks that it is.
 * Then, either way: no new privileges, no core dumps, not traceable by the user's other processes. False when something
 * failed or it is anybody else; the log says what. */
bool privileges_drop(uid_t uid, gid_t gid);

#endif
