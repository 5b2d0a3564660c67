/*
 * What may be kept of the text that an issuer says about a person. Pure.
 */
#ifndef PROVISIOND_PERSON_TEXT_H
#define PROVISIOND_PERSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define GECOS_MAX 128       /* bytes, with NUL: of the full name in it */
#define GECOS_FIELD_MAX 513 /* the same of the whole field: /etc/passwd takes no longer one from us */

/* Valid UTF-8 (RFC 3629) of at most max_bytes, without control characters (C0, DEL, C1). */
bool person_text_ok(const char *text, size_t max_bytes);

/* The GECOS field for a person's full name: colons, commas, equals signs, ampersands, controls and characters that turn
 * or hide other text are left out, runs of spaces become one, and what does not fit is cut between characters. The
 * account's name when nothing is left. */
void gecos_from_full_name(const char *full_name, const char *account, char ret_gecos[GECOS_MAX]);

/* The field is "Full Name,Room,Work Phone,Home Phone,Other" (chfn(1)); parts may be missing at its end. The field with
 * other names in it; NULL leaves that part, and what stands behind the room always stays. False when it does not fit.
 */
bool gecos_with(const char *gecos, const char *full_name, const char *room, char ret_gecos[GECOS_FIELD_MAX]);
/* The field as it was before somebody wrote full_name and room into it ("" for no room) with gecos_with(); whatever
 * part was changed since stays as it is. The same. */
bool gecos_given_back(const char *gecos, const char *before, const char *full_name, const char *room,
		      char ret_gecos[GECOS_FIELD_MAX]);

#endif
