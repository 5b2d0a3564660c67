/*
 * A request body of type application/x-www-form-urlencoded (RFC 6749, appendix B). It may carry secrets, so every copy
 * of it is wiped.
 */
#ifndef PAM_OIDC_FORM_H
#define PAM_OIDC_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

/* Starts as `struct form form = { 0 };`. Once memory ran out, `failed` stays set and form_text() is NULL. */
struct form {
	char *text; /* NUL-terminated; NULL while empty */
	size_t length;
	size_t capacity;
	bool failed;
};

/* Appends key=value, both encoded. A NULL value appends nothing. */
void form_add(struct form *form, const char *key, const char *value);
/* The body, "" when empty; NULL when something failed. Lives until the next form_add() or form_wipe(). */
const char *form_text(const struct form *form);
/* Wipes, frees and empties. Takes NULL. */
void form_wipe(struct form *form);

/* One value, encoded. The caller wipes and frees it (secret_free_text()). NULL when memory ran out. */
char *form_encode(const char *value);

#define _cleanup_form_ _cleanup_(form_wipe)

#endif
