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
	EXIT_NOTHING = 1, /* not found, nothing to show, or the question was answered with no */
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3, /* the daemon is not running, does not answer, or cannot be understood */
	EXIT_NOT_ALLOWED = 4,
	EXIT_LOCAL = 5,   /* no memory, or a file could not be read or written */
	EXIT_REFUSED = 6, /* a rule stands against it; nothing was changed */
	EXIT_FAILED = 7,  /* nothing stands against it, but the machine could not do it */
};

#define DOMAIN_OPTIONS_MAX 32

/* What the command line said. */
struct invocation {
	char *const *arguments; /* as many as the command takes */
	int argument_count;
	bool json;
	bool colour; /* of the table */
	bool dry_run;
	bool yes;
	bool names;
	bool keep_sessions;
	bool probe;
	bool delete_home;
	bool no_code;
	bool undo;
	/* NULL unless they were given. */
	const char *subject;
	const char *uid;
	const char *archive_home;
	const char *all_but;
	const char *issuer;
	const char *org;
	const char *client_id;
	const char *client_auth;
	const char *secret_file;
	const char *key_file;
	const char *tenant;
	const char *ca_file;
	const char *scopes;
	const char *email_verified;
	const char *ssh_passwords;
	const char *domains[DOMAIN_OPTIONS_MAX + 1]; /* behind the last one NULL */
};

typedef enum exit_code run_command(const struct invocation *invocation);

/* Each in the file named after it; the short ones in change_commands.c. */
run_command list_accounts, show_account, list_pending, show_status;
run_command link_account, add_account, unlink_account, reserve_uid, set_room, reactivate_account, reassign_account;
run_command deactivate_account, deactivate_all_but;
run_command remove_account;
run_command set_up_machine; /* setup/setup.c */
run_command check_health;   /* health/check.c */

/* Prints "provisionctl: " and the sentence to standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for a sentence with a part that comes from elsewhere, between these two, and is made harmless
 * (terminal_text()). Returns the code, or EXIT_LOCAL without memory. */
enum exit_code complain_about(enum exit_code code, const char *before, const char *from_elsewhere, const char *after);
/* The same for want of memory; returns EXIT_LOCAL. */
enum exit_code complain_of_memory(void);

#endif
