/*
 * From pam_start(3) to the moment when the application is given the code, against another program's whole run, in turn:
 *
 *   code_on_screen SERVICE USER ROUNDS PROGRAM [ARGUMENT...]
 *
 * Each sign-in is tried in a process of its own, as sshd does, and is given up once the code is there.
 */
#include <errno.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/stopwatch.h"

struct screen {
	bool shown;
	double shown_us;
};

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	struct screen *screen = context;

	(void)responses;
	for (int i = 0; i < count && !screen->shown; i++)
		if (messages[i]->msg && strstr(messages[i]->msg, "and enter ")) {
			screen->shown_us = stopwatch_now_us();
			screen->shown = true;
		}
	return PAM_CONV_ERR;
}

/* In the child: the time it took, or a negative number when there was no code. */
static double until_code_us(const char *service, const char *user)
{
	struct screen screen = { 0 };
	struct pam_conv conversation = { converse, &screen };
	double began = stopwatch_now_us();
	pam_handle_t *pam = NULL;
	int result;

	if (pam_start(service, user, &conversation, &pam) != PAM_SUCCESS)
		return -1;
	result = pam_authenticate(pam, 0);
	(void)pam_end(pam, result);
	return screen.shown ? screen.shown_us - began : -1;
}

static double sign_in(const char *service, const char *user)
{
	double took_us = -1;
	int ends[2], status;
	pid_t child;

	if (pipe(ends) != 0 || (child = fork()) < 0)
		stopwatch_die("no process for a sign-in");
	if (child == 0) {
		took_us = until_code_us(service, user);
		_exit(write(ends[1], &took_us, sizeof(took_us)) == sizeof(took_us) ? 0 : 1);
	}
	(void)close(ends[1]);
	if (read(ends[0], &took_us, sizeof(took_us)) != sizeof(took_us) || took_us < 0) {
		errno = 0;
		stopwatch_die("the sign-in of %s showed no code", user);
	}
	(void)close(ends[0]);
	(void)waitpid(child, &status, 0);
	return took_us;
}

int main(int argc, char *argv[])
{
	unsigned rounds;

	if (argc < 5)
		stopwatch_die("SERVICE USER ROUNDS PROGRAM [ARGUMENT...]");
	rounds = stopwatch_count(argv[3]);
	for (unsigned i = 0; i < rounds; i++) {
		double ours = sign_in(argv[1], argv[2]);

		stopwatch_print(ours, stopwatch_run(argv + 4));
	}
	return 0;
}
