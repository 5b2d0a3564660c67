/*
 * Makes text harmless for a terminal and for the log. Pure.
 */
#ifndef PAM_OIDC_MODULE_PRINTABLE_H
#define PAM_OIDC_MODULE_PRINTABLE_H

#include <stddef.h>

/* Copies the text, every byte that is not printable ASCII replaced by '?', and what does not fit cut off. size is at
 * least 1; the result is NUL-terminated. */
void printable_copy(const char *text, char *ret_text, size_t size);

#endif
