/*
 * pam_oidc.so: what each PAM function does, as a story. It decides nothing about people: pam_oidcd has them verified,
 * provisiond says whose account it is and confirms it. Lives in sshd, login, su and sudo, so it keeps no state and
 * prints nothing by itself.
 */
#include <string.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "common/reason.h"
#include "pam_oidc/module/attempt.h"
#include "pam_oidc/module/authenticate.h"
#include "pam_oidc/module/conversation.h"
#include "pam_oidc/module/gate.h"
#include "pam_oidc/module/result.h"
#include "pam_oidc/module/session_facts.h"
#include "pam_oidc/module/session_names.h"
#include "pam_oidc/module/welcome.h"

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct attempt attempt = { 0 };
	struct account account;
	int result = attempt_begin(pamh, flags, &attempt);

	if (result != PAM_SUCCESS)
		return result;
	switch (attempt_standing(&attempt, NULL, &account)) {
	case STANDING_NOT_OURS:
		return PAM_USER_UNKNOWN;
	case STANDING_UNAVAILABLE:
		/* Nothing to say: it may well be a local user. */
		return PAM_AUTHINFO_UNAVAIL;
	case STANDING_DEACTIVATED:
		return attempt_refuse(&attempt, REASON_DEACTIVATED, NULL, false);
	case STANDING_ELSEWHERE:
		return attempt_refuse(&attempt, REASON_REMOTE_FROM, NULL, false);
	case STANDING_EXPECTED:
	case STANDING_PROMISED:
	case STANDING_INCOMPLETE:
	case STANDING_LAPSED:
	case STANDING_ACTIVE:
		break;
	}
	if (!attempt_arguments(&attempt, argc, argv)) {
		(void)conversation_error(pamh, reason_sentence(REASON_MISCONFIGURED));
		return PAM_SERVICE_ERR;
	}
	return authenticate_person(&attempt);
}

/* The standing of a person's account, for the phases without a sign-in. Anything but PAM_SUCCESS is the module's
 * answer. */
static int begin_with_standing(pam_handle_t *pamh, int flags, int argc, const char **argv, struct attempt *ret_attempt,
			       enum standing *ret_standing, struct account *ret_account)
{
	int result = attempt_begin(pamh, flags, ret_attempt);

	if (result != PAM_SUCCESS)
		return result;
	*ret_standing = attempt_standing(ret_attempt, &ret_attempt->application, ret_account);
	/* Whoever is only expected is a local user until then. */
	if (*ret_standing == STANDING_NOT_OURS || *ret_standing == STANDING_EXPECTED ||
	    *ret_standing == STANDING_UNAVAILABLE)
		return result_of_standing(*ret_standing);
	return attempt_arguments(ret_attempt, argc, argv) ? PAM_SUCCESS : PAM_SERVICE_ERR;
}

int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	enum standing standing = STANDING_UNAVAILABLE;
	struct attempt attempt = { 0 };
	struct account account = { .uid = 0 };
	const char *sentence;
	int result = begin_with_standing(pamh, flags, argc, argv, &attempt, &standing, &account);

	if (result != PAM_SUCCESS)
		return result;
	result = result_of_standing(standing);
	sentence = sentence_of_standing(standing);
	if (standing == STANDING_ACTIVE && attempt.person.resolves && attempt.person.uid != account.uid) {
		result = PAM_PERM_DENIED;
		sentence = reason_sentence(REASON_UID_CHANGED);
	}
	/* sshd has a uid for this name. That it cannot be had again does not say that it is the account's. */
	if (standing == STANDING_ACTIVE && !attempt.person.resolves && attempt.application.kind == APPLICATION_SSHD) {
		result = PAM_PERM_DENIED;
		sentence = reason_sentence(REASON_INTERNAL);
	}
	/* A public key leads here without pam_sm_authenticate(). */
	if (result == PAM_SUCCESS) {
		session_facts_set(pamh, &account);
		return session_names_set(pamh, &attempt.application, &attempt.person, &account);
	}
	pam_syslog(pamh, LOG_NOTICE, "%s may not use this machine: %s", attempt.person.name, sentence);
	if (!attempt.silent)
		(void)conversation_error(pamh, sentence);
	return result;
}

int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	enum standing standing = STANDING_UNAVAILABLE;
	struct attempt attempt = { 0 };
	struct account account;
	int result = begin_with_standing(pamh, flags, argc, argv, &attempt, &standing, &account);

	if (result != PAM_SUCCESS)
		return result;
	/* While they may type it, it is theirs to change, and pam_unix may even ask for it. */
	if (standing == STANDING_ACTIVE && gate_takes_password(&attempt.person, &attempt.application))
		return PAM_USER_UNKNOWN;
	if (((unsigned)flags & PAM_PRELIM_CHECK) && !attempt.silent)
		(void)conversation_error(
			pamh, "You have no password on this machine: you sign in with Okta. Change it there.");
	return PAM_PERM_DENIED;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)argc, (void)argv;
	if ((unsigned)flags & PAM_ESTABLISH_CRED)
		welcome_say(pamh, ((unsigned)flags & PAM_SILENT) != 0);
	return PAM_SUCCESS;
}

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}
