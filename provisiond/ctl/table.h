/*
 * Aligned columns for people. Cells come from anywhere and are made harmless here.
 */
#ifndef PROVISIOND_CTL_TABLE_H
#define PROVISIOND_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum column_kind {
	COLUMN_TEXT,
	COLUMN_NUMBER, /* to the right */
	COLUMN_STATE,  /* coloured by what it says */
	COLUMN_LABEL,  /* bold */
};

struct column {
	const char *title; /* NULL in all of them: no line of titles */
	enum column_kind kind;
	int yields; /* where lines would be too long, columns are left out: 1 first; 0 never */
};

struct table {
	const struct column *columns;
	size_t column_count;
	size_t widest; /* that a line may be; 0: as long as it is */
	char **cells;  /* row by row */
	size_t cell_count;
	size_t capacity;
	bool failed; /* there was no memory */
};

/* Begins with { .columns = ..., .column_count = ... }. Adds the next cell; NULL and "" are shown as "-". */
void table_add(struct table *table, const char *text);
/* Prints what was added, whole rows. False when memory ran out. */
bool table_print(const struct table *table, bool colour, FILE *out);
void table_release(struct table *table);

#define _cleanup_table_ _cleanup_(table_release)

#endif
