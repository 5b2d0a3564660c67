/*
 * What the daemons themselves say about the configuration: `provisiond -t` and `pam_oidcd -t`.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/wire.h"
#include "provisiond/ctl/health/health.h"
#include "provisiond/ctl/health/timed_program.h"

#define SENTENCE_REMEDY "correct it in " HEALTH_CONF ", then: systemctl reload provisiond pam_oidcd"

static bool said_already(const struct findings *findings, const char *text)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->items[i].text, text) == 0)
			return true;
	return false;
}

/* Each line that it printed, without its own name in front. Both daemons may say the same. */
static void take_sentences(const char *name, char *text, struct findings *findings)
{
	char *line, *rest = text;
	size_t length = strlen(name);

	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, name, length) == 0 && strncmp(line + length, ": ", 2) == 0)
			line += length + 2;
		if (*line && !said_already(findings, line))
			findings_add(findings, LEVEL_ERROR, ITEM_CONFIGURATION, NULL, SENTENCE_REMEDY, "%s", line);
	}
}

static bool check_with(const char *name, const char *program, const struct health *health, struct findings *findings)
{
	const char *const argv[] = { program, "-t", NULL };
	_cleanup_program_output_ struct program_output output = { 0 };
	size_t before = findings->count;
	int r = timed_program_run(argv, health->deadline_ms, &output);

	if (r != 0) {
		findings_add(findings, LEVEL_ERROR, ITEM_CONFIGURATION, program, "install the package again",
			     "it cannot be started: %s", strerror(-r));
		return false;
	}
	if (output.timed_out) {
		findings_add(findings, LEVEL_ERROR, ITEM_CONFIGURATION, HEALTH_CONF,
			     "run it by hand and look what it waits for: a name service, a file system",
			     "%s -t does not end", name);
		return false;
	}
	if (output.exit_status == 0)
		return true;
	take_sentences(name, output.text, findings);
	if (findings->count == before && findings_of(findings, LEVEL_ERROR) == 0)
		findings_add(findings, LEVEL_ERROR, ITEM_CONFIGURATION, HEALTH_CONF, "install the package again",
			     "%s -t fails without a word", name);
	return false;
}

void check_configuration(const struct health *health, struct findings *findings)
{
	bool accounts = check_with("provisiond", SBINDIR "/provisiond", health, findings);
	bool signin = check_with("pam_oidcd", SBINDIR "/pam_oidcd", health, findings);

	if (accounts && signin)
		findings_add(findings, LEVEL_GOOD, ITEM_CONFIGURATION, HEALTH_CONF, NULL,
			     "both daemons find no fault in it, nor in the secrets that it names");
}
