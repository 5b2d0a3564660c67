/*
 * asprintf(3) with a result that is defined when it fails.
 */
#include "provisiond/ctl/setup/printed.h"

#include <stdarg.h>
#include <stdio.h>

char *printed(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return length < 0 ? NULL : text;
}
