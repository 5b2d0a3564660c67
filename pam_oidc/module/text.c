/*
 * Appends to a text. See text.h.
 */
#include "pam_oidc/module/text.h"

#include <stdarg.h>
#include <stdio.h>

void text_append(struct text *text, const char *format, ...)
{
	va_list arguments;
	int n;

	if (text->failed)
		return;
	va_start(arguments, format);
	n = vsnprintf(text->bytes + text->length, text->size - text->length, format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= text->size - text->length) {
		text->failed = true;
		return;
	}
	text->length += (size_t)n;
}
