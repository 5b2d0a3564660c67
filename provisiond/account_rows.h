/*
 * The text of one account file (passwd, shadow, group, gshadow, subuid or subgid) as rows that are found by name or
 * number, and edited without changing a byte of any other row. Pure: no files, no decisions.
 */
#ifndef PROVISIOND_ACCOUNT_ROWS_H
#define PROVISIOND_ACCOUNT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROW_NUMBERS 2      /* columns that are looked up by number: uid and gid, or gid */
#define ROW_END UINT32_MAX /* no row */

/* A part of the text; not NUL-terminated. */
struct row_field {
	const char *text;
	size_t length;
};

struct account_row {
	uint32_t begin, length; /* the whole line, without its newline */
	uint32_t name, name_length;
	uint32_t number[ROW_NUMBERS];
	bool has_number[ROW_NUMBERS];
	bool nis;              /* begins with + or -: no account of this machine */
	bool has_fourth_field; /* and it is not the row's end: the members of a group */
	uint32_t next[1 + ROW_NUMBERS];
};

struct account_rows {
	char *text; /* owned; NUL-terminated behind its length */
	size_t length;
	struct account_row *rows; /* in the file's order; rows[i] is line i + 1 */
	uint32_t count;
	uint32_t *heads[1 + ROW_NUMBERS]; /* hash tables: by name, by number[0], by number[1] */
	uint32_t mask;
};

/* Takes over `text` (`length` bytes and a NUL behind them), whatever the result. `columns` says which fields hold
 * numbers, counted from 0; 0 for none. 0 and *ret_rows is released with account_rows_wipe(), or -ENOMEM, or -EFBIG past
 * 1 GiB. */
int account_rows_parse(char *text, size_t length, const unsigned columns[ROW_NUMBERS], struct account_rows *ret_rows);
/* Wipes the text (there may be password hashes in it), frees and empties. */
void account_rows_wipe(struct account_rows *rows);

/* The first row of that name, then the next: start with `after` = ROW_END. ROW_END when there is no more. NIS rows are
 * skipped. As in glibc, blanks before the name and comments do not count. */
uint32_t account_rows_named(const struct account_rows *rows, const char *name, uint32_t after);
/* The same for the number in columns[which]. Read as glibc reads it: blanks and leading zeros do not matter. */
uint32_t account_rows_numbered(const struct account_rows *rows, unsigned which, uint32_t number, uint32_t after);

/* The n-th field, from 0; empty when the row has fewer. */
struct row_field account_row_field(const struct account_rows *rows, uint32_t row, unsigned n);
/* The n-th field and all that follows it, colons included: what glibc takes for the list of a group's members. */
struct row_field account_row_rest(const struct account_rows *rows, uint32_t row, unsigned n);
/* How many fields the row has. */
unsigned account_row_fields(const struct account_rows *rows, uint32_t row);
/* Whether the row is this text, byte for byte. */
bool account_row_is(const struct account_rows *rows, uint32_t row, const char *text);
bool row_field_is(struct row_field field, const char *text);
/* Whether the comma-separated list has that item. As in glibc, blanks before an item do not count, and those behind it
 * are part of it. */
bool row_field_lists(struct row_field field, const char *item);

/* The first item of a list, without the blanks before it, and what follows its comma. */
struct row_field row_field_first_item(struct row_field list, struct row_field *ret_others, bool *ret_has_others);

/* A row that takes another's place. */
struct row_text {
	char *text; /* without a newline; not NUL-terminated. NULL: none */
	size_t length;
};

/* The row with its first `count` fields as given (NULL: as they are), the last of them up to the row's end when
 * `last_is_rest`. Fields that it lacks before a given one become empty ones; everything else stays, byte for byte. 0
 * and the caller wipes and frees ret_row->text, or -ENOMEM. */
int account_row_with_fields(const struct account_rows *rows, uint32_t row, const char *const *fields, unsigned count,
			    bool last_is_rest, struct row_text *ret_row);

/* What is to become of the rows. */
struct rows_edit {
	const bool *dropped;             /* one for each row; NULL: none is */
	const struct row_text *replaced; /* the same */
	const char *added;               /* whole lines */
	size_t added_length;
};

/* The edited text. What is added stands behind the last row, but before the first NIS row, since what follows one is
 * found too late. A last line without newline gets one. 0 and the caller wipes and frees *ret_text, or -ENOMEM. */
int account_rows_edit(const struct account_rows *rows, const struct rows_edit *edit, char **ret_text,
		      size_t *ret_length);

#endif
