/*
 * Plans the lines of pam_oidc in the PAM stacks, by the distribution's own tool where there is one: pam-auth-update(8)
 * in Debian, authselect(8) in Fedora; else in the files of /etc/pam.d one by one.
 */
#ifndef PROVISIOND_CTL_SETUP_PAM_CHANGES_H
#define PROVISIOND_CTL_SETUP_PAM_CHANGES_H

#include "provisiond/ctl/setup/change_set.h"

bool pam_changes_plan(struct change_set *set, char *fault, size_t fault_size);
/* Whether authselect is in charge here, and its profile for us is installed: it writes nsswitch.conf as well. */
bool pam_changes_by_authselect(void);

#endif
