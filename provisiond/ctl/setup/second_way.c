/*
 * Each look is a child of its own that loads libpam as sshd and login do, and is gone at the moment of the first
 * question: what comes behind a question that nobody answers (pam_faillock, delays, lines in the log) never runs. So
 * looking at an account does not count as an attempt on it.
 */
#include "provisiond/ctl/setup/second_way.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/wire.h"
#include "provisiond/ctl/conversation.h"
#include "provisiond/ctl/setup/ask.h"
#include "provisiond/ctl/setup/change_inside.h"
#include "provisiond/ctl/terminal.h"

#define LOOK_S 20
#define STEP_MS 1000
#define NO_RESULT (-1)

static const char *const services[] = { "sshd", "login" };
#define SERVICES (sizeof(services) / sizeof(services[0]))

/* ---- in the child ---- */

/* What it finds out. */
struct seen {
	int asked;
	int authenticated;
	int account;
};

struct libpam {
	int (*start)(const char *, const char *, const struct pam_conv *, pam_handle_t **);
	int (*set_item)(pam_handle_t *, int, const void *);
	int (*authenticate)(pam_handle_t *, int);
	int (*acct_mgmt)(pam_handle_t *, int);
	int (*end)(pam_handle_t *, int);
};

/* ISO C has no cast from an object's address to a function's. */
static bool find(void *library, const char *name, void *ret_function)
{
	void *address = dlsym(library, name);

	memcpy(ret_function, &address, sizeof(address));
	return address != NULL;
}

static bool load_libpam(struct libpam *ret_pam)
{
	void *library = dlopen("libpam.so.0", RTLD_NOW | RTLD_GLOBAL);

	return library && find(library, "pam_start", &ret_pam->start) &&
	       find(library, "pam_set_item", &ret_pam->set_item) &&
	       find(library, "pam_authenticate", &ret_pam->authenticate) &&
	       find(library, "pam_acct_mgmt", &ret_pam->acct_mgmt) && find(library, "pam_end", &ret_pam->end);
}

_Noreturn static void report_and_leave(int pipe, const struct seen *seen)
{
	ssize_t written = write(pipe, seen, sizeof(*seen));

	_exit(written == (ssize_t)sizeof(*seen) ? 0 : 1);
}

/* pam_unix asks with the echo off, for a password; pam_oidc would ask for Enter. */
static int converse(int count, const struct pam_message **messages, struct pam_response **ret_responses, void *context)
{
	const int *pipe = context;

	for (int i = 0; i < count; i++)
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF || messages[i]->msg_style == PAM_PROMPT_ECHO_ON) {
			bool password =
				messages[i]->msg_style == PAM_PROMPT_ECHO_OFF && !strstr(messages[i]->msg, "Okta");

			report_and_leave(*pipe, &(struct seen){ password, NO_RESULT, NO_RESULT });
		}
	/* Texts only: nothing to answer. libpam frees it. */
	*ret_responses = calloc((size_t)count, sizeof(**ret_responses));
	return *ret_responses ? PAM_SUCCESS : PAM_CONV_ERR;
}

_Noreturn static void look_inside(const char *service, const char *user, bool account, int pipe)
{
	const struct pam_conv conversation = { converse, &pipe };
	struct seen seen = { 0, NO_RESULT, NO_RESULT };
	pam_handle_t *handle = NULL;
	struct libpam pam;

	if (!load_libpam(&pam) || pam.start(service, user, &conversation, &handle) != PAM_SUCCESS)
		_exit(1);
	(void)pam.set_item(handle, PAM_TTY, strcmp(service, "sshd") == 0 ? "ssh" : "tty1");
	if (strcmp(service, "sshd") == 0)
		(void)pam.set_item(handle, PAM_RHOST, "127.0.0.1");
	if (account)
		seen.account = pam.acct_mgmt(handle, PAM_SILENT);
	else
		seen.authenticated = pam.authenticate(handle, 0);
	report_and_leave(pipe, &seen);
}

_Noreturn static void become_application(const char *service, const char *user, bool account, int pipe)
{
	int nothing = open("/dev/null", O_RDWR);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(nothing, 2) < 0 || chdir("/") != 0)
		_exit(1);
	(void)clearenv();
	(void)alarm(LOOK_S);
	look_inside(service, user, account, pipe);
}

/* ---- outside ---- */

/* One phase of one service for one person. What could not be found out within its time reads as NO_RESULT. */
static bool look(const char *service, const char *user, bool account, struct seen *ret_seen)
{
	struct seen seen = { 0, NO_RESULT, NO_RESULT };
	int ends[2];
	ssize_t n;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	child = fork();
	if (child == 0) {
		(void)close(ends[0]);
		become_application(service, user, account, ends[1]);
	}
	(void)close(ends[1]);
	if (child > 0) {
		do
			n = read(ends[0], &seen, sizeof(seen));
		while (n < 0 && errno == EINTR);
		if (n != (ssize_t)sizeof(seen))
			seen = (struct seen){ 0, NO_RESULT, NO_RESULT };
		/* A module may have left something of its own behind in that group. */
		(void)kill(-child, SIGKILL);
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
	}
	(void)close(ends[0]);
	*ret_seen = seen;
	return child > 0;
}

static bool look_at(struct second_ways *ways, const char *service, const char *user)
{
	struct second_way *way = &ways->ways[ways->count];
	struct seen authentication, account;

	if (!look(service, user, false, &authentication) || !look(service, user, true, &account))
		return false;
	(void)snprintf(way->service, sizeof(way->service), "%s", service);
	(void)snprintf(way->user, sizeof(way->user), "%s", user);
	way->asked = authentication.asked || authentication.authenticated == PAM_SUCCESS;
	way->authenticated = authentication.authenticated;
	way->account = account.account;
	ways->count++;
	return true;
}

static bool service_is_here(const char *service)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/etc/pam.d/%s", service);
	if (access(path, R_OK) == 0)
		return true;
	(void)snprintf(path, sizeof(path), "/usr/lib/pam.d/%s", service);
	return access(path, R_OK) == 0;
}

bool second_ways_look(const char *invoking_user, struct second_ways *ret_ways, char *fault, size_t fault_size)
{
	struct second_ways ways = { 0 };
	struct libpam pam;
	bool another = invoking_user && *invoking_user && strcmp(invoking_user, "root") != 0 &&
		       strlen(invoking_user) < sizeof(ways.ways[0].user);

	if (!load_libpam(&pam))
		return change_fault(fault, fault_size, "libpam cannot be loaded: %s", dlerror());
	for (size_t i = 0; i < SERVICES; i++) {
		if (!service_is_here(services[i]))
			continue;
		if (!look_at(&ways, services[i], "root") || (another && !look_at(&ways, services[i], invoking_user)))
			return change_fault(fault, fault_size, "PAM cannot be tried out: %s", strerror(errno));
	}
	*ret_ways = ways;
	return true;
}

static const struct second_way *same_way(const struct second_ways *ways, const struct second_way *way)
{
	for (size_t i = 0; i < ways->count; i++)
		if (strcmp(ways->ways[i].service, way->service) == 0 && strcmp(ways->ways[i].user, way->user) == 0)
			return &ways->ways[i];
	return NULL;
}

static bool still_open(const struct second_way *before, const struct second_way *now, char *fault, size_t fault_size)
{
	if (before->asked && !now->asked)
		return change_fault(
			fault, fault_size,
			"through %s, %s was asked for a password before, and is not any more (PAM says %d).",
			now->service, now->user, now->authenticated);
	if (before->account == PAM_SUCCESS && now->account != PAM_SUCCESS)
		return change_fault(
			fault, fault_size,
			"through %s, %s was let in before, and is not any more (PAM's account phase says %d).",
			now->service, now->user, now->account);
	return true;
}

bool second_ways_still_open(const struct second_ways *before, const struct second_ways *after, change_teller *tell,
			    void *context, char *fault, size_t fault_size)
{
	char sentence[256];

	for (size_t i = 0; i < before->count; i++) {
		const struct second_way *now = same_way(after, &before->ways[i]);

		if (!now)
			return change_fault(fault, fault_size, "%s could sign in through %s before, and it is gone.",
					    before->ways[i].user, before->ways[i].service);
		if (!still_open(&before->ways[i], now, fault, fault_size))
			return false;
		(void)snprintf(sentence, sizeof(sentence), "%s: %s %s.", now->service, now->user,
			       !now->asked                   ? "gets no further than before setup"
			       : now->account == PAM_SUCCESS ? "is asked for the password and let in, as before"
							     : "is asked for the password, and then refused as before");
		if (tell)
			tell(context, CHANGE_TELL_DONE, sentence);
	}
	return true;
}

/* ---- somebody of pam_oidc ---- */

/* The latest sign-in that provisiond knows of, and whose. False when it cannot be asked. */
static bool latest_signin(long long *ret_time, char *ret_name, size_t name_size)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	struct wire_message answer;
	long long latest = 0;

	if (conversation_begin(&provisiond, "list", NULL, NULL, &conversation) != EXIT_DONE)
		return false;
	while (conversation_next(&conversation, &answer) == EXIT_DONE) {
		const char *status = wire_get(&answer, "status"), *name = wire_get(&answer, "name");
		long long at;

		if (status && strcmp(status, "end") == 0) {
			*ret_time = latest;
			return true;
		}
		if (!name || !wire_get_number(&answer, "last_signin", 1, LLONG_MAX, &at) || at <= latest)
			continue;
		latest = at;
		(void)snprintf(ret_name, name_size, "%s", name);
	}
	return false;
}

static void say_how(const char *account)
{
	char host[256] = "this-machine";
	_cleanup_free_ char *shown = terminal_text(account ? account : "NAME");

	(void)gethostname(host, sizeof(host) - 1);
	(void)fprintf(
		stderr,
		"\nKeep this terminal open. In another one, sign in as somebody of your company:\n"
		"    ssh %s@%s\n"
		"This goes on by itself once that has worked. Enter goes on without; u and Enter takes everything "
		"back.\n",
		shown ? shown : "NAME", host);
}

enum second_way_answer second_way_wait(const char *account)
{
	char line[ANSWER_MAX], name[64] = "";
	long long before = 0, now = 0;
	bool knows = latest_signin(&before, name, sizeof(name));
	time_t began = time(NULL);

	say_how(account);
	for (;;) {
		enum asked asked = ask_line(STEP_MS, line);

		if (asked == ASKED_ENDED)
			return SECOND_WAY_UNDO;
		if (asked == ASKED_ANSWER && (*line == 'u' || *line == 'U'))
			return SECOND_WAY_UNDO;
		if (asked == ASKED_ANSWER && !*line)
			return SECOND_WAY_SKIPPED;
		if (asked == ASKED_ANSWER)
			(void)fputs("Enter goes on without; u and Enter takes everything back.\n", stderr);
		if (!knows)
			continue;
		knows = latest_signin(&now, name, sizeof(name));
		if (knows && now > before && now >= (long long)began)
			return SECOND_WAY_SIGNED_IN;
	}
}
