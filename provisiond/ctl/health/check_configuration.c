/*
 * The configuration: in whose hands it and the files that it names are, and what the daemons themselves say about it
 * (`provisiond -t` and `pam_oidcd -t`).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/wire.h"
#include "provisiond/ctl/health/health.h"
#include "provisiond/ctl/health/timed_program.h"
#include "provisiond/ctl/setup/configuration_text.h"

#define SENTENCE_REMEDY "correct it in " HEALTH_CONF ", then: systemctl reload provisiond pam_oidcd"

/* ---- files ---- */

/* The secret or key of each tenant. */
static void judge_secrets(const struct health *health, struct findings *findings)
{
	static const char *const keys[] = { "client_secret_file", "private_key_file" };
	char name[COMPANY_VALUE_MAX], section[COMPANY_VALUE_MAX + 8], path[COMPANY_VALUE_MAX];
	const struct file_rule rule = { .path = path,
					.kind = S_IFREG,
					.forbidden = 037,
					.users_too = true,
					.group_reads = true,
					.item = ITEM_CONFIGURATION,
					.missing_remedy = "put the secret or key there; provisionctl setup does",
					.right = 0640,
					.right_group = HEALTH_PAM_OIDC_USER };

	for (size_t i = 0; configuration_tenant(health->configuration, i, name); i++)
		for (size_t j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
			(void)snprintf(section, sizeof(section), "tenant %s", name);
			health_configured(health, section, keys[j], "", path, sizeof(path));
			if (*path)
				(void)file_rule_judge(&rule, health, findings);
		}
}

static void judge_files(const struct health *health, struct findings *findings)
{
	char path[COMPANY_VALUE_MAX];
	const struct file_rule configuration = {
		.path = HEALTH_CONF, .kind = S_IFREG, .forbidden = 022, .item = ITEM_CONFIGURATION, .right = 0644
	};
	const struct file_rule trusted = {
		.path = path, .kind = S_IFREG, .forbidden = 022, .item = ITEM_CONFIGURATION
	};

	(void)file_rule_judge(&configuration, health, findings);
	judge_secrets(health, findings);
	health_configured(health, "login", "ca_file", "", path, sizeof(path));
	if (*path)
		(void)file_rule_judge(&trusted, health, findings);
}

/* ---- what the daemons say ---- */

/* Both daemons may say the same; and that a file is in the wrong hands, or that there is no user, was said here. */
static bool said_already(const struct health *health, const struct findings *findings, const char *text)
{
	if (!health->has_user && strstr(text, "no user " HEALTH_PAM_OIDC_USER))
		return true;
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		if (strcmp(finding->text, text) == 0 || (*finding->subject && strstr(text, finding->subject)))
			return true;
	}
	return false;
}

/* Each line that it printed, without its own name in front. True when there was one. */
static bool take_sentences(const char *name, char *text, const struct health *health, struct findings *findings)
{
	char *line, *rest = text;
	size_t length = strlen(name);
	bool any = false;

	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, name, length) == 0 && strncmp(line + length, ": ", 2) == 0)
			line += length + 2;
		/* What is wrong here is the report's to say. */
		if (strncmp(line, "error: ", 7) == 0)
			line += 7;
		any |= *line != '\0';
		if (*line && !said_already(health, findings, line))
			findings_add(findings, LEVEL_ERROR, ITEM_CONFIGURATION, NULL, SENTENCE_REMEDY, "%s", line);
	}
	return any;
}

static void check_with(const char *name, const char *program, const struct health *health, struct findings *findings)
{
	const char *const argv[] = { program, "-t", NULL };
	_cleanup_program_output_ struct program_output output = { 0 };
	int r = timed_program_run(argv, health->deadline_ms, &output);

	if (r != 0) {
		findings_add(findings, LEVEL_ERROR, ITEM_CONFIGURATION, program, "install the package again",
			     "it cannot be started: %s", strerror(-r));
		return;
	}
	if (output.timed_out) {
		findings_add(findings, LEVEL_ERROR, ITEM_CONFIGURATION, HEALTH_CONF,
			     "run it by hand and look what it waits for: a name service, a file system",
			     "%s -t does not end", name);
		return;
	}
	if (output.exit_status == 0)
		return;
	if (!take_sentences(name, output.text, health, findings))
		findings_add(findings, LEVEL_ERROR, ITEM_CONFIGURATION, HEALTH_CONF, "install the package again",
			     "%s -t fails without a word", name);
}

void check_configuration(const struct health *health, struct findings *findings)
{
	judge_files(health, findings);
	check_with("provisiond", SBINDIR "/provisiond", health, findings);
	check_with("pam_oidcd", SBINDIR "/pam_oidcd", health, findings);
	if (findings->count == 0 && health->has_user)
		findings_add(findings, LEVEL_GOOD, ITEM_CONFIGURATION, HEALTH_CONF, NULL,
			     "both daemons find no fault in it, nor in the secrets that it names");
}
