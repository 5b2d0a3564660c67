/*
 * Plans what sshd needs for pam_oidc: a drop-in file that is read first. sshd itself says, in a trial, whether it will.
 */
#ifndef PROVISIOND_CTL_SETUP_SSHD_CHANGES_H
#define PROVISIOND_CTL_SETUP_SSHD_CHANGES_H

#include "provisiond/ctl/setup/system_changes.h"

bool sshd_changes_plan(const struct system_choice *choice, struct change_set *set, char *fault, size_t fault_size);
/* Whether sshd, asked now, says what the drop-in file says. True as well where there is no sshd. */
bool sshd_changes_hold(char *fault, size_t fault_size);

#endif
