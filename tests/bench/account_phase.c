/*
 * pam_acct_mgmt(3) under two services, in turn:
 *
 *   account_phase SERVICE PEER_SERVICE ROUNDS PREFIX COUNT
 *
 * PREFIX and a number of five digits below COUNT make the name of the account; every round takes another.
 */
#include <errno.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/stopwatch.h"

#define STRIDE 7919 /* a prime, so that neighbours in the files are not neighbours in time */

static int say_nothing(int count, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	(void)count;
	(void)messages;
	(void)responses;
	(void)context;
	return PAM_CONV_ERR;
}

/* The phase alone: pam_start() loads the modules, and a real application has them loaded already. */
static double phase_us(const char *service, const char *account)
{
	struct pam_conv conversation = { say_nothing, NULL };
	pam_handle_t *pam = NULL;
	double began, took;
	int result;

	if (pam_start(service, account, &conversation, &pam) != PAM_SUCCESS)
		stopwatch_die("there is no service %s", service);
	began = stopwatch_now_us();
	result = pam_acct_mgmt(pam, PAM_SILENT);
	took = stopwatch_now_us() - began;
	if (result != PAM_SUCCESS) {
		errno = 0;
		stopwatch_die("%s refuses %s: %s", service, account, pam_strerror(pam, result));
	}
	(void)pam_end(pam, result);
	return took;
}

int main(int argc, char *argv[])
{
	unsigned rounds, count;

	if (argc != 6)
		stopwatch_die("SERVICE PEER_SERVICE ROUNDS PREFIX COUNT");
	rounds = stopwatch_count(argv[3]);
	count = stopwatch_count(argv[5]);
	for (unsigned i = 0; i < rounds; i++) {
		char account[64];
		double ours;

		(void)snprintf(account, sizeof(account), "%s%05u", argv[4], i * STRIDE % count);
		ours = phase_us(argv[1], account);
		stopwatch_print(ours, phase_us(argv[2], account));
	}
	return 0;
}
