#include "tests/issuer/form.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "tests/issuer/must.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *form_decode(const char *text, size_t length)
{
	_cleanup_free_ char *decoded = must(malloc(length + 1));
	size_t out = 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = length - i > 2 ? hex_digit(text[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

			if (low < 0)
				return NULL;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (c == '\0')
			return NULL;
		decoded[out++] = c;
	}
	decoded[out] = '\0';
	return take_pointer(decoded);
}

static bool add_field(struct form *form, const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);
	size_t name_length = equals ? (size_t)(equals - text) : length;
	_cleanup_free_ char *name = form_decode(text, name_length);
	_cleanup_free_ char *value = NULL;

	if (equals)
		value = form_decode(equals + 1, length - name_length - 1);
	else
		value = must_copy("");
	if (!name || !value)
		return false;
	form->fields = must(realloc(form->fields, (form->count + 1) * sizeof *form->fields));
	form->fields[form->count].name = take_pointer(name);
	form->fields[form->count].value = take_pointer(value);
	form->count++;
	return true;
}

bool form_parse(const char *text, size_t length, struct form *ret_form)
{
	struct form form = { NULL, 0 };

	while (length > 0) {
		const char *ampersand = memchr(text, '&', length);
		size_t part = ampersand ? (size_t)(ampersand - text) : length;

		if (part > 0 && !add_field(&form, text, part)) {
			form_free(&form);
			return false;
		}
		text += part;
		length -= part;
		if (length > 0) {
			text++;
			length--;
		}
	}
	*ret_form = form;
	return true;
}

void form_free(struct form *form)
{
	for (size_t i = 0; i < form->count; i++) {
		free(form->fields[i].name);
		free(form->fields[i].value);
	}
	free(form->fields);
	form->fields = NULL;
	form->count = 0;
}

const char *form_get(const struct form *form, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < form->count; i++) {
		if (strcmp(form->fields[i].name, name) != 0)
			continue;
		if (value)
			return NULL;
		value = form->fields[i].value;
	}
	return value;
}

const char *form_doubled(const struct form *form)
{
	for (size_t i = 0; i < form->count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(form->fields[i].name, form->fields[j].name) == 0)
				return form->fields[i].name;
	return NULL;
}
