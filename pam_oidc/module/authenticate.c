/*
 * The story of a sign-in. See authenticate.h.
 */
#include "pam_oidc/module/authenticate.h"

#include <errno.h>
#include <string.h>

#include "common/wire.h"
#include "pam_oidc/module/approval.h"
#include "pam_oidc/module/choice.h"
#include "pam_oidc/module/room_question.h"
#include "pam_oidc/module/session_names.h"
#include "pam_oidc/module/signin.h"
#include "pam_oidc/module/welcome.h"

#define SHOW_WAIT_MS 25000 /* the daemon gives the issuer less */

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

/* sshd's password method: no code. Who may use the local password goes on to pam_unix, which is given what the client
 * has typed. */
static int authenticate_unread(const struct attempt *attempt)
{
	if (gate_takes_password(&attempt->person, &attempt->application)) {
		attempt_debug(attempt, "%s: the password method is for the local password", attempt->person.name);
		return PAM_AUTHINFO_UNAVAIL;
	}
	attempt_debug(attempt, "%s: no code for the password method", attempt->person.name);
	return PAM_AUTH_ERR;
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

/* The only way to PAM_SUCCESS: provisiond itself confirms the ticket, for this name and this uid, and takes the answer
 * to the question that it asks. */
static int confirm(const struct attempt *attempt, const struct signin *signin, const struct signin_answer *answer)
{
	struct room_list rooms = { .count = 0 };
	struct account account;
	int error = gate_redeem(answer->admitted.ticket, &attempt->person, &account, &rooms);
	int result = PAM_SUCCESS;

	if (error == -ESTALE)
		return attempt_refuse(attempt, REASON_RESTARTED, NULL, false);
	if (error < 0 && error != -EACCES && error != -EPROTO) {
		errno = -error;
		pam_syslog(attempt->pamh, LOG_ERR, "provisiond did not confirm the sign-in of %s (%s): %m",
			   attempt->person.name, PROVISIOND_SOCKET);
		return attempt_refuse(attempt, REASON_SERVICE_DOWN, NULL, false);
	}
	if (error < 0 || !as_promised(attempt, answer, &account)) {
		pam_syslog(attempt->pamh, LOG_ERR,
			   "pam_oidcd admitted %s as %s (uid %lu), which provisiond does not confirm",
			   attempt->person.name, answer->admitted.account, (unsigned long)answer->admitted.uid);
		return attempt_refuse(attempt, REASON_TICKET, NULL, false);
	}
	if (rooms.count > 0)
		result = room_question_ask(attempt, &signin->client, &rooms, &account);
	if (result == PAM_SUCCESS)
		result = session_names_set(attempt->pamh, &attempt->application, &attempt->person, &account);
	if (result != PAM_SUCCESS)
		return result;
	pam_syslog(attempt->pamh, LOG_INFO, "%s signed in with Okta as %s (uid %lu)%s%s", attempt->person.name,
		   account.name, (unsigned long)account.uid, attempt->application.rhost[0] ? " from " : "",
		   attempt->application.rhost);
	welcome_prepare(attempt->pamh, answer, &account);
	return PAM_SUCCESS;
}

/* sshd keeps the answer it had before PAM: without one, the best sign-in ends in an internal error. */
static int refuse_unresolved(const struct attempt *attempt)
{
	pam_syslog(attempt->pamh, LOG_ERR,
		   "%s does not resolve inside sshd: is 'oidc' in the passwd line of /etc/nsswitch.conf?",
		   attempt->person.name);
	return attempt_refuse(attempt, REASON_MISCONFIGURED, NULL, false);
}

/* The daemon has hung up: it was stopped, or has died. */
static bool is_hang_up(int error)
{
	return error == -ECONNRESET || error == -EPIPE;
}

static int refuse_broken(const struct attempt *attempt, const struct signin *signin, int error)
{
	errno = -error;
	pam_syslog(attempt->pamh, LOG_ERR, "pam_oidcd did not serve the sign-in of %s (%s): %m", attempt->person.name,
		   PAM_OIDC_SOCKET);
	if (error == -ENOMEM)
		return PAM_BUF_ERR;
	/* Who has seen a code is ours, and has no password to be asked for. */
	if (is_hang_up(error) && signin->shown)
		return attempt_refuse(attempt, REASON_RESTARTED, NULL, false);
	return attempt_refuse(attempt, error == -EPROTO || error == -EMSGSIZE ? REASON_INTERNAL : REASON_SERVICE_DOWN,
			      NULL, false);
}

static int refuse_quietly(const struct attempt *attempt, const char *why)
{
	pam_syslog(attempt->pamh, LOG_NOTICE, "%s not signed in: %s", attempt->person.name, why);
	return PAM_AUTH_ERR;
}

/* Waits for what the daemon says first. A person who waits for a code is not left waiting without a word. */
static enum signin_event next_soon(struct signin *signin, struct signin_answer *answer)
{
	int64_t soon_ms = wire_now_ms() + SHOW_WAIT_MS;
	enum signin_event event =
		signin_next(signin, soon_ms < signin->deadline_ms ? soon_ms : signin->deadline_ms, answer);

	if (event != SIGNIN_TIME_UP)
		return event;
	answer->error = -ETIMEDOUT;
	return SIGNIN_FAILED;
}

/* The end of a sign-in as the module's answer. */
static int conclude(const struct attempt *attempt, const struct signin *signin, enum signin_event event,
		    const struct signin_answer *answer)
{
	switch (event) {
	case SIGNIN_ADMITTED:
		return confirm(attempt, signin, answer);
	case SIGNIN_REFUSED:
		if (answer->refused.password_instead) {
			(void)attempt_refuse(attempt, answer->refused.reason, answer->refused.text,
					     answer->refused.quiet);
			return PAM_AUTHINFO_UNAVAIL;
		}
		return attempt_refuse(attempt, answer->refused.reason, answer->refused.text, answer->refused.quiet);
	case SIGNIN_TIME_UP:
		return attempt_refuse(attempt, REASON_EXPIRED, NULL, false);
	case SIGNIN_PARKED:
		attempt_debug(attempt, "%s: the code is shown; the client's next attempt waits for it",
			      attempt->person.name);
		return PAM_AUTH_ERR;
	case SIGNIN_CLIENT_GONE:
		return refuse_quietly(attempt, "the client has gone");
	case SIGNIN_GIVEN_UP:
		return refuse_quietly(attempt, "the prompt was not answered");
	case SIGNIN_FAILED:
		return refuse_broken(attempt, signin, answer->error);
	case SIGNIN_CHOOSE:
	case SIGNIN_SHOW:
		break;
	}
	return PAM_SYSTEM_ERR;
}

/* The choice between Okta and the local password. PAM_SUCCESS: Okta, and the sign-in goes on with *event. Otherwise the
 * module's answer. */
static int choose(const struct attempt *attempt, struct signin *signin, enum signin_event *event,
		  struct signin_answer *answer)
{
	switch (choice_ask(attempt)) {
	case CHOICE_OKTA:
		signin_continue(signin);
		*event = next_soon(signin, answer);
		return PAM_SUCCESS;
	case CHOICE_PASSWORD:
		pam_syslog(attempt->pamh, LOG_NOTICE, "%s%s%s chose the local password instead of Okta",
			   attempt->person.name, attempt->application.rhost[0] ? " from " : "",
			   attempt->application.rhost);
		return PAM_AUTHINFO_UNAVAIL;
	case CHOICE_NO_MEMORY:
		return PAM_BUF_ERR;
	case CHOICE_NONE:
		break;
	}
	return refuse_quietly(attempt, "the choice between Okta and the password was not made");
}

static enum signin_event begin(const struct attempt *attempt, struct signin *signin, struct signin_answer *answer)
{
	int error = signin_start(attempt, signin);

	if (error == 0)
		return next_soon(signin, answer);
	answer->error = error;
	return SIGNIN_FAILED;
}

/* The daemon's first word. One that is started anew meanwhile is asked again: the person has seen nothing yet. */
static enum signin_event begin_anew_once(const struct attempt *attempt, struct signin *signin,
					 struct signin_answer *answer)
{
	enum signin_event event = begin(attempt, signin, answer);

	if (event != SIGNIN_FAILED || !is_hang_up(answer->error))
		return event;
	signin_close(signin);
	return begin(attempt, signin, answer);
}

/* One sign-in at pam_oidcd, from the first word to its end. */
static int sign_in(const struct attempt *attempt)
{
	_cleanup_signin_ struct signin signin = SIGNIN_NONE;
	struct signin_answer answer = { .error = 0 };
	bool must_resolve = attempt->application.kind == APPLICATION_SSHD && !attempt->person.resolves;
	enum signin_event event;
	int result = PAM_SUCCESS;

	attempt_debug(attempt, "%s: asking pam_oidcd, for %u s at most", attempt->person.name,
		      attempt->arguments.timeout_s);
	event = begin_anew_once(attempt, &signin, &answer);
	/* The daemon says why a name is refused, and what to do; a name for which it would show a code must resolve. */
	if (must_resolve && (event == SIGNIN_SHOW || event == SIGNIN_CHOOSE))
		return refuse_unresolved(attempt);
	if (event == SIGNIN_CHOOSE)
		result = choose(attempt, &signin, &event, &answer);
	if (result != PAM_SUCCESS)
		return result;
	if (event == SIGNIN_SHOW) {
		attempt_debug(attempt, "%s: a code is there, good for %u s", attempt->person.name,
			      answer.show.expires_in_s);
		event = approval_await(attempt, &signin, &answer);
	}
	return conclude(attempt, &signin, event, &answer);
}

int authenticate_person(struct attempt *attempt)
{
	return somebody_can_read(attempt) ? sign_in(attempt) : authenticate_unread(attempt);
}
