/*
 * The commands and options of provisionctl, and the reading of its command line. Runs nothing.
 */
#ifndef PROVISIOND_CTL_COMMAND_LINE_H
#define PROVISIOND_CTL_COMMAND_LINE_H

#include <stddef.h>

#include "provisiond/ctl/command.h"

enum option {
	OPTION_JSON = 1 << 0,
	OPTION_HELP = 1 << 1,
	OPTION_VERSION = 1 << 2,
	OPTION_DRY_RUN = 1 << 3,
	OPTION_YES = 1 << 4,
	OPTION_NAMES = 1 << 5,
	OPTION_KEEP_SESSIONS = 1 << 6,
	OPTION_DELETE_HOME = 1 << 7,
	OPTION_SUBJECT = 1 << 8,
	OPTION_UID = 1 << 9,
	OPTION_ARCHIVE_HOME = 1 << 10,
	OPTION_ALL_BUT = 1 << 11,
	OPTION_ISSUER = 1 << 12,
	OPTION_ORG = 1 << 13,
	OPTION_CLIENT_ID = 1 << 14,
	OPTION_CLIENT_AUTH = 1 << 15,
	OPTION_SECRET_FILE = 1 << 16,
	OPTION_KEY_FILE = 1 << 17,
	OPTION_DOMAIN = 1 << 18,
	OPTION_TENANT = 1 << 19,
	OPTION_CA_FILE = 1 << 20,
	OPTION_SCOPES = 1 << 21,
	OPTION_EMAIL_VERIFIED = 1 << 22,
	OPTION_SSH_PASSWORDS = 1 << 23,
	OPTION_NO_CODE = 1 << 24,
	OPTION_UNDO = 1 << 25,
	OPTION_PROBE = 1 << 27,
};

#define OPTIONS_OF_ALL (OPTION_JSON | OPTION_HELP | OPTION_VERSION)
#define OPTIONS_OF_COMPANY                                                                                           \
	(OPTION_ISSUER | OPTION_ORG | OPTION_CLIENT_ID | OPTION_CLIENT_AUTH | OPTION_SECRET_FILE | OPTION_KEY_FILE | \
	 OPTION_DOMAIN | OPTION_TENANT | OPTION_CA_FILE | OPTION_SCOPES | OPTION_EMAIL_VERIFIED)
#define OPTIONS_OF_CHANGES (OPTIONS_OF_ALL | OPTION_DRY_RUN)

struct command {
	const char *name;
	const char *arguments; /* for help; "" for none */
	int fewest, most;      /* arguments */
	unsigned options;      /* all that it takes */
	unsigned demanded;     /* of these, those that stand among the arguments, since they cannot be left out */
	const char *summary;
	const char *details; /* lines for the command's own help */
	run_command *run;
};

extern const struct command commands[]; /* commands.c */
extern const size_t command_count;

struct command_line {
	const struct command *command; /* NULL: none */
	unsigned options;              /* those that were given */
	struct invocation invocation;
};

/* Sorts options from words; the words move to the front of argv, after the program's name. Options may stand anywhere
 * before "--", and their values behind a blank or "=". False after a sentence on standard error. */
bool command_line_read(int argc, char **argv, struct command_line *ret_line);
/* Prints the help of the command, or of all (NULL). */
void command_line_help(const struct command *command);

#endif
