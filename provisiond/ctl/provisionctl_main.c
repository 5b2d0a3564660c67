/*
 * provisionctl: what an administrator asks the daemons and tells them. Each command is a row of commands.c and a
 * function of a file of its own.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/version.h"
#include "provisiond/ctl/command_line.h"
#include "provisiond/ctl/terminal.h"

static enum exit_code run(struct command_line *line)
{
	line->invocation.colour = terminal_wants_colour();
	if (geteuid() != 0) {
		complain("only root may ask this. Try: sudo provisionctl %s", line->command->name);
		return EXIT_NOT_ALLOWED;
	}
	return line->command->run(&line->invocation);
}

int main(int argc, char **argv)
{
	struct command_line line;
	enum exit_code code = EXIT_DONE;

	(void)setlocale(LC_CTYPE, "");
	if (!command_line_read(argc, argv, &line))
		return EXIT_USAGE;
	if (line.options & OPTION_HELP)
		command_line_help(line.command);
	else if (line.options & OPTION_VERSION)
		(void)puts("provisionctl (pam_oidc) " PAM_OIDC_VERSION);
	else
		code = run(&line);
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return (int)code;
	complain("the output could not be written: %s", strerror(errno ? errno : EIO));
	return EXIT_LOCAL;
}
