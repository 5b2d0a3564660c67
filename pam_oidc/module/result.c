/*
 * The tables of PAM results. See result.h.
 */
#include "pam_oidc/module/result.h"

#include <stddef.h>

int result_of_reason(enum reason reason, enum application_kind application)
{
	switch (reason_class(reason)) {
	case REASON_CLASS_NOT_OURS:
		return PAM_USER_UNKNOWN;
	case REASON_CLASS_DENIED:
		return application == APPLICATION_SSHD ? PAM_MAXTRIES : PAM_PERM_DENIED;
	case REASON_CLASS_FAILED:
		return application == APPLICATION_SSHD ? PAM_MAXTRIES : PAM_AUTH_ERR;
	case REASON_CLASS_UNAVAILABLE:
		return PAM_AUTHINFO_UNAVAIL;
	}
	return PAM_SYSTEM_ERR;
}

int result_of_standing(enum standing standing)
{
	switch (standing) {
	case STANDING_ACTIVE:
		return PAM_SUCCESS;
	case STANDING_LAPSED:
	case STANDING_DEACTIVATED:
		return PAM_ACCT_EXPIRED;
	case STANDING_PROMISED:
	case STANDING_INCOMPLETE:
	case STANDING_ELSEWHERE:
		return PAM_PERM_DENIED;
	case STANDING_NOT_OURS:
	case STANDING_EXPECTED:
		return PAM_USER_UNKNOWN;
	case STANDING_UNAVAILABLE:
		return PAM_AUTHINFO_UNAVAIL;
	}
	return PAM_SYSTEM_ERR;
}

const char *sentence_of_standing(enum standing standing)
{
	switch (standing) {
	case STANDING_DEACTIVATED:
		return reason_sentence(REASON_DEACTIVATED);
	case STANDING_LAPSED:
		return "You have not signed in to this machine with Okta for too long. Do so to use it again.";
	case STANDING_ELSEWHERE:
		return reason_sentence(REASON_REMOTE_FROM);
	case STANDING_PROMISED:
		return "You have no account on this machine yet. Sign in with Okta first; that makes it.";
	case STANDING_INCOMPLETE:
		return "Your account on this machine is not complete yet. Sign in with Okta once more to finish it.";
	case STANDING_ACTIVE:
	case STANDING_NOT_OURS:
	case STANDING_EXPECTED:
	case STANDING_UNAVAILABLE:
		break;
	}
	return NULL;
}
