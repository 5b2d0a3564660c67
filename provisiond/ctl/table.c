/*
 * Lays cells out in columns: as wide as the widest cell, two spaces apart, the last one without padding.
 */
#include "provisiond/ctl/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "provisiond/ctl/terminal.h"

#define GAP 2
#define LEFT_OUT SIZE_MAX /* a column's width */
#define BOLD "\033[1m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define RED "\033[31m"
#define PLAIN "\033[0m"

static bool reserve(struct table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : 64;
	char **grown;

	if (table->cell_count < table->capacity)
		return true;
	grown = reallocarray(table->cells, capacity, sizeof(*grown));
	if (!grown)
		return false;
	table->cells = grown;
	table->capacity = capacity;
	return true;
}

void table_add(struct table *table, const char *text)
{
	char *cell;

	if (!table->failed && reserve(table) && (cell = terminal_text(text && *text ? text : "-")))
		table->cells[table->cell_count++] = cell;
	else
		table->failed = true;
}

static size_t column_width(const struct table *table, size_t column)
{
	const char *title = table->columns[column].title;
	size_t widest = title ? terminal_width(title) : 0;

	for (size_t i = column; i < table->cell_count; i += table->column_count) {
		size_t width = terminal_width(table->cells[i]);

		if (width > widest)
			widest = width;
	}
	return widest;
}

static const char *state_colour(const char *state)
{
	static const struct {
		const char *state;
		const char *colour;
	} colours[] = {
		{ "active", GREEN },    { "creating", YELLOW }, { "incomplete", YELLOW },
		{ "expected", YELLOW }, { "deactivated", RED }, { "removed", RED },
	};

	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strcmp(state, colours[i].state) == 0)
			return colours[i].colour;
	return NULL;
}

static const char *cell_colour(enum column_kind kind, const char *text)
{
	switch (kind) {
	case COLUMN_STATE:
		return state_colour(text);
	case COLUMN_LABEL:
		return BOLD;
	case COLUMN_TEXT:
	case COLUMN_NUMBER:
		break;
	}
	return NULL;
}

static void print_cell(const char *text, size_t padding, bool to_the_right, const char *colour, FILE *out)
{
	if (to_the_right)
		(void)fprintf(out, "%*s", (int)padding, "");
	(void)fprintf(out, "%s%s%s", colour ? colour : "", text, colour ? PLAIN : "");
	if (!to_the_right)
		(void)fprintf(out, "%*s", (int)padding, "");
}

/* How long the lines are; a width of LEFT_OUT does not count. */
static size_t line_width(const size_t *widths, size_t count)
{
	size_t width = 0;

	for (size_t i = 0; i < count; i++)
		if (widths[i] != LEFT_OUT)
			width += widths[i] + (width > 0 ? GAP : 0);
	return width;
}

/* Leaves columns out, one after the other, until the lines are short enough or no column yields. */
static void leave_columns_out(const struct table *table, size_t *widths)
{
	for (int turn = 1; turn <= (int)table->column_count; turn++)
		for (size_t i = 0; i < table->column_count; i++)
			if (table->columns[i].yields == turn && line_width(widths, table->column_count) > table->widest)
				widths[i] = LEFT_OUT;
}

/* One line; cells is NULL for the titles. */
static void print_row(const struct table *table, char *const *cells, const size_t *widths, bool colour, FILE *out)
{
	size_t last = table->column_count - 1;

	while (last > 0 && widths[last] == LEFT_OUT)
		last--;
	for (size_t i = 0; i <= last; i++) {
		enum column_kind kind = table->columns[i].kind;
		const char *text = cells ? cells[i] : table->columns[i].title;
		const char *shade = !colour ? NULL : cells ? cell_colour(kind, text) : BOLD;
		bool right = kind == COLUMN_NUMBER;

		if (widths[i] == LEFT_OUT)
			continue;
		print_cell(text, i == last && !right ? 0 : widths[i] - terminal_width(text), right, shade, out);
		(void)fprintf(out, "%*s", i == last ? 0 : GAP, "");
	}
	(void)fputc('\n', out);
}

bool table_print(const struct table *table, bool colour, FILE *out)
{
	size_t *widths = table->failed ? NULL : calloc(table->column_count, sizeof(*widths));

	if (!widths)
		return false;
	for (size_t i = 0; i < table->column_count; i++)
		widths[i] = column_width(table, i);
	if (table->widest > 0)
		leave_columns_out(table, widths);
	if (table->columns[0].title)
		print_row(table, NULL, widths, colour, out);
	for (size_t i = 0; i + table->column_count <= table->cell_count; i += table->column_count)
		print_row(table, table->cells + i, widths, colour, out);
	free(widths);
	return true;
}

void table_release(struct table *table)
{
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->cell_count = table->capacity = 0;
}
