/*
 * Splits account files into lines and fields, in place.
 */
#include "provisiond/ctl/health/account_lines.h"

#include <stdlib.h>
#include <string.h>

enum { NAME };

static int compare(const void *one, const void *other)
{
	const struct account_line *left = one, *right = other;
	int order = strcmp(left->fields[NAME], right->fields[NAME]);

	if (order != 0)
		return order;
	return (left->fields[NAME] > right->fields[NAME]) - (left->fields[NAME] < right->fields[NAME]);
}

static void split(char *line, struct account_line *ret_line)
{
	for (size_t i = 0; i < ACCOUNT_FIELDS; i++) {
		char *field = line ? strsep(&line, ":") : NULL;

		ret_line->fields[i] = field ? field : "";
	}
}

bool account_lines_parse(char *text, struct account_lines *ret_lines)
{
	struct account_lines lines = { .text = text, .length = text ? strlen(text) : 0 };
	size_t most = 1;
	char *line, *rest = text;

	for (const char *at = text; at && *at; at++)
		most += *at == '\n';
	lines.lines = calloc(most + 1, sizeof(*lines.lines));
	if (!lines.lines) {
		account_lines_release(&lines);
		return false;
	}
	while (rest && (line = strsep(&rest, "\n")))
		/* Comments, and what NIS adds, are no accounts of this machine. */
		if (*line && !strchr("#+-", *line))
			split(line, &lines.lines[lines.count++]);
	qsort(lines.lines, lines.count, sizeof(*lines.lines), compare);
	*ret_lines = lines;
	return true;
}

const struct account_line *account_lines_find(const struct account_lines *lines, const char *name)
{
	size_t low = 0, high = lines->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(lines->lines[middle].fields[NAME], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < lines->count && strcmp(lines->lines[low].fields[NAME], name) == 0 ? &lines->lines[low] : NULL;
}

void account_lines_release(struct account_lines *lines)
{
	if (lines->text)
		explicit_bzero(lines->text, lines->length);
	free(lines->text);
	free(lines->lines);
	*lines = (struct account_lines){ 0 };
}

enum password_kind password_kind(const char *field)
{
	if (*field == '\0')
		return PASSWORD_EMPTY;
	return *field == '*' || *field == '!' ? PASSWORD_CLOSED : PASSWORD_OPEN;
}

long shadow_days(const char *field)
{
	char *end;
	long days = strtol(field, &end, 10);

	return *field == '\0' || *end != '\0' || days < 0 ? -1 : days;
}
