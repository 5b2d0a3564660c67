/*
 * pam_oidc.so: what each PAM function does, as a story. It decides nothing about people: pam_oidcd has them verified,
 * provisiond says whose account it is and confirms it. Lives in sshd, login, su and sudo, so it keeps no state and
 * prints nothing by itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "common/reason.h"
#include "common/wire.h"
#include "pam_oidc/module/application.h"
#include "pam_oidc/module/approval.h"
#include "pam_oidc/module/arguments.h"
#include "pam_oidc/module/attempt.h"
#include "pam_oidc/module/conversation.h"
#include "pam_oidc/module/gate.h"
#include "pam_oidc/module/person.h"
#include "pam_oidc/module/printable.h"
#include "pam_oidc/module/result.h"
#include "pam_oidc/module/session_names.h"
#include "pam_oidc/module/signin.h"
#include "pam_oidc/module/sshd_process.h"

#define SENTENCE_MAX 512
#define SHOW_WAIT_MS 25000 /* the daemon gives the issuer less */
#define WELCOME "PAM_OIDC_WELCOME"

#define debug(attempt, ...)                                                  \
	do {                                                                 \
		if ((attempt)->arguments.debug)                              \
			pam_syslog((attempt)->pamh, LOG_DEBUG, __VA_ARGS__); \
	} while (0)

/* What the name stands for at provisiond; one that does not answer is logged here and makes it unavailable. */
static enum standing ask_standing(const struct attempt *attempt, const struct application *from,
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

/* Ends a sign-in with the reason, logged and said once. text is the sentence that came with it, or NULL. */
static int refuse(const struct attempt *attempt, enum reason reason, const char *text, bool quiet)
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

/* Reads the arguments of the line in /etc/pam.d. */
static bool arguments_right(struct attempt *attempt, int argc, const char **argv)
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

/* Who it is about. A result other than PAM_SUCCESS is the module's answer: root, and names that cannot be ours. */
static int begin(pam_handle_t *pamh, int flags, struct attempt *ret_attempt)
{
	ret_attempt->pamh = pamh;
	ret_attempt->silent = ((unsigned)flags & PAM_SILENT) != 0;
	application_from_pam(pamh, &ret_attempt->application);
	return person_from_pam(pamh, &ret_attempt->person);
}

/* Takes the place of sshd's process into account. False in the password method: nobody could see a code there, and a
 * guess must not cost one. */
static bool somebody_can_read(struct attempt *attempt)
{
	enum sshd_process process;

	if (attempt->application.kind != APPLICATION_SSHD)
		return true;
	process = sshd_process_here();
	if (process == SSHD_MONITOR)
		return false;
	if (!sshd_connection_key(attempt->connection_key, sizeof(attempt->connection_key)))
		attempt->connection_key[0] = '\0';
	/* A prompt tells the password method by failing; and without a key no later attempt would find this one. */
	if (process == SSHD_UNKNOWN || attempt->connection_key[0] == '\0')
		attempt->arguments.wait = WAIT_ENTER;
	return true;
}

/* Whether what provisiond confirms is what was promised to everybody before. */
static bool as_promised(const struct attempt *attempt, const struct signin_answer *answer,
			const struct account *account)
{
	const struct person *person = &attempt->person;

	if (strcmp(account->name, answer->admitted.account) != 0 || account->uid != answer->admitted.uid)
		return false;
	if (person->resolves && account->uid != person->uid)
		return false;
	return person->is_email || strcmp(account->name, person->name) == 0;
}

/* A new account is announced when the credentials are set: sshd would repeat what is said during authentication. Its
 * process for that is another one, which only PAM's environment reaches. */
static void prepare_welcome(const struct attempt *attempt, const struct signin_answer *answer,
			    const struct account *account)
{
	char text[SENTENCE_MAX], home[256];

	if (!answer->admitted.created)
		return;
	printable_copy(answer->admitted.home ? answer->admitted.home : "", home, sizeof(home));
	(void)snprintf(text, sizeof(text), "%s=Welcome! A local account was made for you: %s (uid %lu)%s%s.", WELCOME,
		       account->name, (unsigned long)account->uid, home[0] ? ", home " : "", home);
	/* Without memory it is left out. */
	(void)pam_putenv(attempt->pamh, text);
}

static void welcome(pam_handle_t *pamh, bool silent)
{
	const char *text = pam_getenv(pamh, WELCOME);

	if (!text)
		return;
	if (!silent)
		(void)conversation_info(pamh, text);
	/* So that it does not end up in the person's shell. */
	(void)pam_putenv(pamh, WELCOME);
}

/* The only way to PAM_SUCCESS: provisiond itself confirms the ticket, for this name and this uid. */
static int confirm(const struct attempt *attempt, const struct signin_answer *answer)
{
	struct account account;
	int error = gate_redeem(answer->admitted.ticket, &attempt->person, &account);
	int result;

	if (error < 0 && error != -EACCES && error != -EPROTO) {
		errno = -error;
		pam_syslog(attempt->pamh, LOG_ERR, "provisiond did not confirm the sign-in of %s (%s): %m",
			   attempt->person.name, PROVISIOND_SOCKET);
		return refuse(attempt, REASON_SERVICE_DOWN, NULL, false);
	}
	if (error < 0 || !as_promised(attempt, answer, &account)) {
		pam_syslog(attempt->pamh, LOG_ERR,
			   "pam_oidcd admitted %s as %s (uid %lu), which provisiond does not confirm",
			   attempt->person.name, answer->admitted.account, (unsigned long)answer->admitted.uid);
		return refuse(attempt, REASON_TICKET, NULL, false);
	}
	result = session_names_set(attempt->pamh, &attempt->application, &attempt->person, &account);
	if (result != PAM_SUCCESS)
		return result;
	pam_syslog(attempt->pamh, LOG_INFO, "%s signed in with Okta as %s (uid %lu)%s%s", attempt->person.name,
		   account.name, (unsigned long)account.uid, attempt->application.rhost[0] ? " from " : "",
		   attempt->application.rhost);
	prepare_welcome(attempt, answer, &account);
	return PAM_SUCCESS;
}

/* sshd keeps the answer it had before PAM: without one, the best sign-in ends in an internal error. */
static int refuse_unresolved(const struct attempt *attempt)
{
	pam_syslog(attempt->pamh, LOG_ERR,
		   "%s does not resolve inside sshd: is 'oidc' in the passwd line of /etc/nsswitch.conf?",
		   attempt->person.name);
	return refuse(attempt, REASON_MISCONFIGURED, NULL, false);
}

static int refuse_broken(const struct attempt *attempt, int error)
{
	errno = -error;
	pam_syslog(attempt->pamh, LOG_ERR, "pam_oidcd did not serve the sign-in of %s (%s): %m", attempt->person.name,
		   PAM_OIDC_SOCKET);
	if (error == -ENOMEM)
		return PAM_BUF_ERR;
	return refuse(attempt, error == -EPROTO || error == -EMSGSIZE ? REASON_INTERNAL : REASON_SERVICE_DOWN, NULL,
		      false);
}

static int64_t first_deadline(const struct signin *signin)
{
	int64_t deadline_ms = wire_now_ms() + SHOW_WAIT_MS;

	return deadline_ms < signin->deadline_ms ? deadline_ms : signin->deadline_ms;
}

/* One sign-in at pam_oidcd, from the code to its end. */
static int sign_in(const struct attempt *attempt)
{
	_cleanup_signin_ struct signin signin = SIGNIN_NONE;
	struct signin_answer answer = { .error = 0 };
	bool must_resolve = attempt->application.kind == APPLICATION_SSHD && !attempt->person.resolves;
	enum signin_event event;
	int error;

	debug(attempt, "%s: asking pam_oidcd, for %u s at most", attempt->person.name, attempt->arguments.timeout_s);
	error = signin_start(attempt, &signin);
	if (error < 0)
		return refuse_broken(attempt, error);
	event = signin_next(&signin, first_deadline(&signin), &answer);
	if (event == SIGNIN_TIME_UP)
		return refuse_broken(attempt, -ETIMEDOUT);
	/* The daemon says why a name is refused, and what to do; a name for which it would show a code must resolve. */
	if (event == SIGNIN_SHOW && must_resolve)
		return refuse_unresolved(attempt);
	if (event == SIGNIN_SHOW) {
		debug(attempt, "%s: a code is there, good for %u s", attempt->person.name, answer.show.expires_in_s);
		event = approval_await(attempt, &signin, &answer);
	}
	switch (event) {
	case SIGNIN_ADMITTED:
		return confirm(attempt, &answer);
	case SIGNIN_REFUSED:
		return refuse(attempt, answer.refused.reason, answer.refused.text, answer.refused.quiet);
	case SIGNIN_TIME_UP:
		return refuse(attempt, REASON_EXPIRED, NULL, false);
	case SIGNIN_PARKED:
		debug(attempt, "%s: the code is shown; the client's next attempt waits for it", attempt->person.name);
		return PAM_AUTH_ERR;
	case SIGNIN_CLIENT_GONE:
		pam_syslog(attempt->pamh, LOG_NOTICE, "%s not signed in: the client has gone", attempt->person.name);
		return PAM_AUTH_ERR;
	case SIGNIN_GIVEN_UP:
		pam_syslog(attempt->pamh, LOG_NOTICE, "%s not signed in: the prompt was not answered",
			   attempt->person.name);
		return PAM_AUTH_ERR;
	case SIGNIN_FAILED:
		return refuse_broken(attempt, answer.error);
	case SIGNIN_SHOW:
		break;
	}
	return PAM_SYSTEM_ERR;
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct attempt attempt = { 0 };
	struct account account;
	int result = begin(pamh, flags, &attempt);

	if (result != PAM_SUCCESS)
		return result;
	switch (ask_standing(&attempt, NULL, &account)) {
	case STANDING_NOT_OURS:
		return PAM_USER_UNKNOWN;
	case STANDING_UNAVAILABLE:
		/* Nothing to say: it may well be a local user. */
		return PAM_AUTHINFO_UNAVAIL;
	case STANDING_DEACTIVATED:
		return refuse(&attempt, REASON_DEACTIVATED, NULL, false);
	case STANDING_ELSEWHERE:
		return refuse(&attempt, REASON_REMOTE_FROM, NULL, false);
	case STANDING_PROMISED:
	case STANDING_INCOMPLETE:
	case STANDING_ACTIVE:
		break;
	}
	if (!arguments_right(&attempt, argc, argv)) {
		(void)conversation_error(pamh, reason_sentence(REASON_MISCONFIGURED));
		return PAM_SERVICE_ERR;
	}
	if (!somebody_can_read(&attempt)) {
		debug(&attempt, "%s: no code for the password method", attempt.person.name);
		return PAM_AUTH_ERR;
	}
	return sign_in(&attempt);
}

/* The standing of a person's account, for the phases without a sign-in. Anything but PAM_SUCCESS is the module's
 * answer. */
static int begin_with_standing(pam_handle_t *pamh, int flags, int argc, const char **argv, struct attempt *ret_attempt,
			       enum standing *ret_standing, struct account *ret_account)
{
	int result = begin(pamh, flags, ret_attempt);

	if (result != PAM_SUCCESS)
		return result;
	*ret_standing = ask_standing(ret_attempt, &ret_attempt->application, ret_account);
	if (*ret_standing == STANDING_NOT_OURS || *ret_standing == STANDING_UNAVAILABLE)
		return result_of_standing(*ret_standing);
	return arguments_right(ret_attempt, argc, argv) ? PAM_SUCCESS : PAM_SERVICE_ERR;
}

int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	enum standing standing = STANDING_UNAVAILABLE;
	struct attempt attempt = { 0 };
	struct account account;
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
	if (result == PAM_SUCCESS)
		return session_names_set(pamh, &attempt.application, &attempt.person, &account);
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
	if (((unsigned)flags & PAM_PRELIM_CHECK) && !attempt.silent)
		(void)conversation_error(
			pamh, "You have no password on this machine: you sign in with Okta. Change it there.");
	return PAM_PERM_DENIED;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)argc, (void)argv;
	if ((unsigned)flags & PAM_ESTABLISH_CRED)
		welcome(pamh, ((unsigned)flags & PAM_SILENT) != 0);
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
