/*
 * Sentences on standard error.
 */
#include "provisiond/ctl/command.h"

#include <stdarg.h>
#include <stdio.h>

void complain(const char *format, ...)
{
	va_list arguments;

	(void)fputs("provisionctl: ", stderr);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
}

enum exit_code complain_of_memory(void)
{
	complain("there is not enough memory for this. Free some and try again.");
	return EXIT_LOCAL;
}
