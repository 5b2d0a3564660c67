/*
 * Reads the command line by one table of options, and prints help from the same tables.
 */
#include "provisiond/ctl/command_line.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "provisiond/ctl/terminal.h"

static const struct known_option {
	const char *name;
	enum option option;
	const char *value; /* what it takes, for help; NULL: nothing */
	size_t at;         /* in struct invocation: a bool, or with a value a string */
	const char *help;
} known_options[] = {
	{ "--issuer", OPTION_ISSUER, "URL", offsetof(struct invocation, issuer),
	  "the issuer, exactly as Okta shows it; or" },
	{ "--org", OPTION_ORG, "DOMAIN", offsetof(struct invocation, org), "the Okta domain, such as clinic.okta.com" },
	{ "--client-id", OPTION_CLIENT_ID, "ID", offsetof(struct invocation, client_id),
	  "Client ID of the application" },
	{ "--client-auth", OPTION_CLIENT_AUTH, "HOW", offsetof(struct invocation, client_auth),
	  "none, basic, post or private_key_jwt" },
	{ "--secret-file", OPTION_SECRET_FILE, "FILE", offsetof(struct invocation, secret_file),
	  "where the client secret is; \"-\": standard input" },
	{ "--key-file", OPTION_KEY_FILE, "FILE", offsetof(struct invocation, key_file),
	  "where the private key is (PEM); \"-\": standard input" },
	{ "--domain", OPTION_DOMAIN, "DOMAIN", offsetof(struct invocation, domains),
	  "a domain of the company's emails; may be repeated" },
	{ "--tenant", OPTION_TENANT, "NAME", offsetof(struct invocation, tenant),
	  "what the company is called in the configuration and the log" },
	{ "--ca-file", OPTION_CA_FILE, "FILE", offsetof(struct invocation, ca_file),
	  "trust only these certificate authorities (PEM)" },
	{ "--scopes", OPTION_SCOPES, "SCOPES", offsetof(struct invocation, scopes), "what to ask Okta for" },
	{ "--email-verified", OPTION_EMAIL_VERIFIED, "POLICY", offsetof(struct invocation, email_verified),
	  "require, if-present or ignore" },
	{ "--ssh-passwords", OPTION_SSH_PASSWORDS, "HOW", offsetof(struct invocation, ssh_passwords),
	  "keep (the default), or off: sshd takes no passwords" },
	{ "--no-code", OPTION_NO_CODE, NULL, offsetof(struct invocation, no_code), "do not ask for a code to approve" },
	{ "--undo", OPTION_UNDO, NULL, offsetof(struct invocation, undo), "take back what setup has done" },
	{ "--subject", OPTION_SUBJECT, "ID", offsetof(struct invocation, subject),
	  "the Okta user's id (\"sub\"); nobody else gets the account" },
	{ "--uid", OPTION_UID, "N", offsetof(struct invocation, uid), "the user id" },
	{ "--keep-sessions", OPTION_KEEP_SESSIONS, NULL, offsetof(struct invocation, keep_sessions),
	  "let what is running go on" },
	{ "--all-but", OPTION_ALL_BUT, "FILE", offsetof(struct invocation, all_but),
	  "everybody whom the file does not list" },
	{ "--delete-home", OPTION_DELETE_HOME, NULL, offsetof(struct invocation, delete_home),
	  "delete the home directory, too" },
	{ "--archive-home", OPTION_ARCHIVE_HOME, "FILE", offsetof(struct invocation, archive_home),
	  "write the home directory to FILE (tar), then delete it" },
	{ "--dry-run", OPTION_DRY_RUN, NULL, offsetof(struct invocation, dry_run),
	  "check everything, say what would be done, and change nothing" },
	{ "--yes", OPTION_YES, NULL, offsetof(struct invocation, yes), "do not ask back" },
	{ "--names", OPTION_NAMES, NULL, offsetof(struct invocation, names), "print the names alone, one a line" },
	{ "--probe", OPTION_PROBE, NULL, offsetof(struct invocation, probe), "ask each issuer for a code, too" },
	{ "--json", OPTION_JSON, NULL, offsetof(struct invocation, json), "print JSON, for programs" },
	{ "--help", OPTION_HELP, NULL, 0, "show this help, or a command's" },
	{ "--version", OPTION_VERSION, NULL, 0, "show the version" },
};

/* May stand there more than once: its values are an array, DOMAIN_OPTIONS_MAX of them at most. */
#define REPEATABLE ((unsigned)OPTION_DOMAIN)
#define KNOWN (sizeof(known_options) / sizeof(known_options[0]))

/* ---- help ---- */

static void print_usage(const struct command *command, FILE *out)
{
	(void)fprintf(out, "provisionctl %s%s%s", command->name, *command->arguments ? " " : "", command->arguments);
	for (size_t i = 0; i < KNOWN; i++) {
		const struct known_option *known = &known_options[i];

		if (command->options & known->option & ~(OPTION_HELP | OPTION_VERSION | command->demanded))
			(void)fprintf(out, " [%s%s%s]", known->name, known->value ? " " : "",
				      known->value ? known->value : "");
	}
}

static void print_options(unsigned options)
{
	(void)puts("\nOptions:");
	for (size_t i = 0; i < KNOWN; i++) {
		char name[32];

		if (!(options & known_options[i].option))
			continue;
		(void)snprintf(name, sizeof(name), "%s%s%s", known_options[i].name, known_options[i].value ? " " : "",
			       known_options[i].value ? known_options[i].value : "");
		(void)printf("  %-23s  %s\n", name, known_options[i].help);
	}
}

static void print_exit_codes(void)
{
	(void)printf("\nExit status:\n"
		     "  0  done\n"
		     "  1  not found, nothing to list, or the question was answered with no\n"
		     "  2  wrong usage\n"
		     "  3  the daemon is not running or does not answer properly\n"
		     "  4  not allowed: provisionctl needs root\n"
		     "  5  no memory, or a file or the output could not be read or written\n"
		     "  6  refused: a rule stands against it, and the sentence says what to do\n"
		     "  7  not done: the disk, the account files or a name service failed; the log says more\n"
		     "\nTables are coloured on a terminal unless NO_COLOR is set.\n");
}

void command_line_help(const struct command *command)
{
	if (command) {
		(void)printf("Usage: ");
		print_usage(command, stdout);
		(void)printf("\n\n%s", command->details);
		print_options(command->options);
		print_exit_codes();
		return;
	}
	(void)printf("Usage: provisionctl COMMAND [OPTION...]\n\n"
		     "Looks after the accounts that people get by signing in with their company.\n\nCommands:\n");
	for (size_t i = 0; i < command_count; i++)
		(void)printf("  %-10s %-12s  %s\n", commands[i].name, commands[i].arguments, commands[i].summary);
	print_options(OPTIONS_OF_CHANGES);
	print_exit_codes();
	(void)printf("\nExamples:\n"
		     "  provisionctl list\n"
		     "  provisionctl link bob bob@clinic.example --dry-run\n"
		     "  provisionctl deactivate alice\n"
		     "  provisionctl COMMAND --help\n");
}

/* ---- reading ---- */

static const struct command *command_named(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static const struct known_option *option_named(const char *word, size_t length)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (strlen(known_options[i].name) == length && strncmp(known_options[i].name, word, length) == 0)
			return &known_options[i];
	return NULL;
}

static void *member(struct command_line *line, const struct known_option *known)
{
	return (char *)&line->invocation + known->at;
}

/* False when there are too many already. */
static bool keep_value(struct command_line *line, const struct known_option *known, const char *value)
{
	const char **values = member(line, known);
	size_t place = 0;

	while (((unsigned)known->option & REPEATABLE) && values[place])
		if (++place == DOMAIN_OPTIONS_MAX)
			return false;
	values[place] = value;
	return true;
}

/* Returns how many further words it took, or -1 after a sentence. */
static int take_option(const char *word, const char *next, struct command_line *line)
{
	size_t length = strcspn(word, "=");
	const char *behind = word[length] == '=' ? word + length + 1 : NULL, *value = behind ? behind : next;
	const struct known_option *known =
		strcmp(word, "-h") == 0 ? option_named("--help", strlen("--help")) : option_named(word, length);

	if (!known || (behind && !known->value)) {
		(void)complain_about(EXIT_USAGE, "there is no option \"", word, "\". See: provisionctl --help");
		return -1;
	}
	if (known->value && (!value || (line->options & known->option & ~REPEATABLE))) {
		complain("%s takes one %s. See: provisionctl --help", known->name, known->value);
		return -1;
	}
	line->options |= known->option;
	if (known->value && !keep_value(line, known, value)) {
		complain("%s may stand there %d times at most.", known->name, DOMAIN_OPTIONS_MAX);
		return -1;
	}
	if (!known->value && known->at > 0)
		*(bool *)member(line, known) = true;
	return known->value && !behind;
}

static bool read_words(int argc, char **argv, struct command_line *line)
{
	struct invocation *invocation = &line->invocation;
	bool options = true;

	for (int i = 1; i < argc; i++) {
		int taken;

		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (!options || argv[i][0] != '-') {
			argv[1 + invocation->argument_count++] = argv[i];
		} else {
			taken = take_option(argv[i], i + 1 < argc ? argv[i + 1] : NULL, line);
			if (taken < 0)
				return false;
			i += taken;
		}
	}
	invocation->arguments = argv + 1;
	return true;
}

/* The first option that was given and is not the command's. */
static const char *foreign_option(const struct command_line *line)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (line->options & known_options[i].option & ~line->command->options)
			return known_options[i].name;
	return NULL;
}

static bool judge_words(const struct command_line *line)
{
	const struct command *command = line->command;
	const char *foreign = foreign_option(line);

	if (line->options & OPTION_HELP)
		return true;
	if (foreign) {
		complain("%s has no option %s. See: provisionctl %s --help", command->name, foreign, command->name);
		return false;
	}
	if (line->invocation.argument_count >= command->fewest && line->invocation.argument_count <= command->most)
		return true;
	(void)fputs("provisionctl: usage: ", stderr);
	print_usage(command, stderr);
	(void)fputc('\n', stderr);
	return false;
}

bool command_line_read(int argc, char **argv, struct command_line *ret_line)
{
	struct command_line line = { 0 };
	struct invocation *invocation = &line.invocation;

	if (!read_words(argc, argv, &line))
		return false;
	if (invocation->argument_count == 0) {
		*ret_line = line;
		if (line.options & (OPTION_HELP | OPTION_VERSION))
			return true;
		complain("no command was given. See: provisionctl --help");
		return false;
	}
	line.command = command_named(invocation->arguments[0]);
	if (!line.command) {
		(void)complain_about(EXIT_USAGE, "there is no command \"", invocation->arguments[0],
				     "\". See: provisionctl --help");
		return false;
	}
	invocation->arguments++;
	invocation->argument_count--;
	*ret_line = line;
	return judge_words(&line);
}
