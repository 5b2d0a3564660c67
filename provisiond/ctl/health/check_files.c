/*
 * In whose hands the files and folders of pam_oidc are, and whether its units are there and enabled. The configuration
 * and what it names are looked at in check_configuration.c.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/wire.h"
#include "provisiond/ctl/health/health.h"
#include "provisiond/ctl/health/timed_program.h"
#include "provisiond/ctl/setup/configuration_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SYSTEMCTL "/usr/bin/systemctl"
#define MAKE_FOLDERS "systemd-tmpfiles --create"

static const struct file_rule rules[] = {
	{ .path = "/etc/pam_oidc",
	  .kind = S_IFDIR,
	  .forbidden = 027,
	  .group_reads = true,
	  .may_be_missing = true,
	  .right = 0750,
	  .right_group = HEALTH_PAM_OIDC_USER },
	{ .path = HEALTH_STATE, .kind = S_IFDIR, .forbidden = 077, .right = 0700, .missing_remedy = MAKE_FOLDERS },
	{ .path = HEALTH_STATE "/accounts.db", .kind = S_IFREG, .forbidden = 077, .may_be_missing = true },
	{ .path = HEALTH_STATE "/accounts.db-wal", .kind = S_IFREG, .forbidden = 077, .may_be_missing = true },
	{ .path = HEALTH_STATE "/accounts.db-shm", .kind = S_IFREG, .forbidden = 077, .may_be_missing = true },
	{ .path = HEALTH_STATE "/setup", .kind = S_IFDIR, .forbidden = 077, .may_be_missing = true },
	{ .path = "/run/provisiond", .kind = S_IFDIR, .forbidden = 022, .right = 0755, .missing_remedy = MAKE_FOLDERS },
	{ .path = "/run/pam_oidc",
	  .kind = S_IFDIR,
	  .forbidden = 022,
	  .users_too = true,
	  .right = 0755,
	  .missing_remedy = MAKE_FOLDERS },
	{ .path = SBINDIR "/provisiond", .kind = S_IFREG, .forbidden = 022 },
	{ .path = SBINDIR "/pam_oidcd", .kind = S_IFREG, .forbidden = 022 },
	{ .path = SBINDIR "/provisionctl", .kind = S_IFREG, .forbidden = 022 },
};

static const struct file_rule units[] = {
	{ .path = UNITDIR "/provisiond.socket", .kind = S_IFREG, .forbidden = 022 },
	{ .path = UNITDIR "/provisiond.service", .kind = S_IFREG, .forbidden = 022 },
	{ .path = UNITDIR "/pam_oidcd.socket", .kind = S_IFREG, .forbidden = 022 },
	{ .path = UNITDIR "/pam_oidcd.service", .kind = S_IFREG, .forbidden = 022 },
};

static size_t judge_all(const struct file_rule *all, size_t count, const struct health *health,
			struct findings *findings)
{
	size_t looked_at = 0;

	for (size_t i = 0; i < count; i++) {
		struct file_rule rule = all[i];

		rule.item = ITEM_FILES;
		if (rule.may_be_missing && access(rule.path, F_OK) != 0)
			continue;
		looked_at++;
		(void)file_rule_judge(&rule, health, findings);
	}
	return looked_at;
}

/* ---- units ---- */

static bool systemd_runs(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

/* Units that would not come back with the machine. */
static void judge_enabled(const struct health *health, struct findings *findings)
{
	static const char *const names[] = { "provisiond.socket", "provisiond.service", "pam_oidcd.socket",
					     "pam_oidcd.service" };
	const char *argv[] = { SYSTEMCTL, "is-enabled", names[0], names[1], names[2], names[3], NULL };
	_cleanup_program_output_ struct program_output output = { 0 };
	char *line, *rest;
	int64_t deadline_ms = wire_now_ms() + 1000;

	if (timed_program_run(argv, deadline_ms < health->deadline_ms ? deadline_ms : health->deadline_ms, &output) !=
	    0)
		return;
	rest = output.text;
	for (size_t i = 0; !output.timed_out && i < COUNT(names) && (line = strsep(&rest, "\n")); i++) {
		char remedy[128];

		if (strncmp(line, "disabled", 8) != 0 && strncmp(line, "masked", 6) != 0)
			continue;
		(void)snprintf(remedy, sizeof(remedy), "systemctl %s %s", *line == 'm' ? "unmask" : "enable", names[i]);
		findings_add(findings, LEVEL_WARNING, ITEM_FILES, names[i], remedy,
			     "it is %s: after the next start of the machine nobody serves there", line);
	}
}

/* Whether a folder lies in one of these, separated by blanks; "-" and "+" before them are systemd's. */
static bool lies_in_one(const char *folder, const char *paths)
{
	while (*(paths += strspn(paths, " \t\n"))) {
		const char *path = paths + strspn(paths, "-+");
		size_t length = strcspn(path, " \t\n");

		paths = path + length;
		while (length > 1 && path[length - 1] == '/')
			length--;
		if (strncmp(folder, path, length) == 0 &&
		    (length == 1 || folder[length] == '/' || folder[length] == '\0'))
			return true;
	}
	return false;
}

/* provisiond may write to few folders. */
static void judge_homes(const struct health *health, struct findings *findings)
{
	const char *argv[] = { SYSTEMCTL, "show", "--property=ReadWritePaths", "--value", "provisiond.service", NULL };
	_cleanup_program_output_ struct program_output output = { 0 };
	char homes[COMPANY_VALUE_MAX], remedy[COMPANY_VALUE_MAX + 128];

	health_home_folder(health, homes, sizeof(homes));
	if (timed_program_run(argv, health->deadline_ms, &output) != 0 || output.timed_out || output.exit_status != 0 ||
	    *output.text == '\0' || *output.text == '\n' || lies_in_one(homes, output.text))
		return;
	(void)snprintf(remedy, sizeof(remedy),
		       "systemctl edit provisiond, with the lines [Service] and ReadWritePaths=%s; then: systemctl "
		       "restart provisiond",
		       homes);
	findings_add(findings, LEVEL_ERROR, ITEM_FILES, "provisiond.service", remedy,
		     "its sandbox keeps it from making homes in %s", homes);
}

/* ---- all ---- */

void check_files(const struct health *health, struct findings *findings)
{
	size_t looked_at = judge_all(rules, COUNT(rules), health, findings);

	if (!health->has_user)
		findings_add(findings, LEVEL_ERROR, ITEM_FILES, "/etc/passwd", "systemd-sysusers",
			     "there is no user " HEALTH_PAM_OIDC_USER ", as whom pam_oidcd runs");
	if (systemd_runs()) {
		looked_at += judge_all(units, COUNT(units), health, findings);
		judge_enabled(health, findings);
		judge_homes(health, findings);
	}
	if (findings->count == 0)
		findings_add(findings, LEVEL_GOOD, ITEM_FILES, NULL, NULL,
			     "%zu files and folders are in the right hands", looked_at);
}
