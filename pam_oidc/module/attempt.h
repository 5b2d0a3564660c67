/*
 * What one call of the module knows: who, from which application, with which arguments; and the few steps that every
 * call takes.
 */
#ifndef PAM_OIDC_MODULE_ATTEMPT_H
#define PAM_OIDC_MODULE_ATTEMPT_H

#include <stdbool.h>
#include <syslog.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "common/reason.h"
#include "pam_oidc/module/application.h"
#include "pam_oidc/module/arguments.h"
#include "pam_oidc/module/gate.h"
#include "pam_oidc/module/person.h"
#include "pam_oidc/module/sshd_process.h"

struct attempt {
	pam_handle_t *pamh;
	bool silent; /* PAM_SILENT: no texts that only inform; what the person needs for signing in is shown all the
			same */
	struct application application;
	struct person person;
	struct arguments arguments;
	char connection_key[SSHD_CONNECTION_KEY_MAX]; /* empty outside sshd */
};

#define attempt_debug(attempt, ...)                                          \
	do {                                                                 \
		if ((attempt)->arguments.debug)                              \
			pam_syslog((attempt)->pamh, LOG_DEBUG, __VA_ARGS__); \
	} while (0)

/* Who it is about. A result other than PAM_SUCCESS is the module's answer: root, and names that cannot be ours. */
int attempt_begin(pam_handle_t *pamh, int flags, struct attempt *ret_attempt);
/* What the name stands for at provisiond; one that does not answer is logged here and makes it unavailable. `from` and
 * *ret_account as for gate_standing(). */
enum standing attempt_standing(const struct attempt *attempt, const struct application *from,
			       struct account *ret_account);
/* Reads the arguments of the line in /etc/pam.d. False, and logged, when they are wrong. */
bool attempt_arguments(struct attempt *attempt, int argc, const char **argv);
/* Ends a sign-in with the reason, logged and said once. text is the sentence that came with it, or NULL. Returns the
 * module's answer. */
int attempt_refuse(const struct attempt *attempt, enum reason reason, const char *text, bool quiet);

#endif
