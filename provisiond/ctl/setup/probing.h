/*
 * Lets `pam_oidcd --probe` try the company as it would be configured, and shows what it finds and the code that is to
 * be approved.
 */
#ifndef PROVISIOND_CTL_SETUP_PROBING_H
#define PROVISIOND_CTL_SETUP_PROBING_H

#include <stdbool.h>
#include <stddef.h>

#include "provisiond/ctl/command.h"

struct probing_choice {
	bool code;     /* ask for a real code, and wait until it is approved */
	bool may_skip; /* somebody at the terminal may go on without approving it */
};

struct probed {
	bool skipped;   /* the approval was left out by the person */
	char *identity; /* the bytes of `status=identity`; NULL: nobody approved */
	size_t identity_length;
};

/* Tries the tenant of the candidate. EXIT_DONE when nothing bad was found, and the caller releases *ret_probed;
 * EXIT_REFUSED when something was, all of it shown with its remedy; or another code after a sentence. An interruption
 * ends it as EXIT_NOTHING. */
enum exit_code probing_run(const char *tenant, const struct probing_choice *choice, struct probed *ret_probed);
void probed_release(struct probed *probed);

#define _cleanup_probed_ _cleanup_(probed_release)

#endif
