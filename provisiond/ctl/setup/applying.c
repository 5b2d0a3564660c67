/*
 * Shows, applies, proves, and takes back.
 */
#include "provisiond/ctl/setup/applying.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provisiond/ctl/conversation.h"
#include "provisiond/ctl/setup/ask.h"
#include "provisiond/ctl/setup/change_set.h"
#include "provisiond/ctl/setup/configuration_text.h"
#include "provisiond/ctl/setup/interruption.h"
#include "provisiond/ctl/setup/report.h"
#include "provisiond/ctl/setup/second_way.h"
#include "provisiond/ctl/setup/service_changes.h"
#include "provisiond/ctl/setup/system_changes.h"

#define SECRETS_FOLDER "/etc/pam_oidc"
#define SECRET_PATH_MAX (sizeof(SECRETS_FOLDER) + COMPANY_VALUE_MAX + sizeof("/.secret"))
#define CHECK_PATIENCE_S 60

static void free_set(struct change_set *const *set)
{
	change_set_free(*set);
}

#define _cleanup_set_ _cleanup_(free_set)

/* ---- planning ---- */

static bool plan_secret(const struct applying *applying, struct change_set *set, const char *path, char *fault)
{
	const struct secret *secret = &applying->gathered->company.secret;
	const struct change_file file = {
		.path = path,
		.after = secret->bytes,
		.after_length = secret->length,
		.secret = true,
		.mode = 0640,
		.group = applying->group,
		.set_owner_and_mode = true,
		.undo = CHANGE_UNDO_WHOLE,
	};

	return change_set_add_directory(set, SECRETS_FOLDER, 0750, 0, applying->group, fault, CHANGE_FAULT_SIZE) &&
	       change_set_add_file(set, &file, fault, CHANGE_FAULT_SIZE);
}

static bool plan_configuration(struct change_set *set, const char *text, char *fault)
{
	const struct change_file file = {
		.path = PAM_OIDC_CONF,
		.after = text,
		.after_length = strlen(text),
		.mode = 0644,
		.set_owner_and_mode = true,
		.undo = CHANGE_UNDO_WHOLE,
	};

	return change_set_add_file(set, &file, fault, CHANGE_FAULT_SIZE);
}

/* The configuration first: what the system needs builds on it. */
static enum exit_code plan(const struct applying *applying, struct change_set *set)
{
	const struct company *company = &applying->gathered->company;
	const char *needs = client_auth_needs(company->auth);
	bool secret = company->secret.length > 0;
	char path[SECRET_PATH_MAX], fault[CHANGE_FAULT_SIZE] = "there is not enough memory for this";
	struct system_choice choice = { .ssh_passwords_off = applying->gathered->ssh_passwords_off };
	_cleanup_free_ char *text = NULL;

	(void)snprintf(path, sizeof(path), SECRETS_FOLDER "/%s.%s", company->tenant, needs ? needs : "secret");
	text = configuration_with(applying->before, company, secret ? path : NULL);
	if (!text)
		return complain_of_memory();
	if ((secret && !plan_secret(applying, set, path, fault)) || !plan_configuration(set, text, fault))
		return complain_about(EXIT_FAILED, "", fault, " Nothing was changed.");
	choice.configuration_changes = !change_set_is_empty(set);
	if (!system_changes_plan(&choice, set, fault, sizeof(fault)))
		return complain_about(EXIT_FAILED, "", fault, " Nothing was changed.");
	return EXIT_DONE;
}

/* ---- taking back ---- */

static enum exit_code take_back(enum exit_code because)
{
	char fault[CHANGE_FAULT_SIZE] = "";

	report_heading("Taking back what was changed");
	if (change_set_undo_last(report_change, NULL, fault, sizeof(fault)) == CHANGE_UNDONE) {
		complain("everything is as it was before.");
		return because;
	}
	(void)complain_about(EXIT_FAILED, "", fault, "");
	complain("not everything could be taken back. Mend what is said above, then: provisionctl setup --undo");
	return EXIT_FAILED;
}

enum exit_code setup_recover(bool dry_run)
{
	char fault[CHANGE_FAULT_SIZE] = "";

	switch (change_set_history(fault, sizeof(fault))) {
	case CHANGE_HISTORY_UNREADABLE:
		return complain_about(EXIT_FAILED, "", fault, "");
	case CHANGE_HISTORY_UNFINISHED:
		if (dry_run) {
			complain(
				"an earlier setup was stopped half-way. Take it back first: provisionctl setup --undo");
			return EXIT_REFUSED;
		}
		complain("an earlier setup was stopped half-way. What it did is taken back first.");
		return take_back(EXIT_DONE);
	case CHANGE_HISTORY_NONE:
	case CHANGE_HISTORY_APPLIED:
		break;
	}
	return EXIT_DONE;
}

enum exit_code setup_undo(const struct invocation *invocation, bool interactive)
{
	char fault[CHANGE_FAULT_SIZE] = "";
	bool wanted = invocation->yes;

	if (invocation->dry_run) {
		complain("--undo and --dry-run do not go together. What setup wrote is in /var/lib/provisiond/setup.");
		return EXIT_USAGE;
	}
	if (!interactive && !wanted) {
		complain("there is nobody to ask: this is no terminal. Give --yes to take everything back.");
		return EXIT_USAGE;
	}
	if (change_set_history(fault, sizeof(fault)) == CHANGE_HISTORY_NONE) {
		complain("setup has changed nothing on this machine that could be taken back.");
		return EXIT_NOTHING;
	}
	if (interactive && (ask_yes("Take back everything that setup has done on this machine? Accounts and homes stay",
				    false, &wanted) != ASKED_ANSWER ||
			    !wanted)) {
		complain("nothing was changed.");
		return EXIT_NOTHING;
	}
	if (change_set_undo_all(report_change, NULL, fault, sizeof(fault)) != CHANGE_UNDONE)
		return complain_about(EXIT_FAILED, "", fault, "");
	(void)puts("Everything that setup had done is taken back.");
	return EXIT_DONE;
}

/* ---- proving ---- */

/* What is not good is shown; the rest is one line. */
static enum exit_code hear_findings(struct conversation *conversation)
{
	struct wire_message answer;
	bool bad = false;

	for (;;) {
		enum exit_code code = conversation_next(conversation, &answer);
		const char *level;

		if (code != EXIT_DONE)
			return code;
		if (strcmp(wire_kind(&answer, "status"), "end") == 0)
			return bad ? EXIT_REFUSED : EXIT_DONE;
		level = wire_get(&answer, "level");
		if (!level)
			return conversation_nonsense(conversation);
		if (strcmp(level, "good") != 0)
			bad = report_finding(&answer) == REPORT_BAD || bad;
	}
}

static enum exit_code ask_pam_oidcd(void)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	char question[QUESTION_MAX];
	struct wire_writer writer;
	enum exit_code code;

	wire_begin(&writer, question, sizeof(question), "op", "check");
	wire_put(&writer, "code", "0");
	code = conversation_ask(&pam_oidcd, &writer, CHECK_PATIENCE_S, &conversation);
	return code == EXIT_DONE ? hear_findings(&conversation) : code;
}

static enum exit_code ask_provisiond(void)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	struct wire_message answer;
	enum exit_code code = conversation_begin(&provisiond, "status", NULL, NULL, &conversation);

	return code == EXIT_DONE ? conversation_next(&conversation, &answer) : code;
}

/* Where no service manager starts them, the administrator does, and was told so with the changes. */
static enum exit_code prove_daemons(void)
{
	enum exit_code code;

	if (!service_systemd_runs()) {
		report_line(REPORT_WARNING, NULL, "The daemons are yours to start here. Then see: provisionctl check",
			    NULL);
		return EXIT_DONE;
	}
	code = ask_provisiond();
	if (code == EXIT_DONE)
		code = ask_pam_oidcd();
	if (code == EXIT_DONE)
		report_line(REPORT_GOOD, NULL, "provisiond and pam_oidcd answer, and Okta answers them.", NULL);
	return code;
}

static enum exit_code prove_old_ways(const struct second_ways *before)
{
	struct second_ways after;
	char fault[CHANGE_FAULT_SIZE] = "";

	if (second_ways_look(getenv("SUDO_USER"), &after, fault, sizeof(fault)) &&
	    second_ways_still_open(before, &after, report_change, NULL, fault, sizeof(fault)))
		return EXIT_DONE;
	return complain_about(EXIT_REFUSED, "", fault, "");
}

static enum exit_code prove_new_way(const struct applying *applying)
{
	if (!applying->interactive) {
		report_line(REPORT_WARNING, NULL,
			    "Nobody has signed in with Okta yet: try it in another terminal, and keep this one "
			    "open until it worked.",
			    NULL);
		return EXIT_DONE;
	}
	switch (second_way_wait(*applying->account ? applying->account : NULL)) {
	case SECOND_WAY_SIGNED_IN:
		report_line(REPORT_GOOD, NULL, "A sign-in with Okta has worked.", NULL);
		return EXIT_DONE;
	case SECOND_WAY_SKIPPED:
		report_line(REPORT_WARNING, NULL,
			    "Nobody has signed in with Okta yet. Keep this terminal open until it worked.", NULL);
		return EXIT_DONE;
	case SECOND_WAY_UNDO:
		break;
	}
	return EXIT_NOTHING;
}

static enum exit_code prove(const struct applying *applying, const struct second_ways *before)
{
	char fault[CHANGE_FAULT_SIZE] = "";
	enum exit_code code;

	report_heading("Looking whether it holds");
	code = prove_daemons();
	if (code == EXIT_DONE && !system_changes_hold(fault, sizeof(fault)))
		code = complain_about(EXIT_FAILED, "", fault, "");
	if (code == EXIT_DONE)
		code = prove_old_ways(before);
	return code == EXIT_DONE ? prove_new_way(applying) : code;
}

/* ---- the order of it ---- */

/* EXIT_DONE when it shall be applied. */
static enum exit_code show_and_ask(const struct applying *applying, const struct change_set *set)
{
	bool wanted = true;

	report_heading("What would be changed on this machine");
	change_set_print(set, stdout, applying->invocation->colour);
	if (applying->invocation->dry_run) {
		(void)puts("\nNothing was changed. Without --dry-run, this would be applied.");
		return EXIT_NOTHING;
	}
	(void)putchar('\n');
	if (!applying->interactive)
		return EXIT_DONE;
	(void)fputs("This session stays open whatever happens: keep it until you have signed in anew.\n", stderr);
	if (ask_yes("Apply these changes", false, &wanted) == ASKED_ANSWER && wanted)
		return EXIT_DONE;
	if (!interruption_came())
		complain("nothing was changed.");
	return EXIT_NOTHING;
}

static enum exit_code carry_out(const struct applying *applying, struct change_set *set,
				const struct second_ways *before)
{
	char fault[CHANGE_FAULT_SIZE] = "";
	enum exit_code code;

	report_heading("Applying");
	switch (change_set_apply(set, report_change, NULL, interruption_came, fault, sizeof(fault))) {
	case CHANGE_DONE:
		break;
	case CHANGE_UNDONE:
		(void)complain_about(EXIT_FAILED, "", fault, "");
		complain("everything is as it was before.");
		return EXIT_FAILED;
	case CHANGE_FAILED:
		(void)complain_about(EXIT_FAILED, "", fault, "");
		complain(
			"not everything could be taken back. Mend what is said above, then: provisionctl setup --undo");
		return EXIT_FAILED;
	}
	code = prove(applying, before);
	return code == EXIT_DONE ? EXIT_DONE : take_back(code);
}

enum exit_code setup_apply(const struct applying *applying)
{
	_cleanup_set_ struct change_set *set = change_set_new();
	struct second_ways before;
	char fault[CHANGE_FAULT_SIZE] = "";
	enum exit_code code;

	if (!set)
		return complain_of_memory();
	code = plan(applying, set);
	if (code != EXIT_DONE)
		return code;
	if (change_set_is_empty(set)) {
		(void)puts("\nThis machine is set up like that already. There is nothing to change.");
		change_set_print(set, stdout, applying->invocation->colour);
		return applying->invocation->dry_run ? EXIT_DONE : prove_daemons();
	}
	code = show_and_ask(applying, set);
	if (code != EXIT_DONE)
		return applying->invocation->dry_run ? EXIT_DONE : code;
	if (!second_ways_look(getenv("SUDO_USER"), &before, fault, sizeof(fault)))
		return complain_about(EXIT_FAILED, "", fault, " Nothing was changed.");
	return carry_out(applying, set, &before);
}
