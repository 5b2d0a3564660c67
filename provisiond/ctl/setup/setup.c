/*
 * provisionctl setup: from a Client ID to a sign-in that works. It asks, tries, shows and only then changes; whatever
 * happens before is gone afterwards, and whatever fails later is taken back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "provisiond/ctl/setup/applying.h"
#include "provisiond/ctl/setup/ask.h"
#include "provisiond/ctl/setup/candidate.h"
#include "provisiond/ctl/setup/change_set.h"
#include "provisiond/ctl/setup/configuration_text.h"
#include "provisiond/ctl/setup/gather.h"
#include "provisiond/ctl/setup/interruption.h"
#include "provisiond/ctl/setup/preview.h"
#include "provisiond/ctl/setup/probing.h"
#include "provisiond/ctl/setup/report.h"

struct session {
	const struct invocation *invocation;
	bool interactive;
	char *before; /* the configuration that is there; NULL: none */
	struct gathered gathered;
	struct candidate candidate;
	char account[COMPANY_VALUE_MAX]; /* that whoever approved would get */
};

static void release(struct session *session)
{
	free(session->before);
	company_release(&session->gathered.company);
	candidate_release(&session->candidate);
}

static const char *kept(const struct session *session)
{
	return session->gathered.anew ? NULL : session->before;
}

/* ---- before anything is asked ---- */

static enum exit_code read_configuration(struct session *session)
{
	struct change_set *set = change_set_new();
	char fault[CHANGE_FAULT_SIZE] = "there is not enough memory for this.", *text = NULL;
	size_t length = 0;
	bool exists = false, read;

	read = set && change_set_read(set, PAM_OIDC_CONF, &text, &length, &exists, fault, sizeof(fault));
	change_set_free(set);
	if (read && strlen(text) != length) {
		free(text);
		complain(PAM_OIDC_CONF " is no text file. Move it away, and set up anew.");
		return EXIT_FAILED;
	}
	if (!read)
		return complain_about(EXIT_FAILED, "", fault, "");
	if (exists)
		session->before = text;
	else
		free(text);
	return EXIT_DONE;
}

static enum exit_code prepare(struct session *session)
{
	const struct invocation *invocation = session->invocation;
	enum exit_code code = EXIT_DONE;

	if (!session->interactive && !invocation->yes && !invocation->dry_run) {
		complain("there is nobody to ask: this is no terminal. Give --yes and the options that are needed, or "
			 "--dry-run "
			 "to see what would be changed.");
		return EXIT_USAGE;
	}
	code = candidate_open(&session->candidate);
	if (code == EXIT_DONE)
		code = setup_recover(invocation->dry_run);
	return code == EXIT_DONE ? read_configuration(session) : code;
}

static void greet(const struct session *session)
{
	if (!session->interactive)
		return;
	(void)fputs("This connects the machine to your company's Okta. Nothing is changed before\n"
		    "you have seen it and said yes; Ctrl-C ends it at any time.\n"
		    "\n"
		    "In Okta there must be an application: Applications > Create App Integration >\n"
		    "OIDC - OpenID Connect > Native Application, with the grant type Device\n"
		    "Authorization ticked, and people or groups assigned to it.\n",
		    stderr);
}

static void warn_of_new_uids(const struct session *session)
{
	struct company old = { 0 };
	char before[COMPANY_VALUE_MAX], now[COMPANY_VALUE_MAX];

	if (!kept(session) || !configuration_has_tenant(session->before, session->gathered.company.tenant))
		return;
	(void)snprintf(old.tenant, sizeof(old.tenant), "%s", session->gathered.company.tenant);
	configuration_company(session->before, &old);
	first_domain(old.domains, before);
	first_domain(session->gathered.company.domains, now);
	if (strcmp(before, now) != 0)
		report_line(REPORT_WARNING, NULL,
			    "The first email domain takes part in computing user ids, and changes: people who have no "
			    "account "
			    "here yet will get other ids than on machines with the old one.",
			    NULL);
	company_release(&old);
}

/* ---- trying it ---- */

/* Nobody else is concerned: one may go on. */
static enum exit_code accept_refusal(const struct session *session)
{
	bool go_on = true;

	if (!session->interactive)
		return EXIT_DONE;
	(void)fputs("\n  This concerns the account of whoever approved, not other people's.\n", stderr);
	return ask_yes("Go on", true, &go_on) == ASKED_ANSWER && go_on ? EXIT_DONE : EXIT_NOTHING;
}

static enum exit_code try_company(struct session *session)
{
	const struct company *company = &session->gathered.company;
	const struct probing_choice choice = { .code = !session->invocation->no_code,
					       .may_skip = session->interactive };
	_cleanup_probed_ struct probed probed = { 0 };
	bool matters = true;
	enum exit_code code = candidate_write(&session->candidate, kept(session), company);

	if (code == EXIT_DONE)
		code = candidate_check();
	if (code != EXIT_DONE)
		return code;
	report_heading("Trying %s with the Client ID %s", company->issuer, company->client_id);
	code = probing_run(company->tenant, &choice, &probed);
	if (code != EXIT_DONE || !probed.identity)
		return code;
	code = preview_show(&probed, session->account, &matters);
	return code == EXIT_REFUSED && !matters ? accept_refusal(session) : code;
}

/* After something was found wrong: most often it is mended in Okta, and then tried again. */
static enum exit_code ask_how_to_go_on(struct session *session, bool *ret_again)
{
	char line[ANSWER_MAX];

	for (;;) {
		(void)fputc('\n', stderr);
		if (ask("Enter tries again once it is mended, c changes the answers, q ends without any change", NULL,
			line) != ASKED_ANSWER)
			return EXIT_NOTHING;
		*ret_again = strcmp(line, "q") != 0;
		if (!*line || strcmp(line, "q") == 0)
			return EXIT_DONE;
		if (strcmp(line, "c") == 0)
			return gather_again(session->before, &session->gathered);
	}
}

static enum exit_code try_until_good(struct session *session)
{
	for (;;) {
		enum exit_code code = try_company(session), asked;
		bool again = false;

		if (code == EXIT_DONE || interruption_came() || !session->interactive || code == EXIT_NOTHING)
			return code;
		asked = ask_how_to_go_on(session, &again);
		if (asked != EXIT_DONE)
			return asked;
		if (!again)
			return code;
	}
}

/* ---- the story ---- */

static void say_goodbye(const struct session *session)
{
	char host[256] = "this-machine", domain[COMPANY_VALUE_MAX];

	(void)gethostname(host, sizeof(host) - 1);
	first_domain(session->gathered.company.domains, domain);
	report_heading("Done");
	(void)printf("  Whoever is assigned in Okta and has an email of %s can sign in: ssh NAME@%s\n"
		     "  Is all well?              provisionctl check\n"
		     "  Who has an account?       provisionctl list\n"
		     "  Take everything back:     provisionctl setup --undo\n",
		     domain, host);
}

static enum exit_code set_up(struct session *session)
{
	struct applying applying = {
		.invocation = session->invocation,
		.interactive = session->interactive,
		.gathered = &session->gathered,
		.account = session->account,
	};
	enum exit_code code = prepare(session);

	if (code != EXIT_DONE)
		return code;
	greet(session);
	code = gather(session->invocation, session->before, session->interactive, &session->gathered);
	if (code != EXIT_DONE)
		return code;
	warn_of_new_uids(session);
	code = try_until_good(session);
	if (code != EXIT_DONE)
		return code;
	applying.before = kept(session);
	applying.group = session->candidate.group;
	code = setup_apply(&applying);
	if (code == EXIT_DONE && !session->invocation->dry_run)
		say_goodbye(session);
	return code;
}

static enum exit_code take_everything_back(struct session *session)
{
	enum exit_code code = candidate_lock(&session->candidate);

	return code == EXIT_DONE ? setup_undo(session->invocation, session->interactive) : code;
}

enum exit_code set_up_machine(const struct invocation *invocation)
{
	struct session session = {
		.invocation = invocation,
		.interactive = !invocation->yes && ask_possible(),
		.candidate = NO_CANDIDATE,
	};
	enum exit_code code;

	if (!interruption_begin()) {
		complain("signals cannot be held back. Nothing was changed.");
		return EXIT_LOCAL;
	}
	report_use_colour(invocation->colour);
	code = invocation->undo ? take_everything_back(&session) : set_up(&session);
	release(&session);
	if (code == EXIT_NOTHING && interruption_came())
		complain("interrupted. Nothing was left changed.");
	(void)fflush(stdout);
	interruption_end();
	return code;
}
