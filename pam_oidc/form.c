/*
 * Builds a form body that wipes itself. See form.h.
 */
#include "pam_oidc/form.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

static bool stays_as_it_is(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("*-._", c));
}

char *form_encode(const char *value)
{
	static const char digits[] = "0123456789ABCDEF";
	char *encoded = malloc(strlen(value) * 3 + 1);
	char *end = encoded;

	if (!encoded)
		return NULL;
	for (; *value; value++) {
		unsigned char byte = (unsigned char)*value;

		if (stays_as_it_is(*value)) {
			*end++ = *value;
		} else if (*value == ' ') {
			*end++ = '+';
		} else {
			*end++ = '%';
			*end++ = digits[byte >> 4];
			*end++ = digits[byte & 15];
		}
	}
	*end = '\0';
	return encoded;
}

/* Makes room for `more` bytes and a NUL. realloc() could leave an unwiped copy behind. */
static bool reserve(struct form *form, size_t more)
{
	size_t needed = form->length + more + 1;
	size_t capacity = needed * 2;
	char *text;

	if (needed <= form->capacity)
		return true;
	text = malloc(capacity);
	if (!text)
		return false;
	if (form->text) {
		memcpy(text, form->text, form->length);
		explicit_bzero(form->text, form->capacity);
		free(form->text);
	}
	form->text = text;
	form->capacity = capacity;
	return true;
}

static void append(struct form *form, const char *text)
{
	size_t length = strlen(text);

	memcpy(form->text + form->length, text, length + 1);
	form->length += length;
}

void form_add(struct form *form, const char *key, const char *value)
{
	_cleanup_secret_text_ char *encoded_key = NULL;
	_cleanup_secret_text_ char *encoded_value = NULL;

	if (!value || form->failed)
		return;
	encoded_key = form_encode(key);
	encoded_value = form_encode(value);
	if (!encoded_key || !encoded_value || !reserve(form, strlen(encoded_key) + strlen(encoded_value) + 2)) {
		form->failed = true;
		return;
	}
	if (form->length > 0)
		append(form, "&");
	append(form, encoded_key);
	append(form, "=");
	append(form, encoded_value);
}

const char *form_text(const struct form *form)
{
	if (form->failed)
		return NULL;
	return form->text ? form->text : "";
}

void form_wipe(struct form *form)
{
	if (!form)
		return;
	if (form->text) {
		explicit_bzero(form->text, form->capacity);
		free(form->text);
	}
	*form = (struct form){ 0 };
}
