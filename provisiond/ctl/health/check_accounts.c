/*
 * The accounts on record against /etc/passwd, /etc/shadow and the homes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "provisiond/ctl/health/account_lines.h"
#include "provisiond/ctl/health/health.h"
#include "provisiond/ctl/health/people.h"
#include "provisiond/ctl/setup/configuration_text.h"

#define SECONDS_PER_DAY 86400
#define FINDINGS_MAX 50 /* beyond these they are only counted */
#define REMEDY_MAX 512

enum passwd_field { PASSWD_UID = 2, PASSWD_HOME = 5, PASSWD_SHELL = 6 };
enum shadow_field { SHADOW_PASSWORD = 1, SHADOW_CHANGED = 2, SHADOW_MAX = 4, SHADOW_EXPIRES = 7 };

struct judging {
	const struct health *health;
	struct findings *findings;
	struct account_lines passwd, shadow;
	long today;
	bool homes, signin_age; /* create_home, max_signin_age */
	size_t left_out;
};

static void say(struct judging *judging, enum level level, const struct people_account *account, const char *remedy,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

static void say(struct judging *judging, enum level level, const struct people_account *account, const char *remedy,
		const char *format, ...)
{
	char text[1024];
	va_list arguments;

	if (judging->findings->count >= FINDINGS_MAX) {
		judging->left_out++;
		return;
	}
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	findings_add(judging->findings, level, ITEM_ACCOUNTS, account->name, remedy, "%s", text);
}

/* ---- the line in passwd ---- */

static bool uid_is(const struct account_line *line, uid_t uid)
{
	char *end;
	unsigned long there = strtoul(line->fields[PASSWD_UID], &end, 10);

	return line->fields[PASSWD_UID][0] != '\0' && *end == '\0' && there == uid;
}

static bool judge_row(struct judging *judging, const struct people_account *account, const struct account_line *line)
{
	char remedy[REMEDY_MAX];

	if (!line) {
		(void)snprintf(remedy, sizeof(remedy),
			       "put its lines in passwd, shadow, group and gshadow back from a backup (/etc/passwd-), "
			       "or: provisionctl remove %s; "
			       "the next sign-in then makes it again, with the same uid",
			       account->name);
		say(judging, LEVEL_ERROR, account, remedy, "it is %s on record, and /etc/passwd does not know it",
		    account->state);
		return false;
	}
	if (!uid_is(line, account->uid)) {
		(void)snprintf(remedy, sizeof(remedy), "usermod --uid %lu %s", (unsigned long)account->uid,
			       account->name);
		say(judging, LEVEL_ERROR, account, remedy, "its uid in /etc/passwd is %s, and %lu on record",
		    line->fields[PASSWD_UID], (unsigned long)account->uid);
		return false;
	}
	return true;
}

static void judge_shell(struct judging *judging, const struct people_account *account, const struct account_line *line)
{
	const char *shell = line->fields[PASSWD_SHELL];
	char remedy[REMEDY_MAX];

	if (*shell == '\0' || access(shell, X_OK) == 0)
		return;
	(void)snprintf(remedy, sizeof(remedy), "install it, or: usermod --shell /bin/bash %s", account->name);
	say(judging, LEVEL_ERROR, account, remedy, "its shell %s cannot be run: sessions end at once", shell);
}

static void judge_home(struct judging *judging, const struct people_account *account, const struct account_line *line)
{
	const char *home = line->fields[PASSWD_HOME];
	char remedy[REMEDY_MAX];
	struct stat st;

	if (lstat(home, &st) != 0) {
		if (!judging->homes || errno != ENOENT)
			return;
		(void)snprintf(remedy, sizeof(remedy),
			       "put it back from a backup, or: install -d -m 0700 -o %s -g %s %s", account->name,
			       account->name, home);
		say(judging, LEVEL_WARNING, account, remedy, "its home %s is not there", home);
		return;
	}
	if (st.st_uid != account->uid) {
		(void)snprintf(remedy, sizeof(remedy),
			       "look whose files these are; if they are %s's: chown -hR --from=%lu %s %s",
			       account->name, (unsigned long)st.st_uid, account->name, home);
		say(judging, LEVEL_ERROR, account, remedy, "its home %s belongs to uid %lu", home,
		    (unsigned long)st.st_uid);
	} else if (st.st_mode & S_IWOTH) {
		(void)snprintf(remedy, sizeof(remedy), "chmod o-w %s", home);
		say(judging, LEVEL_ERROR, account, remedy, "everybody may write to its home %s", home);
	}
}

/* ---- the line in shadow ---- */

/* Whether a linked account may still have a local password. */
static bool password_allowed(const struct judging *judging, const struct people_account *account)
{
	char section[COMPANY_VALUE_MAX + 8], value[16];

	if (!account->linked)
		return false;
	(void)snprintf(section, sizeof(section), "tenant %s", account->tenant);
	health_configured(judging->health, section, "password", "never", value, sizeof(value));
	return strcmp(value, "fallback") == 0;
}

static void judge_password(struct judging *judging, const struct people_account *account,
			   const struct account_line *line)
{
	char remedy[REMEDY_MAX];

	(void)snprintf(remedy, sizeof(remedy), "usermod --password '*' %s", account->name);
	switch (password_kind(line->fields[SHADOW_PASSWORD])) {
	case PASSWORD_CLOSED:
		break;
	case PASSWORD_EMPTY:
		say(judging, LEVEL_ERROR, account, remedy,
		    "its password in /etc/shadow is empty: programs let anybody in as %s", account->name);
		break;
	case PASSWORD_OPEN:
		if (!password_allowed(judging, account))
			say(judging, LEVEL_ERROR, account, remedy,
			    "it has a local password in /etc/shadow, which lets in past Okta wherever pam_oidc is not "
			    "asked");
		break;
	}
}

static bool has_expired(const struct judging *judging, const struct account_line *line)
{
	long day = shadow_days(line->fields[SHADOW_EXPIRES]);

	return day >= 0 && day <= judging->today;
}

static void judge_expiry(struct judging *judging, const struct people_account *account, const struct account_line *line)
{
	bool open = strcmp(account->state, "active") == 0, expired = has_expired(judging, line);
	long longest = shadow_days(line->fields[SHADOW_MAX]), changed = shadow_days(line->fields[SHADOW_CHANGED]);
	char remedy[REMEDY_MAX];

	if (!open && !expired) {
		(void)snprintf(remedy, sizeof(remedy),
			       strcmp(account->state, "deactivated") == 0
				       ? "provisionctl reactivate %s && provisionctl deactivate %s"
				       : "chage --expiredate 0 %s%.0s",
			       account->name, account->name);
		say(judging, LEVEL_ERROR, account, remedy,
		    "it is %s on record, and /etc/shadow has not closed it: what does not ask pam_oidc lets it in",
		    account->state);
	}
	/* Where sign-ins age, an expiry that has come says no more than that somebody is due. */
	if (open && expired && !judging->signin_age) {
		(void)snprintf(remedy, sizeof(remedy), "chage --expiredate -1 %s, unless somebody meant it",
			       account->name);
		say(judging, LEVEL_WARNING, account, remedy, "it is active on record, and has expired in /etc/shadow");
	}
	if (open && !account->linked && longest >= 0 && changed >= 0 && changed + longest < judging->today) {
		(void)snprintf(remedy, sizeof(remedy), "chage --maxdays -1 %s", account->name);
		say(judging, LEVEL_ERROR, account, remedy,
		    "its password counts as too old (%ld days at most), though it has none: it is locked out", longest);
	}
}

static void judge_shadow(struct judging *judging, const struct people_account *account)
{
	const struct account_line *line = account_lines_find(&judging->shadow, account->name);
	char remedy[REMEDY_MAX];

	if (line) {
		judge_password(judging, account, line);
		judge_expiry(judging, account, line);
		return;
	}
	(void)snprintf(remedy, sizeof(remedy), "pwconv, then: usermod --password '*' %s", account->name);
	say(judging, LEVEL_ERROR, account, remedy, "/etc/shadow does not know it: pam_unix refuses it");
}

/* ---- accounts ---- */

static void judge_removed(struct judging *judging, const struct people_account *account,
			  const struct account_line *line)
{
	char remedy[REMEDY_MAX];

	if (!line || !uid_is(line, account->uid))
		return;
	(void)snprintf(remedy, sizeof(remedy), "userdel %s (without -r: the home stays)", account->name);
	say(judging, LEVEL_ERROR, account, remedy, "it is removed on record, and is in /etc/passwd with its uid");
}

static void judge_account(struct judging *judging, const struct people_account *account)
{
	const struct account_line *line = account_lines_find(&judging->passwd, account->name);

	if (strcmp(account->state, "removed") == 0) {
		judge_removed(judging, account, line);
		return;
	}
	/* One that is being made just now is whole in a moment, or undone. */
	if (strcmp(account->state, "creating") == 0 || !judge_row(judging, account, line))
		return;
	judge_shadow(judging, account);
	judge_shell(judging, account, line);
	judge_home(judging, account, line);
}

static void read_policies(struct judging *judging)
{
	char value[64];

	health_configured(judging->health, "accounts", "create_home", "yes", value, sizeof(value));
	judging->homes = strcmp(value, "yes") == 0;
	health_configured(judging->health, "accounts", "max_signin_age", "", value, sizeof(value));
	judging->signin_age = *value;
}

static void judge_all(struct judging *judging, const struct people *people)
{
	size_t before = judging->findings->count;

	for (size_t i = 0; i < people->count; i++)
		judge_account(judging, &people->accounts[i]);
	if (judging->left_out > 0)
		findings_add(judging->findings, LEVEL_ERROR, ITEM_ACCOUNTS, NULL, "set these right, and check again",
			     "%zu further faults of accounts are left out here", judging->left_out);
	if (judging->findings->count == before)
		findings_add(judging->findings, LEVEL_GOOD, ITEM_ACCOUNTS, NULL, NULL,
			     people->count == 0 ? "there is none yet%.0zu"
						: "%zu on record, and the account files and homes agree",
			     people->count);
}

void check_accounts(const struct health *health, struct findings *findings)
{
	struct judging judging = { .health = health,
				   .findings = findings,
				   .today = (long)(time(NULL) / SECONDS_PER_DAY) };
	_cleanup_people_ struct people people = { 0 };

	/* A provisiond that does not answer has been reported by check_daemons(). */
	if (people_list(health->deadline_ms, &people) != 0)
		return;
	read_policies(&judging);
	if (account_lines_parse(health_read_file("/etc/passwd"), &judging.passwd) &&
	    account_lines_parse(health_read_file("/etc/shadow"), &judging.shadow))
		judge_all(&judging, &people);
	else
		findings->failed = true;
	account_lines_release(&judging.passwd);
	account_lines_release(&judging.shadow);
}
