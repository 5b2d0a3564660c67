/*
 * Names and values in application/x-www-form-urlencoded: queries and posted forms.
 */
#ifndef ISSUER_FORM_H
#define ISSUER_FORM_H

#include <stdbool.h>
#include <stddef.h>

struct form_field {
	char *name;
	char *value;
};

struct form {
	struct form_field *fields;
	size_t count;
};

/* False when an escape is broken or a decoded NUL occurs. The caller frees *ret_form with form_free(). */
bool form_parse(const char *text, size_t length, struct form *ret_form);
void form_free(struct form *form);
/* The value of a field that stands exactly once; NULL when it is missing or doubled. */
const char *form_get(const struct form *form, const char *name);
/* The name of a field that stands more than once, or NULL. */
const char *form_doubled(const struct form *form);
/* Decodes one name or value: `+` is a space, %XX a byte. NULL when broken; the caller frees. */
char *form_decode(const char *text, size_t length);

static inline void form_cleanup(struct form *form)
{
	form_free(form);
}

#endif
