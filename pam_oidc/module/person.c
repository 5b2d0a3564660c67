/*
 * Asks PAM for the name and resolves it. See person.h.
 */
#include "pam_oidc/module/person.h"

#include <stdio.h>
#include <string.h>

#include <security/pam_modutil.h>

static int typed_name(pam_handle_t *pamh, const char **ret_name)
{
	const char *name = NULL;

	switch (pam_get_user(pamh, &name, NULL)) {
	case PAM_SUCCESS:
		break;
	case PAM_CONV_AGAIN:
		return PAM_INCOMPLETE;
	case PAM_BUF_ERR:
		return PAM_BUF_ERR;
	default:
		return PAM_AUTH_ERR;
	}
	if (!name)
		return PAM_AUTH_ERR;
	*ret_name = name;
	return PAM_SUCCESS;
}

int person_from_pam(pam_handle_t *pamh, struct person *ret_person)
{
	struct person person = { .uid = (uid_t)-1 };
	const struct passwd *entry;
	struct email email;
	const char *name;
	int result = typed_name(pamh, &name);

	if (result != PAM_SUCCESS)
		return result;
	person.is_email = email_parse(name, &email);
	if (strcmp(name, "root") == 0 || (!person.is_email && !account_name_ok(name)))
		return PAM_USER_UNKNOWN;
	(void)snprintf(person.name, sizeof(person.name), "%s", name);
	entry = pam_modutil_getpwnam(pamh, person.name);
	if (entry) {
		if (entry->pw_uid == 0)
			return PAM_USER_UNKNOWN;
		person.resolves = true;
		person.uid = entry->pw_uid;
	}
	*ret_person = person;
	return PAM_SUCCESS;
}
