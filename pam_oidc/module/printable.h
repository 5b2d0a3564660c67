/*
 * Makes text harmless for a terminal and for the log. Pure, and the same in every locale.
 */
#ifndef PAM_OIDC_MODULE_PRINTABLE_H
#define PAM_OIDC_MODULE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Copies the text, every byte that is not printable ASCII replaced by '?', and what does not fit cut off. size is at
 * least 1; the result is NUL-terminated. */
void printable_copy(const char *text, char *ret_text, size_t size);

/* The same for text in which letters of all languages are at home, such as names: characters beyond ASCII stay if they
 * are well-formed UTF-8 and do nothing to a terminal but stand there. Controls, what cannot be seen, and what changes
 * the direction of writing is replaced. Returns how many columns the result takes: characters of East Asia take two,
 * marks that combine with the letter before them none. */
size_t printable_copy_utf8(const char *text, char *ret_text, size_t size);
/* Whether printable_copy_utf8() would copy the text as it is. */
bool printable_utf8(const char *text);

#endif
