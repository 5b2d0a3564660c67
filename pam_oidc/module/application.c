/*
 * Reads PAM's items about the application. See application.h.
 */
#include "pam_oidc/module/application.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <security/pam_modutil.h>

#include "pam_oidc/module/printable.h"

static void read_item(pam_handle_t *pamh, int item, char *ret_text, size_t size)
{
	const void *value = NULL;

	if (pam_get_item(pamh, item, &value) != PAM_SUCCESS || !value)
		value = "";
	printable_copy(value, ret_text, size);
}

static enum application_kind kind_of(const struct application *application)
{
	/* sshd's PAMServiceName may rename the service; the terminal's name, "ssh" for want of a terminal, stays. */
	if (strcmp(application->service, "sshd") == 0 || strcmp(application->tty, "ssh") == 0)
		return APPLICATION_SSHD;
	/* "remote" is what login calls itself for telnet and rlogin. */
	if (strcmp(application->service, "login") == 0 || strcmp(application->service, "remote") == 0)
		return APPLICATION_LOGIN;
	if (strcmp(application->service, "sudo") == 0 || strcmp(application->service, "sudo-i") == 0)
		return APPLICATION_SUDO;
	return APPLICATION_OTHER;
}

void application_from_pam(pam_handle_t *pamh, struct application *ret_application)
{
	struct application application = { .kind = APPLICATION_OTHER };

	read_item(pamh, PAM_SERVICE, application.service, sizeof(application.service));
	read_item(pamh, PAM_TTY, application.tty, sizeof(application.tty));
	read_item(pamh, PAM_RHOST, application.rhost, sizeof(application.rhost));
	application.kind = kind_of(&application);
	if (application.kind == APPLICATION_SSHD)
		(void)snprintf(application.service, sizeof(application.service), "sshd");
	*ret_application = application;
}

uid_t application_started_by(pam_handle_t *pamh, const struct application *application)
{
	const void *caller = NULL;
	const struct passwd *entry;

	/* There, PAM_RUSER is what somebody elsewhere says. */
	if (application->kind == APPLICATION_SSHD || application->kind == APPLICATION_LOGIN)
		return 0;
	/* su keeps the caller's real uid; sudo becomes root wholly, and names the caller. */
	if (getuid() != 0)
		return getuid();
	if (pam_get_item(pamh, PAM_RUSER, &caller) != PAM_SUCCESS || !caller)
		return 0;
	entry = pam_modutil_getpwnam(pamh, caller);
	return entry ? entry->pw_uid : 0;
}
