/*
 * Splits the text of an account file into rows, indexes them by name and number, and writes the text anew with rows
 * added or dropped. What a row cannot be read as is kept as it is.
 */
#include "provisiond/account_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 30)

static uint32_t hash_bytes(const char *bytes, size_t length)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
	return hash ^ (hash >> 15);
}

static uint32_t hash_number(uint32_t number)
{
	uint32_t hash = number * 2654435761u;

	return hash ^ (hash >> 16);
}

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Where the row ends for glibc: it reads lines as strings, so what stands behind a NUL is not there. */
static const char *row_end(const struct account_rows *rows, uint32_t row)
{
	const char *text = rows->text + rows->rows[row].begin;

	return text + strnlen(text, rows->rows[row].length);
}

struct row_field account_row_field(const struct account_rows *rows, uint32_t row, unsigned n)
{
	const char *text = rows->text + rows->rows[row].begin, *end = row_end(rows, row);

	for (; n > 0; n--) {
		const char *colon = memchr(text, ':', (size_t)(end - text));

		if (!colon)
			return (struct row_field){ .text = end, .length = 0 };
		text = colon + 1;
	}
	const char *colon = memchr(text, ':', (size_t)(end - text));

	return (struct row_field){ .text = text, .length = (size_t)((colon ? colon : end) - text) };
}

struct row_field account_row_rest(const struct account_rows *rows, uint32_t row, unsigned n)
{
	struct row_field field = account_row_field(rows, row, n);

	field.length = (size_t)(row_end(rows, row) - field.text);
	return field;
}

unsigned account_row_fields(const struct account_rows *rows, uint32_t row)
{
	unsigned fields = 1;

	for (const char *at = rows->text + rows->rows[row].begin, *end = row_end(rows, row); at < end; at++)
		fields += *at == ':';
	return fields;
}

bool row_field_is(struct row_field field, const char *text)
{
	return strlen(text) == field.length && memcmp(text, field.text, field.length) == 0;
}

bool account_row_is(const struct account_rows *rows, uint32_t row, const char *text)
{
	return row_field_is((struct row_field){ rows->text + rows->rows[row].begin, rows->rows[row].length }, text);
}

struct row_field row_field_first_item(struct row_field list, struct row_field *ret_others, bool *ret_has_others)
{
	const char *end = list.text + list.length, *comma = memchr(list.text, ',', list.length);
	struct row_field item = { list.text, (size_t)((comma ? comma : end) - list.text) };

	while (item.length > 0 && blank(item.text[0])) {
		item.text++;
		item.length--;
	}
	*ret_others = (struct row_field){ comma ? comma + 1 : end, comma ? (size_t)(end - comma - 1) : 0 };
	*ret_has_others = comma != NULL;
	return item;
}

bool row_field_lists(struct row_field field, const char *item)
{
	for (bool more = true; more;)
		if (row_field_is(row_field_first_item(field, &field, &more), item))
			return true;
	return false;
}

/* As strtoul(3) in glibc's reader: blanks, a sign, digits; what is too large is the largest number. */
static bool parse_number(struct row_field field, uint32_t *ret_number)
{
	uint64_t number = 0;
	bool negative = false;
	size_t i = 0;

	while (i < field.length && blank(field.text[i]))
		i++;
	if (i < field.length && (field.text[i] == '+' || field.text[i] == '-'))
		negative = field.text[i++] == '-';
	if (i == field.length)
		return false;
	for (; i < field.length; i++) {
		if (field.text[i] < '0' || field.text[i] > '9')
			return false;
		if (number <= UINT32_MAX)
			number = number * 10 + (uint64_t)(field.text[i] - '0');
	}
	if (number > UINT32_MAX || (negative && number > 0))
		number = UINT32_MAX;
	*ret_number = (uint32_t)number;
	return true;
}

/* The first fields in one go; those that the row does not have are empty. */
static void first_fields(const struct account_rows *rows, uint32_t row, struct row_field *ret_fields, unsigned count)
{
	const char *text = rows->text + rows->rows[row].begin, *end = row_end(rows, row);

	for (unsigned i = 0; i < count; i++) {
		const char *colon = memchr(text, ':', (size_t)(end - text));

		ret_fields[i] = (struct row_field){ .text = text, .length = (size_t)((colon ? colon : end) - text) };
		text = colon ? colon + 1 : end;
	}
}

static void parse_row(struct account_rows *rows, uint32_t at, const unsigned columns[ROW_NUMBERS])
{
	struct account_row *row = &rows->rows[at];
	struct row_field fields[4], name;
	bool comment;

	first_fields(rows, at, fields, columns[0] != 0 ? 4 : 1);
	name = fields[0];
	while (name.length > 0 && blank(name.text[0])) {
		name.text++;
		name.length--;
	}
	row->nis = name.length > 0 && (name.text[0] == '+' || name.text[0] == '-');
	comment = name.length > 0 && name.text[0] == '#';
	if (row->nis || comment)
		name.length = 0;
	row->name = (uint32_t)(name.text - rows->text);
	row->name_length = (uint32_t)name.length;
	row->has_fourth_field = columns[0] != 0 && fields[3].text < row_end(rows, at);
	/* A row without a name has its numbers all the same: for glibc, too. */
	for (unsigned i = 0; i < ROW_NUMBERS; i++)
		row->has_number[i] =
			!row->nis && !comment && columns[i] != 0 && parse_number(fields[columns[i]], &row->number[i]);
}

static uint32_t count_lines(const char *text, size_t length)
{
	uint32_t lines = length > 0 && text[length - 1] != '\n';

	for (const char *at = text; (at = memchr(at, '\n', length - (size_t)(at - text))); at++)
		lines++;
	return lines;
}

static void split(struct account_rows *rows)
{
	size_t at = 0;

	for (uint32_t i = 0; i < rows->count; i++) {
		const char *begin = rows->text + at, *newline = memchr(begin, '\n', rows->length - at);
		size_t length = newline ? (size_t)(newline - begin) : rows->length - at;

		rows->rows[i].begin = (uint32_t)at;
		rows->rows[i].length = (uint32_t)length;
		at += length + 1;
	}
}

static void chain(struct account_rows *rows, unsigned table, uint32_t hash, uint32_t row)
{
	uint32_t *head = &rows->heads[table][hash & rows->mask];

	rows->rows[row].next[table] = *head;
	*head = row;
}

/* From the last row to the first, so that each chain is in the file's order. */
static void index_rows(struct account_rows *rows)
{
	for (uint32_t i = rows->count; i-- > 0;) {
		const struct account_row *row = &rows->rows[i];

		if (row->name_length > 0)
			chain(rows, 0, hash_bytes(rows->text + row->name, row->name_length), i);
		for (unsigned n = 0; n < ROW_NUMBERS; n++)
			if (row->has_number[n])
				chain(rows, 1 + n, hash_number(row->number[n]), i);
	}
}

static int reserve(struct account_rows *rows)
{
	size_t buckets = 16;

	while (buckets < rows->count)
		buckets *= 2;
	rows->mask = (uint32_t)(buckets - 1);
	rows->rows = calloc(rows->count + (size_t)1, sizeof(rows->rows[0]));
	if (!rows->rows)
		return -ENOMEM;
	for (unsigned i = 0; i <= ROW_NUMBERS; i++) {
		rows->heads[i] = malloc(buckets * sizeof(rows->heads[i][0]));
		if (!rows->heads[i])
			return -ENOMEM;
		memset(rows->heads[i], 0xff, buckets * sizeof(rows->heads[i][0])); /* ROW_END */
	}
	return 0;
}

int account_rows_parse(char *text, size_t length, const unsigned columns[ROW_NUMBERS], struct account_rows *ret_rows)
{
	struct account_rows rows = { .text = text, .length = length };
	int r = length > TEXT_MAX ? -EFBIG : 0;

	if (r == 0) {
		rows.count = count_lines(text, length);
		r = reserve(&rows);
	}
	if (r < 0) {
		account_rows_wipe(&rows);
		return r;
	}
	split(&rows);
	for (uint32_t i = 0; i < rows.count; i++)
		parse_row(&rows, i, columns);
	index_rows(&rows);
	*ret_rows = rows;
	return 0;
}

void account_rows_wipe(struct account_rows *rows)
{
	if (rows->text)
		explicit_bzero(rows->text, rows->length);
	free(rows->text);
	free(rows->rows);
	for (unsigned i = 0; i <= ROW_NUMBERS; i++)
		free(rows->heads[i]);
	*rows = (struct account_rows){ 0 };
}

static uint32_t first_or_next(const struct account_rows *rows, unsigned table, uint32_t hash, uint32_t after)
{
	if (after != ROW_END)
		return rows->rows[after].next[table];
	return rows->heads[table] ? rows->heads[table][hash & rows->mask] : ROW_END;
}

uint32_t account_rows_named(const struct account_rows *rows, const char *name, uint32_t after)
{
	size_t length = strlen(name);
	uint32_t at = first_or_next(rows, 0, hash_bytes(name, length), after);

	while (at != ROW_END &&
	       (rows->rows[at].name_length != length || memcmp(rows->text + rows->rows[at].name, name, length) != 0))
		at = rows->rows[at].next[0];
	return at;
}

uint32_t account_rows_numbered(const struct account_rows *rows, unsigned which, uint32_t number, uint32_t after)
{
	uint32_t at = first_or_next(rows, 1 + which, hash_number(number), after);

	while (at != ROW_END && rows->rows[at].number[which] != number)
		at = rows->rows[at].next[1 + which];
	return at;
}

/* Builds a text in a buffer that is large enough. */
struct text_end {
	char *text;
	size_t length;
};

static void append(struct text_end *end, const char *bytes, size_t length)
{
	if (length > 0)
		memcpy(end->text + end->length, bytes, length);
	end->length += length;
}

int account_row_with_fields(const struct account_rows *rows, uint32_t row, const char *const *fields, unsigned count,
			    bool last_is_rest, struct row_text *ret_row)
{
	const char *text = rows->text + rows->rows[row].begin, *line_end = text + rows->rows[row].length;
	const char *end = row_end(rows, row);
	size_t size = rows->rows[row].length + count + 1;
	struct text_end new = { 0 };

	for (unsigned n = 0; n < count; n++)
		size += fields[n] ? strlen(fields[n]) : 0;
	new.text = malloc(size);
	if (!new.text)
		return -ENOMEM;
	for (unsigned n = 0; n < count; n++) {
		bool is_rest = last_is_rest && n + 1 == count;
		const char *colon = is_rest ? NULL : memchr(text, ':', (size_t)(end - text));
		const char *field_end = colon ? colon : end;

		if (n > 0)
			append(&new, ":", 1);
		append(&new, fields[n] ? fields[n] : text, fields[n] ? strlen(fields[n]) : (size_t)(field_end - text));
		text = colon && n + 1 < count ? colon + 1 : field_end;
	}
	append(&new, text, (size_t)(line_end - text));
	*ret_row = (struct row_text){ .text = new.text, .length = new.length };
	return 0;
}

static uint32_t first_nis_row(const struct account_rows *rows)
{
	uint32_t row = 0;

	while (row < rows->count && !rows->rows[row].nis)
		row++;
	return row;
}

/* The row as it will be; a text of NULL when it is dropped. */
static struct row_field edited_row(const struct account_rows *rows, const struct rows_edit *edit, uint32_t row)
{
	if (edit->dropped && edit->dropped[row])
		return (struct row_field){ NULL, 0 };
	if (edit->replaced && edit->replaced[row].text)
		return (struct row_field){ edit->replaced[row].text, edit->replaced[row].length };
	return (struct row_field){ rows->text + rows->rows[row].begin, rows->rows[row].length };
}

static void append_rows(struct text_end *end, const struct account_rows *rows, const struct rows_edit *edit,
			uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct row_field row = edited_row(rows, edit, i);

		if (!row.text)
			continue;
		append(end, row.text, row.length);
		append(end, "\n", 1);
	}
}

int account_rows_edit(const struct account_rows *rows, const struct rows_edit *edit, char **ret_text,
		      size_t *ret_length)
{
	uint32_t nis = first_nis_row(rows);
	size_t size = edit->added_length + 1;
	struct text_end end = { 0 };

	for (uint32_t i = 0; i < rows->count; i++)
		size += edited_row(rows, edit, i).length + 1;
	end.text = malloc(size);
	if (!end.text)
		return -ENOMEM;
	append_rows(&end, rows, edit, 0, nis);
	append(&end, edit->added, edit->added_length);
	append_rows(&end, rows, edit, nis, rows->count);
	end.text[end.length] = '\0';
	*ret_text = end.text;
	*ret_length = end.length;
	return 0;
}
