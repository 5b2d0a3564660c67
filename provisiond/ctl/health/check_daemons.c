/*
 * Whether both daemons run and answer, what they are about, and what pam_oidcd finds out about each company's issuer.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/version.h"
#include "common/wire.h"
#include "provisiond/ctl/health/health.h"

#define ALIVE_MS 1000 /* for an answer that needs nothing but the daemon */

struct daemon_row {
	const char *name, *socket, *op;
};

static const struct daemon_row provisiond_row = { "provisiond", PROVISIOND_SOCKET, "status" };
static const struct daemon_row pam_oidcd_row = { "pam_oidcd", PAM_OIDC_SOCKET, "pending" };

static void say_away(const struct daemon_row *row, int fault, struct findings *findings)
{
	char remedy[128];
	bool down = fault == -ENOENT || fault == -ECONNREFUSED;

	(void)snprintf(remedy, sizeof(remedy), "systemctl %s %s; journalctl -u %s says why", down ? "start" : "restart",
		       row->name, row->name);
	if (down)
		findings_add(findings, LEVEL_ERROR, ITEM_DAEMON, row->name, remedy, "it is not running");
	else if (fault == -ETIMEDOUT)
		findings_add(findings, LEVEL_ERROR, ITEM_DAEMON, row->name, remedy,
			     "it runs and does not answer within %d ms", ALIVE_MS);
	else
		findings_add(findings, LEVEL_ERROR, ITEM_DAEMON, row->name, remedy,
			     "it gives no proper answer at %s: %s", row->socket, strerror(-fault));
}

static void say_version(const char *name, const char *version, struct findings *findings)
{
	char remedy[128];

	(void)snprintf(remedy, sizeof(remedy), "install the same version of all packages, then: systemctl restart %s",
		       name);
	findings_add(findings, LEVEL_WARNING, ITEM_DAEMON, name, remedy,
		     "version %s runs, and provisionctl is of version %s", version, PAM_OIDC_VERSION);
}

static void say_runs(const struct daemon_row *row, struct findings *findings)
{
	findings_add(findings, LEVEL_GOOD, ITEM_DAEMON, row->name, NULL, "it runs and answers");
}

/* ---- provisiond ---- */

static bool field_is(const struct wire_message *message, const char *key, const char *value)
{
	const char *there = wire_get(message, key);

	return there && strcmp(there, value) == 0;
}

static void judge_work(const struct wire_message *status, struct findings *findings)
{
	long long waiting = 0;
	bool held = field_is(status, "lock", "held"), due = field_is(status, "recovery", "due");

	(void)wire_get_number(status, "waiting", 0, INT64_MAX, &waiting);
	if (due)
		findings_add(findings, LEVEL_WARNING, ITEM_CHANGES, NULL,
			     held ? "end the program that has them open (vipw, a configuration management); then it is "
				    "tried again within a minute"
				  : "journalctl -u provisiond says what fails; it is tried again every minute",
			     "something that was begun before is not ended yet%s",
			     held ? ": another program has locked the account files" : "");
	else if (waiting > 0 && held)
		findings_add(findings, LEVEL_WARNING, ITEM_CHANGES, NULL,
			     "end the program that has them open (vipw, a configuration management)",
			     "%lld change%s wait%s: another program has locked the account files", waiting,
			     waiting == 1 ? "" : "s", waiting == 1 ? "s" : "");
	else
		findings_add(findings, LEVEL_GOOD, ITEM_CHANGES, NULL, NULL,
			     "nothing waits, nothing is left unfinished");
}

static void judge_provisiond(struct findings *findings)
{
	_cleanup_health_question_ struct health_question question = NO_QUESTION;
	const struct daemon_row *row = &provisiond_row;
	struct wire_message status;
	int r = health_ask(row->socket, row->op, NULL, NULL, wire_now_ms() + ALIVE_MS, &question);
	const char *version;

	if (r == 0)
		r = health_answer(&question, &status);
	if (r != 0) {
		say_away(row, r, findings);
		return;
	}
	version = wire_get(&status, "version");
	if (!version || strcmp(version, PAM_OIDC_VERSION) != 0)
		say_version(row->name, version ? version : "?", findings);
	if (!field_is(&status, "database", "readable"))
		findings_add(findings, LEVEL_ERROR, ITEM_DAEMON, row->name, "journalctl -u provisiond says why",
			     "it cannot read its record of accounts, " HEALTH_STATE "/accounts.db");
	if (findings->count == 0)
		say_runs(row, findings);
	judge_work(&status, findings);
}

/* ---- pam_oidcd ---- */

/* 0 when it lives; anybody who waits is passed over. */
static int pam_oidcd_lives(void)
{
	_cleanup_health_question_ struct health_question question = NO_QUESTION;
	const struct daemon_row *row = &pam_oidcd_row;
	struct wire_message answer;
	int r = health_ask(row->socket, row->op, NULL, NULL, wire_now_ms() + ALIVE_MS, &question);

	while (r == 0) {
		r = health_answer(&question, &answer);
		if (r == 0 && strcmp(wire_kind(&answer, "status"), "end") == 0)
			return 0;
	}
	return r;
}

void check_daemons(const struct health *health, struct findings *findings)
{
	int r;

	(void)health;
	judge_provisiond(findings);
	r = pam_oidcd_lives();
	if (r != 0)
		say_away(&pam_oidcd_row, r, findings);
	else
		say_runs(&pam_oidcd_row, findings);
}

/* ---- issuers ---- */

static enum level level_of(const struct wire_message *finding)
{
	const char *level = wire_get(finding, "level");

	if (!level)
		return field_is(finding, "ok", "1") ? LEVEL_GOOD : LEVEL_ERROR;
	if (strcmp(level, "good") == 0)
		return LEVEL_GOOD;
	return strcmp(level, "warning") == 0 ? LEVEL_WARNING : LEVEL_ERROR;
}

static void take_finding(const struct wire_message *finding, struct findings *findings)
{
	const char *item = wire_get(finding, "item"), *text = wire_get(finding, "text");

	/* Of the configuration it was said already what pam_oidcd -t says, unless the running daemon finds more. */
	if (!item || !text || (strcmp(item, "configuration") == 0 && level_of(finding) == LEVEL_GOOD))
		return;
	findings_add(findings, level_of(finding), item, wire_get(finding, "tenant"), wire_get(finding, "remedy"), "%s",
		     text);
}

static void say_unfinished(int fault, struct findings *findings)
{
	findings_add(findings, LEVEL_WARNING, "issuer", NULL,
		     "pam_oidcd --probe --no-code shows each step; journalctl -u pam_oidcd has the details",
		     fault == -ETIMEDOUT ? "pam_oidcd has not heard from all issuers in time"
					 : "pam_oidcd broke off before it had said all: %s",
		     strerror(-fault));
}

void check_issuers(const struct health *health, struct findings *findings)
{
	_cleanup_health_question_ struct health_question question = NO_QUESTION;
	struct wire_message answer;
	const char *version;
	int r;

	/* What hangs or is not there has been said by check_daemons(). */
	if (pam_oidcd_lives() != 0)
		return;
	r = health_ask(PAM_OIDC_SOCKET, "check", "code", health->probe ? "1" : "0", health->deadline_ms, &question);
	while (r == 0) {
		r = health_answer(&question, &answer);
		if (r != 0 || strcmp(wire_kind(&answer, "status"), "end") == 0)
			break;
		take_finding(&answer, findings);
	}
	if (r != 0) {
		say_unfinished(r, findings);
		return;
	}
	version = wire_get(&answer, "version");
	if (version && strcmp(version, PAM_OIDC_VERSION) != 0)
		say_version("pam_oidcd", version, findings);
}
