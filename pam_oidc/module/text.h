/*
 * Builds a text in memory that the caller owns.
 */
#ifndef PAM_OIDC_MODULE_TEXT_H
#define PAM_OIDC_MODULE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* NUL-terminated at every moment, once something was appended. When something did not fit, `failed` stays set. */
struct text {
	char *bytes;
	size_t size;
	size_t length;
	bool failed;
};

void text_append(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
