/*
 * The `username` formats of tenants. See username_format.h.
 */
#include "common/username_format.h"

#include <string.h>

/* Appends n bytes; false when there is no room for them and a NUL. */
static bool add(char *text, size_t size, const char *bytes, size_t n)
{
	size_t length = strlen(text);

	if (n >= size - length)
		return false;
	memcpy(text + length, bytes, n);
	text[length + n] = '\0';
	return true;
}

bool username_format_parse(const char *text, const char *tenant, struct username_format *ret_format)
{
	struct username_format format = { 0 };
	char *part = format.prefix;

	for (; *text; text++) {
		const char *bytes = text;
		size_t n = 1;

		if (*text == '%' && *++text == 'l' && part == format.prefix) {
			part = format.suffix;
			continue;
		}
		if (*bytes == '%' && *text == 't') {
			bytes = tenant;
			n = strlen(tenant);
		} else if (*bytes == '%') {
			return false;
		}
		if (!add(part, USERNAME_FORMAT_MAX, bytes, n))
			return false;
	}
	if (part != format.suffix)
		return false;
	*ret_format = format;
	return true;
}

bool username_format_expand(const struct username_format *format, const char *local, char *ret_name, size_t size)
{
	size_t prefix = strlen(format->prefix), middle = strlen(local), suffix = strlen(format->suffix);

	if (prefix + middle + suffix >= size)
		return false;
	memcpy(ret_name, format->prefix, prefix);
	for (size_t i = 0; i < middle; i++)
		ret_name[prefix + i] = local[i] >= 'A' && local[i] <= 'Z' ? (char)(local[i] - 'A' + 'a') : local[i];
	memcpy(ret_name + prefix + middle, format->suffix, suffix + 1);
	return true;
}

bool username_format_matches(const struct username_format *format, const char *name)
{
	size_t prefix = strlen(format->prefix), suffix = strlen(format->suffix), length = strlen(name);

	return length > prefix + suffix && strncmp(name, format->prefix, prefix) == 0 &&
	       strcmp(name + length - suffix, format->suffix) == 0;
}

bool username_formats_overlap(const struct username_format *one, const struct username_format *other)
{
	size_t p1 = strlen(one->prefix), p2 = strlen(other->prefix), p = p1 < p2 ? p1 : p2;
	size_t s1 = strlen(one->suffix), s2 = strlen(other->suffix), s = s1 < s2 ? s1 : s2;

	/* One prefix begins the other and one suffix ends the other: a long enough local part fits both. */
	return strncmp(one->prefix, other->prefix, p) == 0 && strcmp(one->suffix + s1 - s, other->suffix + s2 - s) == 0;
}

bool username_format_is_plain(const struct username_format *format)
{
	return format->prefix[0] == '\0' && format->suffix[0] == '\0';
}
