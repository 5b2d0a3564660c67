/*
 * Plans that the daemons run, now and after the next start of the machine.
 */
#ifndef PROVISIOND_CTL_SETUP_SERVICE_CHANGES_H
#define PROVISIOND_CTL_SETUP_SERVICE_CHANGES_H

#include "provisiond/ctl/setup/system_changes.h"

#define SYSTEMCTL "/usr/bin/systemctl"

/* Whether systemd runs this machine, and can be asked. */
bool service_systemd_runs(void);
/* sshd's unit ("ssh.service", "sshd.service"); NULL when systemd does not run it. */
const char *service_sshd_unit(void);

bool service_changes_plan(const struct system_choice *choice, struct change_set *set, char *fault, size_t fault_size);

#endif
