/*
 * What the commands of provisionctl have in common: how they are called, and what they return to the shell.
 *
 * A command prints its result to standard output and says on standard error, in one sentence, why there is none.
 */
#ifndef PROVISIOND_CTL_COMMAND_H
#define PROVISIOND_CTL_COMMAND_H

#include <stdbool.h>

/* Documented in --help: scripts rely on the numbers. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_NOTHING = 1, /* not found, or nothing to show */
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3, /* the daemon is not running, does not answer, or cannot be understood */
	EXIT_NOT_ALLOWED = 4,
	EXIT_LOCAL = 5, /* no memory, or the output could not be written */
};

struct invocation {
	char *const *arguments; /* as many as the command takes */
	bool json;
	bool colour; /* of the table */
};

enum exit_code list_accounts(const struct invocation *invocation);
enum exit_code show_account(const struct invocation *invocation);
enum exit_code list_pending(const struct invocation *invocation);

/* Prints "provisionctl: " and the sentence to standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for want of memory; returns EXIT_LOCAL. */
enum exit_code complain_of_memory(void);

#endif
