/*
 * Plans what the system itself needs for pam_oidc besides its configuration: PAM, the name service switch, sshd,
 * services. Reads the machine and runs programs that only answer; changes nothing but the set.
 */
#ifndef PROVISIOND_CTL_SETUP_SYSTEM_CHANGES_H
#define PROVISIOND_CTL_SETUP_SYSTEM_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "provisiond/ctl/setup/change_set.h"

struct system_choice {
	bool ssh_passwords_off;      /* sshd takes no passwords any more */
	const char *spared_networks; /* PerSourcePenaltyExemptList, where sshd knows it; NULL for none */
	bool configuration_changes;  /* the daemons must read their configuration again */
};

/* Adds to the set, which holds the configuration already, in an order in which every state between two changes lets
 * root and local users in: daemons first, PAM last. False with a sentence and its remedy in `fault` when the machine is
 * not fit for it; the set is then good for nothing but being freed. */
bool system_changes_plan(const struct system_choice *choice, struct change_set *set, char *fault, size_t fault_size);
/* After the set was applied: whether what others decide came out as planned (sshd says what its drop-in file says). */
bool system_changes_hold(char *fault, size_t fault_size);

#endif
