/*
 * Makes text harmless. See printable.h. Not isprint(3), which asks the application's locale.
 */
#include "pam_oidc/module/printable.h"

void printable_copy(const char *text, char *ret_text, size_t size)
{
	size_t n = 0;

	for (; text[n] != '\0' && n + 1 < size; n++) {
		ret_text[n] = text[n];
		if (text[n] < ' ' || text[n] > '~')
			ret_text[n] = '?';
	}
	ret_text[n] = '\0';
}
