/*
 * Sentences on standard error.
 */
#include "provisiond/ctl/command.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "provisiond/ctl/terminal.h"

void complain(const char *format, ...)
{
	va_list arguments;

	(void)fputs("provisionctl: ", stderr);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
}

enum exit_code complain_about(enum exit_code code, const char *before, const char *from_elsewhere, const char *after)
{
	_cleanup_free_ char *shown = terminal_text(from_elsewhere);

	if (!shown)
		return complain_of_memory();
	complain("%s%s%s", before, shown, after);
	return code;
}

enum exit_code complain_of_memory(void)
{
	complain("there is not enough memory for this. Free some and try again.");
	return EXIT_LOCAL;
}
