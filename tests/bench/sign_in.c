/*
 * One sign-in through PAM up to the open session, as an application does it:
 *
 *   sign_in SERVICE USER
 *
 * Prints "code CODE" once the person is shown it, and "session MICROSECONDS" (CLOCK_MONOTONIC) when the session is
 * open.
 */
#include <errno.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/stopwatch.h"

#define CODE_MARK "and enter "

static void tell_code(const char *text)
{
	const char *place = text ? strstr(text, CODE_MARK) : NULL;

	if (!place)
		return;
	place += strlen(CODE_MARK);
	place += strspn(place, " ");
	(void)printf("code %.*s\n", (int)strcspn(place, "\r\n"), place);
	(void)fflush(stdout);
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	struct pam_response *empty = calloc((size_t)count, sizeof(*empty));

	(void)context;
	if (!empty)
		return PAM_CONV_ERR;
	for (int i = 0; i < count; i++)
		tell_code(messages[i]->msg);
	*responses = empty;
	return PAM_SUCCESS;
}

/* The phases in the order in which sshd has them. */
static int sign_in(pam_handle_t *pam)
{
	int result = pam_authenticate(pam, 0);

	if (result == PAM_SUCCESS)
		result = pam_acct_mgmt(pam, 0);
	if (result == PAM_SUCCESS)
		result = pam_setcred(pam, PAM_ESTABLISH_CRED);
	if (result == PAM_SUCCESS)
		result = pam_open_session(pam, 0);
	return result;
}

int main(int argc, char *argv[])
{
	struct pam_conv conversation = { converse, NULL };
	pam_handle_t *pam = NULL;
	double opened_us;
	int result;

	if (argc != 3)
		stopwatch_die("SERVICE USER");
	if (pam_start(argv[1], argv[2], &conversation, &pam) != PAM_SUCCESS)
		stopwatch_die("there is no service %s", argv[1]);
	result = sign_in(pam);
	opened_us = stopwatch_now_us();
	errno = 0;
	if (result != PAM_SUCCESS)
		stopwatch_die("%s has no session: %s", argv[2], pam_strerror(pam, result));
	(void)printf("session %.0f\n", opened_us);
	(void)pam_close_session(pam, PAM_SILENT);
	return pam_end(pam, result) == PAM_SUCCESS ? 0 : 1;
}
