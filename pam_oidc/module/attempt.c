/*
 * The steps that every call of the module takes. See attempt.h.
 */
#include "pam_oidc/module/attempt.h"

#include <errno.h>

#include "common/wire.h"
#include "pam_oidc/module/conversation.h"
#include "pam_oidc/module/printable.h"
#include "pam_oidc/module/result.h"

#define SENTENCE_MAX 512

int attempt_begin(pam_handle_t *pamh, int flags, struct attempt *ret_attempt)
{
	ret_attempt->pamh = pamh;
	ret_attempt->silent = ((unsigned)flags & PAM_SILENT) != 0;
	application_from_pam(pamh, &ret_attempt->application);
	return person_from_pam(pamh, &ret_attempt->person);
}

enum standing attempt_standing(const struct attempt *attempt, const struct application *from,
			       struct account *ret_account)
{
	enum standing standing = STANDING_UNAVAILABLE;
	int error = gate_standing(attempt->person.name, from, &standing, ret_account);

	if (error < 0) {
		errno = -error;
		pam_syslog(attempt->pamh, LOG_WARNING,
			   "provisiond did not say what %s stands for (%s): %m; check that it runs",
			   attempt->person.name, PROVISIOND_SOCKET);
		return STANDING_UNAVAILABLE;
	}
	if (standing == STANDING_UNAVAILABLE)
		pam_syslog(attempt->pamh, LOG_WARNING,
			   "provisiond cannot say what %s stands for: another source of names does not answer",
			   attempt->person.name);
	return standing;
}

bool attempt_arguments(struct attempt *attempt, int argc, const char **argv)
{
	const char *wrong = NULL, *expected = NULL;
	char shown[128];

	if (arguments_parse(argc, argv, attempt->application.kind, &attempt->arguments, &wrong, &expected))
		return true;
	printable_copy(wrong, shown, sizeof(shown));
	pam_syslog(attempt->pamh, LOG_ERR,
		   "argument '%s' on the pam_oidc.so line of service %s in /etc/pam.d is wrong: %s", shown,
		   attempt->application.service, expected);
	return false;
}

int attempt_refuse(const struct attempt *attempt, enum reason reason, const char *text, bool quiet)
{
	const char *rhost = attempt->application.rhost;
	char sentence[SENTENCE_MAX];

	if (reason_class(reason) == REASON_CLASS_NOT_OURS)
		return PAM_USER_UNKNOWN;
	printable_copy(text && text[0] ? text : reason_sentence(reason), sentence, sizeof(sentence));
	pam_syslog(attempt->pamh, LOG_NOTICE, "%s%s%s not signed in (%s): %s", attempt->person.name,
		   rhost[0] ? " from " : "", rhost, reason_name(reason), sentence);
	if (!quiet && sentence[0])
		(void)conversation_error(attempt->pamh, sentence);
	return result_of_reason(reason, attempt->application.kind);
}
