/*
 * The module's arguments, as they stand in /etc/pam.d. Pure.
 */
#ifndef PAM_OIDC_MODULE_ARGUMENTS_H
#define PAM_OIDC_MODULE_ARGUMENTS_H

#include <stdbool.h>

#include "pam_oidc/module/application.h"

#define TIMEOUT_MIN_S 5
#define TIMEOUT_MAX_S 1800

enum wait_mode {
	WAIT_ENTER, /* one prompt that holds everything; the person presses Enter */
	WAIT_INFO,  /* text, then a wait without a prompt */
	WAIT_RETRY, /* sshd: the first attempt shows the text and fails, the client's next one waits */
};

struct arguments {
	const char *qr; /* as the daemon takes it: "utf8", "dual", "ascii" or "none" */
	enum wait_mode wait;
	unsigned timeout_s; /* for the whole sign-in */
	bool debug;
};

/* Reads the arguments on top of the application's defaults. False for the first that is wrong: *ret_wrong is that
 * argument, *ret_expected says what is right (lives for ever). */
bool arguments_parse(int argc, const char **argv, enum application_kind application, struct arguments *ret_arguments,
		     const char **ret_wrong, const char **ret_expected);

#endif
