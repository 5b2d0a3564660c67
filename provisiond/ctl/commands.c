/*
 * The commands of provisionctl, one row each, with their help.
 */
#include "provisiond/ctl/command_line.h"

const struct command commands[] = {
	{
		.name = "setup",
		.arguments = "",
		.options = OPTION_HELP | OPTION_VERSION | OPTIONS_OF_COMPANY | OPTION_SSH_PASSWORDS | OPTION_NO_CODE |
			   OPTION_YES | OPTION_DRY_RUN | OPTION_UNDO,
		.summary = "connect this machine to a company's Okta",
		.details =
			"Asks what it needs to know, or takes it as options; tries it with a real code that you "
			"approve; "
			"shows what\n"
			"Okta says about you, which account that gives, and every change to this machine; and changes "
			"it when told\n"
			"to. What fails is taken back. The client secret is asked for at the terminal, or read from a "
			"file or\n"
			"standard input, and shown nowhere.\n"
			"\n"
			"On a machine that is configured, what is given is changed and the rest stays; --tenant with a "
			"new name adds\n"
			"a company. With --yes nothing is asked, and the approval of the code is waited for, unless "
			"--no-code.\n"
			"--undo gives every file back as it was; accounts and homes stay. Exit status 6 means that "
			"something is not\n"
			"right in Okta or in what was given, 7 that this machine could not be changed; nothing is left "
			"changed then.\n"
			"\n"
			"Examples:\n"
			"  provisionctl setup\n"
			"  provisionctl setup --org clinic.okta.com --client-id 0oa1abcdefGHIJKLM2p7 --domain "
			"clinic.example --dry-run\n"
			"  provisionctl setup --issuer https://clinic.okta.com/oauth2/default --client-id "
			"0oa1abcdefGHIJKLM2p7 \\\n"
			"      --client-auth basic --secret-file - --domain clinic.example --yes <secret\n"
			"  provisionctl setup --tenant lab --org lab.okta.com --client-id 0oa2bcdefgHIJKLMN3q8 "
			"--domain "
			"lab.example\n"
			"  provisionctl setup --undo\n",
		.run = set_up_machine,
	},
	{
		.name = "check",
		.arguments = "",
		.options = OPTIONS_OF_ALL | OPTION_PROBE,
		.summary = "tell whether all is well on this machine",
		.details = "Looks at the configuration, files and their modes, the daemons, each company's issuer, the "
			   "PAM "
			   "stacks,\n"
			   "nsswitch.conf, sshd, the accounts on record, and room on the disks. Each line is good, "
			   "warning "
			   "or error,\n"
			   "and says what to do about it. Nothing is changed. No code is asked for without --probe.\n"
			   "\n"
			   "For monitoring: exit status 0 when all is good, 1 with warnings, 6 with errors.\n"
			   "\n"
			   "Examples:\n"
			   "  provisionctl check\n"
			   "  provisionctl check --json | jq -r '.findings[] | select(.level != \"good\") | .text'\n",
		.run = check_health,
	},
	{
		.name = "list",
		.arguments = "",
		.options = OPTIONS_OF_ALL | OPTION_NAMES,
		.summary = "list the accounts on record, and who is expected",
		.details = "Lists every account that provisiond has on record, by name, with the time of its last "
			   "sign-in,\n"
			   "and everybody who is expected (see link and add). NOTE says who was a local user before "
			   "(linked),\n"
			   "and whom Okta refused lately, and why.\n"
			   "\n"
			   "Examples:\n"
			   "  provisionctl list\n"
			   "  provisionctl list --json | jq -r '.[] | select(.state == \"active\") | .email'\n",
		.run = list_accounts,
	},
	{
		.name = "show",
		.arguments = "NAME",
		.fewest = 1,
		.most = 1,
		.options = OPTIONS_OF_ALL,
		.summary = "show all that is on record for one account",
		.details = "Shows the account, its home and shell, and the identity (issuer and subject) that it is "
			   "bound to.\n"
			   "NAME is the account's name on this machine.\n"
			   "\n"
			   "Examples:\n"
			   "  provisionctl show alice\n"
			   "  provisionctl show alice --json | jq -r .subject\n",
		.run = show_account,
	},
	{
		.name = "pending",
		.arguments = "",
		.options = OPTIONS_OF_ALL,
		.summary = "list the sign-ins that are waiting right now",
		.details = "Lists who is signing in: from where, for how long already (AGE), and how long their code "
			   "still holds\n"
			   "(LEFT). Codes are not shown.\n"
			   "\n"
			   "Examples:\n"
			   "  provisionctl pending\n"
			   "  watch -n1 provisionctl pending\n",
		.run = list_pending,
	},
	{
		.name = "add",
		.arguments = "NAME EMAIL",
		.fewest = 2,
		.most = 2,
		.options = OPTIONS_OF_CHANGES,
		.summary = "prepare an account under a name of your choice",
		.details = "Whoever signs in with EMAIL for the first time gets an account called NAME, instead of the "
			   "name that\n"
			   "the address would give, or where it gives none. Take it back with: provisionctl unlink "
			   "NAME\n"
			   "\n"
			   "Examples:\n"
			   "  provisionctl add obrien \"o'brien@clinic.example\"\n"
			   "  provisionctl add obrien \"o'brien@clinic.example\" --dry-run\n",
		.run = add_account,
	},
	{
		.name = "link",
		.arguments = "NAME EMAIL",
		.fewest = 2,
		.most = 2,
		.options = OPTIONS_OF_CHANGES | OPTION_SUBJECT,
		.summary = "give a local user that is there already to somebody in Okta",
		.details = "The next sign-in with EMAIL within 7 days takes the local user NAME: uid, home and files "
			   "stay. Until\n"
			   "then, nothing changes for NAME, and nobody else can take it. With --subject, only the Okta "
			   "user with\n"
			   "that id can.\n"
			   "\n"
			   "Examples:\n"
			   "  provisionctl link bob bob@clinic.example\n"
			   "  provisionctl link bob bob@clinic.example --subject 00u1abcdEFGH2345678\n",
		.run = link_account,
	},
	{
		.name = "unlink",
		.arguments = "NAME",
		.fewest = 1,
		.most = 1,
		.options = OPTIONS_OF_CHANGES,
		.summary = "make a linked account a local user again",
		.details = "The account is a local user's again, with the password and ageing that it had before. For "
			   "somebody who\n"
			   "is only expected (see link and add), the expectation ends.\n"
			   "\n"
			   "Example:\n"
			   "  provisionctl unlink bob\n",
		.run = unlink_account,
	},
	{
		.name = "reserve",
		.arguments = "NAME --uid N",
		.fewest = 1,
		.most = 1,
		.options = OPTIONS_OF_CHANGES | OPTION_UID,
		.demanded = OPTION_UID,
		.summary = "keep a user id for an account that is yet to be made",
		.details =
			"Where the log says that the computed uid of NAME is taken, this chooses another one. Nobody "
			"else\n"
			"gets it.\n"
			"\n"
			"Example:\n"
			"  provisionctl reserve carol --uid 2100000001\n",
		.run = reserve_uid,
	},
	{
		.name = "room",
		.arguments = "NAME ROOM",
		.fewest = 2,
		.most = 2,
		.options = OPTIONS_OF_CHANGES,
		.summary = "change the room that somebody chose at the first sign-in",
		.details = "ROOM is one of `rooms` in the tenant's section of the configuration. It is in GECOS at "
			   "once, and in\n"
			   "OIDC_ROOM from the next session on.\n"
			   "\n"
			   "Example:\n"
			   "  provisionctl room alice \"Exam 2\"\n",
		.run = set_room,
	},
	{
		.name = "deactivate",
		.arguments = "[NAME]",
		.fewest = 0,
		.most = 1,
		.options = OPTIONS_OF_CHANGES | OPTION_KEEP_SESSIONS | OPTION_ALL_BUT | OPTION_YES,
		.summary = "keep somebody out, and end what they are running",
		.details =
			"Sign-ins, SSH keys, cron, su and sudo are refused from now on, and sessions and services "
			"end. Files\n"
			"stay. reactivate takes it back.\n"
			"\n"
			"With --all-but FILE instead of NAME, everybody is deactivated who is active and not in "
			"FILE, which\n"
			"lists account names or emails, one a line; what follows a # is a comment. It is shown first "
			"whom that\n"
			"means, and asked on a terminal.\n"
			"\n"
			"Examples:\n"
			"  provisionctl deactivate alice\n"
			"  provisionctl deactivate alice --keep-sessions\n"
			"  provisionctl deactivate --all-but staff.txt --dry-run\n",
		.run = deactivate_account,
	},
	{
		.name = "reactivate",
		.arguments = "NAME",
		.fewest = 1,
		.most = 1,
		.options = OPTIONS_OF_CHANGES,
		.summary = "let somebody in again who was deactivated",
		.details = "The account is as it was before it was deactivated.\n"
			   "\n"
			   "Example:\n"
			   "  provisionctl reactivate alice\n",
		.run = reactivate_account,
	},
	{
		.name = "reassign",
		.arguments = "NAME",
		.fewest = 1,
		.most = 1,
		.options = OPTIONS_OF_CHANGES | OPTION_YES,
		.summary = "end an account for good whose address somebody else has now",
		.details = "For a successor who has the address that the owner of NAME had. The old account ends for "
			   "good: its uid\n"
			   "is never used again, its home is kept under another name, and its owner gets it back no "
			   "more. The\n"
			   "successor gets a fresh account at the next sign-in. A person whose own name or address has "
			   "changed needs\n"
			   "nothing of this: the account stays theirs.\n"
			   "\n"
			   "Examples:\n"
			   "  provisionctl reassign alice --dry-run\n"
			   "  provisionctl reassign alice\n",
		.run = reassign_account,
	},
	{
		.name = "remove",
		.arguments = "NAME",
		.fewest = 1,
		.most = 1,
		.options = OPTIONS_OF_CHANGES | OPTION_DELETE_HOME | OPTION_ARCHIVE_HOME | OPTION_YES,
		.summary = "remove an account; its uid is not used again",
		.details = "The account leaves /etc/passwd and all groups; crontab and mailbox are put away. The home "
			   "directory\n"
			   "stays unless --delete-home or --archive-home is given, and both also work later, for an "
			   "account that is\n"
			   "removed already. FILE must not exist yet; the home is deleted only when FILE is complete "
			   "and on the disk.\n"
			   "The same person can come back, with the same uid.\n"
			   "\n"
			   "Examples:\n"
			   "  provisionctl remove alice --dry-run\n"
			   "  provisionctl remove alice --archive-home /srv/archive/alice.tar\n",
		.run = remove_account,
	},
	{
		.name = "status",
		.arguments = "",
		.options = OPTIONS_OF_ALL,
		.summary = "show how provisiond is doing",
		.details = "Shows the daemon's version, how many accounts there are in which state, and whether work "
			   "waits: for the\n"
			   "lock of the account files, or because something that was begun could not be ended yet.\n"
			   "\n"
			   "Example:\n"
			   "  provisionctl status\n",
		.run = show_status,
	},
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);
