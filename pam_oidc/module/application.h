/*
 * The application that loaded the module, as far as PAM's items tell: which kind, on which line, from which host.
 * Nothing is taken from the environment, which in su and sudo is the caller's.
 */
#ifndef PAM_OIDC_MODULE_APPLICATION_H
#define PAM_OIDC_MODULE_APPLICATION_H

#include <sys/types.h>

#include <security/pam_modules.h>

enum application_kind {
	APPLICATION_SSHD,
	APPLICATION_LOGIN, /* has LOGIN_TIMEOUT */
	APPLICATION_SUDO,  /* takes Ctrl-C at a prompt only, and starts again by itself */
	APPLICATION_OTHER,
};

/* Printable ASCII, whatever the items held; empty where there was none. */
struct application {
	enum application_kind kind;
	char service[64]; /* "sshd" in every sshd, whatever PAMServiceName says */
	char tty[64];
	char rhost[256];
};

void application_from_pam(pam_handle_t *pamh, struct application *ret_application);

/* Whoever started it and is not root, although it runs as root: the user who called su or sudo. 0 otherwise. */
uid_t application_started_by(pam_handle_t *pamh, const struct application *application);

#endif
