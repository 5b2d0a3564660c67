/*
 * Keeps findings and shows them.
 */
#include "provisiond/ctl/health/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provisiond/ctl/json.h"
#include "provisiond/ctl/terminal.h"

#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define RED "\033[31m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static const struct {
	const char *name, *colour;
} levels[LEVEL_COUNT] = {
	[LEVEL_GOOD] = { "good", GREEN },
	[LEVEL_WARNING] = { "warning", YELLOW },
	[LEVEL_ERROR] = { "error", RED },
};

const char *level_name(enum level level)
{
	return levels[level].name;
}

/* ---- keeping ---- */

static void release(struct finding *finding)
{
	free(finding->item);
	free(finding->subject);
	free(finding->text);
	free(finding->remedy);
}

static bool reserve(struct findings *findings)
{
	size_t capacity = findings->capacity ? findings->capacity * 2 : 32;
	struct finding *grown;

	if (findings->count < findings->capacity)
		return true;
	grown = reallocarray(findings->items, capacity, sizeof(*grown));
	if (!grown)
		return false;
	findings->items = grown;
	findings->capacity = capacity;
	return true;
}

void findings_add(struct findings *findings, enum level level, const char *item, const char *subject,
		  const char *remedy, const char *format, ...)
{
	struct finding finding = {
		.level = level,
		.item = strdup(item),
		.subject = strdup(subject ? subject : ""),
		.remedy = strdup(remedy ? remedy : ""),
	};
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&finding.text, format, arguments) < 0)
		finding.text = NULL;
	va_end(arguments);
	if (finding.item && finding.subject && finding.remedy && finding.text && reserve(findings)) {
		findings->items[findings->count++] = finding;
		return;
	}
	findings->failed = true;
	release(&finding);
}

size_t findings_of(const struct findings *findings, enum level level)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += findings->items[i].level == level;
	return count;
}

void findings_release(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		release(&findings->items[i]);
	free(findings->items);
	*findings = (struct findings){ 0 };
}

/* ---- for people ---- */

#define LEVEL_WIDTH 9 /* the longest name and two blanks */
#define ITEM_WIDTH_MAX 15
#define TO_DO "To do:"
#define NARROWEST 40 /* no line is broken for less */

static size_t item_width(const struct findings *findings)
{
	size_t widest = 0;

	for (size_t i = 0; i < findings->count; i++) {
		size_t width = terminal_width(findings->items[i].item);

		if (width > widest && width <= ITEM_WIDTH_MAX)
			widest = width;
	}
	return widest + 2;
}

/* Prints text that is harmless already, with the cursor in column `at`, broken at blanks before `columns` (0: never).
 * The lines that follow begin at `indent`. */
static void print_broken(const char *text, size_t at, size_t indent, size_t columns)
{
	bool begins = true;

	while (*text) {
		size_t length = strcspn(text, " ");
		_cleanup_free_ char *word = strndup(text, length);
		size_t width = word ? terminal_width(word) : length;

		if (columns >= NARROWEST && !begins && at + 1 + width > columns) {
			(void)printf("\n%*s", (int)indent, "");
			at = indent;
		} else if (!begins) {
			(void)putchar(' ');
			at++;
		}
		(void)printf("%.*s", (int)length, text);
		at += width;
		begins = false;
		text += length + (text[length] == ' ');
	}
	(void)putchar('\n');
}

static bool print_text(const char *text, size_t at, size_t indent, size_t columns)
{
	_cleanup_free_ char *shown = terminal_text(text);

	if (shown)
		print_broken(shown, at, indent, columns);
	return shown;
}

static bool print_finding(const struct finding *finding, size_t item_columns, bool colour, size_t columns)
{
	_cleanup_free_ char *item = terminal_text(finding->item), *text = NULL;
	const char *shade = levels[finding->level].colour;
	size_t indent = LEVEL_WIDTH + item_columns, width;

	if (!item || asprintf(&text, "%s%s%s", finding->subject, *finding->subject ? ": " : "", finding->text) < 0) {
		if (!item)
			text = NULL;
		return false;
	}
	width = terminal_width(item);
	(void)printf("%s%s%s%*s", colour ? shade : "", level_name(finding->level), colour ? PLAIN : "",
		     (int)(LEVEL_WIDTH - strlen(level_name(finding->level))), "");
	(void)printf("%s%*s", item, width < item_columns ? (int)(item_columns - width) : 1, "");
	if (!print_text(text, indent, indent, columns))
		return false;
	if (!*finding->remedy)
		return true;
	(void)printf("%*s%s" TO_DO "%s ", (int)indent, "", colour ? BOLD : "", colour ? PLAIN : "");
	return print_text(finding->remedy, indent + strlen(TO_DO) + 1, indent, columns);
}

static void print_summary(const struct findings *findings, bool colour)
{
	size_t warnings = findings_of(findings, LEVEL_WARNING), errors = findings_of(findings, LEVEL_ERROR);
	enum level worst = errors > 0 ? LEVEL_ERROR : warnings > 0 ? LEVEL_WARNING : LEVEL_GOOD;

	(void)printf("\n%s%zu good, %zu warning%s, %zu error%s%s\n", colour ? levels[worst].colour : "",
		     findings_of(findings, LEVEL_GOOD), warnings, warnings == 1 ? "" : "s", errors,
		     errors == 1 ? "" : "s", colour ? PLAIN : "");
}

bool findings_print(const struct findings *findings, bool colour, size_t columns)
{
	size_t width = item_width(findings);

	for (size_t i = 0; i < findings->count; i++)
		if (!print_finding(&findings->items[i], width, colour, columns))
			return false;
	print_summary(findings, colour);
	return true;
}

/* ---- for programs ---- */

void findings_print_json(const struct findings *findings)
{
	struct json json = { .out = stdout };

	json_begin(&json, NULL, '{');
	json_begin(&json, "findings", '[');
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		json_begin(&json, NULL, '{');
		json_string(&json, "item", finding->item);
		json_string(&json, "subject", *finding->subject ? finding->subject : NULL);
		json_string(&json, "level", level_name(finding->level));
		json_string(&json, "text", finding->text);
		json_string(&json, "remedy", *finding->remedy ? finding->remedy : NULL);
		json_end(&json, '}');
	}
	json_end(&json, ']');
	json_number(&json, "good", (long long)findings_of(findings, LEVEL_GOOD));
	json_number(&json, "warnings", (long long)findings_of(findings, LEVEL_WARNING));
	json_number(&json, "errors", (long long)findings_of(findings, LEVEL_ERROR));
	json_end(&json, '}');
}
