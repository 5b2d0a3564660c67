/*
 * provisionctl: what an administrator asks the daemons and tells them. This file reads the command line; each command
 * is a file of its own and a row of the table below.
 */
#include <errno.h>
#include <locale.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/version.h"
#include "provisiond/ctl/command.h"
#include "provisiond/ctl/terminal.h"

struct command {
	const char *name;
	const char *arguments; /* for help, one word each; "" for none */
	int argument_count;
	const char *summary;
	const char *details; /* lines for the command's own help */
	enum exit_code (*run)(const struct invocation *invocation);
};

static const struct command commands[] = {
	{
		.name = "list",
		.arguments = "",
		.summary = "list the accounts on record",
		.details = "Lists every account that provisiond has on record, by name, with the time of its last "
			   "sign-in.\n"
			   "\n"
			   "Examples:\n"
			   "  provisionctl list\n"
			   "  provisionctl list --json | jq -r '.[] | select(.state == \"active\") | .email'\n",
		.run = list_accounts,
	},
	{
		.name = "show",
		.arguments = "NAME",
		.argument_count = 1,
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
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

struct command_line {
	const struct command *command; /* NULL: none */
	char **arguments;
	int argument_count;
	bool json;
	bool help;
	bool version;
};

static void print_options_and_codes(void)
{
	(void)printf("\nOptions:\n"
		     "  --json      print JSON instead of a table; times in UTC\n"
		     "  -h, --help  print this help\n"
		     "  --version   print the version\n"
		     "\nExit status:\n"
		     "  0  done\n"
		     "  1  not found, or nothing to list\n"
		     "  2  wrong usage\n"
		     "  3  the daemon is not running or does not answer properly\n"
		     "  4  not allowed: provisionctl needs root\n"
		     "  5  no memory, or the output could not be written\n"
		     "\nTables are coloured on a terminal unless NO_COLOR is set.\n");
}

static void print_help(const struct command *command)
{
	if (command) {
		(void)printf("Usage: provisionctl %s%s%s [--json]\n\n%s", command->name, *command->arguments ? " " : "",
			     command->arguments, command->details);
		print_options_and_codes();
		return;
	}
	(void)printf("Usage: provisionctl COMMAND [OPTION...]\n\n"
		     "Looks after the accounts that people get by signing in with their company.\n\nCommands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		(void)printf("  %-8s %-5s  %s\n", commands[i].name, commands[i].arguments, commands[i].summary);
	print_options_and_codes();
	(void)printf("\nExamples:\n"
		     "  provisionctl list\n"
		     "  provisionctl show alice --json\n"
		     "  provisionctl COMMAND --help\n");
}

static const struct command *command_named(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Says that there is no such option or command. Returns false. */
static bool reject(const char *what, const char *word)
{
	_cleanup_free_ char *shown = terminal_text(word);

	complain("there is no %s \"%s\". See: provisionctl --help", what, shown ? shown : "?");
	return false;
}

/* False for an option that does not exist. */
static bool take_option(const char *option, struct command_line *line)
{
	if (strcmp(option, "--json") == 0)
		line->json = true;
	else if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0)
		line->help = true;
	else if (strcmp(option, "--version") == 0)
		line->version = true;
	else
		return false;
	return true;
}

/* Sorts options from words; the words move to the front of argv, after the program's name. Options may stand anywhere
 * before
 * "--". False after a sentence. */
static bool read_words(int argc, char **argv, struct command_line *line)
{
	bool options = true;

	line->arguments = argv + 1;
	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (!options || argv[i][0] != '-')
			line->arguments[line->argument_count++] = argv[i];
		else if (!take_option(argv[i], line))
			return reject("option", argv[i]);
	}
	return true;
}

/* Takes the first word as the command and judges what it is given. False after a sentence. */
static bool choose_command(struct command_line *line)
{
	if (line->argument_count == 0) {
		if (!line->help && !line->version)
			complain("no command was given. See: provisionctl --help");
		return line->help || line->version;
	}
	line->command = command_named(line->arguments[0]);
	if (!line->command)
		return reject("command", line->arguments[0]);
	line->arguments++;
	line->argument_count--;
	if (line->help || line->argument_count == line->command->argument_count)
		return true;
	complain("usage: provisionctl %s%s%s [--json]", line->command->name, *line->command->arguments ? " " : "",
		 line->command->arguments);
	return false;
}

static enum exit_code run(const struct command_line *line)
{
	struct invocation invocation = {
		.arguments = line->arguments,
		.json = line->json,
		.colour = terminal_wants_colour(),
	};

	if (geteuid() != 0) {
		complain("only root may ask this. Try: sudo provisionctl %s", line->command->name);
		return EXIT_NOT_ALLOWED;
	}
	return line->command->run(&invocation);
}

int main(int argc, char **argv)
{
	struct command_line line = { 0 };
	enum exit_code code = EXIT_DONE;

	(void)setlocale(LC_CTYPE, "");
	if (!read_words(argc, argv, &line) || !choose_command(&line))
		return EXIT_USAGE;
	if (line.help)
		print_help(line.command);
	else if (line.version)
		(void)puts("provisionctl (pam_oidc) " PAM_OIDC_VERSION);
	else
		code = run(&line);
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return (int)code;
	complain("the output could not be written: %s", strerror(errno ? errno : EIO));
	return EXIT_LOCAL;
}
