/*
 * Makes sure that root and the person who runs setup still get in by their passwords, as they did before: through the
 * real PAM stacks of sshd and login, up to the password prompt and no further. No attempt is counted or logged.
 */
#ifndef PROVISIOND_CTL_SETUP_SECOND_WAY_H
#define PROVISIOND_CTL_SETUP_SECOND_WAY_H

#include <stdbool.h>
#include <stddef.h>

#include "provisiond/ctl/setup/change_set.h"

#define SECOND_WAYS_MAX 8

/* How far a service takes somebody. */
struct second_way {
	char service[32];
	char user[33];
	bool asked;        /* for a password; or let in without one */
	int authenticated; /* what pam_authenticate returned when nobody was asked */
	int account;       /* what pam_acct_mgmt returned; -1 when it did not return */
};

struct second_ways {
	struct second_way ways[SECOND_WAYS_MAX];
	size_t count;
};

/* Looks at the machine as it is, in children that are gone afterwards: before changes are applied, and after. False
 * when it cannot be looked at (no libpam, no memory for a child). `invoking_user` is SUDO_USER, or NULL. */
bool second_ways_look(const char *invoking_user, struct second_ways *ret_ways, char *fault, size_t fault_size);
/* Whether everybody gets as far as before. Tells each way that is open; false with what is not in `fault`. Pure but for
 * telling. */
bool second_ways_still_open(const struct second_ways *before, const struct second_ways *after, change_teller *tell,
			    void *context, char *fault, size_t fault_size);

enum second_way_answer {
	SECOND_WAY_SIGNED_IN, /* somebody of pam_oidc did */
	SECOND_WAY_SKIPPED,   /* Enter */
	SECOND_WAY_UNDO,      /* `u`, or a signal */
};

/* Asks the person to sign in in another terminal, and waits until provisiond knows of it. Only for a terminal.
 * `account` is who will, for the command that is shown; NULL if not known. */
enum second_way_answer second_way_wait(const char *account);

#endif
