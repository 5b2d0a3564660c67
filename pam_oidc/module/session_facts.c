/*
 * Sets the variables. See session_facts.h.
 */
#include "pam_oidc/module/session_facts.h"

#include <stdio.h>

static void put_fact(pam_handle_t *pamh, const char *variable, const char *value)
{
	char setting[sizeof("OIDC_EMAIL=") + EMAIL_TEXT_MAX];

	if (value[0] == '\0')
		return;
	(void)snprintf(setting, sizeof(setting), "%s=%s", variable, value);
	(void)pam_putenv(pamh, setting);
}

void session_facts_set(pam_handle_t *pamh, const struct account *account)
{
	put_fact(pamh, "OIDC_EMAIL", account->email);
	put_fact(pamh, "OIDC_ROOM", account->room);
}
