/*
 * Asks back.
 */
#include "provisiond/ctl/confirm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool confirm_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool confirm(const char *question)
{
	char answer[16] = "";

	(void)fflush(stdout);
	(void)fprintf(stderr, "%s Type yes or no: ", question);
	(void)fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin)) {
		(void)fputc('\n', stderr);
		return false;
	}
	return strcmp(answer, "yes\n") == 0 || strcmp(answer, "yes") == 0;
}
