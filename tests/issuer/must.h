/*
 * Allocation for the issuer: a test program that runs out of memory stops at once, so no caller has to look.
 */
#ifndef ISSUER_MUST_H
#define ISSUER_MUST_H

#include <stddef.h>

/* The pointer itself; ends the program with a message when it is NULL. */
void *must(void *pointer);
/* A new formatted string, which the caller frees. */
char *must_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *must_copy(const char *text);

#endif
