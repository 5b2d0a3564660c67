/*
 * provisionctl check: is all of pam_oidc on this machine as it should be, and if not, what to do.
 */
#include "provisiond/ctl/command.h"

#include <errno.h>

#include "common/wire.h"
#include "provisiond/ctl/health/health.h"
#include "provisiond/ctl/terminal.h"

static enum exit_code judgement(const struct findings *findings)
{
	if (findings_of(findings, LEVEL_ERROR) > 0)
		return EXIT_REFUSED;
	return findings_of(findings, LEVEL_WARNING) > 0 ? EXIT_NOTHING : EXIT_DONE;
}

enum exit_code check_health(const struct invocation *invocation)
{
	_cleanup_health_ struct health health = { .probe = invocation->probe };
	_cleanup_findings_ struct findings findings = { 0 };

	if (!health_read(&health))
		return complain_of_memory();
	if (*health.configuration == '\0' && errno == ENOENT)
		findings_add(&findings, LEVEL_ERROR, ITEM_CONFIGURATION, HEALTH_CONF, "provisionctl setup",
			     "there is none: pam_oidc is not set up on this machine");
	else
		health_gather(&health, &findings);
	if (findings.failed)
		return complain_of_memory();
	if (invocation->json)
		findings_print_json(&findings);
	else if (!findings_print(&findings, invocation->colour, terminal_columns()))
		return complain_of_memory();
	return judgement(&findings);
}
