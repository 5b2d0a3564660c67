/*
 * The last part of setup: what is to be changed is shown, applied when it is wanted, and proved; and taken back when it
 * does not hold.
 */
#ifndef PROVISIOND_CTL_SETUP_APPLYING_H
#define PROVISIOND_CTL_SETUP_APPLYING_H

#include "provisiond/ctl/command.h"
#include "provisiond/ctl/setup/gather.h"

struct applying {
	const struct invocation *invocation;
	bool interactive;
	const char *before; /* the configuration that is there; NULL: none, or it is replaced as a whole */
	const struct gathered *gathered;
	gid_t group;         /* of pam_oidcd: it reads the secrets */
	const char *account; /* that whoever approved would get; "" when it is not known */
};

/* EXIT_DONE when it is applied and holds (or with --dry-run was shown, or there is nothing to change); else everything
 * is as it was before, and was said so, or said what could not be taken back. An interruption ends it as EXIT_NOTHING.
 */
enum exit_code setup_apply(const struct applying *applying);
/* `provisionctl setup --undo`. */
enum exit_code setup_undo(const struct invocation *invocation, bool interactive);
/* Takes back what an earlier setup left half done. EXIT_DONE when there was nothing, or it is. */
enum exit_code setup_recover(bool dry_run);

#endif
