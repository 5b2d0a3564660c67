#include "tests/issuer/must.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must(void *pointer)
{
	if (!pointer) {
		fputs("issuer: out of memory, or a library refused what it was given\n", stderr);
		abort();
	}
	return pointer;
}

char *must_format(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return must(text);
}

char *must_copy(const char *text)
{
	return must(strdup(text));
}
