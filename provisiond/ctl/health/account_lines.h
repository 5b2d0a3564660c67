/*
 * The lines of passwd(5) or shadow(5), found by name. Pure.
 */
#ifndef PROVISIOND_CTL_HEALTH_ACCOUNT_LINES_H
#define PROVISIOND_CTL_HEALTH_ACCOUNT_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

#define ACCOUNT_FIELDS 9 /* of shadow, the longer one */

struct account_line {
	const char *fields[ACCOUNT_FIELDS]; /* "" for those that are not there */
};

struct account_lines {
	char *text;
	size_t length;              /* of the text as it came */
	struct account_line *lines; /* by name; of several with one name the first in the file comes first */
	size_t count;
};

/* Takes over the text, also on failure; NULL is an empty one. False without memory. The caller releases it. */
bool account_lines_parse(char *text, struct account_lines *ret_lines);
/* The line of that name, or NULL. */
const struct account_line *account_lines_find(const struct account_lines *lines, const char *name);
/* Frees, and wipes the text: there may be password hashes in it. */
void account_lines_release(struct account_lines *lines);
#define _cleanup_account_lines_ _cleanup_(account_lines_release)

enum password_kind {
	PASSWORD_CLOSED, /* no password matches: "*", "!", or a hash behind "!" */
	PASSWORD_OPEN,   /* a hash, or something that passes for one */
	PASSWORD_EMPTY,  /* none is asked for */
};

/* What the password field of a line in shadow says. */
enum password_kind password_kind(const char *field);
/* The number in a field of shadow (days); -1 for none. */
long shadow_days(const char *field);

#endif
