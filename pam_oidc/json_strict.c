/*
 * Parses JSON with jansson under the rules of json_strict.h, and words its errors without repeating any of the text
 * (jansson's own messages quote it).
 */
#include "pam_oidc/json_strict.h"

#include <stdio.h>

/* Looks at brackets alone; whether they match is the parser's business. Done first, because the parser recurses. */
static bool is_nested_too_deep(const char *text, size_t length)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_STRICT_DEPTH_MAX)
				return true;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

static const char *error_sentence(enum json_error_code code)
{
	switch (code) {
	case json_error_duplicate_key:
		return "has a member twice";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "has a NUL character in a string";
	case json_error_invalid_utf8:
		return "is not valid UTF-8";
	case json_error_numeric_overflow:
		return "has a number that is too large";
	case json_error_premature_end_of_input:
		return "is cut off";
	case json_error_end_of_input_expected:
		return "goes on after its end";
	case json_error_out_of_memory:
		return "does not fit into memory";
	default:
		return "is not JSON";
	}
}

json_t *json_strict_object(const char *text, size_t length, char *fault, size_t fault_size)
{
	json_error_t error = { .line = 0 };
	json_t *value;

	if (is_nested_too_deep(text, length)) {
		(void)snprintf(fault, fault_size, "is nested deeper than %d", JSON_STRICT_DEPTH_MAX);
		return NULL;
	}
	/* Without JSON_ALLOW_NUL every string is a C string; without JSON_DISABLE_EOF_CHECK nothing may follow. */
	value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (!value) {
		(void)snprintf(fault, fault_size, "%s (byte %d)", error_sentence(json_error_code(&error)),
			       error.position);
		return NULL;
	}
	if (!json_is_object(value)) {
		(void)snprintf(fault, fault_size, "is not a JSON object");
		json_decref(value);
		return NULL;
	}
	return value;
}

const char *json_strict_string(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

bool json_strict_is_string_array(const json_t *value, size_t max_count)
{
	if (!json_is_array(value) || json_array_size(value) > max_count)
		return false;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!json_is_string(json_array_get(value, i)))
			return false;
	return true;
}
