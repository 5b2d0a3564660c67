/*
 * Tells what was found and done.
 */
#include "provisiond/ctl/setup/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "provisiond/ctl/terminal.h"

static bool in_colour;

static const struct {
	const char *word, *colour;
} levels[] = {
	[REPORT_GOOD] = { "good", "\033[32m" },
	[REPORT_WARNING] = { "warning", "\033[33m" },
	[REPORT_BAD] = { "bad", "\033[31m" },
};

#define LEVELS (sizeof(levels) / sizeof(levels[0]))
#define COLUMN_OF_TEXT 27

void report_use_colour(bool colour)
{
	in_colour = colour;
}

void report_heading(const char *format, ...)
{
	va_list arguments;

	(void)printf("\n%s", in_colour ? "\033[1m" : "");
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	(void)printf("%s\n", in_colour ? "\033[0m" : "");
	(void)fflush(stdout);
}

/* Words of the text, with lines broken before the terminal's end and begun at the same column. */
static void print_wrapped(const char *text, size_t column)
{
	size_t columns = terminal_columns(), at = column;

	while (*text) {
		size_t length = strcspn(text, " ");

		if (columns > 2 * column && at > column && at + 1 + length > columns) {
			(void)printf("\n%*s", (int)column, "");
			at = column;
		}
		at += (size_t)printf("%s%.*s", at > column ? " " : "", (int)length, text);
		text += length + strspn(text + length, " ");
	}
}

void report_line(enum report_level level, const char *item, const char *text, const char *remedy)
{
	_cleanup_free_ char *shown_item = terminal_text(item ? item : "");
	_cleanup_free_ char *shown = terminal_text(text);
	_cleanup_free_ char *shown_remedy = terminal_text(remedy ? remedy : "");
	size_t column = item ? COLUMN_OF_TEXT : 2 + strlen("warning") + 2;

	if (!shown_item || !shown || !shown_remedy)
		return;
	(void)printf("  %s%-7s%s  ", in_colour ? levels[level].colour : "", levels[level].word,
		     in_colour ? "\033[0m" : "");
	if (item)
		(void)printf("%-14s  ", shown_item);
	print_wrapped(shown, column);
	if (*shown_remedy) {
		(void)printf("\n%*s", (int)column, "");
		print_wrapped(shown_remedy, column);
	}
	(void)putchar('\n');
	(void)fflush(stdout);
}

enum report_level report_finding(const struct wire_message *finding)
{
	const char *word = wire_get(finding, "level"), *text = wire_get(finding, "text");
	enum report_level level = REPORT_BAD;

	for (size_t i = 0; word && i < LEVELS; i++)
		if (strcmp(levels[i].word, word) == 0)
			level = (enum report_level)i;
	report_line(level, wire_get(finding, "item"), text ? text : "pam_oidcd gave no text for this.",
		    wire_get(finding, "remedy"));
	return level;
}

void report_change(void *context, enum change_tell level, const char *sentence)
{
	static const enum report_level as[] = {
		[CHANGE_TELL_DONE] = REPORT_GOOD,
		[CHANGE_TELL_WARNING] = REPORT_WARNING,
		[CHANGE_TELL_ERROR] = REPORT_BAD,
	};

	(void)context;
	report_line(as[level], NULL, sentence, NULL);
}
