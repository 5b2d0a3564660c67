/*
 * Keywords are read as sshd reads them: any case, separated from their arguments by blanks or one `=`.
 */
#include "provisiond/ctl/setup/sshd_lines.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r"

/* The arguments of the line when it sets that keyword, else NULL. */
static const char *arguments_of(const char *line, size_t length, const char *keyword)
{
	const char *end = line + length;
	size_t name = strlen(keyword);

	while (line < end && strchr(BLANKS, *line))
		line++;
	if ((size_t)(end - line) <= name || strncasecmp(line, keyword, name) != 0 || !strchr(BLANKS "=", line[name]))
		return NULL;
	line += name;
	while (line < end && strchr(BLANKS "=", *line))
		line++;
	return line;
}

bool sshd_lines_next_pattern(const char **arguments, char *ret_pattern, size_t pattern_size)
{
	const char *at = *arguments + strspn(*arguments, BLANKS);
	bool quoted = *at == '"';
	size_t length = quoted ? strcspn(at + 1, "\"") : strcspn(at, BLANKS);
	const char *word = at + quoted;

	if (!*at || *at == '#')
		return false;
	(void)snprintf(ret_pattern, pattern_size, "%s%.*s", *word == '/' ? "" : "/etc/ssh/", (int)length, word);
	*arguments = word + length + (quoted && word[length] == '"');
	return true;
}

static bool covers(const char *arguments, const char *path)
{
	char pattern[512];

	while (sshd_lines_next_pattern(&arguments, pattern, sizeof(pattern)))
		if (fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0)
			return true;
	return false;
}

bool sshd_lines_find_include(const char *text, const char *path, const char **ret_line, size_t *ret_length,
			     char *ret_arguments, size_t arguments_size)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		const char *arguments = arguments_of(text, length, "Include");

		if (arguments_of(text, length, "Match"))
			return false;
		if (arguments) {
			(void)snprintf(ret_arguments, arguments_size, "%.*s", (int)(text + length - arguments),
				       arguments);
			if (covers(ret_arguments, path)) {
				*ret_line = text;
				*ret_length = length;
				return true;
			}
		}
		text += length + (text[length] == '\n');
	}
	return false;
}

unsigned sshd_lines_setting(const char *text, size_t end, const char *keyword)
{
	unsigned number = 1;

	for (const char *line = text; *line && (size_t)(line - text) < end; number++) {
		size_t length = strcspn(line, "\n");

		if (arguments_of(line, length, "Match"))
			return 0;
		if (arguments_of(line, length, keyword))
			return number;
		line += length + (line[length] == '\n');
	}
	return 0;
}

bool sshd_lines_effective(const char *output, const char *keyword, char *ret_value, size_t value_size)
{
	size_t name = strlen(keyword);

	while (*output) {
		size_t length = strcspn(output, "\n");

		if (length > name && strncasecmp(output, keyword, name) == 0 && output[name] == ' ') {
			(void)snprintf(ret_value, value_size, "%.*s", (int)(length - name - 1), output + name + 1);
			return true;
		}
		output += length + (output[length] == '\n');
	}
	return false;
}
