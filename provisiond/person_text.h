/*
 * What may be kept of the text that an issuer says about a person. Pure.
 */
#ifndef PROVISIOND_PERSON_TEXT_H
#define PROVISIOND_PERSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define GECOS_MAX 128 /* bytes, with NUL */

/* Valid UTF-8 (RFC 3629) of at most max_bytes, without control characters (C0, DEL, C1). */
bool person_text_ok(const char *text, size_t max_bytes);

/* The GECOS field for a person's full name: colons, commas, equals signs, ampersands, controls and characters that turn
 * or hide other text are left out, runs of spaces become one, and what does not fit is cut between characters. The
 * account's name when nothing is left. */
void gecos_from_full_name(const char *full_name, const char *account, char ret_gecos[GECOS_MAX]);

#endif
