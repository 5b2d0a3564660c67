/*
 * The configuration that is being tried: in a folder of its own, out of everybody's way, where pam_oidcd can read it.
 * Nothing of it outlives setup.
 */
#ifndef PROVISIOND_CTL_SETUP_CANDIDATE_H
#define PROVISIOND_CTL_SETUP_CANDIDATE_H

#include "provisiond/ctl/command.h"
#include "provisiond/ctl/setup/company.h"

#ifndef CANDIDATE_FOLDER
#define CANDIDATE_FOLDER "/run/pam_oidc-setup"
#endif
#define CANDIDATE_FILE CANDIDATE_FOLDER "/pam_oidc.conf"
#define PAM_OIDC_USER "_pam_oidc"

struct candidate {
	int folder; /* locked; -1: none */
	gid_t group;
};

#define NO_CANDIDATE ((struct candidate){ .folder = -1 })

/* Makes the folder, and takes it for this process alone: one setup at a time. EXIT_DONE, or another code after a
 * sentence; the caller releases *candidate either way, which begins as NO_CANDIDATE. */
enum exit_code candidate_lock(struct candidate *candidate);
/* The same, and lets pam_oidcd in. */
enum exit_code candidate_open(struct candidate *candidate);
/* Writes the configuration with this company in it, and its secret beside it. `before` as in configuration_with(). The
 * same. */
enum exit_code candidate_write(const struct candidate *candidate, const char *before, const struct company *company);
/* Asks `provisiond -t`. The same; EXIT_REFUSED after what it finds wrong. */
enum exit_code candidate_check(void);
/* Removes all of it. */
void candidate_release(struct candidate *candidate);

#define _cleanup_candidate_ _cleanup_(candidate_release)

#endif
