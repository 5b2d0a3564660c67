/*
 * Reads unit files. See unit.h.
 */
#include "tests/confine/unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

void die(const char *format, ...)
{
	va_list arguments;

	(void)fputs("confine: ", stderr);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	exit(125);
}

char *must_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		die("out of memory");
	return copy;
}

void *must_grow(void *array, size_t count, size_t size)
{
	void *larger = reallocarray(array, count, size);

	if (!larger)
		die("out of memory");
	return larger;
}

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length > 0 && strchr(" \t\n", text[length - 1]))
		text[--length] = '\0';
	return text;
}

struct unit unit_read(const char *path)
{
	_cleanup_file_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	struct unit unit = { 0 };
	char *section = NULL;
	size_t room = 0;

	if (!file)
		die("%s: cannot be opened: %m", path);
	while (getline(&line, &room, file) >= 0) {
		char *text = trim(line), *equals = strchr(text, '=');
		size_t length = strlen(text);

		if (length == 0 || *text == '#' || *text == ';')
			continue;
		if (*text == '[' && text[length - 1] == ']') {
			text[length - 1] = '\0';
			section = must_copy(text + 1);
			continue;
		}
		if (!section || !equals || text[length - 1] == '\\')
			die("%s: what does this line mean: %s", path, text);
		*equals = '\0';
		unit.lines = must_grow(unit.lines, unit.count + 1, sizeof(*unit.lines));
		unit.lines[unit.count++] = (struct unit_line){ .section = section,
							       .key = must_copy(trim(text)),
							       .value = must_copy(trim(equals + 1)) };
	}
	return unit;
}
