/*
 * Sets the session's names. See session_names.h.
 */
#include "pam_oidc/module/session_names.h"

#include <stdio.h>

static int put_environment(pam_handle_t *pamh, const char *variable, const char *value)
{
	char setting[sizeof("LOGNAME=") + ACCOUNT_NAME_MAX];

	(void)snprintf(setting, sizeof(setting), "%s=%s", variable, value);
	return pam_putenv(pamh, setting) == PAM_SUCCESS ? PAM_SUCCESS : PAM_BUF_ERR;
}

int session_names_set(pam_handle_t *pamh, const struct application *application, const struct person *person,
		      const struct account *account)
{
	if (!person->is_email)
		return PAM_SUCCESS;
	if (application->kind != APPLICATION_SSHD)
		return pam_set_item(pamh, PAM_USER, account->name) == PAM_SUCCESS ? PAM_SUCCESS : PAM_BUF_ERR;
	if (put_environment(pamh, "USER", account->name) != PAM_SUCCESS)
		return PAM_BUF_ERR;
	return put_environment(pamh, "LOGNAME", account->name);
}
